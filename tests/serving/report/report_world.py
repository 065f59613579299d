"""Contents of reports: invented items, whose every number is an argument, and films of the bundled data."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import polars as pl

from whyrec.data.bundled import bundled_dataset
from whyrec.data.facts import AttributeValue, ItemFacts, MonthCount, item_facts
from whyrec.data.windows import Window, WindowLength, users_per_item
from whyrec.evaluation.rolling import ROW_SCHEMA
from whyrec.interfaces import Claim, Driver, Explanation, ForecastPoint, Verdict
from whyrec.methods.trail.writer import write_explanation
from whyrec.serving.report import ReportContent, ReportItem

CUTOFF = datetime(2013, 10, 8, tzinfo=UTC)
WINDOW = WindowLength(30).following(CUTOFF)
DRIVERS = (
    Driver("recency", "the last seven days", 0.34),
    Driver("level", "the total audience", 1.5),
    Driver("age", "the time since release", -0.12),
    Driver("catalogue", "the catalogue entry", 0.08),
)
FILM: dict[str, AttributeValue] = {"year": 2013.0, "genres": ("Drama", "Sci-Fi")}
DATASET: dict[str, object] = {
    "name": "toy films",
    "n_interactions": 141_695,
    "n_users": 21_081,
    "n_items": 12_611,
    "first_timestamp": "2013-02-28T14:38:27+00:00",
    "last_timestamp": "2013-11-06T00:00:25+00:00",
    "fingerprint": "sha256:00ff",
}


def facts_of(
    users: Sequence[int] = (40, 60, 80, 12),
    *,
    item_id: str = "tt1",
    title: str = "Gravity",
    attributes: dict[str, AttributeValue] | None = None,
) -> ItemFacts:
    """An item with users in consecutive months, the last of which is the unfinished October 2013."""
    month = WindowLength()
    windows = [month.following(datetime(2013, 10, 1, tzinfo=UTC))]
    while len(windows) < len(users):
        windows.insert(0, month.preceding(windows[0].start))
    months = tuple(MonthCount(w, n, w.end <= CUTOFF) for w, n in zip(windows, users, strict=False))
    return ItemFacts(
        item_id=item_id,
        title=title,
        cutoff=CUTOFF,
        months=months,
        recent={3: 2, 7: 11, 14: 20, 30: 70} if users else {3: 0, 7: 0, 14: 0, 30: 0},
        total_users=sum(users),
        first_seen=date(windows[0].start.year, windows[0].start.month, 2) if users else None,
        attributes=FILM if attributes is None else attributes,
        mean_rating=8.25 if users else None,
    )


def item_of(facts: ItemFacts, *, rank: int = 1, expected: float = 50.0) -> ReportItem:
    """An item with a forecast, an interval from half to twice of it, and the offline writer's text."""
    point = ForecastPoint(facts.item_id, WINDOW, rank, expected, expected / 2, expected * 2)
    return ReportItem(facts, point, write_explanation(facts, point, DRIVERS), DRIVERS)


def told(text: str, *claims: tuple[str, bool, tuple[str, ...]], writer: str = "some-model@1") -> Explanation:
    """An explanation without sections that makes the claims given as (words, supported, evidence ids)."""
    found = tuple(
        Claim(
            "number", words, text.index(words), text.index(words) + len(words), holds, ids, "" if holds else "it is 3"
        )
        for words, holds, ids in claims
    )
    return Explanation("tt1", text, {}, (), Verdict(found), writer)


def content_of(items: Sequence[ReportItem], *, evaluation: pl.DataFrame | None = None) -> ReportContent:
    """A report of some items."""
    return ReportContent(
        title="Next month’s films",
        dataset=DATASET,
        window=WINDOW,
        forecaster="trail",
        items=tuple(items),
        evaluation=evaluation_rows() if evaluation is None else evaluation,
    )


def evaluation_rows() -> pl.DataFrame:
    """Two windows and their mean, made up: figures of a method grow by its place in the list."""
    methods = ("chance", "oracle", "greedy_coverage_oracle", "last_7_days", "trail", "last_30_days")
    levels = (0.004, 0.36, 0.42, 0.29, 0.31, 0.25)
    protocols = ("2013-07-28/2013-08-27", "2013-08-27/2013-09-26", "mean of 2 windows to 2013-09-26")
    rows = [
        {
            "method": method,
            "dataset": "toy films",
            "protocol": protocol,
            "metric": metric,
            "value": level * factor,
            "low": level * factor * 0.95,
            "high": level * factor * 1.05,
            "n": 4321,
            "seed": 0,
            "writer": "offline",
        }
        for protocol in protocols
        for method, level in zip(methods, levels, strict=True)
        for metric, factor in (("HR@5", 0.7), ("HR@10", 1.0), ("HR@10/oracle", 1 / 0.36), ("NDCG@10", 0.5))
    ]
    return pl.DataFrame(rows, schema=ROW_SCHEMA)


def bundled_report(n_items: int = 10) -> ReportContent:
    """Films of the bundled data: the last week's favourites, with forecasts made up from their own counts."""
    data = bundled_dataset()
    last_week = Window(WindowLength(7).preceding(CUTOFF).start, CUTOFF)
    favourites = users_per_item(data.interactions, last_week).sort("users", "item_id", descending=[True, False])
    ids = favourites["item_id"].head(n_items - 1).to_list()
    seen = data.before(CUTOFF).select("item_id").unique().collect()
    # The last place goes to a film that nobody had rated yet.
    ids.append(data.items.join(seen, on="item_id", how="anti").filter(pl.col("year") == 2013)["item_id"][0])
    facts = item_facts(data, item_ids=ids, cutoff=CUTOFF)
    ids.sort(key=lambda item_id: -_guessed_users(facts[item_id]))
    items = [_guess(facts[item_id], rank=rank) for rank, item_id in enumerate(ids, start=1)]
    return ReportContent(
        title="The films of the coming month",
        dataset=data.describe(),
        window=WINDOW,
        forecaster="trail",
        items=tuple(items),
        evaluation=evaluation_rows().with_columns(pl.lit(data.name).alias("dataset")),
    )


def _guessed_users(facts: ItemFacts) -> float:
    return 2.2 * facts.recent[7] + 0.3 * (facts.recent[30] - facts.recent[7]) + 3


def _guess(facts: ItemFacts, *, rank: int) -> ReportItem:
    expected = _guessed_users(facts)
    point = ForecastPoint(facts.item_id, WINDOW, rank, expected, expected * 0.62, expected * 1.5)
    pace = facts.recent[7] / 7 / max((facts.recent[30] - facts.recent[7]) / 23, 0.2)
    drivers = (
        Driver("level", "the total audience", min(facts.total_users / 400, 2.4) - 0.4),
        Driver("recency", "the last seven days", min(pace / 4, 3.0) - 0.3),
        Driver("age", "the time since release", 0.12 if len(facts.months) < 3 else -0.21),
        Driver("catalogue", "the catalogue entry", 0.06),
        Driver("season", "the season", -0.03),
    )
    return ReportItem(facts, point, write_explanation(facts, point, drivers, seed=rank), drivers)
