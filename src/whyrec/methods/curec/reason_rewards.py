"""What a new reason is worth to a frozen reward model: the difference it makes to its own item (CURec Eq. (12); C5).

All that is read is as of the target's moment: history, pattern and the items' reasons are strictly earlier, and none of
the reasons is the user's own.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from whyrec.data.sequences import Sequences
from whyrec.encoders.sequences import rectangle
from whyrec.errors import InvalidConfigError
from whyrec.methods.curec.equations import append_reason, difference_reward
from whyrec.methods.curec.histories import Interaction, UserHistory, as_micros
from whyrec.methods.curec.policy_config import CorrectionConfig
from whyrec.methods.curec.reward_model import RewardModel, UserSide
from whyrec.methods.curec.text_vectors import TextEncoder
from whyrec.methods.curec.texts import Texts
from whyrec.methods.curec.timelines import NOBODY


@dataclass(frozen=True, eq=False)
class ReasonJudge:
    """A frozen reward model that says what reasons are worth."""

    model: RewardModel
    encoder: TextEncoder
    """The one that the model's texts were embedded with."""
    histories: Mapping[str, UserHistory]
    """Training interactions by user_id."""
    config: CorrectionConfig
    """Which other items reasons are held against, and how."""

    def __post_init__(self) -> None:
        if self.model.config.variant in ("none", "text"):
            raise InvalidConfigError(
                f"correction: expected a reward model that reads reasons, got variant {self.model.config.variant!r}. "
                "Train one of another."
            )

    @torch.no_grad()
    def rewards(
        self, targets: Sequence[Interaction], texts: Sequence[Sequence[str]], *, snapshot: Texts
    ) -> Float[Tensor, "B G"]:
        """Judge reasons by how much each raises its own item over other items.

        A reason stands in front of an item's others as the most recent, and the oldest goes where the list is full.

        Args:
            targets: Interactions to be explained.
            texts: G reasons for each.
            snapshot: Which patterns and reasons there are.

        Returns:
            In units of the score, on the CPU.

        Raises:
            InvalidConfigError: If a user took so much that there are too few other items.
        """
        self.model.eval()
        users = self._users(targets, snapshot=snapshot)
        candidates = self._candidates(targets, users, snapshot=snapshot)
        items = torch.from_numpy(candidates).to(self._device)
        reasons, is_reason = self._reasons(targets, candidates, snapshot=snapshot)
        new = self._projected([text for group in texts for text in group])
        groups = new.reshape(len(targets), -1, new.shape[1])
        among = self._differences(users, items, reasons, is_reason=is_reason, new=groups)
        if not self.config.alone_weight:
            return among.cpu()
        alone = self._differences(users, items, reasons, is_reason=torch.zeros_like(is_reason), new=groups)
        return torch.lerp(among, alone, self.config.alone_weight).cpu()

    def _differences(
        self,
        users: UserSide,
        items: Int[Tensor, "B M"],
        reasons: Float[Tensor, "B M K X"],
        *,
        is_reason: Bool[Tensor, "B M K"],
        new: Float[Tensor, "B G X"],
    ) -> Float[Tensor, "B G"]:
        """What each new reason changes; the targets stand in the first column of the items."""
        without: Tensor = self.model(users, self.model.items(items, reasons, is_reason))
        # Where a reason stands with its own item alone, the others' scores stay.
        n = 1 if self.config.reward == "likelihood" else items.shape[1]
        columns = [
            self.model(users, self.model.items(items[:, :n], *_with_first(reasons[:, :n], is_reason[:, :n], one)))
            for one in new.unbind(dim=1)
        ]
        target, others = torch.stack(columns, dim=1).tensor_split([1], dim=2)
        if self.config.reward == "likelihood":
            return likelihood_difference(target[:, :, 0], without[:, 0], others_without=without[:, 1:])
        return difference_reward(target[:, :, 0], without[:, 0], others_with=others, others_without=without[:, 1:])

    def _users(self, targets: Sequence[Interaction], *, snapshot: Texts) -> UserSide:
        numbers = {item_id: n for n, item_id in enumerate(snapshot.reasons.item_ids, start=1)}
        known = [self.histories[target.user_id].before(target.timestamp) for target in targets]
        rows = Sequences.of([[numbers[item_id] for item_id in history.item_ids] for history in known])
        batch = rectangle(rows, np.arange(len(rows)), max_history=self.model.encoder.max_history).to(self._device)
        state, history = self.model.read(batch)
        times = np.array([as_micros(target.timestamp) for target in targets], dtype=np.int64)
        book = snapshot.patterns
        found = book.rows_before(book.user_rows([target.user_id for target in targets]), times)
        is_there = torch.from_numpy(found != NOBODY).to(self._device)
        pattern = self.model.pattern(self._vectors(_texts(book.frame, found)), is_there)
        return UserSide(state, history, batch.is_item, pattern)

    def _candidates(self, targets: Sequence[Interaction], users: UserSide, *, snapshot: Texts) -> NDArray[np.int64]:
        """Rows of the catalogue, [B, 1 + N]: each target, then other items that the model's base ranks high."""
        store, config = snapshot.reasons, self.config
        rows = store.item_rows([target.item_id for target in targets]).astype(np.int64)
        base = users.state @ self.model.encoder.output_table().T
        drawn = []
        for target, row, scores in zip(targets, rows.tolist(), base, strict=True):
            # What the user took later is no wrong item either, though nothing of it is read.
            taken = store.item_rows(list(self.histories[target.user_id].item_ids))
            scores[torch.tensor(taken, dtype=torch.long)] = -math.inf
            n_free = int((scores > -math.inf).sum())
            if n_free < config.n_negatives:
                raise InvalidConfigError(
                    f"n_negatives: expected at most {n_free} for user {target.user_id!r}, who took all others, got "
                    f"{config.n_negatives}. Lower it."
                )
            pool = scores.topk(min(max(config.negative_pool, config.n_negatives), n_free)).indices.cpu().numpy()
            rng = np.random.default_rng((config.grpo.seed, abs(as_micros(target.timestamp)), row))
            drawn.append(rng.choice(pool, size=config.n_negatives, replace=False))
        return np.concatenate([rows[:, None], np.stack(drawn)], axis=1)

    def _reasons(
        self, targets: Sequence[Interaction], candidates: NDArray[np.int64], *, snapshot: Texts
    ) -> tuple[Float[Tensor, "B M K X"], Bool[Tensor, "B M K"]]:
        """The reasons of each candidate that its user may read at the target's moment."""
        store, n_items = snapshot.reasons, candidates.shape[1]
        times = np.array([as_micros(target.timestamp) for target in targets], dtype=np.int64)
        rows = store.rows_as_of(
            candidates.ravel(),
            at=np.repeat(times, n_items),
            users=np.repeat(store.user_rows([target.user_id for target in targets]), n_items),
            k=self.model.config.max_reasons,
        )
        distinct, places = np.unique(rows, return_inverse=True)
        vectors = self._projected(_texts(store.frame, distinct))
        cells = torch.from_numpy(places.reshape(*candidates.shape, -1)).to(self._device)
        return functional.embedding(cells, vectors), torch.from_numpy(rows != NOBODY).to(self._device).view_as(cells)

    def _projected(self, texts: Sequence[str]) -> Float[Tensor, "N X"]:
        return self.model.project(self._vectors(texts))

    def _vectors(self, texts: Sequence[str]) -> Float[Tensor, "N W"]:
        """Each distinct text is embedded once; these are few, so that no table of all vectors is kept."""
        distinct = list(dict.fromkeys(texts))
        places = {text: place for place, text in enumerate(distinct)}
        vectors = torch.from_numpy(self.encoder.embed(distinct)).float().to(self._device)
        return vectors[[places[text] for text in texts]]

    @property
    def _device(self) -> torch.device:
        return self.model.gate.device


