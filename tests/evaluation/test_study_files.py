import json
from pathlib import Path

import pytest

from whyrec.errors import InvalidDataError
from whyrec.evaluation.study_files import KeyPair, StudiedRun, StudyKey, collect_votes, read_key

RUN = StudiedRun(file="a.jsonl", writers={"offline": 2})
KEY = StudyKey(
    study="abc",
    seed=0,
    runs={"A": RUN, "B": RUN},
    pairs=tuple(KeyPair(pair=str(n), user_id="u", item_id=f"i{n}", first="A") for n in (1, 2)),
)
ANN, BOB = "a" * 16, "b" * 16


def votes_file(path: Path, *, rater: str = ANN, n: int = 2, **others: object) -> Path:
    votes = [{"pair": str(place), "choice": "first"} for place in range(1, n + 1)]
    whole = {"format": "whyrec study votes", "version": 1, "study": "abc", "rater": rater, "name": "", "votes": votes}
    path.write_text(json.dumps(whole | others), "utf-8")
    return path


def test_each_rater_counts_once_with_the_fullest_file(tmp_path: Path) -> None:
    early, late = votes_file(tmp_path / "1.json", n=1), votes_file(tmp_path / "2.json")
    again, other = votes_file(tmp_path / "3.json"), votes_file(tmp_path / "4.json", rater=BOB, n=1)
    for order in ([early, late, again, other], [other, again, late, early, early]):
        found = collect_votes(order, key=KEY)
        assert [(it.rater, len(it.votes)) for it in found.votes] == [(ANN, 2), (BOB, 1)]
        assert sorted(found.refused) == [
            f"left out {path}: expected one file per rater, got another of rater '{ANN}', whose {late} counts. "
            "Nothing needs to be done."
            for path in (early, again)
        ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"study": "xyz"}, "expected answers to study abc, got those to 'xyz'. Take that study's key."),
        ({"votes": [{"pair": "9", "choice": "first"}]}, "expected pairs of the key, got '9'"),
        ({"votes": [{"pair": "1", "choice": "A"}]}, "votes/0/choice: Input should be 'first', 'second' or 'same'"),
        ({"votes": [{"pair": "1", "choice": "first"}] * 2}, "two answers to one pair"),
        ({"votes": []}, "votes: Tuple should have at least 1 item"),
        ({"rater": "<b>"}, "rater: String should match pattern"),
        ({"format": "other"}, "format: Input should be 'whyrec study votes'"),
        ({"more": 1}, "more: Extra inputs are not permitted"),
    ],
)
def test_a_file_that_cannot_count_is_left_out_with_a_line(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    good, bad = votes_file(tmp_path / "1.json"), votes_file(tmp_path / "2.json", **({"rater": BOB} | changes))  # type: ignore[arg-type]
    found = collect_votes([bad, good], key=KEY)
    assert [it.rater for it in found.votes] == [ANN]
    (line,) = found.refused
    assert line.startswith(f"left out {bad}: ")
    assert message in line
    assert "\n" not in line


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]", b" " * (11 << 20)])
def test_other_files_are_left_out(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "2.json").write_bytes(content)
    found = collect_votes([tmp_path / "2.json", tmp_path / "none.json", votes_file(tmp_path / "1.json")], key=KEY)
    assert len(found.refused) == 2
    assert all(line.count("expected a rater's answers, as the page saves them, got") == 1 for line in found.refused)


def test_nothing_that_counts_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match=r"to study abc, got none that counts; the first: left out .*none\.json"):
        collect_votes([tmp_path / "none.json"], key=KEY)


def test_a_key_is_read_and_nothing_else_is(tmp_path: Path) -> None:
    path = tmp_path / "study.key.json"
    path.write_text(KEY.model_dump_json(), "utf-8")
    assert read_key(path) == KEY
    with pytest.raises(InvalidDataError, match="expected a study's key, as whyrec study build writes it, got"):
        read_key(votes_file(tmp_path / "1.json"))
