"""Scores of items and users by a language model.

Where the model runs on this machine, an answer is not sampled: at every number the scores are the mean over 1 to 10,
weighted by how likely the model is to write each (G3). Else they are the numbers that it writes, and many are equal.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
from jaxtyping import Float

from whyrec.data.item_lines import ItemText, text_of
from whyrec.llm.base import Prompt, SamplingConfig
from whyrec.llm.local.backend import LocalBackend
from whyrec.llm.model import LanguageModel
from whyrec.llm.reading import read_answer
from whyrec.methods.guided.answers import answer_form, begun_answer, parse_scores
from whyrec.methods.guided.artefacts import AspectScores, Side
from whyrec.methods.guided.aspects import LEVELS, AspectSet
from whyrec.methods.guided.prompts import Messages, item_prompt, user_prompt
from whyrec.methods.guided.reviews import MOST_REVIEWS, UserReviews
from whyrec.methods.guided.spread import AspectSpread, spread_of
from whyrec.runtime.atomic import atomic_file

SCORE_SAMPLING = SamplingConfig(max_tokens=256)


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What came of asking about many items or users."""

    scores: AspectScores
    """Of those whose answer could be read; those of whom nothing is known were not asked about."""
    spread: tuple[AspectSpread, ...]
    """Of each aspect, with an alarm where scores have collapsed (G14)."""
    failures: Mapping[str, int]
    """Why the others have none: ``nothing known``, ``empty``, ``cut``, ``form``."""


@dataclass(frozen=True)
class ModelScorer:
    """Asks a language model for scores.

    Answers that a model writes are cached: an item or user costs one question, ever. What a model on this machine finds
    likely is kept in a file of ``kept``, aspect by aspect, so that a killed run asks what is left.
    """

    model: LanguageModel
    aspects: AspectSet
    items: Mapping[str, ItemText]
    """The catalogue in words: ``item_texts(known_columns(items))`` (G11)."""
    max_item_chars: int = 800
    """The longest description that an item is scored by."""
    max_reviews: int = MOST_REVIEWS
    """Of a user, the most recent (G16)."""
    sampling: SamplingConfig = SCORE_SAMPLING
    reads_probabilities: bool = True
    """Read the likelihood of every number where the backend can; else take the numbers that are written."""
    kept: Path | None = None
    """The beginning of the names of files that keep likelihoods; None keeps none."""
    failures: Counter[str] = field(default_factory=Counter)
    """Over all calls."""

    def score_items(self, item_ids: Sequence[str]) -> Scored:
        """Score items; see GER Eq. (3).

        Raises:
            UnknownIdError: If an item is not in the catalogue.
            PromptTooLongError: Before anything is asked, if a prompt leaves no room for its answer.
            EndpointError: If a server fails for good; what was answered before is in the cache.
        """
        texts = {item_id: text_of(item_id, self.items) for item_id in item_ids}
        asked = {
            item_id: item_prompt(self.aspects, text.line(max_chars=self.max_item_chars))
            for item_id, text in texts.items()
            if text.is_known
        }
        return self._scored("items", asked, n_unknown=len(texts) - len(asked))

    def score_users(self, users: Mapping[str, UserReviews]) -> Scored:
        """Score users by their reviews; see GER Eq. (4).

        Args:
            users: By user_id, from ``read_reviews``; somebody without a review is not asked about.

        Raises:
            UnknownIdError: If the catalogue does not hold an item.
            PromptTooLongError: Before anything is asked, if a prompt leaves no room for its answer.
            EndpointError: If a server fails for good; what was answered before is in the cache.
        """
        asked = {
            user_id: user_prompt(self.aspects, user, items=self.items, max_reviews=self.max_reviews)
            for user_id, user in users.items()
            if user.reviews
        }
        return self._scored("users", asked, n_unknown=len(users) - len(asked))

    def _scored(self, side: Side, asked: Mapping[str, Messages], *, n_unknown: int) -> Scored:
        before = Counter(self.failures)
        self.failures["nothing known"] += n_unknown
        backend = self.model.backend
        prompts = [Prompt(messages) for messages in asked.values()]
        likely: Float[np.ndarray, "N K L"] | None = None
        if self.reads_probabilities and isinstance(backend, LocalBackend):
            likely = slot_probabilities(backend, prompts, aspects=self.aspects, kept=self._file(side, asked))
            ids, values = list(asked), expected_levels(likely)
        else:
            ids, values = self._written(asked, prompts)
        scores = AspectScores.of(side, ids, values, aspects=self.aspects.keys, writer=self.model.writer)
        return Scored(scores, spread_of(scores, likely=likely), dict(self.failures - before))

    def _file(self, side: Side, asked: Mapping[str, Messages]) -> Path | None:
        """Of the same questions to the same model."""
        if self.kept is None:
            return None
        told = [[one, *(astuple(message) for message in messages)] for one, messages in asked.items()]
        digest = sha256(json.dumps([self.model.writer, self.aspects.keys, told]).encode()).hexdigest()
        return self.kept.with_name(f"{self.kept.name}.{side}.{digest[:16]}.npy")

    def _written(self, asked: Mapping[str, Messages], prompts: Sequence[Prompt]) -> tuple[list[str], np.ndarray]:
        answers = self.model.complete(prompts, schema=answer_form(self.aspects), sampling=self.sampling)
        parse = partial(parse_scores, aspects=self.aspects)
        read = {one: read_answer(answer, parse, self.failures) for one, answer in zip(asked, answers, strict=True)}
        kept = {one: scores for one, scores in read.items() if scores is not None}
        return list(kept), np.array(list(kept.values()), dtype=np.float32)


def slot_probabilities(
    backend: LocalBackend, prompts: Sequence[Prompt], *, aspects: AspectSet, kept: Path | None = None
) -> Float[np.ndarray, "N K L"]:
    """How likely a local model is to write each level at each aspect; nothing is generated.

    Aspects follow each other as in an answer: before an aspect's number stand the lines before it, each with the whole
    number nearest to the mean there.

    Args:
        backend: The model.
        prompts: From ``item_prompt`` or ``user_prompt``.
        aspects: What they ask for.
        kept: A file for the aspects that are done; one that is there is gone on with.

    Returns:
        One row per prompt and aspect, over the levels 1 to 10; rows sum to 1.

    Raises:
        PromptTooLongError: If a prompt with its answer is longer than the model's context.
    """
    from whyrec.llm.local.likely import likely_numbers

    found = np.zeros((len(prompts), 0, len(LEVELS))) if kept is None or not kept.is_file() else np.load(kept)
    while found.shape[1] < len(aspects.keys):
        nearest = np.rint(expected_levels(found)).astype(int).tolist()
        begun = [begun_answer(aspects, tuple(levels)) for levels in nearest]
        likely = likely_numbers(backend, prompts, begun=begun, numbers=LEVELS)
        found = np.concatenate([found, likely[:, None]], axis=1)
        if kept is not None:
            with atomic_file(kept) as partial, partial.open("wb") as file:
                np.save(file, found)
    return found


def expected_levels(likely: Float[np.ndarray, "*N L"]) -> Float[np.ndarray, "*N"]:
    """The mean level of each distribution."""
    # Rounding of the probabilities may lead a hair's breadth beyond the ends.
    means: np.ndarray = np.clip(likely @ np.asarray(LEVELS, dtype=np.float64), LEVELS[0], LEVELS[-1])
    return means
