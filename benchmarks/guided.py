"""Guided embedding refinement without a language model: twelve aspects in an encoder's table, against all controls.

    python benchmarks/guided.py --data ../shared/data --work runs/guided
    python benchmarks/guided.py --data ../shared/data --work runs/guided --assemble --out results
    python benchmarks/guided.py --data ../shared/data --work runs/guided --sense --out results
    python benchmarks/guided.py --data ../shared/data --work runs/guided --additivity

MovieLens-1M, ratings above 3, or Amazon Beauty; the last item of every user is the test, the one before it tells when
to stop, the whole catalogue is ranked and what a user has had is hidden. Every (encoder, variant, seed) is kept in
--runs as soon as it is done, with the test rank of every user, and a killed one goes on where it was. ``--runs
results/guided_ml1m_runs`` goes on from those that were measured. ``--encoders sasrec --variants base refined --seeds
0 1`` chooses. SASRec has three seeds and every control; the other encoders two, without guided columns, with them and
with shuffled ones; studies of k, alpha and width have one. ``--set-guided weight=2`` changes the refined encoder and
all its controls alike.

``--sense`` compares scores of films with facts, ``--additivity`` takes scores of the refined encoder apart and moves
users' preferences, ``--known-anyway`` asks how much of the aspects the trained columns of a base tell; see
``guided_checks.py``. ``--reranked`` asks what columns add to a trained base's scores; see ``guided_reranking.py``.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from curec import averaged
from curec_data import DATASETS, Protocol, keep_json, load
from guided_checks import additivity, known_anyway, sense
from guided_figures import NEGATIVES, among_drawn, figures_of, full_ranking, is_less_popular, item_counts, seeds_told
from guided_reranking import HALF_LIVES, STRENGTHS, contents, reranked, reranking_rows
from guided_variants import BASE, CONTROLS, ENCODERS, OF_OTHERS, REFINED, VARIANTS, columns_of, seeds_of
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.ranking import HeldOut, target_ranks
from whyrec.encoders.train import TrainingReport, train
from whyrec.errors import InvalidConfigError
from whyrec.evaluation.significance import Interval, bootstrap_difference, bootstrap_mean
from whyrec.llm.embed import Embedder
from whyrec.methods.guided.artefacts import AspectScores
from whyrec.methods.guided.aspects import bundled_aspects
from whyrec.methods.guided.config import GuidedConfig
from whyrec.methods.guided.encoding import new_encoder, objective_of
from whyrec.methods.guided.normalising import Normalisation
from whyrec.methods.guided.offline import OfflineScorer, item_lines
from whyrec.methods.guided.preferences import HistoryPreferences
from whyrec.methods.guided.refine import GuidedEncoder
from whyrec.runtime.config import layered, parse_settings, validated
from whyrec.runtime.manifest import environment, write_results

SEEDS = (0, 1, 2)
DOMAINS = {"ml1m": "movies", "amazon2014_beauty": "beauty"}
FULL, DRAWN = "leave-one-out", f"leave-one-out, 1 of {NEGATIVES + 1} drawn"
RUNS, SCORES, ADDITIVITY, KNOWN = "runs", "scores.parquet", "additivity.json", "known_anyway.json"


# Fits


@dataclass(frozen=True)
class Bench:
    """All that fits share."""

    protocol: Protocol
    scores: AspectScores
    vectors: NDArray[np.float32]
    work: Path
    runs: Path
    config: GuidedConfig

    def settings(self, encoder: str, name: str, *, seed: int) -> GuidedConfig:
        """Of one run."""
        training = self.config.training.model_copy(update={"seed": seed})
        variant = VARIANTS[name]
        # What has no guided columns is the same fit whatever they would weigh.
        unused = {"weight"} if variant.content == "none" else set()
        changes = {"encoder": encoder, "training": training, **variant.settings}
        return GuidedConfig.model_validate({**self.config.model_dump(exclude={"training", *unused}), **changes})

    def described(self, encoder: str, name: str, *, seed: int) -> dict[str, object]:
        """Settings of one run, without what changes no result."""
        return self.settings(encoder, name, seed=seed).model_dump(mode="json", exclude={"training": {"threads"}})

    def untrained(self, encoder: str, name: str, *, seed: int) -> SequenceEncoder:
        """An encoder as its training starts; the same seed draws the same weights."""
        config, variant = self.settings(encoder, name, seed=seed), VARIANTS[name]
        n_items = self.protocol.items.height
        whole = config.base_columns + len(self.scores.aspects)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            if variant.content == "none":
                return new_encoder(config, n_items, embedding_dim=variant.width or whole)
            scores = columns_of(variant, self.scores, self.vectors, seed=seed)
            width = config.base_columns + len(scores.aspects)
            columns = self.normalisation(scores, width, config).columns(scores, self.protocol.items["item_id"])
            base = new_encoder(config, n_items, embedding_dim=width, frozen=columns)
        if config.learns_weight:
            base.item_table().add_gate()
        has_users = config.user_side != "item"
        preferences = HistoryPreferences(half_life_items=config.half_life_items) if has_users else None
        return GuidedEncoder(
            base,
            preferences=preferences,
            user_side=config.user_side,
            matching=config.matching,
            match_strength=config.match_strength,
        )

    def normalisation(self, scores: AspectScores, width: int, config: GuidedConfig) -> Normalisation:
        """Of the items that occur in training."""
        is_training = np.zeros(self.protocol.items.height, dtype=bool)
        is_training[self.protocol.training.sequences.items - 1] = True
        ids = self.protocol.items["item_id"]
        return Normalisation.learn(scores, ids, is_training=is_training, embedding_dim=width, weight=config.weight)

    def trained(self, encoder: str, name: str, *, seed: int) -> tuple[SequenceEncoder, TrainingReport]:
        """An encoder with the weights of its best epoch, trained or read."""
        made, config = self.untrained(encoder, name, seed=seed), self.settings(encoder, name, seed=seed)
        sequences = self.protocol.training.sequences
        report = train(
            made,
            sequences,
            objective=objective_of(config, sequences, n_items=self.protocol.items.height),
            config=config.training,
            validation=HeldOut(self.protocol.validation.histories, self.protocol.validation.targets),
            checkpoint=self.work / "states" / f"{stem(encoder, name, seed)}.safetensors",
        )
        return made, report

    @property
    def n_candidates(self) -> NDArray[np.int64]:
        """Items that each user has not had before the test."""
        histories = self.protocol.test.histories
        seen = np.array([len(np.unique(histories.row(user))) for user in range(len(histories))])
        return self.protocol.items.height - seen

    def row(
        self, encoder: str, name: str, metric: str, interval: Interval, *, seeds: list[int], protocol: str = FULL
    ) -> dict[str, object]:
        """A row of the results."""
        is_plain = VARIANTS[name].content == "none"
        method = f"{encoder} {name}" if is_plain else f"guided {encoder} {name}"
        return {
            "method": method,
            "dataset": self.protocol.dataset,
            "protocol": protocol,
            "metric": metric,
            **figures_of(interval),
            "seed": seeds_told(seeds),
            "writer": None if is_plain else self.scores.writer,
        }


def run(bench: Bench, encoder: str, name: str, *, seed: int) -> None:
    """Fit one variant with one seed and keep the test ranks of all users.

    Raises:
        InvalidConfigError: If that run has been made with other settings.
    """
    path = bench.runs / f"{stem(encoder, name, seed)}.json"
    settings = bench.described(encoder, name, seed=seed)
    if path.is_file():
        require_same(json.loads(path.read_text("utf-8"))["settings"], settings, path=path)
        return
    twin = bench.runs / f"{stem(encoder, REFINED, seed)}.json"
    if is_refined_again(bench, encoder, name, seed=seed) and twin.is_file():
        keep_json(path, {**json.loads(twin.read_text("utf-8")), "variant": name})
        return
    trained, report = bench.trained(encoder, name, seed=seed)
    test = bench.protocol.test
    best = report.epochs[report.best_epoch - 1] if report.best_epoch else None
    record = {
        "encoder": encoder,
        "variant": name,
        "seed": seed,
        "epochs": len(report.epochs),
        "best_epoch": report.best_epoch,
        "validation_ndcg": None if best is None else best.ndcg,
        "parameters": sum(tensor.numel() for tensor in trained.parameters()),
        "seconds": sum(epoch.seconds for epoch in report.epochs),
        "commit": environment()["commit"],
        "settings": settings,
    }
    keep_json(path, {**record, "ranks": written(target_ranks(trained, HeldOut(test.histories, test.targets)))})


def is_refined_again(bench: Bench, encoder: str, name: str, *, seed: int) -> bool:
    """Whether a study's value is the one that the refined encoder has anyway."""
    variant, refined = VARIANTS[name], VARIANTS[REFINED]
    same = (variant.content, variant.n_aspects) == (refined.content, refined.n_aspects)
    described = bench.described(encoder, REFINED, seed=seed)
    return name != REFINED and same and bench.described(encoder, name, seed=seed) == described


