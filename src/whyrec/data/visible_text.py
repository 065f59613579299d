"""Text without the characters that nobody sees: what is read is what is there.

Zero-width characters hide words from readers or from checks, direction controls show a text in another order than it is
stored in ("Trojan Source", CVE-2021-42574), and control characters break terminals and pages.
"""

import re
from collections.abc import Collection

import polars as pl

_BREAKS = re.compile("\r\n?|[\u0085\u2028\u2029\v\f]")
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f"  # controls
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # fillers that look like nothing
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # zero width, direction, annotation
    "\ud800-\udfff\U000e0000-\U000e0fff]"  # halves of characters; tags
    # Joiners shape Persian, Hindi and emoji, so that they stay behind a letter that is no ASCII; once.
    "|(?<![^\x00-\x7f\u200c\u200d])[\u200c\u200d]"
)
_SUSPECT = r"[\p{C}\x{034f}\x{115f}\x{1160}\x{17b4}\x{17b5}\x{180b}-\x{180f}\x{2028}\x{2029}\x{3164}\x{ffa0}]"
"""What may hold something unseen, for the search that goes over whole columns."""


def visible(text: str) -> str:
    """The same text without unseen characters; line breaks of all kinds become ``\\n``.

    Letters that are written from right to left stay as they are: only the controls that turn others round go.
    """
    return text if text.isascii() and text.isprintable() else _UNSEEN.sub("", _BREAKS.sub("\n", text))


def unseen(text: str) -> list[tuple[int, int]]:
    """Where a text holds characters that ``visible`` would take out, as half-open ranges."""
    if text.isascii() and text.isprintable():
        return []
    return [hit.span() for hit in _UNSEEN.finditer(text) if not _BREAKS.fullmatch(hit[0])]


def visible_frame(frame: pl.DataFrame, *, keys: Collection[str]) -> tuple[pl.DataFrame, int]:
    """The same frame whose texts, and lists of texts, hold no unseen characters.

    Args:
        frame: Any columns.
        keys: Columns that are left as they are: two ids must not become one.

    Returns:
        The frame, and how many cells changed.
    """
    n_changed = 0
    for name, dtype in frame.schema.items():
        if name in keys or dtype not in (pl.String, pl.List(pl.String)):
            continue
        column = frame[name]
        flat = column.explode() if dtype == pl.List(pl.String) else column
        if not flat.str.contains(_SUSPECT).any():
            continue
        cells = column.to_list()
        cleaned = [cell if cell is None else _visible_cell(cell) for cell in cells]
        changed = sum(before != after for before, after in zip(cells, cleaned, strict=True))
        if changed:
            frame, n_changed = frame.with_columns(pl.Series(name, cleaned, dtype=dtype)), n_changed + changed
    return frame, n_changed


def _visible_cell(cell: str | list[str | None]) -> str | list[str | None]:
    if isinstance(cell, str):
        return visible(cell)
    return [part if part is None else visible(part) for part in cell]
