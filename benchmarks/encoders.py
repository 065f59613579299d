"""SASRec beside RecTools on MovieLens-1M: one training epoch and top-10 lists for all users, one process per library.

    python -m venv rectools && rectools/bin/pip install torch 'rectools[torch]==0.19.0'
    python benchmarks/encoders.py --data ../shared/data --rectools rectools/bin/python --out results

Both train the same shape (d=64, 2 blocks, 1 head, length 200, batch 128, full softmax) on the same interactions: all
but each user's last. Systems run one after the other, --repeats times in turn, and medians are reported. Machines
differ and change; the ratios of one run are what to compare.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import polars as pl

from leave_one_out import END, load
from whyrec.runtime.manifest import write_results

HERE = Path(__file__).resolve().parent


def ours(data: Path, epochs: int) -> dict[str, object]:
    """Measure whyrec; runs in a process of its own."""
    from whyrec.baselines.sequential import SasRecRecommender, SasRecRecommenderConfig
    from whyrec.encoders.train import TrainingConfig

    protocol = load("ml1m", data)
    training = TrainingConfig(epochs=epochs, patience=epochs)
    config = SasRecRecommenderConfig(training=training, validation_users=0)
    recommender = SasRecRecommender(config).fit(protocol.train, until=END)
    assert recommender.report_ is not None
    users = protocol.test["user_id"].to_list()
    started = time.perf_counter()
    lists = recommender.recommend(protocol.train, user_ids=users, k=10)
    return {
        "epoch_s": [epoch.seconds for epoch in recommender.report_.epochs],
        "recommend_s": time.perf_counter() - started,
        "n_users": len(users),
        "n_rows": lists.height,
    }


def measured(command: list[str]) -> dict[str, object]:
    """Run one side and read the JSON on its last line."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def rows_of(runs: dict[str, list[dict[str, object]]]) -> list[dict[str, object]]:
    """Medians per system and their ratios."""
    rows: list[dict[str, object]] = []
    medians: dict[str, dict[str, float]] = {}
    for system, found in runs.items():
        epochs = [seconds for run in found for seconds in run["epoch_s"]]  # type: ignore[attr-defined]
        medians[system] = {"epoch": median(epochs), "recommend": median(run["recommend_s"] for run in found)}  # type: ignore[type-var]
        for case, value in medians[system].items():
            rows.append(row(case, system, "time", round(value, 3), "s"))
    if "rectools" in medians:
        for case in ("epoch", "recommend"):
            ratio = medians["rectools"][case] / medians["whyrec"][case]
            rows.append(row(case, "whyrec", "times as fast as RecTools", round(ratio, 2), "x"))
    return rows


def row(case: str, system: str, metric: str, value: float, unit: str) -> dict[str, object]:
    return {
        "benchmark": "encoders",
        "case": {"epoch": "one epoch", "recommend": "top-10 of 6,040 users"}[case],
        "system": system,
        "metric": metric,
        "value": value,
        "unit": unit,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rectools", help="a Python that has RecTools; without it, ours is measured alone")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--ours", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ours:
        print(json.dumps(ours(options.data, options.epochs)))
        return
    started = time.perf_counter()
    runs: dict[str, list[dict[str, object]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "ml1m.csv"
        events = load("ml1m", options.data).train.interactions.collect()
        events.with_columns(pl.col("timestamp").dt.epoch("us")).write_csv(log)
        commands = {
            "whyrec": [sys.executable, __file__, "--ours", "--data", str(options.data), "--epochs", str(options.epochs)]
        }
        if options.rectools:
            commands["rectools"] = [
                options.rectools,
                str(HERE / "encoders_rectools.py"),
                str(log),
                "--epochs",
                str(options.epochs),
            ]
        for _ in range(options.repeats):
            for system, command in commands.items():
                runs.setdefault(system, []).append(measured(command))
                print(system, runs[system][-1], file=sys.stderr)
    rows = rows_of(runs)
    for found in rows:
        print(json.dumps(found))
    if options.out:
        config = {
            "epochs": options.epochs,
            "repeats": options.repeats,
            "rectools": "0.19.0" if options.rectools else None,
        }
        write_results(
            options.out / "encoders.json", config=config, wall_time_s=time.perf_counter() - started, rows=rows
        )


if __name__ == "__main__":
    main()
