"""Facts for the corpus: films, users and what is known of both at a cut-off, as JSON holds it.

History, users and genres are the bundled data's own. Invented, from seeds: who made a film, forecasts, aspect levels.
"""

import random
import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from whyrec.data.bundled import bundled_dataset
from whyrec.data.dataset import Dataset
from whyrec.data.facts import ItemFacts, item_facts
from whyrec.data.windows import WindowLength

HERE = Path(__file__).parent
WORLD = tomllib.loads((HERE / "world.toml").read_text(encoding="utf-8"))
CUTOFFS = tuple(datetime(2013, month, day, tzinfo=UTC) for month, day in ((8, 1), (9, 1), (10, 1), (10, 16)))
PEOPLE_CUTOFF = datetime(2013, 10, 1, tzinfo=UTC)
_FEWEST_USERS = 40
_HISTORY = (12, 60)

Case = dict[str, Any]  # Facts as JSON holds them; frames name what they need of it.


@dataclass(frozen=True)
class World:
    """Catalogue and cases to write about."""

    data: Dataset
    items: dict[str, dict[str, Any]]
    """Catalogue rows by item_id: title, year, genres, director, actors."""
    average: dict[str, float]
    """Mean over users of a genre's (``genres=comedy``) or decade's share of their films, before ``PEOPLE_CUTOFF``."""
    films: list[Case]
    users: list[Case]

    @property
    def traits(self) -> dict[str, str]:
        """Every trait that a film may have, as facts spell it."""
        return dict(WORLD["traits"])


def make_world(seed: int) -> World:
    """Gather everything, the same for the same seed."""
    data, rng = bundled_dataset(), random.Random(seed)
    items = _catalogue(data)
    log = data.before(PEOPLE_CUTOFF).collect().sort("timestamp", "user_id", "item_id")
    films = [film for cutoff in CUTOFFS for film in _films(data, cutoff, rng=rng, items=items)]
    average = _average(log, items)
    users = _users(data, log, items=items, rng=rng)
    return World(data, items, average, films, users)


def _catalogue(data: Dataset) -> dict[str, dict[str, Any]]:
    names = [f"{first} {last}" for first in WORLD["first_names"] for last in WORLD["last_names"]]
    items = {}
    for row in data.items.sort("item_id").to_dicts():
        cast = random.Random(f"cast of {row['item_id']}").sample(names, 3)
        genres = [genre for genre in row["genres"] or () if genre]
        items[row["item_id"]] = row | {"genres": genres, "director": cast[0], "actors": cast[1:]}
    return items


def _films(data: Dataset, cutoff: datetime, *, rng: random.Random, items: dict[str, Any]) -> list[Case]:
    counts = data.before(cutoff).group_by("item_id").len().filter(pl.col("len") >= _FEWEST_USERS).collect()
    found = item_facts(data, item_ids=sorted(counts["item_id"].to_list()), cutoff=cutoff)
    return [_film(facts, rng) for facts in found.values() if _complete(facts) >= 3 and items[facts.item_id]["genres"]]


def _complete(facts: ItemFacts) -> int:
    return sum(month.complete for month in facts.months)


def _film(facts: ItemFacts, rng: random.Random) -> Case:
    """One film at a cut-off; the forecast is the mean of two months, pushed up or down by chance."""
    whole = [month.users for month in facts.months if month.complete]
    expected = round(max(1.0, sum(whole[-2:]) / 2 * rng.choice((0.4, 0.6, 0.8, 1.0, 1.3, 1.8))), 1)
    window = WindowLength().following(facts.cutoff)
    return {
        "item_id": facts.item_id,
        "cutoff": facts.cutoff.date().isoformat(),
        "window": [window.start.date().isoformat(), window.end.date().isoformat()],
        "months": [[f"{month.window.start:%Y-%m}", month.users, month.complete] for month in facts.months],
        "recent": {str(days): users for days, users in facts.recent.items()},
        "total": facts.total_users,
        "first_seen": None if facts.first_seen is None else facts.first_seen.isoformat(),
        "mean_rating": facts.mean_rating,
        "forecast": {
            "rank": rng.randint(2, 90),
            "expected": expected,
            "low": float(int(expected * rng.uniform(0.5, 0.75))),
            "high": float(int(expected * rng.uniform(1.3, 1.8)) + 1),
        },
    }


def _average(log: pl.DataFrame, items: dict[str, Any]) -> dict[str, float]:
    shares: defaultdict[str, float] = defaultdict(float)
    histories = log.group_by("user_id").agg("item_id")
    for history in histories["item_id"].to_list():
        for item_id in history:
            for trait in traits_of(items[item_id]):
                shares[trait] += 1 / len(history)
    return {trait: round(share / len(histories), 6) for trait, share in sorted(shares.items())}


def traits_of(item: dict[str, Any]) -> list[str]:
    """Genres and decade, as the averages name them."""
    decade = [] if item["year"] is None else [f"decade={item['year'] // 10 * 10}s"]
    return [*(f"genres={genre.lower().replace('-', ' ')}" for genre in item["genres"]), *decade]


def _users(data: Dataset, log: pl.DataFrame, *, items: dict[str, Any], rng: random.Random) -> list[Case]:
    later = data.interactions.filter(pl.col("timestamp") >= PEOPLE_CUTOFF).collect().sort("timestamp", "item_id")
    taken = {user: rows["item_id"].to_list() for (user,), rows in later.group_by("user_id")}
    cases = []
    for (user,), rows in log.group_by("user_id", maintain_order=True):
        history = rows["item_id"].to_list()
        targets = [item for item in taken.get(user, ()) if items[item]["genres"] and item not in history]
        if _HISTORY[0] <= len(history) <= _HISTORY[1] and targets:
            cases.append(_user(history, rng.choice(targets), items=items, rng=rng))
    return cases


def _user(history: list[str], target: str, *, items: dict[str, Any], rng: random.Random) -> Case:
    genres = Counter(genre for item_id in history for genre in items[item_id]["genres"])
    of_genre: dict[str, str] = WORLD["motivation_of_genre"]
    strengths = dict.fromkeys(sorted({*of_genre.values(), "value", "performance", "safety"}), 0)
    for genre, count in genres.items():
        key = of_genre.get(genre)
        if key is not None:
            share = count / len(history)
            strength = 3 if share > 0.4 else 2 if share > 0.2 else 1 if share > 0.05 else 0
            strengths[key] = max(strengths[key], strength)
    traits = {trait for genre in items[target]["genres"] for trait in WORLD["trait_of_genre"].get(genre, ())}
    levels = {key: _levels(rng) for key in WORLD["aspects"]}
    return {
        "item_id": target,
        "cutoff": PEOPLE_CUTOFF.date().isoformat(),
        "history": history,
        "motivations": strengths,
        "traits": {key: WORLD["traits"][key] for key in sorted(traits)},
        "levels": levels,
    }


def _levels(rng: random.Random) -> dict[str, float]:
    """Levels from 1 to 10, clearly off the mean: a text need not hedge."""
    mean = round(rng.uniform(4.8, 6.2), 1)
    off = (rng.choice((-1, 1)) * rng.uniform(1.8, 3.7) for _ in range(2))
    item, user = (round(mean + step, 1) for step in off)
    return {"item": item, "user": user, "mean": mean}
