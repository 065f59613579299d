"""Every exception that whyrec raises on purpose.

    WhyrecError
    ├── InvalidDataError      (ValueError)        a file, row or column is not what it must be
    ├── InvalidConfigError    (ValueError)        a setting or command-line value is out of range or unknown
    ├── UnknownIdError        (KeyError)          a user or item that the data does not hold
    ├── NotFittedError        (RuntimeError)      a model was used before it was fitted
    ├── OutputExistsError     (FileExistsError)   the output path holds something; nothing is overwritten unasked
    ├── OutputWriteError      (OSError)           the output could not be written; what was there before still is
    ├── TrainingError         (ArithmeticError)   training went astray: the loss is not a number any more
    ├── MissingExtraError     (ImportError)       a command needs libraries of an extra that is not installed
    ├── StoreUnavailableError (ConnectionError)   the database of a store cannot be reached now; it may come back
    └── LanguageModelError    (RuntimeError)      a language model cannot do what was asked
        ├── InvalidModelError   (ValueError)      no model there, unsafe weights, an adapter of another model
        ├── PromptTooLongError  (ValueError)      a prompt leaves no room for the answer in the model's context
        └── EndpointError       (ConnectionError) a server cannot be reached, refuses or answers nonsense

Messages read "where: expected what, got which value. What to do." and stay on one line.
"""


class WhyrecError(Exception):
    """Base of all expected failures. The command line prints the message alone and exits with 2."""

    def __str__(self) -> str:
        # KeyError would print its argument quoted; every other base joins arguments. One line, always.
        return " ".join(str(arg) for arg in self.args).replace("\n", " ")


class InvalidDataError(WhyrecError, ValueError):
    """Raised when input data breaks the schema: names file, row and column, what was expected and what came."""


class InvalidConfigError(WhyrecError, ValueError):
    """Raised when a setting is unknown, of the wrong type or out of range."""


class UnknownIdError(WhyrecError, KeyError):
    """Raised when a user_id or item_id is not in the data at hand."""


class NotFittedError(WhyrecError, RuntimeError):
    """Raised when learned state is used before ``fit`` or ``load``."""


class OutputExistsError(WhyrecError, FileExistsError):
    """Raised when an output path exists already; nothing has been touched."""


class OutputWriteError(WhyrecError, OSError):
    """Raised when writing fails (disk full, no permission); the previous state is untouched."""


class TrainingError(WhyrecError, ArithmeticError):
    """Raised when a loss stops being finite; the last checkpoint still is."""


class MissingExtraError(WhyrecError, ImportError):
    """Raised when libraries of an extra are needed and absent; the message holds the command that installs them."""


class StoreUnavailableError(WhyrecError, ConnectionError):
    """Raised when a store's database is down, restarting or too busy to answer: the same call may succeed later."""


class LanguageModelError(WhyrecError, RuntimeError):
    """Base of what can go wrong with a language model; completions that were finished before are in the cache."""


class InvalidModelError(LanguageModelError, ValueError):
    """Raised when a model or adapter cannot be loaded: absent, unsafe or made for another model."""


class PromptTooLongError(LanguageModelError, ValueError):
    """Raised before anything is computed when prompt and answer do not fit the context; holds the numbers."""


class EndpointError(LanguageModelError, ConnectionError):
    """Raised when a server is down, refuses, or does not speak the OpenAI chat API, after retries where they help."""
