"""What the verifiers make of texts whose truth is known, claim by claim: the corpus of ``verification_corpus/``.

    python benchmarks/verification_claims.py [--part development] [--json] [--out results/verification_claims.json]

A labelled claim is *found* where a claim of the verifier shares at least half the characters of the shorter of the two
spans; it is *accepted* where it is found and all claims found there are supported, and *refused* where one is not. A
title or month that lies inside a statement of another type does not answer for it. Precision and recall are given of
both answers: of accepting (true claims accepted, over all accepted, and over all true ones) and of refusing (false
claims refused, over all refused, and over all false ones). A claim that is not found is neither. *Tied* are accepted
true claims that name one of the pieces of evidence which the corpus holds for them. ``--show`` prints claims of the
development part that went wrong; those of the held-out part are never shown.
"""

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from verification_corpus_reader import Corpus, read_corpus
from whyrec.interfaces import Verdict
from whyrec.runtime.manifest import write_results

PARTS = ("development", "held_out")
_NO_ANSWER = {
    "title": {"number", "month", "direction", "peak", "person", "trait", "aspect_score", "comparison"},
    "month": {"direction", "peak", "comparison"},
}
"""That a name or a month is known says nothing of what is said about it."""
Row = dict[str, str | float]


def answer(verdict: Verdict, claim: dict[str, Any]) -> str:
    """What the verifier says of a labelled claim: ``accepted``, ``accepted, tied``, ``refused`` or ``not found``."""
    answers = [it for it in verdict.claims if claim["kind"] not in _NO_ANSWER.get(it.kind, ())]
    found = [it for it in answers if _overlap(it.start, it.end, claim) >= _least(it.start, it.end, claim)]
    if not found:
        return "not found"
    if not all(it.supported for it in found):
        return "refused"
    is_tied = {name for it in found for name in it.evidence_ids} & set(claim.get("evidence", ()))
    return "accepted, tied" if is_tied else "accepted"


def _overlap(start: int, end: int, claim: dict[str, Any]) -> float:
    return min(end, claim["end"]) - max(start, claim["start"])


def _least(start: int, end: int, claim: dict[str, Any]) -> float:
    return max(1.0, 0.5 * min(end - start, claim["end"] - claim["start"]))


def claim_figures(tally: Counter[tuple[bool, str]]) -> dict[str, float]:
    """Shares in per cent from counts by truth and answer; a share of nothing is left out."""
    tied = tally[True, "accepted, tied"]
    tally = _without_ties(tally)
    true = sum(n for (is_true, _), n in tally.items() if is_true)
    false = sum(n for (is_true, _), n in tally.items() if not is_true)
    accepted, refused = (tally[True, it] + tally[False, it] for it in ("accepted", "refused"))
    shares = {
        "claims found": (accepted + refused, true + false),
        "accepting: precision": (tally[True, "accepted"], accepted),
        "accepting: recall": (tally[True, "accepted"], true),
        "refusing: precision": (tally[False, "refused"], refused),
        "refusing: recall": (tally[False, "refused"], false),
        "false claims accepted": (tally[False, "accepted"], false),
        "true claims refused": (tally[True, "refused"], true),
        "tied": (tied, tally[True, "accepted"]),
    }
    return {"true claims": true, "false claims": false, **{k: 100 * a / n for k, (a, n) in shares.items() if n}}


def _without_ties(tally: Counter[tuple[bool, str]]) -> Counter[tuple[bool, str]]:
    merged: Counter[tuple[bool, str]] = Counter()
    for (is_true, said), n in tally.items():
        merged[is_true, said.removesuffix(", tied")] += n
    return merged


def explanation_figures(judged: Sequence[tuple[dict[str, Any], Verdict]]) -> dict[str, float]:
    """Shares of whole explanations in per cent: falsehoods that pass, truths that are refused or hold no claim."""
    true = [verdict for record, verdict in judged if all(it["is_true"] for it in record["claims"])]
    false = [verdict for record, verdict in judged if not all(it["is_true"] for it in record["claims"])]
    return {
        "true explanations": len(true),
        "false explanations": len(false),
        "false explanations verified": 100 * sum(it.verified for it in false) / len(false),
        "true explanations refused": 100 * sum(bool(it.unsupported) for it in true) / len(true),
        "true explanations without a claim found": 100 * sum(not it.claims for it in true) / len(true),
    }


