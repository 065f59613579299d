import json
from pathlib import Path

import pytest

from contracts.explanations import claim_on, told, write_told
from whyrec.cli import judge as judge_command
from whyrec.cli.main import main
from whyrec.evaluation.llm_judge import DIMENSIONS
from whyrec.llm.model import LanguageModel
from whyrec.llm.opening import ModelSpec
from whyrec.llm.scripted import ScriptedBackend

TEXT = "A western."
ANSWER = json.dumps({"comment": "none", **dict.fromkeys(DIMENSIONS, 0.5)})


@pytest.fixture
def explanations(tmp_path: Path) -> Path:
    claims = [claim_on(TEXT, "western", rests_on=["attribute:genres"])]
    return write_told(
        tmp_path / "trail.jsonl",
        [told(TEXT, claims=claims), told(TEXT, item_id="i2", title="Up", writer="writer@0123456789")],
    )


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(spec: ModelSpec, **_: object) -> LanguageModel:
        script = ["nonsense"] + [ANSWER] * 9 if spec.model == "odd" else [ANSWER] * 9
        return LanguageModel(ScriptedBackend(script, name=spec.model))

    monkeypatch.setattr(judge_command, "open_chosen_model", opened)


def words(explanations: Path, *more: str) -> list[str]:
    return ["judge", "--explanations", str(explanations), *more]


def test_without_a_judge_it_measures(explanations: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(explanations, "--json")) == 0
    out, err = capsys.readouterr()
    rows = {row["metric"]: row for row in map(json.loads, out.splitlines())}
    assert rows["verified"]["value"] == 0.5
    assert rows["verified"]["method"] == "trail"
    assert rows["verified"]["dataset"] == "unknown"
    assert "FMR" not in rows
    assert "Written by: offline 1, writer@0123456789 1." in err


def test_a_catalogue_adds_features(
    explanations: Path, small_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(explanations, "--data", str(small_directory), "--json")) == 0
    rows = {row["metric"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert rows["FCR"]["dataset"] != "unknown"


@pytest.mark.usefixtures("scripted")
def test_judges_are_asked_compared_and_their_scores_written(
    explanations: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "scores.jsonl"
    llms = ("--llm", "http://127.0.0.1:1/v1#even", "--llm", "http://127.0.0.1:1/v1#odd")
    assert main(words(explanations, *llms, "--samples", "2", "--out", str(out))) == 0
    table, err = capsys.readouterr()
    assert "judge even" in table
    assert "judge odd" in table
    assert "logic_and_language" in table
    assert "Answers that could not be read: form 1." in err
    scores = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [(it["judge"], it["item_id"], it["unreadable"]) for it in scores] == [
        ("even", "i1", 0), ("even", "i2", 0), ("odd", "i1", 1), ("odd", "i2", 0)
    ]  # fmt: skip
    assert scores[0]["predictiveness"] == {"mean": 0.5, "spread": 0.0, "samples": [0.5, 0.5]}


@pytest.mark.usefixtures("scripted")
def test_a_dry_run_counts_prompts(explanations: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(explanations, "--llm", "http://127.0.0.1:1/v1#even", "--dry-run", "--json")) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["to_ask"] == 6
    assert "Nothing was asked" in err


@pytest.mark.usefixtures("scripted")
def test_a_model_judges_itself_only_if_told_so(explanations: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = words(explanations, "--llm", "http://127.0.0.1:1/v1#writer")
    assert main(own) == 2
    assert "which wrote 1 of 2 explanations" in capsys.readouterr().err
    assert main([*own, "--allow-same-model"]) == 0


@pytest.mark.parametrize("flag", [["--dry-run"], ["--out", "x.jsonl"]])
def test_what_needs_a_judge_says_so(explanations: Path, flag: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(explanations, *flag)) == 2
    assert f"expected --llm beside {flag[0]}, got none" in capsys.readouterr().err
