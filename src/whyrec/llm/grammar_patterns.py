"""Rewrite a pattern of Python's ``re`` so that a constrained decoder lets through only what Python will match.

xgrammar reads patterns a little differently: its ``.`` takes line breaks, ``^`` and ``$`` in the middle are ignored,
``\\A`` is the letter A, a class that excludes characters lets the halves of surrogate pairs through (which no text
can hold), and inside JSON a quote or a line break comes out as it is. Here every character class is written out as
the ranges that are meant, and what cannot be kept is refused.
"""

import re
from collections.abc import Iterable

from whyrec.errors import InvalidConfigError

Ranges = list[tuple[int, int]]

_LAST = 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)
_NOT_IN_JSON: Ranges = [(0, 0x1F), (ord('"'), ord('"')), (ord("\\"), ord("\\"))]
# Narrower than Python's, which take digits and letters of all scripts: what matches here matches there.
_SHORTHANDS: dict[str, Ranges] = {
    "d": [(ord("0"), ord("9"))],
    "w": [(ord("0"), ord("9")), (ord("A"), ord("Z")), (ord("_"), ord("_")), (ord("a"), ord("z"))],
    "s": [(9, 13), (32, 32)],
}
# No white space goes beyond this character.
_SPACES: Ranges = [(code, code) for code in range(0x3001) if chr(code).isspace()]
_CONTROLS = {"n": 10, "t": 9, "r": 13, "f": 12, "v": 11, "a": 7}
_ESCAPE = r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)"
_PART = re.compile(
    rf"""(?P<open>\((?:\?:|\?P<\w+>)?(?!\?)) | (?P<as_is>[)|])
    | (?P<repeat>[*+?] | {{(?:\d+(?:,\d*)?|,\d*)}}) (?P<lazy>\?)?
    | \[(?P<negated>\^)?(?P<members>\]?(?:{_ESCAPE}|[^\]\\])*)\]
    | (?P<escape>{_ESCAPE}) | (?P<dot>\.) | (?P<special>\(\?. | [\^$(]) | (?P<literal>.)""",
    re.VERBOSE | re.DOTALL,
)
_MEMBER = re.compile(rf"(?P<low>{_ESCAPE}|.)(?:-(?P<high>{_ESCAPE}|.))?", re.DOTALL)


def safe_pattern(pattern: str, *, in_json: bool) -> str:
    """Rewrite a pattern; whatever the result matches as a whole, Python's ``re.fullmatch`` does with the original.

    Args:
        pattern: As Python reads it. ``^`` may stand at its beginning and ``$`` at its end.
        in_json: Leave out what cannot stand in a JSON string as it is: control characters, quotes, backslashes.

    Raises:
        InvalidConfigError: If it is no pattern, or holds what cannot be forced, such as a look-ahead.
    """
    try:
        re.compile(pattern)
    except re.error as error:
        raise InvalidConfigError(f"pattern {pattern!r}: expected a pattern, got {error}. Correct it.") from error
    core = pattern.removeprefix("^")
    if core.endswith("$") and (len(core) - len(core[:-1].rstrip("\\"))) % 2 == 1:
        core = core[:-1]
    forbidden = [_SURROGATES, *(_NOT_IN_JSON if in_json else [])]
    return "".join(_rewritten(part, pattern, forbidden) for part in _PART.finditer(core))


def _rewritten(part: re.Match[str], pattern: str, forbidden: Ranges) -> str:
    if part["open"]:
        return "(?:"
    if part["as_is"]:
        return part["as_is"]
    if part["repeat"]:
        return part["repeat"].replace("{,", "{0,")  # lazy or not, the same texts match
    if part["special"]:
        raise _refused(pattern, part[0])
    if part["members"] is not None:
        ranges = _class(part["members"], pattern)
        ranges = _without([(0, _LAST)], ranges) if part["negated"] else ranges
    elif part["dot"]:
        ranges = _without([(0, _LAST)], [(10, 10)])
    else:
        ranges = _characters(part["escape"] or part["literal"], pattern)
    allowed = _without(ranges, forbidden)
    if not allowed:
        raise _refused(pattern, part[0])
    return _written(allowed)


def _class(members: str, pattern: str) -> Ranges:
    found: Ranges = []
    for member in _MEMBER.finditer(members):
        low = _characters(member["low"], pattern)
        found += low if member["high"] is None else [(low[0][0], _characters(member["high"], pattern)[0][0])]
    return found


def _characters(text: str, pattern: str) -> Ranges:
    """What one character or escape stands for."""
    if not text.startswith("\\"):
        return [(ord(text), ord(text))]
    kind = text[1]
    if kind in "xuU" and len(text) > 2:
        return [(int(text[2:], 16), int(text[2:], 16))]
    if kind in _SHORTHANDS:
        return _SHORTHANDS[kind]
    if kind == "S":
        return _without([(0, _LAST)], _SPACES)
    if kind in _CONTROLS:
        return [(_CONTROLS[kind], _CONTROLS[kind])]
    if kind.isascii() and kind.isalnum():
        raise _refused(pattern, text)
    return [(ord(kind), ord(kind))]


def _without(ranges: Ranges, removed: Iterable[tuple[int, int]]) -> Ranges:
    """The ranges, in order and without overlaps, less those that are removed."""
    left: Ranges = []
    for low, high in sorted(ranges):
        low = max(low, left[-1][1] + 1) if left else low
        if low <= high:
            left.append((low, high))
    for first, last in removed:
        left = [
            part for low, high in left for part in ((low, min(high, first - 1)), (max(low, last + 1), high))
            if part[0] <= part[1]
        ]  # fmt: skip
    return left


def _written(ranges: Ranges) -> str:
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return _character(ranges[0][0])
    parts = (_character(low) if low == high else f"{_character(low)}-{_character(high)}" for low, high in ranges)
    return f"[{''.join(parts)}]"


def _character(code: int) -> str:
    character = chr(code)
    if character.isascii() and (character.isalnum() or character in " _"):
        return character
    return f"\\u{code:04x}" if code < 0x10000 else character


def _refused(pattern: str, part: str) -> InvalidConfigError:
    return InvalidConfigError(
        f"pattern {pattern!r}: expected one that a model can be made to obey, got {part!r} in it. "
        "Write it with characters, classes such as [a-z], groups, alternatives and repetitions only."
    )
