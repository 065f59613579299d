"""The [Integration] section: the number, its interval and rank, and which drivers made it."""

from collections.abc import Sequence

from whyrec.data.facts import ItemFacts
from whyrec.interfaces import Driver, ForecastPoint
from whyrec.methods.trail.wording import Voice, percent, sentence, whole, window_phrase
from whyrec.methods.trail.writer_feature import CATALOGUE_DRIVERS, NOTICEABLE, catalogue_driver, push_phrase

HISTORY_DRIVERS = ("recency", "growth", "level", "volume")
WORTH_A_SECOND = 0.05
"""A second push up is named from 5%."""


def integration_section(facts: ItemFacts, forecast: ForecastPoint, drivers: Sequence[Driver], *, voice: Voice) -> str:
    """Justify the forecast for the window from the strongest drivers up and down."""
    sentences = [_number(forecast, voice=voice), *_against_recent(facts, forecast, voice=voice)]
    sentences += _pushes(drivers, voice=voice)
    sentences += _weighing(facts, drivers, voice=voice)
    return " ".join(sentence(text) for text in sentences)


def _number(forecast: ForecastPoint, *, voice: Voice) -> str:
    window, users = window_phrase(forecast.window), voice.forecast(forecast.expected)
    low, high = whole(forecast.low), whole(forecast.high)
    return voice.pick(
        f"For {window} the forecast is {users}, rank {forecast.rank:,}, with an 80% range of {low} to {high}",
        f"The forecast for {window} is {users} (80% interval: {low} to {high}), which gives it rank {forecast.rank:,}",
        f"Expected in {window}: {users}. Eight times out of ten the number should land between {low} and {high}; "
        f"the forecast ranks it number {forecast.rank:,}",
    )


def _against_recent(facts: ItemFacts, forecast: ForecastPoint, *, voice: Voice) -> list[str]:
    thirty = facts.recent[30]
    if not facts.months or thirty == 0 or round(forecast.expected) == thirty:
        return []
    relation = "above" if forecast.expected > thirty else "below"
    return [
        voice.pick(
            f"That is {relation} the {voice.users(thirty)} of the last thirty days",
            f"This expectation lies {relation} the count of the last thirty days, {whole(thirty)}",
        )
    ]


def _pushes(drivers: Sequence[Driver], *, voice: Voice) -> list[str]:
    """The two strongest pushes up and the strongest down, each with its effect."""
    told_before = catalogue_driver(drivers)
    by_size = sorted(
        (driver for driver in drivers if driver is not told_before), key=lambda driver: -abs(driver.effect)
    )
    by_size = [driver for driver in by_size if abs(driver.effect) >= NOTICEABLE]
    up = [driver for driver in by_size if driver.effect > 0]
    up = [*up[:1], *(driver for driver in up[1:2] if driver.effect >= WORTH_A_SECOND)]
    down = [driver for driver in by_size if driver.effect < 0][:1]
    if not up and not down:
        return ["Nothing else sets it apart from the items around it"] if drivers else []
    sentences = []
    if up:
        lead = voice.pick("Against the items around it, ", "Seen against the items around it, ", "")
        sentences.append(lead + _both(up, voice=voice))
    for driver in down:
        lead = voice.pick("On the other side, ", "Against that, ") if up else "Against the items around it, "
        sentences.append(lead + push_phrase(driver, voice=voice))
    return sentences


def _both(up: list[Driver], *, voice: Voice) -> str:
    """One push, or two joined: the second without its verb where the first's fits."""
    first = push_phrase(up[0], voice=voice)
    if len(up) == 1:
        return first
    if up[0].effect >= 1 or up[1].effect >= 1:
        return f"{first}, while {push_phrase(up[1], voice=voice)}"
    return f"{first}, {up[1].label} by {percent(up[1].effect)}"


def _weighing(facts: ItemFacts, drivers: Sequence[Driver], *, voice: Voice) -> list[str]:
    """What carried more weight, the history or the catalogue entry."""
    if not facts.months:
        return [
            voice.pick(
                "Without a history, the forecast rests on the catalogue entry and on how unseen items usually fare",
                "With nothing observed yet, the number rests on the catalogue entry and on the fate of other new items",
            )
        ]
    from_catalogue = max((abs(d.effect) for d in drivers if d.id in CATALOGUE_DRIVERS), default=0.0)
    from_history = max((abs(d.effect) for d in drivers if d.id in HISTORY_DRIVERS), default=0.0)
    if from_history > 2 * from_catalogue and from_catalogue:
        return [
            voice.pick(
                "Its history counts for more here than what the catalogue says",
                "What people did carries this number more than the features do",
            )
        ]
    if from_catalogue > from_history:
        return ["Here the features carry more of the number than the history does"]
    return []
