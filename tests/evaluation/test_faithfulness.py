"""Faithfulness: changes counted by hand, honest and dishonest explainers told apart, and histories that lose items."""

from collections.abc import Collection, Mapping
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.recommender import NEWCOMER, STRANGER, UNTIL, checkerboard, with_events
from whyrec.baselines.neighbours import ItemKnnRecommender
from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidConfigError, InvalidDataError, UnknownIdError
from whyrec.evaluation.explanations import Figure
from whyrec.evaluation.faithfulness import (
    EvidencePool,
    Removal,
    faithfulness_figures,
    faithfulness_rows,
    removal_of,
)
from whyrec.evaluation.history_removal import history_pool, interactions_cited
from whyrec.evaluation.rolling import ROW_SCHEMA
from whyrec.interfaces import Claim, Explanation, Verdict

WORTH: Mapping[str, float] = {"a": 5.0, "b": -3.0, "c": 1.0, "d": 0.5}


def pool(cited: str, others: str, worth: Mapping[str, float] = WORTH) -> EvidencePool:
    """A score that is a sum: 10 and what every piece is worth."""

    def without(ids: Collection[str]) -> float:
        return 10.0 + sum(value for name, value in worth.items() if name not in ids)

    return EvidencePool("pieces", tuple(cited), tuple(others), without)


def removal(cited: str, others: str, n_draws: int = 10) -> Removal:
    found = removal_of(pool(cited, others), rng=np.random.default_rng(0), n_draws=n_draws)
    assert found is not None
    return found


def test_a_change_is_what_the_pieces_were_worth_either_way() -> None:
    found = removal("b", "acd")
    assert (found.score, found.without_cited) == (13.5, 16.5)
    assert found.change_cited == 3.0
    assert sorted(found.changes_random) == [0.5, 1.0, 5.0], "few choices are each tried once"
    assert found.cited_changes_more == pytest.approx(2 / 3)


def test_as_many_are_taken_at_random_as_are_cited() -> None:
    found = removal("ab", "cd")
    assert (found.change_cited, found.changes_random.tolist()) == (2.0, [1.5])


def test_with_fewer_others_the_most_important_of_the_cited_are_taken() -> None:
    found = removal("abc", "d")
    assert (found.change_cited, found.changes_random.tolist()) == (5.0, [0.5])


def test_equal_changes_count_half_and_rounding_is_equal() -> None:
    assert Removal(1.0, 2.0, (0.0, 1.5, 2.0 + 1e-9)).cited_changes_more == pytest.approx((0.5 + 1 + 0.5) / 3)
    assert Removal(1.0, 1.0, (1.0,)).cited_changes_more == 0.5, "neither changes anything"


def test_draws_are_of_the_others_and_no_more_than_asked() -> None:
    worth = {f"{n}": 2.0**n for n in range(12)}
    asked: list[Collection[str]] = []
    whole = pool("", "", worth)

    def noted(ids: Collection[str]) -> float:
        asked.append(tuple(ids))
        return whole.score_without(ids)

    many = EvidencePool("pieces", ("0", "1", "2"), tuple(f"{n}" for n in range(3, 12)), noted)
    found = removal_of(many, rng=np.random.default_rng(1), n_draws=7)
    assert found is not None
    assert len(found.without_random) == 7
    for ids in asked[2:]:
        assert len(set(ids)) == 3
        assert set(ids) <= set(many.others)


@pytest.mark.parametrize(("cited", "others"), [("", "ab"), ("ab", ""), ("", "")])
def test_nothing_is_said_where_nothing_is_cited_or_nothing_else_is_there(cited: str, others: str) -> None:
    assert removal_of(pool(cited, others), rng=np.random.default_rng(0)) is None


def test_wrong_pools_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InvalidDataError, match="got 'a' as both"):
        removal_of(pool("ab", "ac"), rng=rng)
    with pytest.raises(InvalidConfigError, match="at least 1 draw, got 0"):
        removal_of(pool("a", "b"), rng=rng, n_draws=0)
    with pytest.raises(InvalidDataError, match="expected finite scores"):
        removal_of(pool("a", "b", {"a": float("nan"), "b": 1.0}), rng=rng)


def test_figures_by_hand() -> None:
    removals = [Removal(0.0, 4.0, (1.0, -2.0)), Removal(0.0, -1.0, (3.0, 1.0)), Removal(1.0, 1.0, (1.0, 1.0))]
    figures = {name: it.value for name, it in faithfulness_figures(removals).items()}
    assert figures == {
        "change[cited]": pytest.approx((4 + 1 + 0) / 3),
        "change[random]": pytest.approx((1.5 + 2 + 0) / 3),
        "change[cited - random]": pytest.approx((5 - 3.5) / 3),
        "change[cited / random]": pytest.approx(5 / 3.5),
        "cited changes more": pytest.approx((1 + 0.25 + 0.5) / 3),
    }


