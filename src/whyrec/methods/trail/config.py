"""Settings of TRAIL with a language model; light, so that the command line can show them without model libraries."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from whyrec.forecasts import WindowConfig
from whyrec.methods.trail.samples import SampleConfig
from whyrec.runtime.strict_model import StrictModel

SCRATCH = "scratch"
"""The model that is made from nothing."""
_OF_SCRATCH = {"domain": "compact", "rendering": "plain", "teacher": "offline"}
"""Settings in which it has no choice."""


class ScratchConfig(StrictModel):
    """Shape of the small model."""

    width: int = Field(default=96, ge=16)
    """Columns of its states; a multiple of 4 times ``heads``."""
    layers: int = Field(default=2, ge=1)
    """Blocks."""
    heads: int = Field(default=4, ge=1)
    """Attention heads."""
    min_word_count: int = Field(default=5, ge=1)
    """Training texts in which a word must stand to become a token."""
    max_words: int = Field(default=4000, ge=100)
    """The most tokens from words; the most frequent come first."""
    min_value_count: int = Field(default=20, ge=1)
    """Training samples in which an attribute's value must stand to be told."""
    context: int = Field(default=512, ge=128)
    """The most tokens of prompt and answer together."""


class TrailTraining(StrictModel):
    """How TRAIL is trained; defaults are the paper's (§5.1.4) where it states them, its code's where that does."""

    learning_rate: float = Field(default=2e-5, gt=0)
    """Peak of AdamW's. Paper: from 1e-5 to 2e-5."""
    weight_decay: float = Field(default=0.05, ge=0)
    """Of AdamW. Paper: 0.05."""
    warmup_share: float = Field(default=0.1, ge=0, lt=1)
    """Of the steps, before the rate falls along a cosine. Paper: 0.1."""
    batch_size: int = Field(default=8, ge=1)
    """Texts in a forward pass on one device. Code: 8."""
    accumulation: int = Field(default=4, ge=1)
    """Forward passes in a step of the optimiser. Code: 4."""
    epochs: int = Field(default=1, ge=1)
    """Passes over the texts. Code: 1."""
    max_gradient_norm: float = Field(default=1.0, gt=0)
    """Gradients are clipped to it. Code: 1."""
    seed: int = Field(default=1025, ge=0)
    """Of order, dropout and the head's weights. Code: 1025."""
    checkpoint_steps: int = Field(default=150, ge=1)
    """Steps of the optimiser between two checkpoints, each with a look at the validation window. Paper: 150."""
    patience: int = Field(default=3, ge=1)
    """Looks without a better validation loss after which training stops. Paper: 3."""
    supervised: bool = True
    """Learn the score (L_sup); off in an ablation."""
    contrastive_weight: float | Literal["scheduled"] = 0.3
    """lambda; the paper gives none, its code the schedule. 0 is the ablation without L_con."""
    temperature: float = Field(default=0.1, gt=0)
    """Of the contrast. Paper: 0.1."""
    positives: int = Field(default=2, ge=1)
    """Nearest neighbours that count as positives. Code: 2."""
    projection_hidden: int = Field(default=256, ge=1)
    """Units of the projection head. Chosen: nobody says."""
    projection_dim: int = Field(default=256, ge=1)
    """Columns in which explanations are contrasted. Code: 256."""
    projection_dropout: float = Field(default=0.1, ge=0, lt=1)
    """In the head. Code: 0.1."""
    explanation_weight: float = Field(default=0.2, ge=0)
    """Of the likelihood of verified explanations (T13); 0 is the paper, which never teaches to write them."""
    spread: float = Field(default=0.15, ge=0)
    """Of the target over neighbouring number words, in log1p, where the score is one word. Ours; 0 is one word."""


class AdapterShape(StrictModel):
    """Shape of the LoRA adapter; the paper's (§5.1.4)."""

    rank: int = Field(default=8, ge=1)
    """Paper: 8, after 8, 16 and 32."""
    alpha: float = Field(default=16.0, gt=0)
    """Paper: twice the rank."""
    dropout: float = Field(default=0.05, ge=0, lt=1)
    """Paper: 0.05."""
    target_modules: tuple[str, ...] = ("q_proj", "v_proj", "o_proj")
    """Paper: query, value and output projections."""


