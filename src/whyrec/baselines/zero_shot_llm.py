"""A language model that was trained for nothing of this, asked for each item's users in the coming window.

The baselines "GPT-4o-mini" and "DeepSeek" of TRAIL §5.1.2 and, with five examples, the few-shot one of §5.2.1. The
prompt has the paper's three blocks and its two answers (Table 6), in our words. An answer that breaks the form is
counted, and the last window's count stands in for it; nothing is asked twice, least of all by what came later.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Self, cast

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from whyrec.baselines.counts import LastWindowForecaster
from whyrec.baselines.smoothing import EmaConfig, EmaForecaster
from whyrec.baselines.zero_shot_prompts import (
    EXPLANATION_KEY,
    SCORE_KEY,
    SCORE_STEP,
    Case,
    answer_schema,
    case_of,
    question,
    system_text,
)
from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.events import event_arrays
from whyrec.data.item_histories import ItemHistory, history_table
from whyrec.data.item_texts import texts_within
from whyrec.data.windows import Window, users_per_item
from whyrec.errors import InvalidConfigError
from whyrec.forecasts import WindowConfig, forecast_frame, read_state, require_fitted, require_positive_k, write_state
from whyrec.llm.base import Completion, Prompt, SamplingConfig
from whyrec.llm.cache import default_cache_path
from whyrec.llm.model import LanguageModel
from whyrec.llm.opening import open_model, parse_spec
from whyrec.llm.usage import Estimate
from whyrec.runtime.atomic import atomic_directory

_ANSWERS_SCHEMA = {
    schema.ITEM: pl.String,
    "users": pl.Float64,
    "explanation": pl.String,
    "failure": pl.String,
    "writer": pl.String,
}


class ZeroShotConfig(WindowConfig):
    """Settings of ``ZeroShotForecaster``."""

    llm: str | None = None
    """Which model is asked, unless one is given: ``local:DIRECTORY``, ``local:HUB/NAME`` or ``URL#MODEL``."""
    api_key_variable: str = "WHYREC_API_KEY"
    """The environment variable that holds a server's key, where ``llm`` names a server."""
    cache: Path | None = None
    """The file of the answers of ``llm``; None for the one in the user's data directory."""
    shots: int = Field(default=0, ge=0)
    """Solved examples before the question, at most. Paper: none, and "five in-context examples" (TRAIL §5.2.1)."""
    max_items: int | None = Field(default=None, ge=1)
    """Ask for that many items only, the most active ones; all others are ranked below them, by their last window's
    count. None asks for the whole catalogue, as the paper does. Every item asked for costs a prompt."""
    max_windows: int = Field(default=36, ge=1)
    """The most windows of history in a prompt. Chosen: three years of months."""
    with_daily: bool = False
    """Show the last 30 days one by one as well. Paper: no."""
    max_chars: int = Field(default=3000, ge=200)
    """The most characters of an item's description and history together. Chosen."""
    n_samples: int = Field(default=1, ge=1)
    """Answers per item whose mean is the forecast; more than one need a temperature above 0. Chosen: one."""
    temperature: float = Field(default=0.0, ge=0)
    """0 takes the likeliest token each time. Chosen."""
    max_tokens: int = Field(default=512, ge=32)
    """The longest answer, in tokens. Chosen."""
    seed: int = Field(default=0, ge=0)
    """Of the answers."""

    @model_validator(mode="after")
    def _samples_differ(self) -> Self:
        if self.n_samples > 1 and not self.temperature:
            raise ValueError(f"n_samples of {self.n_samples} at temperature 0 are {self.n_samples} times the same")
        return self

    @property
    def sampling(self) -> SamplingConfig:
        """How answers are drawn."""
        return SamplingConfig(temperature=self.temperature, max_tokens=self.max_tokens, seed=self.seed)


