"""What the readers agree on: the two columns they add to every batch, the batch size, and the check for UTF-8."""

import codecs
import gzip
from pathlib import Path
from typing import BinaryIO, cast

from whyrec.errors import InvalidDataError

ROW = "__row__"
"""1-based number of the data row in its file; a header line is not counted."""
PROBLEM = "__problem__"
"""Null for a row that parsed, else what is wrong with it."""
BATCH_ROWS = 500_000
"""Rows per batch: large enough for vectorised work, small enough (tens of MB) for memory to stay flat."""

_BLOCK_BYTES = 1 << 20


def open_bytes(path: Path) -> BinaryIO:
    """Open a file for reading bytes, through gzip where it is compressed."""
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def require_utf8(path: Path) -> None:
    """Find the first byte that is not UTF-8, if there is one.

    Raises:
        InvalidDataError: With the offset and the line of the byte.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset, line, pending = 0, 1, 0
    with open_bytes(path) as file:
        while block := file.read(_BLOCK_BYTES):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                # The decoder puts the bytes held over from the block before in front of this one.
                at = offset - pending + error.start
                byte = error.object[error.start]
                line += error.object[: error.start].count(b"\n")
                raise InvalidDataError(
                    f"{path.name} line {line}: expected UTF-8 text, got byte 0x{byte:02x} at offset {at}. "
                    "Convert the file, for example with: iconv -f latin1 -t utf-8."
                ) from error
            offset += len(block)
            line += block.count(b"\n")
            pending = len(decoder.getstate()[0])
