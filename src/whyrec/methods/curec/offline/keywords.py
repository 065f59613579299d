"""Informative words of items' texts: few for each, none that is a name, a filler or a unit."""

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer, TfidfVectorizer

from whyrec.data import schema
from whyrec.methods.curec.offline.config import OfflineTextConfig

_LOWER_CASE = r"(?<![\w'’-])[^\W\d_]{4,}(?![\w'’-])"
_FEWEST_TOGETHER, _SHARE_TOGETHER = 4, 0.25
_LEAST_EXCESS = 3.5
"""Standard deviations above chance. Chosen by reading the words on both sides of it."""
_ENDINGS = re.compile(r"(?:ly|ing|ed)$")
_VAGUE = frozenset({
    "able", "accepts", "agrees", "apparent", "appears", "arrive", "arrives", "asks", "attempt", "attempts",
    "away", "awry", "bears", "beautiful", "begin", "begins", "better", "bound", "boys", "break", "breaks",
    "brings", "brought", "calls", "came", "cases", "catch", "caught", "cause", "change", "changes", "chooses",
    "clear", "close", "color", "colors", "colour", "colours", "come", "comes", "count", "course", "current",
    "days", "deal", "deals", "decide", "decides", "despite", "different", "difficult", "discover", "discovers",
    "does", "easy", "effort", "efforts", "embark", "encounter", "encounters", "ends", "entire", "escape",
    "event", "events", "extra", "face", "faces", "fact", "fall", "falls", "fate", "feel", "feels", "felt",
    "fights", "film", "films", "finds", "fluid", "follow", "follows", "force", "forces", "form", "free", "gave",
    "gets", "girl", "girls", "gives", "goes", "gone", "good", "gram", "grams", "great", "group", "grows",
    "half", "hand", "hands", "happen", "happens", "hard", "head", "heads", "heart", "held", "help", "helps",
    "high", "hold", "holds", "home", "hope", "hopes", "huge", "inch", "inches", "includes", "instead",
    "involve", "involves", "join", "joins", "just", "keeps", "kind", "knew", "know", "known", "knows", "large",
    "late", "later", "lead", "leads", "learn", "learns", "leave", "leaves", "left", "life", "like", "little",
    "live", "lives", "local", "lone", "long", "longer", "look", "looks", "lose", "loses", "lost", "lots",
    "main", "make", "makes", "manages", "matter", "maybe", "mean", "means", "medium", "meet", "meets",
    "millilitre", "mind", "moment", "moves", "movie", "movies", "multi", "mysterious", "names", "near", "needs",
    "night", "number", "older", "oldest", "opposite", "order", "ordinary", "ounce", "ounces", "pack", "packs",
    "past", "people", "person", "piece", "pieces", "place", "places", "plan", "plans", "play", "plays", "plus",
    "point", "possible", "present", "pretty", "problem", "problems", "process", "proves", "pulls", "pursue",
    "puts", "quiet", "quite", "race", "reach", "reaches", "ready", "real", "realize", "realizes", "recent",
    "refuses", "remain", "remains", "respective", "rest", "result", "return", "returns", "reveals", "revolves",
    "right", "room", "runs", "save", "seek", "seeks", "sees", "sends", "sent", "series", "serve", "sets",
    "short", "shows", "simple", "single", "size", "sizes", "small", "soon", "sort", "special", "spend",
    "spends", "spent", "stand", "stands", "stars", "start", "starts", "stay", "stays", "step", "stop", "stops",
    "story", "strange", "struggle", "struggles", "style", "sure", "takes", "tale", "tell", "tells", "thanks",
    "things", "think", "thinks", "thought", "threatens", "time", "times", "told", "took", "tough", "town",
    "track", "tries", "trip", "trouble", "true", "truth", "turn", "turns", "type", "unable", "uncover",
    "unknown", "various", "vary", "visit", "visits", "wait", "wants", "ways", "went", "wins", "wish", "woman",
    "women", "wonder", "word", "words", "work", "works", "world", "wrong", "year", "years", "young",
})  # fmt: skip
"""Words that many texts hold and that name no theme."""


