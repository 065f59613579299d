"""CURec's explanations: how many are borne out by the data, and whether the reasons they cite move the score.

    python benchmarks/curec_explanations.py --work runs/curec_explanations --out results

The bundled films, the users and films of whom there is enough; offline texts. For users drawn at random every entry of
the list is explained, and checked claim by claim. Faithfulness: the score is computed again without the reasons told,
and without as many of the item's other reasons, drawn at random. An honest citation is one whose removal changes the
score more. The fit is kept in --work.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import torch

from whyrec.data.bundled import bundled_dataset
from whyrec.data.dataset import Dataset
from whyrec.evaluation.faithfulness import Removal, faithfulness_figures, removal_of
from whyrec.evaluation.significance import Interval, bootstrap_mean
from whyrec.methods.curec.explaining import OTHERS, WHY, ExplainedRecommendation
from whyrec.methods.curec.model import CURecRecommender
from whyrec.methods.curec.recommender_config import CURecConfig
from whyrec.methods.curec.removing import evidence_pools
from whyrec.runtime.manifest import write_results
from whyrec.runtime.progress import progress_bar
from whyrec.serving.demo_people import DEMO_CONFIG, dense_part

AT = datetime(2013, 10, 1, tzinfo=UTC)
MIN_HISTORY = 5


@dataclass(frozen=True)
class Explained:
    """One entry of one user's list."""

    user: int
    entry: ExplainedRecommendation
    removal: Removal | None
    """The score without the reasons that are told, and without others; None where there are none."""


def fitted(data: Dataset, work: Path, config: CURecConfig) -> CURecRecommender:
    """The recommender, fitted once and kept."""
    kept = work / "recommender"
    if not kept.is_dir():
        CURecRecommender(config.model_copy(update={"checkpoints": work / "stages"})).fit(data, until=AT).save(kept)
    return CURecRecommender.load(kept)


def explained(recommender: CURecRecommender, data: Dataset, *, n_users: int, k: int, seed: int) -> Iterator[Explained]:
    """Explain the lists of some users."""
    rng = np.random.default_rng(seed)
    counts = data.before(AT).group_by("user_id").len().filter(pl.col("len") >= MIN_HISTORY).sort("user_id").collect()
    drawn = rng.choice(counts["user_id"].to_numpy(), size=min(n_users, counts.height), replace=False)
    with progress_bar("explaining", total=len(drawn)) as bar:
        for user, user_id in enumerate(drawn):
            for entry in recommender.explain(data, user_id=user_id, k=k, at=AT):
                yield Explained(user, entry, removal(recommender, data, entry, rng=rng))
            bar.advance()


def removal(
    recommender: CURecRecommender, data: Dataset, entry: ExplainedRecommendation, *, rng: np.random.Generator
) -> Removal | None:
    """The score without the reasons that are told, and without as many others; None where there are no others."""
    pools = evidence_pools(recommender, data, entry, at=AT)
    return removal_of(pools[0], rng=rng) if pools else None


def figures(entries: Sequence[Explained]) -> Iterator[tuple[str, Interval]]:
    """Shares over entries, resampled by user: entries of one list are alike."""

    def share(name: str, values: Sequence[float], chosen: Sequence[Explained] = entries) -> tuple[str, Interval]:
        return name, bootstrap_mean(by_user(values, chosen))

    yield share("verified", [it.entry.explanation.verdict.verified for it in entries])
    yield share("claims", [len(it.entry.explanation.verdict.claims) for it in entries])
    yield share("with a pattern", [it.entry.pattern is not None for it in entries])
    yield share("with a reason of its own", [WHY in it.entry.explanation.sections for it in entries])
    yield share("with reasons of others", [OTHERS in it.entry.explanation.sections for it in entries])
    yield share("evidence", [len(it.entry.explanation.evidence) for it in entries])
    read = [it for it in entries if it.entry.reasons]
    yield share(
        "reasons of others verified", [float(np.mean([r.verified for r in it.entry.reasons])) for it in read], read
    )
    judged = [(it.user, it.removal) for it in entries if it.removal is not None]
    yield share("with reasons told and others", [it.removal is not None for it in entries])
    users, removals = [user for user, _ in judged], [it for _, it in judged]
    for name, figure in faithfulness_figures(removals, groups=users).items():
        if figure.low is not None and figure.high is not None:
            yield name, Interval(figure.value, figure.low, figure.high, n=len(set(users)))


def by_user(values: Sequence[float], entries: Sequence[Explained]) -> np.ndarray:
    """Each user's mean."""
    frame = pl.DataFrame({"user": [it.user for it in entries], "value": np.asarray(values, dtype=np.float64)})
    return frame.group_by("user", maintain_order=True).mean()["value"].to_numpy()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where the fit is kept")
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--k", type=int, default=5, help="entries of each list")
    parser.add_argument("--seed", type=int, default=0, help="of the users, and of the reasons that are removed")
    parser.add_argument("--show", type=int, default=0, help="print so many explanations")
    parser.add_argument("--out", type=Path, help="also write curec_explanations.json into this directory")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    started, data = time.perf_counter(), dense_part(bundled_dataset())
    recommender = fitted(data, options.work, DEMO_CONFIG)
    entries = list(explained(recommender, data, n_users=options.users, k=options.k, seed=options.seed))
    for it in entries[: options.show]:
        print(it.entry.explanation.text, end="\n\n")
    rows = [
        {
            "benchmark": "curec_explanations",
            "case": f"{options.users} users, first {options.k}",
            "system": "whyrec",
            "metric": metric,
            "value": round(interval.value, 4),
            "low": round(interval.low, 4),
            "high": round(interval.high, 4),
            "n": interval.n,
            "seed": options.seed,
            "writer": "offline",
        }
        for metric, interval in figures(entries)
    ]
    for row in rows:
        print(f"{row['metric']:<52}{row['value']:>9} [{row['low']}, {row['high']}]")
    if options.out is not None:
        model = recommender.model_
        assert model is not None, "a loaded recommender has its model"
        config = {"config": DEMO_CONFIG.model_dump(mode="json"), "at": AT.isoformat(), "gate": model.gate.item()}
        path = options.out / "curec_explanations.json"
        write_results(path, config=config, wall_time_s=time.perf_counter() - started, rows=rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
