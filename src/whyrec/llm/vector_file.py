"""Vectors of an embedding model in a SQLite file, by the hash of their text; other models' may lie beside them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyrec.errors import InvalidDataError
from whyrec.llm.embedding_model import EmbeddingModel
from whyrec.llm.sqlite_file import FileFormat, SqliteFile

Vector = NDArray[np.float32]

_KEYS_PER_QUERY = 500
_STORED = np.dtype("<f4")
_FORMAT = FileFormat(
    name="cache of embeddings",
    application_id=0x77687945,  # "whyE"
    version=1,
    schema=(
        "CREATE TABLE models (id INTEGER PRIMARY KEY, name TEXT NOT NULL, revision TEXT NOT NULL, "
        "dimension INTEGER NOT NULL, UNIQUE (name, revision))",
        "CREATE TABLE vectors (model INTEGER NOT NULL REFERENCES models, text_hash BLOB NOT NULL, "
        "vector BLOB NOT NULL, UNIQUE (model, text_hash))",
    ),
    synchronous="NORMAL",
    choose_another="choose another file",
)
_MODEL = "SELECT id, dimension FROM models WHERE name = ? AND revision = ?"
_NEW_MODEL = "INSERT INTO models (name, revision, dimension) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_FIND = "SELECT text_hash, vector FROM vectors WHERE model = ? AND text_hash IN "
_KEEP = "INSERT INTO vectors (model, text_hash, vector) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"


class VectorFile:
    """Keeps vectors; a vector that is there stays."""

    def __init__(self, path: Path, model: EmbeddingModel) -> None:
        """Open a file for one model's vectors; it is created, with its parent directories, if absent.

        Raises:
            InvalidDataError: If the file is something else, damaged, or written by a newer whyrec.
            OutputWriteError: If it cannot be created or written to.
        """
        self._file = SqliteFile(path, _FORMAT)
        self._name = (model.name, model.revision)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def dimension(self) -> int | None:
        """The length of the model's vectors, or None if the file holds none.

        Raises:
            InvalidDataError: If the file is damaged.
            OutputWriteError: If the file cannot be reached.
        """
        known = self._model()
        return None if known is None else known[1]

    def find(self, hashes: Sequence[bytes]) -> Iterator[tuple[bytes, Vector]]:
        """The vectors that are kept, with their hashes, in any order.

        Raises:
            InvalidDataError: If the file is damaged.
            OutputWriteError: If the file cannot be reached.
        """
        known = self._model()
        if known is None:
            return
        model, dimension = known
        for start in range(0, len(hashes), _KEYS_PER_QUERY):
            some = hashes[start : start + _KEYS_PER_QUERY]
            for text_hash, raw in self._file.rows(f"{_FIND}({', '.join('?' * len(some))})", (model, *some)):
                yield text_hash, self._read(raw, dimension)

    def keep(self, vectors: Mapping[bytes, Vector]) -> None:
        """Keep vectors by hash, all of them or, on an error or a kill, none.

        Raises:
            InvalidDataError: If the file is damaged.
            OutputWriteError: If it cannot be written; what was kept before still is.
        """
        dimension = len(next(iter(vectors.values())))
        self._file.write(_NEW_MODEL, (*self._name, dimension))
        known = self._model()
        assert known is not None, "it was written a line above, and rows are never removed"
        rows = ((known[0], text_hash, vector.astype(_STORED).tobytes()) for text_hash, vector in vectors.items())
        self._file.write_all(_KEEP, rows)

    def _model(self) -> tuple[int, int] | None:
        found = self._file.rows(_MODEL, self._name)
        return (int(found[0][0]), int(found[0][1])) if found else None

    def _read(self, raw: bytes, dimension: int) -> Vector:
        if len(raw) != dimension * _STORED.itemsize:
            raise InvalidDataError(
                f"{self._file.path}: expected vectors of {dimension} numbers, got one of {len(raw)} bytes. "
                "Remove the file; the vectors are computed again."
            )
        return np.frombuffer(raw, dtype=_STORED)
