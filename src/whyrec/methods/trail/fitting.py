"""How a ``TrailForecaster`` is fitted: gather, let explain, tune, choose on the last window, tune once more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import torch

from whyrec.data.dataset import Dataset
from whyrec.llm.local.backend import LocalBackend
from whyrec.llm.local.loading import LoadedModel
from whyrec.llm.local.settings import LocalSettings
from whyrec.llm.lora import AdaptedModel
from whyrec.llm.model import LanguageModel
from whyrec.llm.usage import FREE
from whyrec.methods.trail.backbone import (
    Backbone,
    Template,
    from_scratch,
    opened,
    paper_template,
)
from whyrec.methods.trail.config import SCRATCH, TrailConfig
from whyrec.methods.trail.encoding import EncodedSample
from whyrec.methods.trail.network import ProjectionHead, TrailNetwork
from whyrec.methods.trail.preparation import Material, chosen_for_explanation, gather, training_set, validation_set
from whyrec.methods.trail.samples import Sample
from whyrec.methods.trail.teacher import model_teacher, offline_teacher
from whyrec.methods.trail.train import TrailReport, train


@dataclass(frozen=True, slots=True)
class FittedModel:
    """What fitting leaves."""

    loaded: LoadedModel
    template: Template
    adapted: AdaptedModel | None
    report: TrailReport


def fit_model(data: Dataset, *, until: datetime, config: TrailConfig) -> FittedModel:
    """Tune a model on what came strictly before ``until``.

    The last window tells when to stop, so that training itself ends where it begins. With ``refit``, a second model
    learns from everything, for as many steps as were best.
    """
    window = config.length.preceding(until)
    earliest = config.length.preceding(window.start).start
    has_validation = config.validation_samples > 0 and earliest >= data.time_range[0]
    if not has_validation:
        return _tuned(data, until=until, config=config, stop_after=None)
    chosen = _tuned(data, until=window.start, config=config, stop_after=None, validate_until=until)
    if not config.refit:
        return chosen
    return _tuned(data, until=until, config=config, stop_after=chosen.report.best_step)


def _tuned(
    data: Dataset,
    *,
    until: datetime,
    config: TrailConfig,
    stop_after: int | None,
    validate_until: datetime | None = None,
) -> FittedModel:
    samples = gather(data, until=until, config=config)
    chosen = chosen_for_explanation(samples, config=config)
    texts = _explanations([samples[place] for place in chosen], data, config=config)
    material = Material(samples, {chosen[place]: text for place, text in texts.items()}, until)
    backbone = (
        from_scratch(samples, list(material.texts.values()), config=config)
        if config.model == SCRATCH
        else opened(config)
    )
    training = training_set(material, backbone, config=config)
    validation: list[EncodedSample] = []
    if validate_until is not None:
        window = config.length.preceding(validate_until)
        validation = validation_set(data, backbone, window=window, config=config)
    name = f"{'refit' if stop_after is not None else 'fit'}.safetensors"
    network = _network(backbone, config)
    report = train(
        network,
        training,
        validation=validation,
        config=config.training,
        padding=backbone.tokenizer.pad_token_id,
        checkpoint=None if config.checkpoints is None else config.checkpoints / name,
        stop_after=stop_after,
    )
    return FittedModel(backbone.loaded(config), backbone.template, backbone.adapted, report)


def _explanations(samples: Sequence[Sample], data: Dataset, *, config: TrailConfig) -> Mapping[int, str]:
    """Verified explanations of samples, by position."""
    if not samples:
        return {}
    if config.teacher == "offline":
        return offline_teacher(samples, data, as_references=config.references, seed=config.training.seed)
    backend = LocalBackend.open(config.model, settings=LocalSettings(device=config.device, template=config.rendering))
    return model_teacher(LanguageModel(backend, price=FREE), samples, data, template=paper_template(config)).texts


def _network(backbone: Backbone, config: TrailConfig) -> TrailNetwork:
    training = config.training
    width = backbone.model.config.get_text_config().hidden_size
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        head = ProjectionHead(
            width,
            hidden=training.projection_hidden,
            out=training.projection_dim,
            dropout=training.projection_dropout,
        )
    network = TrailNetwork(backbone.model, head, score_words=backbone.score_words(config), spread=training.spread)
    return network.to(backbone.model.device)
