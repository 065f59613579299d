"""Which explanations of two runs are shown beside each other, in which order, on which side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.evaluation.explanation_files import ToldExplanation
from whyrec.evaluation.study_files import RunName

Key = tuple[str, str]
"""user_id and item_id."""


@dataclass(frozen=True, slots=True)
class TextPair:
    """Two explanations of one item to one user."""

    told: Mapping[RunName, ToldExplanation]
    first: RunName
    """Which is shown first."""

    @property
    def shown(self) -> tuple[ToldExplanation, ToldExplanation]:
        """The two in the order shown."""
        return self.told[self.first], self.told["B" if self.first == "A" else "A"]


def by_key(told: Sequence[ToldExplanation], *, path: Path) -> dict[Key, ToldExplanation]:
    """Explanations by user and item.

    Raises:
        InvalidDataError: If two are of the same user and item.
    """
    found: dict[Key, ToldExplanation] = {}
    for one in told:
        if one.key in found:
            user_id, item_id = one.key
            whose = f" to user {user_id!r}" if user_id else ""
            raise InvalidDataError(
                f"{path}: expected one explanation of an item, got two of {item_id!r}{whose}. Leave one out."
            )
        found[one.key] = one
    return found


def choose_pairs(
    a: Mapping[Key, ToldExplanation], b: Mapping[Key, ToldExplanation], *, n_pairs: int, seed: int
) -> list[TextPair]:
    """Draw pairs of the same user and item whose texts differ; each run stands first in half of them, at random.

    Args:
        a: One run's explanations.
        b: The other's.
        n_pairs: How many.
        seed: Fixes pairs, order and sides.

    Raises:
        InvalidConfigError: If ``n_pairs`` is below 1, or there are fewer.
    """
    shared = [key for key in a if key in b]
    differing = sorted(key for key in shared if _words(a[key]) != _words(b[key]))
    if not 1 <= n_pairs <= len(differing):
        same = len(shared) - len(differing)
        raise InvalidConfigError(
            f"--pairs: expected 1 to {len(differing)} (of {len(a)} and {len(b)} explanations, {len(shared)} are of the "
            f"same user and item, {same} of them in the same words), got {n_pairs}. Lower it, or explain more."
        )
    draw = Random(seed)  # a shuffle, no secret
    keys = draw.sample(differing, n_pairs)
    sides: list[RunName] = ["A", "B"] * ((n_pairs + 1) // 2)
    draw.shuffle(sides)
    return [TextPair({"A": a[key], "B": b[key]}, side) for key, side in zip(keys, sides, strict=False)]


def _words(told: ToldExplanation) -> list[str]:
    return told.explanation.text.split()