def require_same(made: Mapping[str, object], asked: Mapping[str, object], *, path: Path) -> None:
    """What was made must have the settings that are asked for."""
    for key in sorted({*made, *asked}):
        if made.get(key) != asked.get(key):
            raise InvalidConfigError(
                f"{path}, {key}: expected {asked.get(key)!r}, got {made.get(key)!r}. Choose other --runs, or delete it."
            )


def written(ranks: NDArray[np.float64]) -> list[int | float | None]:
    """Ranks for a file: short where they are whole, null where the item cannot be found, which is no JSON."""
    return [None if not np.isfinite(it) else int(it) if it == int(it) else it for it in ranks.tolist()]


def stem(encoder: str, name: str, seed: int) -> str:
    return f"{encoder}_{name.replace(' ', '_').replace('(', '_').replace(')', '')}_{seed}"


def scored(protocol: Protocol, work: Path) -> tuple[AspectScores, NDArray[np.float32]]:
    """Scores of the catalogue without a language model, and the vectors of its texts; computed once."""
    items, path = protocol.items, work / SCORES
    with Embedder.open(cache=work / "embeddings.sqlite") as embedder:
        vectors = embedder.embed(item_lines(items))
        if not path.is_file():
            scores, reports = OfflineScorer(bundled_aspects(DOMAINS[protocol.dataset]), embedder).score(items)
            for report in reports:
                print(report, file=sys.stderr)
            scores.write(path)
    return AspectScores.read(path), vectors


