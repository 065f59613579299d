import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.evaluation.readability import flesch_reading_ease, syllable_count, word_count


@pytest.mark.parametrize(
    ("word", "n"),
    [
        ("the", 1), ("cat", 1), ("climbed", 1), ("wanted", 2), ("releases", 3), ("title", 2), ("titles", 2),
        ("times", 1), ("users", 2), ("people", 2), ("whales", 1), ("changes", 2), ("movie", 2), ("2013", 4), ("80%", 2),
        ("“Heat”,", 1), ("well-known", 2), ("—", 1),
    ],
)  # fmt: skip
def test_syllables_by_spelling(word: str, n: int) -> None:
    assert syllable_count(word) == n


def test_words_hold_a_letter_or_digit() -> None:
    assert word_count("Up 80% — since “May 2013”, … then?") == 6


def test_reading_ease_by_hand() -> None:
    """ "The cat sat. It wanted 7 users." is 7 words in 2 sentences of 3 + (1 + 2 + 1 + 2) = 9 syllables."""
    ease = flesch_reading_ease("The cat sat. It wanted 7 users.", n_sentences=2)
    assert ease == pytest.approx(206.835 - 1.015 * 7 / 2 - 84.6 * 9 / 7)


def test_nothing_has_no_reading_ease() -> None:
    assert flesch_reading_ease(" … ", n_sentences=1) is None


@given(st.text())
def test_any_text_has_a_count(text: str) -> None:
    assert word_count(text) <= len(text.split())
    assert syllable_count(text) >= 1


@given(st.text(alphabet="abcde .", min_size=1))
def test_more_sentences_read_more_easily(text: str) -> None:
    if word_count(text):
        one, two = (flesch_reading_ease(text, n_sentences=n) for n in (1, 2))
        assert one is not None
        assert two is not None
        assert one < two
