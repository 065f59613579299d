"""Hash the content of frames: equal values give equal hashes, whatever the file, the chunks or the library's version.

Each column feeds its own hashes as it streams by: of its values, of their lengths and gaps, of the lengths of its
lists; so nothing depends on where one batch ends and the next begins.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl

_BATCH_ROWS = 1 << 19
_NULL = 0xFFFFFFFF


@dataclass
class _ColumnHash:
    kind: str
    values: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    lengths: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    list_lengths: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def update(self, values: pl.Series) -> None:
        if isinstance(values.dtype, pl.List):
            self.list_lengths.update(_bytes_of_lengths(values.list.len()))
            values = values.explode(empty_as_null=False, keep_nulls=False)
        if values.dtype == pl.String:
            self.lengths.update(_bytes_of_lengths(values.str.len_bytes()))
            self.values.update((values.str.join("").item() or "").encode())
            return
        self.lengths.update(_bytes_of_lengths(values.is_not_null()))
        physical = values.to_physical()
        numbers = physical.cast(pl.UInt8) if physical.dtype == pl.Boolean else physical
        self.values.update(np.ascontiguousarray(numbers.fill_null(0).to_numpy()).tobytes())

    def digest(self) -> bytes:
        return self.values.digest() + self.lengths.digest() + self.list_lengths.digest()


def fingerprint(frames: Iterable[pl.LazyFrame]) -> str:
    """Hash several frames, in their order of rows and columns, without holding them.

    Returns:
        ``sha256:`` and 32 hexadecimal digits.
    """
    total = hashlib.sha256()
    for frame in frames:
        for part in _column_digests(frame):
            total.update(part)
    return f"sha256:{total.hexdigest()[:32]}"


def _column_digests(frame: pl.LazyFrame) -> Iterator[bytes]:
    schema = frame.collect_schema()
    hashes = {name: _ColumnHash(str(kind)) for name, kind in schema.items()}
    for batch in frame.collect_batches(chunk_size=_BATCH_ROWS, maintain_order=True):
        for name, column in hashes.items():
            column.update(batch[name])
    for name, column in hashes.items():
        yield f"{name}\0{column.kind}\0".encode()
        yield column.digest()


def _bytes_of_lengths(lengths: pl.Series) -> bytes:
    return np.ascontiguousarray(lengths.cast(pl.UInt32).fill_null(_NULL).to_numpy()).tobytes()
