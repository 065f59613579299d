"""``TrailForecaster`` as a whole: the contract of all forecasters, no future anywhere, and how it is fitted."""

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from pydantic import ValidationError
from small_forecaster import QUICK, config, fit, same_weights
from tuning_world import sample

from contracts.forecaster import CUTOFF, NEVER_SEEN, ForecasterContract, small_world, with_events
from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.interfaces import Forecaster
from whyrec.llm.base import Completion, Prompt
from whyrec.llm.local.backend import LocalBackend
from whyrec.llm.model import LanguageModel
from whyrec.methods.trail import fitting
from whyrec.methods.trail.config import TrailConfig
from whyrec.methods.trail.fitting import as_explained
from whyrec.methods.trail.model import TrailForecaster
from whyrec.methods.trail.samples import Sample

TRUE = "[Trend] It rose to {people:7d}. [Feature] A {attr:genres}. [Integration] It holds."
CROWD = [f"u{n:02}" for n in range(40)]


class TestTrail(ForecasterContract):
    needs_history = True

    def make(self) -> Forecaster:
        return TrailForecaster(config())

    @pytest.fixture
    def fitted(self, fitted_forecaster: TrailForecaster) -> Forecaster:
        return fitted_forecaster


@pytest.fixture(scope="module")
def data() -> Dataset:
    return small_world()


# --- no future -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(days=45)])
def test_a_forecast_reads_nothing_from_its_start_on(
    ahead: timedelta, data: Dataset, fitted_forecaster: TrailForecaster
) -> None:
    """The crowd at the very start of the window moves nothing by a bit, list or reasons; a moment before, it does."""
    at = CUTOFF + ahead
    honest = fitted_forecaster.forecast(data, at=at)
    leaked = with_events(data, user_ids=CROWD, item_id="p02", at=at)
    assert_frame_equal(fitted_forecaster.forecast(leaked, at=at), honest, check_exact=True)
    early = with_events(data, user_ids=CROWD, item_id="p02", at=at - timedelta(microseconds=1))
    assert not fitted_forecaster.forecast(early, at=at).equals(honest)


def test_explanations_read_nothing_from_the_start_of_the_window_on(
    data: Dataset, fitted_forecaster: TrailForecaster
) -> None:
    told, leaked, early = (
        fitted_forecaster.explain(log, at=CUTOFF, item_ids=["p02", NEVER_SEEN[0]]).forecast.items
        for log in (
            data,
            with_events(data, user_ids=CROWD, item_id="p02", at=CUTOFF),
            with_events(data, user_ids=CROWD, item_id="p02", at=CUTOFF - timedelta(microseconds=1)),
        )
    )
    assert leaked == told
    assert early[0].facts != told[0].facts


def test_the_validation_window_is_not_trained_on(data: Dataset) -> None:
    """With validation, training ends a window earlier: what came in that window chooses when to stop, no weights."""
    last = CUTOFF - timedelta(days=30)
    planted = with_events(data, user_ids=CROWD, item_id="p02", at=last + timedelta(days=3))
    assert same_weights(fit(data), fit(planted))
    before = with_events(data, user_ids=CROWD, item_id="p02", at=last - timedelta(days=3))
    assert not same_weights(fit(data), fit(before))
    whole: dict[str, object] = {"validation_samples": 0}
    assert not same_weights(fit(data, whole), fit(planted, whole)), "without, the last window is trained on"


@pytest.mark.parametrize("target", [0, 12, 5000])
def test_a_text_before_the_score_is_written_without_it(target: int) -> None:
    """Else the label stood in the prompt of the very score that is learnt: as many as last month are written for."""
    for given in (sample(users=(40, 7), target=target), sample(users=(), daily=(3, 0, 2), target=target)):
        told = as_explained(given, order="explanation_first")
        assert told.target == (7 if given.history.users else 5)
        assert told.history == given.history
        assert as_explained(given, order="score_first") == given


