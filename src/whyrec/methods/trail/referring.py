"""From a finished explanation to one with references, by its claims: what a small model is trained to write."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from whyrec.data.facts import ItemFacts
from whyrec.evaluation.verification.lexicon import TOTAL_CUE
from whyrec.evaluation.verification.mentions import Stretch, folded, split_sentences
from whyrec.evaluation.verification.places import find_places
from whyrec.evaluation.verification.time_words import SPAN
from whyrec.interfaces import Claim, ClaimKind, Explanation, ForecastPoint
from whyrec.methods.trail.references import REFERENCE, Filling, fillings_of, put_in

SENTENCES = {"Trend": 2, "Feature": 1, "Integration": 1}
"""The most sentences of each section that ``refer`` keeps: texts for a small model are short."""

_SECTION_TAG = re.compile(r"\[(Trend|Feature|Integration)\]:?")
_FIRST_CUE = re.compile(r"\b(?:since|appeared (?:on|in)|began on|first seen (?:on|in)|debut in)\s$", re.IGNORECASE)
_PEAK_CUE = re.compile(r"\b(?:peak\w*|best month|no month was stronger)\b", re.IGNORECASE)
_SO_FAR = re.compile(r"\b(?:so far|first \w+ days of)\b", re.IGNORECASE)
_USERS = re.compile(r"\busers?\b")
_ZERO = re.compile(r"(?:nobody|none|zero|no one|no)\b", re.IGNORECASE)
_QUOTED = re.compile("“[^”]*”")
_GOES_ON = re.compile(r"\w|[,.]\d")
_NOBODY = "nobody"
_ONLY_NOBODY = re.compile(r" (?:new|has|had)\b")
"""What may follow "nobody" but not "two people"."""
_LEVEL_IDS = ("forecast:low", "forecast:high")
_LEVEL = re.compile(r"\b80%")
_FORMS: dict[ClaimKind, tuple[str, ...]] = {
    "month": ("month", "month_year", "day", "window"),
    "number": ("people", "users", "count", "days", "rank", "rating"),
    "title": ("title",),
    "attribute": ("attr",),
}
_NO_MONTH = (1, 1)
"""Only spans of days are looked for; which month it is does not matter to them."""
_LONGEST_TEXT = 100
"""Characters that no reference's text exceeds."""
_CUE_REACH = 24
"""Characters before a month in which a word says that it is the first one."""


def refer(
    explanation: Explanation, *, facts: ItemFacts, point: ForecastPoint, sentences: Mapping[str, int] = SENTENCES
) -> str | None:
    """Turn an explanation into one with references: what ``fill`` makes of it are sentences of the original.

    Sentences that still hold a number, month, title or attribute are left out, whole.

    Args:
        explanation: With its verdict, whose claims say where the facts stand.
        facts: What it was verified against.
        point: The same.
        sentences: The most to keep of each section, the first ones.

    Returns:
        The text in its three sections, or None if it is not verified or one of them comes out empty.
    """
    bodies = _sections(explanation.text)
    if not explanation.verdict.verified or list(bodies) != list(SENTENCES):
        return None
    fillings = fillings_of(facts, point)
    options = _options(fillings)
    texts = {reference: filling.text for reference, filling in fillings.items()}
    stretches = split_sentences(_masked(explanation.text, explanation.verdict.claims))
    parts = []
    for name, body in bodies.items():
        inside = (stretch for stretch in stretches if body.holds(stretch.start))
        told = (_told(explanation, stretch, options=options, texts=texts) for stretch in inside)
        kept = list(islice((sentence for sentence in told if sentence is not None), sentences[name]))
        if not kept:
            return None
        parts.append(f"[{name}] {' '.join(kept)}")
    return "\n".join(parts)


def _sections(text: str) -> dict[str, Stretch]:
    """Where each section's body stands, tags excluded; empty where a tag stands twice."""
    tags = list(_SECTION_TAG.finditer(text))
    ends = [*(tag.start() for tag in tags[1:]), len(text)]
    found = {tag[1]: Stretch(tag.end(), end) for tag, end in zip(tags, ends, strict=True)}
    return found if len(found) == len(tags) else {}


class _Option(NamedTuple):
    """A reference, taken apart, with what it says of the item."""

    reference: str
    form: str
    which: str
    text: str
    folded: str
    """In lower case: most references are ruled out by it at once."""
    evidence_id: str


