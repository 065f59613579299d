"""A fitted CURec as it serves: one user at a moment is scored, whatever was asked before or is asked beside it.

Users are scored one by one: sums in matrices of other shapes round otherwise, and a list may not depend on who else is
asked for.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import polars as pl
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from whyrec.data import schema
from whyrec.data.sequences import Sequences
from whyrec.encoders.sequences import rectangle
from whyrec.methods.curec.artefacts import Pattern, Reason
from whyrec.methods.curec.histories import as_micros
from whyrec.methods.curec.keeping import LATEST, joined_vectors, latest_patterns, newest_reasons, rows_of_vectors
from whyrec.methods.curec.offline.writer import WRITER as OFFLINE
from whyrec.methods.curec.patterns import PatternBook
from whyrec.methods.curec.reasons import ReasonStore
from whyrec.methods.curec.reward_inputs import Queries, RewardInputs
from whyrec.methods.curec.reward_model import ItemSide, RewardModel, UserSide
from whyrec.methods.curec.reward_ranking import RewardRanker
from whyrec.methods.curec.text_vectors import embed_texts
from whyrec.methods.curec.texts import Texts
from whyrec.methods.curec.timelines import NOBODY
from whyrec.methods.curec.vector_files import Vectors
from whyrec.recommending.topk import exact_top_k


def moment_of(at: datetime | None) -> int:
    """A moment in microseconds since 1970 UTC; None is later than all that is known."""
    return LATEST if at is None else as_micros(at)


@dataclass(frozen=True, slots=True)
class Asked:
    """One user at a moment."""

    user_id: str
    items: NDArray[np.int32]
    """Numbers of what the user took strictly before, oldest first; at least one."""
    at: int
    """By ``moment_of``: only reasons of strictly earlier interactions are read."""
    pattern: NDArray[np.float32] | None
    """The vector of the user's pattern, if there is one."""


