"""Facts about what a user took before, true or false as asked: what a text in the manner of CURec tells."""

import re
from collections import Counter
from typing import Any

from corpus_facts import Case, Fact, maker
from corpus_film_facts import GENRES, _other, is_near, target
from corpus_wording import FRACTIONS, words


def films(case: Case, last: int | None = None) -> list[dict[str, Any]]:
    """The films of the history, oldest first; the last so many if asked."""
    history = case.facts["history"]
    return [case.catalogue[it] for it in (history if last is None else history[-last:])]


def counts(case: Case, last: int | None = None) -> Counter[str]:
    """How many films of the history have each genre that can be said."""
    return Counter(genre for film in films(case, last) for genre in film["genres"] if genre in GENRES)


def aspect_id(attribute: str, value: str) -> str:
    """The id of an aspect's evidence: the value in small letters, its words parted by single spaces."""
    return f"aspect:{attribute}={' '.join(re.findall(r'[a-z0-9]+', value.lower()))}"


def slots_of(case: Case, genre: str, *, other: str | None = None) -> dict[str, str]:
    """How a genre is said, in the singular and in the plural."""
    one, many = case.rng.choice(case.voice.words["genres"][genre])
    more = {} if other is None else {"others": case.rng.choice(case.voice.words["genres"][other])[1]}
    return {"genre": one, "genres": many, **more}


@maker
def taken(case: Case, true: bool) -> Fact | None:
    """A title of the history; a falsehood names a film that the user never took."""
    mine = films(case)
    said = case.rng.choice(mine) if true else _other(case)
    if not true and said["title"].casefold() in {it["title"].casefold() for it in mine}:
        return None
    ids = [f"interaction:{said['item_id']}"] if true else []
    return Fact({"title": case.quote(said["title"])}, {"title": said["title"]}, ids)


@maker
def history_length(case: Case, true: bool) -> Fact | None:
    """How many films the user took so far."""
    n = len(case.facts["history"])
    text, says = case.say_count(n, true)
    return Fact({"n": text}, says, ["history"])


@maker
def genre_count(case: Case, true: bool) -> Fact | None:
    """So many of all films, or of the last ten, are of a genre."""
    last = case.rng.choice((None, 10))
    found = [(genre, n) for genre, n in counts(case, last).items() if n >= 2]
    if not found:
        return None
    genre, n = case.rng.choice(found)
    size = len(films(case, last))
    wrong = [it for it in range(2, size + 1) if abs(it - n) >= max(2, 0.34 * n)]
    said = n if true else case.rng.choice(wrong)
    spelled = words(said) if case.rng.random() < 0.5 and said < 20 else str(said)
    of = case.rng.choice(("the last ten", "the 10 most recent")) if last else f"all {size}"
    says = {"genre": genre, "said": said, "last": last}
    return Fact({**slots_of(case, genre), "n": spelled, "of": of}, says, [aspect_id("genres", genre)])


@maker
def genre_fraction(case: Case, true: bool) -> Fact | None:
    """About a quarter, a third, a half or two thirds of the history are of a genre."""
    shares = {genre: n / len(films(case)) for genre, n in counts(case).items()}
    found = [(genre, part) for genre, share in shares.items() for part in FRACTIONS if abs(share - part) <= 0.035]
    if not found:
        return None
    genre, part = case.rng.choice(found)
    said = part if true else case.rng.choice([it for it in FRACTIONS if abs(it - part) > 0.15])
    says = {"genre": genre, "part": round(said, 3)}
    return Fact({**slots_of(case, genre), "part": FRACTIONS[said]}, says, [aspect_id("genres", genre)])


@maker
def ever(case: Case, true: bool) -> Fact | None:
    """Has taken, or never has taken, something of a genre; affirmative: has."""
    held = {genre for film in films(case) for genre in film["genres"]}
    said = case.rng.random() < 0.4
    pool = [it for it in GENRES if (it in held) == (said == true)]
    if said != true and not said:
        pool = [it for it in pool if counts(case)[it] >= 2]
    if not pool:
        return None
    genre = case.rng.choice(pool)
    return Fact(slots_of(case, genre), {"genre": genre, "ever": said}, [aspect_id("genres", genre)], said)


