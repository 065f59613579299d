"""Places of a published list, cut out of the stored bytes without reading them as JSON.

Reading a list and writing a part of it again takes several times as long as finding where entries begin. The latter is
sound because of how a document is written: an entry begins with ``{"rank":`` and a digit, and inside a JSON string
every quotation mark is escaped, so that no title, text or attribute can look like the beginning of an entry. What is
not written so is read as JSON.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any

import orjson

_BEGINNING = re.compile(rb'\{"rank":(\d+),"item_id":"')
_ENTRIES = b'"entries":['
_CLOSING = b"}]}"

Parsed = dict[str, Any]  # a stored document, or an entry of one, as JSON


class StoredList:
    """A published list as it is stored: JSON whose last field is ``entries``, ranked 1, 2, 3 and so on."""

    def __init__(self, document: bytes) -> None:
        self._document = document
        self._head = document.find(_ENTRIES) + len(_ENTRIES)
        first = _BEGINNING.match(document, self._head)
        self._is_as_written = (
            first is not None and first[1] == b"1" and document.startswith(b'{"') and document.endswith(_CLOSING)
        )

    def __len__(self) -> int:
        if not self._is_as_written:
            return len(self.entries)
        # The rank of the last place, sought from the end: its attributes may have a name that looks like a rank.
        found, end = None, len(self._document)
        while found is None:
            end = self._document.rfind(b'{"rank":', 0, end)
            found = _BEGINNING.match(self._document, end)
        return int(found[1])

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
        document, last = self._document, offset + k
        starts = [match.start() for match in islice(_BEGINNING.finditer(document, self._head), offset, last + 1)]
        closing = len(document) - len(_CLOSING) + 1
        begin = starts[0] if starts else closing
        end = starts[k] - 1 if len(starts) > k else closing
        head = b'{"version":%d,"total":%d,' % (version, len(self))
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
