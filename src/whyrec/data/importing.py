"""Build a dataset directory from files: checked, in time order, complete or not at all, in bounded memory."""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from whyrec.data import schema
from whyrec.data.catalogue import Catalogue, items_from_ids, read_catalogue
from whyrec.data.columns import ITEM_FIELDS, LOG_FIELDS, USER_FIELDS, ColumnMap, map_columns
from whyrec.data.dataset import Dataset
from whyrec.data.import_config import ImportConfig
from whyrec.data.ordering import Staging, write_one_per_pair, write_ordered
from whyrec.data.parquet_files import write_frame, write_frames
from whyrec.data.raw_rows import PROBLEM
from whyrec.data.read import Table, open_table
from whyrec.data.row_filter import RowFilter
from whyrec.data.timestamps import Convention
from whyrec.data.validate import REJECTED, CheckedBatch, LogValidator, rejection_message
from whyrec.errors import InvalidDataError
from whyrec.runtime.atomic import atomic_directory, require_absent
from whyrec.runtime.progress import progress_bar

_STAGING = ".staging"


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of an import, opened and checked as far as their first lines go."""

    log: Table
    mapping: ColumnMap
    keep: RowFilter | None = None
    items: Catalogue | None = None
    users: Catalogue | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed about the columns."""
        tables = [table.notes for table in (self.items, self.users) if table is not None]
        return tuple(note for notes in (self.mapping.notes, *tables) for note in notes)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import built and what it decided on the way."""

    dataset: Dataset
    manifest: Mapping[str, object]
    """The content of ``dataset.json``."""
    notes: tuple[str, ...]
    """One sentence per assumption or omission, for the caller to show."""


@dataclass
class _Tally:
    """What has come by so far."""

    n_rows: int = 0
    n_blank: int = 0
    n_filtered: int = 0
    rejected: list[Path] = field(default_factory=list)
    first_rejection: str = ""
    unknown: list[pl.Series] = field(default_factory=list)
    convention: Convention | None = None
    """How the log writes its times."""


def import_dataset(
    log: Path,
    out: Path,
    *,
    items: Path | None = None,
    users: Path | None = None,
    name: str | None = None,
    config: ImportConfig | None = None,
) -> ImportReport:
    """Read a log (and a catalogue), check every row, and write a dataset directory.

    Args:
        log: Interactions as delimited text, JSON Lines or Parquet.
        out: The directory to create.
        items: The catalogue; None makes one of the ids in the log, each titled by its id.
        users: The users' attributes, if any.
        name: How reports call the dataset; None takes the name of ``out``.
        config: How to read and what to refuse.

    Returns:
        The dataset as written, its manifest, and everything that was assumed or left out.

    Raises:
        InvalidDataError: If a file breaks the rules; names file, row, column, and what to do.
        OutputExistsError: If ``out`` holds something already.
        OutputWriteError: If ``out`` cannot be written; nothing is left behind.
    """
    config = config or ImportConfig()
    # Before the work, not only after: nobody should wait for an import that cannot be kept.
    require_absent(out)
    sources = open_sources(log, items=items, users=users, config=config)
    with atomic_directory(out) as partial:
        staging = Staging(partial / _STAGING)
        staging.directory.mkdir()
        tally = _stage(sources, staging, config=config)
        manifest = _write(sources, staging, tally, partial=partial, name=name or out.name, config=config)
        shutil.rmtree(staging.directory)
        (partial / "dataset.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return ImportReport(Dataset.read(out), manifest, _notes(sources, manifest, config=config))


def open_sources(log: Path, *, items: Path | None, users: Path | None, config: ImportConfig) -> Sources:
    """Open the files, find their columns, and read the catalogue.

    Raises:
        InvalidDataError: If a file or a column is missing, or the catalogue breaks a rule (with on_bad_rows="raise").
    """
    table = open_table(log, format=config.format, delimiter=config.delimiter, columns=config.columns)
    mapping = map_columns(table.columns, LOG_FIELDS, given=config.mapping, where=table.name)
    catalogue = people = None
    if items is not None:
        opened = open_table(items, delimiter=config.items_delimiter, columns=config.items_columns)
        catalogue = read_catalogue(
            opened, ITEM_FIELDS, given=config.items_mapping, flag="--items-map", list_columns=config.list_columns
        )
        _raise_if_asked(catalogue.rejected, opened.name, config=config)
    if users is not None:
        opened = open_table(users)
        people = read_catalogue(opened, USER_FIELDS, given=config.users_mapping, flag="--users-map")
        _raise_if_asked(people.rejected, opened.name, config=config)
    return Sources(table, mapping, keep=_row_filter(table, config=config), items=catalogue, users=people)


def log_validator(sources: Sources, *, config: ImportConfig) -> LogValidator:
    """Make the validator of an import's log."""
    guarded = sources.items is not None and config.unknown_items == "reject"
    return LogValidator(
        sources.log.name,
        sources.mapping.columns,
        unit=config.timestamp_unit,
        timezone=config.timezone,
        catalogue=sources.items.frame[schema.ITEM] if guarded and sources.items is not None else None,
    )


