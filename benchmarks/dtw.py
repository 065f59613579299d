"""The ten nearest of 20,000 series by dynamic time warping: ours beside dtaidistance's C and a plain compiled loop.

    python -m venv dtaidistance && dtaidistance/bin/pip install dtaidistance==2.5.1 numpy
    python benchmarks/dtw.py --dtaidistance dtaidistance/bin/python --out results

Counts of users in 1 to 60 windows, seeded; and their shapes, standardised logarithms on a grid. All systems get the
same whole numbers and must return the same neighbours. Each is timed on the same --anchors of the series against all of
them, in turn, --repeats times, and medians are reported; ours also finds the neighbours of all series once. Compiling,
starting and reading files are not timed. CPU time is that of all threads of the process.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

N_NEAREST = 10
CASES = ("counts", "shapes")
RIVALS = ("dtaidistance, one thread", "dtaidistance, parallel")
# This file also runs in a Python that has dtaidistance and no whyrec: libraries are imported where they are used.


def drawn_counts(n: int, *, seed: int) -> list[np.ndarray]:
    """Users per window: heavy-tailed levels, a decline of some speed after release, and a random walk."""
    rng = np.random.default_rng(seed)
    series = []
    for _ in range(n):
        length = int(rng.integers(1, 61))
        walk = np.cumsum(rng.normal(0, 0.3, length))
        decline = rng.uniform(0, 0.1) * np.arange(length)
        series.append(rng.poisson(np.exp(rng.normal(2.5, 1.2) + walk - walk.max() / 2 - decline)))
    return series


def shape(counts: np.ndarray) -> np.ndarray:
    """Standardised logarithms, in steps of 1/8192."""
    logs = np.log1p(counts)
    return (
        np.zeros(len(logs), int) if np.ptp(logs) == 0 else np.rint((logs - logs.mean()) / logs.std() * 8192).astype(int)
    )


def timed(search: Callable[[], tuple[np.ndarray, np.ndarray]]) -> dict[str, object]:
    """Seconds by wall and by process, and what was found."""
    wall, process = time.perf_counter(), time.process_time()
    index, distance = search()
    return {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - process,
        "index": np.asarray(index).tolist(),
        "distance": np.asarray(distance, dtype=np.int64).tolist(),
    }


def best_of(distances: np.ndarray, anchors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ten nearest of full rows of distances, ties in the order of series."""
    distances[np.arange(len(anchors)), anchors] = np.inf
    index = np.stack([np.lexsort((np.arange(len(row)), row))[:N_NEAREST] for row in distances])
    return index, np.take_along_axis(distances, index, axis=1)


def with_dtaidistance(series: list[np.ndarray], anchors: np.ndarray, *, is_parallel: bool) -> dict[str, object]:
    """Brute force in C; the local cost is the absolute difference."""
    from dtaidistance import dtw

    points = [one.astype(np.double) for one in series]
    asked = [points[anchor] for anchor in anchors]
    block = ((0, len(asked)), (len(asked), len(asked) + len(points)))

    def search() -> tuple[np.ndarray, np.ndarray]:
        found = dtw.distance_matrix_fast(
            asked + points, block=block, compact=True, parallel=is_parallel, inner_dist="euclidean"
        )
        return best_of(np.array(found).reshape(len(asked), len(points)), anchors)

    return timed(search)


def with_plain_loop(series: list[np.ndarray], anchors: np.ndarray) -> dict[str, object]:
    """Brute force as one would write it with numba: two rows of the matrix, one pair after the other."""
    import numba

    @numba.njit
    def all_distances(values: np.ndarray, offsets: np.ndarray, rows: np.ndarray) -> np.ndarray:
        found = np.empty((len(rows), len(offsets) - 1))
        for place in range(len(rows)):
            one = values[offsets[rows[place]] : offsets[rows[place] + 1]]
            for row in range(len(offsets) - 1):
                other = values[offsets[row] : offsets[row + 1]]
                above = np.full(len(other) + 1, np.inf)
                above[0] = 0.0
                here = np.empty(len(other) + 1)
                for i in range(len(one)):
                    here[0] = np.inf
                    for j in range(len(other)):
                        here[j + 1] = abs(one[i] - other[j]) + min(above[j], above[j + 1], here[j])
                    above, here = here, above
                found[place, row] = above[len(other)]
        return found

    values = np.concatenate(series).astype(np.float64)
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in series])])
    all_distances(values, offsets[:3], anchors[:1] * 0)
    return timed(lambda: best_of(all_distances(values, offsets, anchors), anchors))


def with_ours(series: list[np.ndarray], anchors: np.ndarray, *, threads: int) -> dict[str, object]:
    """The kernel with bounds and early abandoning."""
    from whyrec.methods.trail import dtw

    table = dtw.SeriesTable.of(series)
    dtw.nearest(table, n=N_NEAREST, rows=anchors[:1], threads=1)
    return timed(lambda: dtw.nearest(table, n=N_NEAREST, rows=anchors, threads=threads))


