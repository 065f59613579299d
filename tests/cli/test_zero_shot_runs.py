"""A model that is only asked, on the command line: fitted at no cost, priced, asked, and asked again for nothing."""

import json
from pathlib import Path

import pytest

from contracts.forecaster import CUTOFF
from llm.tiny_model import build_tiny_model
from whyrec.cli.main import main

UNTIL = CUTOFF.date().isoformat()


@pytest.fixture(scope="module")
def run(small_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an untrained Llama, three items asked for, answers in a file beside the run."""
    root = tmp_path_factory.mktemp("zero")
    model = build_tiny_model(root / "tiny", steps=0)
    path = model / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "max_position_embeddings": 4096}), "utf-8")
    settings = {"max_items": 3, "max_tokens": 40, "max_windows": 2, "cache": root / "answers.sqlite"}
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    out = root / "run"
    command = ["fit", "zero_shot", "--llm", f"local:{model}", "--data", str(small_directory), "--until", UNTIL]
    assert main([*command, *words, "--out", str(out)]) == 0
    return out


def row_of(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    row: dict[str, float] = json.loads(capsys.readouterr().out)
    return row


def test_a_forecast_is_priced_then_asked_and_kept(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["forecast", "--run", str(run), "--dry-run", "--json"]) == 0
    before = row_of(capsys)
    assert (before["prompts"], before["to_ask"], before["cost"]) == (3, 3, 0.0)
    assert before["prompt_tokens"] > 3 * 100
    assert not (run.parent / "answers.sqlite").is_file() or before["cached"] == 0
    assert main(["forecast", "--run", str(run), "--json", "-k", "14"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["rank"] for row in rows] == list(range(1, 15))
    assert main(["forecast", "--run", str(run), "--dry-run", "--json"]) == 0
    after = row_of(capsys)
    assert (after["cached"], after["to_ask"]) == (3, 0)


def test_what_cannot_be_asked_is_said_in_one_line(
    run: Path, trail_run: Path, small_directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "none"
    assert main(["fit", "zero_shot", "--data", str(small_directory), "--out", str(out)]) == 2
    assert "for zero_shot, which only asks, got 'none'. Name a model." in capsys.readouterr().err
    assert not out.exists()
    assert main(["forecast", "--run", str(trail_run), "--dry-run"]) == 2
    assert "expected a run that asks a language model for its forecast, got one of trail." in capsys.readouterr().err
