"""The 1 + 29 protocol of M-LLM3REC: one positive among 29 sampled items, the same files for every method.

    python benchmarks/mllm3rec.py --data ../shared/data --work runs/mllm3rec
    python benchmarks/mllm3rec.py --data ../shared/data --work runs/mllm3rec --assemble --out results

Three data sets, three splits (the last item of every user; items that the fewest have taken; users with one or two
earlier interactions), negatives from the whole catalogue and from the same category. Every (data set, split, method) is
kept in --work as soon as it is done, and a run that was killed goes on where it was. ``--datasets``, ``--splits`` and
``--methods`` choose. Text vectors are kept where all of whyrec's are.

Users of the first split whose last item shares its day with others: the Amazon sets of 2014 know days alone. By default
the source's order decides, as in published tables; ``--by-day`` takes items of one day as simultaneous, so that no
history holds any of the positive's day. It is the stricter question, and figures are lower.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

import mllm3rec_data as sets
from whyrec.baselines.recommenders import RECOMMENDERS
from whyrec.data.dataset import Dataset
from whyrec.evaluation.candidate_cases import (
    METRICS,
    CandidateCases,
    case_metrics,
    score_cases,
)
from whyrec.evaluation.case_splits import CaseSplit
from whyrec.evaluation.consistency import require_consistent
from whyrec.evaluation.significance import bootstrap_difference, bootstrap_mean
from whyrec.interfaces import Recommender
from whyrec.methods.mllm3rec.config import RankerConfig
from whyrec.methods.mllm3rec.item_words import ItemWords
from whyrec.methods.mllm3rec.model import MLLM3Recommender
from whyrec.methods.mllm3rec.ranker import CROWD, PARTS, ItemContents, OfflineRanker, Stage
from whyrec.methods.mllm3rec.taken_together import Crowd
from whyrec.methods.mllm3rec.text_head import TextHead
from whyrec.runtime.atomic import atomic_file
from whyrec.runtime.config import layered, parse_settings, validated
from whyrec.runtime.manifest import write_results
from whyrec.runtime.threads import one_thread

END = datetime(2100, 1, 1, tzinfo=UTC)
OURS = "mllm3rec offline"
BASELINES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "popularity": ("popular", ("forecaster=all_time",)),
    "recent popularity": ("popular", ("forecaster=last_30_days",)),
    "bm25": ("bm25", ()),
    "text_knn": ("text_knn", ()),
    "item_knn": ("item_knn", ()),
    "bpr": ("bpr", ()),
    # Full softmax and more epochs take hours here; twelve with 1,024 shared negatives are where validation levels off.
    "sasrec": ("sasrec", ("loss=sampled_softmax", "n_negatives=1024", "training.epochs=12", "training.threads=1")),
}
METHODS = ("chance", *BASELINES, OURS)
SPEED_ITEMS, SPEED_ROUNDS = 100_000, 30


# Methods


def fit_baseline(name: str, train: Dataset) -> Recommender:
    kind, settings = BASELINES[name]
    config = validated(RECOMMENDERS[kind].Config, layered(parse_settings(list(settings))), where=name)
    return RECOMMENDERS[kind](config).fit(train, until=END)


def ablations(model: MLLM3Recommender, cases: CandidateCases) -> dict[str, pl.DataFrame]:
    """Scores of the candidates by parts of the same fit: by texts alone, by the crowd alone, and so on."""
    ranker, pairs = model.ranker_, cases.pairs()
    weights = {
        "texts alone": ranker.alone,
        "crowd alone": {name: ranker.weights[name] for name in CROWD},
        "nearness alone": {"nearness": 1.0},
        "words alone": {"words": 1.0},
        "motivations alone": {"motivations": 1.0},
        "new items at nothing": ranker.weights,
    }
    place_of = {item: place for place, item in enumerate(model.item_ids_)}
    scores: dict[str, list[np.ndarray]] = {name: [] for name in weights}
    for history, candidates in zip(cases.frame["history"], cases.frame["candidates"], strict=True):
        parts = ranker.stage.parts(*(np.array([place_of[item] for item in some]) for some in (history, candidates)))
        for name, mine in weights.items():
            scores[name].append(np.sum([weight * parts[part] for part, weight in mine.items()], axis=0))
    return {
        f"mllm3rec {name}": pairs.with_columns(pl.Series("score", np.concatenate(found)).cast(pl.Float64))
        for name, found in scores.items()
    }


def by_motivations(model: MLLM3Recommender) -> dict[str, OfflineRanker]:
    """The same fit with motivations in the score and without."""
    ranker = model.ranker_
    if ranker.test is None:
        return {}
    return {
        "mllm3rec with motivations": replace(ranker, weights=ranker.test.with_them),
        "mllm3rec without motivations": replace(ranker, weights=ranker.test.without),
    }


# Runs


@dataclass(frozen=True)
class Bench:
    """All that runs share."""

    data: Path
    work: Path
    users: int
    by_day: bool
    seed: int
    """Of the users and candidates."""
    ranker: RankerConfig

    def run(self, catalogue: sets.Catalogue, split: CaseSplit, method: str) -> None:
        """Fit one method on one split, score all its cases, keep every user's metrics."""
        done = self.work / "runs" / f"{catalogue.data.name}_{split.name}_{method.replace(' ', '_')}.json"
        if done.is_file():
            return
        cases = self.cases(catalogue, split)
        started = time.perf_counter()
        record: dict[str, object] = {"dataset": catalogue.data.name, "split": split.name, "method": method}
        if method == "chance":
            record["fit_s"] = 0.0
            found = [(method, it, it.pairs().with_columns(pl.lit(0.0).alias("score"))) for it in cases]
        elif method == OURS:
            model = MLLM3Recommender(MLLM3Recommender.Config(ranker=self.ranker)).fit(split.train, until=END)
            record |= {"fit_s": round(time.perf_counter() - started, 1), **motivation_record(model.ranker_)}
            found = scored(OURS, model, cases, data=catalogue.data)
            found += [(name, it, frame) for it in cases for name, frame in ablations(model, it).items()]
            for name, ranker in by_motivations(model).items():
                model.ranker_ = ranker
                found += scored(name, model, cases, data=catalogue.data)
        else:
            fitted = fit_baseline(method, split.train)
            record["fit_s"] = round(time.perf_counter() - started, 1)
            found = scored(method, fitted, cases, data=catalogue.data)
        frames = [
            case_metrics(frame, some).with_columns(pl.lit(name).alias("method"), pl.lit(some.name).alias("cases"))
            for name, some, frame in found
        ]
        record["all_s"] = round(time.perf_counter() - started, 1)
        done.parent.mkdir(parents=True, exist_ok=True)
        pl.concat(frames).write_parquet(done.with_suffix(".parquet"))
        with atomic_file(done) as partial:
            partial.write_text(json.dumps(record), encoding="utf-8")

    def cases(self, catalogue: sets.Catalogue, split: CaseSplit) -> list[CandidateCases]:
        """The fixed cases of a split, for every way to draw negatives that the data set allows."""
        schemes = sets.SCHEMES if catalogue.category_of else sets.SCHEMES[:1]
        settings = {"directory": self.work / "cases", "users": self.users, "seed": self.seed}
        return [sets.kept_cases(catalogue, split, scheme=it, **settings) for it in schemes]


