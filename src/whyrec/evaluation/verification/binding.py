"""Which number belongs to which month: "152 users in October", "2013-10: 152", "72 and 88 in June and July"."""

import re

from whyrec.evaluation.verification.mentions import Number, Place

_LINK = re.compile(r"^\s*(?:,|and|to|–|-|→|then|, and|, then|through|until|and then|versus|vs\.?)\s*(?:in\s)?$")
_BLOCKERS = (
    r"\b(?:and|from|than|while|but|compared|against|versus|whereas|after|since|before|forecast|expect\w*|"
    r"predict\w*)\b|[.;→]"
)
_FORWARD = re.compile(
    rf"^(?:(?!{_BLOCKERS}|,).){{0,48}}(?:\b(?:in|during|over|for|within|across|throughout|of)\s(?:the\s|all of\s|"
    rf"just\s|only\s)?(?:early |mid-?|late |month of |whole of )*|\s?\()$"
)
_FORWARD_RELATIVE = re.compile(r"^(?:\s\w+){0,2}\s(?:in\s|over\s|during\s|of\s)?$")
_BACKWARD = re.compile(rf"^(?:(?!{_BLOCKERS}|\bto\b\s*$).){{0,58}}$")
_BACKWARD_TO = re.compile(r"^(?:(?![,.;]|\b(?:and|from|than|while|but|forecast)\b).){0,30}\bto\s*$")
_TOTALLED = re.compile(r"^\s\w+\s(?:in (?:total|all)|overall|altogether|all told)\b")
_LOOSE_BLOCKERS = re.compile(
    r"\b(?:than|while|but|compared|against|versus|whereas|since|forecast|expect\w*|predict\w*|"
    r"(?<!date )(?<!dates )(?<!dating )(?<!stem )(?<!stems )(?<!comes )(?<!come )(?<!hail )from|by|ago|later|after|"
    r"before|another|more|fewer)\b|[;→]"
)
_UNTIL = re.compile(
    r"\b(?:by|as of|until|up to|through|since|"
    r"(?<!date )(?<!dates )(?<!dating )(?<!stem )(?<!stems )(?<!comes )(?<!come )(?<!hail )from|than|before|after|"
    r"by the end of)\s(?:the\s)?$"
)
_ALIGNED_GAP = 70


def bind(text: str, *, numbers: list[Number], places: list[Place], is_loose: bool = False) -> dict[Number, Place]:
    """Tie the counts of a sentence to the months and spans they are said of.

    Args:
        text: The explanation, lower case.
        numbers: A sentence's numbers that count users, or whose unit is left out.
        places: The sentence's months and spans; dates are left out, for no count belongs to a day.
        is_loose: Whether the sentence's one number and one month belong together whatever stands between them.
    """
    if not numbers or not places:
        return {}
    numbers = [number for number in numbers if not _TOTALLED.match(text[number.end : number.end + 40])]
    bound = _aligned_runs(text, numbers=numbers, places=places)
    free_places = [place for place in places if place not in bound.values()]
    for number in numbers:
        if number in bound:
            continue
        place = next((place for place in free_places if place.start >= number.end), None)
        if place and not _number_between(numbers, number.end, place.start) and _reaches(text, number, place):
            bound[number] = place
            free_places.remove(place)
    for number in numbers:
        if number in bound:
            continue
        place = next((place for place in reversed(places) if place.end <= number.start), None)
        if place is None or _number_between(numbers, place.end, number.start) or place not in free_places:
            continue
        gap = text[place.end : number.start]
        if _BACKWARD.match(gap) or _BACKWARD_TO.match(gap):
            bound[number] = place
            free_places.remove(place)
    left = [number for number in numbers if number not in bound]
    if is_loose and len(left) == len(free_places) == 1 and _belongs(text, left[0], free_places[0]):
        bound[left[0]] = free_places[0]
    return bound


def _belongs(text: str, number: Number, place: Place) -> bool:
    low, high = min(number.end, place.end), max(number.start, place.start)
    opening = text[max(0, place.start - 20) : place.start]
    return not _LOOSE_BLOCKERS.search(text[low:high]) and not _UNTIL.search(opening)


def _reaches(text: str, number: Number, place: Place) -> bool:
    gap = text[number.end : place.start]
    if place.relative and _FORWARD_RELATIVE.match(gap):
        return True
    return bool(_FORWARD.match(gap))


def _number_between(numbers: list[Number], start: int, end: int) -> bool:
    return any(start <= number.start and number.end <= end for number in numbers)


def _aligned_runs(text: str, *, numbers: list[Number], places: list[Place]) -> dict[Number, Place]:
    """Pair equally long lists of numbers and of months, whichever comes first."""
    bound: dict[Number, Place] = {}
    number_runs, place_runs = _number_runs(text, numbers), _place_runs(text, places)
    for run in number_runs:
        for places_run in place_runs:
            gap = max(places_run[0].start - run[-1].end, run[0].start - places_run[-1].end)
            if len(run) == len(places_run) >= 2 and 0 <= gap <= _ALIGNED_GAP:
                bound.update(zip(run, places_run, strict=True))
                place_runs.remove(places_run)
                break
    return bound


def _number_runs(text: str, numbers: list[Number]) -> list[list[Number]]:
    runs: list[list[Number]] = []
    for number in numbers:
        if runs and _LINK.match(_without_noun(text[runs[-1][-1].end : number.start], runs[-1][-1].noun)):
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _place_runs(text: str, places: list[Place]) -> list[list[Place]]:
    runs: list[list[Place]] = []
    for place in places:
        if runs and _LINK.match(text[runs[-1][-1].end : place.start]):
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def _without_noun(gap: str, noun: str) -> str:
    """Let "72 users to 88" read like "72 to 88"."""
    stripped = gap.lstrip()
    return (
        stripped[len(noun) :]
        if noun in ("users", "people", "viewers", "ratings") and stripped.startswith(noun)
        else gap
    )
