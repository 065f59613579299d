"""Explanations of the four methods on the bundled films: verified, distinct, faithful, and none passed off as checked.

    python benchmarks/explanations.py --work runs/explanations --out results

Offline texts. For users drawn at random, every entry of the list is explained by CURec, M-LLM3REC and guided embedding
refinement; TRAIL explains the first of its forecast. What a text cites is taken away, and as many other things, and
the score is computed anew. CURec learns from the users and films of whom there is enough, in the demo's few epochs.
Fits and finished explanations are kept in --work, so that a killed run goes on; --run METHOD=DIRECTORY takes a fit that
``whyrec fit`` made of the bundled data, and what it was fitted until as its moment.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import torch

from whyrec.data.bundled import bundled_dataset
from whyrec.data.dataset import Dataset
from whyrec.evaluation.explanation_features import FeatureSpace
from whyrec.evaluation.explanation_files import ToldExplanation, read_explanations
from whyrec.evaluation.explanations import explanation_figures, explanation_rows, writer_counts
from whyrec.evaluation.faithfulness import EvidencePool, Removal, faithfulness_rows, removal_of
from whyrec.methods.curec.model import CURecRecommender
from whyrec.methods.curec.removing import evidence_pools as curec_pools
from whyrec.methods.guided.model import GuidedRecommender
from whyrec.methods.guided.removing import evidence_pools as guided_pools
from whyrec.methods.mllm3rec.model import MLLM3Recommender
from whyrec.methods.mllm3rec.removing import evidence_pools as mllm3rec_pools
from whyrec.methods.trail.explained import explanation_record
from whyrec.methods.trail.offline import OfflineForecaster
from whyrec.methods.trail.offline.explain import explain_forecast
from whyrec.methods.trail.offline.removing import ForecastRemovals
from whyrec.runs import Run, fit_run, open_run
from whyrec.runtime.manifest import write_results
from whyrec.runtime.progress import progress_bar
from whyrec.serving.demo_people import DEMO_CONFIG, dense_part

AT = datetime(2013, 10, 1, tzinfo=UTC)
MIN_HISTORY = 5
OPTIONS: Mapping[str, Mapping[str, object]] = {
    "trail": {},
    "curec": DEMO_CONFIG.model_dump(exclude_unset=True),
    "mllm3rec": {},
    "guided": {"n_negatives": 1024, "training": {"learning_rate": 3e-3, "epochs": 8}},
}
Pooled = tuple[dict[str, object], list[EvidencePool]]
"""An explanation as JSON holds it, and what can be taken away."""


@dataclass(frozen=True)
class Asked:
    """What is asked of every method."""

    users: int
    """Of the lists; TRAIL explains as many items."""
    k: int
    draws: int
    seed: int


def fitted(name: str, data: Dataset, *, work: Path, given: Mapping[str, Path]) -> Run:
    """A run, given, kept or new."""
    kept = given.get(name, work / name)
    if not kept.is_dir():
        fit_run(name, data, out=kept, options=OPTIONS[name], until=AT)
    return open_run(kept)


def of_lists(run: Run, data: Dataset, *, asked: Asked) -> Iterator[tuple[str, Callable[[], list[Pooled]]]]:
    """Explain the lists of some users."""
    recommender, at = run.load_recommender(), run.until
    pools_of = {CURecRecommender: curec_pools, MLLM3Recommender: mllm3rec_pools, GuidedRecommender: guided_pools}
    pools = pools_of[type(recommender)]
    counts = data.before(at).group_by("user_id").len().filter(pl.col("len") >= MIN_HISTORY).sort("user_id").collect()
    rng = np.random.default_rng(asked.seed)
    for user_id in rng.choice(counts["user_id"].to_list(), size=min(asked.users, counts.height), replace=False):

        def explain(user_id: str = str(user_id)) -> list[Pooled]:
            entries = recommender.explain(data, user_id=user_id, k=asked.k, at=at)
            return [(entry.record(), pools(recommender, data, entry, at=at)) for entry in entries]

        yield str(user_id), explain


def of_forecast(run: Run, data: Dataset, *, asked: Asked) -> Iterator[tuple[str, Callable[[], list[Pooled]]]]:
    """Explain the first items of the forecast."""
    forecaster, at = run.load_forecaster(), run.until
    assert isinstance(forecaster, OfflineForecaster)
    removals = ForecastRemovals(forecaster, data, at)
    for item in explain_forecast(forecaster, data, at=at, k=asked.users).items:
        yield item.point.item_id, lambda item=item: [(explanation_record(item), removals.evidence_pools(item))]


def explained(name: str, run: Run, data: Dataset, *, path: Path, asked: Asked) -> Path:
    """Explain and take away, a user or item at a time; what stands in the file is not done again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    done = {json.loads(line)["group"] for line in lines}
    source = of_forecast if name == "trail" else of_lists
    with path.open("a", encoding="utf-8") as file, progress_bar(name, total=asked.users) as bar:
        for number, (group, explain) in enumerate(source(run, data, asked=asked)):
            if group not in done:
                rng = np.random.default_rng([asked.seed, number])
                records = [
                    {**record, "group": group, "removals": dict(removed(pools, rng=rng, n_draws=asked.draws))}
                    for record, pools in explain()
                ]
                # One write of whole lines: a killed run leaves no user half done.
                file.write("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))
                file.flush()
            bar.advance()
    return path


def removed(
    pools: Iterable[EvidencePool], *, rng: np.random.Generator, n_draws: int
) -> Iterator[tuple[str, dict[str, object]]]:
    for pool in pools:
        removal = removal_of(pool, rng=rng, n_draws=n_draws)
        if removal is not None:
            yield pool.kind, asdict(removal)


def rows_of(name: str, path: Path, data: Dataset, *, seed: int) -> Iterator[pl.DataFrame]:
    """All figures of one method."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    told = read_explanations(path)
    explanations = [it.explanation for it in told]
    writers = writer_counts(explanations)
    labels = {"method": name, "dataset": data.name, "seed": seed}
    figures = explanation_figures(explanations, features=FeatureSpace.of(data.items), seed=seed)
    yield explanation_rows(figures, writers=writers, **labels)
    counted = {
        "explanations": len(told),
        "unverified": sum(not it.verdict.verified for it in explanations),
        "unverified and not marked": unmarked(records, told),
        **{f"written by {writer}": n for writer, n in writers.items()},
    }
    who = ", ".join(writers)
    yield pl.DataFrame(
        [
            (name, data.name, "explanations", metric, float(n), None, None, len(told), seed, who)
            for metric, n in counted.items()
        ],
        schema=explanation_rows({}, writers={}, **labels).schema,
        orient="row",
    )
    for kind in dict.fromkeys(kind for record in records for kind in record["removals"]):
        held = [record for record in records if kind in record["removals"]]
        removals = [removal_from(record["removals"][kind]) for record in held]
        groups = [record["group"] for record in held]
        yield faithfulness_rows(removals, kind=kind, writer=who, groups=groups, **labels)


def unmarked(records: Sequence[Mapping[str, object]], told: Sequence[ToldExplanation]) -> int:
    """Explanations whose claims do not all hold, and whose record does not say so."""
    return sum(
        not it.explanation.verdict.verified and record.get("verified") is not False
        for record, it in zip(records, told, strict=True)
    )


def removal_from(held: Mapping[str, object]) -> Removal:
    return Removal(held["score"], held["without_cited"], tuple(held["without_random"]))


def given_runs(options: Sequence[str]) -> dict[str, Path]:
    parts = [option.partition("=") for option in options]
    return {name: Path(directory) for name, _, directory in parts}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where fits and explanations are kept")
    parser.add_argument("--run", action="append", default=[], metavar="METHOD=DIRECTORY", help="a fit to use")
    parser.add_argument("--methods", nargs="+", choices=list(OPTIONS), default=list(OPTIONS))
    parser.add_argument("--users", type=int, default=60, help="whose lists, and how many items of the forecast")
    parser.add_argument("--k", type=int, default=5, help="entries of each list")
    parser.add_argument("--draws", type=int, default=10, help="of other evidence that is taken away")
    parser.add_argument("--seed", type=int, default=0, help="of the users, the draws and the bootstrap")
    parser.add_argument("--out", type=Path, help="also write explanations.json into this directory")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    asked = Asked(options.users, options.k, options.draws, options.seed)
    started, given, films = time.perf_counter(), given_runs(options.run), bundled_dataset()
    # What an earlier run left is not in the wall time.
    is_resumed = options.work.is_dir() and any(options.work.iterdir())
    rows: list[dict[str, object]] = []
    fits: dict[str, object] = {}
    for name in options.methods:
        data = dense_part(films) if name == "curec" else films
        run = fitted(name, data, work=options.work, given=given)
        part = f"{name}_{asked.users}_{asked.k}_{asked.draws}_{asked.seed}.jsonl"
        path = explained(name, run, data, path=options.work / part, asked=asked)
        fits[name] = {"until": run.until.isoformat(), "config": run.settings.model_dump(mode="json")}
        for frame in rows_of(name, path, data, seed=asked.seed):
            rows += frame.to_dicts()
    for row in rows:
        bounds = "" if row["low"] is None else f" [{row['low']:.4f}, {row['high']:.4f}]"
        print(f"{row['method']:<10}{row['protocol']:<24}{row['metric']:<28}{row['value']:>9.4f}{bounds} n={row['n']}")
    if options.out is not None:
        wall_time_s = time.perf_counter() - started
        rounded = [{k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()} for row in rows]
        config = {**asdict(asked), "resumed": is_resumed, "fits": fits}
        write_results(options.out / "explanations.json", config=config, wall_time_s=wall_time_s, rows=rounded)
    return 0


if __name__ == "__main__":
    sys.exit(main())
