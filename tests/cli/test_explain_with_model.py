"""Reasons by a language model on the command line: written once, kept, counted before, and never unverified."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.forecaster import CUTOFF
from whyrec.cli.main import main
from whyrec.data.dataset import Dataset
from whyrec.llm.base import Completion
from whyrec.llm.local.backend import LocalBackend
from whyrec.llm.model import LanguageModel
from whyrec.runs import fit_run
from whyrec.runtime.config import layered
from whyrec.runtime.threads import one_thread

QUICK = {
    "explained": 10,
    "max_windows": 3,
    "thinned_copies": 0,
    "refit": False,
    "validation_samples": 0,
    "explanation_tokens": 60,
    "samples.step_days": 30,
    "scratch.width": 16,
    "scratch.layers": 1,
    "scratch.heads": 1,
    "scratch.min_word_count": 1,
    "training.epochs": 1,
    "training.contrastive_weight": 0.0,
}


@pytest.fixture(autouse=True, scope="module")
def on_one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="module")
def run(small_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "scratch"
    data = Dataset.read(small_directory)
    fit_run("trail_scratch", data, out=out, options=layered(QUICK), until=CUTOFF, data_directory=small_directory)
    return out


@pytest.fixture
def explain(run: Path, tmp_path: Path) -> list[str]:
    return ["explain", "--run", str(run), "--cache", str(tmp_path / "cache.sqlite")]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many prompts the model is given, call by call."""
    lengths: list[int] = []
    real = LocalBackend.answer

    def noted(self: LocalBackend, prompts: Any, **options: Any) -> Any:
        lengths.append(len(prompts))
        return real(self, prompts, **options)

    monkeypatch.setattr(LocalBackend, "answer", noted)
    return lengths


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_items_are_explained_verified_and_a_summary_says_by_whom(
    explain: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*explain, "--top", "3", "--json"]) == 0
    out, err = capsys.readouterr()
    found = records(out)
    assert [record["rank"] for record in found] == [1, 2, 3]
    by_model = sum(record["writer"].startswith("scratch@") for record in found)
    for record in found:
        assert record["verified"]
        assert record["writer"] == "offline" or record["writer"].startswith("scratch@")
        assert record["drivers"] == []
        assert list(record["sections"]) == ["Trend", "Feature", "Integration"]
    assert f"3 asked for: {by_model} by the model" in err
    assert "3 explained: 3 verified, 0 marked as not verified" in err
    assert f"{3 - by_model} left to the offline writer" in err


def test_a_text_of_the_model_names_its_writer(
    explain: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "[Trend] The last seven days brought {people:7d}. [Feature] It is listed under {attr:genres}. "
        "[Integration] The forecast is {users:forecast}."
    )

    def complete(_self: LanguageModel, prompts: Any, **_: Any) -> list[Completion]:
        return [Completion(text, text, None, "stop", 1, 1, cached=False, writer="scripted") for _ in prompts]

    monkeypatch.setattr(LanguageModel, "complete", complete)
    assert main([*explain, "--item", "p01"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Title p01 (p01), rank ")
    assert lines[1].startswith("written by scratch@")
    assert any(line.startswith("verified: ") for line in lines)


def test_the_second_time_nothing_is_asked(
    explain: list[str], asked: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*explain, "--item", "p01", "--item", "p02", "--json"]) == 0
    first = capsys.readouterr()
    assert asked[0] == 2
    n = len(asked)
    assert main([*explain, "--item", "p01", "--item", "p02", "--json"]) == 0
    assert capsys.readouterr() == first
    assert len(asked) == n


def test_a_dry_run_counts_prompts_and_asks_nothing(
    explain: list[str], asked: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*explain, "--item", "p00", "--item", "p01", "--item", "p02", "--dry-run", "--json"]) == 0
    out, err = capsys.readouterr()
    (row,) = records(out)
    assert (row["prompts"], row["cached"], row["to_ask"], row["cost"]) == (3, 0, 3, 0.0)
    assert row["completion_tokens"] == 3 * 60
    assert "Dry run: 3 prompts" in err
    assert asked == []
    assert main([*explain, "--item", "p01", "--item", "p01", "--dry-run", "--json"]) == 0
    assert records(capsys.readouterr().out)[0]["prompts"] == 1


def test_mistakes_are_one_line_and_code_2(
    explain: list[str], asked: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, message in [
        (["--item", "zz"], "small world: expected an item_id of the catalogue, got 'zz'"),
        (["--top", "0"], "forecast: expected k of at least 1 or None, got 0"),
        (["--at", "2020-03-01"], "expected a window start from 2020-06-29T00:00:00+00:00 on"),
        (["--top", "2", "--item", "p01"], "explain: expected --item or --top, got both"),
    ]:
        assert main([*explain, *arguments]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert message in err
    assert asked == []
