"""The quick looks before a search find all that the search would; capitals and look-alike letters hide nothing."""

import pytest

from whyrec.evaluation.verification.concepts import find_concepts
from whyrec.evaluation.verification.mentions import find_numbers, folded
from whyrec.evaluation.verification.number_words import ORDINALS, RANK_HINT, RANK_IN_WORDS, approximation


def test_small_letters_stay_where_they_were() -> None:
    text = "İn JUNE, ſeven hundred and sıx users: Straße"
    assert folded(text) == "in june, seven hundred and six users: straße"


@pytest.mark.parametrize(
    "text",
    ["seven hundred users", "SEVEN HUNDRED USERS", "Seven hundred Users", "ſeven hundred users"],
)
def test_numbers_are_read_whatever_their_case(text: str) -> None:
    (number,) = find_numbers(text)
    assert (number.value, number.unit, text[number.start : number.end]) == (700, "users", text[:13])


@pytest.mark.parametrize(
    ("before", "meaning"),
    [
        ("it drew about ", "about"),
        ("it drew (about ", "about"),
        ("~", "about"),
        ("no more than ", "under"),
        ("more than ", "over"),
        ("just under ", "nearly"),
        ("under a ", "under"),
        ("in the neighborhood of ", "about"),
        ("well-nigh ", "nearly"),
        ("close to ", "close"),
        ("a hangover ", ""),
        ("it drew about the ", ""),
        ("", ""),
    ],
)
def test_what_stands_before_a_number_says_how_exact_it_is(before: str, meaning: str) -> None:
    assert approximation(before) == meaning


def test_every_ordinal_is_hinted_at_and_read() -> None:
    for ordinal in ORDINALS:
        hint, rank = (pattern.search(f"it ranks {ordinal}.") for pattern in (RANK_HINT, RANK_IN_WORDS))
        assert hint is not None
        assert hint["ordinal"]
        assert rank is not None
        assert rank["a"] == ordinal


def test_a_phrase_is_found_by_its_second_word_or_behind_a_small_one() -> None:
    found = [
        [it.said for it in find_concepts(text)] for text in ("it went up", "it lost ground", "it lost some ground")
    ]
    assert found == [["went up"], ["lost ground"], ["lost ground"]]
