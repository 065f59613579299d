"""Losses on the output table of an encoder: which negatives are drawn, how they are scored, and what it costs.

``FullSoftmaxLoss`` needs none of this and stands with the objectives.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from whyrec.data.sequences import Sequences
from whyrec.encoders import losses
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.negatives import ItemDistribution, uniform_others, uniform_unseen
from whyrec.encoders.objectives import Predictions
from whyrec.encoders.slices import in_slices

_GATHER_COST = 16
"""Fetching an item's vector costs as much as so many scores of one large product, roughly."""


@dataclass(frozen=True, slots=True)
class UnseenNegativesLoss:
    """Binary cross-entropy or BPR against items that the user has not had, each position with draws of its own."""

    kind: Literal["bce", "bpr"]
    sequences: Sequences
    """The training data: what users have had."""
    n_negatives: int = 1
    """Draws for each position. Paper (SASRec): 1."""

    def __call__(
        self, encoder: SequenceEncoder, predictions: Predictions, rng: np.random.Generator
    ) -> Float[Tensor, ""]:
        """Sum over positions."""
        negatives = uniform_unseen(
            self.sequences.select(predictions.batch.users),
            predictions.rows.cpu().numpy(),
            n_items=encoder.n_items,
            n=self.n_negatives,
            rng=rng,
        )
        positive, others = _scores(encoder, predictions, negatives)
        return losses.bce(positive, others) if self.kind == "bce" else losses.bpr(positive, others)


@dataclass(frozen=True, slots=True)
class CalibratedLoss:
    """gBCE against items drawn alike from the whole catalogue but the right one (gSASRec)."""

    n_negatives: int = 256
    """Draws for each position. Paper: 256 on MovieLens-1M."""
    calibration: float = 0.75
    """t of the paper. Paper: 0.75 on MovieLens-1M."""

    def __call__(
        self, encoder: SequenceEncoder, predictions: Predictions, rng: np.random.Generator
    ) -> Float[Tensor, ""]:
        """Sum over positions."""
        targets = predictions.targets.cpu().numpy()
        negatives = uniform_others(targets, n_items=encoder.n_items, n=self.n_negatives, rng=rng)
        # Draws repeat; more of them than there are other items give no more than the whole catalogue.
        rate = min(self.n_negatives / (encoder.n_items - 1), 1.0)
        positive, others = _scores(encoder, predictions, negatives)
        return losses.gbce(positive, others, beta=losses.gbce_beta(calibration=self.calibration, sampling_rate=rate))


@dataclass(frozen=True, slots=True)
class SharedNegativesLoss:
    """Losses against one sample of items that all positions of a micro-batch share."""

    kind: Literal["sampled_softmax", "bpr_max", "top1_max"]
    distribution: ItemDistribution
    n_negatives: int
    score_weight: float = 0.0
    """BPR-max: of the penalty on the negatives' scores."""
    elu: float = 0.0
    """Above 0, scores pass an exponential linear unit with this slope first, as in GRU4Rec's code with BPR-max."""

    def __call__(
        self, encoder: SequenceEncoder, predictions: Predictions, rng: np.random.Generator
    ) -> Float[Tensor, ""]:
        """Sum over positions."""
        device, targets = predictions.states.device, predictions.targets
        drawn = torch.from_numpy(self.distribution.draw(self.n_negatives, rng)).to(device)
        logp = self.distribution.log_probabilities.to(device)
        table, bias = encoder.output_table(), encoder.output_bias()
        added = torch.zeros(encoder.n_items, device=device) if bias is None else bias
        by_position = (
            predictions.states,
            functional.embedding(targets, table),
            added[targets],
            logp[targets],
            targets,
        )
        shared = (functional.embedding(drawn, table), added[drawn], logp[drawn], drawn)
        return in_slices(self._slice, by_position, shared)

    def _slice(self, *tensors: Tensor) -> Float[Tensor, ""]:
        states, target_rows, target_bias, target_logp, targets, rows, bias, logp, drawn = tensors
        positive = (states * target_rows).sum(dim=1) + target_bias
        negatives = states @ rows.T + bias
        if self.elu > 0:
            positive, negatives = (functional.elu(scores, alpha=self.elu) for scores in (positive, negatives))
        others = losses.without_hits(negatives, targets, drawn)
        if self.kind == "bpr_max":
            return losses.bpr_max(positive, others, score_weight=self.score_weight)
        if self.kind == "top1_max":
            return losses.top1_max(positive, others)
        return losses.sampled_softmax(positive, others, positive_logp=target_logp, negative_logp=logp)


def _scores(
    encoder: SequenceEncoder, predictions: Predictions, negatives: np.ndarray
) -> tuple[Float[Tensor, " N"], Float[Tensor, "N M"]]:
    """Scores of the right items and of each position's own negatives."""
    drawn = torch.from_numpy(negatives).to(predictions.states.device)
    items = torch.cat([predictions.targets[:, None], drawn], dim=1)
    scores = _scores_of(encoder, predictions.states, items)
    return scores[:, 0], scores[:, 1:]


def _scores_of(
    encoder: SequenceEncoder, states: Float[Tensor, "N D"], items: Int[Tensor, "N M"]
) -> Float[Tensor, "N M"]:
    if items.shape[1] * _GATHER_COST > encoder.n_items:
        return encoder.scores(states).gather(1, items)
    scores = (functional.embedding(items, encoder.output_table()) * states[:, None]).sum(dim=2)
    bias = encoder.output_bias()
    return scores if bias is None else scores + bias[items]
