"""Scores of the whole catalogue by a reward model, as of each query's moment; the form in which it serves.

What depends on a reason alone is computed once and kept. Attention then runs over all items, or over the base's best
few; the others keep the base's order below them.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor

from whyrec.encoders.sequences import Rectangle, rectangle
from whyrec.methods.curec.reward_inputs import Queries, RewardInputs, with_own_first
from whyrec.methods.curec.reward_model import ItemSide, RewardModel, UserSide
from whyrec.methods.curec.text_vectors import TextVectors
from whyrec.methods.curec.timelines import NOBODY
from whyrec.recommending.topk import hide_seen

RERANKED = 50
"""Of the base's best items, these get their reasons read."""
_PAIRS_AT_ONCE = 1 << 12
"""Users times items whose reasons are read at a time: about what a processor's cache holds."""
_FEWEST_READ = 8
"""Below, it is the base's scores of all items that fill the memory."""
_VECTORS_AT_ONCE = 1 << 14


@dataclass(frozen=True, eq=False)
class ProjectedReasons:
    """``RewardModel.project`` of every distinct text, kept."""

    projected: Float[Tensor, "T X"]
    places: NDArray[np.int32]
    """Of the rows of the table of reasons."""

    def of(self, rows: NDArray[np.integer]) -> tuple[Float[Tensor, "*S X"], Bool[Tensor, "*S"]]:
        """Projections of some rows, and which are there."""
        is_there = torch.from_numpy(rows != NOBODY).to(self.projected.device)
        if not len(self.places):
            return self.projected.new_zeros(*rows.shape, self.projected.shape[1]), is_there
        places = torch.from_numpy(self.places[np.maximum(rows, 0)]).long().to(self.projected.device)
        return torch.nn.functional.embedding(places, self.projected), is_there


@torch.inference_mode()
def project_reasons(model: RewardModel, vectors: TextVectors) -> ProjectedReasons | None:
    """Compute what the model needs of each reason; None for a model that reads none."""
    if model.matching is None:
        return None
    device = model.gate.device
    starts = range(0, len(vectors.vectors), _VECTORS_AT_ONCE)
    parts = [
        model.project(torch.from_numpy(vectors.vectors[start : start + _VECTORS_AT_ONCE]).float().to(device))
        for start in starts
    ]
    width = model.matching.width
    return ProjectedReasons(torch.cat(parts) if parts else torch.zeros(0, width, device=device), vectors.places)


