"""How many planted falsehoods the verifier catches, how many true explanations it refuses, and how fast it is.

    python benchmarks/verification.py [--json] [--out results/verification.json] [--show 5]

500 true explanations and 500 falsehoods for each source of texts (the offline writer, and independent paraphrases),
over the bundled films at four cut-offs. One process, one core, about half a minute.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from verification_cases import CUTOFFS, KINDS, SOURCES, Figures, Names, make_cases, measure
from whyrec.data.bundled import bundled_dataset
from whyrec.runtime.manifest import write_results

Row = dict[str, str | float]


def rows_of(source: str, figures: Figures) -> list[Row]:
    """Turn one source's figures into result rows."""
    values: dict[str, tuple[float, str]] = {
        "true explanations": (figures.n_true, "texts"),
        "true explanations refused": (100 * len(figures.refused) / figures.n_true, "%"),
        "falsehoods": (sum(figures.planted.values()), "texts"),
        "falsehoods caught": (100 * (1 - len(figures.missed) / sum(figures.planted.values())), "%"),
        **{f"wrong {kind} caught": (100 * figures.caught(kind) / figures.planted[kind], "%") for kind in KINDS},
        "throughput": (60 / figures.seconds_per_text, "explanations/minute"),
    }
    return [
        {
            "benchmark": "verification",
            "case": source,
            "system": "whyrec",
            "metric": metric,
            "value": round(value, 2),
            "unit": unit,
        }
        for metric, (value, unit) in values.items()
    ]


def show(figures: Figures, *, n: int) -> None:
    """Print some of what went wrong, on stderr."""
    for case, text in figures.refused[:n]:
        print(f"refused though true ({case.facts.item_id}): {text}", file=sys.stderr)
    for planted in figures.missed[:n]:
        around = planted.text[max(0, planted.start - 60) : planted.start + len(planted.said) + 30]
        print(f"missed a wrong {planted.kind}, {planted.said!r}: ...{around!r}", file=sys.stderr)


def measure_planted(options: argparse.Namespace) -> tuple[list[Row], dict[str, object]]:
    data = bundled_dataset()
    names = Names.of(data)
    cases = make_cases(data, n=options.n, seed=options.seed)
    rows: list[Row] = []
    for source in SOURCES:
        figures = measure(cases, source=source, names=names, n_false=options.n, seed=options.seed)
        rows += rows_of(source, figures)
        show(figures, n=options.show)
    for row in rows:
        line = (
            json.dumps(row) if options.json else f"{row['case']:<12}{row['metric']:<28}{row['value']:>12} {row['unit']}"
        )
        print(line)
    return rows, {"n": options.n, "seed": options.seed, "cutoffs": [moment.isoformat() for moment in CUTOFFS]}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=500, help="true explanations, and falsehoods, per source")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=0, help="print this many misses and refusals of each source")
    parser.add_argument("--json", action="store_true", help="one row per line instead of a table")
    parser.add_argument("--out", type=Path, help="also write a results file")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    rows, config = measure_planted(options)
    if options.out is not None:
        write_results(options.out, config=config, wall_time_s=time.perf_counter() - started, rows=rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
