"""Write an explanation without a language model, in the paper's three sections (TRAIL §4.1), from facts and drivers.

Every sentence is chosen by what is true of the item; the seed only chooses between phrasings of it. The text goes
through the same verification as any other.
"""

from collections.abc import Sequence

from whyrec.data.facts import ItemFacts
from whyrec.evaluation.verification import Vocabulary, evidence_of, verify_explanation
from whyrec.interfaces import Driver, Explanation, ForecastPoint
from whyrec.methods.trail.wording import Voice
from whyrec.methods.trail.writer_feature import feature_section
from whyrec.methods.trail.writer_integration import integration_section
from whyrec.methods.trail.writer_trend import trend_section

WRITER = "offline"
ATTEMPTS = 3
"""Phrasings tried until one passes the verification."""


def write_explanation(
    facts: ItemFacts,
    forecast: ForecastPoint,
    drivers: Sequence[Driver] = (),
    *,
    seed: int = 0,
    vocabulary: Vocabulary | None = None,
) -> Explanation:
    """Explain one item's forecast in three sections, verified.

    Args:
        facts: History and catalogue entry at the cut-off.
        forecast: The item's row of the forecast.
        drivers: The model's own contributions for this item; the strongest are named with their effects.
        seed: Varies the phrasing, not the content.
        vocabulary: The catalogue's names, for the verification.

    Returns:
        The explanation with sections ``Trend``, ``Feature``, ``Integration``, its evidence and verdict.
    """
    voice = Voice(facts.item_id, seed=seed)
    sections = {
        "Trend": trend_section(facts, voice=voice),
        "Feature": feature_section(facts, drivers, voice=voice),
        "Integration": integration_section(facts, forecast, drivers, voice=voice),
    }
    text = "\n".join(f"[{name}] {body}" for name, body in sections.items())
    return Explanation(
        item_id=facts.item_id,
        text=text,
        sections=sections,
        evidence=evidence_of(facts, forecast, drivers),
        verdict=verify_explanation(text, facts=facts, forecast=forecast, drivers=drivers, vocabulary=vocabulary),
        writer=WRITER,
    )


def write_verified(
    facts: ItemFacts, forecast: ForecastPoint, drivers: Sequence[Driver] = (), *, vocabulary: Vocabulary
) -> Explanation:
    """Explain one item in the first phrasing that passes the verification.

    If none does, the last one is given with its failing verdict, never as verified.

    Args:
        facts: As in ``write_explanation``, and so are the others.
        forecast: The item's row of the forecast.
        drivers: The model's own contributions for this item.
        vocabulary: The catalogue's names.
    """
    explanation = write_explanation(facts, forecast, drivers, vocabulary=vocabulary)
    for seed in range(1, ATTEMPTS):
        if explanation.verdict.verified:
            break
        explanation = write_explanation(facts, forecast, drivers, seed=seed, vocabulary=vocabulary)
    return explanation
