"""Patterns over time: for which beginnings they are written, by whom, and which may be read when."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from curec_texts import at, history, hours_history, micros, pattern, patterns
from hypothesis import given, settings
from hypothesis import strategies as st

from whyrec.data.dataset import Dataset
from whyrec.data.item_lines import ItemText
from whyrec.errors import InvalidConfigError, InvalidDataError, PromptTooLongError, UnknownIdError
from whyrec.llm.base import Prompt, SamplingConfig
from whyrec.llm.cache import open_cache
from whyrec.llm.model import LanguageModel
from whyrec.llm.scripted import ScriptedBackend
from whyrec.methods.curec.artefacts import Pattern
from whyrec.methods.curec.histories import UserHistory, as_micros, interactions_of, read_user_histories
from whyrec.methods.curec.model_writers import LanguageModelPatternWriter
from whyrec.methods.curec.patterns import PatternBook, pattern_prefixes, write_patterns

ITEMS = {f"i{n}": ItemText(f"i{n}", f"Title {n}") for n in range(4)} | {"silent": ItemText("silent", "")}


def lengths(hours: Sequence[float], *, every: int = 5, with_last: bool = False) -> list[int]:
    return [len(prefix) for prefix in pattern_prefixes(hours_history(hours), every=every, with_last=with_last)]


def test_a_pattern_is_written_at_first_and_then_for_every_fifth_interaction() -> None:
    assert lengths(range(12)) == [1, 6, 11]
    assert lengths(range(12), with_last=True) == [1, 6, 11, 12]
    assert lengths(range(12), every=4) == [1, 5, 9]
    assert lengths(range(3), every=1, with_last=True) == [1, 2, 3]
    assert lengths([]) == []
    assert lengths([7]) == lengths([7], with_last=True) == [1]
    with pytest.raises(InvalidConfigError, match="expected every of at least 1, got 0"):
        lengths([1], every=0)


def test_a_session_of_one_second_is_never_cut() -> None:
    # Two, then three at once, then seven at once: the third to fifth cannot be read apart, nor the last seven.
    assert lengths([0, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3], every=2) == [1, 5, 12]
    assert lengths([0] * 9) == [9]


@given(hours=st.lists(st.integers(0, 6), max_size=20).map(sorted), every=st.integers(1, 6), with_last=st.booleans())
def test_prefixes_end_with_groups_and_are_as_far_apart_as_asked(hours: list[int], every: int, with_last: bool) -> None:
    whole = hours_history(hours)
    prefixes = pattern_prefixes(whole, every=every, with_last=with_last)
    ends = [len(prefix) for prefix in prefixes]
    assert all(n == len(hours) or hours[n] > hours[n - 1] for n in ends)
    assert all(prefix == whole.first(len(prefix)) for prefix in prefixes)
    gaps = list(np.diff(ends))
    assert all(gap >= every for gap in (gaps[:-1] if with_last else gaps))
    if with_last and hours:
        assert ends[-1] == len(hours)


def test_a_history_before_a_moment_leaves_out_what_is_of_the_same_second() -> None:
    one = history("u", ("i0", 0), ("i1", 1), ("i2", 1), ("i3", 2))
    assert one.before(at(1)).item_ids == ("i0",)
    assert one.before(at(1.5)) == one.first(3)
    assert one.before(at(0)).until is None
    assert one.until == at(2)


def test_histories_that_are_none_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="user 'u': expected a time for each of 1 items, got 2"):
        UserHistory("u", ("i0",), (at(0), at(1)))
    with pytest.raises(InvalidDataError, match="user 'u': expected ascending times, got 2020-01-01T00"):
        history("u", ("i0", 1), ("i1", 0))
    with pytest.raises(InvalidDataError, match="expected an aware datetime, got 2020-01-01T00:00:00 without a zone"):
        as_micros(datetime(2020, 1, 1))  # noqa: DTZ001


def test_histories_are_read_strictly_before_the_cutoff(temporal_world: Dataset) -> None:
    # Event n is user n % 5 and item n % 4, every ten days: before event 11 user 0 had events 0, 5 and 10.
    cutoff = at(24 * 110)
    found = read_user_histories(temporal_world, until=cutoff)
    assert list(found) == ["u0", "u1", "u2", "u3", "u4"]
    assert found["u0"].item_ids == ("i0", "i1", "i2")
    assert found["u0"].until == at(24 * 100)
    assert found["u1"].item_ids == ("i1", "i2")
    assert sorted(interactions_of(found))[0] == ("u0", "i0", at(0))
    assert len(list(interactions_of(found))) == 11


def test_what_the_catalogue_does_not_hold_is_not_in_a_history(temporal_world: Dataset) -> None:
    smaller = Dataset.from_frames(temporal_world.interactions, temporal_world.items.filter(pl.col("item_id") != "i1"))
    assert read_user_histories(smaller, until=at(24 * 110))["u0"].item_ids == ("i0", "i2")


def test_the_latest_pattern_is_that_before_the_moment() -> None:
    book = PatternBook.of([pattern("a", 5, n_items=6), pattern("a", 1), pattern("b", 2)])
    assert book.latest("a", before=at(1)) is None
    assert book.latest("a", before=at(1.001)) == pattern("a", 1)
    assert book.latest("a", before=at(5)) == pattern("a", 1)
    assert book.latest("a", before=at(9)) == pattern("a", 5, n_items=6)
    assert book.latest("nobody", before=at(9)) is None
    rows = book.rows_before(book.user_rows(["b", "nobody", "a"]), np.array([micros(9), micros(9), micros(5)]))
    assert rows.tolist() == [2, -1, 1]


def test_of_patterns_that_end_together_the_longest_prefix_then_the_highest_version_counts() -> None:
    book = PatternBook.of(
        [
            pattern("a", 1, n_items=3, text="- long"),
            pattern("a", 1, n_items=2, version=7, text="- short"),
            pattern("a", 1, n_items=3, version=1, text="- corrected"),
        ]
    )
    latest = book.latest("a", before=at(2))
    assert latest is not None
    assert latest.text == "- corrected"


@settings(max_examples=25)
@given(found=patterns)
def test_rows_before_are_those_of_a_search_by_hand(found: list[Pattern]) -> None:
    book = PatternBook.of(found, user_ids=pl.Series(["u2", "u1"]))
    asked = [(user_id, hours) for user_id in ("u0", "u1", "u2", "u3") for hours in range(7)]
    rows = book.rows_before(book.user_rows([user_id for user_id, _ in asked]), np.array([micros(h) for _, h in asked]))
    for (user_id, hours), row in zip(asked, rows.tolist(), strict=True):
        readable = [one for one in found if one.user_id == user_id and one.until < at(hours)]
        best = max(readable, key=lambda one: (one.until, one.n_items, one.version), default=None)
        assert (found[row] if row >= 0 else None) == best == book.latest(user_id, before=at(hours))


def test_a_longer_book_keeps_the_numbers_of_the_shorter() -> None:
    book = PatternBook.of([pattern("a", 1)], user_ids=pl.Series(["z", "a"]))
    longer = book.append([pattern("new", 2), pattern("a", 3, n_items=2)])
    assert longer.user_ids.to_list() == ["z", "a", "new"]
    assert longer.patterns([0]) == book.patterns() == [pattern("a", 1)]
    assert len(longer) == 3
    assert book.latest("a", before=at(9)) == pattern("a", 1)
    assert longer.latest("a", before=at(9)) == pattern("a", 3, n_items=2)
    with pytest.raises(InvalidDataError, match=r"patterns: expected each once, got two of user_id a, n_items 1, until"):
        longer.append([pattern("a", 1, text="- other")])


def test_a_book_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "patterns.parquet"
    book = PatternBook.of([pattern("b", 2), pattern("a", 1, version=3, text="- 戦争")])
    book.write(path)
    book.append([pattern("a", 5)]).write(path)
    assert PatternBook.read(path).patterns() == [*book.patterns(), pattern("a", 5)]
    PatternBook.of([]).write(path)
    assert PatternBook.read(path).latest("a", before=at(9)) is None


@pytest.mark.parametrize("text", ["", " \n", "half \ud83d"])
def test_a_pattern_without_words_is_refused(text: str) -> None:
    with pytest.raises(InvalidDataError, match="text for user 'a': expected words, got"):
        PatternBook.of([pattern("a", 1, text=text)])


class Fallback:
    """Writes for users whose name does not end in x."""

    def __init__(self) -> None:
        self.asked: list[UserHistory] = []

    def write_patterns(self, histories: Sequence[UserHistory]) -> list[Pattern]:
        self.asked += histories
        # Backwards, as nothing says that a writer that leaves some out keeps places.
        return [
            Pattern(one.user_id, len(one), one.until, "- plain", "fallback")
            for one in reversed(histories)
            if one.until is not None and not one.user_id.endswith("x")
        ]


def answers(prompt: Prompt) -> str:
    """By the newest title: words, nothing, prose or too many words."""
    newest = prompt.messages[1].content.rsplit("Title ", 1)[1][0]
    return {"0": "- war", "1": "", "2": "War films.", "3": "- war " + "and war " * 30}[newest]


def test_the_model_writes_what_it_can_and_the_fallback_the_rest() -> None:
    histories = [history(f"u{n}", (f"i{n}", n)) for n in range(4)] + [
        history("u4", ("silent", 0)),
        history("ux", ("i1", 0)),
    ]
    fallback = Fallback()
    writer = LanguageModelPatternWriter(
        LanguageModel(ScriptedBackend(answers)), ITEMS, fallback=fallback, sampling=SamplingConfig(max_tokens=50)
    )
    written = writer.write_patterns(histories)
    assert [(one.user_id, one.text, one.writer) for one in written] == [
        ("u0", "- war", "scripted"),
        *((f"u{n}", "- plain", "fallback") for n in range(1, 5)),
    ]
    assert fallback.asked == histories[1:]
    assert writer.failures == {"empty": 2, "form": 1, "cut": 1, "no text": 1}
    assert written[2] == Pattern("u2", 1, at(2), "- plain", "fallback")


def test_without_a_fallback_what_fails_is_left_out() -> None:
    writer = LanguageModelPatternWriter(LanguageModel(ScriptedBackend(lambda _: "")), ITEMS)
    assert writer.write_patterns([history("u", ("i0", 0))]) == []
    assert writer.failures == {"empty": 1}
    assert writer.write_patterns([]) == []
    with pytest.raises(UnknownIdError, match="expected an item of the catalogue, got 'gone'"):
        writer.write_patterns([history("u", ("gone", 0))])


def test_a_run_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    histories = [history(f"u{n}", ("i0", n), (f"i{n % 3 + 1}", n)) for n in range(3)]

    def failing(prompt: Prompt) -> str:
        if "Title 3" in prompt.messages[1].content:
            raise KeyboardInterrupt
        return "- war"

    with open_cache(tmp_path / "cache.sqlite") as cache:
        with pytest.raises(KeyboardInterrupt):
            LanguageModelPatternWriter(LanguageModel(ScriptedBackend(failing), cache=cache), ITEMS).write_patterns(
                histories
            )
        backend = ScriptedBackend(["- gold"])
        written = LanguageModelPatternWriter(LanguageModel(backend, cache=cache), ITEMS).write_patterns(histories)
    assert [one.text for one in written] == ["- war", "- war", "- gold"]
    assert len(backend.asked) == 1


def test_prompts_are_made_to_fit_the_models_context() -> None:
    backend = ScriptedBackend(lambda _: "- war", context_tokens=200)
    writer = LanguageModelPatternWriter(LanguageModel(backend), ITEMS, sampling=SamplingConfig(max_tokens=60))
    whole = history("u", *((f"i{n % 4}", n) for n in range(30)))
    assert len(writer.write_patterns([whole, whole.first(2)])) == 2
    first, second = sorted(backend.asked, key=lambda prompt: -len(prompt.messages[1].content))
    assert 120 < backend.count_tokens([first])[0] <= 140
    assert first.messages[1].content.endswith("Title 1\n</history>"), "the newest items are kept"
    assert "Title 0\n2. Title 1\n" in second.messages[1].content
    cramped = LanguageModelPatternWriter(
        LanguageModel(ScriptedBackend([], context_tokens=50)), ITEMS, sampling=SamplingConfig(max_tokens=10)
    )
    with pytest.raises(PromptTooLongError, match="expected at most 40 tokens, got more"):
        cramped.write_patterns([whole])


def test_patterns_of_all_users_come_from_beginnings_alone_and_carry_their_pass() -> None:
    histories = {"b": hours_history(range(7), user_id="b"), "a": hours_history([0], user_id="a")}
    fallback = Fallback()
    book = write_patterns(histories, fallback, every=3, version=2)
    assert book.user_ids.to_list() == ["b", "a"]
    assert [(one.user_id, one.n_items, one.until) for one in book.patterns()] == [
        ("a", 1, at(0)),
        ("b", 7, at(6)),
        ("b", 4, at(3)),
        ("b", 1, at(0)),
    ]
    assert {one.version for one in book.patterns()} == {2}
    assert [len(one) for one in fallback.asked] == [1, 4, 7, 1]
