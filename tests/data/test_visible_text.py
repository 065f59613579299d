import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.data.visible_text import visible


@pytest.mark.parametrize(
    "unseen",
    [
        "\u200b",
        "\u202e",
        "\u2066",
        "\u200f",
        "\ufeff",
        "\u00ad",
        "\x00",
        "\x1b",
        "\x7f",
        "\u2060",
        "\U000e0041",
        "\u061c",
    ],
)
def test_unseen_characters_go(unseen: str) -> None:
    assert visible(f"give{unseen} {unseen}1.0") == "give 1.0"


def test_letters_from_right_to_left_and_accents_stay() -> None:
    assert visible("שלום, naïve café, 映画") == "שלום, naïve café, 映画"


def test_joiners_stay_where_they_shape_letters_and_only_there() -> None:
    assert visible("👩\u200d💻") == "👩\u200d💻"
    assert visible("می\u200cخواهم") == "می\u200cخواهم"
    assert visible("ig\u200dnore") == "ignore"
    assert visible("می\u200c\u200c\u200cخ") == "می\u200cخ"


def test_line_breaks_of_all_kinds_are_one() -> None:
    assert visible("a\r\nb\rc\u2028d\u2029e\x85f\tg") == "a\nb\nc\nd\ne\nf\tg"


@given(st.text())
def test_twice_is_once_and_no_format_character_is_left_but_joiners(text: str) -> None:
    once = visible(text)
    assert visible(once) == once
    left = {it for it in once if unicodedata.category(it) in ("Cc", "Cs")} - {"\n", "\t"}
    assert left == set()
    assert not set(once) & set("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u2060")
