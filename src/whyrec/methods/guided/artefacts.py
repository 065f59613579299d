"""Scores of items or users on the aspects, whoever gave them: a language model or ``offline``."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
import polars as pl
from jaxtyping import Float
from pydantic import BaseModel, ValidationError

from whyrec.data.parquet_files import disk_errors_as_oserror
from whyrec.errors import InvalidDataError
from whyrec.methods.guided.aspects import HIGHEST, ID_COLUMN, LOWEST
from whyrec.runtime.atomic import atomic_file

Side = Literal["items", "users"]

OFFLINE = "offline"
"""The writer of scores that no language model gave."""
FORMAT_VERSION = 1
"""Of the files; readers refuse a higher one."""
_META = "whyrec.aspect_scores"
_SHOWN = 100
"""Characters of a damaged description that a message shows."""


@dataclass(frozen=True, slots=True, eq=False)
class AspectScores:
    """One row per item or user, one column per aspect (g_i and g_u, see GER Eq. (3) and see GER Eq. (4))."""

    side: Side
    ids: pl.Series
    """item_ids or user_ids, each once."""
    aspects: tuple[str, ...]
    """Keys of the columns."""
    values: Float[np.ndarray, "N K"]
    """float32, from 1 to 10; they need not be whole."""
    writer: str
    """Model name, revision and adapter; or ``offline``."""

    def __post_init__(self) -> None:
        where = f"scores of {self.side}"
        expected = (len(self.ids), len(self.aspects))
        if self.values.shape != expected or not self.aspects:
            raise InvalidDataError(
                f"{where}: expected {expected[0]} rows and {expected[1]} columns, at least one of these, got "
                f"{self.values.shape}. Give one row per id and one column per aspect."
            )
        if self.ids.n_unique() < len(self.ids):
            twice = self.ids.filter(self.ids.is_duplicated())[0]
            raise InvalidDataError(f"{where}: expected each id once, got {twice!r} twice. Keep one.")
        wrong = ~((self.values >= LOWEST) & (self.values <= HIGHEST))
        if wrong.any():
            row, column = np.argwhere(wrong)[0].tolist()
            raise InvalidDataError(
                f"{where}, {self.ids[row]!r}, {self.aspects[column]}: expected a number from {LOWEST} to {HIGHEST}, "
                f"got {self.values[row, column]:g}. Leave it out."
            )

    @classmethod
    def of(
        cls, side: Side, ids: Sequence[str] | pl.Series, values: np.ndarray, *, aspects: Sequence[str], writer: str
    ) -> Self:
        """Take scores as they come; see the fields."""
        found = np.asarray(values, dtype=np.float32).reshape(len(ids), len(aspects))
        return cls(side, pl.Series(ID_COLUMN, ids, dtype=pl.String()), tuple(aspects), found, writer)

    def __len__(self) -> int:
        return len(self.ids)

    def rows_of(self, ids: Sequence[str] | pl.Series) -> Float[np.ndarray, "M K"]:
        """Scores in the order of some ids; a row of NaN for each that has none."""
        places = pl.DataFrame({ID_COLUMN: self.ids, "row": np.arange(len(self.ids))})
        asked = pl.DataFrame({ID_COLUMN: pl.Series(ids, dtype=pl.String())})
        found = asked.join(places, on=ID_COLUMN, how="left", maintain_order="left")["row"]
        padded = np.concatenate([self.values, np.full((1, len(self.aspects)), np.nan, dtype=np.float32)])
        rows: np.ndarray = padded[found.fill_null(len(self.ids)).to_numpy()]
        return rows

    def chosen(self, aspects: Sequence[str]) -> "AspectScores":
        """The same scores on some aspects alone.

        Raises:
            InvalidDataError: If one of them was not scored.
        """
        unknown = next((key for key in aspects if key not in self.aspects), None)
        if unknown is not None:
            raise InvalidDataError(
                f"scores of {self.side}: expected aspects of {', '.join(self.aspects)}, got {unknown!r}. Score it "
                "first."
            )
        columns = [self.aspects.index(key) for key in aspects]
        return AspectScores(self.side, self.ids, tuple(aspects), self.values[:, columns], self.writer)

    def frame(self) -> pl.DataFrame:
        """``id`` and one Float32 column per aspect."""
        columns = [pl.Series(key, self.values[:, place]) for place, key in enumerate(self.aspects)]
        return pl.DataFrame([self.ids.rename(ID_COLUMN), *columns])

    def write(self, path: Path) -> None:
        """Write one Parquet file that says what it is, complete or not at all.

        Raises:
            OutputWriteError: If it cannot be written.
        """
        told = {"format_version": FORMAT_VERSION, "side": self.side, "writer": self.writer}
        with atomic_file(path) as partial, disk_errors_as_oserror():
            self.frame().write_parquet(partial, compression="zstd", metadata={_META: json.dumps(told)})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what ``write`` wrote.

        Raises:
            InvalidDataError: If there is no such file, or it is damaged, something else or of a newer whyrec.
        """
        try:
            told = pl.read_parquet_metadata(path).get(_META)
            frame = pl.read_parquet(path, glob=False)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise InvalidDataError(
                f"{path}: expected a file of scores, got one that cannot be read ({str(error).splitlines()[0]}). "
                "Score again."
            ) from error
        if told is None:
            raise InvalidDataError(f"{path}: expected a file of scores, got another Parquet file. Choose another.")
        description = _description(told, path=path)
        _require_columns(frame, path=path)
        aspects = [name for name in frame.columns if name != ID_COLUMN]
        values = frame.select(aspects).to_numpy()
        return cls.of(description.side, frame[ID_COLUMN], values, aspects=aspects, writer=description.writer)


class _Description(BaseModel):
    """What a file says of itself."""

    format_version: int
    side: Side
    writer: str


def _description(told: str, *, path: Path) -> _Description:
    try:
        found = _Description.model_validate_json(told)
    except ValidationError as error:
        raise InvalidDataError(
            f"{path}: expected a file of scores with its format_version, side and writer, got {told[:_SHOWN]!r}. "
            "Score again."
        ) from error
    if found.format_version > FORMAT_VERSION:
        raise InvalidDataError(
            f"{path}: expected format_version at most {FORMAT_VERSION}, got {found.format_version}. Upgrade whyrec."
        )
    return found


def _require_columns(frame: pl.DataFrame, *, path: Path) -> None:
    found = frame.schema.get(ID_COLUMN)
    if found != pl.String or frame[ID_COLUMN].null_count():
        got = "none" if found is None else "an empty one" if found == pl.String else found
        raise InvalidDataError(f"{path}, {ID_COLUMN}: expected a text in every row, got {got}. Score again.")
    for name, kind in frame.schema.items():
        if name != ID_COLUMN and not kind.is_numeric():
            raise InvalidDataError(f"{path}, {name}: expected numbers, got {kind}. Score again.")
