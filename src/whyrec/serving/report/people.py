"""People with lists of their own, as the page shows them: interests, and why each item suits them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from whyrec.interfaces import Evidence
from whyrec.methods.curec.explaining import INTERESTS, WHY, ExplainedRecommendation
from whyrec.methods.trail.wording import day, percent, small, whole
from whyrec.serving.report.content import ReportPerson
from whyrec.serving.report.passages import Passage, badge_of, sections_of


@dataclass(frozen=True, slots=True)
class ReasonView:
    """A reason of another user."""

    passages: tuple[Passage, ...]
    day: str
    """When that user took the item."""
    share: float | None
    """Of the attention, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class EntryView:
    """One place of a personal list."""

    item: ExplainedRecommendation
    why: tuple[Passage, ...]
    reasons: tuple[ReasonView, ...]
    evidence: Mapping[str, Evidence]

    @property
    def summary(self) -> str:
        """What stands for the others' reasons until they are asked for."""
        n = len(self.reasons)
        counted = f"{small(n)} {'reason' if n == 1 else 'reasons'} of others".capitalize()
        return counted if any(reason.share is None for reason in self.reasons) else f"{counted}, by attention"

    @property
    def badge(self) -> str:
        """How many claims were checked, and how many hold."""
        return badge_of(self.item.explanation.verdict)

    def targets(self, passage: Passage) -> list[str]:
        """No element of the page: what claims of a personal list rest on is said where they stand."""
        return []

    def says(self, passage: Passage) -> str:
        """What a claim rests on, in words."""
        if not passage.supported:
            return f"Not borne out: {passage.problem or 'the data do not say so'}"
        rests = [_in_words(self.evidence[name]) for name in passage.evidence_ids if name in self.evidence]
        return f"Rests on {'; '.join(dict.fromkeys(rests))}" if rests else "Checked"


@dataclass(frozen=True, slots=True)
class PersonView:
    """One person."""

    person: ReportPerson
    name: str
    interests: tuple[Passage, ...]
    entries: tuple[EntryView, ...]

    @property
    def writers(self) -> list[str]:
        """Who wrote the texts."""
        return sorted({entry.item.explanation.writer for entry in self.entries})


def person_view(person: ReportPerson, *, place: int) -> PersonView:
    """Lay a person's list out.

    Args:
        person: Whom.
        place: From 1, for the page's ids.
    """
    entries = tuple(_entry(item) for item in person.items)
    interests = _parts(person.items[0]).get(INTERESTS, ())
    return PersonView(person, f"person-{place}", interests, entries)


def _entry(item: ExplainedRecommendation) -> EntryView:
    parts = _parts(item)
    whole_text = parts.get("", ())
    reasons = tuple(
        ReasonView(parts.get(_name_of(number), ()), day(read.reason.timestamp), read.weight)
        for number, read in enumerate(item.told)
    )
    return EntryView(item, parts.get(WHY, whole_text), reasons, {it.id: it for it in item.explanation.evidence})


def _parts(item: ExplainedRecommendation) -> dict[str, tuple[Passage, ...]]:
    """The explanation's text by sections, every reason of another user apart."""
    own = {name: text for name, text in item.explanation.sections.items() if name in (INTERESTS, WHY)}
    others = {_name_of(number): read.reason.text for number, read in enumerate(item.told)}
    laid_out = sections_of(replace(item.explanation, sections=own | others))
    return {section.name: section.passages for section in laid_out}


def _name_of(number: int) -> str:
    return f"other {number}"


def _in_words(evidence: Evidence) -> str:
    if isinstance(evidence.value, str):
        return f"{evidence.label}: {evidence.value}" if evidence.value else evidence.label
    if evidence.label.startswith("share"):
        return f"{evidence.label}: {percent(evidence.value)}"
    return f"{evidence.label}: {whole(evidence.value)}"
