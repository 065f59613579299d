"""``TrailForecaster``: TRAIL with a language model, fitted, asked for forecasts and for reasons, saved and loaded."""

import hashlib
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.evaluation.verification import Vocabulary
from whyrec.forecasts import read_state, require_fitted, require_positive_k, write_state
from whyrec.interfaces import FORECAST_SCHEMA
from whyrec.methods.trail.config import SCRATCH, TrailConfig
from whyrec.methods.trail.explained import ExplainedForecast, ExplainedItem, points_of, require_known
from whyrec.methods.trail.sample_facts import facts_of_samples
from whyrec.methods.trail.samples import Sample, window_samples
from whyrec.runtime.atomic import atomic_directory
from whyrec.runtime.extras import require_extra
from whyrec.runtime.threads import one_thread

if TYPE_CHECKING:
    from whyrec.llm.local.loading import LoadedModel
    from whyrec.llm.lora import AdaptedModel
    from whyrec.llm.usage import Estimate
    from whyrec.methods.trail.encoding import Encoder
    from whyrec.methods.trail.explaining import Asked, WritingCounts
    from whyrec.methods.trail.readout import ScoreReadout
    from whyrec.methods.trail.train import TrailReport

_MODEL = "model"


@dataclass(frozen=True, slots=True)
class Told:
    """A forecast with the reasons of some of its items, and how the writing went."""

    forecast: ExplainedForecast
    counts: "WritingCounts"


