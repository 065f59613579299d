"""What the verifiers make of texts whose truth is known, claim by claim: ``verification_corpus/``, ``claim_corpus/``.

    python benchmarks/verification_claims.py [--corpus claim_corpus] [--part development] [--show 5] [--json]
        [--out results/verification_claims.json]

The corpora are by two authors and go by the names of their folders. Both are scored alike, as follows.

A labelled claim is *found* where a claim of the verifier shares at least half the characters of the shorter of the two
spans; it is *accepted* where it is found and all claims found there are supported, and *refused* where one is not. A
title or month that lies inside a statement of another type does not answer for it. Precision and recall are given of
both answers: of accepting (true claims accepted, over all accepted, and over all true ones) and of refusing (false
claims refused, over all refused, and over all false ones). A claim that is not found is neither. Of two places that
make one false statement, such as a number and its month, either may be blamed; the one that is not labelled false is
not scored (``claim_corpus`` alone has such groups). *Tied* are accepted true claims that name one of the pieces of
evidence which the corpus holds for them. ``--show`` prints claims of the development part that went wrong; those of
the held-out part are never shown.
"""

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Protocol

from claim_corpus_reader import read_claim_corpus
from verification_corpus_reader import read_corpus
from whyrec.interfaces import Claim, Verdict
from whyrec.runtime.manifest import write_results

PARTS = ("development", "held_out")
_NO_ANSWER = {
    "title": {"number", "month", "direction", "peak", "person", "trait", "aspect_score", "comparison"},
    "month": {"direction", "peak", "comparison"},
}
"""That a name or a month is known says nothing of what is said about it."""
Row = dict[str, str | float]
Judged = Sequence[tuple[dict[str, Any], Verdict]]


class Corpus(Protocol):
    """Explanations with labelled claims, and what checks them."""

    @property
    def version(self) -> int:
        """Of texts and labels."""

    @property
    def records(self) -> Sequence[dict[str, Any]]:
        """One explanation each: ``id part method voice text claims facts``."""

    def verifier(self, record: Mapping[str, Any]) -> Callable[[str], Verdict]:
        """What checks a text about a record's facts, as its method would."""


CORPORA: Mapping[str, Callable[[], Corpus]] = {"verification_corpus": read_corpus, "claim_corpus": read_claim_corpus}


def answer(verdict: Verdict, claim: Mapping[str, Any], *, spans: Sequence[Mapping[str, Any]] = ()) -> str:
    """What the verifier says of a labelled claim: ``accepted``, ``accepted, tied``, ``refused`` or ``not found``.

    Args:
        verdict: Of the whole text.
        claim: The label.
        spans: Other places of the same statement where its falsehood may be found too.
    """
    answers = [it for it in verdict.claims if claim["kind"] not in _NO_ANSWER.get(it.kind, ())]
    found = [it for it in answers if any(_covers(it, span) for span in (claim, *spans))]
    if not found:
        return "not found"
    if not all(it.supported for it in found):
        return "refused"
    expected = claim.get("evidence", ())
    is_tied = any(fnmatch(name, pattern) for it in found for name in it.evidence_ids for pattern in expected)
    return "accepted, tied" if is_tied else "accepted"


def _covers(found: Claim, span: Mapping[str, Any]) -> bool:
    shared = min(found.end, span["end"]) - max(found.start, span["start"])
    return bool(2 * shared >= max(2, min(found.end - found.start, span["end"] - span["start"])))


def answers_of(record: Mapping[str, Any], verdict: Verdict) -> Iterator[tuple[dict[str, Any], str]]:
    """Every label of an explanation that is scored, and the verifier's answer."""
    for claim in record["claims"]:
        group = claim.get("group")
        is_shared = claim["is_true"] is False and group is not None
        spans = [it for it in record["claims"] if is_shared and it is not claim and it["group"] == group]
        if claim["is_true"] is not None:
            yield claim, answer(verdict, claim, spans=spans)


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


