"""An explanation's evidence as the page shows it: in words, and under ids that links can reach."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from whyrec.evaluation.verification.evidence import month_id, month_label
from whyrec.interfaces import Evidence, Explanation
from whyrec.methods.trail.wording import day, percent, whole

_MONTH = re.compile(r"month:(\d{4})-(\d{2})")
_LONGEST_VALUE = 140


@dataclass(frozen=True, slots=True)
class Shown:
    """One piece of evidence with its place on the page."""

    evidence: Evidence
    anchor: str
    """The id of the element that shows it."""

    @property
    def value(self) -> str:
        """The value as a person would write it, cut where it is very long."""
        return value_in_words(self.evidence)

    @property
    def label(self) -> str:
        """What it is, as a person would say it."""
        if self.evidence.id == "forecast":
            return "the forecast"
        return f"the {self.evidence.label}" if self.evidence.kind == "forecast" else self.evidence.label

    @property
    def says(self) -> str:
        """Label and value in one phrase: ``September 2013: 10 users``."""
        return f"{self.label}: {self.value}"


def value_in_words(evidence: Evidence) -> str:
    """Write a value with its unit: ``1,204 users``, ``8.8``, ``+34%``, ``Drama, Sci-Fi``."""
    value = evidence.value
    if isinstance(value, str):
        if evidence.id == "first_seen":
            return day(date.fromisoformat(value))
        return value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE].rstrip()}…"
    if evidence.kind == "driver":
        return effect_in_words(value)
    if evidence.unit == "users":
        return users_in_words(value)
    if evidence.id == "rating":
        return f"{value:.1f}"
    return f"{value:.10g}"


def users_in_words(users: float) -> str:
    """Write a number of users with its noun: ``1 user``, ``1,204 users``."""
    count = count_in_words(users)
    return f"{count} {'user' if count == '1' else 'users'}"


def count_in_words(users: float) -> str:
    """Write a number of users: ``1,204``; with a decimal below one, ``<0.1`` where it is next to nothing."""
    if 0 < users < 0.05:
        return "<0.1"
    return f"{users:.1f}" if 0.05 <= users < 0.95 else whole(users)


def effect_in_words(effect: float) -> str:
    """Write a multiplicative effect: ``+34%``, ``−12%``, and ``×2.5`` once it doubles the forecast."""
    if effect >= 1:
        return f"×{1 + effect:.1f}"
    return f"{'−' if effect < 0 else '+'}{percent(effect)}"


def shown_evidence(
    explanation: Explanation, *, known: Sequence[Evidence], prefix: str, cutoff: datetime
) -> dict[str, Shown]:
    """Give every piece of evidence an id of its own on the page.

    A claim may also rest on a month before the item's first: nobody, then. Such months are listed last.

    Args:
        explanation: Its evidence, and its claims for what they cite beyond it.
        known: What the page shows in any case; where the explanation has evidence of the same id, this is shown.
        prefix: Set before every anchor, unique on the page.
        cutoff: Months after it are no evidence.

    Returns:
        By evidence id.
    """
    by_id = {evidence.id: evidence for evidence in (*explanation.evidence, *known)}
    listed = [*by_id.values(), *_empty_months(explanation, listed=set(by_id), cutoff=cutoff)]
    anchors = _unique(_slug(evidence.id) for evidence in listed)
    return {
        evidence.id: Shown(evidence, f"{prefix}-{anchor}") for evidence, anchor in zip(listed, anchors, strict=True)
    }


def _empty_months(explanation: Explanation, *, listed: set[str], cutoff: datetime) -> list[Evidence]:
    cited = {name for claim in explanation.verdict.claims for name in claim.evidence_ids} - listed
    history = [name for name in listed if _MONTH.fullmatch(name)]
    latest = month_id((cutoff.year, cutoff.month))
    found = (_MONTH.fullmatch(name) for name in sorted(cited) if name < min(history, default="~") and name <= latest)
    months = [(int(match[1]), int(match[2])) for match in found if match]
    return [Evidence(month_id(month), "series", month_label(month), 0.0, "users") for month in months]


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-") or "evidence"


def _unique(names: Iterable[str]) -> list[str]:
    taken: set[str] = set()
    unique: list[str] = []
    for name in names:
        candidate, n = name, 1
        while candidate in taken:
            n += 1
            candidate = f"{name}-{n}"
        taken.add(candidate)
        unique.append(candidate)
    return unique