def keyword_rows(
    items: pl.DataFrame, *, columns: Sequence[str], groups: csr_matrix, config: OfflineTextConfig
) -> tuple[list[int], list[str]]:
    """Find the items whose texts hold a keyword, as a whole word in any case.

    Words are chosen by TF-IDF among those that stand in small letters (names do not), or among all words of a title;
    and of these the ones that keep to a genre or category, where there are any: "planet" does, "avoid" does not.

    Args:
        items: The catalogue in the order of item numbers.
        columns: Columns of text; none give no keywords.
        groups: Items by genres and categories; may have no column.
        config: How many words an item puts forward, and how common they must be.

    Returns:
        Item numbers, from 1, and words, pair by pair.
    """
    texts = _texts(items, columns)
    if not config.keywords_per_item or not any(texts):
        return [], []
    vocabulary = _vocabulary(texts, with_capitals=schema.TITLE in columns, config=config)
    if not vocabulary:
        return [], []
    # Every whole word counts here, so that whoever looks a word up in the texts finds the same items.
    counted = CountVectorizer(vocabulary=vocabulary, binary=True, lowercase=True, token_pattern=r"\w+")
    held = counted.transform([text.casefold() for text in texts]).tocsc()
    is_theme = _keeps_to_a_group(held, groups)
    found = held[:, is_theme].tocoo()
    is_capitalised = schema.TITLE in columns and not sum(map(str.isupper, texts)) * 2 > len(texts)
    themes = [
        _shown(word, is_capitalised=is_capitalised)
        for word, is_kept in zip(vocabulary, is_theme, strict=True)
        if is_kept
    ]
    return (found.row + 1).tolist(), [themes[place] for place in found.col]


def _shown(word: str, *, is_capitalised: bool) -> str:
    """A word of titles as titles spell it."""
    return word.capitalize() if is_capitalised else word


def _texts(items: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    if not columns:
        return []
    joined = pl.concat_str([pl.col(name) for name in columns], separator=" ", ignore_nulls=True)
    return items.select(joined).to_series().to_list()


def _vocabulary(texts: Sequence[str], *, with_capitals: bool, config: OfflineTextConfig) -> list[str]:
    """Words that some items put forward among their most informative ones."""
    most = config.keyword_max_share * len(texts)
    if most < config.keyword_min_items:
        return []
    weigh = TfidfVectorizer(
        lowercase=with_capitals, token_pattern=_LOWER_CASE, min_df=config.keyword_min_items, sublinear_tf=True
    )
    try:
        weights = weigh.fit_transform(texts).tocsr()
    except ValueError:  # No word is common enough: scikit-learn knows no empty vocabulary.
        return []
    words = weigh.get_feature_names_out()
    n_having = np.bincount(weights.indices, minlength=len(words))
    is_told = np.array([_is_told(word) for word in words]) & (n_having <= most)
    votes = np.zeros(len(words), dtype=np.int64)
    for start, end in pairwise(weights.indptr):
        candidates = weights.indices[start:end]
        told = is_told[candidates]
        best = np.argsort(-weights.data[start:end][told], kind="stable")[: config.keywords_per_item]
        votes[candidates[told][best]] += 1
    return sorted(words[votes >= config.keyword_min_items])


def _is_told(word: str) -> bool:
    is_plain = word.isascii() and word == word.lower() and not _ENDINGS.search(word)
    return is_plain and word not in _VAGUE and word not in ENGLISH_STOP_WORDS


def _keeps_to_a_group(held: csc_matrix, groups: csr_matrix) -> NDArray[np.bool_]:
    """Which words stand in one genre or category far more often than chance would have it."""
    n_words, n_groups = held.shape[1], groups.shape[1]
    if not n_groups:
        return np.ones(n_words, dtype=np.bool_)
    together = (held.T @ groups).toarray()
    n_held, n_in_group = np.asarray(held.sum(axis=0)).ravel(), np.asarray(groups.sum(axis=0)).ravel()
    expected = np.outer(n_held, n_in_group) / max(held.shape[0], 1)
    excess = (together - expected) / np.sqrt(np.maximum(expected, 1e-9))
    enough = together >= np.maximum(_FEWEST_TOGETHER, n_held[:, None] * _SHARE_TOGETHER)
    is_theme: NDArray[np.bool_] = ((excess >= _LEAST_EXCESS) & enough).any(axis=1)
    return is_theme
