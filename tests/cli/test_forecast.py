import json
from pathlib import Path

import pytest

from whyrec.cli.main import main


def forecast(run: Path, *arguments: str) -> int:
    return main(["forecast", "--run", str(run), *arguments])


def test_a_list_is_ranked_titled_and_bounded(trail_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert forecast(trail_run, "-k", "5", "--json") == 0
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5]
    assert list(rows[0]) == ["rank", "item_id", "title", "expected", "low", "high", "score"]
    assert all(row["title"] == f"Title {row['item_id']}" for row in rows)
    assert all(row["low"] <= row["expected"] <= row["high"] for row in rows)
    assert "trail_offline, 2020-06-29 00:00 to 2020-07-29 00:00 UTC:" in err


def test_a_table_is_for_people_and_the_same_every_time(trail_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert forecast(trail_run, "-k", "3") == 0
    first = capsys.readouterr().out
    assert first.splitlines()[0].split() == ["rank", "item_id", "title", "expected", "low", "high", "score"]
    assert len(first.splitlines()) == 1 + 3
    assert forecast(trail_run, "-k", "3") == 0
    assert capsys.readouterr().out == first


def test_a_later_moment_sees_what_came_since(trail_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lists = []
    for moment in ("2020-06-29", "2020-08-20T12:00"):
        assert forecast(trail_run, "--at", moment, "--json", "-k", "100") == 0
        lists.append([json.loads(line)["score"] for line in capsys.readouterr().out.splitlines()])
    assert lists[0] != lists[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-k", "0"], "expected k of at least 1 or None, got 0"),
        (["--at", "tomorrow"], "--at: expected a date such as 2013-11-07"),
        (["--at", "2020-03-01"], "expected a window start from 2020-06-29T00:00:00+00:00 on"),
        (["--at", "2030-01-01"], "up to 2020-08-28T00:00:00+00:00, the span of the log, got 2030-01-01T00:00:00+00:00"),
    ],
)
def test_mistakes_are_one_line_and_code_2(
    arguments: list[str], message: str, trail_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert forecast(trail_run, *arguments) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err


def test_other_data_than_the_run_was_fitted_on_are_refused(
    trail_run: Path, other_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert forecast(trail_run, "--data", str(other_directory)) == 2
    assert f"{other_directory}: expected the data that {trail_run} was fitted on" in capsys.readouterr().err


def test_what_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert forecast(tmp_path) == 2
    assert f"{tmp_path}: expected a run directory with run.json, found none" in capsys.readouterr().err
    for content in ("{", "[]", '{"format_version": 1, "method": "ema"}'):
        (tmp_path / "run.json").write_text(content, "utf-8")
        assert forecast(tmp_path) == 2
        assert "expected what whyrec fit writes, got something else" in capsys.readouterr().err
    (tmp_path / "run.json").write_text('{"format_version": 99}', "utf-8")
    assert forecast(tmp_path) == 2
    assert "expected format_version at most 1, got 99" in capsys.readouterr().err
