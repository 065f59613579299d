"""Labels of the corpus against the data: every statement is computed again here, from the raw log and the catalogue."""

import importlib
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from whyrec.data.bundled import bundled_dataset

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
CORPUS = importlib.import_module("verification_corpus_reader").read_corpus()
CLAIMS = [(record, claim) for record in CORPUS.records for claim in record["claims"]]
LOG_STARTS = datetime(2013, 2, 28, tzinfo=UTC)


@cache
def log() -> dict[str, list[tuple[datetime, str, float]]]:
    """All interactions with the corpus's films: when, who, rating."""
    films = {record["facts"]["item_id"] for record in CORPUS.records if record["method"] == "trail"}
    rows = bundled_dataset().interactions.filter(pl.col("item_id").is_in(films)).collect().sort("timestamp")
    found: dict[str, list[tuple[datetime, str, float]]] = {it: [] for it in films}
    for row in rows.iter_rows(named=True):
        found[row["item_id"]].append((row["timestamp"], row["user_id"], row["rating"]))
    return found


@cache
def seen(item_id: str, cutoff: str) -> list[tuple[datetime, str, float]]:
    return [it for it in log()[item_id] if it[0] < datetime.fromisoformat(cutoff).replace(tzinfo=UTC)]


@cache
def months(item_id: str, cutoff: str) -> dict[str, int]:
    """Distinct users by month that is whole: neither the log's first nor that of the cut-off."""
    users: dict[str, set[str]] = {}
    for when, user, _ in seen(item_id, cutoff):
        users.setdefault(f"{when:%Y-%m}", set()).add(user)
    first = min(users)
    whole = [f"2013-{month:02d}" for month in range(3, 12) if first <= f"2013-{month:02d}" < cutoff[:7]]
    return {key: len(users.get(key, ())) for key in whole}


def fits(value: float, says: dict[str, Any]) -> bool:
    """Whether a number said with its relation can be said of a value; a rounding is within six per cent."""
    said = says["said"]
    return {
        "exact": value == said,
        "about": abs(value - said) <= 0.06 * value,
        "over": said < value <= 1.08 * said,
        "under": 0.92 * said <= value < said,
    }[says["relation"]]


def holds(record: dict[str, Any], claim: dict[str, Any]) -> bool:
    """Whether a statement holds."""
    return (of_film if record["method"] == "trail" else of_catalogue)(record, claim)


def of_film(record: dict[str, Any], claim: dict[str, Any]) -> bool:
    """Whether a statement on a film's history or forecast holds."""
    says, facts = claim["says"], record["facts"]
    key = facts["item_id"], facts["cutoff"]
    count, events, forecast = months(*key), seen(*key), facts["forecast"]
    match claim["fact"]:
        case "month_count":
            return fits(count[says["month"]], says)
        case "recent_count":
            start = datetime.fromisoformat(facts["cutoff"]).replace(tzinfo=UTC) - timedelta(days=says["days"])
            return fits(len({user for when, user, _ in events if when >= start}), says)
        case "total_count":
            return fits(len({user for _, user, _ in events}), says)
        case "rating":
            return abs(sum(it[2] for it in events) / len(events) - says["rating"]) <= 0.051
        case "expected":
            return fits(round(forecast["expected"]), says)
        case "interval":
            return (says["low"], says["high"]) == (round(forecast["low"]), round(forecast["high"]))
        case "rank":
            return says["rank"] == forecast["rank"]
        case "first_month":
            return f"{events[0][0]:%Y-%m}" == says["month"]
        case "month_of_count":
            return fits(count.get(says["month"], 0), says)
        case "forecast_month":
            return forecast["start"] == f"{says['month']}-01"
        case "change" | "latest_change" | "later_change":
            return (count[says["late"]] > count[says["early"]]) == says["up"]
        case "forecast_change":
            return (forecast["expected"] > facts["recent"]["30"]) == says["up"]
        case "peak_month":
            return max(count, key=lambda it: count[it]) == says["month"]
        case "peak_count":
            return max(count.values()) == count[says["month"]] and fits(count[says["month"]], says)
        case "low_month":
            return min(count, key=lambda it: count[it]) == says["month"]
        case "past_peak":
            return (count[says["late"]] == max(count.values())) == says["is_peak"]
        case "more_than":
            return (count[says["one"]] > count[says["other"]]) == says["more"]
        case "factor":
            return abs(count[says["late"]] / count[says["early"]] - says["times"]) <= 0.2 * says["times"]
        case "percent":
            change = 100 * (count[says["late"]] / count[says["early"]] - 1)
            return abs(change - (says["percent"] if says["up"] else -says["percent"])) <= 3
        case "fraction":
            change = count[says["late"]] / count[says["early"]] - 1
            return abs(change - (says["part"] if says["up"] else -says["part"])) <= 0.04
        case "highest_since":
            between = [n for month, n in count.items() if says["since"] < month < says["late"]]
            return count[says["since"]] >= count[says["late"]] > max(between)
        case _:
            return of_catalogue(record, claim)


def of_catalogue(record: dict[str, Any], claim: dict[str, Any]) -> bool:
    """Whether a statement on the explained film holds."""
    says, film = claim["says"], CORPUS.catalogue[record["facts"]["item_id"]]
    match claim["fact"]:
        case "genre":
            return says["genre"] in film["genres"]
        case "not_genre":
            return says["genre"] not in film["genres"]
        case "year":
            return bool(says["year"] == film["year"])
        case "decade":
            return bool(says["decade"] == film["year"] - film["year"] % 10)
        case "director":
            return bool(says["person"] == film["director"])
        case "actor":
            return says["person"] in film["cast"]
        case "own_title":
            return bool(says["title"] == film["title"])
        case "mark":
            return (says["mark"] in film["marks"]) == says["has"]
        case _:
            return of_user(record, claim)


