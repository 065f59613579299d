"""A dozen films, nine viewers with plain tastes: small enough to count by hand."""

from datetime import UTC, datetime, timedelta

import polars as pl

from whyrec.data.dataset import Dataset
from whyrec.methods.curec.histories import UserHistory

START = datetime(2001, 1, 1, tzinfo=UTC)
END = datetime(2002, 1, 1, tzinfo=UTC)

FILMS = pl.DataFrame(
    [
        ("a", "Alpha Trail (1961)", 1961, "Western|Drama", "John Stone", "Ann Lee, Bob Ray", "A rider finds a mine."),
        ("b", "Bitter Creek (1962)", 1962, "Western", "John Stone", "Bob Ray, Cy Poe", "An outlaw rides to the mine."),
        ("c", "Canyon, The (1963)", 1963, "Western|War", "Mary Wood", "Ann Lee", "Soldiers guard a mine and a canyon."),
        ("d", "Dusty Road (1971)", 1971, "Western", "Mary Wood", "Dee Fox", "An outlaw leaves the road."),
        ("e", "Easy Laughs (1984)", 1984, "Comedy", "Carl Holm", "Eve Orr", "A clown and a wedding."),
        ("f", "Funny Bones (1985)", 1985, "Comedy|Romance", "Carl Holm", "Eve Orr, Flo Day", "The wedding goes wrong."),
        ("g", "Giggle House (1986)", 1986, "Comedy", "Gil Marsh", "Flo Day", "A clown keeps a hotel."),
        ("h", "Hearts (1991)", 1991, "Romance|Drama", "Gil Marsh", "Gus Kay", "Two meet at a wedding."),
        ("i", "Iron Stars (1992)", 1992, "Sci-Fi", "Ida Quinn", "Gus Kay, Hal Ives", "A robot leaves the planet."),
        ("j", "Jupiter (1993)", 1993, "Sci-Fi|War", "Ida Quinn", "Hal Ives", "A robot army takes a planet."),
        ("k", "Kepler (1994)", 1994, "Sci-Fi", "J.J. North", "Ian Ash", "The planet falls silent."),
        ("l", "Lone Letter (1950)", 1950, "Drama", "Kay Vale", "Ian Ash", "A letter comes late."),
    ],
    schema=["item_id", "title", "year", "genres", "director", "actors", "plot"],
    orient="row",
)  # fmt: skip

TASTES = {
    "u1": "abcd", "u2": "bcda", "u3": "abel", "u4": "efgh", "u5": "fgeh",
    "u6": "efij", "u7": "ijkl", "u8": "kjia", "u9": "hlfi",
}  # fmt: skip
"""Items of each user, in the order of time, a day between them."""


def films(*, later: str = "") -> Dataset:
    """The log of all users; ``later`` adds one user who takes these items after ``END``."""
    rows = [
        (user, item, START + timedelta(days=day)) for user, items in TASTES.items() for day, item in enumerate(items)
    ]
    rows += [("late", item, END + timedelta(days=day)) for day, item in enumerate(later)]
    log = pl.DataFrame(
        rows, schema={"user_id": pl.String, "item_id": pl.String, "timestamp": pl.Datetime("us", "UTC")}, orient="row"
    )
    return Dataset.from_frames(log, FILMS, name="films")  # fmt: skip


def history(items: str, *, user_id: str = "u") -> UserHistory:
    """Items a day apart, oldest first."""
    return UserHistory(user_id, tuple(items), tuple(START + timedelta(days=day) for day in range(len(items))))
