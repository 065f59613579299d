"""What claims of the corpus state, decided anew from the bundled log by other code than wrote them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl

Facts = Mapping[str, Any]
ROUNDING_SHARE, ROUNDING_LEAST = 0.15, 0.5


@dataclass(frozen=True)
class Film:
    """One film's raw numbers before a cut-off."""

    users: dict[str, int]
    whole: dict[str, int]
    """Only months seen whole."""
    recent: dict[int, int]
    total: int
    first: str


def film(log: pl.DataFrame, cutoff: datetime, *, log_start: datetime) -> Film:
    """Count from a film's rows of the log."""
    past = log.filter(pl.col("timestamp") < cutoff).with_columns(
        pl.col("timestamp").dt.strftime("%Y-%m").alias("month")
    )
    counts = dict(past.group_by("month").agg(pl.col("user_id").n_unique()).sort("month").iter_rows())
    first, users, year, month = min(counts), {}, int(min(counts)[:4]), int(min(counts)[5:])
    while datetime(year, month, 1, tzinfo=UTC) < cutoff:
        users[f"{year}-{month:02d}"] = counts.get(f"{year}-{month:02d}", 0)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    cut = f"{cutoff:%Y-%m}"
    whole = {name: n for name, n in users.items() if name < cut and f"{name}-01" >= f"{log_start:%Y-%m-%d}"}
    recent = {
        days: past.filter(pl.col("timestamp") >= cutoff - timedelta(days=days))["user_id"].n_unique()
        for days in (3, 7, 14, 30)
    }
    return Film(users, whole, recent, past["user_id"].n_unique(), first)


def number_holds(true: float, how: str, told: float) -> bool:
    """Whether a number may be told so; it is never close where it may not."""
    if how == "exact":
        return told == (round(true, 1) if isinstance(told, float) and told % 1 else round(true))
    if how == "over":
        return told < true <= 1.1 * told
    if how == "under":
        return 0.9 * told <= true < told
    return abs(told - true) <= max(ROUNDING_LEAST, ROUNDING_SHARE * true)


def of_film(says: Sequence[Any], found: Film, facts: Facts) -> bool:
    """Decide a statement about months and forecast."""
    what, *rest = says
    users, point = found.whole, facts["forecast"]
    last = max(users)
    if what == "users":
        return number_holds(users[rest[0]], rest[1], rest[2])
    if what == "extreme_users":
        return number_holds((max if rest[0] else min)(users.values()), rest[1], rest[2])
    if what == "percent":
        change = 100 * (users[rest[1]] / users[rest[0]] - 1)
        return (change > 0) == (rest[2] == "up") and number_holds(abs(change), rest[3], rest[4])
    plain: dict[str, Callable[[], bool]] = {
        "direction": lambda: (users[rest[1]] > users[rest[0]]) == (rest[2] == "up"),
        "more": lambda: users[rest[0]] > users[rest[1]],
        "run": lambda: _steps({m: n for m, n in users.items() if rest[0] <= m <= rest[1]}, rest[2]),
        "peak": lambda: users[rest[0]] == max(users.values()),
        "trough": lambda: users[rest[0]] == min(users.values()),
        "ratio": lambda: 0.9 < users[rest[1]] / users[rest[0]] / rest[2] < 1.1,
        "since": lambda: _since(users, *rest),
        "first": lambda: found.first == rest[0],
        "recent": lambda: number_holds(found.recent[rest[0]], rest[1], rest[2]),
        "total": lambda: number_holds(found.total, rest[0], rest[1]),
        "forecast": lambda: number_holds(point["expected"], rest[0], rest[1]),
        "low": lambda: number_holds(point["low"], rest[0], rest[1]),
        "high": lambda: number_holds(point["high"], rest[0], rest[1]),
        "rank": lambda: number_holds(point["rank"], rest[0], rest[1]),
        "forecast_vs": lambda: rest[0] == last and (point["expected"] > users[last]) == (rest[1] == "above"),
    }
    return plain[what]()


