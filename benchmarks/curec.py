"""CURec's reward model on offline reasons: against SASRec of the same loss and size, with the variants of its Table 3.

    python benchmarks/curec.py --data ../shared/data --work runs/curec
    python benchmarks/curec.py --data ../shared/data --work runs/curec --assemble --out results

MovieLens-1M with plots, directors and actors, ratings above 3; or Amazon Beauty with titles and categories. The last
item of every user is the test, the one before it tells when to stop, the whole catalogue is ranked and what a user has
had is hidden. Texts are written for training interactions alone. Every (variant, seed) is kept in --work as soon as it
is done, and a killed run goes on where it was. ``--variants full shuffled --seeds 0 1 2`` chooses.

``shuffled`` (reasons of other items) and ``own in`` (the user's own reason left in, C1) are controls: a gain that the
first shares is none of reasons, and the second is what the leak alone is worth. ``own in training`` is the second's
model, judged without the leak.

Vectors: a sentence encoder takes some 30 texts a second on one core, which is more than five hours for all reasons.
By default texts are therefore compared by their words (``latent``), all of them; ``--vectors packaged`` takes the
sentence encoder, best with ``--reasons-per-item 40``, which thins out each item's reasons evenly in time.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from curec_data import DATASETS, AllTexts, Protocol, Vectors, all_texts, embed, keep_json, load
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.ranking import HeldOut, target_ranks
from whyrec.encoders.train import TrainingConfig
from whyrec.evaluation.significance import Interval, bootstrap_difference, bootstrap_mean
from whyrec.methods.curec.base_encoder import new_encoder, train_encoder
from whyrec.methods.curec.config import BaseConfig, RewardModelConfig, RewardTrainingConfig
from whyrec.methods.curec.reward_inputs import (
    BEGINNING,
    DescriptionLookup,
    Queries,
    RewardInputs,
    ShuffledReasons,
)
from whyrec.methods.curec.reward_model import RewardModel
from whyrec.methods.curec.reward_ranking import RewardRanker, query_ranks
from whyrec.methods.curec.reward_training import RewardReport, train_reward_model
from whyrec.methods.curec.timelines import NOBODY
from whyrec.recommending.topk import exact_top_k
from whyrec.runtime.config import layered, parse_settings, validated
from whyrec.runtime.manifest import write_results

SEEDS = (0, 1, 2)
BASE = "sasrec"


@dataclass(frozen=True)
class Variant:
    """Settings that differ from those of the others."""

    model: Mapping[str, object] = field(default_factory=dict)
    training: Mapping[str, object] = field(default_factory=dict)


VARIANTS: Mapping[str, Variant] = {
    "full": Variant(),
    "shuffled": Variant(),
    "own in": Variant(),
    "none": Variant({"variant": "none"}),
    "text": Variant({"variant": "text"}),
    "ap": Variant({"variant": "ap"}),
    "mlp": Variant({"variant": "mlp"}),
    "sa": Variant({"variant": "sa"}),
    "faithful network": Variant({"faithful_mlp": True}),
    "end to end": Variant(training={"train_base": True}),
    "end to end, none": Variant({"variant": "none"}, {"train_base": True}),
}
CONTROLS = ("shuffled", "none")
"""What the full model is compared with beside its base: the same without what reasons say."""
REPEATED = (BASE, "full", "shuffled", "own in")
"""Fitted with every seed; the others with the first alone."""
CUTOFFS = (1, 5, 10, 20)
TIMED_USERS, TIMED_ALONE = 512, 64
TIMED_DEPTHS = (25, 50, 100, 200)
SERVING_FILE = "serving.json"
JUDGED_DEPTH = 200
"""Of the encoder's best items, so many are re-ranked for the figures; one row reads the reasons of all."""


# Fits


