"""A language model that is tuned: its weights, its tokenizer, how it is asked, and how it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whyrec.llm.base import Message, ModelIdentity
from whyrec.llm.local.backend import LocalBackend
from whyrec.llm.local.conversation import conversation_text
from whyrec.llm.local.forward import RowModel, require_rows
from whyrec.llm.local.loading import LoadedModel, load_model, quiet_transformers
from whyrec.llm.local.policy_config import Rendering
from whyrec.llm.local.settings import LocalSettings
from whyrec.llm.lora import AdaptedModel, LoraSettings, attach_adapter, load_adapter, save_adapter
from whyrec.llm.model import LanguageModel
from whyrec.runtime.atomic import atomic_directory


@dataclass
class Policy:
    """A causal language model that is being tuned."""

    model: Any  # transformers' or PEFT's, whose types say little
    tokenizer: Any
    rendering: Rendering
    name: str
    adapted: AdaptedModel | None = None
    """None where all weights are tuned."""

    def text(self, messages: Sequence[Message]) -> str:
        """A prompt as the model reads it.

        Raises:
            InvalidModelError: If the chat template refuses it.
        """
        return conversation_text(self.tokenizer, messages, template=self.rendering, name=self.name)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Rendered prompts as tokens; a chat template has written its special tokens itself."""
        tokens: list[list[int]] = self.tokenizer(
            list(texts), add_special_tokens=self.rendering == "plain", return_attention_mask=False
        ).input_ids
        return tokens

    @property
    def context_tokens(self) -> int | None:
        """The most tokens of prompt and answer together; None if the model does not say."""
        return RowModel(self.model).context_tokens

    def n_tokens(self, messages: Sequence[Message]) -> int:
        """The length of a prompt as the model reads it."""
        return len(self.encode([self.text(messages)])[0])

    def loaded(self, *, revision: str = "") -> LoadedModel:
        """The model as it is now, ready to answer; it shares its weights with the one that is tuned.

        Args:
            revision: Which of its states this is, for the texts that it writes.

        Raises:
            InvalidModelError: If it is of a kind that cannot be asked several prompts at once.
        """
        rows = RowModel(self.model)
        options = {"dtype": str(self.model.dtype).removeprefix("torch."), "template": self.rendering}
        return LoadedModel(
            rows=rows,
            tokenizer=self.tokenizer,
            identity=ModelIdentity("local", self.name, revision, None, options),
            n_logits=require_rows(rows, name=self.name, n_tokens=len(self.tokenizer)),
            stop_tokens=frozenset({self.tokenizer.eos_token_id}),
        )

    def asked(self, *, revision: str = "") -> LanguageModel:
        """The model as it is now, behind the contract of all language models; nothing is cached, as it changes."""
        self.model.eval()
        settings = LocalSettings(template=self.rendering)
        return LanguageModel(LocalBackend(self.loaded(revision=revision), settings))

    def save(self, directory: Path) -> None:
        """Write the adapter, or all weights where there is none; complete or not at all.

        Raises:
            OutputExistsError: If the directory holds something already.
            OutputWriteError: If it cannot be written.
        """
        if self.adapted is not None:
            save_adapter(self.adapted, directory)
            return
        with atomic_directory(directory) as partial, quiet_transformers():
            self.model.save_pretrained(partial)
            self.tokenizer.save_pretrained(partial)


def open_policy(
    name_or_path: str | Path,
    *,
    rendering: Rendering = "model",
    lora: LoraSettings | None,
    adapter: Path | None = None,
    device: str = "auto",
) -> Policy:
    """Load a model to be tuned.

    Args:
        name_or_path: A directory, or a name on the hub.
        rendering: How it is asked.
        lora: Shape of a new adapter; None tunes all weights.
        adapter: One that is to be tuned further, such as the aligned model's; then ``lora`` is not looked at.
        device: Where it runs; auto takes a GPU if there is one.

    Raises:
        InvalidModelError: If model or adapter is absent, damaged, unsafe or of the wrong kind.
        InvalidConfigError: If there is no such device, or the adapter's shape does not fit the model.
    """
    loaded = load_model(name_or_path, LocalSettings(device=device, template=rendering))
    model, tokenizer, name = loaded.rows.model, loaded.tokenizer, loaded.identity.model
    if adapter is not None:
        adapted = load_adapter(model, tokenizer, adapter, trainable=True)
    elif lora is not None:
        adapted = attach_adapter(model, tokenizer, lora)
    else:
        model.requires_grad_(True)
        return Policy(model, tokenizer, rendering, name)
    return Policy(adapted.model.to(loaded.rows.device), adapted.tokenizer, rendering, name, adapted)
