import json
import webbrowser
from pathlib import Path

import polars as pl
import pytest

from whyrec.cli.main import main
from whyrec.interfaces import FORECAST_SCHEMA


@pytest.fixture
def demo(small_directory: Path, quick_settings: list[str]) -> list[str]:
    """The demo on little data, with little learning."""
    return ["demo", "--data", str(small_directory), "--windows", "1", "-k", "3", *quick_settings]


def test_the_demo_prints_list_table_and_report_the_same_twice(
    demo: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    out = tmp_path / "demo"
    assert main([*demo, "--out", str(out)]) == 0
    first, talk = capsys.readouterr()
    assert "The top 3 from 2020-08-28 to 2020-09-27" in first
    assert f"Report: {out / 'report.html'}" in first
    assert "chance" in first
    assert max(map(len, first.splitlines()[:-1])) <= 100
    assert "Judging" in talk
    assert opened == []
    ranking = pl.read_parquet(out / "forecast.parquet")
    assert ranking.schema == pl.Schema(FORECAST_SCHEMA)
    told = [json.loads(line) for line in (out / "explanations.jsonl").read_text("utf-8").splitlines()]
    assert [record["item_id"] for record in told] == ranking["item_id"].head(3).to_list()
    assert json.loads((out / "evaluation.json").read_text("utf-8"))["rows"]
    assert told[0]["title"] in (out / "report.html").read_text("utf-8")

    assert main([*demo, "--out", str(out), "--open"]) == 0
    assert capsys.readouterr().out == first
    assert opened == [(out / "report.html").as_uri()]
    assert pl.read_parquet(out / "forecast.parquet").equals(ranking)
    assert [path.name for path in tmp_path.iterdir()] == ["demo"], "nothing of the earlier demo is left beside it"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-k", "0"], "expected k of at least 1 or None, got 0"),
        (["--windows", "0"], "windows: expected a number of at least 1, got 0"),
        (["--set", "colour=red"], "settings of trail: expected one of window, "),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_written(
    arguments: list[str], message: str, demo: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*demo, *arguments, "--out", str(tmp_path / "demo")]) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def test_a_directory_of_somebody_else_is_refused_at_once(
    demo: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", "utf-8")
    assert main([*demo, "--out", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert (
        err == f"error: {tmp_path}: expected a new directory or one that a demo wrote, found something else. "
        "Choose another --out.\n"
    )
    assert (tmp_path / "thesis.txt").read_text("utf-8") == "years of work"
