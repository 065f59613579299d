"""Motivations, traits and levels on aspects, true or false as asked: texts as of M-LLM3REC and of guided refinement."""

from typing import Any

from corpus_facts import Case, Fact, maker
from corpus_film_facts import target
from corpus_people import ALL_MARKS

WISHES = (
    "performance",
    "convenience",
    "aesthetics",
    "enjoyment",
    "status",
    "value",
    "safety",
    "sustainability",
    "novelty",
    "giving",
)
ASPECTS = (
    *("story_complexity", "dialogue_complexity", "intellectual_challenge", "emotional_intensity", "tension", "pace"),
    *("visual_auditory_intensity", "realism_fantasy", "historical_contemporary", "social_value", "group_viewing"),
    "length",
)
_NO_SCALES = ("realism_fantasy", "historical_contemporary", "group_viewing", "length")
SCALES = tuple(key for key in ASPECTS if key not in _NO_SCALES)
"""Aspects that one speaks of having more or less of."""


def motivations_of(rng: Any) -> dict[str, int]:
    """Strengths from 0 to 3; one is the strongest, half of them are absent."""
    keys = list(WISHES)
    rng.shuffle(keys)
    return {keys[0]: 3, keys[1]: 2, keys[2]: rng.choice((1, 2)), **dict.fromkeys(keys[3:], 0)}


def levels_of(rng: Any) -> dict[str, dict[str, float]]:
    """Levels from 1 to 10 on every aspect: the film's, the user's and the mean film's; never near to the mean."""
    found = {}
    for key in ASPECTS:
        mean = rng.uniform(4.5, 6.5)
        away = {who: rng.choice((-1, 1)) * rng.uniform(1.2, 3.2) for who in ("item", "user")}
        found[key] = {"mean": round(mean, 1), **{who: round(mean + by, 1) for who, by in away.items()}}
    return found


def wish(case: Case, key: str) -> dict[str, str]:
    """A way to name a motivation."""
    return {"wish": case.rng.choice(case.voice.words["wishes"][key])}


def aspect_name(case: Case, key: str) -> str:
    """A way to name an aspect."""
    return str(case.rng.choice(case.voice.words["aspects"][key]["names"]))


@maker
def motive_present(case: Case, true: bool) -> Fact | None:
    """Clearly looks for something, or does not; affirmative: does."""
    strengths, said = case.facts["motivations"], case.rng.random() < 0.65
    key = case.rng.choice(
        [it for it, strength in strengths.items() if (strength >= 2) == (said == true) and strength != 1]
    )
    return Fact(wish(case, key), {"motive": key, "present": said}, [f"motivation:{key}"], said)


@maker
def motive_first(case: Case, true: bool) -> Fact | None:
    """What somebody looks for above all; a falsehood names what is absent or weak."""
    strengths = case.facts["motivations"]
    key = case.rng.choice([it for it, strength in strengths.items() if (strength == 3 if true else strength <= 1)])
    return Fact(wish(case, key), {"motive": key}, [f"motivation:{key}"])


@maker
def motive_strength(case: Case, true: bool) -> Fact | None:
    """How strong a motivation is, from 0 to 3."""
    key, strength = case.rng.choice(list(case.facts["motivations"].items()))
    said = strength if true else (strength + 2) % 4
    return Fact({**wish(case, key), "n": str(said)}, {"motive": key, "strength": said}, [f"motivation:{key}"])


@maker
def mark(case: Case, true: bool) -> Fact | None:
    """Something that marks the film; a falsehood is a mark of others, or denies one that it has."""
    held, said = target(case)["marks"], case.rng.random() < 0.75
    pool = held if said == true else [it for it in ALL_MARKS if it not in held]
    chosen = case.rng.choice(pool)
    text = case.voice.words["marks"].get(chosen, chosen) if case.rng.random() < 0.35 else chosen
    return Fact({"mark": text}, {"mark": chosen, "has": said}, [f"trait:{chosen}"], said)


@maker
def item_side(case: Case, true: bool) -> Fact | None:
    """On which side of the mean film this film stands, as an adjective."""
    return _side(case, case.rng.choice(list(ASPECTS)), "item", true=true)


@maker
def user_side(case: Case, true: bool) -> Fact | None:
    """Which side the user prefers, as an adjective."""
    return _side(case, case.rng.choice(list(ASPECTS)), "user", true=true)


@maker
def item_end(case: Case, true: bool) -> Fact | None:
    """Whether this film is high or low on an aspect; affirmative: high."""
    return _side(case, case.rng.choice(SCALES), "item", true=true)


@maker
def user_end(case: Case, true: bool) -> Fact | None:
    """Whether the user prefers films high or low on an aspect; affirmative: high."""
    return _side(case, case.rng.choice(SCALES), "user", true=true)


def _side(case: Case, key: str, who: str, *, true: bool) -> Fact:
    level = case.facts["levels"][key]
    said = (level[who] > level["mean"]) == true
    words = case.voice.words["aspects"][key]
    slots = {"aspect": case.rng.choice(words["names"]), "end": case.rng.choice(words["high" if said else "low"])}
    return Fact(slots, {"aspect": key, "who": who, "high": said}, [f"level:{who}:{key}"], said)


@maker
def level_value(case: Case, true: bool) -> Fact | None:
    """The film's level in points."""
    key = case.rng.choice(SCALES)
    level = case.facts["levels"][key]["item"]
    said = level if true else round(level + 3.1 if level < 5.5 else level - 3.1, 1)
    slots = {"aspect": aspect_name(case, key), "n": f"{said:g}"}
    return Fact(slots, {"aspect": key, "points": said}, [f"level:item:{key}"])


@maker
def item_against_user(case: Case, true: bool) -> Fact | None:
    """The film stands higher, or lower, on an aspect than what the user prefers; affirmative: higher."""
    far = [key for key in SCALES if abs(case.facts["levels"][key]["item"] - case.facts["levels"][key]["user"]) >= 0.8]
    if not far:
        return None
    key = case.rng.choice(far)
    level = case.facts["levels"][key]
    said = (level["item"] > level["user"]) == true
    ids = [f"level:item:{key}", f"level:user:{key}"]
    return Fact(
        {"aspect": aspect_name(case, key)},
        {"aspect": key, "higher": said},
        ids,
        said,
    )


@maker
def item_against_mean(case: Case, true: bool) -> Fact | None:
    """The film stands above, or below, the mean film on an aspect; affirmative: above."""
    key = case.rng.choice(SCALES)
    level = case.facts["levels"][key]
    said = (level["item"] > level["mean"]) == true
    slots = {"aspect": aspect_name(case, key)}
    return Fact(slots, {"aspect": key, "above": said}, [f"level:item:{key}"], said)


@maker
def same_side(case: Case, true: bool) -> Fact | None:
    """User and film stand on the same side of the mean, or on opposite sides; affirmative: the same."""
    key = case.rng.choice(list(case.facts["levels"]))
    level = case.facts["levels"][key]
    said = ((level["item"] > level["mean"]) == (level["user"] > level["mean"])) == true
    ids = [f"level:item:{key}", f"level:user:{key}"]
    return Fact({"aspect": aspect_name(case, key)}, {"aspect": key, "same": said}, ids, said)
