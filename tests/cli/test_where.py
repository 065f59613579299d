"""``whyrec where`` as a person types it."""

import json
import re
from pathlib import Path

import pytest

from whyrec.cli import where as module
from whyrec.cli.main import main
from whyrec.paper_index import SourceTree

ROOT = Path(__file__).resolve().parents[2]


def test_an_equation_is_a_line_that_can_be_jumped_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["where", "TRAIL", "6"]) == 0
    out, err = capsys.readouterr()
    first, *rest = out.splitlines()
    match = re.fullmatch(r"(src/whyrec/methods/trail/equations\.py):(\d+)  (\w+)  Eq\. \(6\)", first)
    assert match is not None
    assert (ROOT / match[1]).read_text("utf-8").splitlines()[int(match[2]) - 1].startswith(f"def {match[3]}(")
    assert any(re.fullmatch(r"  test tests/methods/trail/\w+\.py:\d+  test_eq6_\w+", line) for line in rest)
    assert err.startswith("TRAIL: Following the TRAIL")
    assert err.endswith("2026); 1 equation.\n")


def test_words_may_come_quoted_and_spelt_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    outs = []
    for words in (["TRAIL 6"], ["trail", "eq.", "(6)"], ["trail(6)"]):
        assert main(["where", *words]) == 0
        outs.append(capsys.readouterr().out)
    assert outs[0] == outs[1] == outs[2] != ""


def test_json_holds_all_of_it_one_equation_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["where", "TRAIL", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["number"] for row in rows] == [str(number) for number in range(1, 11)]
    assert {row["paper"] for row in rows} == {"TRAIL"}
    assert rows[5]["functions"][0]["name"] == "total_similarity"
    assert {deviation["id"] for deviation in rows[7]["deviations"]} >= {"T1", "T2"}
    assert set(rows[0]["tests"][0]) == {"path", "line", "name"}


def test_what_is_not_computed_and_what_is_not_installed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mill").mkdir()
    (tmp_path / "mill" / "paper.toml").write_text(
        '[paper]\nkey = "LOOM"\ntitle = "Weaving"\nauthors = "A. Weaver"\nyear = 2024\n'
        '[[equation]]\nnumber = 1\nstatus = "definition"\nwhy = "It names the warp."\n'
        '[[deviation]]\nid = "L1"\nequation = 1\npaper = "Wool."\nours = "Cotton."\nwhy = "It washes."\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(module.SourceTree, "installed", lambda: SourceTree(tmp_path / "mill"))
    assert main(["where", "loom", "1"]) == 0
    out, err = capsys.readouterr()
    assert out == (
        "Eq. (1)  definition: It names the warp.\n  deviation L1: Paper: Wool. Here: Cotton. Because: It washes.\n"
    )
    assert err == (
        "LOOM: Weaving (A. Weaver, 2024); 1 equation.\n"
        "Tests are not part of an installed package; they are in the repository.\n"
    )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("TRAIL 99", "error: where: expected an equation of TRAIL (1, 2, 3, 4, 5, 6, 7, 8, 9, 10), got 99. "),
        ("TRIAL 6", "error: where: expected a paper ("),
    ],
)
def test_what_is_not_there_is_one_line_and_leaves_with_2(
    query: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["where", query]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(message)
    assert err.count("\n") == 1


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["where", "--help"]) == 0
    assert "Example: whyrec where TRAIL 6" in " ".join(capsys.readouterr().out.split())
