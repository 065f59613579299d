"""Places of a published list, cut out of the stored bytes without reading them as JSON.

Reading 11 kB of a list and writing 4 kB of it again takes 50 microseconds, finding where its places begin 20. That is
sound because of how a document is written: an entry begins with ``{"rank":`` and a digit, and inside a JSON string
every quotation mark is escaped, so that no title, text or attribute can look like the beginning of an entry. What is
not written so is read as JSON.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import orjson

_BEGINNING = re.compile(rb'\{"rank":\d+,"item_id":"')
_ENTRIES = b'"entries":['

Parsed = dict[str, Any]  # a stored document, or an entry of one, as JSON


class StoredList:
    """A published list as it is stored: JSON whose last field is ``entries``."""

    def __init__(self, document: bytes) -> None:
        self._document = document
        self._head = document.find(_ENTRIES) + len(_ENTRIES)
        self._starts = [match.start() for match in _BEGINNING.finditer(document)]
        self._is_as_written = (
            document.startswith(b'{"') and document.endswith(b"}]}") and self._starts[:1] == [self._head]
        )

    def __len__(self) -> int:
        return len(self._starts) if self._is_as_written else len(self.entries)

    @cached_property
    def _read(self) -> Parsed:
        found: Parsed = orjson.loads(self._document)
        return found

    @property
    def entries(self) -> Sequence[Parsed]:
        """Its places, read."""
        entries: Sequence[Parsed] = self._read["entries"]
        return entries

    @property
    def fields(self) -> Parsed:
        """Everything but its places, read."""
        return {name: value for name, value in self._read.items() if name != "entries"}

    def cut(self, *, offset: int, k: int, version: int) -> bytes:
        """Write the list with some of its places.

        Args:
            offset: Places left out at the beginning.
            k: How many places.
            version: Written before the document's own fields, with the number of all places.
        """
        if not self._is_as_written:
            return written(self.fields, self.entries[offset : offset + k], version=version, total=len(self))
        document, starts = self._document, self._starts
        closing, last = len(document) - 2, offset + k
        begin = starts[offset] if offset < len(starts) else closing
        end = starts[last] - 1 if last < len(starts) else closing
        head = b'{"version":%d,"total":%d,' % (version, len(starts))
        return b"".join((head, document[1 : self._head], document[begin:end], b"]}"))


def written(fields: Parsed, entries: Sequence[Parsed], *, version: int, total: int) -> bytes:
    """Write a list anew."""
    return orjson.dumps({"version": version, "total": total, **fields, "entries": entries})


def with_version(document: bytes, version: int) -> bytes:
    """Put the version's number before a document's own fields."""
    return b'{"version":%d,%s' % (version, document[1:])


def matching(entries: Sequence[Parsed], *, attributes: Mapping[str, set[str]], exclude: frozenset[str]) -> list[Parsed]:
    """Leave out entries that are excluded or lack a wanted attribute.

    Args:
        entries: In their order.
        attributes: By name, values of which an entry must have at least one; every name must be met.
        exclude: item_ids.
    """
    return [
        entry
        for entry in entries
        if entry["item_id"] not in exclude
        and all(wanted.intersection(entry["attributes"].get(name, ())) for name, wanted in attributes.items())
    ]


def page(entries: Sequence[Parsed], *, offset: int, k: int) -> list[Parsed]:
    """Some places, numbered as of the list that they are cut from."""
    return [{**entry, "rank": rank} for rank, entry in enumerate(entries[offset : offset + k], start=offset + 1)]
