"""The [Feature] section: what the catalogue says of the item, and what that is worth to the forecast."""

from collections.abc import Sequence

from whyrec.data.attributes import AttributeValue
from whyrec.data.facts import ItemFacts
from whyrec.evaluation.verification.titles import quoted
from whyrec.interfaces import Driver
from whyrec.methods.trail.wording import Voice, listing, percent, sentence

CATALOGUE_DRIVERS = ("catalogue", "text", "rating")
LONGEST_VALUE = 60
MOST_VALUES = 3
LONGEST_REPEATED_TITLE = 45
"""Longer titles are not said twice."""
NOTICEABLE = 0.02
"""Effects under 2% go unmentioned."""


def feature_section(facts: ItemFacts, drivers: Sequence[Driver], *, voice: Voice) -> str:
    """Name up to three attributes of the catalogue entry, honestly fewer where it has fewer."""
    told = _told_attributes(facts, voice=voice)
    sentences = [_attributes(told, facts=facts, voice=voice)]
    if facts.mean_rating is not None and facts.total_users:
        rating = f"{facts.mean_rating:.1f}"
        sentences.append(
            voice.pick(f"Its mean rating so far is {rating}", f"Those who chose it gave an average rating of {rating}")
        )
    sentences += _worth(drivers, voice=voice)
    return " ".join(sentence(text) for text in sentences)


def _told_attributes(facts: ItemFacts, *, voice: Voice) -> list[str]:
    """Clauses that continue "It is ...": at most three, in catalogue order but for long texts and dates."""
    clauses = [
        clause for name, value in facts.attributes.items() for clause in _clauses(name.casefold(), value, voice=voice)
    ]
    return clauses[:MOST_VALUES]


def _clauses(name: str, value: AttributeValue, *, voice: Voice) -> list[str]:
    if isinstance(value, float | int):
        return [_numeric(name, float(value))]
    if isinstance(value, tuple):
        values = [part for part in value if part]
        return [f"{voice.pick('listed under', 'catalogued as')} {listing(values[:MOST_VALUES])}"] if values else []
    if " > " in value:
        # The first step of a path is the shop's department, the same for the whole catalogue.
        steps = [step.strip() for step in value.split(" > ")]
        steps = steps[1:] if len(steps) > 2 else steps
        return [f"listed under {steps[0]}", f"in the category {steps[-1]}"]
    if len(value) > LONGEST_VALUE or name.endswith(("_seen", "_at", "date", "url")) or "description" in name:
        return []
    if name.startswith("director"):
        return [f"directed by {value}"]
    return [f"with “{value}” as its {name.replace('_', ' ')}"]


def _numeric(name: str, value: float) -> str:
    if "year" in name:
        return f"a {value:.0f} release"
    if "price" in name:
        return f"priced at {value:,.2f}"
    return f"with a {name.replace('_', ' ')} of {value:,.10g}"


def _attributes(told: list[str], *, facts: ItemFacts, voice: Voice) -> str:
    title = quoted(facts.title)
    if not told:
        return voice.pick(
            f"The catalogue holds nothing on {title} but the title itself",
            f"But for the title {title}, the catalogue is silent",
        )
    it = "it" if len(title) > LONGEST_REPEATED_TITLE else voice.pick(title, "it")
    if len(told) == 1:
        return voice.pick(
            f"The catalogue gives a single attribute: {it} is {told[0]}",
            f"{it} is {told[0]}; the catalogue says no more",
        )
    return voice.pick(
        f"{it} is {listing(told)}",
        f"According to the catalogue, {it} is {listing(told)}",
        f"As {told[0]}, {it} is {listing(told[1:])}"
        if told[0].startswith("a ")
        else f"By its catalogue entry, {it} is {listing(told)}",
    )


def _worth(drivers: Sequence[Driver], *, voice: Voice) -> list[str]:
    strongest = catalogue_driver(drivers)
    if strongest is None:
        return []
    if abs(strongest.effect) < NOTICEABLE:
        return [voice.pick("This hardly moves the forecast", "On the forecast, this has hardly any bearing")]
    return [push_phrase(strongest, voice=voice)]


def catalogue_driver(drivers: Sequence[Driver]) -> Driver | None:
    """The strongest of the drivers that come from the catalogue entry."""
    known = [driver for driver in drivers if driver.id in CATALOGUE_DRIVERS]
    return max(known, key=lambda driver: abs(driver.effect), default=None)


def push_phrase(driver: Driver, *, voice: Voice) -> str:
    """Say how a driver moves the forecast: "the last seven days raised the forecast by 34%"."""
    if driver.effect >= 1:
        return f"{driver.label} multiplied the forecast by {1 + driver.effect:.1f}"
    verb = voice.pick("lifted", "raised") if driver.effect > 0 else voice.pick("lowered", "cut", "reduced")
    return f"{driver.label} {verb} the forecast by {percent(driver.effect)}"
