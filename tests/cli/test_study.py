import json
from pathlib import Path

import pytest

from contracts.explanations import told, write_told
from whyrec.cli.main import main
from whyrec.evaluation.study_files import read_key

N = 4


@pytest.fixture
def runs(tmp_path: Path) -> list[str]:
    return [
        str(write_told(tmp_path / f"{letter}.jsonl", [told(f"{letter} {n}", item_id=str(n)) for n in range(N)]))
        for letter in "ab"
    ]


def build(runs: list[str], tmp_path: Path, *more: str) -> list[str]:
    named = [word for path in runs for word in ("--explanations", path)]
    return ["study", "build", *named, "--out", str(tmp_path / "study.html"), *more]


def test_a_study_from_its_page_to_its_result(
    runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(build(runs, tmp_path, "--pairs", str(N), "--seed", "3")) == 0
    assert f"Wrote {tmp_path / 'study.html'} with 4 pairs" in capsys.readouterr().err
    key = read_key(tmp_path / "study.key.json")
    votes = [{"pair": it.pair, "choice": "first" if it.first == "B" else "second"} for it in key.pairs]
    saved = {"format": "whyrec study votes", "version": 1, "study": key.study, "rater": "0" * 16, "name": ""}
    (tmp_path / "ann.json").write_text(json.dumps(saved | {"votes": votes}), "utf-8")
    (tmp_path / "bad.json").write_text("{", "utf-8")
    files = [str(tmp_path / name) for name in ("ann.json", "bad.json")]
    assert main(["study", "result", *files, "--key", str(tmp_path / "study.key.json"), "--json"]) == 0
    out, err = capsys.readouterr()
    rows = {(row["measure"], row["run"]): row["value"] for row in map(json.loads, out.splitlines())}
    assert (rows["preferred", "A"], rows["preferred", "B"], rows["pairs won", "B"]) == (0, 1, 1)
    assert f"left out {tmp_path / 'bad.json'}: " in err
    assert f"B: {runs[1]} (written by offline)" in err
    assert "Raters 1, votes 4, pairs answered 4 of 4, files left out 1." in err


@pytest.mark.parametrize("n", [1, 3])
def test_a_study_is_of_two_runs(runs: list[str], tmp_path: Path, n: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(build((runs * 2)[:n], tmp_path)) == 2
    assert f"expected --explanations twice, once a run, got it {n} times" in capsys.readouterr().err


def test_too_many_pairs_are_a_mistake_in_one_line(
    runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(build(runs, tmp_path)) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: --pairs: expected 1 to 4")
    assert err.count("\n") == 1
