"""The language model that TRAIL tunes: opened from a directory or made from scratch, with its prompts and its slot."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from whyrec.errors import InvalidConfigError
from whyrec.llm.base import ModelIdentity
from whyrec.llm.local.forward import RowModel, require_rows
from whyrec.llm.local.loading import LoadedModel, load_model
from whyrec.llm.local.settings import LocalSettings
from whyrec.llm.lora import AdaptedModel, LoraSettings, attach_adapter, merge_adapter
from whyrec.llm.readouts import require_plain_head
from whyrec.methods.trail.compact import CompactTemplate
from whyrec.methods.trail.config import SCRATCH, TrailConfig
from whyrec.methods.trail.encoding import Encoder
from whyrec.methods.trail.number_words import number_words
from whyrec.methods.trail.prompts import EXPLANATION_END, EXPLANATION_START, PaperTemplate
from whyrec.methods.trail.samples import Sample
from whyrec.methods.trail.scratch import build_model, build_tokenizer, known_values
from whyrec.methods.trail.sentences import known_sentences
from whyrec.runtime.devices import chosen_device

Template = PaperTemplate | CompactTemplate

SCORE_TOKENS = 48
"""Room for the answer's score, keys and markers beside its explanation."""
_MARKERS = (EXPLANATION_START, EXPLANATION_END)


@dataclass
class Backbone:
    """A model that is being tuned, and how it is asked."""

    model: Any  # transformers' or PEFT's
    tokenizer: Any
    template: Template
    adapted: AdaptedModel | None
    """None where all weights are tuned."""
    name: str

    def encoder(self, config: TrailConfig) -> Encoder:
        """Turns samples into this model's tokens."""
        return encoder_of(self.tokenizer, self.template, config=config)

    @property
    def padding(self) -> int:
        """The token behind a row's end; it is masked, so that any will do where there is none of its own."""
        own = self.tokenizer.pad_token_id
        return int(self.tokenizer.eos_token_id if own is None else own)

    def score_words(self, config: TrailConfig) -> torch.Tensor | None:
        """Tokens of the number words where the score is one."""
        if config.slot == "digits":
            return None
        ids = self.tokenizer.convert_tokens_to_ids([f" {word}" for word in number_words()])
        return torch.tensor(ids)

    def loaded(self, config: TrailConfig) -> LoadedModel:
        """The tuned model, ready to be asked.

        An adapter stays beside the weights too, so that it can still be saved; from scratch it becomes part of them.
        """
        if self.adapted is None:
            model = self.model
        elif config.model == SCRATCH:
            model = merge_adapter(self.adapted)
        else:
            # Added to the weights as it will be when it is loaded, so that answers are then the same to the bit.
            self.adapted.model.merge_adapter()
            model = self.adapted.model.get_base_model()
        return ready(model.eval().requires_grad_(False), self.tokenizer, name=self.name, config=config)


def encoder_of(tokenizer: Any, template: Template, *, config: TrailConfig) -> Encoder:
    """Turns samples into tokens, the same for training and for use."""
    return Encoder(
        tokenizer,
        template,
        rendering=config.rendering,
        max_tokens=config.max_tokens,
        answer_tokens=config.explanation_tokens + SCORE_TOKENS,
    )


def ready(model: Any, tokenizer: Any, *, name: str, config: TrailConfig, revision: str = "") -> LoadedModel:
    """Put a model in memory behind the local backend's contract.

    An answer ends where the explanation does: what a model writes behind it is nobody's business.
    """
    rows = RowModel(model)
    options = {"dtype": str(model.dtype).removeprefix("torch."), "template": config.rendering}
    return LoadedModel(
        rows=rows,
        tokenizer=tokenizer,
        identity=ModelIdentity("local", name, revision, None, options),
        n_logits=require_rows(rows, name=name, n_tokens=len(tokenizer)),
        stop_tokens=_ends(tokenizer),
    )


def paper_template(config: TrailConfig) -> PaperTemplate:
    """The paper's prompts as the settings have them.

    Raises:
        InvalidConfigError: If the domain is the compact one, or the score is to be one word.
    """
    if config.domain == "compact":
        raise InvalidConfigError(
            "domain: expected movies, beauty, baby or generic for a model that is not made from scratch, got "
            "'compact'. Choose one of these."
        )
    if config.slot != "digits":
        raise InvalidConfigError(f"slot: expected 'digits' with the paper's prompts, got {config.slot!r}. Leave it.")
    return PaperTemplate(
        domain=config.domain, order=config.order, with_daily=config.with_daily, max_windows=config.max_windows
    )


