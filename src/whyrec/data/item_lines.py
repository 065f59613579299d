"""One item in one line, as it stands in a prompt: title, then attributes, prose last and cut to length.

Angle brackets become ‹ and ›: no title or plot can close a block of a prompt, or hold a tag that an answer is read by.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from whyrec.data import schema
from whyrec.data.attributes import AttributeValue, attributes_of
from whyrec.data.visible_text import visible
from whyrec.errors import UnknownIdError

SEPARATOR = " | "
NOTHING_KNOWN = "nothing is known of it"
MASK = "[title]"
"""What stands for an item's title in its own plot where titles are withheld."""

_LONGEST_TITLE = 120
_MOST_VALUES = 6
"""Of an attribute with many, such as a cast."""
_PROSE_CHARS = 80
"""An attribute this long is prose."""
_LONGEST_WORD = 40
"""Runs of letters longer than this are cut inside: Chinese is written without spaces, and so are addresses."""
_NEUTRAL = str.maketrans({"<": "‹", ">": "›"})
_YEAR = re.compile(r"\s*\(\d{4}\)$")
_ARTICLE_BEHIND = re.compile(r"^(?P<rest>.+), (?P<article>The|An?|Les?|La|L'|Das|Der|Die|El|Il)$")


@dataclass(frozen=True, slots=True)
class ItemText:
    """What the catalogue says of an item, in words that are safe in a prompt."""

    item_id: str
    title: str
    """Empty where the catalogue has none."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Each in one line; prose last."""

    @property
    def is_known(self) -> bool:
        """False if the catalogue says nothing at all of the item."""
        return bool(self.title or self.attributes)

    def line(self, *, max_chars: int, label: str | None = None, mask_title: bool = False) -> str:
        """The item in one line.

        Args:
            max_chars: Of the whole line; the end is cut, the title or label never.
            label: What stands for the title; None: the title.
            mask_title: Withhold the title, also where another attribute mentions it (CURec C18).
        """
        name = label if label is not None else "" if mask_title else self.title
        values = {key: self.masked(value) if mask_title else value for key, value in self.attributes.items()}
        rest = SEPARATOR.join(f"{key}: {value}" for key, value in values.items())
        room = max_chars - len(name) - len(SEPARATOR) * bool(name)
        parts = [name, cut(rest, max_chars=room) if room > 0 else ""]
        return SEPARATOR.join(part for part in parts if part) or NOTHING_KNOWN

    def masked(self, text: str) -> str:
        """The same text with ``MASK`` for this item's title, with or without its year, its article at either end."""
        for form in _forms_of(self.title):
            # One word may be common ("It", "Heat"): only as it is spelt in the title, others in any case.
            flags = re.IGNORECASE if " " in form else 0
            text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", MASK, text, flags=flags)
        return text


def item_texts(items: pl.DataFrame) -> dict[str, ItemText]:
    """Put a catalogue into words.

    Args:
        items: ``item_id, title`` and any attributes.

    Returns:
        Texts by item_id.
    """
    return {entry[schema.ITEM]: _text_of(entry) for entry in items.iter_rows(named=True)}


def text_of(item_id: str, items: Mapping[str, ItemText]) -> ItemText:
    """What the catalogue says of an item.

    Raises:
        UnknownIdError: If it holds no such item.
    """
    if item_id not in items:
        raise UnknownIdError(f"texts: expected an item of the catalogue, got {item_id!r}. Add it, or leave it out.")
    return items[item_id]


def neutral(text: str) -> str:
    """The same text without angle brackets and without characters that nobody sees; its lines stay."""
    return visible(text).translate(_NEUTRAL)


def cut(text: str, *, max_chars: int) -> str:
    """At most so many characters, at the end of a word, with an ellipsis where something is left out."""
    if len(text) <= max_chars:
        return text
    head = text[: max_chars - 1]
    if not text[len(head)].isspace():
        head = re.sub(rf"\s\S{{0,{_LONGEST_WORD}}}$", "", head)
    return head.rstrip(" .,;:|") + "…"


def _text_of(entry: Mapping[str, object]) -> ItemText:
    worded = {_one_line(name): _one_line(_worded(value)) for name, value in attributes_of(entry).items()}
    told = sorted((pair for pair in worded.items() if pair[1]), key=lambda pair: len(pair[1]) > _PROSE_CHARS)
    title = cut(_one_line(str(entry[schema.TITLE] or "")), max_chars=_LONGEST_TITLE)
    return ItemText(str(entry[schema.ITEM]), title, dict(told))


def _one_line(text: str) -> str:
    return " ".join(neutral(text).replace("|", "/").split())


def _worded(value: AttributeValue) -> str:
    if isinstance(value, tuple):
        return ", ".join(value[:_MOST_VALUES])
    return f"{value:.15g}" if isinstance(value, float) else value


def _forms_of(title: str) -> list[str]:
    """How a title is spelt in running text, the longest form first."""
    bare = _YEAR.sub("", title)
    behind = _ARTICLE_BEHIND.match(bare)
    forms = {title, bare} if behind is None else {title, bare, behind["rest"], f"{behind['article']} {behind['rest']}"}
    return sorted(forms - {""}, key=len, reverse=True)