def explanation_figures(judged: Judged) -> dict[str, float]:
    """Shares of whole explanations in per cent: falsehoods that pass, truths that are refused or hold no claim."""
    true = [verdict for record, verdict in judged if all(it["is_true"] is not False for it in record["claims"])]
    false = [verdict for record, verdict in judged if any(it["is_true"] is False for it in record["claims"])]
    return {
        "true explanations": len(true),
        "false explanations": len(false),
        "false explanations verified": 100 * sum(it.verified for it in false) / len(false),
        "true explanations refused": 100 * sum(bool(it.unsupported) for it in true) / len(true),
        "true explanations without a claim found": 100 * sum(not it.claims for it in true) / len(true),
    }


def rows_of(judged: Judged, *, part: str, corpus: str) -> list[Row]:
    """All figures of one part of a corpus: of every type of claim, of all claims, of whole explanations."""
    tallies: defaultdict[str, Counter[tuple[bool, str]]] = defaultdict(Counter)
    for record, verdict in judged:
        for claim, said in answers_of(record, verdict):
            for name in (claim["kind"], "all types", f"method {record['method']}"):
                tallies[name][claim["is_true"], said] += 1
    figures = {name: claim_figures(tallies[name]) for name in sorted(tallies)}
    figures["explanations"] = explanation_figures(judged)
    return [
        {
            "benchmark": "verification_claims",
            "case": f"{corpus}, {part}, {name}",
            "system": "whyrec",
            "metric": metric,
            "value": round(value, 2),
            "unit": "texts" if metric.endswith(" explanations") else "claims" if metric.endswith(" claims") else "%",
        }
        for name, values in figures.items()
        for metric, value in values.items()
    ]


def judge(corpus: Corpus, *, part: str) -> tuple[Judged, float]:
    """Every explanation of a part with its verdict, and the seconds that verifying took."""
    records = [it for it in corpus.records if it["part"] == part]
    prepared = [(record, corpus.verifier(record)) for record in records]
    started = time.perf_counter()
    judged = [(record, verify(record["text"])) for record, verify in prepared]
    return judged, time.perf_counter() - started


def show(judged: Judged, *, n: int) -> None:
    """Print claims that were misjudged or missed, the same number of each type and error, on stderr."""
    shown: Counter[tuple[str, bool, str]] = Counter()
    for record, verdict in judged:
        for claim, said in answers_of(record, verdict):
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
    lines = [" " * 54 + "".join(f"({i})".rjust(9) for i in range(len(names)))]
    lines += [
        case.ljust(54) + "".join((f"{it[name]:9.1f}" if name in it else " " * 9) for name in names)
        for case, it in by_case.items()
    ]
    return "\n".join([*(f"({i}) {name}" for i, name in enumerate(names)), *lines])


def measure(name: str, corpus: Corpus, *, parts: Sequence[str], n_shown: int) -> list[Row]:
    """Figures of some parts of a corpus, and how fast the verifier was."""
    rows: list[Row] = []
    for part in parts:
        judged, seconds = judge(corpus, part=part)
        rows += rows_of(judged, part=part, corpus=name)
        speed = {"metric": "throughput", "value": round(60 * len(judged) / seconds), "unit": "explanations/minute"}
        rows.append({"benchmark": "verification_claims", "case": f"{name}, {part}, speed", "system": "whyrec", **speed})
        if part == "development":
            show(judged, n=n_shown)
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", choices=tuple(CORPORA), help="one corpus only; both if not given")
    parser.add_argument("--part", choices=PARTS, help="one part only; both if not given")
    parser.add_argument("--show", type=int, default=0, help="print so many errors of each type, of development only")
    parser.add_argument("--json", action="store_true", help="one row per line instead of a table")
    parser.add_argument("--out", type=Path, help="also write a results file")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    corpora = {name: CORPORA[name]() for name in ([options.corpus] if options.corpus else CORPORA)}
    parts = [options.part] if options.part else PARTS
    measured = [measure(name, it, parts=parts, n_shown=options.show) for name, it in corpora.items()]
    rows = [row for each in measured for row in each]
    print("\n".join(json.dumps(row) for row in rows) if options.json else table(rows))
    if options.out is not None:
        config = {name: {"version": it.version, "n": len(it.records)} for name, it in corpora.items()}
        write_results(options.out, config=config, wall_time_s=time.perf_counter() - started, rows=rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
