"""Cut an explanation's text into sections, and sections into plain words and checked claims. Loses no character."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from whyrec.interfaces import Claim, Explanation, Verdict


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of text; plain where it carries no claim."""

    text: str
    claims: tuple[Claim, ...] = ()
    """The claims made here; several where they overlap."""

    @property
    def supported(self) -> bool:
        """True when the evidence bears out every claim made here."""
        return all(claim.supported for claim in self.claims)

    @property
    def evidence_ids(self) -> tuple[str, ...]:
        """What the claims rest on, each once."""
        return tuple(dict.fromkeys(name for claim in self.claims for name in claim.evidence_ids))

    @property
    def problem(self) -> str:
        """What the evidence says instead."""
        return "; ".join(dict.fromkeys(claim.problem for claim in self.claims if claim.problem))


@dataclass(frozen=True, slots=True)
class Section:
    """A named part of an explanation."""

    name: str
    """Empty where the text has no sections."""
    passages: tuple[Passage, ...]


def badge_of(verdict: Verdict) -> str:
    """How many claims were checked, and how many hold."""
    n, wrong = len(verdict.claims), len(verdict.unsupported)
    if not n:
        return "no checkable claim"
    claims = "claim" if n == 1 else "claims"
    return f"{wrong} of {n} checked {claims} not borne out" if wrong else f"{n} of {n} {claims} checked and borne out"


def sections_of(explanation: Explanation) -> list[Section]:
    """Lay out an explanation for reading.

    The whole text is shown as one section where its sections cannot be found in it in order, or do not hold all its
    claims: what was checked is never hidden.
    """
    text, claims = explanation.text, explanation.verdict.claims
    spans = _spans(text, explanation.sections)
    if any(not any(start <= c.start and c.end <= end for _, start, end in spans) for c in claims) or not spans:
        spans = [("", 0, len(text))]
    return [Section(name, tuple(_passages(text, claims, start=start, end=end))) for name, start, end in spans]


def _spans(text: str, sections: Mapping[str, str]) -> list[tuple[str, int, int]]:
    spans: list[tuple[str, int, int]] = []
    position = 0
    for name, body in sections.items():
        start = text.find(body, position)
        if start < 0 or not body:
            return []
        position = start + len(body)
        spans.append((name, start, position))
    return spans


def _passages(text: str, claims: Sequence[Claim], *, start: int, end: int) -> Iterator[Passage]:
    inside = sorted((c for c in claims if start <= c.start and c.end <= end), key=lambda c: (c.start, c.end))
    groups = _overlapping(inside)
    edges = [(start, start), *((g[0].start, max(c.end for c in g)) for g in groups), (end, end)]
    for place, ((_, before), (begin, stop)) in enumerate(pairwise(edges)):
        if before < begin:
            yield Passage(text[before:begin])
        if begin < stop:
            yield Passage(text[begin:stop], tuple(groups[place]))


def _overlapping(claims: Sequence[Claim]) -> list[list[Claim]]:
    groups: list[list[Claim]] = []
    reach = -1
    for claim in claims:
        if claim.start < reach:
            groups[-1].append(claim)
        else:
            groups.append([claim])
        reach = max(reach, claim.end)
    return groups
