"""Prompts per second of the local backend, beside a plain transformers pipeline and plain batched generation.

    python benchmarks/llm_local.py [--json] [--out results/llm_local.json]

Same models (random weights, float32), same prompts, temperature 0, one process. The prompts share an instruction of
some 550 tokens, go on for 10 to 400 tokens of their own, and answers end by themselves after 1 to 128. The systems
take turns, and the middle of their rounds counts; answers are compared text by text. About a quarter of an hour.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from llm_random_model import save_random_model
from whyrec.data.bundled import bundled_dataset
from whyrec.llm.base import Prompt, SamplingConfig
from whyrec.llm.local import LocalBackend, LocalSettings
from whyrec.runtime.manifest import LIBRARIES, write_results

Row = dict[str, str | float]
Answerer = Callable[[], list[str]]

MODELS = {"8 layers of 256": {"n_layers": 8, "width": 256}, "12 layers of 384": {"n_layers": 12, "width": 384}}
OURS, LOOP, BATCHES = "whyrec", "transformers pipeline, one by one", "transformers generate, in batches"
MAX_TOKENS = 128


def make_prompts(*, n: int, seed: int) -> list[Prompt]:
    """Film titles: a few dozen as the shared instruction, and 1 to 80 more in each prompt."""
    drawn = random.Random(seed)
    titles = drawn.sample(bundled_dataset().items["title"].to_list(), 2000)
    instruction = " ".join(titles[:100])
    return [
        Prompt.of(" ".join(drawn.sample(titles, max(1, round(drawn.uniform(1, 80))))), system=instruction)
        for _ in range(n)
    ]


def conversation(prompt: Prompt) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in prompt.messages]


def ours(backend: LocalBackend, prompts: Sequence[Prompt]) -> Answerer:
    def answer() -> list[str]:
        found = dict(backend.answer(prompts, schema=None, sampling=SamplingConfig(max_tokens=MAX_TOKENS)))
        return [found[position].text for position in range(len(prompts))]

    return answer


def loop(model: Any, tokenizer: Any, prompts: Sequence[Prompt]) -> Answerer:
    pipe = transformers.pipeline("text-generation", model=model, tokenizer=tokenizer)

    def answer() -> list[str]:
        asked = (pipe(conversation(p), max_new_tokens=MAX_TOKENS, do_sample=False) for p in prompts)
        return [given[0]["generated_text"][-1]["content"] for given in asked]

    return answer


def batches(model: Any, tokenizer: Any, prompts: Sequence[Prompt], *, size: int) -> Answerer:
    def batch_answers(some: Sequence[Prompt]) -> Iterator[str]:
        asked = tokenizer.apply_chat_template(
            [conversation(prompt) for prompt in some],
            add_generation_prompt=True,
            padding=True,
            padding_side="left",
            return_tensors="pt",
            return_dict=True,
        )
        given = model.generate(**asked, max_new_tokens=MAX_TOKENS, do_sample=False)
        yield from tokenizer.batch_decode(given[:, asked["input_ids"].shape[1] :], skip_special_tokens=True)

    def answer() -> list[str]:
        starts = range(0, len(prompts), size)
        return [text for start in starts for text in batch_answers(prompts[start : start + size])]

    return answer


@dataclass(frozen=True, slots=True)
class Measured:
    """What one system took and said."""

    seconds: float
    processor_seconds: float
    """Of all threads: the fairer figure where other programs share the machine."""
    answers: list[str]


def measure(systems: dict[str, Answerer], *, rounds: int) -> dict[str, Measured]:
    """Let the systems take turns for some rounds; the middle of each one's times counts."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in systems}
    answers: dict[str, list[str]] = {}
    for _ in range(rounds):
        for name, answer in systems.items():
            started, started_processor = time.perf_counter(), time.process_time()
            answers[name] = answer()
            taken[name].append((time.perf_counter() - started, time.process_time() - started_processor))
            print(f"  {name}: {taken[name][-1][0]:.1f} s, processor {taken[name][-1][1]:.1f} s", file=sys.stderr)
    middles = {name: [statistics.median(column) for column in zip(*taken[name], strict=True)] for name in systems}
    return {name: Measured(*middles[name], answers[name]) for name in systems}


def measure_model(directory: Path, *, prompts: list[Prompt], size: int, rounds: int) -> Iterator[tuple[Any, ...]]:
    """System, metric, value and unit of all that is measured with one model."""
    backend = LocalBackend.open(directory, settings=LocalSettings(device="cpu", max_batch_size=size))
    model, tokenizer = backend.model, backend.tokenizer
    systems = {
        OURS: ours(backend, prompts),
        LOOP: loop(model, tokenizer, prompts),
        BATCHES: batches(model, tokenizer, prompts, size=size),
    }
    for answer in (ours(backend, prompts[:4]), batches(model, tokenizer, prompts[:4], size=4)):
        answer()  # the first forward passes of a process are slow
    measured = measure(systems, rounds=rounds)
    our = measured[OURS]
    lengths = [len(ids) for ids in tokenizer(our.answers).input_ids]
    yield OURS, "mean tokens of a prompt", statistics.mean(backend.count_tokens(prompts)), "tokens"
    yield OURS, "mean tokens of an answer", statistics.mean(lengths), "tokens"
    for name, found in measured.items():
        yield name, "throughput", len(prompts) / found.seconds, "prompts/second"
        yield name, "throughput by processor time", len(prompts) / found.processor_seconds, "prompts/second"
    for name in (LOOP, BATCHES):
        other = measured[name]
        same = sum(a == b for a, b in zip(our.answers, other.answers, strict=True))
        yield OURS, f"times as fast as {name}", other.seconds / our.seconds, "times"
        yield OURS, f"the same by processor time, {name}", other.processor_seconds / our.processor_seconds, "times"
        yield OURS, f"same text as {name}", 100 * same / len(prompts), "%"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=64, help="prompts")
    parser.add_argument("--batch-size", type=int, default=32, help="prompts at once, for both that batch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one row per line instead of a table")
    parser.add_argument("--out", type=Path, help="also write a results file")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    started = time.perf_counter()
    prompts = make_prompts(n=options.n, seed=options.seed)
    rows: list[Row] = []
    for case in options.models:
        print(case, file=sys.stderr)
        with tempfile.TemporaryDirectory() as directory:
            model = save_random_model(Path(directory) / "model", end_weight=1.7, seed=options.seed, **MODELS[case])
            found = measure_model(model, prompts=prompts, size=options.batch_size, rounds=options.rounds)
            for system, metric, value, unit in found:
                rows.append(
                    {"benchmark": "llm_local", "case": case, "system": system, "metric": metric}
                    | {"value": round(value, 2), "unit": unit}
                )
    for row in rows:
        table = f"{row['case']:<18}{row['system']:<36}{row['metric']:<67}{row['value']:>9} {row['unit']}"
        print(json.dumps(row) if options.json else table)
    if options.out is not None:
        config = {key: value for key, value in vars(options).items() if key not in ("json", "out")}
        libraries = (*LIBRARIES, "transformers")
        wall_time = time.perf_counter() - started
        write_results(options.out, config=config, wall_time_s=wall_time, rows=rows, libraries=libraries)
    return 0


if __name__ == "__main__":
    sys.exit(main())
