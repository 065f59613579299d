"""An explanation as parts that are verified one by one, each against its own history, and then joined."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from whyrec.evaluation.verification.interests import cited_evidence
from whyrec.interfaces import Claim, Evidence, Explanation, Verdict
from whyrec.methods.curec.histories import UserHistory
from whyrec.methods.curec.offline import OfflineWriter


@dataclass(frozen=True, slots=True)
class Part:
    """A text of an explanation, verified."""

    section: str
    text: str
    verdict: Verdict
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Checker:
    """Verifies texts about interests, whoever wrote them."""

    writer: OfflineWriter
    """Fitted; knows catalogue and average user."""

    def part(self, section: str, text: str, *, history: UserHistory, item_id: str | None = None) -> Part:
        """Verify a text.

        Args:
            section: Where it is to stand.
            text: A pattern, or a reason for an item.
            history: What the text speaks of, up to its moment.
            item_id: What a reason explains; None for a pattern.
        """
        verdict = self.writer.verify(text, history=history.item_ids, item_id=item_id)
        facts = self.writer.facts(history.item_ids, item_id=item_id)
        return Part(section, text, verdict, cited_evidence(verdict, facts=facts))


def set_apart(part: Part, *, prefix: str, label: str) -> Part:
    """Give evidence of another history ids and labels of its own.

    Args:
        part: Verified.
        prefix: Of the ids.
        label: Whose evidence it is; stands behind its own labels.
    """
    claims = [
        replace(claim, evidence_ids=tuple(f"{prefix}{name}" for name in claim.evidence_ids))
        for claim in part.verdict.claims
    ]
    evidence = (replace(it, id=f"{prefix}{it.id}", label=f"{it.label}, {label}") for it in part.evidence)
    return replace(part, verdict=Verdict(tuple(claims)), evidence=tuple(evidence))


def joined(
    parts: Sequence[Part], evidence: Sequence[Evidence], *, user_id: str, item_id: str, writer: str
) -> Explanation:
    """One text with sections, and the claims moved to where they now stand.

    Args:
        parts: In order; those of one section next to each other.
        evidence: What is known beside what the claims cite.
        user_id: Whom it is for.
        item_id: What it is about.
        writer: Who wrote the parts.
    """
    text, sections, claims = "", dict[str, str](), list[Claim]()
    for part in parts:
        is_new = part.section not in sections
        text += ("\n" if text else "") + (f"[{part.section}] " if is_new else "")
        offset = len(text)
        text += part.text
        sections[part.section] = part.text if is_new else f"{sections[part.section]}\n{part.text}"
        claims += [replace(it, start=it.start + offset, end=it.end + offset) for it in part.verdict.claims]
    listed = {it.id: it for it in (*(it for part in parts for it in part.evidence), *evidence)}
    return Explanation(
        item_id=item_id,
        text=text,
        sections=sections,
        evidence=tuple(listed.values()),
        verdict=Verdict(tuple(claims)),
        writer=writer,
        user_id=user_id,
    )
