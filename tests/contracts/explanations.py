"""Explanations for tests of what measures, judges and compares them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from whyrec.evaluation.explanation_files import ToldExplanation
from whyrec.interfaces import Claim, ClaimKind, Evidence, Explanation, Verdict

GENRES = Evidence("attribute:genres", "attribute", "genres", "western, drama")
OCTOBER = Evidence("month:2013-10", "series", "October 2013", 95.0, "users")


def claim_on(
    text: str, words: str, *, kind: ClaimKind = "attribute", supported: bool = True, rests_on: Sequence[str] = ()
) -> Claim:
    """A claim on the first place where the words stand."""
    start = text.index(words)
    return Claim(kind, words, start, start + len(words), supported, tuple(rests_on), "" if supported else "wrong")


def told(
    text: str,
    *,
    item_id: str = "i1",
    user_id: str | None = "u1",
    claims: Sequence[Claim] = (),
    evidence: Sequence[Evidence] = (GENRES, OCTOBER),
    writer: str = "offline",
    title: str = "Heat",
    sections: Mapping[str, str] | None = None,
) -> ToldExplanation:
    """An explanation as it is read from a file."""
    explanation = Explanation(
        item_id, text, sections or {}, tuple(evidence), Verdict(tuple(claims)), writer, user_id=user_id
    )
    return ToldExplanation(explanation, title, {"rank": 1.0})


def write_told(path: Path, explanations: Sequence[ToldExplanation]) -> Path:
    """As ``whyrec explain --json`` writes them."""
    records = [
        {"user_id": it.explanation.user_id, "item_id": it.explanation.item_id, "title": it.title, **it.answer}
        | it.explanation.record()
        for it in explanations
    ]
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return path