def opened(config: TrailConfig) -> Backbone:
    """Load a model and put a new adapter on it.

    Raises:
        InvalidModelError: If it is absent, damaged or unsafe.
        InvalidConfigError: If the settings do not fit it.
    """
    template = paper_template(config)
    loaded = load_model(config.model, LocalSettings(device=config.device, template=config.rendering))
    model, tokenizer = _aligned(loaded.rows.model), loaded.tokenizer
    require_plain_head(model)  # the losses make logits of body and head
    if config.adapter is None:
        model.requires_grad_(True)
        return Backbone(model, tokenizer, template, None, loaded.identity.model)
    adapted = _with_adapter(model, tokenizer, config)
    return Backbone(adapted.model, adapted.tokenizer, template, adapted, loaded.identity.model)


def from_scratch(samples: Sequence[Sample], explanations: Sequence[str], *, config: TrailConfig) -> Backbone:
    """Make a small model and a tokenizer that knows the words of the training texts.

    Args:
        samples: Training samples.
        explanations: Texts that it is to learn.
        config: Shape, prompts and seed.
    """
    template = CompactTemplate(
        order=config.order,
        slot=config.slot,
        with_daily=config.with_daily,
        max_windows=config.max_windows,
        known=known_values(samples, config=config.scratch),
        sentences=_sentences(explanations, config=config),
    )
    prompts = (message.content for sample in samples for message in template.messages(sample))
    answers = [template.answer(score=template.score_text(1), explanation=text).text for text in explanations]
    attributes = sorted({name for sample in samples for name in sample.history.attributes})
    texts = (f"{text}" for texts in (prompts, answers) for text in texts)
    tokenizer = build_tokenizer(texts, attributes=attributes, config=config.scratch)
    model = build_model(tokenizer, config=config.scratch, seed=config.training.seed)
    model = model.to(chosen_device(config.device)).requires_grad_(True)
    return Backbone(model, tokenizer, template, None, SCRATCH)


def _sentences(explanations: Sequence[str], *, config: TrailConfig) -> dict[str, list[list[str]]]:
    if not config.references or config.sentences == "any":
        return {}
    # Seen so often, a sentence consists of words that are tokens; no other could be decoded to its end.
    return known_sentences(explanations, at_least=config.scratch.min_word_count)


def adapted_backbone(backbone: Backbone, config: TrailConfig) -> Backbone:
    """Freeze a trained model and put a new adapter on it."""
    assert config.adapter is not None, "asked only where an adapter is wanted"
    adapted = _with_adapter(backbone.model.requires_grad_(False), backbone.tokenizer, config)
    return replace(backbone, model=adapted.model, tokenizer=adapted.tokenizer, adapted=adapted)


def template_record(template: Template) -> dict[str, object]:
    """What has to be kept of a template beside the settings: the values and sentences that a small model knows."""
    if isinstance(template, PaperTemplate):
        return {}
    known = {name: sorted(words) for name, words in template.known.items()}
    return {"known": known, "sentences": {name: list(places) for name, places in template.sentences.items()}}


def restored_template(config: TrailConfig, record: dict[str, Any]) -> Template:
    """The template of a saved model."""
    if config.domain != "compact":
        return paper_template(config)
    return CompactTemplate(
        order=config.order,
        slot=config.slot,
        with_daily=config.with_daily,
        max_windows=config.max_windows,
        known={name: frozenset(words) for name, words in record["known"].items()},
        sentences=record["sentences"],
    )


def load_tuned(directory: Path, config: TrailConfig) -> LoadedModel:
    """Read a tuned model back: all of its weights, or the adapter on its base."""
    has_adapter = (directory / "adapter_config.json").is_file()
    settings = LocalSettings(
        device=config.device, template=config.rendering, adapter=directory if has_adapter else None
    )
    loaded = load_model(config.model if has_adapter else directory, settings)
    _aligned(loaded.rows.model)
    return replace(loaded, stop_tokens=_ends(loaded.tokenizer))


def _aligned(model: Any) -> Any:
    """Copy weights to where new tensors begin in memory.

    Those that were read from a file lie as they lay in it, and products with them round otherwise: what was saved would
    not forecast what it did before.
    """
    for parameter in model.parameters():
        if parameter.device.type == "cpu":
            parameter.data = parameter.data.clone()
    return model


def _ends(tokenizer: Any) -> frozenset[int]:
    # Not convert_tokens_to_ids, which takes a marker that is no token for the unknown one.
    return frozenset({tokenizer.eos_token_id, tokenizer.get_vocab().get(EXPLANATION_END)} - {None})


def _with_adapter(model: Any, tokenizer: Any, config: TrailConfig) -> AdaptedModel:
    assert config.adapter is not None, "asked only where an adapter is wanted"
    known = set(tokenizer.get_vocab())
    shape = LoraSettings(
        rank=config.adapter.rank,
        alpha=config.adapter.alpha,
        dropout=config.adapter.dropout,
        target_modules=config.adapter.target_modules,
        markers=tuple(marker for marker in _MARKERS if marker not in known),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.training.seed)
        return attach_adapter(model, tokenizer, shape)
