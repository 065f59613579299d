"""Items in words, by hand and within budgets."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.data.attributes import AttributeValue
from whyrec.data.item_histories import ItemHistory
from whyrec.data.item_texts import NO_HISTORY, description_text, history_text, period_name, texts_within
from whyrec.data.windows import Window, WindowLength
from whyrec.errors import InvalidConfigError

CUTOFF = datetime(2013, 11, 1, tzinfo=UTC)
GRAVITY: Mapping[str, AttributeValue] = {"year": 2013.0, "genres": ("Drama", "Sci-Fi"), "plot": "Two\n drift  off."}


def item(
    users: tuple[int, ...] = (12, 1155),
    *,
    length: WindowLength = WindowLength(),  # noqa: B008  # frozen
    daily: tuple[int, ...] = (3, 4, 0),
    total_users: int | None = None,
    attributes: Mapping[str, AttributeValue] = GRAVITY,
) -> ItemHistory:
    windows: list[Window] = []
    for _ in users:
        windows.insert(0, length.preceding(windows[0].start if windows else CUTOFF))
    total = sum(users) if total_users is None else total_users
    return ItemHistory(
        item_id="g",
        title="Gravity",
        attributes=attributes,
        cutoff=CUTOFF,
        windows=tuple(windows),
        users=users,
        daily=daily,
        total_users=total,
        first_seen=CUTOFF - timedelta(days=1) if total else None,
    )


WHOLE = "title: Gravity\nyear: 2013\ngenres: Drama, Sci-Fi\nplot: Two drift off."


def test_a_description_has_a_line_for_the_title_and_each_attribute_in_order() -> None:
    assert description_text(item(), max_chars=len(WHOLE)) == WHOLE
    assert description_text(item(attributes={"price": 5.09}), max_chars=99) == "title: Gravity\nprice: 5.09"


@pytest.mark.parametrize(
    ("max_chars", "kept"),
    [
        (len(WHOLE) - 1, WHOLE.removesuffix(" off.") + "…"),
        (len("title: Gravity\nyear: 2013\ngenres: Drama,…"), "title: Gravity\nyear: 2013\ngenres: Drama…"),
        (len("title: Gravity\nyear: 201…"), "title: Gravity\nyear…"),
        (1, "…"),
    ],
)
def test_a_long_description_is_cut_at_the_end_of_a_word(max_chars: int, kept: str) -> None:
    assert description_text(item(), max_chars=max_chars) == kept


def test_writing_without_spaces_is_cut_where_it_must_be() -> None:
    text = description_text(item(attributes={"plot": "漂" * 500}), max_chars=100)
    assert text == f"title: Gravity\nplot: {'漂' * (100 - len('title: Gravity plot: ') - 1)}…"


@given(
    words=st.lists(st.text(alphabet="ab,;:漂", min_size=1, max_size=12), min_size=1, max_size=30),
    max_chars=st.integers(1, 120),
)
def test_a_description_keeps_to_its_budget_and_is_the_beginning_of_the_whole(words: list[str], max_chars: int) -> None:
    long = item(attributes={"plot": " ".join(words)})
    whole = description_text(long, max_chars=10_000)
    text = description_text(long, max_chars=max_chars)
    assert len(text) <= max_chars
    if len(whole) <= max_chars:
        assert text == whole
        return
    kept = text.removesuffix("…")
    assert text.endswith("…")
    assert whole.startswith(kept)
    # What follows is the rest of no word: a space, or the punctuation that was taken off. A first word may be cut.
    assert whole[len(kept)] in " \n,;:" or not any(character.isspace() for character in kept)


def test_a_history_names_months_and_the_first_days_of_other_windows() -> None:
    assert history_text(item(), max_windows=9, with_daily=False) == "2013-09: 12\n2013-10: 1155"
    days = item(length=WindowLength(7))
    assert history_text(days, max_windows=9, with_daily=False) == "2013-10-18: 12\n2013-10-25: 1155"
    assert period_name(WindowLength(31).following(CUTOFF)) == "2013-11-01"
    assert period_name(WindowLength(30).following(CUTOFF)) == "2013-11", "the 30 days from 1 November are the month"


def test_the_newest_windows_are_kept_and_days_follow_when_asked_for() -> None:
    assert history_text(item((7, 0, 9)), max_windows=2, with_daily=True) == (
        "2013-09: 0\n2013-10: 9\nlast 3 days, day by day: 3 4 0"
    )


@pytest.mark.parametrize("with_daily", [False, True])
def test_an_item_that_nobody_has_taken_has_no_trend(with_daily: bool) -> None:
    assert NO_HISTORY == "just released, no historical trend"
    assert history_text(item((), total_users=0), max_windows=9, with_daily=with_daily) == NO_HISTORY


def test_users_before_the_first_complete_window_are_not_hidden() -> None:
    young = item((), total_users=5)
    assert history_text(young, max_windows=9, with_daily=False) == "users so far, no complete window yet: 5"


def test_in_a_common_budget_old_windows_go_first_then_the_end_of_the_description() -> None:
    history = item((1, 2, 3))
    lines = "2013-08: 1\n2013-09: 2\n2013-10: 3"
    size = len(WHOLE) + len(lines)
    texts = [texts_within(history, max_chars=n, max_windows=9, with_daily=False) for n in (size, size - 1, size - 11)]
    assert texts == [(WHOLE, lines), (WHOLE, "2013-09: 2\n2013-10: 3"), (WHOLE, "2013-09: 2\n2013-10: 3")]
    least = len("title: Gravity…") + len("2013-10: 3")
    assert texts_within(history, max_chars=least, max_windows=9, with_daily=False) == ("title: Gravity…", "2013-10: 3")
    assert texts_within(history, max_chars=size, max_windows=1, with_daily=False) == (WHOLE, "2013-10: 3")


@given(n=st.integers(0, 12), max_chars=st.integers(60, 400), max_windows=st.integers(1, 12), with_daily=st.booleans())
def test_both_texts_keep_to_the_common_budget(n: int, max_chars: int, max_windows: int, with_daily: bool) -> None:
    texts = texts_within(item((8,) * n), max_chars=max_chars, max_windows=max_windows, with_daily=with_daily)
    assert sum(map(len, texts)) <= max_chars
    assert all(texts)


def test_sizes_that_leave_nothing_are_refused() -> None:
    with pytest.raises(InvalidConfigError, match="max_chars of at least 1, got 0"):
        description_text(item(), max_chars=0)
    with pytest.raises(InvalidConfigError, match="max_windows of at least 1, got 0"):
        history_text(item(), max_windows=0, with_daily=False)
    with pytest.raises(InvalidConfigError, match=r"item 'g': expected max_chars of more than 13, .* got 13\."):
        texts_within(item(), max_chars=13, max_windows=9, with_daily=False)
