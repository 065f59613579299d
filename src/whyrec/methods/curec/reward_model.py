"""CURec's reward model: a recommender that also reads what users' reasons for an item say to a user's pattern.

Its score is the base encoder's, and a gate times what reasons, history and the scoring network add. The gate starts at
0, so that the model begins as its base exactly. Axes: B users, M items, K reasons, T history, W columns of the text
encoder, D columns of the model; S is B, or 1 where all users share the candidates.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.dropout import Dropout, no_dropout
from whyrec.encoders.sequences import Rectangle
from whyrec.errors import InvalidConfigError
from whyrec.methods.curec.config import RewardModelConfig
from whyrec.methods.curec.equations import text_embeddings
from whyrec.methods.curec.matching import AttentionMatching, matching_of
from whyrec.methods.curec.tower import Tower, interest_of
from whyrec.methods.curec.user_token import UserTokenEncoder


@dataclass(frozen=True, slots=True)
class UserSide:
    """What a score needs of users."""

    state: Float[Tensor, "B D"]
    history: Float[Tensor, "B T D"]
    is_item: Bool[Tensor, "B T"]
    pattern: Float[Tensor, "B D"]


@dataclass(frozen=True, slots=True)
class ItemSide:
    """What a score needs of candidates."""

    vectors: Float[Tensor, "S M D"]
    projected: Float[Tensor, "S M K X"] | None
    """Of their reasons, as ``RewardModel.project`` gives them; None where the model reads none."""
    is_reason: Bool[Tensor, "S M K"] | None


class RewardModel(nn.Module):
    """Scores items for users (CURec §4.3.2)."""

    def __init__(self, encoder: SequenceEncoder, config: RewardModelConfig, *, text_dim: int) -> None:
        """Put an untrained model on an encoder.

        Args:
            encoder: Trained; it becomes a part of the model.
            config: Shape.
            text_dim: Columns of the texts' vectors.

        Raises:
            InvalidConfigError: If heads do not divide the columns.
        """
        super().__init__()
        dim = encoder.output_table().shape[1]
        if dim % config.n_heads:
            raise InvalidConfigError(
                f"reward model: expected n_heads that divide the encoder's {dim} columns, got {config.n_heads}. "
                "Choose another number."
            )
        self.encoder = encoder
        self.config = config
        self.gate = nn.Parameter(torch.zeros(()))
        self.matching = matching_of(config.variant, dim, n_heads=config.n_heads)
        self.text = nn.Linear(text_dim, dim)
        self.no_pattern = nn.Parameter(torch.empty(dim).normal_(std=0.02))
        names = _vector_names(config, is_of_pattern=self.matching is None or self.matching.is_of_pattern)
        self.interest = None if config.faithful_mlp else interest_of(config.interest, dim, hidden=config.hidden)
        self.tower = Tower(names, dim, hidden=config.hidden, activation="dice" if config.faithful_mlp else "relu")

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return self.encoder.n_items

    def head_parameters(self) -> Iterator[nn.Parameter]:
        """All but the encoder's."""
        return (p for name, p in self.named_parameters() if not name.startswith("encoder."))

    def read(
        self, batch: Rectangle, *, drop: Dropout = no_dropout
    ) -> tuple[Float[Tensor, "B D"], Float[Tensor, "B T D"]]:
        """Encode histories: e_u, and the states of the items (CURec Eq. (9))."""
        if isinstance(self.encoder, UserTokenEncoder):
            return self.encoder.user_and_states(batch, drop=drop)
        states = self.encoder.states(batch, drop=drop)
        rows = torch.arange(len(states), device=states.device)
        return states[rows, (batch.lengths - 1).clamp(min=0)], states

    def pattern(self, vectors: Float[Tensor, "B W"], is_there: Bool[Tensor, " B"]) -> Float[Tensor, "B D"]:
        """Embed users' patterns; a learned vector stands for whoever has none yet (CURec Eq. (7))."""
        return torch.where(is_there[:, None], self._embedded(vectors), self.no_pattern)

    def project(self, vectors: Float[Tensor, "*S W"]) -> Float[Tensor, "*S X"]:
        """What the model needs of each reason, whoever asks: computed once and kept where the model serves.

        The attention's keys and values, or the embedding, by variant.
        """
        assert self.matching is not None, "a model without reasons has none to project"
        return self.matching.project(self._embedded(vectors))

    def items(
        self,
        rows: Int[Tensor, "S M"],
        projected: Float[Tensor, "S M K X"] | None = None,
        is_reason: Bool[Tensor, "S M K"] | None = None,
    ) -> ItemSide:
        """Put together what is needed of candidates.

        Args:
            rows: Of the catalogue, from 0.
            projected: Their reasons; None for a model that reads none.
            is_reason: Which cells hold one.
        """
        table = self.encoder.output_table()
        # embedding, not indexing: its gradient is much the faster to add up.
        return ItemSide(nn.functional.embedding(rows, table), projected, is_reason)

    def forward(self, users: UserSide, *sides: ItemSide, drop: Dropout = no_dropout) -> Float[Tensor, "B M"]:
        """Score all candidates of all users (CURec Eq. (10)).

        Args:
            users: Whom.
            sides: Candidates; those that users share and each user's own may come apart, and count as one list.
            drop: Of what enters the scoring network; a user's own vectors are dropped alike for all candidates.
        """
        own = {"user": drop(users.state)[:, None], "pattern": drop(users.pattern)[:, None]}
        mixed = [self.tower.mixed(own | self._vectors(users, side, drop)) for side in sides]
        base = [torch.einsum("bd,bmd->bm", users.state, side.vectors) for side in sides]
        added: Tensor = self.tower(torch.cat(mixed, dim=1))
        return torch.cat(base, dim=1) + self.gate * added

    def attention(self, users: UserSide, items: ItemSide) -> Float[Tensor, "B M K1"]:
        """How much each user's pattern looks at each reason of each candidate, averaged over heads.

        The first column is the null's share: what is left where no reason speaks to the pattern. Rows sum to 1.

        Raises:
            InvalidConfigError: If the model reads reasons otherwise.
        """
        if not isinstance(self.matching, AttentionMatching):
            raise InvalidConfigError(
                f"attention: expected a model of variant 'full', got {self.config.variant!r}. Train that one."
            )
        assert items.projected is not None, "a model with attention is given reasons"
        assert items.is_reason is not None, "a model with attention is given reasons"
        return self.matching.weights(users.pattern, items.projected, items.is_reason).mean(dim=1)

    def _vectors(self, users: UserSide, side: ItemSide, drop: Dropout) -> dict[str, Float[Tensor, "S M D"]]:
        """What depends on the candidates."""
        vectors = {"item": drop(side.vectors)}
        if self.interest is not None:
            vectors["product"] = drop(users.state[:, None] * side.vectors)
            vectors["interest"] = drop(self.interest(side.vectors, users.history, users.is_item))
        if self.matching is not None:
            vectors["match"] = drop(self.matching(users.pattern, side.projected, side.is_reason))
        return vectors

    def _embedded(self, vectors: Float[Tensor, "*S W"]) -> Float[Tensor, "*S D"]:
        return text_embeddings(vectors, self.text.weight, self.text.bias)


def _vector_names(config: RewardModelConfig, *, is_of_pattern: bool) -> tuple[str, ...]:
    """What the scoring network is given; the pattern only beside a match in which it takes no part (C17)."""
    history = () if config.faithful_mlp else ("product", "interest")
    match = () if config.variant == "none" else ("match",)
    return ("user", "item", *history, *match, *(() if is_of_pattern else ("pattern",)))
