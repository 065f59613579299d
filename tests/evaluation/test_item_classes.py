"""Kinds of items by hand, against leaks, and the figures of a list for each of them."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyrec.data.dataset import Dataset
from whyrec.data.schema import TIMESTAMP_TYPE
from whyrec.data.windows import Window, WindowLength
from whyrec.errors import InvalidDataError
from whyrec.evaluation.item_classes import CLASSES, class_figures, evaluate_by_class, item_classes, trend_class
from whyrec.evaluation.rolling import ROW_SCHEMA, evaluate_forecast, window_truth

START = datetime(2020, 1, 1, tzinfo=UTC)
LENGTH = WindowLength(30)
AT = START + timedelta(days=180)
WINDOW = LENGTH.following(AT)
RISING, FALLING, WILD = (1, 2, 3, 5, 8, 12), (12, 8, 5, 3, 2, 1), (9, 1, 7, 2, 8, 1)


@pytest.mark.parametrize(
    ("counts", "trend"),
    [
        (RISING, "increasing"),
        (FALLING, "decreasing"),
        (WILD, "fluctuating"),
        ((5, 5, 5, 5, 5, 5), "fluctuating"),
        # log 102 - log 101 is .0099 per window: in order, but all but level.
        ((100, 101, 102, 103, 104, 105), "fluctuating"),
        # Four in order: p = 2 / 4! = .083; three: 2 / 3! = .33.
        ((1, 2, 4, 8), "increasing"),
        ((1, 2, 4), "fluctuating"),
        ((8, 1), "fluctuating"),
        ((0, 0, 0, 0, 0, 9), "unknown"),
        ((3,), "unknown"),
        ((), "unknown"),
        # Of 15 slopes 6 are 0: the median is the second of the others, log 2 / 3 = .23, and p is .04.
        ((0, 0, 0, 0, 1, 9), "increasing"),
        # As steep, but p is .11.
        ((0, 0, 0, 2, 0, 9), "fluctuating"),
    ],
)
def test_trends_by_hand(counts: tuple[int, ...], trend: str) -> None:
    assert trend_class(counts) == trend


@given(counts=st.lists(st.integers(0, 50), min_size=2, max_size=6))
def test_a_history_told_backwards_has_the_opposite_trend(counts: list[int]) -> None:
    opposite = {"increasing": "decreasing", "decreasing": "increasing"}
    forwards, backwards = trend_class(counts), trend_class(counts[::-1])
    assert backwards == opposite.get(forwards, forwards)
    assert (forwards == "unknown") == (sum(count > 0 for count in counts) < 2)


def world(histories: dict[str, tuple[int, ...]], *, future: dict[str, int] | None = None) -> Dataset:
    """Users per item in each of the 30-day windows that end at ``AT``, oldest first, and from ``AT`` on.

    One event of item ``log`` stands at the start of the log, so that it covers all six windows.
    """
    rows = [("start", "log", START)]
    for item_id, counts in histories.items():
        for place, count in enumerate(counts):
            begin = AT - (len(counts) - place) * timedelta(days=30)
            rows += [(f"w{n}", item_id, begin + timedelta(hours=n + 1)) for n in range(count)]
    for item_id, count in (future or {}).items():
        rows += [(f"new{n}", item_id, AT + timedelta(hours=n)) for n in range(count)]
    log = pl.DataFrame(
        rows, schema={"user_id": pl.String, "item_id": pl.String, "timestamp": TIMESTAMP_TYPE}, orient="row"
    )
    ids = ["log", *histories, "never"]
    return Dataset.from_frames(log, pl.DataFrame({"item_id": ids, "title": ids}), name="world")


HISTORIES = {"up": RISING, "down": FALLING, "wild": WILD, "late": (20, 9, 4, 2), "four": (2, 2), "five": (2, 3)}
EXPECTED = {
    "up": ("warm", "increasing"),
    "down": ("warm", "decreasing"),
    "wild": ("warm", "fluctuating"),
    # Released two windows after the log's start: the empty windows before are no rise.
    "late": ("warm", "decreasing"),
    "four": ("cold", "fluctuating"),
    "five": ("warm", "fluctuating"),
    "log": ("cold", "unknown"),
    "never": ("cold", "unknown"),
}


def classes_of(data: Dataset) -> dict[str, tuple[str, str]]:
    classes = item_classes(data, at=AT, length=LENGTH)
    assert classes["item_id"].is_sorted()
    return {item_id: (experience, trend) for item_id, experience, trend in classes.iter_rows()}


def test_classes_by_hand() -> None:
    assert classes_of(world(HISTORIES)) == EXPECTED


def test_classes_do_not_know_the_test_window() -> None:
    """A hundred users from the very start of the window on would make every item warm and most of them rising."""
    leaky = world(HISTORIES, future=dict.fromkeys(EXPECTED, 100))
    assert classes_of(leaky) == EXPECTED
    later = item_classes(leaky, at=AT + timedelta(days=30), length=LENGTH)
    assert set(later["experience"]) == {"warm"}, "a window later the same users count"


def test_only_windows_that_the_log_covers_make_a_trend() -> None:
    """A log of two windows: the four before it are unknown, not empty."""
    young = world({"new": (1, 9)})
    young = Dataset.from_frames(young.interactions.filter(pl.col("item_id") == "new"), young.items)
    assert classes_of(young)["new"] == ("warm", "unknown")
    assert classes_of(world({"new": (1, 9)}))["new"] == ("warm", "fluctuating")


def test_an_empty_log_and_an_empty_past_have_classes_too() -> None:
    data = world(HISTORIES)
    early = item_classes(data, at=START, length=LENGTH)
    assert set(early.select("experience", "trend").iter_rows()) == {("cold", "unknown")}


def ranked(scores: dict[str, float]) -> pl.DataFrame:
    none = pl.lit(None, dtype=pl.Float64)
    return pl.DataFrame({"item_id": list(scores), "score": list(scores.values())}).with_columns(
        pl.col("score").alias("expected"), none.alias("low"), none.alias("high")
    )


SCORES = {"up": 5.0, "down": 4.0, "wild": 3.0, "late": 2.0, "four": 1.0, "five": 0.0, "log": 0.0, "never": 0.0}
FUTURE = {"up": 4, "four": 2, "never": 3}


def figures_of(data: Dataset, ranking: pl.DataFrame, *, item_ids: list[str], k: int) -> dict[str, float]:
    truth = window_truth(data, window=WINDOW)
    found = class_figures(ranking, truth=truth, item_ids=pl.Series(item_ids), k=k)
    return {name: figure.value for name, figure in found.items()}


def test_hits_count_the_users_of_the_class_and_its_items_alone() -> None:
    """new0 and new1 take up, four and never, new2 up and never, new3 up. Top 2: up, down. Top 5 holds four."""
    data = world(HISTORIES, future=FUTURE)
    assert figures_of(data, ranked(SCORES), item_ids=["up"], k=2)["HR@2"] == 4 / 4
    assert figures_of(data, ranked(SCORES), item_ids=["four", "never"], k=2)["HR@2"] == 0 / 3
    assert figures_of(data, ranked(SCORES), item_ids=["four", "never"], k=5)["HR@5"] == pytest.approx(2 / 3)


def test_items_a_user_has_seen_make_room_for_others() -> None:
    """w0 has taken all but log and never, so that with them gone log and never are the first two for it: a hit."""
    rows = pl.DataFrame({"user_id": ["w0"], "item_id": ["never"], "timestamp": [AT]}).cast(
        {"timestamp": TIMESTAMP_TYPE}
    )
    data = world(HISTORIES)
    data = Dataset.from_frames(pl.concat([data.interactions.collect(), rows]), data.items)
    assert figures_of(data, ranked(SCORES), item_ids=["never", "log"], k=2)["HR@2"] == 1.0


def test_places_are_shared_out_among_tied_items() -> None:
    """Of the first 6 places five are sure and one is for three tied items: never, log hold 2/3 of it; four its own."""
    data = world(HISTORIES, future=FUTURE)
    assert figures_of(data, ranked(SCORES), item_ids=["never", "log"], k=6)["Share@6"] == pytest.approx(2 / 3 / 6)
    assert figures_of(data, ranked(SCORES), item_ids=["never", "log", "four"], k=6)["Share@6"] == pytest.approx(
        (1 + 2 / 3) / 6
    )
    assert figures_of(data, ranked(SCORES), item_ids=list(SCORES), k=100)["Share@100"] == 1.0


def test_counts_are_those_of_the_class() -> None:
    """up 5 for 4, four 1 for 2, never 0 for 3."""
    data = world(HISTORIES, future=FUTURE)
    figures = figures_of(data, ranked(SCORES), item_ids=["up", "four", "never"], k=2)
    assert figures["MAE"] == pytest.approx((1 + 1 + 3) / 3)
    # Ranks 3 2 1 and 3 1 2: 1 - 6 * (0 + 1 + 1) / (3 * 8).
    assert figures["Spearman"] == pytest.approx(1 - 12 / 24)
    bare = ranked(SCORES).select("item_id", "score")
    assert set(figures_of(data, bare, item_ids=["up"], k=2)) == {"HR@2", "Share@2"}


@settings(max_examples=15)
@given(scores=st.lists(st.integers(0, 3), min_size=len(SCORES), max_size=len(SCORES)), k=st.integers(1, 8))
def test_shares_of_classes_that_divide_the_catalogue_add_up_to_one(scores: list[int], k: int) -> None:
    ranking = ranked(dict(zip(SCORES, map(float, scores), strict=True)))
    rows = evaluate_by_class(
        ranking, data=world(HISTORIES, future=FUTURE), window=WINDOW, length=LENGTH, method="m", k=k
    )
    shares = dict(rows.filter(pl.col("metric").str.starts_with("Share")).select("metric", "value").iter_rows())
    for names in (CLASSES[:2], CLASSES[2:]):
        assert sum(shares[f"Share@{k}[{name}]"] for name in names) == pytest.approx(1)


def test_rows_have_the_format_of_all_results() -> None:
    data = world(HISTORIES, future=FUTURE)
    rows = evaluate_by_class(
        ranked(SCORES), data=data, window=WINDOW, length=LENGTH, method="m", k=2, seed=7, writer="someone"
    )
    assert dict(rows.schema) == ROW_SCHEMA
    assert set(rows.select("method", "dataset", "protocol", "seed", "writer").iter_rows()) == {
        ("m", "world", WINDOW.label, 7, "someone")
    }
    assert rows["metric"].to_list() == [
        f"{metric}[{name}]" for name in CLASSES for metric in ("HR@2", "Share@2", "MAE", "Spearman")
    ]
    by_metric = {row["metric"]: row for row in rows.to_dicts()}
    assert (by_metric["HR@2[cold]"]["value"], by_metric["HR@2[cold]"]["n"]) == (0.0, 3)
    assert by_metric["HR@2[increasing]"]["value"] == 1.0
    # Nobody took a falling item: that is no zero.
    assert (by_metric["HR@2[decreasing]"]["value"], by_metric["HR@2[decreasing]"]["n"]) == (None, 0)
    assert by_metric["Share@2[decreasing]"]["value"] == 1 / 2


def test_all_items_in_one_class_give_the_figures_of_the_whole_list() -> None:
    data = world({}, future={"never": 3, "log": 1})
    ranking = ranked({"log": 1.0, "never": 0.5})
    whole = evaluate_forecast(ranking, data=data, window=WINDOW, method="m")
    cold = evaluate_by_class(ranking, data=data, window=WINDOW, length=LENGTH, method="m", k=5)
    assert set(cold["metric"].str.extract(r"\[(.*)\]")) == {"cold", "unknown"}
    for metric in ("HR@5", "MAE", "Spearman"):
        one = whole.filter(metric=metric).drop("metric")
        assert cold.filter(metric=f"{metric}[cold]").drop("metric").equals(one), metric


def test_a_window_without_anybody_is_refused() -> None:
    data = world(HISTORIES)
    with pytest.raises(InvalidDataError, match="expected interactions in"):
        evaluate_by_class(ranked(SCORES), data=data, window=Window(AT, AT + timedelta(1)), length=LENGTH, method="m")
