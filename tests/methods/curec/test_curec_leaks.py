"""C1 to C4, each with a leak that is planted: the check catches it where the guard is missing, and only there.

A check is a function of the retrieval under test. It is run twice: on the store, where it must pass, and on a naive
retrieval that differs in the one guard, where it must fail; so no check can go blind unnoticed.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from curec_texts import ITEM_IDS, at, history, micros, pattern, patterns, reason, reasons
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from whyrec.data.item_lines import ItemText
from whyrec.errors import InvalidDataError
from whyrec.llm.base import Prompt
from whyrec.llm.model import LanguageModel
from whyrec.llm.scripted import ScriptedBackend
from whyrec.methods.curec.artefacts import Pattern, Reason
from whyrec.methods.curec.histories import UserHistory, as_micros, interactions_of
from whyrec.methods.curec.model_writers import LanguageModelPatternWriter, LanguageModelReasonWriter
from whyrec.methods.curec.patterns import PatternBook, write_patterns
from whyrec.methods.curec.reasons import ReasonStore, write_reasons

PLANTED = "PLANTED"
ME, ITEM = "u0", "i0"
# Checks are made to fail here: explaining a failure takes longer than finding it.
_quick = settings(max_examples=40, phases=[Phase.generate, Phase.shrink])
_moments = st.sampled_from([0, 0.5, 1, 3, 5.999, 6, 9])
Retrieve = Callable[[Sequence[Reason], datetime, int], list[str]]
"""Texts about ``ITEM`` that are read when ``ME`` is scored at a moment, the k newest."""


def texts_of_store(found: Sequence[Reason], moment: datetime, k: int) -> list[str]:
    """Every public way to read the store at once."""
    store = ReasonStore.of(found, item_ids=ITEM_IDS)
    told = [one.text for one in store.as_of(ITEM, at=moment, without_user=ME, k=k)]
    items, users = store.item_rows([ITEM, ITEM]), store.user_rows([ME, ME])
    time = as_micros(moment)
    for at_, who in ((time, int(users[0])), (np.array([time, time]), users)):
        rows = store.rows_as_of(items, at=at_, users=who, k=k).ravel()
        told += [one.text for one in store.reasons(rows[rows >= 0])]
    return told


def newest(found: Sequence[Reason], k: int) -> list[str]:
    return [one.text for one in sorted(found, key=lambda one: one.timestamp)[-k:]]


def with_own(found: Sequence[Reason], moment: datetime, k: int) -> list[str]:
    """Without the guard of C1."""
    return newest([one for one in found if one.item_id == ITEM and one.timestamp < moment], k)


def with_later(found: Sequence[Reason], moment: datetime, k: int) -> list[str]:
    """Without the guard of C3."""
    return newest([one for one in found if one.item_id == ITEM and one.user_id != ME], k)


def with_same_second(found: Sequence[Reason], moment: datetime, k: int) -> list[str]:
    """With the guard of C3, but not strict."""
    return newest([one for one in found if one.item_id == ITEM and one.user_id != ME and one.timestamp <= moment], k)


def check_own_reason(retrieve: Retrieve) -> None:
    """C1: the reason why I took it is there, older and newer ones of others too; it must not be read."""

    @_quick
    @given(others=reasons, hours=st.integers(0, 6), version=st.integers(0, 3), k=st.integers(1, 60), scored=_moments)
    def run(others: list[Reason], hours: int, version: int, k: int, scored: float) -> None:
        own = reason(ITEM, ME, hours, version=version, writer="planter", text=PLANTED)
        assert PLANTED not in retrieve([*others, own], at(scored), k)

    run()


def check_later_reason(retrieve: Retrieve) -> None:
    """C3: somebody else takes the item when I do or later; that reason must not be read."""

    @_quick
    @given(others=reasons, scored=st.integers(0, 6), later=st.sampled_from([0, 1, 3600]), k=st.integers(1, 60))
    def run(others: list[Reason], scored: int, later: int, k: int) -> None:
        moment = at(scored)
        leak = reason(ITEM, "u9", scored + later / 3600, writer="planter", text=PLANTED)
        assert leak.timestamp == moment + timedelta(seconds=later)
        assert PLANTED not in retrieve([*others, leak], moment, k)

    run()


def test_c1_the_own_reason_is_out_of_reach() -> None:
    check_own_reason(texts_of_store)
    with pytest.raises(AssertionError, match=PLANTED):
        check_own_reason(with_own)


def test_c3_later_reasons_of_others_are_out_of_reach() -> None:
    check_later_reason(texts_of_store)
    for leaking in (with_later, with_same_second):
        with pytest.raises(AssertionError, match=PLANTED):
            check_later_reason(leaking)


def test_the_checks_would_see_a_store_that_gives_nothing() -> None:
    """What must not be read is read by whom it may: by others, and later."""
    found = [reason(ITEM, ME, 1, text=PLANTED)]
    store = ReasonStore.of(found, item_ids=ITEM_IDS)
    assert [one.text for one in store.as_of(ITEM, at=at(2), without_user="u1")] == [PLANTED]
    assert store.as_of(ITEM, at=at(1), without_user="u1") == []
    assert PLANTED in texts_of_store([reason(ITEM, "u1", 1, text=PLANTED)], at(2), 1)


def test_c1_adding_the_own_reason_changes_nothing_that_is_read() -> None:
    @settings(max_examples=30)
    @given(others=reasons, hours=st.integers(0, 5), scored=st.integers(0, 7), k=st.integers(1, 5))
    def run(others: list[Reason], hours: int, scored: int, k: int) -> None:
        with_it = [*others, reason(ITEM, ME, hours, writer="planter", text=PLANTED)]
        assert texts_of_store(with_it, at(scored), k) == texts_of_store(others, at(scored), k)

    run()


def test_c1_a_batch_that_is_contiguous_in_time_needs_no_names() -> None:
    """Where the moment is the batch's first, nobody's own reason of the batch is there yet, with ``users=None`` too."""
    batch = [reason(f"i{n % 4}", f"u{n}", 5 + n % 2) for n in range(8)]
    store = ReasonStore.of([*batch, reason("i0", "u9", 4)], item_ids=ITEM_IDS)
    rows = store.rows_as_of(np.arange(4), at=micros(5), users=None, k=20)
    assert rows[rows >= 0].tolist() == [8]
    one_later = store.rows_as_of(np.arange(4), at=micros(6), users=None, k=20)
    assert len(one_later[one_later >= 0]) == 5, "at the batch's last moment there are"


Latest = Callable[[Sequence[Pattern], datetime], str | None]
"""The text of my pattern that is read at a moment."""


def latest_of_book(found: Sequence[Pattern], moment: datetime) -> str | None:
    book = PatternBook.of(found)
    latest = book.latest(ME, before=moment)
    rows = book.rows_before(book.user_rows([ME]), np.array([as_micros(moment)]))
    assert (latest is None) == (rows[0] < 0)
    if latest is not None:
        assert book.patterns(rows) == [latest]
    return None if latest is None else latest.text


def latest_of_all(found: Sequence[Pattern], moment: datetime) -> str | None:
    """The paper's single pattern of the whole training sequence."""
    mine = [one for one in found if one.user_id == ME]
    return max(mine, key=lambda one: one.until).text if mine else None