def test_the_texts_before_scores_are_the_same_whatever_the_targets(
    data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All targets of training are changed: which samples are explained and how stays, unless the score comes first."""
    real: Callable[..., list[Sample]] = fitting.gather
    written: list[dict[int, str]] = []

    def gather(given: Dataset, **options: Any) -> list[Sample]:
        found = real(given, **options)
        if len(written) % 2:
            return [Sample(each.history, each.window, 900 - (each.target or 0), each.weight) for each in found]
        return found

    class EnoughError(Exception):
        pass

    def noted(material: Any, *_: Any, **__: Any) -> None:
        written.append(dict(material.texts))
        raise EnoughError

    monkeypatch.setattr(fitting, "gather", gather)
    monkeypatch.setattr(fitting, "training_set", noted)
    for order in ("explanation_first", "score_first"):
        for _ in range(2):
            with pytest.raises(EnoughError):
                fit(data, order=order)
    first, other, spoken, contradicted = written
    assert first == other
    assert len(first) > 5
    assert spoken != contradicted


# --- how it is fitted ------------------------------------------------------------------------------------------------


def test_refitting_learns_from_everything_for_as_many_steps_as_were_best(
    data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    stops: list[int | None] = []
    real = fitting.train

    def noted(*given: Any, stop_after: int | None = None, **options: Any) -> Any:
        stops.append(stop_after)
        return real(*given, stop_after=stop_after, **options)

    monkeypatch.setattr(fitting, "train", noted)
    chosen = fit(data)
    refitted = fit(data, refit=True)
    assert chosen.report_ is not None
    assert refitted.report_ is not None
    assert stops == [None, None, chosen.report_.best_step]
    assert [look.validation for look in refitted.report_.looks] == [look.validation for look in chosen.report_.looks]
    assert not same_weights(chosen, refitted)


@pytest.mark.parametrize(("days", "is_validated"), [(62, False), (89, False), (92, True)])
def test_a_log_too_short_to_spare_its_last_window_is_trained_on_whole(
    days: int, is_validated: bool, data: Dataset
) -> None:
    """Two windows are one to learn from with one before it; a third is needed to look at. The log begins at hour 1."""
    first = data.time_range[0]
    forecaster = TrailForecaster(config(QUICK)).fit(data, until=first + timedelta(days=days))
    assert forecaster.report_ is not None
    looked = [look.validation == look.validation for look in forecaster.report_.looks]  # NaN is not itself
    assert set(looked) == {is_validated}


def test_a_log_too_short_for_a_window_with_a_past_is_refused(data: Dataset) -> None:
    with pytest.raises(InvalidDataError, match=r"expected a log of at least 2 windows \(30d\) before 2020-02-2"):
        TrailForecaster(config(QUICK)).fit(data, until=data.time_range[0] + timedelta(days=50))


def test_the_explanation_may_stand_before_the_score(data: Dataset, tmp_path: Path) -> None:
    """End to end: a text is written for the most active, then the score is read behind it."""
    forecaster = fit(data, {"order": "explanation_first", "explained_first": 3, "explanation_tokens": 40})
    asked: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        real = LocalBackend.answer

        def noted(self: LocalBackend, prompts: list[Prompt], **options: Any) -> Any:
            asked.append(len(prompts))
            return real(self, prompts, **options)

        patch.setattr(LocalBackend, "answer", noted)
        ranking = forecaster.forecast(data, at=CUTOFF)
    assert asked == [3]
    assert ranking.height == data.items.height
    told = forecaster.explain(data, at=CUTOFF, k=2)
    assert_frame_equal(told.forecast.ranking, ranking, check_exact=True)
    forecaster.save(tmp_path / "run")
    assert_frame_equal(TrailForecaster.load(tmp_path / "run").forecast(data, at=CUTOFF), ranking, check_exact=True)


def test_what_stands_before_the_score_changes_it(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    forecaster = fit(data, {"order": "explanation_first", "explained_first": 3})

    def say(text: str) -> Callable[..., list[Completion]]:
        def complete(_self: LanguageModel, prompts: list[Prompt], **_: Any) -> list[Completion]:
            return [
                Completion(text, text, None, "stop", 1, 1, cached=False, writer="scripted") for _ in range(len(prompts))
            ]

        return complete

    lists = []
    for text in (TRUE, "[Trend] Nobody came. [Feature] An item. [Integration] It fades."):
        monkeypatch.setattr(LanguageModel, "complete", say(text))
        lists.append(forecaster.forecast(data, at=CUTOFF).sort("item_id")["expected"].to_numpy())
    moved = ~np.isclose(*lists, rtol=1e-4)
    assert moved.sum() == 3, "of the others nothing is written"


def test_a_score_may_be_spelled_and_its_likeliest_value_taken(data: Dataset) -> None:
    spelled = fit(data, {"slot": "digits", "readout": "likeliest", "training.spread": 0.0})
    expected = spelled.forecast(data, at=CUTOFF)["expected"]
    assert (expected == expected.round()).all()


# --- settings --------------------------------------------------------------------------------------------------------


def test_a_model_from_scratch_has_its_own_prompts() -> None:
    assert (TrailConfig().domain, TrailConfig().rendering, TrailConfig().teacher) == ("compact", "plain", "offline")
    tuned = TrailConfig(model="some/model")
    assert (tuned.domain, tuned.rendering, tuned.teacher) == ("generic", "model", "model")
    for name, value in {"domain": "movies", "rendering": "model", "teacher": "model"}.items():
        with pytest.raises(ValidationError, match="for a model from scratch"):
            TrailConfig.model_validate({name: value})
        TrailConfig.model_validate({"model": "some/model", name: value})


def test_steps_before_an_adapter_need_one() -> None:
    with pytest.raises(ValidationError, match="expected 0 without an adapter"):
        TrailConfig(pretraining=5, adapter=None)


def test_the_papers_prompts_have_no_number_words_and_a_domain() -> None:
    for changed, message in (({"domain": "compact"}, "got 'compact'"), ({"slot": "word"}, "expected 'digits'")):
        with pytest.raises(InvalidConfigError, match=message):
            fitting.paper_template(TrailConfig.model_validate({"model": "some/model", **changed}))


# --- what forecasting may reach --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_loading_and_forecasting_never_load_what_looks_at_targets(
    data: Dataset, fitted_forecaster: TrailForecaster, tmp_path: Path
) -> None:
    fitted_forecaster.save(tmp_path / "run")
    data.write(tmp_path / "data")
    program = (
        "import sys\n"
        "from datetime import datetime\n"
        "from pathlib import Path\n"
        "from whyrec.data.dataset import Dataset\n"
        "from whyrec.methods.trail.model import TrailForecaster\n"
        f"at, data = datetime.fromisoformat({CUTOFF.isoformat()!r}), Dataset.read(Path({str(tmp_path / 'data')!r}))\n"
        f"forecaster = TrailForecaster.load(Path({str(tmp_path / 'run')!r}))\n"
        "assert forecaster.forecast(data, at=at).height == 14\n"
        "assert forecaster.estimate(data, at=at, k=2).prompts == 2\n"
        "print([name for name in sys.modules if 'trail' in name and name.endswith("
        "('.similarity', '.neighbours', '.preparation', '.fitting', '.train', '.teacher'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_ties_stand_in_the_order_of_the_last_seven_days_then_of_the_id(
    data: Dataset, fitted_forecaster: TrailForecaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    from whyrec.methods.trail import model, readout

    def flat(_self: TrailForecaster, samples: list[Sample]) -> readout.ScoreReadout:
        value = torch.ones(len(samples), dtype=torch.float64).numpy()
        return readout.ScoreReadout(value, value, value)

    monkeypatch.setattr(model.TrailForecaster, "_scores", flat)
    found = fitted_forecaster.forecast(data, at=CUTOFF)
    week = (
        data.between(CUTOFF - timedelta(days=7), CUTOFF)
        .group_by("item_id", pl.col("timestamp").dt.date())
        .agg(pl.col("user_id").n_unique().alias("users"))
        .group_by("item_id")
        .agg(pl.col("users").sum())
        .collect()
    )
    recent = dict(week.rows())
    order = sorted(data.items["item_id"], key=lambda item_id: (-recent.get(item_id, 0), item_id))
    assert found["item_id"].to_list() == order
