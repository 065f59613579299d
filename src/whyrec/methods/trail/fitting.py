"""How a ``TrailForecaster`` is fitted: gather, let explain, tune, choose on the last window, tune once more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import torch

from whyrec.data.dataset import Dataset
from whyrec.data.events import event_arrays
from whyrec.errors import InvalidDataError
from whyrec.llm.cache import open_cache
from whyrec.llm.local.backend import LocalBackend
from whyrec.llm.local.loading import LoadedModel
from whyrec.llm.local.settings import LocalSettings
from whyrec.llm.lora import AdaptedModel
from whyrec.llm.model import LanguageModel
from whyrec.llm.usage import FREE
from whyrec.methods.trail.backbone import (
    Backbone,
    Template,
    adapted_backbone,
    from_scratch,
    opened,
    paper_template,
)
from whyrec.methods.trail.config import SCRATCH, TrailConfig
from whyrec.methods.trail.encoding import EncodedSample
from whyrec.methods.trail.network import ProjectionHead, TrailNetwork
from whyrec.methods.trail.preparation import Material, chosen_for_explanation, gather, training_set, validation_set
from whyrec.methods.trail.prompts import Order
from whyrec.methods.trail.samples import Sample, target_windows
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
    learns from everything, for as many steps as were best. A log too short to spare its last window is trained on
    whole.

    Raises:
        InvalidDataError: If there is nothing before ``until``, or too little for a window with a past.
    """
    events = event_arrays(data, before=until)
    if not events.n_events:
        raise InvalidDataError(
            f"{data.name}: expected interactions before {until:%Y-%m-%d} to learn from, got none. Take a later date."
        )
    window = config.length.preceding(until)
    targets = target_windows(events, until=window.start, length=config.length, config=config.samples)
    if not config.validation_samples or not targets:
        return _tuned(data, until=until, config=config, stop_after=None)
    chosen = _tuned(data, until=window.start, config=config, stop_after=None, validate_until=until)
    if not config.refit:
        return chosen
    # How training went is told by the run that was validated.
    refitted = _tuned(data, until=until, config=config, stop_after=chosen.report.best_step)
    return replace(refitted, report=chosen.report)


def _tuned(
    data: Dataset,
    *,
    until: datetime,
    config: TrailConfig,
    stop_after: int | None,
    validate_until: datetime | None = None,
) -> FittedModel:
    samples = gather(data, until=until, config=config)
    explained = [as_explained(sample, order=config.order) for sample in samples]
    chosen = chosen_for_explanation(explained, config=config)
    texts = _explanations([explained[place] for place in chosen], data, config=config)
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
    if config.model == SCRATCH and config.pretraining:
        basic = config.training.model_copy(update={"contrastive_weight": 0.0})
        train(
            _network(backbone, config),
            training,
            validation=(),
            config=basic,
            padding=backbone.padding,
            stop_after=config.pretraining,
        )
        backbone = adapted_backbone(backbone, config)
    name = f"{'refit' if stop_after is not None else 'fit'}.safetensors"
    network = _network(backbone, config)
    report = train(
        network,
        training,
        validation=validation,
        config=config.training,
        padding=backbone.padding,
        checkpoint=None if config.checkpoints is None else config.checkpoints / name,
        stop_after=stop_after,
    )
    # An adapter without its base is worth nothing, and nobody else has a base from scratch: it is saved whole.
    adapted = None if config.model == SCRATCH else backbone.adapted
    return FittedModel(backbone.loaded(config), backbone.template, adapted, report)


def as_explained(sample: Sample, *, order: Order) -> Sample:
    """A sample as the writer of its explanation may know it.

    Behind the score a text may speak of it. Before the score, whether there is a text, what it says and that it passed
    the verification would all give the score away: it is written as if the last window's users came again.

    Args:
        sample: With a target.
        order: What stands first in an answer.
    """
    if order == "score_first":
        return sample
    history = sample.history
    return replace(sample, target=history.users[-1] if history.users else sum(history.daily))


def _explanations(samples: Sequence[Sample], data: Dataset, *, config: TrailConfig) -> Mapping[int, str]:
    """Verified explanations of samples, by position."""
    if not samples:
        return {}
    if config.teacher == "offline":
        return offline_teacher(samples, data, as_references=config.references, seed=config.training.seed)
    backend = LocalBackend.open(config.model, settings=LocalSettings(device=config.device, template=config.rendering))
    cache = None if config.checkpoints is None else open_cache(config.checkpoints / "explanations.sqlite")
    model = LanguageModel(backend, cache=cache, price=FREE)
    return model_teacher(model, samples, data, template=paper_template(config)).texts


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
