"""One item in words, for prompts: its description, and its history as lines of counts.

Both say only what an ``ItemHistory`` holds, hence nothing later than its cut-off. Texts that a recommender compares
with each other are another matter: those are in ``data/whole_texts.py``.
"""

import re
from collections.abc import Sequence

from whyrec.data import schema
from whyrec.data.attributes import AttributeValue
from whyrec.data.item_histories import ItemHistory
from whyrec.data.windows import Window
from whyrec.errors import InvalidConfigError

NO_HISTORY = "just released, no historical trend"
"""What stands for the history of an item that nobody has taken yet (TRAIL §5.2.6)."""

_ELLIPSIS = "…"
_LONGEST_WORD = 40
"""Runs of letters longer than this are cut inside: Chinese is written without spaces, and so are addresses."""


def description_text(history: ItemHistory, *, max_chars: int) -> str:
    """Describe an item: one line for its title, one for each attribute, in the order of the catalogue.

    Args:
        history: The item.
        max_chars: The most characters; a longer text is cut at the end of a word and ends in an ellipsis.

    Raises:
        InvalidConfigError: If ``max_chars`` is below 1.
    """
    _require_positive(max_chars, name="max_chars")
    lines = [f"{schema.TITLE}: {_one_line(history.title)}"]
    lines += [f"{name}: {_one_line(_worded(value))}" for name, value in history.attributes.items()]
    return _cut("\n".join(lines), max_chars=max_chars)


def history_text(history: ItemHistory, *, max_windows: int, with_daily: bool) -> str:
    """Write an item's users per window, oldest first: ``2013-10: 1155``, or the day on which an N-day window starts.

    Args:
        history: The item.
        max_windows: The most windows; the oldest are left out.
        with_daily: Add the users of each of the last days, in one line.

    Returns:
        ``NO_HISTORY`` for an item without a user before the cut-off.

    Raises:
        InvalidConfigError: If ``max_windows`` is below 1.
    """
    _require_positive(max_windows, name="max_windows")
    if not history.total_users:
        return NO_HISTORY
    newest = list(zip(history.windows, history.users, strict=True))[-max_windows:]
    lines = [f"{period_name(window)}: {users}" for window, users in newest]
    if not newest:
        lines.append(f"users so far, no complete window yet: {history.total_users}")
    if with_daily:
        lines.append(_daily_line(history.daily))
    return "\n".join(lines)


def period_name(window: Window) -> str:
    """Name a window as the lines of a history do: ``2013-10`` for a calendar month, else its first day.

    The 30 days from 1 November are November, whatever the length of the other windows.
    """
    return window.label.partition("/")[0]


def texts_within(history: ItemHistory, *, max_chars: int, max_windows: int, with_daily: bool) -> tuple[str, str]:
    """Both texts in a common budget: the oldest windows go first, down to one, then the end of the description.

    Args:
        history: The item.
        max_chars: The most characters of both together.
        max_windows: The most windows even where there is room for more.
        with_daily: As in ``history_text``; the line of days always stays.

    Returns:
        The description and the history.

    Raises:
        InvalidConfigError: If ``max_chars`` leaves no room for a description beside the newest window.
    """
    description = description_text(history, max_chars=max_chars)
    counts = history_text(history, max_windows=max_windows, with_daily=with_daily)
    for n in range(min(max_windows, len(history.windows)) - 1, 0, -1):
        if len(description) + len(counts) <= max_chars:
            break
        counts = history_text(history, max_windows=n, with_daily=with_daily)
    room = max_chars - len(counts)
    if room < 1:
        raise InvalidConfigError(
            f"texts of item {history.item_id!r}: expected max_chars of more than {len(counts)}, the length of its "
            f"newest counts, got {max_chars}. Allow more."
        )
    return description_text(history, max_chars=room), counts


def _daily_line(daily: Sequence[int]) -> str:
    return f"last {len(daily)} days, day by day: {' '.join(map(str, daily))}"


def _worded(value: AttributeValue) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return f"{value:.15g}" if isinstance(value, float) else value


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str, *, max_chars: int) -> str:
    if len(text) <= max_chars:
        return text
    head = text[: max_chars - len(_ELLIPSIS)]
    if not text[len(head)].isspace():
        head = re.sub(rf"\s\S{{0,{_LONGEST_WORD}}}$", "", head)
    return head.rstrip(" \n,;:") + _ELLIPSIS


def _require_positive(value: int, *, name: str) -> None:
    if value < 1:
        raise InvalidConfigError(f"item texts: expected {name} of at least 1, got {value}. Choose a positive number.")
