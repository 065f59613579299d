"""What scores of users are tuned for: to predict what comes next, or to tell liked from disliked (G5)."""

from abc import ABC, abstractmethod
from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.methods.guided.equations import classification_loss, guided_task_loss, normalised
from whyrec.methods.guided.normalising import Normalisation


def for_tuning(normalisation: Normalisation, *, strength: float = 1.0) -> Normalisation:
    """The same, at the scale at which products of users and items deviate by about ``strength``, in log-odds.

    Deviation (G20): at Xavier's scale a product of twelve pairs is of some thousandths, and no score matters.

    Args:
        normalisation: Of the encoder's table.
        strength: How much scores may say beside a base system. Chosen: 1.

    Raises:
        InvalidConfigError: If it is not positive.
    """
    if not strength > 0:
        raise InvalidConfigError(f"tuning: expected a strength above 0, got {strength}. Choose a positive number.")
    return replace(normalisation, scale=strength**0.5 * len(normalisation.aspects) ** -0.25, weight=1.0)


class TuningTask(nn.Module, ABC):
    """Judges scores of users. Users are known by their places in the data that a task holds."""

    mean: Tensor
    std: Tensor
    items: Tensor

    def __init__(self, normalisation: Normalisation, items: Float[Tensor, "I K"]) -> None:
        """Take the item side, which is frozen.

        Args:
            normalisation: From ``for_tuning``.
            items: Its columns of the items.
        """
        super().__init__()
        self.scale = normalisation.scale * normalisation.weight
        self.aspects = normalisation.aspects
        self.register_buffer("mean", torch.tensor(normalisation.mean))
        self.register_buffer("std", torch.tensor(normalisation.std))
        self.register_buffer("items", items)

    @property
    @abstractmethod
    def n_users(self) -> int:
        """How many users the data holds."""

    @abstractmethod
    def losses_of_guided(self, guided: Float[Tensor, "N K"], users: Int[Tensor, " N"]) -> Float[Tensor, " N"]:
        """How bad guided vectors are, each for its user, in nats."""

    def forward(self, levels: Float[Tensor, "N K"], users: Int[Tensor, " N"]) -> Float[Tensor, " N"]:
        """How bad scores from 1 to 10 are, each row for its user, in nats; see GER Eq. (5)."""
        return self.losses_of_guided(normalised(levels, self.mean, self.std, scale=self.scale), users)

    def improvement(self, levels: Float[Tensor, "N K"], users: Int[Tensor, " N"]) -> Float[Tensor, " N"]:
        """How much better than scores at the items' mean, which add nothing: a reward, in nats."""
        gained: Tensor = self(self.mean.expand_as(levels), users) - self(levels, users)
        return gained


class NextItemTask(TuningTask):
    """Among a user's candidates, find what came next; a frozen base system has its say first (see GER Eq. (5))."""

    base_scores: Tensor
    candidates: Tensor
    targets: Tensor

    def __init__(
        self,
        normalisation: Normalisation,
        items: Float[Tensor, "I K"],
        *,
        candidates: Int[Tensor, "U C"],
        base_scores: Float[Tensor, "U C"],
        targets: Int[Tensor, " U"] | Float[Tensor, "U C"],
    ) -> None:
        """Take what came next.

        Args:
            normalisation: From ``for_tuning``.
            items: Its columns of the items.
            candidates: Rows of ``items``: what came next, and others, all of them or drawn ones.
            base_scores: Of the base system, trained on what came before.
            targets: Which candidate came next; or shares, where several did.

        Raises:
            InvalidDataError: If the numbers of users or candidates differ.
        """
        super().__init__(normalisation, items)
        if base_scores.shape != candidates.shape or len(targets) != len(candidates):
            raise InvalidDataError(
                f"tuning: expected base scores and targets of {tuple(candidates.shape)} users and candidates, got "
                f"{tuple(base_scores.shape)} and {len(targets)}. Give one row per user."
            )
        self.register_buffer("candidates", candidates)
        self.register_buffer("base_scores", base_scores)
        self.register_buffer("targets", targets)

    @property
    def n_users(self) -> int:
        """How many users the data holds."""
        return len(self.targets)

    def losses_of_guided(self, guided: Float[Tensor, "N K"], users: Int[Tensor, " N"]) -> Float[Tensor, " N"]:
        """Negative log-likelihood of what came next."""
        found: Tensor = guided_task_loss(
            self.base_scores[users],
            guided,
            item_guided=self.items[self.candidates[users]],
            targets=self.targets[users],
            reduction="none",
        )
        return found


class LikingTask(TuningTask):
    """Tell what a user liked from what the user did not like."""

    pairs: Tensor
    is_liked: Tensor
    is_pair: Tensor

    def __init__(
        self,
        normalisation: Normalisation,
        items: Float[Tensor, "I K"],
        *,
        pairs: Int[Tensor, "U P"],
        is_liked: Bool[Tensor, "U P"],
        is_pair: Bool[Tensor, "U P"],
    ) -> None:
        """Take what users made of items.

        Args:
            normalisation: From ``for_tuning``.
            items: Its columns of the items.
            pairs: Rows of ``items`` that each user judged; users differ in number, so that some cells hold none.
            is_liked: What they made of them.
            is_pair: Which cells hold one.

        Raises:
            InvalidDataError: If shapes differ or a user has judged nothing.
        """
        super().__init__(normalisation, items)
        if is_liked.shape != pairs.shape or is_pair.shape != pairs.shape:
            raise InvalidDataError(
                f"tuning: expected likes of {tuple(pairs.shape)} users and pairs, got {tuple(is_liked.shape)} and "
                f"{tuple(is_pair.shape)}. Give one row per user."
            )
        if not bool(is_pair.any(dim=1).all()):
            empty = int((~is_pair.any(dim=1)).nonzero()[0, 0])
            raise InvalidDataError(f"tuning, user {empty}: expected a judged item at least, got none. Leave it out.")
        self.register_buffer("pairs", pairs)
        self.register_buffer("is_liked", is_liked)
        self.register_buffer("is_pair", is_pair)
        self.slope = nn.Parameter(torch.tensor(1.0))
        self.offset = nn.Parameter(torch.tensor(0.0))

    @property
    def n_users(self) -> int:
        """How many users the data holds."""
        return len(self.pairs)

    def losses_of_guided(self, guided: Float[Tensor, "N K"], users: Int[Tensor, " N"]) -> Float[Tensor, " N"]:
        """Log-loss, mean over a user's pairs."""
        pairs, is_pair = self.pairs[users], self.is_pair[users]
        losses = classification_loss(
            guided.repeat_interleave(pairs.shape[1], dim=0),
            self.items[pairs].flatten(0, 1),
            is_liked=self.is_liked[users].flatten(),
            slope=self.slope,
            offset=self.offset,
            reduction="none",
        ).view(pairs.shape)
        return (losses * is_pair).sum(dim=1) / is_pair.sum(dim=1)