def _options(fillings: Mapping[str, Filling]) -> dict[str, list[_Option]]:
    """References by the kind of claim that they may stand for."""
    found: dict[str, list[_Option]] = {kind: [] for kind in _FORMS}
    for reference, filling in fillings.items():
        form, _, which = reference.strip("{}").partition(":")
        option = _Option(reference, form, which, filling.text, filling.text.lower(), filling.evidence_id)
        for kind, forms in _FORMS.items():
            if form in forms:
                found[kind].append(option)
    return found


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a reference may stand for what the text says."""

    start: int
    end: int
    reference: str


def _places(
    text: str, sentence: Stretch, claims: Sequence[Claim], *, options: Mapping[str, Sequence[_Option]]
) -> list[_Place]:
    """One reference for every claim of a sentence that has one, in the order of the text, none overlapping another."""
    context = _context(text, sentence, claims)
    found = [place for claim in claims if (place := _best_place(text, claim, context, options=options))]
    chosen: list[_Place] = []
    # The longest first: one list of values replaces the claims about each of them.
    for place in sorted(found, key=lambda place: (place.start - place.end, place.start)):
        if all(place.end <= other.start or place.start >= other.end for other in chosen):
            chosen.append(place)
    return sorted(chosen, key=lambda place: place.start)


@dataclass(frozen=True, slots=True)
class _Context:
    """The sentence around a claim."""

    words: str
    month_ids: frozenset[str]
    """Evidence of the months that it names."""
    spans: frozenset[int]
    """The spans that it names, in days: the last seven, the last thirty."""
    noun: str
    """``people`` or ``users``, as the explanation calls them."""

    def anchors(self, evidence_id: str) -> bool:
        """Whether the sentence says what a number counts, so that it does not equal another one by chance."""
        if evidence_id == "total":
            return bool(TOTAL_CUE.search(self.words))
        if evidence_id.startswith("recent:"):
            return int(evidence_id.removeprefix("recent:").removesuffix("d")) in self.spans
        return not evidence_id.startswith("month:") or evidence_id in self.month_ids


def _context(text: str, sentence: Stretch, claims: Sequence[Claim]) -> _Context:
    words = text[sentence.start : sentence.end]
    places = find_places(words, latest=_NO_MONTH, known=frozenset(), first=_NO_MONTH)
    return _Context(
        words=words,
        month_ids=frozenset(_month_ids(claims)),
        spans=frozenset(place.span_days for place in places if place.span_days is not None),
        noun="users" if _USERS.search(text) else "people",
    )


def _month_ids(claims: Sequence[Claim]) -> Iterator[str]:
    for claim in claims:
        if claim.kind in ("month", "peak"):
            yield from claim.evidence_ids


def _best_place(
    text: str, claim: Claim, context: _Context, *, options: Mapping[str, Sequence[_Option]]
) -> _Place | None:
    """The longest fitting reference; of equally long ones that which the words around it ask for."""
    since_first = bool(_FIRST_CUE.search(text[max(0, claim.start - _CUE_REACH) : claim.start]))
    wanted = ["first"] if since_first else ["0", *(["peak"] if _PEAK_CUE.search(context.words) else [])]
    near = text[max(0, claim.start - _LONGEST_TEXT) : claim.end + _LONGEST_TEXT].lower()
    ranked = []
    for order, option in enumerate(options.get(claim.kind, ())):
        if option.folded not in near:
            continue
        start = _covering(text, option.text, claim)
        is_out_of_place = option.which in ("first", "peak") and option.form != "day" and option.which not in wanted
        if start is None or is_out_of_place or not _rests_on(claim, option, context=context):
            continue
        place = _Place(start, start + len(option.text), option.reference)
        rank = wanted.index(option.which) if option.which in wanted else len(wanted)
        is_named = option.evidence_id in claim.evidence_ids
        ranked.append((-len(option.text), not is_named, rank, option.form != context.noun, order, place))
    return min(ranked)[-1] if ranked else None


def _rests_on(claim: Claim, option: _Option, *, context: _Context) -> bool:
    """Whether a reference speaks of what a claim speaks of."""
    match option.form:
        case "title" | "day" | "window":
            return True
        case "month" | "month_year" if option.evidence_id == "first_seen":
            return True
        case "days":
            return bool(_SO_FAR.search(context.words))
        case "people" | "users" | "count" if not option.evidence_id.startswith("forecast"):
            return context.anchors(option.evidence_id)
    return option.evidence_id in claim.evidence_ids


def _covering(text: str, said: str, claim: Claim) -> int | None:
    """Where a reference's words stand around a claim, whole, with a small or a capital letter; None if nowhere."""
    claim_end = claim.start + len(claim.text.rstrip("."))
    for start in range(max(0, claim_end - len(said)), claim.start + 1):
        end = start + len(said)
        found = text[start:end]
        is_whole = not (text[start - 1 : start].isalnum() or _GOES_ON.match(text, end))
        if said == _NOBODY and _ONLY_NOBODY.match(text, end):
            continue
        if is_whole and found[1:] == said[1:] and found[:1].lower() == said[:1].lower():
            return start
    return None


def _told(
    explanation: Explanation,
    sentence: Stretch,
    *,
    options: Mapping[str, Sequence[_Option]],
    texts: Mapping[str, str],
) -> str | None:
    """A sentence with its references, or None if anything in it is still told outright."""
    text = explanation.text
    claims = [claim for claim in explanation.verdict.claims if sentence.holds(claim.start)]
    places = _places(text, sentence, claims, options=options)
    if not all(_is_free(claim, places) for claim in claims):
        return None
    told, position = "", sentence.start
    for place in places:
        told += text[position : place.start] + place.reference
        position = place.end
    told = (told + text[position : sentence.end]).strip()
    if ":total}" in told:
        told = re.sub(rf"\b{texts['{has:total}']}(?= chosen)", "{has:total}", told)
    rest = SPAN.sub("", folded(_LEVEL.sub("", REFERENCE.sub("", told))))
    if not told or re.search(r"[\d{}]", rest) or put_in(told, texts) != text[sentence.start : sentence.end].strip():
        return None
    return told


def _is_free(claim: Claim, places: Sequence[_Place]) -> bool:
    """Whether a claim holds no fact outright: it is a reference, a word of change, nobody, or the interval's level."""
    if claim.kind in ("direction", "peak") or any(place.start <= claim.start < place.end for place in places):
        return True
    return bool(_ZERO.fullmatch(claim.text)) or claim.evidence_ids == _LEVEL_IDS


def _masked(text: str, claims: Sequence[Claim]) -> str:
    """The text with its names written over: a full stop inside one ends no sentence."""
    spans = [hit.span() for hit in _QUOTED.finditer(text)]
    spans += [(claim.start, claim.end) for claim in claims if claim.kind in ("title", "attribute")]
    for start, end in spans:
        text = text[:start] + "X" * (end - start) + text[end:]
    return text
