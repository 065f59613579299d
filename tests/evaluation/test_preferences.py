from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyrec.evaluation.preferences import preference_rows
from whyrec.evaluation.study_files import Choice, KeyPair, RunName, StudiedRun, StudyKey, Vote, Votes


def key_of(first: Sequence[RunName]) -> StudyKey:
    run = StudiedRun(file="a.jsonl", writers={})
    pairs = tuple(KeyPair(pair=str(n), user_id="", item_id=str(n), first=it) for n, it in enumerate(first))
    return StudyKey(study="abc", seed=0, runs={"A": run, "B": run}, pairs=pairs)


def votes_of(*raters: Mapping[int, Choice]) -> list[Votes]:
    return [
        Votes(
            study="abc",
            rater=f"{place:016x}",
            votes=tuple(Vote(pair=str(pair), choice=choice) for pair, choice in answers.items()),
        )
        for place, answers in enumerate(raters)
    ]


def figures(key: StudyKey, votes: Sequence[Votes]) -> dict[tuple[object, object], dict[str, object]]:
    return {(row["measure"], row["run"]): row for row in preference_rows(key, votes, n_resamples=200)}


def test_a_small_study_by_hand() -> None:
    """Pairs show A, B, A first. Two raters: (A, A), (A, B), (same, B): A's credits are 1, 1/2 and 1/4."""
    votes = votes_of({0: "first", 1: "second", 2: "same"}, {0: "first", 1: "first", 2: "second"})
    found = figures(key_of("ABA"), votes)
    assert found["preferred", "A"]["value"] == pytest.approx((1 + 1 / 2 + 1 / 4) / 3)
    assert found["preferred", "B"]["value"] == pytest.approx(1 - (1 + 1 / 2 + 1 / 4) / 3)
    assert (found["pairs won", "A"]["value"], found["pairs won", "A"]["n"]) == (1 / 2, 2)
    assert (found["pairs won", "B"]["value"], found["pairs won", "B"]["n"]) == (1 / 2, 2)
    assert (found["about the same", None]["value"], found["about the same", None]["n"]) == (1 / 6, 6)
    assert (found["shown first", None]["value"], found["shown first", None]["n"]) == (3 / 5, 5)
    assert found["alpha", None]["n"] == 3


def test_wilson_by_hand() -> None:
    """10 of 10: from 1 / (1 + z²/10) to 1, with z = 1.96."""
    found = figures(key_of("A" * 10), votes_of(dict.fromkeys(range(10), "first")))["pairs won", "A"]
    assert found["low"] == pytest.approx(1 / (1 + 1.959964**2 / 10), abs=1e-6)
    assert found["high"] == pytest.approx(1)


def test_raters_who_always_take_the_first_place_are_seen() -> None:
    found = figures(key_of("AB" * 20), votes_of(dict.fromkeys(range(40), "first")))
    assert found["preferred", "A"]["value"] == 0.5
    assert found["shown first", None]["value"] == 1
    assert found["shown first", None]["low"] > 0.9


def test_what_is_undefined_is_null() -> None:
    found = figures(key_of("A"), votes_of({0: "same"}))
    assert found["pairs won", "A"] == {
        "measure": "pairs won", "run": "A", "value": None, "low": None, "high": None, "n": 0
    }  # fmt: skip
    assert found["alpha", None]["value"] is None


def test_raters_of_different_pairs_agree_over_those_they_share() -> None:
    """Alpha reads runs, not places: both preferred A in pairs 0 and 1, on other sides, and B in pair 2."""
    votes = votes_of({0: "first", 1: "second", 2: "second"}, {0: "first", 1: "second", 2: "second", 3: "first"})
    found = figures(key_of("ABAB"), votes)["alpha", None]
    assert (found["value"], found["n"]) == (pytest.approx(1), 3)


answers = st.dictionaries(st.integers(0, 5), st.sampled_from(["first", "second", "same"]), min_size=1)


@settings(max_examples=40)
@given(st.lists(st.sampled_from("AB"), min_size=6, max_size=6), st.lists(answers, min_size=1, max_size=4))
def test_renaming_the_runs_swaps_the_shares(first: list[RunName], raters: list[dict[int, Choice]]) -> None:
    votes = votes_of(*raters)
    found, swapped = figures(key_of(first), votes), figures(key_of(["B" if it == "A" else "A" for it in first]), votes)
    for measure in ("preferred", "pairs won"):
        assert found[measure, "A"]["value"] == pytest.approx(swapped[measure, "B"]["value"])
    assert found["shown first", None] == swapped["shown first", None]
    assert found["preferred", "A"]["value"] == pytest.approx(1 - found["preferred", "B"]["value"])  # type: ignore[operator]
    for row in found.values():
        if row["low"] is not None:
            assert 0 <= row["low"] <= row["value"] + 1e-9
            assert row["value"] <= row["high"] + 1e-9 <= 1 + 1e-8