def scored(
    name: str, recommender: Recommender, cases: list[CandidateCases], *, data: Dataset
) -> list[tuple[str, CandidateCases, pl.DataFrame]]:
    frames = score_cases(recommender, cases, data=data)
    return [(name, some, frame) for some, frame in zip(cases, frames, strict=True)]


def motivation_record(ranker: OfflineRanker) -> dict[str, object]:
    """What the earlier cases said of motivations."""
    record: dict[str, object] = {"weights": {name: round(value, 4) for name, value in ranker.weights.items()}}
    if ranker.test is not None:
        gain = ranker.test.hit_rate
        record |= {
            "motivations_kept": ranker.test.kept,
            "motivations_weight": round(ranker.test.with_them["motivations"], 4),
            "motivations_gain_on_earlier_cases": [round(it, 5) for it in (gain.value, gain.low, gain.high)],
        }
    return record


# Results


def assemble(bench: Bench, out: Path) -> None:
    """Write one results file from all runs that are done."""
    runs = [json.loads(path.read_text("utf-8")) for path in sorted((bench.work / "runs").glob("*.json"))]
    rows = []
    for dataset, split in dict.fromkeys((it["dataset"], it["split"]) for it in runs):
        stems = [it["method"].replace(" ", "_") for it in runs if (it["dataset"], it["split"]) == (dataset, split)]
        frame = pl.concat(pl.read_parquet(bench.work / "runs" / f"{dataset}_{split}_{stem}.parquet") for stem in stems)
        for (cases,), some in frame.group_by("cases", maintain_order=True):
            rows += table(dataset, str(cases), some)
            rows += by_position(bench, dataset, split, str(cases), some)
    config = {
        "users": bench.users,
        "by_day": bench.by_day,
        "seed": bench.seed,
        "ranker": bench.ranker.model_dump(),
        "baselines": {name: [kind, *settings] for name, (kind, settings) in BASELINES.items()},
        "runs": runs,
    }
    name = "_".join(["mllm3rec", *variant_of(bench.by_day, bench.seed)])
    seconds = sum(it["all_s"] for it in runs)
    write_results(out / f"{name}.json", config=config, wall_time_s=seconds, rows=rows)