@dataclass(frozen=True)
class Bench:
    """All that fits share."""

    protocol: Protocol
    texts: AllTexts
    vectors: Vectors
    work: Path
    base: BaseConfig
    base_training: TrainingConfig
    training: RewardTrainingConfig

    def base_encoder(self, seed: int) -> tuple[SequenceEncoder, float]:
        """SASRec, trained or read, and the seconds that its training took."""
        encoder = new_encoder(self.protocol.items.height, self.base, seed=seed)
        validation = HeldOut(self.protocol.validation.histories, self.protocol.validation.targets)
        config = self.base_training.model_copy(update={"seed": seed})
        report = train_encoder(
            encoder,
            self.protocol.training.sequences,
            config=config,
            validation=validation,
            checkpoint=self.work / f"base_{seed}.safetensors",
        )
        return encoder, sum(epoch.seconds for epoch in report.epochs)

    def inputs(self, name: str, *, seed: int) -> RewardInputs:
        """What a variant reads."""
        texts, vectors = self.texts, self.vectors
        times = pl.concat([texts.reasons.frame["timestamp"], texts.held_out.frame["timestamp"]]).dt.epoch("us")
        inputs = RewardInputs(texts.patterns, vectors.patterns, texts.reasons, vectors.reasons, times.to_numpy())
        if name == "shuffled":
            other = ShuffledReasons.of(texts.reasons, n_items=self.protocol.items.height, seed=seed)
            return replace(inputs, reasons=other)
        if name == "text":
            beginning = np.full(self.protocol.items.height, BEGINNING)
            return replace(
                inputs, reasons=DescriptionLookup(), reason_vectors=vectors.descriptions, reason_times=beginning
            )
        return inputs

    def trained(self, name: str, encoder: SequenceEncoder, *, seed: int) -> tuple[RewardRanker, RewardReport]:
        """A variant on an encoder, trained or read."""
        inputs = self.inputs(name, seed=seed)
        is_leaky, validation = name == "own in", self.protocol.validation
        shape = RewardModelConfig.model_validate(VARIANTS[name].model)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = RewardModel(encoder, shape, text_dim=inputs.text_dim)
        report = train_reward_model(
            model,
            self.protocol.training,
            inputs,
            config=self.training.model_copy(update={**VARIANTS[name].training, "seed": seed}),
            validation=self.with_own(validation, first=0) if is_leaky else validation,
            own_rows=self.own_rows() if is_leaky else None,
            checkpoint=self.work / "states" / f"{stem(name, seed)}.safetensors",
        )
        return RewardRanker.of(model, inputs), report

    def own_rows(self) -> NDArray[np.int32]:
        """The reason that each training item brought; for the leak control alone."""
        numbers = {item: n for n, item in enumerate(self.protocol.items["item_id"], start=1)}
        users = {user: n for n, user in enumerate(self.protocol.user_ids)}
        keys = zip(*(self.texts.reasons.frame[name] for name in ("user_id", "item_id")), strict=True)
        row_of = {(users[user], numbers[item]): row for row, (user, item) in enumerate(keys)}
        sequences = self.protocol.training.sequences
        asked = zip(sequences.users.tolist(), sequences.items.tolist(), strict=True)
        return np.array([row_of.get(key, NOBODY) for key in asked], dtype=np.int32)

    def with_own(self, queries: Queries, *, first: int) -> Queries:
        """Held-out items with their own reasons; for the leak control alone."""
        start = len(self.texts.reasons) + first
        return replace(queries, own_rows=np.arange(start, start + len(queries), dtype=np.int32))

    def row(self, method: str, metric: str, interval: Interval, *, seeds: list[int]) -> dict[str, object]:
        """A row of the results."""
        return {
            "method": method if method == BASE else f"curec {method}",
            "dataset": self.protocol.dataset,
            "protocol": "leave-one-out",
            "metric": metric,
            "value": round(interval.value, 6),
            "low": round(interval.low, 6),
            "high": round(interval.high, 6),
            "n": interval.n,
            "seed": seeds[0] if len(seeds) == 1 else " ".join(map(str, seeds)),
            "writer": None if method == BASE else "offline",
        }


def run(bench: Bench, name: str, *, seed: int) -> None:
    """Fit one variant with one seed and keep the test ranks of all users."""
    path = bench.work / "runs" / f"{stem(name, seed)}.json"
    if path.is_file():
        return
    encoder, base_s = bench.base_encoder(seed)
    test = bench.protocol.test
    record: dict[str, object] = {"method": name, "seed": seed, "base_s": base_s}
    if name == BASE:
        record["ranks"] = {BASE: target_ranks(encoder, HeldOut(test.histories, test.targets)).tolist()}
        keep_json(path, record)
        return
    is_leaky, validation = name == "own in", bench.protocol.validation
    started = time.perf_counter()
    ranker, report = bench.trained(name, encoder, seed=seed)
    record |= {"head_s": time.perf_counter() - started, **training_record(report)}
    judged = {name: bench.with_own(test, first=len(validation)), "own in training": test} if is_leaky else {name: test}
    ranks = {method: query_ranks(ranker, asked, rerank=JUDGED_DEPTH).tolist() for method, asked in judged.items()}
    if name == "full" and seed == SEEDS[0]:
        ranks["full, all items read"] = query_ranks(ranker, test, rerank=None).tolist()
    keep_json(path, record | {"ranks": ranks})


