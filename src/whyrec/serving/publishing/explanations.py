"""Explanations of any method as documents, and their short form that stands in a list."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from whyrec.evaluation.verification.mentions import leading_sentences
from whyrec.interfaces import Explanation
from whyrec.methods.curec.explaining import ExplainedRecommendation
from whyrec.methods.guided.aspects import AspectSet
from whyrec.methods.guided.explaining import AspectPart, ExplainedScore
from whyrec.methods.mllm3rec.explaining import FALLBACK, POPULAR
from whyrec.methods.trail.explained import ExplainedItem
from whyrec.recommending.explained import ExplainedEntry
from whyrec.serving.documents import (
    AspectBar,
    AttendedReasonDocument,
    ClaimDocument,
    DriverDocument,
    EvidenceDocument,
    ExplanationDocument,
    ListSource,
    Reason,
)

_SHORT = ("Reason",)
"""The section that says why, where a method has one of this name; else all of them are read."""
_SENTENCES = 2
_OF_EVERYBODY = {POPULAR, FALLBACK}
"""Sections of M-LLM3REC that say nothing of the user."""


@dataclass(frozen=True, slots=True)
class Explaining:
    """What it takes to tell of one method's explanations."""

    method: str
    aspects: AspectSet | None = None
    """Of a guided run."""
    erased: Collection[str] = ()
    """Users whose reasons are not shown to anybody."""

    def entry(self, told: ExplainedEntry) -> ExplanationDocument:
        """Of an entry of a user's list."""
        base = _document(told.explanation, method=self.method, title=told.title)
        values: dict[str, object] = {"rank": told.rank, "score": told.score}
        if isinstance(told, ExplainedRecommendation):
            values |= {"reasons": self._reasons(told), "unattended": told.unattended}
        if isinstance(told, ExplainedScore) and self.aspects is not None:
            bars = aspect_bars(told.aspects, aspects=self.aspects)
            values |= {"aspects": bars, "base_push": told.base_push}
        return base.model_copy(update=values)

    def item(self, told: ExplainedItem) -> ExplanationDocument:
        """Of an item's forecast, for everybody."""
        drivers = tuple(DriverDocument(id=it.id, label=it.label, effect=it.effect) for it in told.drivers)
        values = {"rank": told.point.rank, "drivers": drivers}
        return _document(told.explanation, method=self.method, title=told.facts.title).model_copy(update=values)

    def _reasons(self, told: ExplainedRecommendation) -> tuple[AttendedReasonDocument, ...]:
        return tuple(
            AttendedReasonDocument(
                text=read.reason.text,
                timestamp=read.reason.timestamp,
                writer=read.reason.writer,
                verified=read.verified,
                attention=read.weight,
            )
            for read in told.reasons
            if read.reason.user_id not in self.erased
        )


def personal_reason(explanation: Explanation) -> Reason:
    """Why an entry stands in a user's list; a reason that tells of what is popular is said to."""
    return short_reason(explanation, basis="trending" if set(explanation.sections) <= _OF_EVERYBODY else "personal")


def short_reason(explanation: Explanation, *, basis: ListSource, text: str | None = None) -> Reason:
    """An explanation in a sentence or two, with the verdict on the whole of it.

    Args:
        explanation: The whole.
        basis: Whether it speaks of the user or of what everybody takes.
        text: The sentence, where the method has one; None takes the first ones.
    """
    claims = explanation.verdict.claims
    return Reason(
        text=text or _short(explanation.sections),
        writer=explanation.writer,
        verified=explanation.verdict.verified,
        n_claims=len(claims),
        n_supported=sum(claim.supported for claim in claims),
        basis=basis,
    )


def aspect_bars(parts: Collection[AspectPart], *, aspects: AspectSet) -> tuple[AspectBar, ...]:
    """Where user and item stand, and what each aspect does to the score."""
    by_key = {aspect.key: aspect for aspect in aspects.aspects}
    return tuple(
        AspectBar(
            key=part.key,
            name=part.name,
            low=by_key[part.key].low.means,
            high=by_key[part.key].high.means,
            user_level=part.user_level,
            item_level=part.item_level,
            mean_level=part.mean_level,
            push=part.push,
        )
        for part in parts
    )


def _short(sections: Mapping[str, str]) -> str:
    named = [sections[name] for name in _SHORT if name in sections]
    return leading_sentences("\n".join(named or sections.values()), _SENTENCES).replace("\n", " ")


def _document(explanation: Explanation, *, method: str, title: str) -> ExplanationDocument:
    return ExplanationDocument(
        item_id=explanation.item_id,
        title=title,
        user_id=explanation.user_id,
        method=method,
        rank=None,
        score=None,
        text=explanation.text,
        sections=dict(explanation.sections),
        claims=tuple(ClaimDocument.model_validate(it, from_attributes=True) for it in explanation.verdict.claims),
        evidence=tuple(EvidenceDocument.model_validate(it, from_attributes=True) for it in explanation.evidence),
        writer=explanation.writer,
        verified=explanation.verdict.verified,
    )