def variant_of(by_day: bool, seed: int) -> list[str]:
    """What sets a run apart from the main one, for names of files and folders."""
    return ["by_day"] * by_day + [f"seed_{seed}"] * (seed != sets.SEED)


def table(dataset: str, cases: str, frame: pl.DataFrame) -> list[dict[str, object]]:
    """Every method's metrics, and how much more the offline ranking has, over the same users."""
    by_method = {str(name): some.sort("user_id") for (name,), some in frame.group_by("method", maintain_order=True)}
    rows = []
    for method, some in by_method.items():
        require_consistent(
            {metric: float(some[metric].to_numpy().mean()) for metric in METRICS}, where=f"{dataset} {cases} {method}"
        )
        for metric in METRICS:
            found = bootstrap_mean(some[metric].to_numpy())
            rows.append(row(dataset, cases, method, metric, (found.value, found.low, found.high), n=found.n))
            if method != OURS and OURS in by_method:
                gain = bootstrap_difference(by_method[OURS][metric].to_numpy(), some[metric].to_numpy())
                name = f"{metric} - {method}"
                rows.append(row(dataset, cases, OURS, name, (gain.value, gain.low, gain.high), n=gain.n))
    return rows


def by_position(bench: Bench, dataset: str, split: str, cases: str, frame: pl.DataFrame) -> list[dict[str, object]]:
    """The lowest and highest hit rate by the place at which the positive was shown, in sixths of the list."""
    scheme = "category" if "cat" in cases.partition("[")[2] else "uniform"
    shown = pl.read_parquet(bench.work / "cases" / f"{dataset}_{split}_{scheme}_{bench.users}" / "cases.parquet")
    rows = []
    for method in (OURS, "chance"):
        mine = frame.filter(method=method).join(shown.select("user_id", "position"), on="user_id")
        for sixth, some in mine.group_by(pl.col("position") // 5, maintain_order=True):
            found = bootstrap_mean(some["HR@5"].to_numpy())
            name = f"HR@5[shown {5 * int(sixth[0]) + 1}-{5 * int(sixth[0]) + 5}]"
            rows.append(row(dataset, cases, method, name, (found.value, found.low, found.high), n=found.n))
    return sorted(rows, key=lambda it: (str(it["method"]), int(str(it["metric"]).split()[1].split("-")[0])))


def row(
    dataset: str, cases: str, method: str, metric: str, value: tuple[float, float, float], *, n: int
) -> dict[str, object]:
    return {
        "method": method,
        "dataset": dataset,
        "protocol": cases,
        "metric": metric,
        **dict(zip(("value", "low", "high"), (round(it, 6) for it in value), strict=True)),
        "n": n,
        "seed": 0,
        "writer": "offline" if method.startswith("mllm3rec") else None,
    }


# Speed


def speed() -> dict[str, float]:
    """Milliseconds to score 100,000 items for a user with two interactions and take the best ten, on one core.

    The median over users; ``core`` is the time that the process itself was given, where others share the machine.
    """
    rng = np.random.default_rng(0)
    config = RankerConfig()
    d, rank = config.dimensions, config.head.rank
    points = rng.normal(size=(SPEED_ITEMS, d)).astype(np.float32)
    log = sets.random_log(rng, n_users=50_000, n_items=SPEED_ITEMS)
    crowd = Crowd.of(
        log,
        n_items=SPEED_ITEMS,
        recent_days=config.recent_days,
        shrinkage=config.shrinkage,
        half_life=config.half_life,
        newest=config.newest,
    )
    head = TextHead(
        np.ones(2, dtype=np.float32),
        rng.normal(size=(2 * d, rank)).astype(np.float32),
        rng.normal(size=(d, rank)).astype(np.float32),
        np.zeros(d, dtype=np.float32),
    )
    motives = rng.normal(size=(SPEED_ITEMS, 10)).astype(np.float32)
    texts = [" ".join(f"w{word}" for word in row) for row in rng.zipf(1.3, size=(SPEED_ITEMS, 12)) % 30_000]
    contents = ItemContents(points, ItemWords.of(texts), motives)
    stage = Stage(contents, head, crowd, config.head.newest, config.head.half_life)
    ranker = OfflineRanker(stage, dict.fromkeys(PARTS, 1.0), dict.fromkeys(PARTS, 1.0))
    wall_s, core_s = [], []
    with one_thread():
        for _ in range(SPEED_ROUNDS):
            history = rng.integers(SPEED_ITEMS, size=2)
            started = time.perf_counter(), time.process_time()
            scores = ranker.score(history)
            best = np.argpartition(-scores, 10)[:10]
            best[np.argsort(-scores[best])]
            wall_s.append(time.perf_counter() - started[0])
            core_s.append(time.process_time() - started[1])
    return {f"{name}_ms": 1000 * float(np.median(found)) for name, found in (("wall", wall_s), ("core", core_s))}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="where cases and runs are kept")
    parser.add_argument("--datasets", nargs="+", choices=sets.DATASETS, default=list(sets.DATASETS))
    parser.add_argument("--splits", nargs="+", choices=sets.SPLITS, default=list(sets.SPLITS))
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--users", type=int, default=sets.N_USERS, help="cases of a split at most")
    parser.add_argument("--seed", type=int, default=sets.SEED, help="of users and candidates: others than those shown")
    parser.add_argument("--by-day", action="store_true", help="items of one day are simultaneous")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the ranking: head.epochs=2")
    parser.add_argument("--speed", action="store_true", help="time the ranking of 100,000 items, and nothing else")
    parser.add_argument("--assemble", action="store_true", help="write the results of what is done, fit nothing")
    parser.add_argument("--out", type=Path, default=Path("results"))
    options = parser.parse_args(arguments)
    if options.speed:
        print(json.dumps(speed()))
        return
    ranker = validated(RankerConfig, layered(parse_settings(options.set)), where="ranker")
    work = options.work.joinpath("_".join(variant_of(options.by_day, options.seed)))
    bench = Bench(options.data, work, options.users, options.by_day, options.seed, ranker)
    if options.assemble:
        assemble(bench, options.out)
        return
    for name in options.datasets:
        catalogue = sets.load(name, options.data, by_day=options.by_day)
        for split_name in options.splits:
            split = catalogue.split(split_name)
            for method in options.methods:
                started = time.perf_counter()
                bench.run(catalogue, split, method)
                print(
                    f"{name} {split_name} {method}: {time.perf_counter() - started:.1f} s", file=sys.stderr, flush=True
                )


if __name__ == "__main__":
    main(sys.argv[1:])