def stem(name: str, seed: int) -> str:
    return f"{name.replace(',', '').replace(' ', '_')}_{seed}"


def training_record(report: RewardReport) -> dict[str, object]:
    epochs = [{key: None if value != value else value for key, value in asdict(it).items()} for it in report.epochs]
    return {"best_epoch": report.best_epoch, "epochs": epochs}


def serving(ranker: RewardRanker, queries: Queries) -> dict[str, object]:
    """Milliseconds per user beside the base's on one core, and how often the first ten are those of full attention.

    Many users at once, and one after the other as requests come.
    """
    some = queries.select(np.arange(min(TIMED_USERS, len(queries))))
    alone = [some.select(np.array([n])) for n in range(min(TIMED_ALONE, len(some)))]
    whole = first_ten(ranker, some, rerank=None)
    found: dict[str, object] = {"users": len(some), "users_alone": len(alone)}
    for rerank in TIMED_DEPTHS:
        calls = {
            "base": partial(query_ranks, ranker, rerank=0),
            "re-ranking": partial(query_ranks, ranker, rerank=rerank),
        }
        # In turn, so that whatever else the machine does slows both.
        rounds = [(name, call, asked) for _ in range(5) for name, call in calls.items() for asked in ([some], alone)]
        seconds: dict[tuple[str, bool], list[float]] = {}
        for name, call, asked in rounds:
            started = time.perf_counter()
            for queries_at_once in asked:
                call(queries_at_once)
            n = sum(map(len, asked))
            seconds.setdefault((name, asked is alone), []).append(1000 * (time.perf_counter() - started) / n)
        found[str(rerank)] = {
            f"{name}{', alone' if is_alone else ''}_ms": min(times) for (name, is_alone), times in seconds.items()
        } | {"same_first_ten": float((first_ten(ranker, some, rerank=rerank) == whole).all(dim=1).float().mean())}
    return found


def time_serving(bench: Bench) -> None:
    """Time the full model of the first seed and keep it; best when nothing else runs."""
    encoder, _ = bench.base_encoder(SEEDS[0])
    ranker, _ = bench.trained("full", encoder, seed=SEEDS[0])
    keep_json(bench.work / SERVING_FILE, serving(ranker, bench.protocol.test))


def read_json(path: Path) -> object:
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def first_ten(ranker: RewardRanker, queries: Queries, *, rerank: int | None) -> torch.Tensor:
    """Rows of the catalogue, [B, 10]."""
    return torch.cat([exact_top_k(scores, k=10)[1] for _, scores in ranker.score_blocks(queries, rerank=rerank)])


# Results


