"""A small set of aspects and a catalogue of invented films, for the tests of GER."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.methods.guided.aspects import AspectSet

START = datetime(2020, 1, 1, tzinfo=UTC)


def at(days: float) -> datetime:
    return START + timedelta(days=days)


def pole(means: str, *words: str, genres: Sequence[str] = ()) -> dict[str, object]:
    return {"means": means, "descriptions": words, "labels": {"genres": tuple(genres)} if genres else {}}


TENSION = {
    "key": "tension",
    "name": "tension level",
    "meaning": "How tense it is.",
    "low": pole("no tension", "calm", "gentle calm", "calm songs", genres=["Comedy"]),
    "high": pole("extremely tense", "killer", "killer danger", "danger chase", genres=["Thriller"]),
}
YEAR = {
    "key": "era",
    "name": "historical vs. contemporary",
    "meaning": "When it is set.",
    "low": pole("purely historical", "castle", "castle knights", "old castle"),
    "high": pole("completely modern", "internet", "modern internet", "phones"),
    "fact": {"columns": ["year"], "low": 1930, "high": 2000},
}
ASPECTS = AspectSet.model_validate({"domain": "movies", "thing": "movie", "aspect": [TENSION, YEAR]})

FILMS = pl.DataFrame(
    {
        "item_id": ["a", "b", "c", "d"],
        "title": ["Calm Days", "The Killer", "Old Castle", "Blank"],
        "genres": [["Comedy"], ["Thriller"], ["Drama"], []],
        "year": ["1965", "2000", "1900", None],
        "plot": ["calm gentle songs", "a killer and danger", "a castle and knights", None],
    }
)

WORDS = ("calm", "gentle", "songs", "killer", "danger", "chase", "castle", "knights", "old", "internet", "modern")


class WordCounts:
    """A text encoder of eleven words: one column each, and one for everything else."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = []
        for text in texts:
            words = [word.strip(".,|:").casefold() for word in text.split()]
            rows.append([float(words.count(word)) for word in WORDS] + [0.1])
        return np.array(rows, dtype=np.float32).reshape(len(texts), len(WORDS) + 1)
