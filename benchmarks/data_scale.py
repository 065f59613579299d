"""How long a large log takes to import, filter, count and split, and how much memory; beside the same work in pandas.

    python benchmarks/data_scale.py --out results/data_scale.json          50 million rows, about 2 GB of scratch disk
    python benchmarks/data_scale.py --rows 1000000 --pandas-rows 1000000   a quick look

The log is synthetic (Zipf items, users in sessions, seeded), written as CSV in the order of sessions, not of time. Each
stage runs in a process of its own, which reports its wall time and its peak resident memory. On the smaller size, both
systems must come to the same results.
"""

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from whyrec.data.dataset import Dataset
from whyrec.data.filters import k_core
from whyrec.data.importing import import_dataset
from whyrec.data.parquet_files import write_lazy
from whyrec.data.split import split_by_time
from whyrec.data.windows import WindowLength, users_per_item_and_window
from whyrec.runtime.manifest import write_results

STAGES = ("import", "5-core", "count", "split")
SEED = 20_240_229
FIRST = 1_500_000_000
SPAN_S = 730 * 86_400
CUTOFF = datetime.fromtimestamp(FIRST + int(0.8 * SPAN_S), UTC)
CHUNK_ROWS = 2_000_000
N_ITEMS = 200_000
ROWS_PER_USER = 20

Result = dict[str, Any]