@maker
def favourite(case: Case, true: bool) -> Fact | None:
    """The genre that the user takes most; a falsehood names one that is rare in the history."""
    ranked = counts(case).most_common()
    if len(ranked) < 2 or ranked[0][1] < 1.2 * ranked[1][1]:
        return None
    rare = [it for it in GENRES if counts(case)[it] <= 0.3 * ranked[0][1] and not is_near(it, {ranked[0][0]})]
    genre = ranked[0][0] if true else case.rng.choice(rare)
    return Fact(slots_of(case, genre), {"genre": genre}, [aspect_id("genres", genre)])


@maker
def majority(case: Case, true: bool) -> Fact | None:
    """More, or less, than half of the history is of a genre; affirmative: more."""
    n = len(films(case))
    far = [(genre, c / n) for genre, c in counts(case).items() if c / n >= 0.6 or 0.1 <= c / n <= 0.4]
    if not far:
        return None
    genre, share = case.rng.choice(far)
    said = (share > 0.5) == true
    return Fact(slots_of(case, genre), {"genre": genre, "more": said}, [aspect_id("genres", genre)], said)


@maker
def leaning(case: Case, true: bool) -> Fact | None:
    """Takes more, or less, of a genre than the mean user; affirmative: more."""
    n, mean = len(films(case)), case.averages
    lifts = [(genre, counts(case)[genre] / n / mean[genre]) for genre in GENRES if mean.get(genre, 0) >= 0.03]
    far = [(genre, lift) for genre, lift in lifts if lift >= 1.4 or 0 < lift <= 0.65]
    if not far:
        return None
    genre, lift = case.rng.choice(far)
    said = (lift > 1) == true
    return Fact(slots_of(case, genre), {"genre": genre, "more": said}, [aspect_id("genres", genre)], said)


@maker
def times_average(case: Case, true: bool) -> Fact | None:
    """So many times as often as the mean user."""
    n, mean = len(films(case)), case.averages
    lifts = [(genre, counts(case)[genre] / n / mean[genre]) for genre in GENRES if mean.get(genre, 0) >= 0.03]
    near = [(genre, k) for genre, lift in lifts for k in (2, 3, 4) if abs(lift - k) <= 0.12 * k]
    if not near:
        return None
    genre, k = case.rng.choice(near)
    said = k if true else case.rng.choice([it for it in (2, 3, 4, 5, 6, 8) if it >= 1.6 * k or it <= 0.6 * k])
    text = "twice" if said == 2 else f"{words(said)} times"
    return Fact({**slots_of(case, genre), "times": text}, {"genre": genre, "times": said}, [aspect_id("genres", genre)])


@maker
def genre_against_genre(case: Case, true: bool) -> Fact | None:
    """More, or fewer, films of one genre than of another in the history; affirmative: more."""
    found = counts(case)
    pairs = [(a, b) for a in found for b in found if found[a] >= 1.5 * found[b] and found[a] - found[b] >= 2]
    if not pairs:
        return None
    more, fewer = case.rng.choice(pairs)
    said = case.rng.random() < 0.5
    one, other = (more, fewer) if said == true else (fewer, more)
    says = {"one": one, "other": other, "more": said}
    ids = [aspect_id("genres", one), aspect_id("genres", other)]
    return Fact(slots_of(case, one, other=other), says, ids, said)


@maker
def seen_person(case: Case, true: bool) -> Fact | None:
    """A film of the history has this director; a falsehood names somebody who made none of them."""
    directors = {it["director"] for it in films(case)}
    said = case.rng.choice(sorted(directors)) if true else _other(case)["director"]
    if not true and (said in directors or said == target(case)["director"]):
        return None
    return Fact({"person": said}, {"person": said}, [aspect_id("director", said)])
