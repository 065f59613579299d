"""What the corpus talks about: real films, histories and users of the bundled data, and what is drawn beside them.

The bundled catalogue has no people, levels or motivations. Those are drawn (seeded) and stored with the corpus:
a director and two actors for every film, phrases that mark it, levels on aspects, strengths of motivations.
"""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl
from corpus_people import cast_of, marks_of

from whyrec.data.bundled import bundled_dataset
from whyrec.data.facts import ItemFacts, item_facts
from whyrec.data.windows import WindowLength

CUTOFFS = tuple(datetime(2013, month, day, tzinfo=UTC) for month, day in ((8, 1), (9, 1), (9, 12), (10, 8), (11, 1)))
USERS_AT = datetime(2013, 11, 1, tzinfo=UTC)
N_FILMS, N_USERS, N_MORE = 70, 400, 300


def draw_world(seed: int) -> dict[str, Any]:
    """Draw films at cut-offs, users and the part of the catalogue that they need."""
    data, rng = bundled_dataset(), random.Random(seed)
    rows = {row["item_id"]: row for row in data.items.to_dicts() if _is_usable(row)}
    films = [film for cutoff in CUTOFFS for film in _films(data, rows, cutoff=cutoff, rng=rng)]
    users = _users(data, rows, rng=rng)
    needed = {film["item_id"] for film in films} | {it for user in users for it in (*user["history"], user["item_id"])}
    more = rng.sample(sorted(set(rows) - needed), N_MORE)
    catalogue = {it: _entry(rows[it], rng) for it in sorted(needed | set(more))}
    return {"films": films, "users": users, "catalogue": catalogue, "averages": _averages(users, catalogue)}


def _averages(users: Sequence[dict[str, Any]], catalogue: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Mean over users of the share of their history that has a genre."""
    shares: Counter[str] = Counter()
    for user in users:
        for item_id in user["history"]:
            for genre in catalogue[item_id]["genres"]:
                shares[genre] += 1 / len(user["history"]) / len(users)
    return dict(shares)


def _is_usable(row: dict[str, Any]) -> bool:
    return bool(row["genres"]) and row["year"] is not None and not set(row["title"]) & set('“”‘’"«»')


def _entry(row: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    director, *cast = cast_of(rng)
    marks = marks_of(row["genres"], rng)
    return {**row, "genres": list(row["genres"]), "director": director, "cast": cast, "marks": marks}


def _films(data: Any, rows: dict[str, Any], *, cutoff: datetime, rng: random.Random) -> list[dict[str, Any]]:
    log = data.before(cutoff).group_by("item_id").agg(pl.len().alias("n")).collect()
    busy = sorted(it for it, n in log.iter_rows() if n >= 60 and it in rows)
    facts = item_facts(data, item_ids=busy, cutoff=cutoff)
    rich = [it for it in busy if sum(month.complete for month in facts[it].months) >= 3]
    return [_film(facts[it], rng) for it in rng.sample(rich, min(N_FILMS, len(rich)))]


def _film(facts: ItemFacts, rng: random.Random) -> dict[str, Any]:
    """A film at a cut-off, as JSON holds it, with a forecast drawn around what came last."""
    is_month = facts.cutoff.day == 1
    window = WindowLength(None if is_month else 30).following(facts.cutoff)
    expected = max(2.0, facts.recent[30] * rng.choice((0.4, 0.6, 0.75, 1.0, 1.3, 1.6)) * rng.uniform(0.95, 1.05))
    return {
        "item_id": facts.item_id,
        "cutoff": facts.cutoff.date().isoformat(),
        "months": [[f"{it.window.start:%Y-%m}", it.users, it.complete] for it in facts.months],
        "recent": {str(days): users for days, users in facts.recent.items()},
        "total": facts.total_users,
        "first_seen": str(facts.first_seen),
        "rating": None if facts.mean_rating is None else round(facts.mean_rating, 4),
        "forecast": {
            "start": window.start.date().isoformat(),
            "end": window.end.date().isoformat(),
            "is_month": is_month,
            "rank": rng.randint(1, 10),
            "expected": round(expected, 1),
            "low": round(expected * rng.uniform(0.6, 0.8), 1),
            "high": round(expected * rng.uniform(1.25, 1.6), 1),
        },
    }


def _users(data: Any, rows: dict[str, Any], *, rng: random.Random) -> list[dict[str, Any]]:
    """Users with a history before the moment, and a popular film that they have not seen."""
    log = data.before(USERS_AT).filter(pl.col("item_id").is_in(list(rows))).collect()
    log = log.sort("timestamp", "user_id", "item_id")
    sizes = log.group_by("user_id").agg(pl.len().alias("n")).filter(pl.col("n").is_between(12, 60))
    chosen = rng.sample(sorted(sizes["user_id"]), N_USERS)
    by_user = log.filter(pl.col("user_id").is_in(chosen)).group_by("user_id", maintain_order=True).agg("item_id")
    histories = dict(by_user.iter_rows())
    counts = log.group_by("item_id").agg(pl.len().alias("n")).filter(pl.col("n") >= 40)
    popular = sorted(counts["item_id"])
    return [_user(user, histories[user], popular, rng=rng) for user in chosen]


def _user(user_id: str, history: Sequence[str], popular: Sequence[str], *, rng: random.Random) -> dict[str, Any]:
    seen = set(history)
    target = rng.choice([it for it in popular if it not in seen])
    return {"user_id": user_id, "history": list(history), "item_id": target, "cutoff": USERS_AT.date().isoformat()}