class TrailForecaster:
    """A language model that forecasts an item's users and says why (TRAIL §4).

    Learned state: ``loaded_`` (the tuned model), ``template_`` (how it is asked), ``report_`` (how training went, None
    after ``load``) and ``until_``.
    """

    def __init__(self, config: TrailConfig | None = None) -> None:
        """Make an unfitted forecaster; by default with the paper's settings."""
        require_extra("llm", "transformers", "peft", "accelerate", "xgrammar")
        self.config = config or TrailConfig()
        self.until_: datetime | None = None
        self.report_: TrailReport | None = None
        self.loaded_: LoadedModel | None = None
        self._adapted: AdaptedModel | None = None
        self._written_adapter: Path | None = None

    @property
    def writer(self) -> str:
        """The tuned model's name, and a hash of its weights."""
        return self._model().identity.writer

    def fit(self, data: Dataset, *, until: datetime) -> Self:
        """Tune the model on what came strictly before ``until``.

        Raises:
            InvalidDataError: If the log is too short for a window with a past.
            InvalidModelError: If there is no such model.
            TrainingError: If the loss is not a number any more.
        """
        # Training loads what inference must never import: similarities look at targets.
        from whyrec.methods.trail.fitting import fit_model

        with _threads(self.config):
            fitted = fit_model(data, until=until, config=self.config)
        self.loaded_ = replace(
            fitted.loaded, identity=replace(fitted.loaded.identity, revision=_weights_hash(fitted.loaded.rows.model))
        )
        self.template_, self.report_, self.until_ = fitted.template, fitted.report, until
        self._adapted, self._written_adapter = fitted.adapted, None
        return self

    def forecast(self, data: Dataset, *, at: datetime, k: int | None = None) -> pl.DataFrame:
        """Rank all items for the window that starts at ``at``, from interactions strictly before it.

        Equal forecasts stand in the order of the last seven days, then of the item id (T18).

        Returns:
            Columns of ``FORECAST_SCHEMA``, best first.

        Raises:
            NotFittedError: Before ``fit`` or ``load``.
            InvalidConfigError: If ``at`` is before the moment fitted to, or ``k`` is less than 1.
        """
        require_fitted(self, at=at)
        require_positive_k(k)
        samples = self.samples(data, at=at)
        with _threads(self.config):
            readout = self._scores(samples)
        ranked = (
            pl.DataFrame(
                {
                    schema.ITEM: [sample.history.item_id for sample in samples],
                    "score": readout.expected,
                    "recent": [sum(sample.history.daily[-7:]) for sample in samples],
                    "expected": readout.expected,
                    "low": readout.low,
                    "high": readout.high,
                }
            )
            .sort(["score", "recent", schema.ITEM], descending=[True, True, False])
            .with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias("rank"))
            .select(*FORECAST_SCHEMA)
            .cast(pl.Schema(FORECAST_SCHEMA))
        )
        return ranked if k is None else ranked.head(k)

    def explain(
        self,
        data: Dataset,
        *,
        at: datetime,
        item_ids: Sequence[str] | None = None,
        k: int = 10,
        cache: Path | None = None,
    ) -> Told:
        """Forecast the window that starts at ``at`` and let the model explain some of its items, each text verified.

        Args:
            data: Only interactions strictly before ``at`` are read.
            at: Start of the window.
            item_ids: The items to explain; None for the top ``k``.
            k: How many, where no items are named.
            cache: The file of completions, so that a killed run goes on where it was; None keeps nothing.

        Raises:
            UnknownIdError: If an item is not in the catalogue.
            NotFittedError: Before ``fit`` or ``load``.
            InvalidConfigError: If ``at`` is before the moment fitted to, or ``k`` is less than 1.
        """
        from whyrec.methods.trail.explaining import language_model, write_explanations

        ranking, asked = self._asked(data, at=at, item_ids=item_ids, k=k)
        with _threads(self.config):
            explanations, counts = write_explanations(
                asked,
                language_model(self._model(), config=self.config, cache=cache),
                self.encoder(),
                config=self.config,
                vocabulary=Vocabulary.of(data.items),
            )
        items = tuple(
            ExplainedItem(item.facts, item.point, (), explanation)
            for item, explanation in zip(asked, explanations, strict=True)
        )
        return Told(ExplainedForecast(self.config.length.following(at), ranking, items), counts)

    def estimate(
        self,
        data: Dataset,
        *,
        at: datetime,
        item_ids: Sequence[str] | None = None,
        k: int = 10,
        cache: Path | None = None,
    ) -> "Estimate":
        """What the first round of ``explain`` would take; the forecast itself is made, nothing is written."""
        from whyrec.methods.trail.explaining import estimate_explanations, language_model

        _, asked = self._asked(data, at=at, item_ids=item_ids, k=k)
        model = language_model(self._model(), config=self.config, cache=cache)
        return estimate_explanations(asked, model, self.encoder(), config=self.config)

    def samples(self, data: Dataset, *, at: datetime) -> list[Sample]:
        """Every item as it was known at ``at``, without a target."""
        window = self.config.length.following(at)
        return window_samples(
            data, window=window, with_target=False, length=self.config.length, config=self.config.samples
        )

    def encoder(self) -> "Encoder":
        """How the tuned model is asked."""
        from whyrec.methods.trail.backbone import encoder_of

        return encoder_of(self._model().tokenizer, self.template_, config=self.config)

    def save(self, directory: Path) -> None:
        """Write settings and the tuned weights: an adapter, or a whole small model.

        Raises:
            NotFittedError: Before ``fit`` or ``load``.
            OutputExistsError: If the directory holds something already.
        """
        from whyrec.llm.lora import write_adapter
        from whyrec.methods.trail.backbone import template_record
        from whyrec.methods.trail.scratch import save_backbone

        require_fitted(self)
        assert self.until_ is not None, "fitted"
        loaded = self._model()
        with atomic_directory(directory) as partial:
            content: dict[str, object] = {
                "class": type(self).__name__,
                "until": self.until_.isoformat(),
                "config": self.config.model_copy(update={"checkpoints": None}).model_dump(mode="json"),
                "template": template_record(self.template_),
                "model_name": loaded.identity.model,
                "revision": loaded.identity.revision,
                "report": None if self.report_ is None else asdict(self.report_),
            }
            write_state(partial, content)
            if self._adapted is not None:
                (partial / _MODEL).mkdir()
                write_adapter(self._adapted, partial / _MODEL)
            elif self._written_adapter is not None:
                shutil.copytree(self._written_adapter, partial / _MODEL)
            else:
                save_backbone(loaded.rows.model, loaded.tokenizer, partial / _MODEL)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            InvalidDataError: If there is nothing, or something of another class or version.
            InvalidModelError: If the base model of an adapter is not there any more.
        """
        from whyrec.methods.trail.backbone import load_tuned, restored_template

        content = read_state(directory, expected_class=cls.__name__)
        forecaster = cls(TrailConfig.model_validate(content["config"]))
        forecaster.until_ = datetime.fromisoformat(content["until"])
        forecaster.template_ = restored_template(forecaster.config, content["template"])
        loaded = load_tuned(directory / _MODEL, forecaster.config)
        # The revision is that of the weights with the adapter in them; named twice, it would be another writer's.
        identity = replace(loaded.identity, model=content["model_name"], revision=content["revision"], adapter=None)
        forecaster._written_adapter = directory / _MODEL if loaded.identity.adapter is not None else None
        forecaster.loaded_ = replace(loaded, identity=identity)
        return forecaster

    def _model(self) -> "LoadedModel":
        require_fitted(self)
        assert self.loaded_ is not None, "fitted"
        return self.loaded_

    def _asked(
        self, data: Dataset, *, at: datetime, item_ids: Sequence[str] | None, k: int
    ) -> "tuple[pl.DataFrame, list[Asked]]":
        """The forecast, and the items of it that are to be explained."""
        from whyrec.methods.trail.explaining import Asked

        require_known(data, item_ids or ())
        require_positive_k(k)
        ranking = self.forecast(data, at=at)
        chosen = list(dict.fromkeys(item_ids or ranking[schema.ITEM].head(k).to_list()))
        points = points_of(ranking, item_ids=chosen, window=self.config.length.following(at))
        by_item = {sample.history.item_id: sample for sample in self.samples(data, at=at)}
        samples = [by_item[item_id] for item_id in chosen]
        facts = facts_of_samples(samples, data)
        return ranking, [
            Asked(sample, its_facts, points[sample.history.item_id])
            for sample, its_facts in zip(samples, facts, strict=True)
        ]

    def _scores(self, samples: Sequence[Sample]) -> "ScoreReadout":
        from whyrec.methods.trail.readout import scores_at_slot

        if self.config.order == "score_first":
            begun = [self.template_.score_prefix()] * len(samples)
        else:
            begun = self._explained_first(samples)
        return scores_at_slot(self._model(), self.encoder(), samples, begun=begun, config=self.config)

    def _explained_first(self, samples: Sequence[Sample]) -> list[str]:
        """What stands before each score: an explanation where an item has had users of late, else none."""
        from whyrec.methods.trail.explaining import language_model, texts_before_scores

        alive = sorted(range(len(samples)), key=lambda place: -sum(samples[place].history.daily))
        chosen = alive[: self.config.explained_first]
        model = language_model(self._model(), config=self.config, cache=None)
        texts = texts_before_scores([samples[place] for place in chosen], model, self.encoder(), config=self.config)
        told = dict(zip(chosen, texts, strict=True))
        answers = [
            self.template_.answer(score=self.template_.score_text(0.0), explanation=told.get(place, ""))
            for place in range(len(samples))
        ]
        return [answer.text[: answer.score[0]] for answer in answers]


def _threads(config: TrailConfig) -> AbstractContextManager[None]:
    """A model made from scratch is so small that threads would wait for each other longer than they compute."""
    return one_thread() if config.model == SCRATCH else nullcontext()


def _weights_hash(model: Any) -> str:
    """What tells this tuned model from any other in the cache of completions."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode() + b"\0")
        digest.update(np.ascontiguousarray(tensor.detach().float().cpu().numpy()).tobytes())
    return digest.hexdigest()
