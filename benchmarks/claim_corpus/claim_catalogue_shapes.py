"""Shapes of what the catalogue says of the film in question: genres, year, people, title."""

from claim_numbers import UnfitError
from claim_slots import Filling, Shape, Slot, Sources

GENRES = [
    "Action",
    "Adventure",
    "Animation",
    "Biography",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Family",
    "Fantasy",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Sport",
    "Thriller",
    "War",
    "Western",
]
"""Genres that people have words for."""


def is_quotable(title: str) -> bool:
    """Titles that no reader could take for something else: no quotation marks, not one short word."""
    return 5 <= len(title) <= 45 and title.isascii() and not set(title) & set("\"'*_[]|")


def other_item(sources: Sources) -> str:
    """Some other film whose title only it has, and is no part of another's here."""
    history = set(sources.case.get("history", ()))
    taken = {sources.world.items[item]["title"].lower() for item in (*history, sources.case["item_id"])}
    for _ in range(50):
        item_id = sources.pick(sources.world.users)["item_id"]
        title = sources.world.items[item_id]["title"]
        clashes = any(title.lower() in name or name in title.lower() for name in taken)
        if item_id not in history and is_quotable(title) and not clashes:
            return str(item_id)
    raise UnfitError("no other title")


def title(sources: Sources, plant: str | None) -> Filling:
    told = other_item(sources) if plant == "t" else sources.case["item_id"]
    if not is_quotable(sources.world.items[told]["title"]):
        raise UnfitError("awkward title")
    return Filling({"t": Slot("title", told, plant == "t")}, {"t": ["title", told]})


def genre(sources: Sources, plant: str | None) -> Filling:
    own = [name for name in sources.item["genres"] if name in GENRES]
    other = [name for name in GENRES if name not in sources.item["genres"]]
    told = sources.pick(other if plant == "g" else own)
    return Filling({"g": Slot("genre", told, plant == "g")}, {"g": ["genre", told, True]})


def genres(sources: Sources, plant: str | None) -> Filling:
    own = [name for name in sources.item["genres"] if name in GENRES]
    other = [name for name in GENRES if name not in sources.item["genres"]]
    if len(own) < 2:
        raise UnfitError("one genre only")
    one, two = sources.rng.sample(own, 2)
    one, two = (sources.pick(other) if plant == slot else name for slot, name in (("g1", one), ("g2", two)))
    slots = {"g1": Slot("genre", one, plant == "g1"), "g2": Slot("genre", two, plant == "g2")}
    return Filling(slots, {"g1": ["genre", one, True], "g2": ["genre", two, True]})


def no_genre(sources: Sources, plant: str | None) -> Filling:
    own = [name for name in sources.item["genres"] if name in GENRES]
    other = [name for name in GENRES if name not in sources.item["genres"]]
    told = sources.pick(own if plant == "o" else other)
    return Filling({"o": Slot("genre", told, plant == "o")}, {"o": ["genre", told, False]})


def year(sources: Sources, plant: str | None) -> Filling:
    made = sources.item["year"]
    if made is None:
        raise UnfitError("no year")
    told = made + sources.pick((-31, -17, -12)) if plant == "y" else made
    return Filling({"y": Slot("person", told, plant == "y")}, {"y": ["year", told]})


def decade(sources: Sources, plant: str | None) -> Filling:
    made = sources.item["year"]
    if made is None or made < 1950:
        raise UnfitError("no decade with a handy name")
    own = made // 10 * 10
    told = sources.pick([other for other in range(1950, 2020, 10) if other != own]) if plant == "y" else own
    return Filling({"y": Slot("decade", told, plant == "y")}, {"y": ["decade", told]})


def _person(role: str, slot: str) -> Shape:
    def shape(sources: Sources, plant: str | None) -> Filling:
        item = sources.item
        cast = [item["director"], *item["actors"]]
        told = item["director"] if role == "director" else sources.pick(item["actors"])
        if plant == slot:
            other = sources.world.items[other_item(sources)]
            told = other["director"] if role == "director" else sources.pick(other["actors"])
            if told in cast:
                raise UnfitError("the same person")
        return Filling({slot: Slot("person", told, plant == slot)}, {slot: [role, told]})

    return shape


CATALOGUE_SHAPES: dict[str, Shape] = {
    "title": title,
    "genre": genre,
    "genres": genres,
    "no_genre": no_genre,
    "year": year,
    "decade": decade,
    "director": _person("director", "q"),
    "actor": _person("actor", "p"),
}