def latest_of_same_second(found: Sequence[Pattern], moment: datetime) -> str | None:
    return latest_of_all([one for one in found if one.until <= moment], moment)


def check_later_pattern(latest: Latest) -> None:
    """C2: a pattern that was written when the target was known already must not be read at the target."""

    @_quick
    @given(earlier=patterns, scored=st.integers(0, 6), later=st.sampled_from([0, 1, 3600]))
    def run(earlier: list[Pattern], scored: int, later: int) -> None:
        leak = pattern(ME, scored + later / 3600, n_items=9, text=f"- {PLANTED}")
        assert latest([*earlier, leak], at(scored)) != f"- {PLANTED}"

    run()


def test_c2_a_pattern_of_the_moment_or_later_is_out_of_reach() -> None:
    check_later_pattern(latest_of_book)
    for leaking in (latest_of_all, latest_of_same_second):
        with pytest.raises(AssertionError, match=PLANTED):
            check_later_pattern(leaking)


def test_c4_a_reason_about_a_held_out_interaction_is_found_before_anything_is_scored() -> None:
    training = [reason("i0", "u0", 1), reason("i1", "u1", 2), reason("i2", "u1", 9)]
    held_out = pl.DataFrame({"user_id": ["u0", "u1"], "item_id": ["i3", "i0"]})
    sound = ReasonStore.of(training, item_ids=ITEM_IDS)
    sound.require_none_about(held_out)
    leaking = sound.append([reason("i3", "u0", 5, text=PLANTED)])
    expected = "expected none about held-out interactions, got 1, first for user 'u0' and item 'i3'"
    with pytest.raises(InvalidDataError, match=expected):
        leaking.require_none_about(held_out)
    # Dated back before the test it would be read: then only the pair gives it away.
    dated_back = sound.append([reason("i3", "u0", 0, text=PLANTED)])
    with pytest.raises(InvalidDataError, match=expected):
        dated_back.require_none_about(held_out)


