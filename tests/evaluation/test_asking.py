"""Asking until a text holds: how often, for which, with what it failed before; and what a model is told."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.evaluation.asking import AskingCounts, Attempt, ask_until_verified, correction, tally
from whyrec.interfaces import Claim, Verdict

HOLDS = Verdict((Claim("number", "12", 0, 2, supported=True),))


def failing(*texts: str, problem: str = "it says 13") -> Verdict:
    return Verdict(tuple(Claim("number", text, 0, 2, supported=False, problem=problem) for text in texts))


@given(needed=st.lists(st.integers(0, 6), max_size=8), attempts=st.integers(1, 5))
def test_each_text_is_asked_for_until_it_holds(needed: list[int], attempts: int) -> None:
    """Text n holds at attempt ``needed[n]``; it cannot be read on even attempts before, and is wrong on odd ones."""
    asked: list[tuple[int, int]] = []

    def ask(places: Sequence[int], failed: Mapping[int, Attempt[str]], *, attempt: int) -> list[Attempt[str] | None]:
        answers: list[Attempt[str] | None] = []
        for place in places:
            asked.append((attempt, place))
            read = [it for it in range(attempt) if it % 2]
            assert (place in failed) == bool(read)
            assert not read or failed[place].text == f"wrong {place} {read[-1]}"
            if attempt >= needed[place]:
                answers.append(Attempt(f"text {place}", HOLDS, is_good=True))
            elif attempt % 2:
                answers.append(Attempt(f"wrong {place} {attempt}", failing("x"), is_good=False))
            else:
                answers.append(None)
        return answers

    counts = AskingCounts()
    found = ask_until_verified(len(needed), ask, counts=counts, attempts=attempts)
    assert found == {place: f"text {place}" for place, at in enumerate(needed) if at < attempts}
    expected = [(attempt, place) for attempt in range(attempts) for place, at in enumerate(needed) if attempt <= at]
    assert asked == expected
    assert (counts.asked, counts.attempts, counts.by_model) == (len(needed), len(asked), len(found))
    assert counts.attempts == counts.by_model + counts.refused + counts.unreadable
    assert counts.at_once == needed.count(0)


def test_a_model_is_told_what_did_not_hold_and_what_is_true() -> None:
    told = correction(failing("160 users", "March"))
    assert '- "160 users": it says 13' in told
    assert '- "March": it says 13' in told
    assert "12" not in correction(Verdict((*HOLDS.claims, *failing("x").claims))).replace("13", "")


@pytest.mark.parametrize(("n", "more"), [(5, ""), (6, "- and 1 more"), (9, "- and 4 more")])
def test_not_more_than_five_are_named(n: int, more: str) -> None:
    lines = correction(failing(*(f"claim {place}" for place in range(n)))).splitlines()
    assert sum(line.startswith('- "') for line in lines) == 5
    assert (more in lines) == bool(more)


def test_the_counts_in_a_line() -> None:
    counts = AskingCounts(asked=5, attempts=9, unreadable=2, refused=3, at_once=2, by_model=4)
    assert counts.summary() == (
        "5 asked for: 4 by the model (2 at once), 1 left to the offline writer; of 9 attempts 2 could not be read, 3 "
        "were refused"
    )


def test_a_run_s_explanations_in_a_line() -> None:
    records = [{"verified": True, "writer": "offline"}] * 3 + [{"verified": False, "writer": "llm"}]
    assert tally(records) == ("4 explained: 3 verified, 1 marked as not verified; written: 3 by offline, 1 by llm")
    assert tally([]) == "0 explained: 0 verified, 0 marked as not verified"
