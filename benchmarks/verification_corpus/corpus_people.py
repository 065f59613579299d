"""Invented people, and phrases that could mark a film of a genre: what the bundled catalogue does not have."""

import random
from collections.abc import Sequence

FIRST = [
    "Alma",
    "Bruno",
    "Carla",
    "Dario",
    "Edda",
    "Felix",
    "Greta",
    "Hakan",
    "Ilse",
    "Jonas",
    "Katya",
    "Lorenz",
    "Mira",
    "Nadim",
    "Oona",
    "Pavel",
    "Rosa",
    "Stellan",
    "Tamsin",
    "Ulrik",
    "Vesna",
    "Wendell",
    "Yara",
    "Zoltan",
    "Amina",
    "Corin",
    "Delphine",
    "Enzo",
    "Freya",
    "Gideon",
]
LAST = [
    "Abelard",
    "Brockway",
    "Castellan",
    "Dunmore",
    "Eskelin",
    "Farrow-Hill",
    "Grantley",
    "Holmquist",
    "Iversen",
    "Jessop",
    "Kowalczyk",
    "Lindqvist",
    "Marchetti",
    "Norwood",
    "Okafor",
    "Pemberton",
    "Quayle",
    "Rasmussen",
    "Sandoval",
    "Thorne",
    "Underhill",
    "Vasquez",
    "Whitcombe",
    "Yilmaz",
    "Zeller",
    "Ashdown",
    "Beaumont",
    "Carraway",
    "Delacroix",
    "Ellery",
]

MARKS = {
    "Horror": ("creeping dread", "a haunted house", "gory shocks"),
    "Thriller": ("nail-biting suspense", "a race against time", "a late twist"),
    "Comedy": ("deadpan humour", "slapstick gags", "witty banter"),
    "Drama": ("a family torn apart", "quiet character study", "moral dilemmas"),
    "Romance": ("a slow-burning courtship", "star-crossed lovers", "a bittersweet ending"),
    "Action": ("breakneck car chases", "hand-to-hand combat", "huge explosions"),
    "Crime": ("a meticulous heist", "crooked detectives", "gangland feuds"),
    "Sci-Fi": ("time travel", "alien contact", "rogue machines"),
    "Fantasy": ("ancient magic", "mythical beasts", "an enchanted kingdom"),
    "Adventure": ("a perilous quest", "far-flung jungles", "buried treasure"),
    "Animation": ("hand-drawn artwork", "talking animals", "vivid colour"),
    "War": ("trench warfare", "comradeship under fire", "a doomed mission"),
    "Documentary": ("archive footage", "candid interviews", "investigative reporting"),
    "Biography": ("a rise to fame", "a troubled genius"),
    "Sport": ("an underdog's triumph", "locker-room speeches"),
    "Mystery": ("an unreliable narrator", "a locked-room puzzle", "hidden identities"),
    "Family": ("a gentle moral", "childhood friendship"),
    "Western": ("a frontier showdown", "lawless towns"),
}
ALL_MARKS = tuple(mark for marks in MARKS.values() for mark in marks)


def cast_of(rng: random.Random) -> list[str]:
    """Three people of different names: director, lead, second lead."""
    firsts, lasts = rng.sample(FIRST, 3), rng.sample(LAST, 3)
    return [f"{first} {last}" for first, last in zip(firsts, lasts, strict=True)]


def marks_of(genres: Sequence[str], rng: random.Random) -> list[str]:
    """Two or three phrases that fit the genres."""
    pool = [mark for genre in genres for mark in MARKS.get(genre, ())] or list(MARKS["Drama"])
    return rng.sample(pool, min(3, len(pool)))