def test_groups_are_resampled_whole_and_change_no_value() -> None:
    rng = np.random.default_rng(0)
    level = np.repeat(rng.normal(5, 2, size=20), 10)
    removals = [Removal(0.0, float(it), (1.0,)) for it in level]
    alone = faithfulness_figures(removals)["change[cited]"]
    grouped = faithfulness_figures(removals, groups=[f"{n // 10}" for n in range(200)])["change[cited]"]
    assert grouped.value == pytest.approx(alone.value)
    assert (grouped.n, alone.n) == (200, 200)
    wide, narrow = (high - low for low, high in (bounds(grouped), bounds(alone)))
    assert wide > 2 * narrow, "ten equal removals of one user are one piece of evidence"


def test_groups_of_unequal_size_weigh_by_their_size() -> None:
    removals = [Removal(0.0, 3.0, (1.0,)), Removal(0.0, 3.0, (1.0,)), Removal(0.0, 0.0, (1.0,))]
    assert faithfulness_figures(removals, groups=["u", "u", "v"])["change[cited]"].value == pytest.approx(2.0)


def test_no_change_anywhere_has_no_ratio() -> None:
    figures = faithfulness_figures([Removal(1.0, 1.0, (1.0,))])
    assert "change[cited / random]" not in figures
    assert figures["cited changes more"].value == 0.5


def test_no_removals_or_other_groups_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="got 0 and no groups"):
        faithfulness_figures([])
    with pytest.raises(InvalidDataError, match="got 1 and 2 groups"):
        faithfulness_figures([Removal(0.0, 1.0, (1.0,))], groups=["u", "v"])


def test_rows_are_those_of_all_evaluation() -> None:
    rows = faithfulness_rows(
        [Removal(0.0, 4.0, (1.0,))] * 3, kind="months", method="trail", dataset="films", writer="offline"
    )
    assert dict(rows.schema) == ROW_SCHEMA
    assert rows["protocol"].unique().to_list() == ["faithfulness: months"]
    assert rows.filter(metric="change[cited]").row(0, named=True) | {"low": 0, "high": 0} == {
        "method": "trail",
        "dataset": "films",
        "protocol": "faithfulness: months",
        "metric": "change[cited]",
        "value": 4.0,
        "low": 0,
        "high": 0,
        "n": 3,
        "seed": 0,
        "writer": "offline",
    }


def bounds(figure: Figure) -> tuple[float, float]:
    assert figure.low is not None
    assert figure.high is not None
    return figure.low, figure.high


def explained(rng: np.random.Generator, *, cites: str, n: int = 150) -> list[Removal]:
    """Scores that are sums of ten pieces; an explainer that cites two."""
    found = []
    for _ in range(n):
        worth = {f"{piece}": float(value) for piece, value in enumerate(rng.exponential(size=10))}
        by_size = sorted(worth, key=lambda name: -abs(worth[name]))
        chosen = {
            "the largest": by_size[:2],
            "the smallest": by_size[-2:],
            "any": rng.choice(by_size, 2, replace=False).tolist(),
        }[cites]
        given_pool = EvidencePool(
            "pieces", tuple(chosen), tuple(it for it in worth if it not in chosen), pool("", "", worth).score_without
        )
        found.append(removal_of(given_pool, rng=rng))
    return [it for it in found if it is not None]


def test_a_faithful_and_an_unfaithful_explainer_are_told_apart() -> None:
    rng = np.random.default_rng(3)
    figures = {
        cites: faithfulness_figures(explained(rng, cites=cites)) for cites in ("the largest", "any", "the smallest")
    }
    more = {cites: bounds(found["cited changes more"]) for cites, found in figures.items()}
    difference = {cites: bounds(found["change[cited - random]"]) for cites, found in figures.items()}
    assert more["the largest"][0] > 0.9
    assert difference["the largest"][0] > 0
    assert more["the smallest"][1] < 0.1
    assert difference["the smallest"][1] < 0
    assert more["any"][0] < 0.5 < more["any"][1]
    assert difference["any"][0] < 0 < difference["any"][1]