def per_user(ranks: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Every metric's value for every user."""
    gains = 1 / np.log2(ranks + 1)
    recalls = {f"Recall@{k}": (ranks <= k).astype(np.float64) for k in CUTOFFS}
    return recalls | {f"NDCG@{k}": np.where(ranks <= k, gains, 0.0) for k in CUTOFFS[1:]}


def assemble(bench: Bench, out: Path) -> None:
    """Write one results file from all runs that are done."""
    runs = [json.loads(path.read_text("utf-8")) for path in sorted((bench.work / "runs").glob("*.json"))]
    ranks = {(method, it["seed"]): np.array(found) for it in runs for method, found in it["ranks"].items()}
    rows = []
    for method in dict.fromkeys(method for method, _ in ranks):
        seeds = sorted(seed for name, seed in ranks if name == method)
        for metric, values in averaged([per_user(ranks[method, seed]) for seed in seeds]).items():
            rows.append(bench.row(method, metric, bootstrap_mean(values), seeds=seeds))
        for against in (BASE, *(CONTROLS if method == "full" else ())):
            paired = [seed for seed in seeds if (against, seed) in ranks]
            if method != against and paired:
                rows += differences(bench, ranks, (method, against), seeds=paired)
    without_ranks = [{key: value for key, value in it.items() if key != "ranks"} for it in runs]
    config = {
        **bench.protocol.describe(),
        "patterns": len(bench.texts.patterns),
        "reasons": len(bench.texts.reasons),
        "verified_reasons": bench.texts.reasons.frame.select(pl.col("verified").mean()).item(),
        "text_dim": int(bench.vectors.reasons.vectors.shape[1]),
        "writing_s": round(bench.texts.seconds, 1),
        "embedding_s": round(bench.vectors.seconds, 1),
        "base": bench.base.model_dump(),
        "base_training": bench.base_training.model_dump(),
        "model": RewardModelConfig().model_dump(),
        "training": bench.training.model_dump(),
        "items_re_ranked": JUDGED_DEPTH,
        "serving": read_json(bench.work / SERVING_FILE),
        "runs": without_ranks,
    }
    seconds = sum(it.get("head_s", 0) for it in runs) + sum(it["base_s"] for it in runs if it["method"] == BASE)
    write_results(out / f"curec_{bench.protocol.dataset}.json", config=config, wall_time_s=seconds, rows=rows)


def differences(
    bench: Bench, ranks: Mapping[tuple[str, int], NDArray[np.float64]], methods: tuple[str, str], *, seeds: list[int]
) -> list[dict[str, object]]:
    """One method less another of the same seeds: over all users, and by how often their test item is in training."""
    method, against = methods
    ours = averaged([per_user(ranks[method, seed]) for seed in seeds])
    theirs = averaged([per_user(ranks[against, seed]) for seed in seeds])
    rows = [
        bench.row(method, f"{metric} - {against}", bootstrap_difference(values, theirs[metric]), seeds=seeds)
        for metric, values in ours.items()
    ]
    counts = np.bincount(bench.protocol.training.sequences.items, minlength=bench.protocol.items.height + 1)
    quarter = quartiles(counts[bench.protocol.test.targets])
    for number in np.unique(quarter).tolist():
        mine = quarter == number
        for metric in ("Recall@10", "NDCG@10"):
            found = bootstrap_difference(ours[metric][mine], theirs[metric][mine])
            rows.append(
                bench.row(method, f"{metric}[popularity quartile {number + 1}] - {against}", found, seeds=seeds)
            )
    return rows


def quartiles(values: NDArray[np.integer]) -> NDArray[np.int64]:
    """The quarter of the users that each belongs to, by a value; equal values are in one quarter."""
    return np.searchsorted(np.quantile(values, [0.25, 0.5, 0.75]), values, side="left").astype(np.int64)


def averaged(seeds: list[dict[str, NDArray[np.float64]]]) -> dict[str, NDArray[np.float64]]:
    """Each user's value, averaged over seeds: the bootstrap then speaks of users, not of seeds."""
    return {metric: np.mean([values[metric] for values in seeds], axis=0) for metric in seeds[0]}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--dataset", choices=list(DATASETS), default="ml1m")
    parser.add_argument("--work", type=Path, required=True, help="where texts, vectors, states and runs are kept")
    parser.add_argument("--users", type=int, help="so many users alone, for a trial")
    parser.add_argument("--variants", nargs="+", choices=[BASE, *VARIANTS], default=[BASE, *VARIANTS])
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--pattern-every", type=int, default=5, help="interactions between two patterns of a user")
    parser.add_argument("--reasons-per-item", type=int, help="write so many of each item's reasons alone")
    parser.add_argument("--vectors", default="latent", help="latent, packaged, or a sentence encoder's name")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="such as epochs=5")
    parser.add_argument("--set-base", action="append", default=[], metavar="KEY=VALUE", help="such as dropout=0.5")
    parser.add_argument("--base-epochs", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--serving", action="store_true", help="time the full model as it serves, fit nothing else")
    parser.add_argument("--assemble", action="store_true", help="write the results of what is done, fit nothing")
    parser.add_argument("--out", type=Path, default=Path("results"))
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    protocol = load(options.data, options.dataset, n_users=options.users)
    print(protocol.describe(), file=sys.stderr)
    texts = all_texts(protocol, options.work, every=options.pattern_every, per_item=options.reasons_per_item)
    vectors = embed(protocol, texts, options.work, model=options.vectors)
    settings = layered({"targets_per_epoch": 60_000}, parse_settings(options.set))
    bench = Bench(
        protocol,
        texts,
        vectors,
        options.work,
        validated(BaseConfig, parse_settings(options.set_base), where="--set-base"),
        TrainingConfig(epochs=options.base_epochs, patience=10, threads=options.threads),
        validated(RewardTrainingConfig, settings, where="--set"),
    )
    if options.assemble:
        assemble(bench, options.out)
        return
    if options.serving:
        time_serving(bench)
        return
    for name in options.variants:
        for seed in options.seeds if name in REPEATED else options.seeds[:1]:
            run(bench, name, seed=seed)
            print(name, seed, file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