def test_c4_where_items_are_taken_again_an_earlier_reason_for_the_pair_is_sound() -> None:
    held_out = pl.DataFrame({"user_id": ["u0"], "item_id": ["i0"], "timestamp": [at(5)]})
    store = ReasonStore.of([reason("i0", "u0", 4)], item_ids=ITEM_IDS)
    store.require_none_about(held_out)
    for hours in (5, 6):
        with pytest.raises(InvalidDataError, match="got 1, first for user 'u0' and item 'i0'"):
            store.append([reason("i0", "u0", hours)]).require_none_about(held_out)
    with pytest.raises(InvalidDataError, match="got 1, first"):
        store.require_none_about(held_out.drop("timestamp"))


def asked_of_model(histories: dict[str, UserHistory], *, titles: Sequence[str]) -> tuple[list[Prompt], list[Prompt]]:
    """Everything a language model is shown when patterns and reasons are written for some users."""
    items = {f"i{n}": ItemText(f"i{n}", title) for n, title in enumerate(titles)}
    writers = (
        ScriptedBackend(lambda prompt: "- " + prompt.messages[1].content.splitlines()[-2]),
        ScriptedBackend(lambda _: "Because."),
    )
    book = write_patterns(histories, LanguageModelPatternWriter(LanguageModel(writers[0]), items), every=2)
    told = write_reasons(
        interactions_of(histories),
        LanguageModelReasonWriter(LanguageModel(writers[1]), items),
        histories=histories,
        patterns=book,
    )
    assert len(list(told)) == sum(map(len, histories.values()))
    return writers[0].asked, writers[1].asked


@settings(max_examples=40)
@given(hours=st.lists(st.integers(0, 4), min_size=1, max_size=8).map(sorted))
def test_no_prompt_names_what_was_taken_at_its_moment_or_later(hours: list[int]) -> None:
    """Each item is taken once, and its title says when; the pattern's text repeats the newest title it was shown."""
    titles = [f"hour={hour};place={place}" for place, hour in enumerate(hours)]
    one = history("u0", *((f"i{place}", hour) for place, hour in enumerate(hours)))
    _, prompts = asked_of_model({"u0": one}, titles=titles)
    for prompt in prompts:
        known, _, target = prompt.messages[1].content.partition("<item>")
        moment = int(target.split("hour=")[1].split(";")[0])
        assert all(int(part.split(";")[0]) < moment for part in known.split("hour=")[1:])
        assert len(known.split("hour=")) > 1 or moment == hours[0]


@settings(max_examples=40)
@given(hours=st.lists(st.integers(0, 4), min_size=1, max_size=8).map(sorted), later=st.sampled_from([0.0, 0.001, 7.0]))
def test_what_comes_after_the_last_interaction_changes_no_prompt_before_it(hours: list[int], later: float) -> None:
    titles = [*(f"Title {n}" for n in range(len(hours))), PLANTED]
    leaking = history("u0", *((f"i{n}", hour) for n, hour in enumerate([*hours, hours[-1] + later])))
    before = asked_of_model({"u0": leaking.first(len(hours))}, titles=titles)
    after = asked_of_model({"u0": leaking}, titles=titles)
    shown = [prompt.messages[1].content for prompt in after[1]]
    assert [text for text in shown if PLANTED in text] == shown[-1:], "only what explains it may name it"
    assert set(after[1][:-1]) <= set(before[1])
