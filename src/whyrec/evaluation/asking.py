"""The rule for texts that a language model writes: ask, verify, ask again naming what did not hold, and count.

What never holds is the caller's to replace, by the writer that needs no model, whose name then stands beside it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from whyrec.interfaces import Verdict

Text = TypeVar("Text")

ATTEMPTS = 3
"""How often a text is asked for. Chosen."""
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Attempt(Generic[Text]):
    """A text that could be read, and whether it may be used."""

    text: Text
    verdict: Verdict
    is_good: bool


@dataclass
class AskingCounts:
    """What became of the texts that were asked for."""

    asked: int = 0
    attempts: int = 0
    unreadable: int = 0
    """Attempts that had not the form, or were cut."""
    refused: int = 0
    """Attempts with a claim that the data do not bear out."""
    at_once: int = 0
    """Texts whose first attempt was good."""
    by_model: int = 0
    """Texts that are the model's in the end."""
    refused_kinds: Counter[str] = field(default_factory=Counter)
    """Kinds of claims that were not borne out, over all attempts."""

    def summary(self) -> str:
        """One line for the end of a run."""
        return (
            f"{self.asked:,} asked for: {self.by_model:,} by the model ({self.at_once:,} at once), "
            f"{self.asked - self.by_model:,} left to the offline writer; of {self.attempts:,} attempts "
            f"{self.unreadable:,} could not be read, {self.refused:,} were refused"
        )


class Asking(Protocol[Text]):
    """Asks for some of the texts once more."""

    def __call__(
        self, places: Sequence[int], failed: Mapping[int, Attempt[Text]], *, attempt: int
    ) -> Sequence[Attempt[Text] | None]:
        """Answer for each of ``places``, with what each failed with before, if it could be read; None if not read."""
        ...


def ask_until_verified(n: int, ask: Asking[Text], *, counts: AskingCounts, attempts: int = ATTEMPTS) -> dict[int, Text]:
    """Ask for texts until they hold, a bounded number of times.

    Args:
        n: How many texts, known by their places from 0.
        ask: Asks and verifies.
        counts: Added to.
        attempts: At least 1.

    Returns:
        Good texts by place; those that never were are missing.
    """
    counts.asked += n
    found: dict[int, Text] = {}
    failed: dict[int, Attempt[Text]] = {}
    for attempt in range(attempts):
        places = [place for place in range(n) if place not in found]
        if not places:
            break
        for place, answer in zip(places, ask(places, failed, attempt=attempt), strict=True):
            counts.attempts += 1
            if answer is None:
                counts.unreadable += 1
                continue
            counts.refused_kinds.update(claim.kind for claim in answer.verdict.unsupported)
            if answer.is_good:
                found[place] = answer.text
                counts.at_once += attempt == 0
            else:
                failed[place] = answer
                counts.refused += 1
    counts.by_model += len(found)
    return found


def correction(verdict: Verdict) -> str:
    """What a model is told of a text that failed: every statement that does not hold, and what the data say instead."""
    wrong = verdict.unsupported
    named = [f'- "{claim.text}"{f": {claim.problem}" if claim.problem else ""}' for claim in wrong[:_MOST_NAMED]]
    more = [f"- and {len(wrong) - _MOST_NAMED} more"] if len(wrong) > _MOST_NAMED else []
    return "\n".join(
        [
            "These statements of your text are not borne out by the inputs:",
            *named,
            *more,
            "Write the whole text again, in the same form, without them and without anything else that the inputs do "
            "not say.",
        ]
    )


def tally(records: Sequence[Mapping[str, object]]) -> str:
    """What a run's explanations came to, in one line: how many are verified, how many are marked as not, who wrote.

    Args:
        records: As ``Explanation.record`` makes them.
    """
    n_verified = sum(record["verified"] is True for record in records)
    writers = Counter(str(record["writer"]) for record in records)
    written = ", ".join(f"{n:,} by {writer}" for writer, n in writers.most_common())
    marked = len(records) - n_verified
    told = f"{len(records):,} explained: {n_verified:,} verified, {marked:,} marked as not verified"
    return f"{told}; written: {written}" if written else told
