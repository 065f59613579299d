"""Every exception that whyrec raises on purpose.

    WhyrecError
    ├── InvalidDataError      (ValueError)        a file, row or column is not what it must be
    ├── InvalidConfigError    (ValueError)        a setting or command-line value is out of range or unknown
    ├── UnknownIdError        (KeyError)          a user or item that the data does not hold
    ├── NotFittedError        (RuntimeError)      a model was used before it was fitted
    ├── OutputExistsError     (FileExistsError)   the output path holds something; nothing is overwritten unasked
    └── OutputWriteError      (OSError)           the output could not be written; what was there before still is

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
