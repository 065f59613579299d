"""What number a tuned model forecasts: the distribution over scores at the slot, its mean and its interval (T18)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from whyrec.llm.choices import choice_probabilities
from whyrec.llm.local.loading import LoadedModel
from whyrec.methods.trail.config import TrailConfig
from whyrec.methods.trail.encoding import Encoder
from whyrec.methods.trail.number_words import number_words, word_values
from whyrec.methods.trail.samples import Sample

_AT_ONCE = 512
"""Prompts in one forward pass on a small model; a large one's memory sets less."""
_PRUNE = 1e-3
_LARGEST_SPELLED = 9_999
LOW, HIGH = 0.1, 0.9
"""Ends of the 80% interval."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoreReadout:
    """Forecasts of N items."""

    expected: Float[np.ndarray, " N"]
    low: Float[np.ndarray, " N"]
    high: Float[np.ndarray, " N"]


def scores_at_slot(
    loaded: LoadedModel, encoder: Encoder, samples: Sequence[Sample], *, begun: Sequence[str], config: TrailConfig
) -> ScoreReadout:
    """Read the number that the model would write next, without generating.

    Args:
        loaded: The tuned model.
        encoder: How it is asked.
        samples: Items at a cut-off.
        begun: Of each answer, up to where the score stands.
        config: Slot and readout.
    """
    texts = [encoder.text(sample, begun=start) for sample, start in zip(samples, begun, strict=True)]
    distinct = list(dict.fromkeys(texts))  # items of which little is known are asked about in the same words
    values = np.asarray(word_values() if config.slot == "word" else _spelled(samples), dtype=np.float64)
    choices = list(number_words()) if config.slot == "word" else [f"{value:.0f}" for value in values]
    found = choice_probabilities(
        loaded.rows.model,
        loaded.tokenizer,
        distinct,
        choices=choices,
        adds_special_tokens=config.rendering == "plain",
        prune=_PRUNE,
        max_rows=_AT_ONCE if config.slot == "word" else 64,
    )
    place = {text: row for row, text in enumerate(distinct)}
    rows = np.array([place[text] for text in texts], dtype=np.int64)
    expected = found @ values if config.readout == "expected" else values[found.argmax(axis=1)]
    low, high = (values[_quantile(found, share)] for share in (LOW, HIGH))
    # The mean of a skewed distribution may lie above its ninth tenth.
    return ScoreReadout(expected[rows], np.minimum(low, expected)[rows], np.maximum(high, expected)[rows])


def _spelled(samples: Sequence[Sample]) -> Int[np.ndarray, " M"]:
    """Numbers that may be spelled: up to three times the most that any item ever had in a window."""
    most = max((max(sample.history.users, default=0) for sample in samples), default=0)
    return np.arange(min(max(3 * most, 30), _LARGEST_SPELLED) + 1)


def _quantile(probabilities: Float[np.ndarray, "N M"], share: float) -> Int[np.ndarray, " N"]:
    reached = probabilities.cumsum(axis=1) >= share
    reached[:, -1] = True  # rounding may keep a sum below 1
    places: np.ndarray = reached.argmax(axis=1)
    return places
