"""TRAIL with a small model from scratch: against counting, PARE and the forecaster without a model, with ablations.

    python benchmarks/trail.py --data ../shared/data --dataset movietweetings --work runs/trail --out results

Every (variant, seed, window) is a fit of its own, kept in --work as soon as it is done, and a killed run goes on
where it was. ``--variants full --seeds 0 1 2`` chooses; without --windows the last three full 30-day windows are
tested. Variants that were fitted on the last window alone (``--only-last``) are judged on that one. Nothing is chosen
by a tested window: one setting for all, found on earlier ones.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from forecasting import DATASETS
from whyrec.data.dataset import Dataset
from whyrec.data.windows import Window, WindowLength
from whyrec.evaluation.item_classes import evaluate_by_class
from whyrec.evaluation.rolling import Ranker, evaluate_rolling, last_windows
from whyrec.interfaces import FORECAST_SCHEMA
from whyrec.methods.trail.explained import ExplainedItem
from whyrec.methods.trail.model import TrailForecaster
from whyrec.runs.judging import ranker_of
from whyrec.runs.methods import method_named
from whyrec.runtime.atomic import atomic_file
from whyrec.runtime.config import layered
from whyrec.runtime.manifest import write_results

LENGTH = WindowLength.parse("30d")
METRICS = ("HR@10", "NDCG@10", "NDCG_div@10", "Jaccard@10", "HR@10/oracle", "WAPE[active]")
RIVALS = ("last_window", "last_30_days", "last_14_days", "last_7_days", "last_3_days", "ema", "pare", "trail")
BY_CLASS = ("last_7_days", "trail")
"""Rivals that are also judged by kinds of items."""
EXPLAINED = 200
"""Items at the top of each list whose explanations are generated and verified."""

VARIANTS: Mapping[str, Mapping[str, object]] = {
    "full": {},
    "without L_con": {"training.contrastive_weight": 0.0},
    "lambda scheduled": {"training.contrastive_weight": "scheduled"},
    "without L_sup": {"training.supervised": False},
    "without explanations in the loss": {"training.explanation_weight": 0.0},
    "without the daily tail": {"with_daily": False},
    "likeliest score": {"readout": "likeliest"},
    "one word as target": {"training.spread": 0.0},
    "digits": {"slot": "digits", "training.spread": 0.0},
    "samples by item": {"samples.drawn_by": "item", "samples.step_days": 10},
    "free sentences": {"sentences": "any"},
    "free copying": {"references": False},
    "explanation first": {"order": "explanation_first"},
    "without thinned copies": {"thinned_copies": 0},
    "stopped early": {"validation_samples": 2000, "refit": True},
    "adapter of rank 8": {"pretraining": 300, "adapter": {"rank": 8, "alpha": 16.0}},
    "adapter of rank 16": {"pretraining": 300, "adapter": {"rank": 16, "alpha": 32.0}},
    "adapter of rank 32": {"pretraining": 300, "adapter": {"rank": 32, "alpha": 64.0}},
}


def fitted(data: Dataset, *, window: Window, variant: str, seed: int) -> dict[str, Any]:
    """Fit one variant before a window; its list, and how its explanations fared."""
    method = method_named("trail_scratch")
    options = layered(VARIANTS[variant], {"training.seed": seed, "window": str(LENGTH)})
    started = time.perf_counter()
    forecaster = method.forecaster(method.settings(options))
    assert isinstance(forecaster, TrailForecaster)
    past = data_before(data, window)
    forecaster.fit(past, until=window.start)
    fit_s = time.perf_counter() - started
    told = forecaster.explain(past, at=window.start, k=EXPLAINED)
    report = forecaster.report_
    assert report is not None
    return {
        "list": told.forecast.ranking.to_dict(as_series=False),
        "fit_s": round(fit_s, 1),
        "wall_s": round(time.perf_counter() - started, 1),
        "tokens": report.tokens,
        "best_step": report.best_step,
        "n_steps": report.n_steps,
        "looks": [asdict(look) for look in report.looks],
        "writing": {
            **asdict(told.counts),
            "verified_at_once": told.counts.at_once,
            "cut": told.counts.unreadable - told.counts.unresolved,
        },
        "claims": int(np.sum([len(item.explanation.verdict.claims) for item in told.forecast.items])),
        "examples": [_example(item) for item in told.forecast.items[:3]],
    }


def data_before(data: Dataset, window: Window) -> Dataset:
    """The dataset as it stood at the window's start: what is later cannot be read at all."""
    return replace(data, interactions=data.before(window.start))


