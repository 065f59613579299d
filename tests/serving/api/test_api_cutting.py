"""Places are cut out of bytes: the same as reading the JSON, cutting and writing it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.serving.api.cutting import StoredList, matching, page
from whyrec.serving.documents import Entry, PersonalList, Reason

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ['{"rank":1,"item_id":"', '"entries":[', "}]}", '\\"', '","entries":[{"rank":1,"item_id":"x"', "\x00\n\u2028"]
)
attributes = st.dictionaries(st.sampled_from(["rank", "item_id", "entries", "genres"]) | texts, st.tuples(texts))
reasons = st.none() | st.builds(
    Reason,
    text=texts,
    writer=texts,
    verified=st.booleans(),
    n_claims=st.just(1),
    n_supported=st.just(0),
    basis=st.just("personal"),
)
entries = st.builds(
    Entry,
    rank=st.integers(1, 999),
    item_id=texts,
    title=texts,
    score=st.floats(-5, 5),
    attributes=attributes,
    reason=reasons,
)
lists = st.builds(
    PersonalList,
    user_id=texts,
    method=texts,
    source=st.just("personal"),
    note=texts,
    entries=st.lists(entries, max_size=6).map(tuple),
)


@given(lists, st.integers(0, 8), st.integers(1, 8))
def test_a_cut_is_what_reading_and_writing_gives(whole: PersonalList, offset: int, k: int) -> None:
    read = json.loads(whole.model_dump_json())
    stored = StoredList(whole.model_dump_json().encode())
    expected = read | {"version": 7, "total": len(whole.entries), "entries": read["entries"][offset : offset + k]}
    assert json.loads(stored.cut(offset=offset, k=k, version=7)) == expected
    assert len(stored) == len(whole.entries)
    assert stored.fields | {"entries": stored.entries} == read


@pytest.mark.parametrize("indent", [None, 1])
def test_documents_that_are_written_otherwise_are_read_as_json(indent: int | None) -> None:
    document = {"entries": [{"item_id": "a", "rank": 1}, {"item_id": "b", "rank": 2}], "note": "last"}
    stored = StoredList(json.dumps(document, indent=indent).encode())
    assert json.loads(stored.cut(offset=1, k=5, version=3)) == {
        "version": 3,
        "total": 2,
        "note": "last",
        "entries": [{"item_id": "b", "rank": 2}],
    }


def test_of_one_attribute_any_value_will_do_and_every_attribute_must_be_met() -> None:
    found = [
        {"item_id": "a", "attributes": {"genres": ["Comedy", "Drama"], "year": ["2013"]}},
        {"item_id": "b", "attributes": {"genres": ["Drama"], "year": ["2012"]}},
        {"item_id": "c", "attributes": {"year": ["2013"]}},
    ]

    def left(**wanted: set[str]) -> str:
        return "".join(entry["item_id"] for entry in matching(found, attributes=wanted, exclude=frozenset()))

    assert left(genres={"Comedy", "Drama"}) == "ab"
    assert left(genres={"Drama"}, year={"2013"}) == "a"
    assert left(year={"2013"}) == "ac"
    assert [entry["item_id"] for entry in matching(found, attributes={}, exclude=frozenset("ac"))] == ["b"]


def test_a_page_is_numbered_as_of_the_list_it_is_cut_from() -> None:
    assert page([{"rank": 9}, {"rank": 8}, {"rank": 7}], offset=1, k=5) == [{"rank": 2}, {"rank": 3}]
