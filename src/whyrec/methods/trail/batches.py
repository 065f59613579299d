"""Which training texts stand together in a step: groups of similar samples where explanations are contrasted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from whyrec.methods.trail.encoding import EncodedSample


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """Texts to learn, and who is similar to whom."""

    samples: Sequence[EncodedSample]
    items: Int[np.ndarray, " S"]
    """Which item each sample is of: the same item in another window is a near-duplicate and no negative."""
    neighbours: Int[np.ndarray, "S N"] | None
    """The most similar samples of those with explanations, best first, -1 behind the last; None contrasts nothing.

    Rows of samples without an explanation are not looked at.
    """


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """One step's samples, and the pairs among them."""

    rows: Int[np.ndarray, " B"]
    is_positive: Bool[Tensor, "B B"] | None = None
    is_negative: Bool[Tensor, "B B"] | None = None


def epoch_plans(training: TrainingSet, *, batch_size: int, positives: int, rng: np.random.Generator) -> list[Plan]:
    """All steps of one pass, in random order.

    Samples with explanations come in groups of an anchor and its nearest neighbours, so that a small batch holds
    positives at all; the other samples, which teach the score alone, come in any order.

    Args:
        training: Texts.
        batch_size: Texts in a step.
        positives: Neighbours that count as positives; TRAIL's code has 2.
        rng: Draws the order.
    """
    told = np.array([place for place, sample in enumerate(training.samples) if sample.has_text], dtype=np.int64)
    silent = np.setdiff1d(np.arange(len(training.samples)), told)
    plans = [Plan(rows) for rows in _chunks(rng.permutation(silent), batch_size)]
    if training.neighbours is None:
        plans += [Plan(rows) for rows in _chunks(rng.permutation(told), batch_size)]
    else:
        plans += [
            Plan(rows, *pairs(training, rows, positives=positives))
            for rows in _grouped(told, training.neighbours[:, :positives], batch_size=batch_size, rng=rng)
        ]
    return [plans[place] for place in rng.permutation(len(plans))]


def pairs(
    training: TrainingSet, rows: Int[np.ndarray, " B"], *, positives: int
) -> tuple[Bool[Tensor, "B B"], Bool[Tensor, "B B"]]:
    """Positives and negatives among the samples of a step.

    Positive is who stands among a sample's nearest neighbours. Negative is everybody else but further listed
    neighbours, which are similar too, and the same item in other windows.
    """
    assert training.neighbours is not None, "pairs are asked for only where there are neighbours"
    listed = training.neighbours[rows]
    is_positive = (listed[:, None, :positives] == rows[None, :, None]).any(axis=2)
    is_similar = (listed[:, None, :] == rows[None, :, None]).any(axis=2)
    is_same = training.items[rows][:, None] == training.items[rows][None, :]
    return torch.from_numpy(is_positive & ~is_same), torch.from_numpy(~is_similar & ~is_same)


def _grouped(
    told: Int[np.ndarray, " T"],
    nearest: Int[np.ndarray, "S P"],
    *,
    batch_size: int,
    rng: np.random.Generator,
) -> Iterator[Int[np.ndarray, " B"]]:
    """As many texts in all as there are samples: every group stands for its anchor and some of the others."""
    group = nearest.shape[1] + 1
    per_step = max(batch_size // group, 1)
    n_steps = -(-len(told) // max(batch_size, group))
    anchors = rng.permutation(told)[: n_steps * per_step]
    for chosen in _chunks(anchors, per_step):
        members = np.intersect1d(np.concatenate([chosen, nearest[chosen].ravel()]), told)
        others = np.setdiff1d(told, members)
        filling = rng.choice(others, size=min(max(batch_size - len(members), 0), len(others)), replace=False)
        yield np.sort(np.concatenate([members, filling]))


def _chunks(rows: Int[np.ndarray, " N"], size: int) -> Iterator[Int[np.ndarray, " B"]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
