"""List everything that is wrong with a file or a dataset directory, instead of stopping at the first problem."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.import_config import ImportConfig
from whyrec.data.importing import checked_batches, log_validator, open_sources
from whyrec.data.validate import rejection_message
from whyrec.errors import InvalidDataError

_BATCH_ROWS = 1 << 19
_ORDER = (schema.TIMESTAMP, schema.USER, schema.ITEM)


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of problem in one file, with how often it occurs and its first case in words."""

    file: str
    kind: str
    n: int
    example: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The outcome of a check."""

    n_rows: int
    """Rows of the log that were looked at."""
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    """What was assumed about the columns."""


def check_file(
    log: Path, *, items: Path | None = None, users: Path | None = None, config: ImportConfig | None = None
) -> CheckReport:
    """Check what an import of these files would refuse; nothing is written.

    Args:
        log: Interactions as delimited text, JSON Lines or Parquet.
        items: The catalogue, if any.
        users: The users' attributes, if any.
        config: As for ``import_dataset``; ``on_bad_rows`` is ignored.

    Raises:
        InvalidDataError: If a file cannot be read at all.
    """
    config = (config or ImportConfig()).model_copy(update={"on_bad_rows": "quarantine"})
    sources = open_sources(log, items=items, users=users, config=config)
    found: dict[tuple[str, str], Problem] = {}
    for catalogue in (sources.items, sources.users):
        if catalogue is not None:
            _collect(found, catalogue.rejected, file=catalogue.file, config=config)
    n_rows = 0
    for checked in checked_batches(sources, log_validator(sources, config=config)):
        n_rows += checked.good.height + checked.rejected.height
        _collect(found, checked.rejected, file=sources.log.name, config=config)
    if n_rows == 0:
        found[log.name, "empty"] = Problem(log.name, "empty", 1, f"{log.name}: expected rows, got a header alone.")
    return CheckReport(n_rows, tuple(found.values()), sources.notes)


def check_directory(directory: Path) -> CheckReport:
    """Check that a dataset directory keeps its promises: order, ids, values, counts, fingerprint.

    Raises:
        InvalidDataError: If it cannot be opened as a dataset.
    """
    try:
        data = Dataset.read(directory)
        problems = [*_log_problems(data), *_catalogue_problems(data), *_manifest_problems(data, directory)]
        n_rows = data.counts["n_interactions"]
    except pl.exceptions.PolarsError as error:
        raise InvalidDataError(
            f"{directory}: expected complete Parquet files, got one that does not parse "
            f"({str(error).splitlines()[0]}). Import the data again."
        ) from error
    return CheckReport(n_rows, tuple(problems), ())


def _collect(found: dict[tuple[str, str], Problem], rejected: pl.DataFrame, *, file: str, config: ImportConfig) -> None:
    for (reason,), rows in rejected.group_by("reason", maintain_order=True):
        key = file, str(reason)
        example = rejection_message(file, rows.sort("row").row(0, named=True), unit=config.timestamp_unit)
        known = found.get(key, Problem(file, str(reason), 0, example))
        found[key] = Problem(file, known.kind, known.n + rows.height, known.example)


def _log_problems(data: Dataset) -> Iterator[Problem]:
    file = "interactions.parquet"
    columns = data.interactions.collect_schema().names()
    checks = {f"null_{name}": pl.col(name).is_null() for name in _ORDER}
    checks["unknown_item"] = ~pl.col(schema.ITEM).is_in(data.items[schema.ITEM].implode())
    if schema.RATING in columns:
        rating = pl.col(schema.RATING)
        checks["bad_rating"] = rating.is_nan() | rating.is_infinite() | (rating < 0)
    counts = (
        data.interactions.select(check.sum().alias(kind) for kind, check in checks.items())
        .collect(engine="streaming")
        .row(0, named=True)
    )
    for kind, n in counts.items():
        if n:
            first = data.interactions.filter(checks[kind]).head(1).collect().row(0, named=True)
            yield Problem(file, kind, n, f"{file}: {_shown(first)}")
    n_unordered, n_repeated = _order_breaks(data.interactions)
    if n_unordered:
        yield Problem(file, "out_of_order", n_unordered, f"{file}: rows must ascend by {', '.join(_ORDER)}")
    if n_repeated:
        yield Problem(file, "duplicate_event", n_repeated, f"{file}: rows share user, item and time")


def _order_breaks(log: pl.LazyFrame) -> tuple[int, int]:
    """Count the neighbours that stand in the wrong order, and those that are the same event."""
    n_unordered = n_repeated = 0
    previous: pl.DataFrame | None = None
    for batch in log.select(*_ORDER).collect_batches(chunk_size=_BATCH_ROWS, maintain_order=True):
        joined = batch if previous is None else pl.concat([previous, batch])
        before = [pl.col(name).shift() for name in _ORDER]
        time, user, item = (pl.col(name) for name in _ORDER)
        later = (before[0] > time) | (
            (before[0] == time) & ((before[1] > user) | ((before[1] == user) & (before[2] > item)))
        )
        same = (before[0] == time) & (before[1] == user) & (before[2] == item)
        unordered, repeated = joined.select(later.sum().alias("later"), same.sum().alias("same")).row(0)
        n_unordered, n_repeated = n_unordered + unordered, n_repeated + repeated
        previous = batch.tail(1)
    return n_unordered, n_repeated


def _catalogue_problems(data: Dataset) -> Iterator[Problem]:
    file = "items.parquet"
    n_repeated = data.items.height - data.items[schema.ITEM].n_unique()
    if n_repeated:
        yield Problem(file, "duplicate_item_id", n_repeated, f"{file}: ids must be distinct")
    for name in (schema.ITEM, schema.TITLE):
        n_missing = data.items[name].null_count()
        if n_missing:
            yield Problem(file, f"null_{name}", n_missing, f"{file}: every item needs {name}")


def _manifest_problems(data: Dataset, directory: Path) -> Iterator[Problem]:
    manifest = json.loads((directory / "dataset.json").read_text("utf-8"))
    for key, value in data.describe().items():
        if key in manifest and manifest[key] != value:
            yield Problem(
                "dataset.json", f"wrong_{key}", 1, f"dataset.json: expected {value!r} for {key}, got {manifest[key]!r}"
            )


def _shown(row: dict[str, object]) -> str:
    return ", ".join(f"{name}={value!s}" for name, value in row.items() if name != schema.REVIEW)
