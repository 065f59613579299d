"""What of an M-LLM3REC explanation can be taken away: items of the history, words of the item's text, score parts."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.sequences import read_histories
from whyrec.data.whole_texts import whole_texts
from whyrec.evaluation.faithfulness import EvidencePool
from whyrec.evaluation.history_removal import history_pool, interactions_cited
from whyrec.methods.mllm3rec.explaining import ALIKE, POPULAR, TOGETHER, TRAIT
from whyrec.methods.mllm3rec.model import MLLM3Recommender
from whyrec.methods.mllm3rec.ranker import Lead
from whyrec.recommending.explained import ExplainedEntry

WORDS, PARTS = "words", "parts"
_PART_OF: dict[str, Lead] = {POPULAR: "popular", TOGETHER: "together", ALIKE: "texts", TRAIT: "texts"}
"""Of the score, by the section that tells of it."""
_WORD = re.compile(r"\w+")
_MENTIONED = re.compile(r"it mentions “([^”]+)”")
_FEWEST_LETTERS = 3


def evidence_pools(
    recommender: MLLM3Recommender, data: Dataset, entry: ExplainedEntry, *, at: datetime | None = None
) -> list[EvidencePool]:
    """The items of the history that the text names among all, the words of the item's text, and the score's parts.

    A part of the score (texts, what is taken together, popularity) is taken away exactly: it becomes what it is for
    the mean item. The text tells of the part that lifts an item most, so that this measures how far the other parts
    stay behind; an item that nobody has taken has one part alone.

    Args:
        recommender: Who explained.
        data: Catalogue and log.
        entry: Of its ``explain``, for a user with a history.
        at: As ``explain`` was asked.

    Returns:
        None for somebody without a history.
    """
    user_id, item_id = entry.explanation.user_id, entry.explanation.item_id
    asked = pl.Series(schema.USER, [user_id], dtype=pl.String)
    histories = read_histories(data, item_ids=recommender.item_ids_, cutoff=at, user_ids=asked)
    history = histories.sequences.items.astype(np.int64) - 1
    if user_id is None or not len(history):
        return []
    cited = interactions_cited(entry.explanation)
    row = int(recommender.item_ids_.search_sorted(item_id))
    [text] = whole_texts(data.items.filter(pl.col(schema.ITEM) == item_id))
    words = _Words(recommender, history, row, text, entry.score)
    mentioned = _MENTIONED.search(entry.explanation.sections.get(TRAIT, ""))
    return [
        history_pool(recommender, data, user_id=user_id, item_id=item_id, cited=cited, at=at),
        words.pool("" if mentioned is None else mentioned[1]),
        *_part_pools(recommender, entry, history=history, row=row),
    ]


def _part_pools(
    recommender: MLLM3Recommender, entry: ExplainedEntry, *, history: NDArray[np.int64], row: int
) -> list[EvidencePool]:
    ranker = recommender.ranker_
    if not ranker.stage.crowd.is_known[row]:
        return []
    lifts: dict[str, float] = {name: float(it[0]) for name, it in ranker.lifts(history, np.array([row])).items()}
    sections = entry.explanation.sections
    # What places an item before others is told last, and weighs most.
    cited = tuple(dict.fromkeys(_PART_OF[name] for name in reversed(list(sections)) if name in _PART_OF))

    def without(parts: Collection[str]) -> float:
        return entry.score - sum(lifts[name] for name in parts)

    return [EvidencePool(PARTS, cited, tuple(name for name in lifts if name not in cited), without)]


@dataclass(frozen=True)
class _Words:
    """An item's score where its text lacks some words, all else being equal: also what is known of who took it."""

    recommender: MLLM3Recommender
    history: NDArray[np.int64]
    row: int
    text: str
    score: float

    def pool(self, phrase: str) -> EvidencePool:
        """Of the words of a phrase among all of the text; fillers are none."""
        words = list(dict.fromkeys(_telling(self.text)))
        cited = [word for word in dict.fromkeys(_telling(phrase)) if word in words]
        return EvidencePool(WORDS, tuple(cited), tuple(it for it in words if it not in cited), self.without)

    def without(self, words: Collection[str]) -> float:
        if not words:
            return self.score
        text = _WORD.sub(lambda hit: "" if hit[0].casefold() in words else hit[0], self.text)
        return self.score + self._of_text(text) - self._whole

    @cached_property
    def _whole(self) -> float:
        return self._of_text(self.text)

    def _of_text(self, text: str) -> float:
        """What a text adds to the score, by the weights that count for the item."""
        ranker = self.recommender.ranker_
        stage, asked = ranker.stage, ranker.stage.asked(self.history)
        point = self.recommender.space_.place(self.recommender.encoder.embed([text]))
        parts = {
            "text": point[0] @ asked.query,
            "nearness": point[0] @ asked.mean,
            "words": (stage.contents.words.rows([text]) @ asked.words)[0],
            "motivations": self.recommender.scale_.served(point)[0] @ asked.wanted,
        }
        weights = ranker.weights if stage.crowd.is_known[self.row] or not ranker.fills_in else ranker.alone
        return float(sum(weights[name] * value for name, value in parts.items()))


def _telling(text: str) -> list[str]:
    words = (hit.casefold() for hit in _WORD.findall(text))
    return [word for word in words if len(word) >= _FEWEST_LETTERS and word not in ENGLISH_STOP_WORDS]