# Results


Ranks = Mapping[tuple[str, str, int], NDArray[np.float64]]


def assemble(bench: Bench, out: Path) -> None:
    """Write one results file from all runs that are done."""
    runs = [json.loads(path.read_text("utf-8")) for path in sorted(bench.runs.glob("*.json"))]
    runs.sort(key=lambda it: (ENCODERS.index(it["encoder"]), list(VARIANTS).index(it["variant"]), it["seed"]))
    ranks: Ranks = {
        (it["encoder"], it["variant"], it["seed"]): np.array([np.inf if rank is None else rank for rank in it["ranks"]])
        for it in runs
    }
    rows, n_candidates = [], bench.n_candidates
    for encoder, name in dict.fromkeys((encoder, name) for encoder, name, _ in ranks):
        seeds = sorted(seed for *which, seed in ranks if which == [encoder, name])
        figures = [full_ranking(ranks[encoder, name, seed]) for seed in seeds]
        for metric, values in averaged(figures).items():
            row = bench.row(encoder, name, metric, bootstrap_mean(values), seeds=seeds)
            rows.append({**row, "by_seed": means([of_seed[metric] for of_seed in figures])})
        drawn = averaged([among_drawn(ranks[encoder, name, seed], n_candidates) for seed in seeds])
        for metric, values in drawn.items():
            rows.append(bench.row(encoder, name, metric, bootstrap_mean(values), seeds=seeds, protocol=DRAWN))
        rivals = tuple(CONTROLS) if name == REFINED else () if name in (BASE, *CONTROLS) else (REFINED,)
        for against in (BASE, *rivals):
            paired = [seed for seed in seeds if (encoder, against, seed) in ranks]
            if name != against and paired:
                rows += differences(bench, ranks, encoder, (name, against), seeds=paired)
    config = {
        **bench.protocol.describe(),
        "settings": bench.config.model_dump(mode="json"),
        "aspects": list(bench.scores.aspects),
        "additivity": read_json(bench.work / ADDITIVITY),
        "known_anyway": read_json(bench.work / KNOWN),
        "runs": [{key: value for key, value in it.items() if key != "ranks"} for it in runs],
    }
    seconds = sum(it["seconds"] for it in runs)
    write_results(out / f"guided_{bench.protocol.dataset}.json", config=config, wall_time_s=seconds, rows=rows)


def differences(
    bench: Bench, ranks: Ranks, encoder: str, names: tuple[str, str], *, seeds: list[int]
) -> list[dict[str, object]]:
    """One variant less another of the same seeds: over all users, and over those whose test item is less popular."""
    name, against = names
    one, other = ([full_ranking(ranks[encoder, which, seed]) for seed in seeds] for which in names)
    ours, theirs = averaged(one), averaged(other)
    is_rare, rows = is_less_popular(bench.protocol), []
    for metric, values in ours.items():
        found = bootstrap_difference(values, theirs[metric])
        row = bench.row(encoder, name, f"{metric} - {against}", found, seeds=seeds)
        apart = [mine[metric] - its[metric] for mine, its in zip(one, other, strict=True)]
        rows.append({**row, "by_seed": means(apart)})
    for metric in ("Recall@10", "NDCG@10"):
        found = bootstrap_difference(ours[metric][is_rare], theirs[metric][is_rare])
        rows.append(bench.row(encoder, name, f"{metric}[less popular half] - {against}", found, seeds=seeds))
    return rows


