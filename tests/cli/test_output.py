import json
from datetime import UTC, datetime

import pytest

from whyrec.cli.output import print_rows, say

ROWS = [
    {
        "item": "[b]Heat",
        "n": 1234,
        "score": 0.51234,
        "new": True,
        "tags": ["a", "b"],
        "at": datetime(2020, 1, 2, tzinfo=UTC),
    },
    {"item": "Up", "n": 7, "score": 12345.678, "new": False, "tags": [], "at": None},
]


def test_a_table_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(ROWS, as_json=False)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["item", "n", "score", "new", "tags", "at"]
    assert lines[1] == ["[b]Heat", "1,234", "0.5123", "yes", "a,", "b", "2020-01-02", "00:00"]
    assert lines[2] == ["Up", "7", "12,345.7", "no"]


def test_a_table_shows_the_columns_asked_for_and_json_all(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(ROWS, as_json=False, columns=["n"])
    assert capsys.readouterr().out.split() == ["n", "1,234", "7"]
    print_rows(ROWS, as_json=True, columns=["n"])
    lines = capsys.readouterr().out.splitlines()
    assert json.loads(lines[0]) == {**ROWS[0], "at": "2020-01-02T00:00:00+00:00"}
    assert len(lines) == 2


def test_a_long_line_stays_one_line_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{"text": "word " * 400}], as_json=False)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_no_rows_print_nothing_and_talk_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([], as_json=False)
    print_rows([], as_json=True)
    say("done")
    assert capsys.readouterr() == ("", "done\n")