def _example(item: ExplainedItem) -> dict[str, object]:
    return {"text": item.explanation.text, "writer": item.explanation.writer, "expected": item.point.expected}


def kept_or_fitted(data: Dataset, *, window: Window, variant: str, seed: int, work: Path) -> dict[str, Any]:
    name = f"{data.name}_{variant.replace(' ', '-')}_{seed}_{window.start:%Y%m%d}.json"
    path = work / name
    if not path.is_file():
        print(f"{name} ...", file=sys.stderr, flush=True)
        found = fitted(data, window=window, variant=variant, seed=seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as partial:
            partial.write_text(json.dumps(found), encoding="utf-8")
        print(f"{name} {found['wall_s']} s", file=sys.stderr, flush=True)
    return json.loads(path.read_text(encoding="utf-8"))


def judged(
    data: Dataset, *, windows: list[Window], runs: Mapping[str, Mapping[Window, dict[str, Any]]]
) -> pl.DataFrame:
    """Rows of every list, of rivals, oracles and chance."""
    kept: dict[str, Ranker] = {label: _as_ranker(by_window) for label, by_window in runs.items()}
    methods = [method_named(name) for name in RIVALS]
    rivals = {method.label: ranker_of(method, window=str(LENGTH)) for method in methods}
    writers = dict.fromkeys(kept, "scratch")
    return evaluate_rolling(data, windows=windows, rankers={**kept, **rivals}, writers=writers).rows


def _as_ranker(by_window: Mapping[Window, dict[str, Any]]) -> Ranker:
    lists = {window.start: run["list"] for window, run in by_window.items()}

    def rank(_: Dataset, at: datetime) -> pl.DataFrame:
        return pl.DataFrame(lists[at], schema=FORECAST_SCHEMA)

    return rank


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--dataset", choices=["movietweetings", "amazon2014_beauty"], required=True)
    parser.add_argument("--variants", nargs="+", default=["full"], choices=list(VARIANTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--windows", type=int, default=3)
    parser.add_argument("--only-last", action="store_true", help="fit for the last window alone")
    parser.add_argument("--work", type=Path, required=True, help="where finished fits are kept")
    parser.add_argument("--out", type=Path, help="folder for the results file, made of everything in --work")
    parser.add_argument("--assemble", action="store_true", help="fit nothing, only write the results")
    options = parser.parse_args()
    started = time.perf_counter()
    data = DATASETS[options.dataset](options.data)
    windows = last_windows(data, length=LENGTH, n=options.windows)
    if not options.assemble:
        for seed in options.seeds:
            for variant in options.variants:
                for window in windows[-1:] if options.only_last else windows:
                    kept_or_fitted(data, window=window, variant=variant, seed=seed, work=options.work)
    if options.out:
        write(data, windows=windows, work=options.work, out=options.out, started=started)


def write(data: Dataset, *, windows: list[Window], work: Path, out: Path, started: float) -> None:
    """One row per method, metric and protocol: kinds of items and further variants on the last window, then all."""
    runs = _complete(data, windows=windows, work=work)
    others = {
        label: kept for label, kept in _complete(data, windows=windows[-1:], work=work).items() if label not in runs
    }
    rows = by_class(data, window=windows[-1], runs={label: kept[windows[-1]] for label, kept in runs.items()})
    rows += _named(ablations(data, window=windows[-1], runs=others), labels=others)
    rows += _named(judged(data, windows=windows, runs=runs), labels=runs)
    rows += _mean_overlap(rows[-1]["protocol"], [row for row in rows if row["metric"] == "Jaccard@10"])
    method = method_named("trail_scratch")
    config = {
        "dataset": data.describe(),
        "windows": [window.label for window in windows],
        "settings": method.settings({"window": str(LENGTH)}).model_dump(mode="json"),
        "variants": {label: VARIANTS[label.partition("#")[0]] for label in (*runs, *others)},
        "explained_per_window": EXPLAINED,
        "runs": {label: [_detail(run) for run in kept.values()] for label, kept in (runs | others).items()},
    }
    write_results(
        out / f"trail_scratch_{data.name}.json", config=config, wall_time_s=time.perf_counter() - started, rows=rows
    )


def ablations(data: Dataset, *, window: Window, runs: Mapping[str, Mapping[Window, dict[str, Any]]]) -> pl.DataFrame:
    """Rows of variants that were fitted for one window alone."""
    kept: dict[str, Ranker] = {label: _as_ranker(by_window) for label, by_window in runs.items()}
    rows = evaluate_rolling(data, windows=[window], rankers=kept, writers=dict.fromkeys(kept, "scratch")).rows
    return rows.filter((pl.col("protocol") == window.label) & pl.col("method").is_in(list(kept)))


def by_class(data: Dataset, *, window: Window, runs: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows by kinds of items: cold and warm, rising, falling, fluctuating."""
    past = data_before(data, window)
    rows = []
    for label, run in runs.items():
        variant, _, seed = label.partition("#")
        ranking, name = pl.DataFrame(run["list"], schema=FORECAST_SCHEMA), f"trail_scratch, {variant}"
        judged_list = evaluate_by_class(
            ranking, data=data, window=window, length=LENGTH, method=name, seed=int(seed), writer="scratch"
        )
        rows += judged_list.to_dicts()
    for method in map(method_named, BY_CLASS):
        ranking = ranker_of(method, window=str(LENGTH))(past, window.start)
        rows += evaluate_by_class(ranking, data=data, window=window, length=LENGTH, method=method.label).to_dicts()
    return [row for row in rows if row["value"] is not None]


def _named(rows: pl.DataFrame, *, labels: Mapping[str, object]) -> list[dict[str, Any]]:
    """Rows with variant and seed apart, of the metrics that tables tell."""
    found = []
    for row in rows.to_dicts():
        variant, _, seed = row["method"].partition("#")
        named = {"method": f"trail_scratch, {variant}", "seed": int(seed)} if row["method"] in labels else {}
        if row["metric"] in METRICS:
            found.append({**row, **named})
    return found


def _mean_overlap(protocol: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Jaccard@10 is one number per list: its mean over the windows, without an interval."""
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["method"], row["seed"]), []).append(row)
    most = max(len(parts) for parts in found.values())
    return [
        {**parts[0], "protocol": protocol, "value": float(np.mean([part["value"] for part in parts])), "n": len(parts)}
        for parts in found.values()
        if len(parts) == most
    ]


def _complete(data: Dataset, *, windows: list[Window], work: Path) -> dict[str, dict[Window, dict[str, Any]]]:
    found: dict[str, dict[Window, dict[str, Any]]] = {}
    for variant in VARIANTS:
        for seed in range(10):
            paths = {w: work / f"{data.name}_{variant.replace(' ', '-')}_{seed}_{w.start:%Y%m%d}.json" for w in windows}
            if all(path.is_file() for path in paths.values()):
                kept = {w: json.loads(path.read_text(encoding="utf-8")) for w, path in paths.items()}
                found[f"{variant}#{seed}"] = kept
    return found


def _detail(run: dict[str, Any]) -> dict[str, object]:
    first, last = run["looks"][0], run["looks"][-1]
    terms = ("supervised", "contrastive", "explanation", "validation")
    return {
        "first_look": {name: round(first[name], 4) for name in terms},
        "last_look": {name: round(last[name], 4) for name in terms},
        **{name: run[name] for name in ("fit_s", "wall_s", "tokens", "best_step", "n_steps", "writing", "claims")},
    }


if __name__ == "__main__":
    main()