def generate(path: Path, n_rows: int) -> None:
    """Write ``user_id,item_id,rating,timestamp`` (seconds) by chunks of sessions; one row in 200 is repeated."""
    rng = np.random.default_rng(SEED)
    popularity = np.cumsum(1.0 / (np.arange(N_ITEMS) + 20.0))
    activity = np.cumsum(rng.lognormal(sigma=1.0, size=max(n_rows // ROWS_PER_USER, 1)))
    with path.open("wb") as file:
        for first in range(0, n_rows, CHUNK_ROWS):
            chunk = _sessions(rng, min(CHUNK_ROWS, n_rows - first), popularity=popularity, activity=activity)
            chunk.write_csv(file, include_header=first == 0)


def _sessions(
    rng: np.random.Generator, n_rows: int, *, popularity: np.ndarray[Any, Any], activity: np.ndarray[Any, Any]
) -> pl.DataFrame:
    lengths = rng.geometric(0.2, size=n_rows)
    lengths = lengths[: int(np.searchsorted(np.cumsum(lengths), n_rows)) + 1]
    session = np.repeat(np.arange(lengths.size), lengths)[:n_rows]
    users = np.searchsorted(activity, rng.random(lengths.size) * activity[-1])[session]
    starts = rng.integers(FIRST, FIRST + SPAN_S - 3600, size=lengths.size)[session]
    within = np.arange(n_rows) - np.concatenate([[0], np.cumsum(lengths)[:-1]])[session]
    items = np.searchsorted(popularity, rng.random(n_rows) * popularity[-1])
    frame = pl.DataFrame(
        {"user": users, "item": items, "rating": rng.integers(1, 6, size=n_rows), "timestamp": starts + 45 * within}
    ).with_columns(
        pl.all().gather(np.where(rng.random(n_rows) < 0.005, np.maximum(np.arange(n_rows) - 1, 0), range(n_rows)))
    )
    return frame.select(
        pl.format("u{}", "user").alias("user_id"), pl.format("i{}", "item").alias("item_id"), "rating", "timestamp"
    )


def whyrec_import(work: Path, source: Path) -> Result:
    """Read, check every row, drop duplicates, put in time order, count, hash, write."""
    counts = import_dataset(source, work / "data").dataset.counts
    return {key: counts[key] for key in ("n_interactions", "n_users", "n_items")}


def whyrec_core(work: Path, source: Path) -> Result:
    """Filter to the 5-core and write its log."""
    outcome = k_core(Dataset.read(work / "data"), min_user_events=5, min_item_events=5)
    write_lazy(outcome.dataset.interactions, work / "core.parquet")
    return {"n_interactions": outcome.n_interactions}


def whyrec_count(work: Path, source: Path) -> Result:
    """Count the distinct users of each item in each full window of 30 days."""
    data = Dataset.read(work / "data")
    windows = WindowLength(30).full_windows(*data.time_range)
    counts = users_per_item_and_window(pl.scan_parquet(work / "core.parquet"), windows)
    return {"n_windows": len(windows), "counts": _digest(counts.rows())}


def whyrec_split(work: Path, source: Path) -> Result:
    """Cut at one moment and write both sides."""
    data = Dataset.read(work / "data")
    core = Dataset(data.name, pl.scan_parquet(work / "core.parquet"), data.items)
    split = split_by_time(core, CUTOFF)
    write_lazy(split.train.interactions, work / "train.parquet")
    write_lazy(split.test, work / "test.parquet")
    return {
        side: int(pl.scan_parquet(work / f"{side}.parquet").select(pl.len()).collect().item())
        for side in ("train", "test")
    }


def pandas_import(work: Path, source: Path) -> Result:
    """As ``whyrec_import``, in memory."""
    import pandas as pd

    log = pd.read_csv(source, dtype={"user_id": "str", "item_id": "str", "rating": "float64", "timestamp": "int64"})
    assert not log[["user_id", "item_id", "timestamp"]].isna().any().any()
    assert log["rating"].ge(0).all()
    assert log["timestamp"].between(0, 4_102_444_799).all()
    log["timestamp"] = pd.to_datetime(log["timestamp"], unit="s", utc=True)
    log = log.drop_duplicates(["user_id", "item_id", "timestamp"], keep="first")
    log = log.sort_values(["timestamp", "user_id", "item_id"], kind="stable")
    log.to_parquet(work / "log.parquet", index=False)
    return {"n_interactions": len(log), "n_users": log["user_id"].nunique(), "n_items": log["item_id"].nunique()}


def pandas_core(work: Path, source: Path) -> Result:
    """As ``whyrec_core``, in memory."""
    import pandas as pd

    log = pd.read_parquet(work / "log.parquet")
    while True:
        enough = log.groupby("user_id")["item_id"].transform("size").ge(5)
        enough &= log.groupby("item_id")["user_id"].transform("size").ge(5)
        if enough.all():
            break
        log = log[enough]
    log.to_parquet(work / "core.parquet", index=False)
    return {"n_interactions": len(log)}


def pandas_count(work: Path, source: Path) -> Result:
    """As ``whyrec_count``, in memory."""
    import pandas as pd

    times = pd.read_parquet(work / "log.parquet", columns=["timestamp"])["timestamp"]
    first, last = times.min(), times.max()
    core = pd.read_parquet(work / "core.parquet", columns=["user_id", "item_id", "timestamp"])
    n_windows = (last - first) // pd.Timedelta(days=30)
    window = (core["timestamp"] - first) // pd.Timedelta(days=30)
    core = core.assign(window=window)[window < n_windows]
    counts = core.groupby(["item_id", "window"])["user_id"].nunique().reset_index().sort_values(["item_id", "window"])
    return {"n_windows": int(n_windows), "counts": _digest(list(counts.itertuples(index=False, name=None)))}


def pandas_split(work: Path, source: Path) -> Result:
    """As ``whyrec_split``, in memory."""
    import pandas as pd

    core = pd.read_parquet(work / "core.parquet")
    is_train = core["timestamp"] < CUTOFF
    core[is_train].to_parquet(work / "train.parquet", index=False)
    core[~is_train].to_parquet(work / "test.parquet", index=False)
    return {"train": int(is_train.sum()), "test": int((~is_train).sum())}


SYSTEMS: dict[str, dict[str, Callable[[Path, Path], Result]]] = {
    "whyrec": dict(zip(STAGES, (whyrec_import, whyrec_core, whyrec_count, whyrec_split), strict=True)),
    "pandas": dict(zip(STAGES, (pandas_import, pandas_core, pandas_count, pandas_split), strict=True)),
}


def _digest(rows: list[tuple[Any, ...]]) -> str:
    digest = hashlib.sha256()
    for item_id, window, users in rows:
        digest.update(f"{item_id},{window},{users}\n".encode())
    return digest.hexdigest()


def run_stage(system: str, stage: str, *, work: Path, source: Path) -> Result:
    """Run one stage in a process of its own; its last line of output is the report."""
    command = [sys.executable, __file__, "--child", system, stage, str(work), str(source)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    report: Result = json.loads(output.splitlines()[-1])
    print(f"{system:8} {stage:8} {report['wall_time_s']:8.1f} s {report['peak_rss_mb']:8.0f} MB", file=sys.stderr)
    return report


def _child(system: str, stage: str, *, work: str, source: str) -> None:
    started = time.perf_counter()
    result = SYSTEMS[system][stage](Path(work), Path(source))
    report = {
        "wall_time_s": time.perf_counter() - started,
        "peak_rss_mb": _peak_rss_mb(),
        "result": result,
    }
    print(json.dumps(report))


def _peak_rss_mb() -> float:
    """Peak resident memory of this process.

    On Linux from /proc, because getrusage there starts from what the parent held when it forked.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    in_bytes = sys.platform == "darwin"
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if in_bytes else 1024)


def measure(n_rows: int, systems: list[str], scratch: Path) -> Iterator[Result]:
    """Run every stage for every system on a log of ``n_rows`` rows.

    Yields:
        Rows ``benchmark, case, system, metric, value, unit``.
    """
    source = scratch / "log.csv"
    generate(source, n_rows)
    print(f"{n_rows:,} rows, {source.stat().st_size / 1e6:,.0f} MB of CSV", file=sys.stderr)
    results: dict[str, dict[str, Any]] = {}
    for system in systems:
        work = scratch / system
        work.mkdir()
        for stage in STAGES:
            report = run_stage(system, stage, work=work, source=source)
            results.setdefault(stage, {})[system] = report["result"]
            for metric, unit in (("wall_time_s", "s"), ("peak_rss_mb", "MB")):
                yield {
                    "benchmark": "data_scale",
                    "case": f"{stage} of {n_rows} rows",
                    "system": system,
                    "metric": metric,
                    "value": round(report[metric], 2),
                    "unit": unit,
                }
    for stage, by_system in results.items():
        first, *others = by_system.values()
        assert all(other == first for other in others), f"{stage}: the systems disagree: {by_system}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000_000, help="rows of the large log, for whyrec alone")
    parser.add_argument("--pandas-rows", type=int, default=5_000_000, help="rows of the log that both systems take")
    parser.add_argument("--scratch", type=Path, default=None, help="where to put temporary files")
    parser.add_argument("--json", action="store_true", help="print one JSON object per row on stdout")
    parser.add_argument("--out", type=Path, default=None, help="results file to write")
    arguments = parser.parse_args()
    started = time.perf_counter()
    rows: list[Result] = []
    for n_rows, systems in ((arguments.pandas_rows, ["whyrec", "pandas"]), (arguments.rows, ["whyrec"])):
        if n_rows:
            with tempfile.TemporaryDirectory(dir=arguments.scratch) as scratch:
                for row in measure(n_rows, systems, Path(scratch)):
                    rows.append(row)
                    if arguments.json:
                        print(json.dumps(row), flush=True)
    if arguments.out is not None:
        config = {"rows": arguments.rows, "pandas_rows": arguments.pandas_rows, "seed": SEED, "source": "csv"}
        wall_time_s = time.perf_counter() - started
        libraries = ("whyrec", "polars", "pandas")
        write_results(arguments.out, config=config, wall_time_s=wall_time_s, rows=rows, libraries=libraries)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _child(sys.argv[2], sys.argv[3], work=sys.argv[4], source=sys.argv[5])
    else:
        main()
