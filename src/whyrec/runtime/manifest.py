"""The record of a measured run: what ran where, with which settings, how long it took and what came out."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

from whyrec.runtime.atomic import atomic_file

LIBRARIES = ("whyrec", "numpy", "polars", "torch", "scikit-learn", "lightgbm", "numba")


def environment(libraries: Sequence[str] = LIBRARIES) -> dict[str, str | int]:
    """Python, library versions, machine type, cores and the commit of the source, where it is a git checkout."""
    return {
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in libraries},
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "commit": _commit(),
    }


def write_results(
    path: Path,
    *,
    config: Mapping[str, object],
    wall_time_s: float,
    rows: Sequence[Mapping[str, object]],
    libraries: Sequence[str] = LIBRARIES,
) -> None:
    """Write a results file: ``environment, config, wall_time_s, rows``, one row per line so that diffs read well.

    Raises:
        OutputWriteError: If it cannot be written; an earlier file stays as it was.
    """
    head = {"environment": environment(libraries), "config": dict(config), "wall_time_s": round(wall_time_s, 1)}
    lines = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in rows)
    text = json.dumps(head, indent=1, ensure_ascii=False)[:-2] + f',\n "rows": [\n{lines}\n ]\n}}\n'
    with atomic_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


@cache
def _commit() -> str:
    """The commit when first asked, marked where anything but results has changed since: those are what runs write."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    if not commit:
        return "unknown"
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":(top)", ":(top,exclude)results")
    return f"{commit}-dirty" if changed else commit


def _git(*words: str) -> str:
    """What git says of the repository that this file stands in; empty where there is none, or no git."""
    source = Path(__file__).resolve().parent
    try:
        return subprocess.run(["git", *words], cwd=source, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""
