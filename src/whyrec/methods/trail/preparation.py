"""From a dataset to what TRAIL is trained on: samples, explanations, neighbours, tokens. Training only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from whyrec.data.dataset import Dataset
from whyrec.data.item_texts import description_text
from whyrec.data.windows import Window
from whyrec.methods.trail.backbone import Backbone
from whyrec.methods.trail.batches import TrainingSet
from whyrec.methods.trail.config import TrailConfig
from whyrec.methods.trail.encoding import EncodedSample, Encoder
from whyrec.methods.trail.neighbours import NeighbourInputs, neighbours
from whyrec.methods.trail.samples import Sample, training_samples, window_samples
from whyrec.methods.trail.similarity import SimilarityConfig
from whyrec.methods.trail.thinning import thinned

_TEXT_CHARS = 1000
"""Of a description that are embedded; sentence encoders read no more."""


@dataclass(frozen=True, slots=True)
class Material:
    """Samples with their explanations, before any model sees them."""

    samples: Sequence[Sample]
    texts: Mapping[int, str]
    """Explanations by the sample's position."""
    until: datetime


def gather(data: Dataset, *, until: datetime, config: TrailConfig) -> list[Sample]:
    """The training samples up to a moment."""
    return training_samples(data, until=until, length=config.length, config=config.samples)


def chosen_for_explanation(samples: Sequence[Sample], *, config: TrailConfig) -> list[int]:
    """Positions of the samples that are explained: drawn with chances that grow with the target.

    Explanations are asked for at the top of a list, so that items with an audience matter most.
    """
    if config.explained is None or config.explained >= len(samples):
        return list(range(len(samples)))
    rng = np.random.default_rng(config.training.seed)
    chances = np.sqrt(1.0 + np.array([sample.target or 0 for sample in samples]))
    chosen = rng.choice(len(samples), size=config.explained, replace=False, p=chances / chances.sum())
    return sorted(chosen.tolist())


def training_set(material: Material, backbone: Backbone, *, config: TrailConfig) -> TrainingSet:
    """Everything as tokens, with neighbours where explanations are contrasted."""
    encoder = backbone.encoder(config)
    rng = np.random.default_rng((config.training.seed, 7))
    samples = list(material.samples)
    encoded = [
        encoded_sample(encoder, sample, text=material.texts.get(place, "")) for place, sample in enumerate(samples)
    ]
    for _ in range(config.thinned_copies):
        copies = [thinned(sample, rng=rng) for sample in material.samples]
        samples += copies
        encoded += [encoded_sample(encoder, copy, text="") for copy in copies]
    return TrainingSet(
        samples=encoded,
        items=_numbered([sample.history.item_id for sample in samples]),
        neighbours=_neighbour_rows(material, n_samples=len(samples), config=config),
    )


def encoded_sample(encoder: Encoder, sample: Sample, *, text: str) -> EncodedSample:
    """One sample with its answer; without a text it teaches the score alone."""
    score = encoder.template.score_text(float(sample.target or 0))
    return encoder.encode(sample, encoder.template.answer(score=score, explanation=text))


def validation_set(data: Dataset, backbone: Backbone, *, window: Window, config: TrailConfig) -> list[EncodedSample]:
    """Items of the last window before the tested one: those with an audience before or in it, then others at random."""
    samples = window_samples(data, window=window, with_target=True, length=config.length, config=config.samples)
    rng = np.random.default_rng((config.training.seed, 11))
    draw = rng.permutation(len(samples))
    alive = [bool(sum(sample.history.daily)) or bool(sample.target) for sample in samples]
    order = sorted(range(len(samples)), key=lambda place: (not alive[place], draw[place]))
    encoder = backbone.encoder(config)
    return [encoded_sample(encoder, samples[place], text="") for place in order[: config.validation_samples]]


def _neighbour_rows(material: Material, *, n_samples: int, config: TrailConfig) -> Int[np.ndarray, "S N"] | None:
    told = np.array(sorted(material.texts), dtype=np.int64)
    if not config.training.contrastive_weight or len(told) < 2:
        return None
    chosen = [material.samples[place] for place in told]
    inputs = NeighbourInputs(
        histories=[np.asarray(sample.history.users, dtype=np.int64) for sample in chosen],
        targets=np.array([sample.target or 0 for sample in chosen], dtype=np.int64),
        text=_text_vectors(chosen, model=config.embedding_model),
        groups=_numbered([sample.history.item_id for sample in chosen]),
        target_ends=np.array([sample.window.end.replace(tzinfo=None) for sample in chosen], dtype="datetime64[us]"),
        until=material.until,
    )
    similarity = SimilarityConfig() if config.embedding_model is not None else SimilarityConfig(metadata_weight=0.0)
    found = neighbours(inputs, n=config.neighbours, config=similarity).index
    rows = np.full((n_samples, config.neighbours), -1, dtype=np.int64)
    rows[told] = np.where(found >= 0, told[found], -1)
    return rows


def _text_vectors(samples: Sequence[Sample], *, model: str | None) -> Float[np.ndarray, "S D"]:
    if model is None:
        return np.ones((len(samples), 1), dtype=np.float32)
    from whyrec.llm.embed import Embedder
    from whyrec.llm.embedding_model import PACKAGED_MODEL

    texts = [description_text(sample.history, max_chars=_TEXT_CHARS) for sample in samples]
    with Embedder.open(PACKAGED_MODEL if model == "packaged" else model) as embedder:
        return embedder.embed(texts, normalize=True)


def _numbered(names: Sequence[str]) -> Int[np.ndarray, " S"]:
    return pl.Series(names).rank("dense").to_numpy().astype(np.int64)