def checked_batches(sources: Sources, validator: LogValidator) -> Iterator[CheckedBatch]:
    """Read the log batch by batch, leave out what the caller filters, and split the rest into good and bad rows."""
    columns = list(sources.mapping.columns.values())
    keep = sources.keep
    if keep is None:
        yield from map(validator.check, sources.log.batches(columns))
        return
    for batch in sources.log.batches(list(dict.fromkeys([*columns, keep.column]))):
        # A row that did not parse has no value to compare, and is no less bad for it.
        kept = batch.filter(keep.keeps | pl.col(PROBLEM).is_not_null())
        yield replace(validator.check(kept), n_filtered=batch.height - kept.height)


def _row_filter(table: Table, *, config: ImportConfig) -> RowFilter | None:
    if config.keep is None:
        return None
    keep = RowFilter.parse(config.keep)
    if keep.column not in table.columns:
        raise InvalidDataError(
            f"{table.name}: expected a column {keep.column!r} to filter by, got {', '.join(table.columns)}. "
            "Correct --keep."
        )
    return keep


def _raise_if_asked(rejected: pl.DataFrame, where: str, *, config: ImportConfig) -> None:
    if config.on_bad_rows == "raise" and not rejected.is_empty():
        first = rejected.sort("row").row(0, named=True)
        raise InvalidDataError(rejection_message(where, first, unit=config.timestamp_unit))


def _stage(sources: Sources, staging: Staging, *, config: ImportConfig) -> _Tally:
    tally = _Tally()
    for catalogue in (sources.items, sources.users):
        if catalogue is not None:
            _set_aside(catalogue.rejected, tally, directory=staging.directory, file=catalogue.file, config=config)
    validator = log_validator(sources, config=config)
    collect_unknown = sources.items is not None and config.unknown_items == "add"
    with progress_bar(f"Reading {sources.log.name}", total=sources.log.n_rows) as step:
        for checked in checked_batches(sources, validator):
            _raise_if_asked(checked.rejected, sources.log.name, config=config)
            tally.n_rows += checked.good.height + checked.rejected.height
            tally.n_blank += checked.n_blank
            tally.n_filtered += checked.n_filtered
            _set_aside(checked.rejected, tally, directory=staging.directory, file=sources.log.name, config=config)
            if not checked.good.is_empty():
                staging.add(checked.good)
            if collect_unknown and sources.items is not None:
                ids = checked.good[schema.ITEM].unique()
                tally.unknown.append(ids.filter(~ids.is_in(sources.items.frame[schema.ITEM].implode())))
            step.advance(checked.good.height + checked.rejected.height)
    tally.convention = None if validator.rule is None else validator.rule.convention
    if staging.n_rows == 0:
        detail = f"First problem: {tally.first_rejection}" if tally.first_rejection else "Add rows below the header."
        raise InvalidDataError(
            f"{sources.log.name}: expected at least one good row, got none of {tally.n_rows}. {detail}"
        )
    return tally


def _set_aside(rejected: pl.DataFrame, tally: _Tally, *, directory: Path, file: str, config: ImportConfig) -> None:
    if rejected.is_empty():
        return
    if not tally.first_rejection:
        tally.first_rejection = rejection_message(file, rejected.row(0, named=True), unit=config.timestamp_unit)
    path = directory / f"rejected-{len(tally.rejected):06d}.parquet"
    write_frame(rejected.select(pl.lit(file).alias("file"), pl.all()), path)
    tally.rejected.append(path)


