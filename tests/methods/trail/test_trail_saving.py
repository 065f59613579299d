"""What was fitted is saved and loaded to the bit, whole or as an adapter, and a killed fit goes on where it was."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal
from small_forecaster import fit, same_weights

from contracts.forecaster import CUTOFF, small_world
from llm.tiny_model import build_tiny_model
from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidDataError, InvalidModelError, OutputExistsError
from whyrec.llm.base import Completion, Prompt
from whyrec.llm.model import LanguageModel
from whyrec.methods.trail import train as loop
from whyrec.methods.trail.config import TrailConfig
from whyrec.methods.trail.model import TrailForecaster
from whyrec.runtime.training_state import save_state


@pytest.fixture(scope="module")
def data() -> Dataset:
    return small_world()


# --- saved and loaded ------------------------------------------------------------------------------------------------


def assert_alike(one: TrailForecaster, other: TrailForecaster, data: Dataset) -> None:
    """The same list and the same reasons, by the same writer."""
    assert_frame_equal(one.forecast(data, at=CUTOFF), other.forecast(data, at=CUTOFF), check_exact=True)
    told, again = (forecaster.explain(data, at=CUTOFF, k=2) for forecaster in (one, other))
    assert again.forecast.items == told.forecast.items
    assert again.counts == told.counts
    assert one.writer == other.writer
    assert one._model().identity == other._model().identity, "or the cache of completions is of no use"
    assert one._model().stop_tokens == other._model().stop_tokens


def test_a_model_from_scratch_is_saved_whole(data: Dataset, fitted_forecaster: TrailForecaster, tmp_path: Path) -> None:
    fitted_forecaster.save(tmp_path / "run")
    loaded = TrailForecaster.load(tmp_path / "run")
    assert loaded.config == fitted_forecaster.config
    assert loaded.until_ == CUTOFF
    assert_alike(loaded, fitted_forecaster, data)
    loaded.save(tmp_path / "again")
    assert_alike(TrailForecaster.load(tmp_path / "again"), fitted_forecaster, data)
    with pytest.raises(OutputExistsError, match="run: expected a new directory"):
        loaded.save(tmp_path / "run")


def test_the_state_says_how_training_went(fitted_forecaster: TrailForecaster, tmp_path: Path) -> None:
    fitted_forecaster.save(tmp_path / "run")
    state = json.loads((tmp_path / "run" / "forecaster.json").read_text("utf-8"))
    assert fitted_forecaster.report_ is not None
    assert state["report"]["best_step"] == fitted_forecaster.report_.best_step
    assert state["config"]["checkpoints"] is None
    assert set(state["template"]["known"]) == {"genres", "maker"}


def test_files_of_another_class_are_refused(fitted_forecaster: TrailForecaster, tmp_path: Path) -> None:
    fitted_forecaster.save(tmp_path / "run")
    path = tmp_path / "run" / "forecaster.json"
    path.write_text(path.read_text("utf-8").replace("TrailForecaster", "OfflineForecaster"), "utf-8")
    with pytest.raises(InvalidDataError, match="expected TrailForecaster of format 1, got OfflineForecaster"):
        TrailForecaster.load(tmp_path / "run")


def test_another_model_is_another_writer(data: Dataset) -> None:
    """The cache of completions knows models by their weights."""
    writers = {fit(data, {"training.seed": seed}).writer for seed in (1, 2, 1)}
    assert len(writers) == 2


# --- adapters on a model that was there ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained Llama whose context holds the paper's prompts; do not write into it."""
    directory = build_tiny_model(tmp_path_factory.mktemp("models") / "tiny", steps=0)
    path = directory / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "max_position_embeddings": 4096}), "utf-8")
    return directory


def tuned_config(base: Path, **changed: Any) -> TrailConfig:
    settings: dict[str, object] = {
        "model": str(base),
        "window": "30d",
        "domain": "movies",
        "teacher": "offline",
        "with_daily": False,
        "max_windows": 3,
        "embedding_model": None,
        "explained": 4,
        "validation_samples": 4,
        "explanation_tokens": 16,
        "samples": {"max_samples": 8},
        "training": {"learning_rate": 1e-2, "batch_size": 4, "accumulation": 1},
    }
    return TrailConfig.model_validate({**settings, **changed})


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.fixture(scope="module")
def tuned(base: Path, data: Dataset) -> TrailForecaster:
    return TrailForecaster(tuned_config(base)).fit(data, until=CUTOFF)


def test_an_adapter_is_saved_without_its_base_and_loaded_onto_it(
    base: Path, tuned: TrailForecaster, data: Dataset, tmp_path: Path
) -> None:
    before = contents(base)
    tuned.save(tmp_path / "run")
    written = {path.name for path in (tmp_path / "run" / "model").iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "whyrec_adapter.json"} <= written
    assert "model.safetensors" not in written
    assert sum(map(len, contents(tmp_path / "run" / "model").values())) < sum(map(len, before.values()))
    loaded = TrailForecaster.load(tmp_path / "run")
    assert_alike(loaded, tuned, data)
    loaded.save(tmp_path / "again")
    assert contents(tmp_path / "again" / "model") == contents(tmp_path / "run" / "model")
    assert_alike(TrailForecaster.load(tmp_path / "again"), tuned, data)
    assert contents(base) == before
    assert tuned.writer.startswith("tiny@")