class TrailConfig(WindowConfig):
    """Settings of ``TrailForecaster``."""

    model: str = SCRATCH
    """``scratch``, or the directory or hub name of a causal language model."""
    domain: Literal["compact", "movies", "beauty", "baby", "generic"] = "generic"
    """Whose wording the prompts have; ``compact`` is for small models, and what ``scratch`` always takes."""
    rendering: Literal["model", "plain"] = "model"
    """Ask through the model's chat template, or in raw text, as ``scratch`` always does."""
    order: Literal["score_first", "explanation_first"] = "score_first"
    """The paper puts the score first."""
    slot: Literal["word", "digits"] = "digits"
    """The score as one word of a list (compact prompts only), or spelled."""
    readout: Literal["expected", "likeliest"] = "expected"
    """Forecast the mean of the distribution over scores (T18), or its peak."""
    with_daily: bool = True
    """Tell the last days too; the paper's prompt tells months alone."""
    max_windows: int = Field(default=24, ge=1)
    """Windows of history that are told."""
    references: bool = False
    """Explanations name facts by references, which decoding fills in; else they copy."""
    adapter: AdapterShape | None = AdapterShape()
    """Of a downloaded model; None trains all weights, as ``scratch`` always does unless ``pretraining`` is set."""
    pretraining: int = Field(default=0, ge=0)
    """Steps that train all weights of ``scratch`` before they are frozen and an adapter is put on; 0: no adapter."""
    scratch: ScratchConfig = ScratchConfig()
    """Shape of the model that is made from nothing."""
    training: TrailTraining = TrailTraining()
    """How it is trained."""
    samples: SampleConfig = SampleConfig()
    """What it is trained on."""
    thinned_copies: int = Field(default=0, ge=0)
    """Further copies of each sample that teach the score alone, with every user kept by a share drawn from .3 to 1."""
    explained: int | None = Field(default=None, ge=0)
    """The most samples that get an explanation, drawn by their targets; None explains all."""
    teacher: Literal["model", "offline"] = "model"
    """Who writes the explanations to learn; ``scratch`` has no model to ask and takes the offline writer."""
    sentences: Literal["known", "any"] = "any"
    """Explanations with references keep to sentences of training texts (compact prompts only), or say anything."""
    neighbours: int = Field(default=10, ge=1)
    """Most similar samples that are looked up; the nearest few are positives, the others no negatives."""
    embedding_model: str | None = "packaged"
    """Of the metadata similarity: a sentence-transformers name such as the paper's all-mpnet-base-v2; None leaves the
    term out."""
    validation_samples: int = Field(default=2000, ge=0)
    """Of the last window, to tell when to stop; 0 trains all epochs on everything."""
    refit: bool = False
    """Train once more on everything, the last window included, for as many steps as were best."""
    explained_first: int = Field(default=500, ge=0)
    """Items of a list whose explanation is written before their score, where the order asks for it: the most active."""
    max_tokens: int = Field(default=4096, ge=64)
    """Of prompt and answer. Paper: 4096."""
    explanation_tokens: int = Field(default=400, ge=16)
    """The longest explanation that is generated."""
    device: str = "auto"
    """Where it is trained and used; auto takes a GPU if there is one."""
    checkpoints: Path | None = None
    """Directory for the state of training; a fit that is killed goes on from it when it is started again."""

    @model_validator(mode="before")
    @classmethod
    def _scratch_has_its_own_defaults(cls, given: Any) -> Any:  # whatever is to be validated
        is_scratch = isinstance(given, dict) and given.get("model", SCRATCH) == SCRATCH
        return {**_OF_SCRATCH, **given} if is_scratch else given

    @field_validator(*_OF_SCRATCH)
    @classmethod
    def _scratch_has_no_choice(cls, value: str, info: ValidationInfo) -> str:
        only = _OF_SCRATCH[str(info.field_name)]
        if info.data.get("model") == SCRATCH and value != only:
            raise ValueError(f"expected {only!r} for a model from scratch")
        return value

    @field_validator("pretraining")
    @classmethod
    def _pretraining_is_for_an_adapter(cls, value: int, info: ValidationInfo) -> int:
        if value and info.data.get("adapter") is None:
            raise ValueError("expected 0 without an adapter, for which it prepares")
        return value


def scratch_defaults() -> dict[str, object]:
    """Settings that suit a small model made from nothing, where they differ; on two cores it trains in minutes."""
    return {
        "model": SCRATCH,
        "domain": "compact",
        "rendering": "plain",
        "slot": "word",
        "references": True,
        "adapter": None,
        "max_windows": 6,
        "scratch": {"width": 64},
        "sentences": "known",
        "explained": 4000,
        "teacher": "offline",
        "thinned_copies": 1,
        # Likelihood on the last window worsens while the list still gets better: it would stop training far too early.
        "validation_samples": 0,
        "max_tokens": 512,
        "explanation_tokens": 160,
        "samples": {"drawn_by": "history", "step_days": 5, "max_samples": 12_000, "max_windows": 24},
        "training": {
            "learning_rate": 3e-3,
            "batch_size": 32,
            "accumulation": 1,
            "epochs": 3,
            # It has to learn to write at all.
            "explanation_weight": 1.0,
            "spread": 0.3,
            "projection_hidden": 96,
            "projection_dim": 64,
        },
    }
