"""A small world for the reward model: items in clusters, users who stay in one, texts that say which."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from whyrec.data.sequences import Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.methods.curec.base_encoder import new_encoder
from whyrec.methods.curec.config import BaseConfig, RewardModelConfig
from whyrec.methods.curec.reward_inputs import Queries, RewardInputs, TimedSequences
from whyrec.methods.curec.reward_model import RewardModel
from whyrec.methods.curec.text_vectors import TextVectors

N_CLUSTERS, PER_CLUSTER, N_USERS, LENGTH = 4, 6, 40, 6
N_ITEMS = N_CLUSTERS * PER_CLUSTER
BASE = BaseConfig(embedding_dim=16, n_layers=1, n_heads=2, max_history=8, dropout=0.0)


@dataclass
class ListedReasons:
    """Reasons looked up one by one, the slow and plain way; remembers what it gave."""

    items: NDArray[np.int64]
    users: NDArray[np.int64]
    times: NDArray[np.int64]
    may_be_late: bool = False
    """The planted leak: nobody looks at the time."""
    given: list[tuple[int, int]] = field(default_factory=list)
    """Moment asked for and time of the reason given."""

    def rows_as_of(
        self,
        items: NDArray[np.integer],
        *,
        at: NDArray[np.int64] | int,
        users: NDArray[np.integer] | int | None,
        k: int,
    ) -> NDArray[np.int32]:
        moments = np.broadcast_to(at, items.shape)
        askers = np.broadcast_to(-1 if users is None else users, items.shape)
        found = np.full((len(items), k), -1, dtype=np.int32)
        for place, (item, moment, asker) in enumerate(zip(items, moments, askers, strict=True)):
            is_late = np.zeros(len(self.times), dtype=bool) if self.may_be_late else self.times >= moment
            rows = np.flatnonzero((self.items == item) & (self.users != asker) & ~is_late)
            newest = rows[np.argsort(-self.times[rows], kind="stable")][:k]
            found[place, : len(newest)] = newest
            self.given += [(int(moment), int(time)) for time in self.times[newest]]
        return found


@dataclass
class ListedPatterns:
    """One pattern per user, from before everything."""

    def rows_before(self, user_rows: NDArray[np.integer], times: NDArray[np.int64] | int) -> NDArray[np.int64]:
        return user_rows.astype(np.int64)


@dataclass(frozen=True)
class World:
    everything: TimedSequences
    training: TimedSequences
    validation: Queries
    inputs: RewardInputs
    reasons: ListedReasons
    own_rows: NDArray[np.int32]
    """Of each training item, the reason that it brought."""
    validation_own_rows: NDArray[np.int32]


def one_hot(numbers: NDArray[np.integer], n: int) -> NDArray[np.float32]:
    return np.eye(n, dtype=np.float32)[numbers]


def texts(vectors: NDArray[np.float32]) -> TextVectors:
    return TextVectors(vectors, np.arange(len(vectors), dtype=np.int32))


def timed(rows: Sequence[Sequence[tuple[int, int]]]) -> TimedSequences:
    """Users as lists of (item number, time)."""
    sequences = Sequences.of([[item for item, _ in row] for row in rows])
    return TimedSequences(sequences, np.array([time for row in rows for _, time in row], dtype=np.int64))


def world(*, says: str = "cluster", seed: int = 0) -> World:
    """Users take items of their own cluster in random order, one interaction per tick.

    Args:
        says: What patterns and reasons hold: the ``cluster``, or a code of the ``user`` who took the item, so that
            only an own reason says anything to a pattern; items are then taken at random.
        seed: Of everything.
    """
    rng = np.random.default_rng(seed)
    ticks = rng.permutation(N_USERS * LENGTH).reshape(N_USERS, LENGTH)
    ticks.sort(axis=1)
    rows = []
    for user in range(N_USERS):
        own = rng.permutation(PER_CLUSTER)[:LENGTH] + (user % N_CLUSTERS) * PER_CLUSTER
        items = 1 + (own if says == "cluster" else rng.permutation(N_ITEMS)[:LENGTH])
        rows.append(list(zip(items.tolist(), (ticks[user] * 1000).tolist(), strict=True)))
    everything = timed(rows)
    training = everything.without_last()
    items, users = everything.sequences.items.astype(np.int64) - 1, everything.sequences.users
    is_last = np.zeros(len(items), dtype=bool)
    is_last[everything.sequences.offsets[1:] - 1] = True
    codes = np.where(rng.random((N_USERS, 8)) < 0.5, -1, 1).astype(np.float32)
    of_reasons = one_hot(items // PER_CLUSTER, 8) if says == "cluster" else codes[users]
    of_patterns = one_hot(np.arange(N_USERS) % N_CLUSTERS, 8) if says == "cluster" else codes
    # Reasons of held-out items have rows, so that a control can give them, but no lookup finds them.
    asked_for = np.where(is_last, -2, items)
    reasons = ListedReasons(asked_for, users, everything.times)
    inputs = RewardInputs(ListedPatterns(), texts(of_patterns), reasons, texts(of_reasons), everything.times)
    return World(
        everything,
        training,
        everything.last_items(),
        inputs,
        reasons,
        np.flatnonzero(~is_last).astype(np.int32),
        np.flatnonzero(is_last).astype(np.int32),
    )


def encoder(config: BaseConfig = BASE, *, seed: int = 0) -> SequenceEncoder:
    return new_encoder(N_ITEMS, config, seed=seed)


def model(seed: int = 0, *, base: BaseConfig = BASE, text_dim: int = 8, **settings: object) -> RewardModel:
    """An untrained model, its gate open or shut as it comes."""
    config = RewardModelConfig.model_validate({"hidden": (16, 8), "n_heads": 2, "dropout": 0.0, **settings})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return RewardModel(encoder(base, seed=seed), config, text_dim=text_dim)
