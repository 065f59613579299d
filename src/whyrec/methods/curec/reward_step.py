"""The loss of one batch of the reward model: what is read, which items are compared, and how they are scored."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from whyrec.data.sequences import Sequences
from whyrec.encoders.dropout import Dropout
from whyrec.encoders.losses import sampled_softmax
from whyrec.encoders.sasrec import SasRec
from whyrec.encoders.sequences import rectangle
from whyrec.methods.curec.base_encoder import window_states
from whyrec.methods.curec.config import RewardTrainingConfig
from whyrec.methods.curec.equations import softmax_loss
from whyrec.methods.curec.reward_batches import CandidateSampler, Targets
from whyrec.methods.curec.reward_inputs import RewardInputs, Rows, TimedSequences, vectors_of, with_own_first
from whyrec.methods.curec.reward_model import ItemSide, RewardModel, UserSide

_HIDDEN = -1e15
"""Lower than any score, yet finite."""


@dataclass(frozen=True, eq=False)
class RewardStep:
    """The loss of one batch."""

    model: RewardModel
    windows: Sequences
    states: Float[Tensor, "U T D"] | None
    """Of a frozen causal encoder, computed once; None encodes histories batch by batch."""
    targets: Targets
    inputs: RewardInputs
    config: RewardTrainingConfig
    sampler: CandidateSampler

    @classmethod
    def of(
        cls,
        model: RewardModel,
        training: TimedSequences,
        inputs: RewardInputs,
        *,
        config: RewardTrainingConfig,
        own_rows: Rows | None = None,
    ) -> "RewardStep":
        """Compute what is the same for all batches.

        Args:
            model: On a trained encoder.
            training: Training items only.
            inputs: Patterns and reasons of training interactions.
            config: How it is trained.
            own_rows: The leak control; see ``train_reward_model``.
        """
        encoder = model.encoder
        # One item more than is read: the last is only a target.
        windows = training.newest(encoder.max_history + 1)
        own = None if own_rows is None else _aligned(own_rows, training, n=encoder.max_history + 1)
        read = windows.sequences.without_last()
        is_kept = isinstance(encoder, SasRec) and not config.train_base
        return cls(
            model,
            windows.sequences,
            window_states(encoder, read) if is_kept and isinstance(encoder, SasRec) else None,
            Targets.of(windows, own_rows=own),
            inputs,
            config,
            CandidateSampler.of(training.sequences, n_items=model.n_items, config=config),
        )

    def loss(self, batch: Targets, *, rng: np.random.Generator, drop: Dropout) -> Float[Tensor, ""]:
        """Summed over the batch (CURec Eq. (11))."""
        users = self._users(batch, drop)
        if self.config.full_softmax:
            everything = np.arange(self.model.n_items)
            scores = self.model(users, self._items(everything[None], self._reasons(everything, batch)), drop=drop)
            return softmax_loss(scores, torch.from_numpy(batch.rows).to(scores.device))
        candidates = self.sampler.draw(batch, rng)
        own = self._reasons(batch.rows, batch)
        if batch.own_rows is not None and own is not None:
            own = with_own_first(own, batch.own_rows)
        others = self._items(candidates.rows[None], self._reasons(candidates.rows, batch))
        scores = self.model(users, self._items(batch.rows[:, None], own), others, drop=drop)
        logp = self.sampler.logp.to(scores.device)
        return sampled_softmax(
            scores[:, 0],
            scores[:, 1:].masked_fill(candidates.is_hit(batch).to(scores.device), _HIDDEN),
            positive_logp=logp[torch.from_numpy(batch.rows)],
            negative_logp=logp[torch.from_numpy(candidates.rows)],
        )

    def _reasons(self, rows: np.ndarray, batch: Targets) -> Rows | None:
        """As of the batch's first target, the same whoever asks (C1, C3)."""
        if self.model.matching is None:
            return None
        return self.inputs.reasons_before(rows, at=batch.first_time, users=None, k=self.model.config.max_reasons)

    def _items(self, rows: np.ndarray, reasons: Rows | None) -> ItemSide:
        """Candidates ``[S, M]`` with their reasons ``[S * M, K]``."""
        device = self.model.gate.device
        on_device = torch.from_numpy(rows).to(device)
        if reasons is None:
            return self.model.items(on_device)
        vectors, is_there = vectors_of(self.inputs.reason_vectors, reasons.reshape(*rows.shape, -1))
        return self.model.items(on_device, self.model.project(vectors.to(device)), is_there.to(device))

    def _users(self, batch: Targets, drop: Dropout) -> UserSide:
        device = self.model.gate.device
        state, history, is_item = self._read(batch, drop)
        vectors, is_there = self.inputs.patterns_before(batch.users, batch.times)
        pattern = self.model.pattern(vectors.to(device), is_there.to(device))
        return UserSide(state, history, is_item, pattern)

    def _read(self, batch: Targets, drop: Dropout) -> tuple[Tensor, Tensor, Bool[Tensor, "B T"]]:
        device = self.model.gate.device
        if self.states is not None:
            users, cells = torch.from_numpy(batch.users), torch.from_numpy(batch.cells)
            history = self.states[users, : int(cells.max()) + 1].to(device)
            is_item = torch.arange(history.shape[1]) <= cells[:, None]
            return self.states[users, cells].to(device), history, is_item.to(device)
        unread = self.windows.lengths[batch.users] - batch.cells - 1
        prefixes = self.windows.select(batch.users, without_last=unread)
        read = rectangle(prefixes, np.arange(len(batch)), max_history=self.model.encoder.max_history).to(device)
        with torch.set_grad_enabled(self.config.train_base):
            state, history = self.model.read(read, drop=drop) if self.config.train_base else self.model.read(read)
        return state, history, read.is_item


def _aligned(own_rows: Rows, training: TimedSequences, *, n: int) -> Rows:
    """Those of the windows' items alone."""
    return TimedSequences(training.sequences, own_rows.astype(np.int64)).newest(n).times.astype(np.int32)
