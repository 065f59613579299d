"""A backend that replays canned answers, for tests and for trying a pipeline without a model."""

from collections.abc import Callable, Generator, Sequence

from whyrec.errors import InvalidConfigError
from whyrec.llm.base import Answer, ModelIdentity, Prompt, SamplingConfig, require_room
from whyrec.llm.structured import OutputSchema

Script = Sequence[str] | Callable[[Prompt], str]


class ScriptedBackend:
    """Answers from a list, in the order of asking, or from a function of the prompt."""

    def __init__(self, script: Script, *, name: str = "scripted", context_tokens: int | None = None) -> None:
        """Take a script.

        Args:
            script: The answers in order, or a function that answers a prompt.
            name: The model's name in records.
            context_tokens: A limit, to try what happens at it; a token is a word here.
        """
        self.asked: list[Prompt] = []
        """Every prompt that was answered, in order."""
        self._script = script
        self._name = name
        self._context_tokens = context_tokens

    @property
    def identity(self) -> ModelIdentity:
        """A name; there is nothing else."""
        return ModelIdentity(backend="scripted", model=self._name, revision="")

    @property
    def context_tokens(self) -> int | None:
        """The limit that was given."""
        return self._context_tokens

    @property
    def at_once(self) -> int:
        """One."""
        return 1

    def count_tokens(self, prompts: Sequence[Prompt]) -> list[int]:
        """Words of each prompt."""
        return [sum(len(message.content.split()) for message in prompt.messages) for prompt in prompts]

    def answer(
        self, prompts: Sequence[Prompt], *, schema: OutputSchema | None, sampling: SamplingConfig
    ) -> Generator[tuple[int, Answer], None, None]:
        """Replay; the schema is not enforced, so what the script says is what comes.

        Raises:
            PromptTooLongError: If a prompt does not fit the limit that was given.
            InvalidConfigError: If the list of answers has run out.
        """
        lengths = self.count_tokens(prompts)
        require_room(lengths, context_tokens=self._context_tokens, max_tokens=sampling.max_tokens)
        for position, (prompt, length) in enumerate(zip(prompts, lengths, strict=True)):
            words = self._next(prompt).split(" ")
            text = " ".join(words[: sampling.max_tokens])
            finish = "length" if len(words) > sampling.max_tokens else "stop"
            self.asked.append(prompt)
            yield position, Answer(text, finish, length, min(len(words), sampling.max_tokens), seconds=0.0)

    def _next(self, prompt: Prompt) -> str:
        if callable(self._script):
            return self._script(prompt)
        if len(self.asked) >= len(self._script):
            raise InvalidConfigError(
                f"script {self._name!r}: expected at most {len(self._script)} prompts, got one more. Add an answer."
            )
        return self._script[len(self.asked)]