def test_the_adapter_is_at_work(base: Path, tuned: TrailForecaster, data: Dataset) -> None:
    """Another rate ends in another forecast on the same base."""
    slower = tuned_config(base, training={"learning_rate": 1e-4, "batch_size": 4, "accumulation": 1})
    other = TrailForecaster(slower).fit(data, until=CUTOFF)
    assert not other.forecast(data, at=CUTOFF).equals(tuned.forecast(data, at=CUTOFF))


def test_an_adapter_whose_base_is_gone_or_another_is_refused(
    base: Path, tuned: TrailForecaster, tmp_path: Path
) -> None:
    tuned.save(tmp_path / "run")
    path = tmp_path / "run" / "forecaster.json"
    state = path.read_text("utf-8")
    path.write_text(state.replace(str(base), str(tmp_path / "gone")), "utf-8")
    with pytest.raises(InvalidModelError, match="expected a model directory or the name of a model on the hub"):
        TrailForecaster.load(tmp_path / "run")
    build_tiny_model(tmp_path / "other", steps=0, width=48, seed=1)
    path.write_text(state.replace(str(base), str(tmp_path / "other")), "utf-8")
    with pytest.raises(InvalidModelError, match="expected the base model that this adapter was trained on"):
        TrailForecaster.load(tmp_path / "run")


def test_all_weights_of_a_model_may_be_tuned_and_the_base_is_needed_no_more(
    base: Path, data: Dataset, tmp_path: Path
) -> None:
    copy = shutil.copytree(base, tmp_path / "copy")
    whole = TrailForecaster(tuned_config(copy, adapter=None)).fit(data, until=CUTOFF)
    assert contents(copy) == contents(base)
    shutil.rmtree(copy)
    whole.save(tmp_path / "run")
    assert_alike(TrailForecaster.load(tmp_path / "run"), whole, data)


def test_the_base_model_may_write_what_is_taught(
    base: Path, data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An untrained one writes nothing that passes: then only scores are taught. Killed, it is not asked again."""
    asked: list[int] = []

    def complete(self: LanguageModel, prompts: list[Prompt], **_: Any) -> list[Completion]:
        asked.append(len(prompts))
        assert self._cache is not None, "what a large model wrote is kept with the state of training"
        return [Completion("?", None, None, "stop", 1, 1, cached=False, writer="tiny") for _ in prompts]

    monkeypatch.setattr(LanguageModel, "complete", complete)
    chosen = tuned_config(base, teacher="model", checkpoints=tmp_path)
    forecaster = TrailForecaster(chosen).fit(data, until=CUTOFF)
    assert asked == [4]
    assert forecaster.report_ is not None
    assert {look.explanation for look in forecaster.report_.looks} == {0.0}
    assert {path.name for path in tmp_path.iterdir()} >= {"fit.safetensors", "explanations.sqlite"}


def test_an_adapter_on_a_model_from_scratch_is_saved_as_a_whole_model(data: Dataset, tmp_path: Path) -> None:
    """Nobody else has its base."""
    chosen = {"pretraining": 2, "adapter": {"rank": 2, "alpha": 4.0}}
    forecaster = fit(data, chosen)
    forecaster.save(tmp_path / "run")
    assert (tmp_path / "run" / "model" / "model.safetensors").is_file()
    assert_alike(TrailForecaster.load(tmp_path / "run"), forecaster, data)


# --- killed and resumed ----------------------------------------------------------------------------------------------


class KilledError(Exception):
    """The power goes."""


@pytest.mark.parametrize("at", [1, 3])
def test_a_killed_fit_that_goes_on_ends_where_an_uninterrupted_one_does(
    at: int, data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two looks at the validation window, then one more model on everything: killed in the first and in the second."""
    changed: dict[str, object] = {"refit": True, "training.epochs": 2, "training.checkpoint_steps": 3}
    whole = fit(data, changed)
    written: list[str] = []

    def fail(path: Path, **state: Any) -> None:
        if len(written) == at:
            raise KilledError
        written.append(path.name)
        save_state(path, **state)

    monkeypatch.setattr(loop, "save_state", fail)
    with pytest.raises(KilledError):
        fit(data, changed, checkpoints=tmp_path)
    monkeypatch.undo()
    assert set(written) == ({"fit.safetensors"} if at == 1 else {"fit.safetensors", "refit.safetensors"})
    resumed = fit(data, changed, checkpoints=tmp_path)
    assert same_weights(resumed, whole)
    assert_frame_equal(resumed.forecast(data, at=CUTOFF), whole.forecast(data, at=CUTOFF), check_exact=True)