def likelihood_difference(
    target_with: Float[Tensor, "B G"], target_without: Float[Tensor, " B"], *, others_without: Float[Tensor, "B N"]
) -> Float[Tensor, "B G"]:
    """Reward a reason for how much likelier it makes its own item among others, in nats (C5, the second form).

    Here the reason stands with its own item alone. In the first form, ``difference_reward``, it also stands with the
    others; a reward model that believes what it reads then raises those most whose reasons say nothing of the kind yet,
    and a reason that names what an item really has is worth less than one that says nothing.

    Args:
        target_with: Scores of the item with each new reason.
        target_without: Its score without.
        others_without: Scores of N other items as they are.
    """
    others = others_without.logsumexp(dim=1, keepdim=True)
    likelihood = functional.logsigmoid(target_with - others)
    return likelihood - functional.logsigmoid(target_without[:, None] - others)


def _with_first(
    reasons: Float[Tensor, "B M K X"], is_reason: Bool[Tensor, "B M K"], new: Float[Tensor, "B X"]
) -> tuple[Float[Tensor, "B M K X"], Bool[Tensor, "B M K"]]:
    """Lists with one new reason of each row in front; the oldest goes where a list is full."""
    n_rows, n_items, k, width = reasons.shape
    grown, is_there = append_reason(
        reasons.reshape(-1, k, width), is_reason.reshape(-1, k), new.repeat_interleave(n_items, dim=0)
    )
    return grown[:, :k].reshape(n_rows, n_items, k, width), is_there[:, :k].reshape(n_rows, n_items, k)


def _texts(frame: pl.DataFrame, rows: NDArray[np.integer]) -> list[str]:
    """Texts of some rows; something where there is none, which nobody reads."""
    kept = frame["text"][np.maximum(rows, 0)].to_list() if frame.height else [""] * len(rows)
    return [text if row != NOBODY else "" for row, text in zip(rows.tolist(), kept, strict=True)]
