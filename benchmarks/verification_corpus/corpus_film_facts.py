"""Facts of the catalogue, true or false as asked: genres, years, people and titles, for all methods."""

from typing import Any

from corpus_facts import Case, Fact, maker

GENRES = (
    "Western",
    "Comedy",
    "Drama",
    "Thriller",
    "Romance",
    "Action",
    "Crime",
    "Horror",
    "Adventure",
    "Mystery",
    "Sci-Fi",
    "Fantasy",
    "Documentary",
    "Family",
    "Animation",
    "War",
    "Musical",
    "Biography",
    "Sport",
    "History",
)
"""Genres that can be said as "a western", "westerns"; how, stands in the words of a part."""
ALIKE = (
    {"Thriller", "Mystery", "Crime", "Horror"},
    {"Adventure", "Action", "Fantasy", "Sci-Fi"},
    {"Family", "Animation"},
    {"Biography", "History", "Documentary", "Drama"},
    {"Music", "Musical"},
    {"War", "History"},
    {"Comedy", "Family"},
)
"""Genres that a fair reader might take for one another: never planted for each other."""


def target(case: Case) -> dict[str, Any]:
    """The film that is explained."""
    return case.catalogue[case.facts["item_id"]]


def is_near(genre: str, held: set[str]) -> bool:
    """Whether somebody could call a film of these genres one of that genre."""
    return genre in held or any(genre in group and group & held for group in ALIKE)


@maker
def genre(case: Case, true: bool) -> Fact | None:
    """A genre that the film has; affirmative always."""
    held = set(target(case)["genres"])
    pool = [it for it in GENRES if it in held] if true else [it for it in GENRES if not is_near(it, held)]
    if not pool:
        return None
    said = case.rng.choice(pool)
    one, many = case.rng.choice(case.voice.words["genres"][said])
    return Fact({"genre": one, "genres": many, "bare": said.lower()}, {"genre": said}, ["attribute:genres"])


@maker
def not_genre(case: Case, true: bool) -> Fact | None:
    """A genre that the film does not have."""
    found = genre(case, not true)
    if found is not None:
        found.affirmative = False
    return found


@maker
def year(case: Case, true: bool) -> Fact | None:
    """The year it came out."""
    made = target(case)["year"]
    said = made if true else made + case.rng.choice((-23, -14, -9, -5, -3))
    return Fact({"year": str(said), "yy": f"{said % 100:02d}"}, {"year": said}, ["attribute:year"])


@maker
def decade(case: Case, true: bool) -> Fact | None:
    """The decade it came out in, for older films said in words."""
    made = target(case)["year"] // 10 * 10
    said = made if true else case.rng.choice([it for it in range(1950, 2020, 10) if abs(it - made) > 10])
    names = {1950: "fifties", 1960: "sixties", 1970: "seventies", 1980: "eighties", 1990: "nineties"}
    text = case.rng.choice((f"{said}s", names.get(said, f"{said}s")))
    return Fact({"decade": text}, {"decade": said}, ["attribute:year"])


def _other(case: Case) -> dict[str, Any]:
    """A film that shares no name with this one."""
    mine = target(case)
    names = {mine["director"], *mine["cast"]}
    pool = [it for it in case.catalogue.values() if it["title"] != mine["title"]]
    while True:
        other = case.rng.choice(pool)
        if not names & {other["director"], *other["cast"]}:
            return other


@maker
def director(case: Case, true: bool) -> Fact | None:
    """Who directed it."""
    said = (target(case) if true else _other(case))["director"]
    slots = {"person": said, "surname": said.split()[-1]}
    return Fact(slots, {"person": said, "role": "director"}, ["attribute:director"])


@maker
def actor(case: Case, true: bool) -> Fact | None:
    """Who plays in it."""
    said = case.rng.choice((target(case) if true else _other(case))["cast"])
    return Fact({"person": said}, {"person": said, "role": "cast"}, ["attribute:cast"])


@maker
def own_title(case: Case, true: bool) -> Fact | None:
    """What the film is called."""
    said = target(case)["title"] if true else _other(case)["title"]
    if not true and said in {case.catalogue[it]["title"] for it in case.facts.get("history", ())}:
        return None
    return Fact({"title": case.quote(said)}, {"title": said}, ["title"])