class ZeroShotForecaster:
    """Asks a language model for every item's number of users; see the module's text.

    Equal numbers are ranked by the moving average of ``EmaForecaster``, then by item_id: a model answers in round
    numbers. ``score`` is therefore ``expected`` and less than half a hundredth of a user more. No interval is stated.

    Learned state: ``until_``, ``examples_``, and after a forecast ``answers_``.
    """

    config: ZeroShotConfig
    until_: datetime
    examples_: tuple[Case, ...]
    """Item-windows that had ended when it was fitted."""
    answers_: pl.DataFrame
    """What ``ask`` returned at the last forecast."""

    def __init__(self, config: ZeroShotConfig, *, model: LanguageModel | None = None) -> None:
        """Take settings and a model.

        Args:
            config: Settings.
            model: What is asked; it may be set later, as ``model``. None opens ``config.llm`` when it is needed. It is
                not part of what ``save`` writes.
        """
        self.config = config
        self.model = model

    @property
    def writer(self) -> str:
        """Who writes the numbers and explanations.

        Raises:
            InvalidConfigError: If there is no model.
        """
        return self._model().writer

    def fit(self, data: Dataset, *, until: datetime) -> Self:
        """Choose the examples: items of the last window before ``until``, from the most taken to the least.

        Nothing is asked and nothing else is learned.
        """
        self.examples_ = self._examples(data, window=self.config.length.preceding(until)) if self.config.shots else ()
        self.until_ = until
        return self

    def prompts(self, data: Dataset, *, at: datetime) -> dict[str, Prompt]:
        """What is asked for the window that starts at ``at``, by item_id, the most active items first.

        Raises:
            NotFittedError: If ``fit`` or ``load`` has not been called.
            InvalidConfigError: If ``at`` lies before the moment up to which it was fitted.
        """
        require_fitted(self, at=at)
        window = self.config.length.following(at)
        item_ids = self._activity(data, at=at)[schema.ITEM].head(self.config.max_items or data.items.height)
        cases = self._cases(data, item_ids=item_ids.to_list(), window=window)
        system = system_text(self.config.length)
        return {
            item_id: Prompt.of(question(case, examples=self.examples_), system=system)
            for item_id, case in zip(item_ids, cases, strict=True)
        }

    def estimate(self, data: Dataset, *, at: datetime) -> Estimate:
        """What ``forecast`` would take in prompts, tokens and money; asks nothing.

        Raises:
            As ``prompts``, and:
            InvalidConfigError: If there is no model.
            PromptTooLongError: If a prompt leaves no room for its answer.
        """
        model, prompts = self._model(), self._sampled(self.prompts(data, at=at))
        return model.estimate(prompts, schema=answer_schema(), sampling=self.config.sampling)

    def ask(self, data: Dataset, *, at: datetime) -> pl.DataFrame:
        """Ask the model.

        Returns:
            One row per item asked for: ``item_id, users`` (the mean of its valid answers, null if there is none),
            ``explanation`` of the first valid one, ``failure`` of the first invalid one, ``writer``.

        Raises:
            As ``estimate``, and:
            EndpointError: If a server fails for good; what was answered before is in the cache.
        """
        model, prompts = self._model(), self.prompts(data, at=at)
        completions = model.complete(self._sampled(prompts), schema=answer_schema(), sampling=self.config.sampling)
        n = self.config.n_samples
        rows = [_answer(item_id, completions[place * n : (place + 1) * n]) for place, item_id in enumerate(prompts)]
        return pl.DataFrame(rows, schema=_ANSWERS_SCHEMA, orient="row")

    def forecast(self, data: Dataset, *, at: datetime, k: int | None = None) -> pl.DataFrame:
        """Rank the catalogue for the window that starts at ``at``; see ``Forecaster.forecast``.

        Items whose answers all failed, and those that were not asked for, expect their last window's count.

        Raises:
            As ``ask``.
        """
        require_fitted(self, at=at)
        require_positive_k(k)
        self.answers_ = self.ask(data, at=at)
        # Less than any difference between two means of up to n_samples scores.
        least = SCORE_STEP / 2 / self.config.n_samples**2
        recency = pl.col("average").rank("dense") / (pl.len() + 1) * least
        scored = (
            self._activity(data, at=at)
            .join(self.answers_.select(schema.ITEM, "users", pl.lit(True).alias("asked")), on=schema.ITEM, how="left")
            .with_columns(pl.coalesce("users", "last").alias("expected"), pl.col("asked").fill_null(False))
            .with_columns((pl.col("expected") + recency).alias("score"))
        )
        # Whatever the rest's own scores: none of them reaches 0, and no item that was asked for falls below it.
        below = pl.col("score") - pl.col("score").max() - 1
        ranks = scored.select(schema.ITEM, pl.when("asked").then("score").otherwise(below).alias("users"))
        ranking = forecast_frame(data.items[schema.ITEM], expected=ranks, k=k)
        expected = scored.select(schema.ITEM, "expected")
        return (
            ranking.drop("expected")
            .join(expected, on=schema.ITEM, how="left", maintain_order="left")
            .select(ranking.columns)
        )

    def save(self, directory: Path) -> None:
        """Write settings and examples as JSON, and which model there was; not the model.

        Raises:
            NotFittedError: If there is no state yet.
        """
        require_fitted(self)
        state = {"until_": self.until_.isoformat(), "examples_": [asdict(case) for case in self.examples_]}
        content: dict[str, object] = {
            "class": type(self).__name__,
            "config": self.config.model_dump(mode="json"),
            "state": state,
            "writer": None if self.model is None else self.model.writer,
        }
        with atomic_directory(directory) as partial:
            write_state(partial, content)

    @classmethod
    def load(cls, directory: Path, *, model: LanguageModel | None = None) -> Self:
        """Read what ``save`` wrote.

        Args:
            directory: Where.
            model: What is asked from now on; it need not be the one of before.

        Raises:
            InvalidDataError: If the directory holds something else.
        """
        content = read_state(directory, expected_class=cls.__name__)
        forecaster = cls(ZeroShotConfig.model_validate(content["config"]), model=model)
        forecaster.until_ = datetime.fromisoformat(content["state"]["until_"])
        forecaster.examples_ = tuple(Case(**case) for case in content["state"]["examples_"])
        return forecaster

    def _model(self) -> LanguageModel:
        if self.model is None:
            self.model = _opened(self.config)
        return self.model

    def _sampled(self, prompts: dict[str, Prompt]) -> list[Prompt]:
        return [sample for prompt in prompts.values() for sample in prompt.samples(self.config.n_samples)]

    def _activity(self, data: Dataset, *, at: datetime) -> pl.DataFrame:
        """``item_id, last, average``: users in the last window and their moving average; the most active first."""
        window = WindowConfig(window=self.config.window)
        last = LastWindowForecaster(window).fit(data, until=at).forecast(data, at=at)
        average = EmaForecaster(EmaConfig(window=self.config.window)).fit(data, until=at).forecast(data, at=at)
        return (
            last.select(schema.ITEM, pl.col("expected").alias("last"))
            .join(average.select(schema.ITEM, pl.col("expected").alias("average")), on=schema.ITEM)
            .sort(["last", "average", schema.ITEM], descending=[True, True, False])
        )

    def _examples(self, data: Dataset, *, window: Window) -> tuple[Case, ...]:
        taken = users_per_item(data.interactions, window).sort("users", schema.ITEM, descending=[True, False])
        if taken.is_empty():
            return ()
        # Evenly spaced on a log scale of ranks: popularity is, roughly, a power of the rank.
        places = np.unique(np.geomspace(1, taken.height, self.config.shots).round().astype(int) - 1)
        chosen = taken[places.tolist()]
        cases = self._cases(data, item_ids=chosen[schema.ITEM].to_list(), window=window)
        return tuple(
            Case(case.description, case.history, case.target, users=users)
            for case, users in zip(cases, chosen["users"], strict=True)
        )

    def _cases(self, data: Dataset, *, item_ids: Sequence[str], window: Window) -> list[Case]:
        """Items in words as they were known at the start of a window."""
        events = event_arrays(data, before=window.start)
        table = history_table(
            events, cutoff=window.start, length=self.config.length, max_windows=self.config.max_windows
        )
        catalogue = data.items.sort(schema.ITEM)
        row_of = {item_id: row for row, item_id in enumerate(catalogue[schema.ITEM])}
        rows = [row_of[item_id] for item_id in item_ids]
        return [self._case(table.history(row, entry=catalogue.row(row, named=True)), window=window) for row in rows]

    def _case(self, history: ItemHistory, *, window: Window) -> Case:
        description, counts = texts_within(
            history,
            max_chars=self.config.max_chars,
            max_windows=self.config.max_windows,
            with_daily=self.config.with_daily,
        )
        return case_of(description, history=counts, window=window)


def _opened(config: ZeroShotConfig) -> LanguageModel:
    spec = None if config.llm is None else parse_spec(config.llm)
    if spec is None:
        raise InvalidConfigError(
            "zero_shot: expected a language model, got none. Name it (--llm local:DIRECTORY or --llm URL#MODEL)."
        )
    key = None
    if spec.kind != "local":
        from whyrec.llm.openai_compatible.credentials import api_key_from_environment

        key = api_key_from_environment(config.api_key_variable)
    return open_model(spec, cache=config.cache or default_cache_path(), api_key=key)


def _answer(item_id: str, completions: Sequence[Completion]) -> tuple[str, float | None, str | None, str | None, str]:
    """One row of ``ask``."""
    valid = [cast(dict[str, str], completion.value) for completion in completions if completion.failure is None]
    failures = [completion.failure for completion in completions if completion.failure is not None]
    scores = [float(value[SCORE_KEY]) for value in valid]
    return (
        item_id,
        float(np.mean(scores)) if scores else None,
        valid[0][EXPLANATION_KEY] if valid else None,
        failures[0] if failures else None,
        completions[0].writer,
    )
