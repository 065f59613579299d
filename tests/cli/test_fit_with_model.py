"""Fitting what trains for long: with a language model or a sequence encoder, killed, resumed, and judged."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.forecaster import CUTOFF
from llm.tiny_model import build_tiny_model
from whyrec.cli.main import main
from whyrec.data.dataset import Dataset
from whyrec.encoders import train as encoder_loop
from whyrec.methods.trail import train as trail_loop
from whyrec.runtime.threads import one_thread
from whyrec.runtime.training_state import save_state

UNTIL = CUTOFF.date().isoformat()
SCRATCH = {
    "explained": 10,
    "max_windows": 3,
    "thinned_copies": 0,
    "validation_samples": 20,
    "refit": "true",
    "explanation_tokens": 60,
    "samples.step_days": 30,
    "scratch.width": 16,
    "scratch.layers": 1,
    "scratch.heads": 1,
    "scratch.min_word_count": 1,
    "training.epochs": 2,
    "training.batch_size": 16,
    "training.checkpoint_steps": 3,
    "training.contrastive_weight": 0.0,
}
TUNED = {
    "domain": "movies",
    "teacher": "offline",
    "with_daily": "false",
    "max_windows": 3,
    "explained": 2,
    "validation_samples": 2,
    "explanation_tokens": 16,
    "samples.max_samples": 4,
    "training.batch_size": 4,
    "training.contrastive_weight": 0.0,
}
SEQUENTIAL = {"training.epochs": 3, "training.patience": 9, "model.embedding_dim": 8, "validation_users": 0}


@pytest.fixture(autouse=True, scope="module")
def on_one_thread() -> Iterator[None]:
    with one_thread():
        yield


def words(settings: dict[str, Any]) -> list[str]:
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]


@pytest.fixture(scope="module")
def scratch(small_directory: Path) -> list[str]:
    """The command line but for where it writes."""
    return ["fit", "trail", "--llm", "scratch", "--data", str(small_directory), "--until", UNTIL, *words(SCRATCH)]


@pytest.fixture(scope="module")
def sequential(small_directory: Path) -> list[str]:
    return ["fit", "sasrec", "--data", str(small_directory), "--until", UNTIL, *words(SEQUENTIAL)]


@pytest.fixture(scope="module")
def scratch_run(scratch: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "scratch"
    assert main([*scratch, "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained Llama whose context holds the paper's prompts; do not write into it."""
    directory = build_tiny_model(tmp_path_factory.mktemp("models") / "tiny", steps=0)
    path = directory / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "max_position_embeddings": 4096}), "utf-8")
    return directory


def record(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "run.json").read_text("utf-8"))
    return found


