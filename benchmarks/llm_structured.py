"""How many answers of an untrained model obey a schema that is forced on it, and how fast they come.

    python benchmarks/llm_structured.py [--json] [--out results/llm_structured.json]

1,000 answers for each schema, sampled at temperature 1 as samples 0 to 999 from a model with random weights: whatever
the schema lets through, such a model says sooner or later. About a minute on one core.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
import transformers

from llm_random_model import save_random_model
from whyrec.llm.base import Prompt, SamplingConfig
from whyrec.llm.local import LocalBackend, LocalSettings
from whyrec.llm.structured import JsonSchema, OutputSchema, Regex, bounded_text, failure_of
from whyrec.runtime.manifest import LIBRARIES, write_results

Row = dict[str, str | float]

ASPECTS = (
    "story", "acting", "music", "humour", "pace", "images", "ending", "originality", "tension", "dialogue", "effects",
    "mood",
)  # fmt: skip


def record(**fields: object) -> dict[str, object]:
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


TEXT = bounded_text(shortest=1, longest=120)
SCHEMAS: dict[str, tuple[OutputSchema, int]] = {
    # A character may take four tokens of a byte-level vocabulary: 3 * 4 * 120 and the frame.
    "forecast with explanation": (
        JsonSchema.of(
            record(
                popularity={"type": "integer", "minimum": 0, "maximum": 99999},
                explanation=record(trend=TEXT, feature=TEXT, integration=TEXT),
            )
        ),
        1600,
    ),
    "twelve aspect scores": (Regex("\n".join(f"{aspect}: (10|[1-9])" for aspect in ASPECTS)), 200),
}


def measure(
    backend: LocalBackend, schema: OutputSchema, *, n: int, max_tokens: int
) -> Iterator[tuple[str, float, str]]:
    """Metric, value and unit."""
    prompt = Prompt.of("Alien (1979). How popular will it be, and why?")
    prompts = prompt.samples(n)
    sampling = SamplingConfig(temperature=1.0, max_tokens=max_tokens)
    started = time.perf_counter()
    answers = [answer for _, answer in backend.answer(prompts, schema=schema, sampling=sampling)]
    seconds = time.perf_counter() - started
    failures = [failure_of(schema, answer.text, finish=answer.finish)[1] for answer in answers]
    for failure in [failure for failure in failures if failure is not None][:5]:
        print(failure, file=sys.stderr)
    yield "answers", n, "answers"
    yield "strictly valid", 100 * failures.count(None) / n, "%"
    yield "cut at the token limit", sum(answer.finish == "length" for answer in answers), "answers"
    yield "distinct answers", len({answer.text for answer in answers}), "answers"
    yield "longest answer", max(answer.completion_tokens for answer in answers), "tokens"
    yield "throughput", n / seconds, "answers/second"
    yield "throughput of tokens", sum(answer.completion_tokens for answer in answers) / seconds, "tokens/second"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=1000, help="answers per schema")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one row per line instead of a table")
    parser.add_argument("--out", type=Path, help="also write a results file")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    transformers.utils.logging.disable_progress_bar()
    started = time.perf_counter()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as directory:
        model = save_random_model(Path(directory) / "model", n_layers=2, width=128, n_tokens=2048)
        backend = LocalBackend.open(model, settings=LocalSettings(device="cpu", token_budget=131_072))
        for case, (schema, max_tokens) in SCHEMAS.items():
            for metric, value, unit in measure(backend, schema, n=options.n, max_tokens=max_tokens):
                rows.append(
                    {"benchmark": "llm_structured", "case": case, "system": "whyrec", "metric": metric}
                    | {"value": round(value, 2), "unit": unit}
                )
    for row in rows:
        table = f"{row['case']:<28}{row['metric']:<28}{row['value']:>10} {row['unit']}"
        print(json.dumps(row) if options.json else table)
    if options.out is not None:
        config = {"n": options.n, "threads": options.threads, "temperature": 1.0}
        libraries = (*LIBRARIES, "transformers", "xgrammar")
        wall_time = time.perf_counter() - started
        write_results(options.out, config=config, wall_time_s=wall_time, rows=rows, libraries=libraries)
    return 0


if __name__ == "__main__":
    sys.exit(main())
