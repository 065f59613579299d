import json
from pathlib import Path

import pytest

from contracts.explanations import claim_on, told, write_told
from whyrec.errors import InvalidDataError
from whyrec.evaluation.explanation_files import read_explanations

TEXT = "A western that drew 95 users."
GOOD = told(
    TEXT, claims=[claim_on(TEXT, "western", rests_on=["attribute:genres"]), claim_on(TEXT, "95", kind="number")]
)


def changed(tmp_path: Path, **fields: object) -> Path:
    path = write_told(tmp_path / "told.jsonl", [GOOD])
    record = json.loads(path.read_text("utf-8"))
    path.write_text("\n" + json.dumps(record | fields), "utf-8")
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    list_of_all = told(TEXT, user_id=None, item_id="i2", title="Up\u2028and away")
    found = read_explanations(write_told(tmp_path / "told.jsonl", [GOOD, list_of_all]))
    assert found == [GOOD, list_of_all]
    assert [it.key for it in found] == [("u1", "i1"), ("", "i2")]


def test_a_window_is_read(tmp_path: Path) -> None:
    (found,) = read_explanations(changed(tmp_path, window={"start": "2013-11-07", "end": "2013-12-07"}))
    assert found.window == ("2013-11-07", "2013-12-07")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"text": None}, r"told.jsonl line 2, text: expected what whyrec explain --json writes, got: .*string"),
        ({"claims": None}, r"line 2, verdict/claims: expected"),
        ({"evidence": [{"id": "x"}]}, r"line 2, evidence/0/kind: expected"),
        ({"verified": False}, r"line 2, verified: expected True as its claims have it, got False"),
        ({"text": "Another western. 95."}, r"line 2, claims/0: expected 'western' at 2 of the text, got other words"),
    ],
)
def test_what_is_amiss_is_named(tmp_path: Path, fields: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        read_explanations(changed(tmp_path, **fields))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"line 1: expected a JSON object, got no JSON"),
        ("[1]", r"line 1: expected a JSON object, got list"),
        ("\n \n", r"expected an explanation per line, got an empty file"),
        ("[" * 100_000, r"line 1: expected a JSON object, got no JSON"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "told.jsonl"
    path.write_text(content, "utf-8")
    with pytest.raises(InvalidDataError, match=message) as refused:
        read_explanations(path)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match=r"none\.jsonl: expected a file of explanations, got none"):
        read_explanations(tmp_path / "none.jsonl")