def of_user(record: dict[str, Any], claim: dict[str, Any]) -> bool:
    """Whether a statement on a user's history holds."""
    says = claim["says"]
    past = [CORPUS.catalogue[it] for it in CORPUS.log[record["facts"]["user_id"]]]
    recent = past[-says["last"] :] if says.get("last") else past
    count = Counter(genre for film in recent for genre in film["genres"])
    share = count[says.get("genre", "")] / len(past)
    match claim["fact"]:
        case "taken":
            return says["title"] in [film["title"] for film in past]
        case "seen_person":
            return says["person"] in [film["director"] for film in past]
        case "history_length":
            return fits(len(past), says)
        case "genre_count":
            return bool(count[says["genre"]] == says["said"])
        case "genre_fraction":
            return abs(share - says["part"]) <= 0.04
        case "ever":
            return (count[says["genre"]] > 0) == says["ever"]
        case "favourite":
            return count[says["genre"]] == max(count.values())
        case "majority":
            return (share > 0.5) == says["more"]
        case "leaning":
            return (share > average()[says["genre"]]) == says["more"]
        case "times_average":
            return abs(share / average()[says["genre"]] - says["times"]) <= 0.13 * says["times"]
        case "genre_against_genre":
            return (count[says["one"]] > count[says["other"]]) == says["more"]
        case _:
            return of_inference(record["facts"], claim)


@cache
def average() -> dict[str, float]:
    """Each genre's share, meaned over the users of the corpus."""
    shares: defaultdict[str, float] = defaultdict(float)
    for history in CORPUS.log.values():
        for genre, n in Counter(g for it in history for g in CORPUS.catalogue[it]["genres"]).items():
            shares[genre] += n / len(history)
    return {genre: share / len(CORPUS.log) for genre, share in shares.items()}


def of_inference(facts: dict[str, Any], claim: dict[str, Any]) -> bool:
    """Whether a statement on motivations or levels holds."""
    says = claim["says"]
    if "motive" in says:
        strength, strongest = facts["motivations"][says["motive"]], max(facts["motivations"].values())
        if claim["fact"] == "motive_strength":
            return bool(strength == says["strength"])
        return (strength >= 2) == says["present"] if "present" in says else bool(strength == strongest)
    level = facts["levels"][says["aspect"]]
    match claim["fact"]:
        case "item_side" | "item_end" | "user_side" | "user_end":
            return (level[says["who"]] > level["mean"]) == says["high"]
        case "level_value":
            return bool(level["item"] == says["points"])
        case "item_against_user":
            return (level["item"] > level["user"]) == says["higher"]
        case "item_against_mean":
            return (level["item"] > level["mean"]) == says["above"]
        case "same_side":
            return ((level["item"] - level["mean"]) * (level["user"] - level["mean"]) > 0) == says["same"]
        case other:
            raise AssertionError(other)


@pytest.mark.parametrize("part", ["development", "held_out"])
def test_labels_agree_with_the_data(part: str) -> None:
    wrong = [
        (record["id"], claim["fact"], claim["says"], claim["is_true"])
        for record, claim in CLAIMS
        if record["part"] == part and holds(record, claim) != claim["is_true"]
    ]
    assert wrong == []


def test_wrong_numbers_are_wrong_however_they_are_read() -> None:
    facts = ("month_count", "total_count", "expected", "month_of_count", "peak_count")
    for record, claim in CLAIMS:
        says, about = claim["says"], record["facts"]
        if claim["is_true"] or claim["fact"] not in facts:
            continue
        count = {month: users for month, users, _ in about["months"]}
        value = {"total_count": about["total"], "expected": round(about["forecast"]["expected"])}.get(claim["fact"])
        value = count[says["month"]] if value is None else value
        far = {"over": value <= says["said"], "under": value >= says["said"]}
        assert far.get(says["relation"], abs(value - says["said"]) >= 0.2 * value), (record["id"], says, value)


def test_a_wrong_label_would_be_noticed() -> None:
    record, claim = next(pair for pair in CLAIMS if pair[1]["fact"] == "month_count" and pair[1]["is_true"])
    assert not of_film(record, {**claim, "says": {**claim["says"], "said": 9999}})


def test_stored_facts_are_those_of_the_log() -> None:
    for record in CORPUS.records:
        if record["method"] == "trail":
            facts = record["facts"]
            whole = {month: users for month, users, is_whole in facts["months"] if is_whole}
            assert whole == months(facts["item_id"], facts["cutoff"])


def test_histories_are_those_of_the_log_before_the_moment() -> None:
    before = (
        bundled_dataset().before(datetime(2013, 11, 1, tzinfo=UTC)).filter(pl.col("user_id").is_in(list(CORPUS.log)))
    )
    rows = before.collect().sort("timestamp", "user_id", "item_id")
    for (user,), frame in rows.group_by("user_id"):
        known = [it for it in frame["item_id"] if it in CORPUS.catalogue]
        assert set(CORPUS.log[str(user)]) <= set(known)
        assert [it for it in known if it in set(CORPUS.log[str(user)])] == list(CORPUS.log[str(user)])