@dataclass(frozen=True, eq=False)
class RewardRanker:
    """A trained model with its reasons projected."""

    model: RewardModel
    inputs: RewardInputs
    projected: ProjectedReasons | None

    @classmethod
    def of(cls, model: RewardModel, inputs: RewardInputs) -> "RewardRanker":
        """Project all reasons of the inputs."""
        return cls(model, inputs, project_reasons(model, inputs.reason_vectors))

    @torch.inference_mode()
    def score_blocks(
        self, queries: Queries, *, rerank: int | None = RERANKED
    ) -> Iterator[tuple[NDArray[np.int64], Float[Tensor, "B I"]]]:
        """Scores of all items, a few queries at a time; those that the user has had are at minus infinity.

        Args:
            queries: Whom to score and when; only what is strictly earlier is read, and no reason of the user's own.
            rerank: Read reasons for so many of the base's best alone, below which the others follow in the base's
                order; 0 leaves the base's scores as they are, None reads them for all.

        Yields:
            Positions of the queries, and their scores on the CPU.
        """
        self.model.eval()
        n_read = self.model.n_items if rerank is None else min(rerank, self.model.n_items)
        size = max(_PAIRS_AT_ONCE // max(n_read, _FEWEST_READ), 1)
        for start in range(0, len(queries), size):
            block = np.arange(start, min(start + size, len(queries)))
            yield block, self._scores(queries.select(block), n_read).float().cpu()

    def _scores(self, queries: Queries, n_read: int) -> Float[Tensor, "B I"]:
        batch, state, history = self._read(queries)
        base = state @ self.model.encoder.output_table().T
        hide_seen(base, queries.histories, np.arange(len(queries)))
        if not n_read:
            return base
        users = UserSide(state, history, batch.is_item, self._pattern(queries))
        best = base.topk(n_read, dim=1)
        scores: Tensor = self.model(users, self.items(queries, best.indices.cpu().numpy()))
        # What was seen stays so where a user has fewer unseen items than are read.
        scores = scores.masked_fill(best.values == -math.inf, -math.inf)
        if n_read == base.shape[1]:
            return base.scatter(1, best.indices, scores)
        lowest = scores.masked_fill(scores == -math.inf, math.inf).amin(dim=1, keepdim=True)
        below = base - best.values[:, -1:] + lowest.clamp(max=0) - 1
        return below.masked_fill(base == -math.inf, -math.inf).scatter(1, best.indices, scores)

    def users(self, queries: Queries) -> UserSide:
        """Histories and patterns as of each query's moment."""
        batch, state, history = self._read(queries)
        return UserSide(state, history, batch.is_item, self._pattern(queries))

    def _read(self, queries: Queries) -> tuple[Rectangle, Float[Tensor, "B D"], Float[Tensor, "B T D"]]:
        batch = rectangle(queries.histories, np.arange(len(queries)), max_history=self.model.encoder.max_history)
        batch = batch.to(self.model.gate.device)
        return batch, *self.model.read(batch)

    def _pattern(self, queries: Queries) -> Float[Tensor, "B D"]:
        vectors, is_there = self.inputs.patterns_before(queries.users, queries.times)
        device = self.model.gate.device
        return self.model.pattern(vectors.to(device), is_there.to(device))

    def reason_rows(self, queries: Queries, rows: NDArray[np.int64]) -> NDArray[np.int32]:
        """The reasons that are read for each query's candidates, int32 [B, M, K].

        Args:
            queries: Whom to score and when.
            rows: int64 [B, M], of the catalogue.
        """
        n_queries, n_items = rows.shape
        flat = self.inputs.reasons_before(
            rows.ravel(),
            at=np.repeat(queries.times, n_items),
            users=np.repeat(queries.users, n_items),
            k=self.model.config.max_reasons,
        )
        if queries.own_rows is not None:
            is_target = rows == queries.targets[:, None] - 1
            flat = with_own_first(flat, np.where(is_target, queries.own_rows[:, None], NOBODY).ravel())
        return flat.reshape(n_queries, n_items, -1)

    def items(self, queries: Queries, rows: NDArray[np.int64]) -> ItemSide:
        """Candidates with their reasons as of each query's moment.

        Args:
            queries: Whom to score and when.
            rows: int64 [B, M], of the catalogue.
        """
        on_device = torch.from_numpy(rows).to(self.model.gate.device)
        if self.projected is None:
            return self.model.items(on_device)
        return self.model.items(on_device, *self.projected.of(self.reason_rows(queries, rows)))


def query_ranks(ranker: RewardRanker, queries: Queries, *, rerank: int | None = RERANKED) -> NDArray[np.float64]:
    """Rank of each query's target among all items that its user has not had; ties by average rank.

    Infinite for a target that was had before.
    """
    ranks = np.full(len(queries), math.inf)
    for block, scores in ranker.score_blocks(queries, rerank=rerank):
        target = torch.from_numpy(queries.targets[block].astype(np.int64) - 1)[:, None]
        mine = scores.gather(1, target)
        better, equal = (scores > mine).sum(dim=1), (scores == mine).sum(dim=1) - 1
        found = 1.0 + better.numpy() + equal.numpy() / 2
        ranks[block] = np.where(torch.isfinite(mine[:, 0]).numpy(), found, math.inf)
    return ranks
