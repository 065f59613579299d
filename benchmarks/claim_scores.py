"""How well verifiers tell true claims from false ones, against the labels of the corpus.

A labelled claim is found when the verifier makes a claim over at least half of the shorter one of the two: where the
words of a claim begin and end is a matter of taste. It counts as rejected when any claim found there is unsupported,
else as supported. Of a number and its month, one of which is false, either may be blamed; the other is not scored.
"""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any

from claim_facts import Catalogue, Entry
from whyrec.interfaces import Claim, Verdict

Row = dict[str, str | float]
ALL = "all"
MISSED, SUPPORTED, REJECTED = "missed", "supported", "rejected"


@dataclass(frozen=True)
class Miss:
    """A claim that was not decided rightly."""

    entry: Entry
    label: dict[str, Any]
    decision: str
    problems: tuple[str, ...]


@dataclass
class Scores:
    """Counts over one part of the corpus."""

    decisions: Counter[tuple[str, bool, str]] = field(default_factory=Counter)
    """By kind (and ``all``), truth and decision."""
    tied: Counter[str] = field(default_factory=Counter)
    """True claims that were supported with one of the labelled pieces of evidence, by kind."""
    explanations: Counter[str] = field(default_factory=Counter)
    misses: list[Miss] = field(default_factory=list)
    seconds: float = 0.0

    def kinds(self) -> list[str]:
        """Everything first, then one kind after the other."""
        return [ALL, *sorted({kind for kind, _, _ in self.decisions} - {ALL})]

    def n(self, kind: str, *, truth: bool | None = None, decision: str | None = None) -> int:
        """Claims of a kind, of one truth or both, with one decision or any."""
        return sum(
            count
            for (name, is_true, decided), count in self.decisions.items()
            if name == kind and truth in (None, is_true) and decision in (None, decided)
        )


def score(entries: Iterable[Entry], catalogue: Catalogue) -> Scores:
    """Verify every explanation and compare with its labels."""
    scores = Scores()
    for entry in entries:
        judge = catalogue.judge(entry)
        began = time.perf_counter()
        verdict = judge()
        scores.seconds += time.perf_counter() - began
        _count_explanation(scores, entry, verdict)
        for label in entry["claims"]:
            if label["is_true"] is not None:
                _count_claim(scores, entry, label, verdict)
    return scores


def _count_explanation(scores: Scores, entry: Entry, verdict: Verdict) -> None:
    is_false = any(label["is_true"] is False for label in entry["claims"])
    scores.explanations["false" if is_false else "true"] += 1
    if is_false:
        scores.explanations["false, verified"] += verdict.verified
    else:
        scores.explanations["true, refused"] += bool(verdict.unsupported)
        scores.explanations["true, nothing found"] += not verdict.claims


def _count_claim(scores: Scores, entry: Entry, label: dict[str, Any], verdict: Verdict) -> None:
    spans = [label]
    if label["is_true"] is False and label["group"] is not None:
        spans = [other for other in entry["claims"] if other["group"] == label["group"]]
    found = [claim for claim in verdict.claims if any(_covers(claim, span) for span in spans)]
    decision = MISSED if not found else SUPPORTED if all(claim.supported for claim in found) else REJECTED
    for kind in (label["kind"], ALL):
        scores.decisions[kind, label["is_true"], decision] += 1
        if label["is_true"] and decision == SUPPORTED:
            scores.tied[kind] += any(
                fnmatch(name, pattern)
                for claim in found
                for name in claim.evidence_ids
                for pattern in label["evidence"]
            )
    if decision != (SUPPORTED if label["is_true"] else REJECTED):
        problems = tuple(f"{claim.kind} {claim.text!r}: {claim.problem}" for claim in found if claim.problem)
        scores.misses.append(Miss(entry, label, decision, problems))


def _covers(claim: Claim, span: dict[str, Any]) -> bool:
    shared = min(claim.end, span["end"]) - max(claim.start, span["start"])
    return 2 * shared >= max(1, min(claim.end - claim.start, span["end"] - span["start"]))


