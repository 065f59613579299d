"""``LocalBackend``: a Hugging Face causal language model on this machine answers prompts."""

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whyrec.errors import InvalidConfigError
from whyrec.llm.base import Answer, ModelIdentity, Prompt, SamplingConfig, require_room
from whyrec.llm.local.settings import LocalSettings
from whyrec.llm.structured import OutputSchema
from whyrec.runtime.extras import require_extra

if TYPE_CHECKING:
    from whyrec.llm.local.loading import LoadedModel

_DEFAULTS = LocalSettings()


class LocalBackend:
    """Answers prompts with a model in memory. Open one with ``LocalBackend.open``."""

    def __init__(self, loaded: "LoadedModel", settings: LocalSettings) -> None:
        """Take a model that is loaded already."""
        from whyrec.llm.grammar import Grammars

        self._loaded = loaded
        self._settings = settings
        self._grammars = Grammars(loaded.tokenizer, n_logits=loaded.n_logits, stop_tokens=sorted(loaded.stop_tokens))

    @classmethod
    def open(cls, name_or_path: str | Path, *, settings: LocalSettings = _DEFAULTS) -> "LocalBackend":
        """Load a model.

        Args:
            name_or_path: A directory, or a name on the hub, which is fetched unless it is in the hub's cache.
            settings: Device, number format, template, adapter and limits.

        Raises:
            InvalidModelError: If it is absent, damaged, unsafe or of a kind that cannot be batched.
            InvalidConfigError: If there is no such device.
            MissingExtraError: If the libraries are not installed.
        """
        require_extra("llm", "transformers", "peft", "xgrammar")
        from whyrec.llm.local.loading import load_model

        return cls(load_model(name_or_path, settings), settings)

    @property
    def identity(self) -> ModelIdentity:
        """The model's name, a hash of its files or its commit, its adapter, number format and template."""
        return self._loaded.identity

    @property
    def context_tokens(self) -> int | None:
        """By the model's configuration."""
        return self._loaded.rows.context_tokens

    @property
    def model(self) -> Any:  # whichever of transformers' classes it is
        """The transformers model, with its adapter merged: for reading probabilities and hidden states."""
        return self._loaded.rows.model

    @property
    def tokenizer(self) -> Any:  # whichever of transformers' classes it is
        """The transformers tokenizer, with the adapter's markers."""
        return self._loaded.tokenizer

    def texts(self, prompts: Sequence[Prompt]) -> list[str]:
        """What the model reads; see ``conversation_text``.

        Raises:
            InvalidModelError: If the template refuses a conversation, such as one with a system message.
        """
        from whyrec.llm.local.conversation import conversation_text

        return [
            conversation_text(
                self.tokenizer, prompt.messages, template=self._settings.template, name=self.identity.model
            )
            for prompt in prompts
        ]

    def encode(self, prompts: Sequence[Prompt]) -> list[list[int]]:
        """The prompts as tokens.

        Raises:
            InvalidConfigError: If a prompt is empty.
            InvalidModelError: As ``texts``.
        """
        if not prompts:
            return []
        # A chat template writes the special tokens itself.
        add_special = self._settings.template == "plain"
        tokens: list[list[int]] = self.tokenizer(
            self.texts(prompts), add_special_tokens=add_special, return_attention_mask=False
        ).input_ids
        for position, ids in enumerate(tokens):
            if not ids:
                raise InvalidConfigError(
                    f"prompt {position + 1} of {len(prompts):,}: expected text, got none. Write something to continue."
                )
        return tokens

    @property
    def at_once(self) -> int:
        """One: an answer's seconds are its share of the batch."""
        return 1

    def count_tokens(self, prompts: Sequence[Prompt]) -> list[int]:
        """The length of each prompt, template included."""
        return [len(ids) for ids in self.encode(prompts)]

    def answer(
        self, prompts: Sequence[Prompt], *, schema: OutputSchema | None, sampling: SamplingConfig
    ) -> Generator[tuple[int, Answer], None, None]:
        """Answer prompts in any order, each as soon as it is done; closing the iterator ends the work.

        Raises:
            PromptTooLongError: Before anything is computed, if a prompt leaves no room for its answer.
            InvalidConfigError: If a prompt is empty, or the schema cannot be forced.
            InvalidModelError: If the chat template refuses a conversation.
            LanguageModelError: If memory runs out.
        """
        from whyrec.llm.local.generation import generate

        tokens = self.encode(prompts)
        lengths = [len(ids) for ids in tokens]
        require_room(lengths, context_tokens=self.context_tokens, max_tokens=sampling.max_tokens)
        yield from generate(
            self._loaded,
            prompts,
            tokens,
            settings=self._settings,
            sampling=sampling,
            schema=schema,
            grammars=self._grammars,
        )