def _steps(users: Mapping[str, int], direction: str) -> bool:
    counts = [users[month] for month in sorted(users)]
    sign = 1 if direction == "up" else -1
    return len(counts) > 2 and all(sign * (b - a) > 0 for a, b in pairwise(counts))


def _since(users: Mapping[str, int], month: str, start: str, which: str) -> bool:
    sign = 1 if which == "highest" else -1
    between = [n for name, n in users.items() if start < name < month]
    beaten = all(sign * users[month] > sign * n for n in between)
    return bool(between) and beaten and sign * users[start] > sign * users[month]


def of_catalogue(says: Sequence[Any], row: Facts, *, item_id: str) -> bool:
    """Decide a statement about the film in question."""
    what, told = says[0], says[1]
    return {
        "genre": lambda: (told in row["genres"]) == says[2],
        "year": lambda: told == row["year"],
        "decade": lambda: told == row["year"] - row["year"] % 10,
        "director": lambda: told == row["director"],
        "actor": lambda: told in row["actors"],
        "title": lambda: told == item_id,
    }[what]()


@dataclass(frozen=True)
class Person:
    """A history as genres, and what the average viewer takes."""

    history: Sequence[str]
    genres: Mapping[str, Sequence[str]]
    average: Mapping[str, float]

    def share(self, genre: str, *, last: int | None = None, before: int | None = None) -> float:
        """Of the whole history, of its last films, or of those before the last."""
        part = self.history[-last:] if last else self.history[:-before] if before else self.history
        return sum(genre in self.genres[item] for item in part) / len(part)


def of_person(says: Sequence[Any], who: Person, facts: Facts) -> bool:
    """Decide a statement about a history, motivations, traits or levels."""
    what, *rest = says
    levels = facts.get("levels", {})
    if what == "count_last":
        genre, n, how, told = rest
        return number_holds(who.share(genre, last=n) * n, how, told)
    if what == "level_value":
        return number_holds(levels[rest[1]][rest[0]], rest[2], rest[3])
    shares = {genre: who.share(genre) for genre in who.average}
    plain: dict[str, Callable[[], bool]] = {
        "seen": lambda: rest[0] in who.history,
        "fraction": lambda: abs(shares[rest[0]] - rest[1]) < 0.04,
        "history": lambda: number_holds(len(who.history), rest[0], rest[1]),
        "versus_average": lambda: (shares[rest[0]] > who.average[rest[0]]) == (rest[1] == "more"),
        "times_average": lambda: 0.9 < shares[rest[0]] / who.average[rest[0]] / rest[1] < 1.1,
        "likes": lambda: shares[rest[0]] > who.average[rest[0]] and shares[rest[0]] >= 0.2,
        "never": lambda: shares[rest[0]] == 0,
        "most": lambda: shares[rest[0]] == max(shares.values()),
        "turning": lambda: (who.share(rest[0], last=rest[1]) > who.share(rest[0], before=rest[1])) == (rest[2] == "up"),
        "motivation": lambda: facts["motivations"][rest[0]] >= 2 if rest[1] else facts["motivations"][rest[0]] == 0,
        "strongest": lambda: facts["motivations"][rest[0]] == max(facts["motivations"].values()),
        "trait": lambda: (rest[0] in facts["traits"]) == rest[1],
        "level": lambda: (levels[rest[1]][rest[0]] > levels[rest[1]]["mean"]) == (rest[2] == "high"),
        "versus_mean": lambda: (levels[rest[0]]["item"] > levels[rest[0]]["mean"]) == (rest[1] == "above"),
        "versus_user": lambda: (levels[rest[0]]["item"] > levels[rest[0]]["user"]) == (rest[1] == "above"),
        "same_side": lambda: _alike(levels[rest[0]]) == rest[1],
    }
    return plain[what]()


def _alike(level: Facts) -> bool:
    return bool((level["item"] - level["mean"]) * (level["user"] - level["mean"]) > 0)
