"""Explanations read back from what ``whyrec explain --json`` writes: one JSON object a line."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from whyrec.errors import InvalidDataError
from whyrec.interfaces import Explanation

_SHOWN = ("rank", "expected", "low", "high", "score")


@dataclass(frozen=True, slots=True)
class ToldExplanation:
    """An explanation with what stood beside it in the file."""

    explanation: Explanation
    title: str
    """The item_id of an item without one."""
    answer: dict[str, float]
    """What was forecast or recommended: those of ``rank``, ``expected``, ``low``, ``high``, ``score`` that stood."""
    window: tuple[str, str] | None = None
    """Start and end of the window that a forecast is of."""

    @property
    def key(self) -> tuple[str, str]:
        """Whose and of which item; the first is empty where a list is everybody's."""
        return self.explanation.user_id or "", self.explanation.item_id


def read_explanations(path: Path) -> list[ToldExplanation]:
    """Read a file of explanations; empty lines are skipped.

    The verdict is that of the claims: a record that says otherwise is refused.

    Raises:
        InvalidDataError: Naming file and line, if anything is missing, of a wrong type or contradicts itself, or if the
            file holds none.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise InvalidDataError(
            f"{path}: expected a file of explanations, got none that can be read ({error.strerror}). Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidDataError(f"{path}: expected UTF-8 text, got other bytes ({error.reason}). Convert it.") from error
    told = [_told(line, where=f"{path} line {n}") for n, line in enumerate(lines, start=1) if line.strip()]
    if not told:
        raise InvalidDataError(
            f"{path}: expected an explanation per line, got an empty file. Write it with whyrec explain --json."
        )
    return told


def _told(line: str, *, where: str) -> ToldExplanation:
    try:
        record = json.loads(line)
        if not isinstance(record, dict):
            raise InvalidDataError(f"{where}: expected a JSON object, got {type(record).__name__}. Write {{...}}.")
        explanation = _adapter().validate_python({**record, "verdict": {"claims": record.get("claims")}})
    except ValidationError as error:
        problem = error.errors()[0]
        place = "/".join(str(part) for part in problem["loc"]) or "record"
        raise InvalidDataError(
            f"{where}, {place}: expected what whyrec explain --json writes, got: {problem['msg']}. Write it anew."
        ) from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, InvalidDataError):
            raise
        raise InvalidDataError(f"{where}: expected a JSON object, got no JSON ({error}). Write it anew.") from error
    _require_consistent(explanation, record, where=where)
    return ToldExplanation(explanation, _title(record), _numbers(record), _window(record))


def _require_consistent(explanation: Explanation, record: dict[str, object], *, where: str) -> None:
    said, found = record.get("verified"), explanation.verdict.verified
    if said is not None and said is not found:
        raise InvalidDataError(
            f"{where}, verified: expected {found} as its claims have it, got {said!r}. Write the file anew."
        )
    for n, claim in enumerate(explanation.verdict.claims):
        if explanation.text[claim.start : claim.end] != claim.text:
            raise InvalidDataError(
                f"{where}, claims/{n}: expected {claim.text!r} at {claim.start} of the text, got other words. "
                "Write the file anew."
            )


@cache
def _adapter() -> TypeAdapter[Explanation]:
    return TypeAdapter(Explanation)


def _title(record: dict[str, object]) -> str:
    return str(record.get("title") or record["item_id"])


def _numbers(record: dict[str, object]) -> dict[str, float]:
    found = {name: record.get(name) for name in _SHOWN}
    return {
        name: float(value)
        for name, value in found.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _window(record: dict[str, object]) -> tuple[str, str] | None:
    window = record.get("window")
    ends = (window.get("start"), window.get("end")) if isinstance(window, dict) else (None, None)
    return (str(ends[0]), str(ends[1])) if all(isinstance(end, str) for end in ends) else None
