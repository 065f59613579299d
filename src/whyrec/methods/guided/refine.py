"""A sequence encoder whose item table holds guided columns, and the three ways in which users meet them (G6)."""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.dropout import Dropout, no_dropout
from whyrec.encoders.embedding import ItemTable
from whyrec.encoders.sequences import Rectangle
from whyrec.errors import InvalidConfigError
from whyrec.methods.guided.preferences import Preferences

UserSide = Literal["logit", "concat", "item"]
"""``logit``: <alpha g~_u, alpha g~_i> is added to the score. ``concat``: the state's last columns are alpha g~_u.
``item``: users have none; the encoder makes of the items' columns what it will."""
Matching = Literal["dot", "distance"]
"""How levels of user and item meet (G10): their product, or less half their squared distance."""


class GuidedEncoder(SequenceEncoder):
    """An encoder around another one, whose table was made with ``frozen=`` guided columns.

    All that is trained is the inner encoder's, and ``match`` where there is one. The distance of levels leaves out the
    user's own square, which is the same for all items.
    """

    match: nn.Parameter | None
    """What matching counts for on each aspect."""
    match_unit: Tensor

    def __init__(
        self,
        base: SequenceEncoder,
        *,
        preferences: Preferences | None = None,
        user_side: UserSide = "item",
        matching: Matching = "dot",
        match_strength: float | None = None,
    ) -> None:
        """Take an untrained encoder.

        Args:
            base: SASRec, BERT4Rec or a tied GRU4Rec with frozen columns.
            preferences: What users prefer; None with ``item``.
            user_side: Where preferences go.
            matching: How they meet the items' levels.
            match_strength: With ``logit`` and ``dot``, products of levels in deviations are added, each aspect with a
                trainable factor of its own: all together begin at this strength. None adds products of the columns as
                they are, as in the paper.

        Raises:
            InvalidConfigError: If the encoder has no frozen columns or scores with another table, or preferences or a
                strength are missing or have no place.
        """
        super().__init__()
        _require_guided(base)
        if (preferences is None) != (user_side == "item"):
            got = "none" if preferences is None else "some"
            raise InvalidConfigError(
                f"user side {user_side!r}: expected {'no ' * (user_side == 'item')}preferences, got {got}. Change one."
            )
        if user_side == "item" and matching == "distance":
            raise InvalidConfigError("user side 'item': expected matching dot, got distance. Give users preferences.")
        if match_strength is not None and (user_side, matching) != ("logit", "dot"):
            raise InvalidConfigError(
                f"match strength: expected user side 'logit' and matching 'dot', got {user_side!r} and {matching!r}. "
                "Leave it out."
            )
        self.base = base
        self.preferences = preferences
        self.user_side = user_side
        self.matching = matching
        self.n_items, self.max_history, self.dropout = base.n_items, base.max_history, base.dropout
        self.reads_masks = base.reads_masks
        self.register_parameter("match", None)
        if match_strength is not None:
            square = self.guided_columns().detach().square().mean(dim=0)
            self.register_buffer("match_unit", torch.where(square > 0, 1 / (self.n_aspects * square), 0.0))
            self.match = nn.Parameter(torch.full((self.n_aspects,), float(match_strength)))

    @property
    def n_aspects(self) -> int:
        """Guided columns."""
        return int(self.item_table().frozen.shape[1])

    @property
    def aspect_columns(self) -> tuple[slice, ...]:
        """Where guided columns stand in states and in the output table, aspect by aspect the same in each stretch."""
        width, k = self.item_table().embedding_dim, self.n_aspects
        inner = slice(width - k, width)
        return (inner, slice(width, width + k)) if self.user_side == "logit" else (inner,)

    def configuration(self) -> Mapping[str, object]:
        """Of the inner encoder, and how users meet its guided columns."""
        own = {"user_side": self.user_side, "matching": self.matching, "learns_match": self.match is not None}
        return {"base": dict(self.base.configuration()), **own}

    def item_table(self) -> ItemTable:
        """The inner encoder's."""
        return self.base.item_table()

    def output_table(self) -> Float[Tensor, "I D"]:
        """The inner encoder's; with ``logit``, the guided columns follow once more."""
        table = self.base.output_table()
        return torch.cat([table, self.guided_columns()], dim=1) if self.user_side == "logit" else table

    def output_bias(self) -> Float[Tensor, " I"] | None:
        """The inner encoder's; with ``distance``, less half the square of the items' levels."""
        bias = self.base.output_bias()
        if self.matching == "dot":
            return bias
        square = -0.5 * (self.guided_columns() ** 2).sum(dim=1)
        return square if bias is None else bias + square

    def guided_columns(self) -> Float[Tensor, "I K"]:
        """alpha g~_i of all items, without the padding."""
        return self.item_table().frozen_columns()[1:]

    def states(self, batch: Rectangle, *, drop: Dropout = no_dropout) -> Float[Tensor, "B T D"]:
        """The state after each item."""
        return self._with_preferences(self.base.states(batch, drop=drop), self._preferred(batch))

    def states_at(self, batch: Rectangle, places: Bool[Tensor, "B T"], *, drop: Dropout) -> Float[Tensor, "N D"]:
        """The states at some positions, row by row."""
        preferred = self._preferred(batch)
        states = self.base.states_at(batch, places, drop=drop)
        return self._with_preferences(states, None if preferred is None else preferred[places])

    def last_state(self, batch: Rectangle) -> Float[Tensor, "B D"]:
        """The state after the last item."""
        preferred = self._preferred(batch)
        if preferred is not None:
            rows = torch.arange(len(preferred), device=preferred.device)
            preferred = preferred[rows, (batch.lengths - 1).clamp(min=0)]
        return self._with_preferences(self.base.last_state(batch), preferred)

    def _preferred(self, batch: Rectangle) -> Float[Tensor, "B T K"] | None:
        return None if self.preferences is None else self.preferences(batch, self.item_table())

    def _with_preferences(self, states: Tensor, preferred: Tensor | None) -> Tensor:
        if preferred is None:
            return states
        if self.match is not None:
            preferred = preferred * self.match * self.match_unit
        kept = states if self.user_side == "logit" else states[..., : -self.n_aspects]
        return torch.cat([kept, preferred.to(kept.dtype)], dim=-1)


def _require_guided(base: SequenceEncoder) -> None:
    table = base.item_table()
    k = table.frozen.shape[1]
    if k == 0:
        raise InvalidConfigError(
            "guided encoder: expected an item table with frozen columns, got none. Make it with frozen=."
        )
    scored = base.output_table()
    if scored.shape[1] != table.embedding_dim or not torch.equal(scored[:, -k:], table.frozen_columns()[1:]):
        raise InvalidConfigError(
            "guided encoder: expected scores by the table that is read, got another one. Make the encoder tied."
        )
