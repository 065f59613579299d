"""How much each item serves each motivation, from texts alone: likeness of its text to descriptions of the motivation.

Likeness is read in the catalogue's own space and scaled to it: 1 is one standard deviation above the average item, so
that a shop in which everything looks beautiful still tells what is about beauty more than the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from whyrec.evaluation.verification.titles import quoted
from whyrec.methods.mllm3rec.artefacts import Motivation, Profile
from whyrec.methods.mllm3rec.schema import MotivationSchema
from whyrec.methods.mllm3rec.text_space import TextSpace, Vectors, unit_rows

WRITER = "offline"
_HALF_LIFE = 10.0
_STEPS = (1.0, 2.0, 3.0)
"""Deviations from which a motivation is weak, clear, strong: of a mean over items that are drawn at random, one in six,
one in forty and one in seven hundred is."""
_STATED_STEPS = (0.25, 0.35, 0.45)
"""Cosines from which own words name a motivation. Chosen by eye, with the packaged sentence encoder."""
_MOST_EVIDENCE = 3
_MOST_NAMED = 2
_LEAST_EVIDENCE = 0.5


class TextEncoder(Protocol):
    """The part of ``Embedder`` that is used."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class MotiveScale:
    """Where motivations lie among texts."""

    schema: MotivationSchema
    described: Vectors
    """Mean of each motivation's descriptions, of length 1, as the encoder gives them: [M E]."""
    directions: Vectors
    """The same in the catalogue's space, [D M]."""
    mean: Vectors
    """Of likeness over the catalogue, [M]."""
    deviation: Vectors
    """The same, [M]."""

    @classmethod
    def of(cls, points: Vectors, *, space: TextSpace, schema: MotivationSchema, encoder: TextEncoder) -> "MotiveScale":
        """Place a schema among a catalogue's texts.

        Args:
            points: Of the items, [N D].
            space: That they lie in.
            schema: Whose descriptions are embedded.
            encoder: The one that the items were embedded by.
        """
        vectors = encoder.embed([text for it in schema.dimensions for text in it.descriptions])
        ends = np.cumsum([len(it.descriptions) for it in schema.dimensions])[:-1]
        described = unit_rows(np.stack([part.mean(axis=0) for part in np.split(unit_rows(vectors), ends)]))
        placed = np.stack([part.mean(axis=0) for part in np.split(space.place(vectors), ends)])
        directions = np.ascontiguousarray(unit_rows(placed).T)
        likeness = points @ directions
        deviation = np.maximum(likeness.std(axis=0), 1e-6)
        return cls(schema, described, directions, likeness.mean(axis=0), deviation)

    def served(self, points: Vectors) -> Vectors:
        """How much items serve each motivation, in deviations from the catalogue's mean: [N M]."""
        return np.asarray((points @ self.directions - self.mean) / self.deviation, dtype=np.float32)


def inferred_profile(
    user_id: str | None, *, item_ids: Sequence[str], titles: Sequence[str], served: Vectors, schema: MotivationSchema
) -> Profile:
    """Infer why somebody takes things: each motivation summed over the history, the newest items counting most.

    Args:
        user_id: Whose history it is.
        item_ids: Taken, newest last; one at least.
        titles: Of the same items.
        served: How much these items serve each motivation, [T M].
        schema: The motivations.

    Returns:
        Every motivation of the schema; those with strength 0 without a sentence.
    """
    ages = np.arange(len(item_ids))[::-1]
    weights = np.exp2(-ages / _HALF_LIFE)
    strength_of = (weights @ served) / np.sqrt((weights**2).sum())
    found = []
    for number, dimension in enumerate(schema.dimensions):
        strength = sum(strength_of[number] >= step for step in _STEPS)
        evidence = _evidence(item_ids, served[:, number], weights=weights) if strength else ()
        if not evidence:
            found.append(Motivation(dimension.key, 0, ""))
            continue
        named = [title for item_id in evidence if (title := titles[item_ids.index(item_id)])]
        sentence = sentence_on(dimension.name, named[:_MOST_NAMED], strength)
        found.append(Motivation(dimension.key, int(strength), sentence, evidence))
    return Profile(user_id, tuple(found), WRITER)


def stated_profile(words: str, *, scale: MotiveScale, encoder: TextEncoder, user_id: str | None = None) -> Profile:
    """Read motivations from somebody's own words, such as "gifts that are eco-friendly".

    Args:
        words: In English, any length.
        scale: The motivations.
        encoder: The one that the scale was made with.
        user_id: Whose words.

    Returns:
        Motivations whose descriptions the words are like; the likeliest one at least, as weak.
    """
    likeness = scale.described @ unit_rows(encoder.embed([words]))[0]
    strengths = [sum(value >= step for step in _STATED_STEPS) for value in likeness.tolist()]
    if not any(strengths):
        strengths[int(likeness.argmax())] = 1
    told = " ".join(words.split())
    return Profile(
        user_id,
        tuple(
            Motivation(it.key, strength, f"Asked in so many words: {told}" if strength else "")
            for it, strength in zip(scale.schema.dimensions, strengths, strict=True)
        ),
        WRITER,
    )


def sentence_on(name: str, titles: Sequence[str], strength: int) -> str:
    """Say how a motivation shows: "Often looks for value for money, as in “A” and “B”."."""
    degree = {1: "Sometimes looks for", 2: "Often looks for", 3: "Looks above all for"}[int(strength)]
    return f"{degree} {name}, as in {listed(titles)}." if titles else f"{degree} {name}."


def listed(titles: Sequence[str]) -> str:
    """Titles in quotation marks, as a list in a sentence."""
    named = [quoted(title) for title in titles]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


def _evidence(item_ids: Sequence[str], served: Vectors, *, weights: NDArray[np.float64]) -> tuple[str, ...]:
    """The items that serve a motivation most, recent ones first among equals, each once."""
    order = np.argsort(-(served * weights), kind="stable")
    chosen = [item_ids[place] for place in order.tolist() if served[place] >= _LEAST_EVIDENCE]
    return tuple(dict.fromkeys(chosen))[:_MOST_EVIDENCE]