def rows_of(judged: Sequence[tuple[dict[str, Any], Verdict]], *, part: str) -> list[Row]:
    """All figures of one part: of every type of claim, of all claims, of whole explanations."""
    tallies: defaultdict[str, Counter[tuple[bool, str]]] = defaultdict(Counter)
    for record, verdict in judged:
        for claim in record["claims"]:
            said = claim["is_true"], answer(verdict, claim)
            for name in (claim["kind"], "all types", f"method {record['method']}"):
                tallies[name][said] += 1
    figures = {name: claim_figures(tallies[name]) for name in sorted(tallies)}
    figures["explanations"] = explanation_figures(judged)
    return [
        {
            "benchmark": "verification_claims",
            "case": f"{part}, {name}",
            "system": "whyrec",
            "metric": metric,
            "value": round(value, 2),
            "unit": "texts" if metric.endswith(" explanations") else "claims" if metric.endswith(" claims") else "%",
        }
        for name, values in figures.items()
        for metric, value in values.items()
    ]


def judge(corpus: Corpus, *, part: str) -> tuple[list[tuple[dict[str, Any], Verdict]], float]:
    """Every explanation of a part with its verdict, and the seconds that verifying took."""
    records = [it for it in corpus.records if it["part"] == part]
    prepared = [(record, corpus.verifier(record)) for record in records]
    started = time.perf_counter()
    judged = [(record, verify(record["text"])) for record, verify in prepared]
    return judged, time.perf_counter() - started


def show(judged: Sequence[tuple[dict[str, Any], Verdict]], *, n: int) -> None:
    """Print claims that were misjudged or missed, the same number of each type and error, on stderr."""
    shown: Counter[tuple[str, bool, str]] = Counter()
    for record, verdict in judged:
        for claim in record["claims"]:
            said = answer(verdict, claim)
            key = (claim["kind"], claim["is_true"], said)
            shown[key] += 1
            if not said.startswith("accepted" if claim["is_true"] else "refused") and shown[key] <= n:
                words = record["text"][claim["start"] : claim["end"]]
                truth = "true" if claim["is_true"] else "false"
                print(
                    f"{claim['kind']}: {truth}, {said} ({claim['fact']}): {words!r} in {record['text']!r}",
                    file=sys.stderr,
                )


def table(rows: Sequence[Row]) -> str:
    """One line per case, one column per metric."""
    by_case: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        by_case[str(row["case"])][str(row["metric"])] = float(row["value"])
    names = list(dict.fromkeys(name for it in by_case.values() for name in it))
    lines = [" " * 34 + "".join(f"({i})".rjust(9) for i in range(len(names)))]
    lines += [
        case.ljust(34) + "".join((f"{it[name]:9.1f}" if name in it else " " * 9) for name in names)
        for case, it in by_case.items()
    ]
    return "\n".join([*(f"({i}) {name}" for i, name in enumerate(names)), *lines])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, help="one part only; both if not given")
    parser.add_argument("--show", type=int, default=0, help="print so many errors of each type, of development only")
    parser.add_argument("--json", action="store_true", help="one row per line instead of a table")
    parser.add_argument("--out", type=Path, help="also write a results file")
    options = parser.parse_args(arguments)
    started, corpus = time.perf_counter(), read_corpus()
    rows: list[Row] = []
    for part in [options.part] if options.part else PARTS:
        judged, seconds = judge(corpus, part=part)
        rows += rows_of(judged, part=part)
        speed = {"metric": "throughput", "value": round(60 * len(judged) / seconds), "unit": "explanations/minute"}
        rows.append({"benchmark": "verification_claims", "case": f"{part}, speed", "system": "whyrec", **speed})
        if part == "development":
            show(judged, n=options.show)
    print("\n".join(json.dumps(row) for row in rows) if options.json else table(rows))
    if options.out is not None:
        config = {"corpus_version": corpus.version, "n": len(corpus.records)}
        write_results(options.out, config=config, wall_time_s=time.perf_counter() - started, rows=rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