def means(values: list[NDArray[np.float64]]) -> list[float]:
    """Over users, of each seed: fits differ by more than an interval over users tells."""
    return [round(float(of_seed.mean()), 6) for of_seed in values]


def rerank(bench: Bench, encoder: str, seeds: list[int], out: Path) -> None:
    """What content adds to trained bases of one encoder; see ``guided_reranking.py``."""
    started, found = time.perf_counter(), []
    validation, test = (HeldOut(it.histories, it.targets) for it in (bench.protocol.validation, bench.protocol.test))
    for seed in seeds:
        plain, _ = bench.trained(encoder, BASE, seed=seed)
        columns = contents(bench.scores, bench.vectors, bench.protocol, seed=seed)
        found.append(reranked(plain, columns, validation=validation, test=test, popularity=item_counts(bench.protocol)))
        print(encoder, seed, found[-1].chosen, file=sys.stderr)
    config = {
        **bench.protocol.describe(),
        "settings": bench.config.model_dump(mode="json"),
        "encoder": encoder,
        "half_lives": HALF_LIVES,
        "strengths": STRENGTHS,
        "chosen": dict(zip(map(str, seeds), [it.chosen for it in found], strict=True)),
    }
    rows = reranking_rows(found, bench.protocol, seeds=seeds)
    path = out / f"guided_reranking_{bench.protocol.dataset}_{encoder}.json"
    write_results(path, config=config, wall_time_s=time.perf_counter() - started, rows=rows)


def read_json(path: Path) -> object:
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--dataset", choices=list(DATASETS), default="ml1m")
    parser.add_argument("--work", type=Path, required=True, help="where vectors, scores, states and runs are kept")
    parser.add_argument("--runs", type=Path, help="where each fit's ranks are kept, by default in --work")
    parser.add_argument("--users", type=int, help="so many users alone, for a trial")
    parser.add_argument("--encoders", nargs="+", choices=ENCODERS, default=list(ENCODERS))
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), help="by default all that an encoder has")
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--set-guided", action="append", default=[], metavar="KEY=VALUE", help="such as dropout=0.5")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sense", action="store_true", help="compare scores of films with facts, fit nothing")
    parser.add_argument("--additivity", action="store_true", help="take scores of the refined encoder apart")
    parser.add_argument("--known-anyway", action="store_true", help="how much of the aspects the base tells")
    parser.add_argument("--reranked", action="store_true", help="what content adds to a trained base, fit nothing else")
    parser.add_argument("--assemble", action="store_true", help="write the results of what is done, fit nothing")
    parser.add_argument("--out", type=Path, default=Path("results"))
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    if options.sense:
        sense(options.data, options.work, out=options.out)
        return
    protocol = load(options.data, options.dataset, n_users=options.users)
    print(protocol.describe(), file=sys.stderr)
    defaults = {"training.epochs": options.epochs, "training.threads": options.threads, "device": "cpu"}
    defaults |= {"aspects": DOMAINS[options.dataset]}
    settings = layered(defaults, parse_settings(options.set_guided, flag="--set-guided"))
    config = validated(GuidedConfig, settings, where="--set-guided")
    bench = Bench(protocol, *scored(protocol, options.work), options.work, options.runs or options.work / RUNS, config)
    if options.assemble:
        assemble(bench, options.out)
        return
    if options.known_anyway:
        plain, _ = bench.trained(options.encoders[0], BASE, seed=options.seeds[0])
        keep_json(options.work / KNOWN, known_anyway(plain, protocol, bench.scores))
        return
    if options.reranked:
        for encoder in options.encoders:
            rerank(bench, encoder, seeds_of(BASE, encoder, options.seeds), options.out)
        return
    if options.additivity:
        trained, _ = bench.trained(options.encoders[0], REFINED, seed=options.seeds[0])
        assert isinstance(trained, GuidedEncoder), "it is refined"
        keep_json(options.work / ADDITIVITY, additivity(trained, protocol, bench.scores))
        return
    for encoder in options.encoders:
        for name in options.variants or (VARIANTS if encoder == ENCODERS[0] else OF_OTHERS):
            for seed in seeds_of(name, encoder, options.seeds):
                run(bench, encoder, name, seed=seed)
                print(encoder, name, seed, file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
