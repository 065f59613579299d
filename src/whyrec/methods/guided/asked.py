"""One user at a moment: scores of all items, taken apart, and the levels that the user prefers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from whyrec.data.sequences import Histories, Sequences
from whyrec.encoders.embedding import ItemTable
from whyrec.encoders.sequences import rectangle
from whyrec.methods.guided.decomposing import ScoreParts, score_parts
from whyrec.methods.guided.preferences import HistoryPreferences
from whyrec.methods.guided.refine import GuidedEncoder
from whyrec.recommending.topk import exact_top_k


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What is known of a user at a moment."""

    histories: Histories
    """The one user's."""
    history: NDArray[np.int64]
    """Rows of the catalogue, oldest first; none for somebody unknown."""
    scores: Float[Tensor, " I"]
    """Of all items; for somebody unknown, how popular they are."""
    listed: Float[Tensor, " I"]
    """The same, ``-inf`` for what the user has had."""
    parts: ScoreParts | None
    """Of all items; None for somebody unknown."""
    levels: Float[np.ndarray, " K"] | None
    """That the user prefers, in points; None for somebody unknown."""

    @property
    def user_id(self) -> str:
        """Whose."""
        return str(self.histories.user_ids[0])

    def best(self, *, item_ids: pl.Series, k: int) -> list[str]:
        """The first ``k`` of the list."""
        best, found = exact_top_k(self.listed[None], k=min(k, len(self.listed)))
        return item_ids.gather(found[0][torch.isfinite(best[0])].numpy()).to_list()

    def ranks(self, rows: Sequence[int]) -> Iterator[int | None]:
        """Places of items in the list, from 1; None for what the user has had."""
        for row in rows:
            mine = self.listed[row]
            is_before = (self.listed > mine) | ((self.listed == mine) & (torch.arange(len(self.listed)) < row))
            yield int(is_before.sum()) + 1 if torch.isfinite(mine) else None


def parts_of_all(encoder: GuidedEncoder, history: Sequences) -> ScoreParts:
    """Take apart the scores of all items for one user.

    Args:
        encoder: A trained encoder.
        history: One row, not empty.
    """
    encoder.eval()
    table = encoder.output_table()
    batch = rectangle(history, np.array([0]), max_history=encoder.max_history).to(table.device)
    items = torch.arange(len(table), device=table.device)
    found = score_parts(encoder, encoder.last_state(batch).expand(len(table), -1), items)
    return ScoreParts(found.base.cpu(), found.aspects.cpu())


def levels_of_history(
    levels: Float[np.ndarray, "I K"],
    history: Sequences,
    *,
    mean: Float[np.ndarray, " K"],
    half_life_items: float,
    max_history: int,
) -> Float[np.ndarray, " K"]:
    """The levels that a user prefers, in points, as ``HistoryPreferences`` has them in the unit of the columns.

    Args:
        levels: Of the items, in points; where unknown, NaN, which counts as the mean.
        history: One row, not empty.
        mean: Of the items of the training data.
        half_life_items: As the preferences have it.
        max_history: As the encoder has it.
    """
    known = torch.from_numpy(np.where(np.isnan(levels), mean, levels))
    table = ItemTable(len(levels), levels.shape[1] + 1, frozen=known)
    batch = rectangle(history, np.array([0]), max_history=max_history)
    preferred = HistoryPreferences(half_life_items=half_life_items)(batch, table)
    found: np.ndarray = preferred[0, -1].double().numpy()
    return found