def _write(
    sources: Sources, staging: Staging, tally: _Tally, *, partial: Path, name: str, config: ImportConfig
) -> dict[str, object]:
    log_path = partial / "interactions.parquet"
    with progress_bar("Ordering by time", total=None):
        n_duplicates, n_repeats = _write_log(staging, log_path, config=config)
    log = pl.scan_parquet(log_path, glob=False)
    items, n_added = _items(sources, log, tally)
    write_frame(items, partial / "items.parquet")
    users = None if sources.users is None else sources.users.frame
    if users is not None:
        write_frame(users, partial / "users.parquet")
    rejected = _write_rejected(tally, partial / "rejected.parquet")
    with progress_bar("Counting and hashing", total=None):
        described = Dataset(name, log, items, users).describe()
    return {
        **described,
        "source": {
            "log": sources.log.name,
            "n_rows": tally.n_rows,
            "n_blank_lines": tally.n_blank,
            "keep": config.keep,
            "n_filtered": tally.n_filtered,
            "items": None if sources.items is None else sources.items.file,
            "mapping": dict(sources.mapping.columns),
            "items_mapping": None if sources.items is None else dict(sources.items.columns),
            "timestamp": _timestamp_entry(tally, config=config),
        },
        "duplicates": {"policy": config.duplicates, "n_dropped": n_duplicates},
        "one_per_pair": {"policy": config.one_per_pair, "n_dropped": n_repeats},
        "unknown_items": {"policy": config.unknown_items, "n_added": n_added},
        "rejected": {"policy": config.on_bad_rows, "n_rejected": sum(rejected.values()), "by_reason": rejected},
    }


def _timestamp_entry(tally: _Tally, *, config: ImportConfig) -> dict[str, str]:
    """How the log's times were read: numbers by unit, local times by zone, or times that state their offset."""
    if tally.convention == "epoch":
        return {"convention": "epoch", "unit": "s" if config.timestamp_unit == "auto" else config.timestamp_unit}
    if tally.convention == "local":
        return {"convention": "local", "timezone": config.timezone or "UTC"}
    return {"convention": "offset"}


def _write_log(staging: Staging, path: Path, *, config: ImportConfig) -> tuple[int, int]:
    if config.one_per_pair is None:
        return write_ordered(staging, path, duplicates=config.duplicates), 0
    every_event = staging.directory / "ordered.parquet"
    n_duplicates = write_ordered(staging, every_event, duplicates=config.duplicates)
    return n_duplicates, write_one_per_pair(every_event, path, keep=config.one_per_pair)


def _items(sources: Sources, log: pl.LazyFrame, tally: _Tally) -> tuple[pl.DataFrame, int]:
    if sources.items is None:
        ids = log.select(pl.col(schema.ITEM).unique()).collect(engine="streaming").to_series()
        return items_from_ids(ids), 0
    if not tally.unknown:
        return sources.items.frame, 0
    added = items_from_ids(pl.concat(tally.unknown))
    return pl.concat([sources.items.frame, added], how="diagonal").sort(schema.ITEM), added.height


def _write_rejected(tally: _Tally, path: Path) -> dict[str, int]:
    if not tally.rejected:
        return {}
    parts = (pl.read_parquet(part) for part in tally.rejected)
    write_frames(parts, path, schema=pl.Schema({"file": pl.String(), **REJECTED}))
    counts = pl.scan_parquet(path, glob=False).group_by("reason").len().sort("reason").collect()
    return dict(counts.iter_rows())


def _notes(sources: Sources, manifest: Mapping[str, object], *, config: ImportConfig) -> tuple[str, ...]:
    notes = list(sources.notes)
    used = {*sources.mapping.columns.values(), *([] if sources.keep is None else [sources.keep.column])}
    unused = [name for name in sources.log.columns if name not in used]
    if unused:
        notes.append(f"{sources.log.name}: columns {', '.join(unused)} are not part of a log and stay behind.")
    source = manifest["source"]
    assert isinstance(source, dict), "the manifest's parts are objects"
    if config.timezone is None and source["timestamp"]["convention"] == "local":
        notes.append("Times without an offset are read as UTC; --timezone says otherwise.")
    if sources.items is None:
        notes.append(
            f"Without --items, the catalogue is the {manifest['n_items']} items of the log, titled by their id."
        )
    if source["n_filtered"]:
        notes.append(f"{source['n_filtered']} rows left out that do not meet {config.keep!r}.")
    for key, sentence in (
        ("duplicates", f"exact duplicates (same user, item and time) dropped, the {config.duplicates} kept"),
        ("one_per_pair", f"repeated events dropped, each pair's {config.one_per_pair} kept"),
        ("rejected", "bad rows set aside in rejected.parquet"),
        ("unknown_items", "items outside the catalogue added, titled by their id"),
    ):
        part = manifest[key]
        assert isinstance(part, dict), "the manifest's parts are objects"
        n = next(value for label, value in part.items() if label.startswith("n_"))
        if n:
            notes.append(f"{n} {sentence}.")
    return tuple(notes)