def listed(run: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["forecast", "--run", str(run), "--json", "-k", "14"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def recommended(run: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["recommend", "--run", str(run), "--json", "--user", "u01", "--user", "u02"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


# --- a model from scratch, and one that was there --------------------------------------------------------------------


def test_a_run_says_which_model_it_has(scratch_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = record(scratch_run)
    assert (found["method"], found["llm"], found["window"], found["seed"]) == ("trail_scratch", "scratch", "30d", 1025)
    assert found["config"]["training"]["epochs"] == 2
    assert found["config"]["training"]["learning_rate"] == 3e-3, "other settings keep the name's own defaults"
    assert found["config"]["checkpoints"] is None
    rows = listed(scratch_run, capsys)
    assert [row["rank"] for row in rows] == list(range(1, 15))
    assert all(0 <= row["low"] <= row["expected"] <= row["high"] for row in rows)


def test_nothing_is_left_beside_a_finished_run(scratch_run: Path) -> None:
    assert [path.name for path in scratch_run.parent.iterdir()] == ["scratch"]


def test_a_model_that_was_there_is_tuned_by_an_adapter(
    base: Path,
    small_directory: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Named from where it lies, the run finds it from anywhere; without it, it says what is absent."""
    before = {path.name: path.read_bytes() for path in base.iterdir()}
    out = tmp_path / "run"
    monkeypatch.chdir(base.parent)
    command = ["fit", "trail", "--llm", "local:tiny", "--data", str(small_directory), "--until", UNTIL, *words(TUNED)]
    assert main([*command, "--out", str(out)]) == 0, capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    found = record(out)
    assert (found["method"], found["llm"]) == ("trail_tuned", str(base))
    assert found["config"]["adapter"]["target_modules"] == ["q_proj", "v_proj", "o_proj"]
    assert len(listed(out, capsys)) == 14
    assert {path.name: path.read_bytes() for path in base.iterdir()} == before
    base.rename(base.with_name("moved"))
    try:
        assert main(["forecast", "--run", str(out)]) == 2
        out_text, err = capsys.readouterr()
        assert (out_text, err.count("\n")) == ("", 1)
        assert f"model '{base}': expected a model directory or the name of a model on the hub" in err
    finally:
        base.with_name("moved").rename(base)


def test_a_run_with_a_language_model_is_judged_beside_the_others(
    scratch_run: Path, weekly_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is fitted anew at the start of the window; its row stands under its own name."""
    capsys.readouterr()
    command = ["evaluate", "--run", str(scratch_run), "--run", str(weekly_run), "--windows", "1", "--json"]
    assert main([*command, "--baseline", "last_30_days"]) == 0, capsys.readouterr().err
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert any("trail_scratch" in str(value) for row in rows for value in row.values())


# --- killed and resumed ----------------------------------------------------------------------------------------------


def killed_after(n: int) -> Callable[..., None]:
    """Somebody presses Ctrl-C when the state has been kept ``n`` times."""
    kept: list[Path] = []

    def save(path: Path, **state: Any) -> None:
        if len(kept) == n:
            raise KeyboardInterrupt
        kept.append(path)
        save_state(path, **state)

    return save


@pytest.mark.parametrize("n", [1, 3])
def test_a_killed_fit_goes_on_where_it_was(
    n: int,
    scratch: list[str],
    scratch_run: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed in the run that is validated, or in the one that learns from everything: the same list to the bit."""
    out, state = tmp_path / "run", tmp_path / "run.training"
    monkeypatch.setattr(trail_loop, "save_state", killed_after(n))
    assert main([*scratch, "--out", str(out)]) == 130
    monkeypatch.undo()
    assert not out.exists()
    assert (state / "fit.safetensors").is_file()
    assert (state / "refit.safetensors").is_file() is (n == 3)
    capsys.readouterr()

    for arguments, message in [
        ([], f"{state}: expected no unfinished training, found one. Go on with it (--resume), or remove it."),
        (["--resume", "--set", "training.learning_rate=0.5"], "--resume: expected the settings that the training in "),
        (["--resume", "--until", "2020-06-01"], f"--resume: expected the until that the training in {state} began"),
    ]:
        assert main([*scratch, "--out", str(out), *arguments]) == 2
        err = capsys.readouterr().err
        assert message in err
        assert err.count("\n") == 1
        assert (state / "fit.safetensors").is_file()

    assert main([*scratch, "--out", str(out), "--resume"]) == 0
    assert not state.exists()
    assert listed(out, capsys) == listed(scratch_run, capsys)


def test_other_data_are_another_training(
    scratch: list[str],
    other_directory: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "run"
    monkeypatch.setattr(trail_loop, "save_state", killed_after(1))
    assert main([*scratch, "--out", str(out)]) == 130
    monkeypatch.undo()
    assert main([*scratch, "--data", str(other_directory), "--out", str(out), "--resume"]) == 2
    assert "--resume: expected the data that the training in " in capsys.readouterr().err


def test_a_mistake_or_a_kill_before_anything_was_kept_leaves_nothing(
    scratch: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail_loop, "save_state", killed_after(0))
    assert main([*scratch, "--out", str(tmp_path / "run")]) == 130
    assert list(tmp_path.iterdir()) == []
    assert main([*scratch, "--until", "2020-01-20", "--out", str(tmp_path / "run")]) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_place_for_the_state_of_ones_own_is_kept(scratch: list[str], tmp_path: Path) -> None:
    """Then nothing is written beside the run, and what was learnt is still there when it is done."""
    own = ["--set", f"checkpoints={tmp_path / 'own'}"]
    (tmp_path / "own").mkdir()
    assert main([*scratch, *own, "--out", str(tmp_path / "run")]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"own", "run"}
    assert {path.name for path in (tmp_path / "own").iterdir()} == {"fit.safetensors", "refit.safetensors"}


def test_a_sequence_recommender_goes_on_too(
    sequential: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, out = tmp_path / "whole", tmp_path / "run"
    assert main([*sequential, "--out", str(whole)]) == 0
    monkeypatch.setattr(encoder_loop, "save_state", killed_after(1))
    assert main([*sequential, "--out", str(out)]) == 130
    monkeypatch.undo()
    assert (tmp_path / "run.training" / "state.safetensors").is_file()
    assert main([*sequential, "--out", str(out)]) == 2
    steps: list[Path] = []
    monkeypatch.setattr(
        encoder_loop, "save_state", lambda path, **state: (steps.append(path), save_state(path, **state))
    )
    assert main([*sequential, "--out", str(out), "--resume"]) == 0
    assert len(steps) == 2, "of three epochs one was done"
    assert not (tmp_path / "run.training").exists()
    assert recommended(out, capsys) == recommended(whole, capsys)


@pytest.mark.slow
def test_a_process_that_dies_without_a_word_is_resumed(
    scratch: list[str], scratch_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIGKILL as soon as the first state is there."""
    out, state = tmp_path / "run", tmp_path / "run.training" / "fit.safetensors"
    program = (
        "import sys, time, torch\n"
        "from whyrec.methods.trail import train\n"
        "torch.set_num_threads(1)\n"
        "real = train.save_state\n"
        "def slowly(path, **state):\n"
        "    real(path, **state)\n"
        "    time.sleep(600)\n"
        "train.save_state = slowly\n"
        "from whyrec.cli.main import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    process = subprocess.Popen([sys.executable, "-c", program, *scratch, "--out", str(out)])
    try:
        deadline = time.monotonic() + 120
        while not state.is_file() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.05)
        assert state.is_file()
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert main([*scratch, "--out", str(out), "--resume"]) == 0
    assert listed(out, capsys) == listed(scratch_run, capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_the_log_is_read_as_far_as_until(
    scratch: list[str], scratch_run: Path, small_directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same command on the log without its future writes the same list."""
    whole = Dataset.read(small_directory)
    past = Dataset.from_frames(whole.before(CUTOFF).collect(), whole.items, name=whole.name)
    past.write(tmp_path / "past")
    assert main([*scratch, "--data", str(tmp_path / "past"), "--out", str(tmp_path / "run")]) == 0
    assert listed(tmp_path / "run", capsys) == listed(scratch_run, capsys)