def unpruned(series: list[np.ndarray], anchors: np.ndarray) -> dict[str, object]:
    """The kernel alone, on all pairs."""
    from whyrec.methods.trail import dtw

    order = np.argsort([len(one) for one in series], kind="stable")
    table, place = dtw.SeriesTable.of([series[row] for row in order]), np.argsort(order)
    everything, no_limit = np.arange(len(series)), np.full(len(series), dtw.FAR)

    def search() -> tuple[np.ndarray, np.ndarray]:
        rows = [dtw.distances(table, place[anchor], everything, limits=no_limit) for anchor in anchors]
        return best_of(np.stack(rows)[:, place].astype(np.float64), anchors)

    return timed(search)


def run_rival(python: str, folder: Path, case: str, *, system: str) -> dict[str, object]:
    """Measure dtaidistance in its own Python."""
    command = [python, __file__, "--rival", system, str(folder / f"{case}.npz")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def answer_as_rival(system: str, file: Path) -> None:
    """Run in the Python that has dtaidistance."""
    data = np.load(file)
    series = np.split(data["values"], data["offsets"][1:-1])
    print(json.dumps(with_dtaidistance(series, data["anchors"], is_parallel=system == RIVALS[1])))


def row(case: str, system: str, metric: str, value: float, unit: str) -> dict[str, object]:
    return {"benchmark": "dtw", "case": case, "system": system, "metric": metric, "value": value, "unit": unit}


def rows_of(case: str, runs: dict[str, list[dict[str, float]]], n_anchors: int) -> list[dict[str, object]]:
    """Medians per system, and ratios."""
    rows, seconds = [], {}
    for system, found in runs.items():
        for clock, name in (("wall_s", "wall time"), ("cpu_s", "CPU time")):
            seconds[system, clock] = median(run[clock] for run in found)
            rows.append(
                row(case, system, f"{name} per anchor", round(seconds[system, clock] / n_anchors * 1e3, 3), "ms")
            )
    pairs = [("whyrec, one thread", "plain loop"), ("whyrec, one thread", "whyrec, no bounds")]
    pairs += [("whyrec, one thread", RIVALS[0]), ("whyrec, no bounds", RIVALS[0]), ("whyrec, all threads", RIVALS[1])]
    for one, other in pairs:
        if other in runs:
            for clock, name in (("wall_s", "wall"), ("cpu_s", "CPU")):
                ratio = seconds[other, clock] / seconds[one, clock]
                rows.append(row(case, one, f"times as fast as {other} ({name})", round(ratio, 1), "x"))
    return rows


def measure(
    case: str, series: list[np.ndarray], anchors: np.ndarray, options: argparse.Namespace
) -> list[dict[str, object]]:
    """All systems in turn on one case; stops where they disagree."""
    n_cores = len(os.sched_getaffinity(0))
    runs: dict[str, list[dict[str, object]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        offsets = np.concatenate([[0], np.cumsum([len(one) for one in series])])
        np.savez(folder / f"{case}.npz", values=np.concatenate(series), offsets=offsets, anchors=anchors)
        systems: dict[str, Callable[[], dict[str, object]]] = {
            "whyrec, one thread": lambda: with_ours(series, anchors, threads=1),
            "whyrec, all threads": lambda: with_ours(series, anchors, threads=n_cores),
            "whyrec, no bounds": lambda: unpruned(series, anchors),
            "plain loop": lambda: with_plain_loop(series, anchors),
        }
        if options.dtaidistance:
            for rival in RIVALS:
                systems[rival] = lambda rival=rival: run_rival(options.dtaidistance, folder, case, system=rival)
        for _ in range(options.repeats):
            for system, run in systems.items():
                runs.setdefault(system, []).append(run())
                print(case, system, {key: runs[system][-1][key] for key in ("wall_s", "cpu_s")}, file=sys.stderr)
    expected = runs["plain loop"][0]
    for system, found in runs.items():
        for one in found:
            if (one["index"], one["distance"]) != (expected["index"], expected["distance"]):
                sys.exit(f"{case}: {system} found other neighbours than the plain loop")
    rows = rows_of(case, runs, len(anchors))  # type: ignore[arg-type]
    whole = with_ours(series, np.arange(len(series)), threads=n_cores)
    for clock, name in (("wall_s", "wall time"), ("cpu_s", "CPU time")):
        rows.append(row(case, "whyrec, all threads", f"{name}, all series", round(whole[clock], 1), "s"))  # type: ignore[call-overload]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dtaidistance", help="a Python that has dtaidistance; without it, ours and the loop alone")
    parser.add_argument("--series", type=int, default=20_000)
    parser.add_argument("--anchors", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rival", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rival:
        answer_as_rival(options.rival[0], Path(options.rival[1]))
        return
    started = time.perf_counter()
    counts = drawn_counts(options.series, seed=options.seed)
    anchors = np.linspace(0, options.series - 1, options.anchors).astype(np.int64)
    rows = []
    for case in CASES:
        rows += measure(case, counts if case == "counts" else [shape(one) for one in counts], anchors, options)
    for found in rows:
        print(json.dumps(found))
    if options.out:
        from whyrec.runtime.manifest import write_results

        config = {key: getattr(options, key) for key in ("series", "anchors", "repeats", "seed")}
        config["dtaidistance"] = "2.5.1" if options.dtaidistance else None
        write_results(options.out / "dtw.json", config=config, wall_time_s=time.perf_counter() - started, rows=rows)


if __name__ == "__main__":
    main()