@dataclass(frozen=True, eq=False)
class Served:
    """Model, texts and vectors, cut down to what serving can still read. Never changed: ``grown`` gives a new one."""

    model: RewardModel
    patterns: PatternBook
    reasons: ReasonStore
    vectors: Vectors

    @classmethod
    def of(cls, model: RewardModel, texts: Texts, vectors: Vectors) -> "Served":
        """Keep of each item the newest reasons and of each user the latest pattern."""
        patterns, reasons = texts.patterns, texts.reasons
        read, latest = newest_reasons(reasons, k=model.config.max_reasons), latest_patterns(patterns)
        model.eval()
        return cls(
            model,
            PatternBook.of(patterns.frame[latest], user_ids=patterns.user_ids),
            ReasonStore.of(reasons.frame[read], item_ids=reasons.item_ids, user_ids=reasons.user_ids),
            Vectors(vectors.encoder, rows_of_vectors(vectors.patterns, latest), rows_of_vectors(vectors.reasons, read)),
        )

    def grown(self, *, patterns: Iterable[Pattern], reasons: Iterable[Reason]) -> "Served":
        """With further texts (CURec Eq. (15)); what nobody can be given any more is dropped.

        Raises:
            InvalidDataError: If one of them is here already.
        """
        book, store = self.patterns.append(patterns), self.reasons.append(reasons)
        encoder, n_patterns, n_reasons = self.vectors.encoder, len(self.patterns), len(self.reasons)
        vectors = Vectors(
            encoder,
            joined_vectors(self.vectors.patterns, embed_texts(book.frame["text"][n_patterns:], encoder)),
            joined_vectors(self.vectors.reasons, embed_texts(store.frame["text"][n_reasons:], encoder)),
        )
        return Served.of(self.model, Texts(book, store), vectors)

    @cached_property
    def ranker(self) -> RewardRanker:
        """With every reason projected; gives each pair its reasons."""
        times = self.reasons.frame[schema.TIMESTAMP].dt.epoch("us").to_numpy()
        inputs = RewardInputs(self.patterns, self.vectors.patterns, self.reasons, self.vectors.reasons, times)
        return RewardRanker.of(self.model, inputs)

    @cached_property
    def user_numbers(self) -> dict[str, int]:
        """By which number the store knows whom; their own reasons are never read for them (C1)."""
        return {user_id: number for number, user_id in enumerate(self.reasons.user_ids)}

    def standing_patterns(
        self, user_ids: pl.Series, *, lengths: NDArray[np.int64], at: int, every: int
    ) -> NDArray[np.int64]:
        """Rows of the patterns that still speak for their users, ``NOBODY`` where one is to be written.

        One that was written offline speaks for a history until this has ``every`` interactions more. One by a
        language model speaks until the next by it.

        Args:
            user_ids: Whose.
            lengths: Interactions of each strictly before the moment.
            at: By ``moment_of``.
            every: Interactions between two patterns.
        """
        rows = self.patterns.rows_before(self.patterns.user_rows(user_ids), at)
        if not len(self.patterns):
            return rows
        known = np.maximum(rows, 0)
        more = lengths - self.patterns.frame["n_items"].to_numpy()[known]
        is_offline = (self.patterns.frame["writer"] == OFFLINE).to_numpy()[known]
        return np.where((rows != NOBODY) & (more >= 0) & ((more < every) | ~is_offline), rows, NOBODY)

    def user(self, asked: Asked) -> UserSide:
        """What a score needs of the user."""
        model, device = self.model, self.model.gate.device
        history = Sequences.with_lengths(asked.items, np.array([len(asked.items)]))
        batch = rectangle(history, np.zeros(1, dtype=np.int64), max_history=model.encoder.max_history).to(device)
        state, states = model.read(batch)
        return UserSide(state, states, batch.is_item, self.pattern(asked.pattern))

    def pattern(self, vector: NDArray[np.float32] | None) -> Float[Tensor, "1 D"]:
        """A pattern as the model reads it; without one, what it has learned to read in its place."""
        device = self.model.gate.device
        there = torch.tensor([vector is not None], device=device)
        given = np.zeros(self.ranker.inputs.text_dim, dtype=np.float32) if vector is None else vector
        return self.model.pattern(torch.from_numpy(given)[None].to(device), there)

    def reason_rows(self, rows: NDArray[np.int64], *, user_id: str, at: int) -> NDArray[np.int32]:
        """The reasons of some items that are read for a user at a moment, int32 [M, K] rows of the store."""
        number = self.user_numbers.get(user_id, NOBODY)
        found: NDArray[np.int32] = self.ranker.reason_rows(_query(number, at), rows[None])[0]
        return found

    def items(self, rows: NDArray[np.int64], reasons: NDArray[np.int32]) -> ItemSide:
        """What a score needs of some items and their reasons."""
        on_device = torch.from_numpy(rows[None]).to(self.model.gate.device)
        if self.ranker.projected is None:
            return self.model.items(on_device)
        return self.model.items(on_device, *self.ranker.projected.of(reasons[None]))

    @torch.inference_mode()
    def scores(self, asked: Asked, *, n_read: int, with_seen: bool) -> Float[Tensor, " I"]:
        """Scores of all items on the CPU, those that the user has had at minus infinity unless they are asked for.

        Args:
            asked: Whom, and when.
            n_read: Reasons are read for so many of the encoder's best; the others keep its order below them.
            with_seen: Score what the user has had as well, by the same rule and among itself.
        """
        user = self.user(asked)
        base: Tensor = (user.state @ self.model.encoder.output_table().T)[0]
        is_seen = torch.zeros(len(base), dtype=torch.bool, device=base.device)
        is_seen[torch.from_numpy(asked.items.astype(np.int64) - 1)] = True
        scores = self._reranked(asked, user, base.masked_fill(is_seen, -torch.inf), n_read=n_read)
        if with_seen:
            seen = self._reranked(asked, user, base.masked_fill(~is_seen, -torch.inf), n_read=n_read)
            scores = torch.where(is_seen, seen, scores)
        return scores.float().cpu()

    @torch.inference_mode()
    def score(self, asked: Asked, row: int, *, without: Collection[int] = ()) -> float:
        """The reward model's score of one item, with some of its reasons taken away.

        Args:
            asked: Whom, and when.
            row: Of the catalogue.
            without: Rows of the store; nothing takes their place.
        """
        rows = np.array([row], dtype=np.int64)
        reasons = self.reason_rows(rows, user_id=asked.user_id, at=asked.at)
        kept = np.where(np.isin(reasons, list(without)), np.int32(NOBODY), reasons)
        return float(self.model(self.user(asked), self.items(rows, kept))[0, 0])

    @torch.inference_mode()
    def attention(self, asked: Asked, row: int) -> tuple[NDArray[np.int32], NDArray[np.float64], float]:
        """Rows of an item's reasons, how much the user's pattern looks at each, and how much at none of them.

        Raises:
            InvalidConfigError: If the model reads reasons otherwise.
        """
        rows = np.array([row], dtype=np.int64)
        reasons = self.reason_rows(rows, user_id=asked.user_id, at=asked.at)
        weights = self.model.attention(self.user(asked), self.items(rows, reasons))[0, 0].double().cpu().numpy()
        is_there = reasons[0] != NOBODY
        return reasons[0][is_there], weights[1:][is_there], float(weights[0])

    def _reranked(self, asked: Asked, user: UserSide, base: Float[Tensor, " I"], *, n_read: int) -> Float[Tensor, " I"]:
        """Read the reasons of the base's best; what is at minus infinity stays there."""
        n = min(n_read, int((base > -torch.inf).sum()))
        if not n:
            return base
        best, found = (part[0] for part in exact_top_k(base[None], k=n))
        rows = found.cpu().numpy()
        reasons = self.reason_rows(rows, user_id=asked.user_id, at=asked.at)
        scores: Tensor = self.model(user, self.items(rows, reasons))[0]
        below = base - best[-1] + scores.min().clamp(max=0) - 1
        return below.scatter(0, found, scores)


def _query(number: int, at: int) -> Queries:
    """What ``RewardRanker.reason_rows`` is to be told: who asks, and when."""
    nothing = Sequences.with_lengths(np.zeros(0, dtype=np.int32), np.zeros(1, dtype=np.int64))
    return Queries(nothing, np.array([number]), np.array([at]), np.zeros(1, dtype=np.int32))