@given(
    values=st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), st.floats(-5, 5), min_size=2, max_size=8),
    data=st.data(),
)
def test_who_changes_more_is_a_share_and_turns_round_with_the_roles(
    values: dict[str, float], data: st.DataObject
) -> None:
    """With one piece against one other, the other way round is the rest to one."""
    first, second = data.draw(st.permutations(sorted(values)))[:2]
    score_without = pool("", "", values).score_without
    shares = []
    for cited, other in ((first, second), (second, first)):
        found = removal_of(EvidencePool("p", (cited,), (other,), score_without), rng=np.random.default_rng(0))
        assert found is not None
        shares.append(found.cited_changes_more)
    assert sum(shares) == 1.0


# Histories


@pytest.fixture(scope="module")
def data() -> Dataset:
    return checkerboard()


@pytest.fixture(scope="module")
def recommender(data: Dataset) -> ItemKnnRecommender:
    return ItemKnnRecommender().fit(data, until=UNTIL)


def taken(data: Dataset, user_id: str) -> list[str]:
    return data.before(UNTIL).filter(pl.col("user_id") == user_id).collect()["item_id"].to_list()


def score_above_mean(recommender: ItemKnnRecommender, data: Dataset, *, user_id: str, item_id: str) -> float:
    lists = recommender.recommend(data, user_ids=[user_id], k=100, filter_seen=False, at=UNTIL)
    return float(lists.filter(item_id=item_id)["score"].item() - lists["score"].mean())


def test_an_item_of_the_history_is_really_gone(recommender: ItemKnnRecommender, data: Dataset) -> None:
    mine = taken(data, "A00")
    target = next(f"a{n:02}" for n in range(10) if f"a{n:02}" not in mine)
    found = history_pool(recommender, data, user_id="A00", item_id=target, cited=[mine[0], "b00"], at=UNTIL)
    assert found.cited == (mine[0],), "what is not in the history cannot be taken out of it"
    assert sorted(found.others) == sorted(mine[1:])
    log = data.interactions.filter(~((pl.col("user_id") == "A00") & (pl.col("item_id") == mine[0])))
    less = Dataset.from_frames(log.collect(), data.items, name="less")
    expected = score_above_mean(recommender, less, user_id="A00", item_id=target)
    assert found.score_without([mine[0]]) == pytest.approx(expected, abs=1e-9)
    assert found.score_without(()) == pytest.approx(
        score_above_mean(recommender, data, user_id="A00", item_id=target), abs=1e-9
    )
    assert found.score_without([mine[0]]) != pytest.approx(found.score_without(()), abs=1e-6)


def test_what_is_later_than_the_moment_is_no_evidence(recommender: ItemKnnRecommender, data: Dataset) -> None:
    mine = taken(data, "A00")
    later = with_events(data, user_ids=["A00"], item_id="b00", at=UNTIL)
    honest, leaked = (
        history_pool(recommender, log, user_id="A00", item_id="a98", cited=[*mine[:1], "b00"], at=UNTIL)
        for log in (data, later)
    )
    assert (leaked.cited, leaked.others) == (honest.cited, honest.others)
    for ids in ((), mine[:1], mine[1:3]):
        assert leaked.score_without(ids) == honest.score_without(ids)
    earlier = with_events(data, user_ids=["A00"], item_id="b00", at=UNTIL - timedelta(days=1))
    found = history_pool(recommender, earlier, user_id="A00", item_id="a98", cited=["b00"], at=UNTIL)
    assert found.cited == ("b00",), "else the test above proves nothing"


def test_the_item_itself_is_neither_cited_nor_drawn(recommender: ItemKnnRecommender, data: Dataset) -> None:
    mine = taken(data, "A00")
    found = history_pool(recommender, data, user_id="A00", item_id=mine[0], cited=mine[:2], at=UNTIL)
    assert mine[0] not in (*found.cited, *found.others)


def test_users_without_a_history_are_refused(recommender: ItemKnnRecommender, data: Dataset) -> None:
    for user_id in (STRANGER, NEWCOMER):
        with pytest.raises(UnknownIdError, match=f"history of '{user_id}'"):
            history_pool(recommender, data, user_id=user_id, item_id="a00", cited=[], at=UNTIL)


def test_items_are_cited_in_the_order_of_the_text() -> None:
    claims = [
        Claim("title", "B", 0, 1, True, ("interaction:b",)),
        Claim("attribute", "x", 2, 3, True, ("attribute:x",)),
        Claim("title", "A", 4, 5, True, ("interaction:a", "interaction:b")),
    ]
    told = Explanation("i", "text", {}, (), Verdict(tuple(claims)), "offline")
    assert interactions_cited(told) == ["b", "a"]