def rows_of(part: str, scores: Scores) -> list[Row]:
    """Turn counts into result rows."""
    rows: list[Row] = []

    def add(kind: str, metric: str, value: float, unit: str) -> None:
        rows.append(
            {
                "benchmark": "verification_corpus",
                "case": f"{part}/{kind}",
                "system": "whyrec",
                "metric": metric,
                "value": round(value, 4),
                "unit": unit,
            }
        )

    for kind in scores.kinds():
        true, false = scores.n(kind, truth=True), scores.n(kind, truth=False)
        accepted, caught = (
            scores.n(kind, truth=True, decision=SUPPORTED),
            scores.n(kind, truth=False, decision=REJECTED),
        )
        add(kind, "true claims", true, "claims")
        add(kind, "false claims", false, "claims")
        add(kind, "found", 1 - scores.n(kind, decision=MISSED) / (true + false), "share")
        add(kind, "precision of supported", _ratio(accepted, scores.n(kind, decision=SUPPORTED)), "share")
        add(kind, "recall of supported", _ratio(accepted, true), "share")
        add(kind, "precision of rejected", _ratio(caught, scores.n(kind, decision=REJECTED)), "share")
        add(kind, "recall of rejected", _ratio(caught, false), "share")
        add(kind, "tied to its evidence", _ratio(scores.tied[kind], accepted), "share")
    told = scores.explanations
    add(ALL, "false explanations verified", _ratio(told["false, verified"], told["false"]), "share")
    add(ALL, "true explanations refused", _ratio(told["true, refused"], told["true"]), "share")
    add(ALL, "true explanations without a claim found", _ratio(told["true, nothing found"], told["true"]), "share")
    add(ALL, "throughput", 60 * (told["true"] + told["false"]) / scores.seconds, "explanations/minute")
    return rows


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


_COLUMNS = ("found", "precision of supported", "recall of supported", "precision of rejected", "recall of rejected")


def table(rows: Sequence[Row]) -> str:
    """One line per part and kind, then what is said of whole explanations."""
    by_case: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_case.setdefault(str(row["case"]), {})[str(row["metric"])] = row
    head = f"{'':<28}{'true':>6}{'false':>6}{'found':>8}{'P supp':>8}{'R supp':>8}{'P rej':>8}{'R rej':>8}{'tied':>8}"
    lines = [head]
    for case, told in by_case.items():
        counts = "".join(f"{told[f'{truth} claims']['value']:>6.0f}" for truth in ("true", "false"))
        shares = "".join(f"{told[name]['value']:>8.3f}" for name in (*_COLUMNS, "tied to its evidence"))
        lines.append(f"{case:<28}{counts}{shares}")
    lines += [
        f"{row['case']}: {row['metric']}: {row['value']:,} {row['unit']}"
        for row in rows
        if "explanations" in f"{row['metric']} {row['unit']}"
    ]
    return "\n".join(lines)


def shown(scores: Scores, *, n: int) -> list[str]:
    """Some wrongly decided claims of every kind and way to be wrong."""
    lines = []
    for kind in scores.kinds()[1:]:
        for is_true, decision in ((False, SUPPORTED), (False, MISSED), (True, REJECTED), (True, MISSED)):
            of_kind = [
                miss
                for miss in scores.misses
                if (miss.label["kind"], miss.label["is_true"], miss.decision) == (kind, is_true, decision)
            ]
            if of_kind:
                lines.append(f"== {'true' if is_true else 'false'} {kind} {decision}: {len(of_kind)}")
            seen: set[str] = set()
            for miss in of_kind:
                text = miss.entry["text"]
                said = text[miss.label["start"] : miss.label["end"]]
                frame = f"{miss.entry['voice']} {miss.label['says'][0]}"
                if frame not in seen and len(seen) < n:
                    seen.add(frame)
                    lines.append(f"  {miss.entry['id']} {said!r} in {text!r} {' | '.join(miss.problems)}")
    return lines
