"""The files of a preference study: the key that says which text was which, and the votes that raters send back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from whyrec.errors import InvalidDataError
from whyrec.runtime.strict_model import StrictModel

RunName = Literal["A", "B"]
Choice = Literal["first", "second", "same"]
"""The text shown first (left, or above), the other, or neither."""

_MOST_VOTES = 10_000
_LARGEST_FILE = 10 << 20


class StudiedRun(StrictModel):
    """One of the two runs."""

    file: str
    """Where its explanations were read."""
    writers: dict[str, int]
    """How many of those shown each wrote."""


class KeyPair(StrictModel):
    """Which run's text a pair shows first."""

    pair: str
    user_id: str
    """Empty where lists are everybody's."""
    item_id: str
    first: RunName


class StudyKey(StrictModel):
    """What the page does not tell."""

    format: Literal["whyrec study key"] = "whyrec study key"
    version: Literal[1] = 1
    study: str
    """Of which page: a hash of what it shows."""
    seed: int
    runs: dict[RunName, StudiedRun]
    pairs: tuple[KeyPair, ...]


class Vote(StrictModel):
    """What a rater said of one pair."""

    pair: Annotated[str, Field(max_length=20)]
    choice: Choice


class Votes(StrictModel):
    """What a rater sent back."""

    format: Literal["whyrec study votes"] = "whyrec study votes"
    version: Literal[1] = 1
    study: str
    rater: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")]
    """Drawn at random by the page; the same as long as the browser remembers it."""
    name: Annotated[str, Field(max_length=100)] = ""
    """What the rater calls themselves, if anything."""
    votes: Annotated[tuple[Vote, ...], Field(min_length=1, max_length=_MOST_VOTES)]

    @model_validator(mode="after")
    def _each_pair_once(self) -> Self:
        if len({vote.pair for vote in self.votes}) < len(self.votes):
            raise ValueError("two answers to one pair")
        return self


class Collected(BaseModel):
    """The votes that count, and why others do not."""

    model_config = ConfigDict(frozen=True)

    votes: tuple[Votes, ...]
    """One per rater, by rater."""
    refused: tuple[str, ...]
    """A line for each file that was left out."""


def read_key(path: Path) -> StudyKey:
    """Read a study's key.

    Raises:
        InvalidDataError: If it is none.
    """
    return _read(path, StudyKey, what="a study's key, as whyrec study build writes it")


def collect_votes(paths: Sequence[Path], *, key: StudyKey) -> Collected:
    """Read raters' files; a file that cannot count is left out and said so, and the others count.

    Of several files by one rater the one with the most answers counts: the others are earlier states of it.

    Args:
        paths: Files that the page saved, in any order.
        key: Of the study.

    Raises:
        InvalidDataError: If none can count.
    """
    counted: dict[str, tuple[Path, Votes]] = {}
    refused = []
    read = []
    for path in dict.fromkeys(paths):
        try:
            read.append((path, _votes_of(path, key)))
        except InvalidDataError as error:
            refused.append(f"left out {error}")
    for path, votes in sorted(read, key=lambda pair: (-len(pair[1].votes), str(pair[0]))):
        if votes.rater in counted:
            refused.append(
                f"left out {path}: expected one file per rater, got another of rater {votes.rater!r}, whose "
                f"{counted[votes.rater][0]} counts. Nothing needs to be done."
            )
        else:
            counted[votes.rater] = (path, votes)
    if not counted:
        first = f"; the first: {refused[0]}" if refused else ""
        raise InvalidDataError(
            f"votes: expected a file of answers to study {key.study}, got none that counts{first} "
            "Ask raters for the file that the page saves."
        )
    return Collected(votes=tuple(counted[rater][1] for rater in sorted(counted)), refused=tuple(refused))


def _votes_of(path: Path, key: StudyKey) -> Votes:
    votes = _read(path, Votes, what="a rater's answers, as the page saves them")
    if votes.study != key.study:
        raise InvalidDataError(
            f"{path}: expected answers to study {key.study}, got those to {_short(votes.study)}. Take that study's key."
        )
    known = {pair.pair for pair in key.pairs}
    for vote in votes.votes:
        if vote.pair not in known:
            raise InvalidDataError(
                f"{path}: expected pairs of the key, got {vote.pair!r}. Ask for the file as the page saved it."
            )
    return votes


_Read = TypeVar("_Read", StudyKey, Votes)


def _read(path: Path, form: type[_Read], *, what: str) -> _Read:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise InvalidDataError(f"{path}: expected {what}, got more than {_LARGEST_FILE:,} bytes. Check the file.")
        return form.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InvalidDataError(
            f"{path}: expected {what}, got none that can be read ({error.strerror}). Check the path."
        ) from error
    except ValidationError as error:
        problem = error.errors()[0]
        place = "/".join(str(part) for part in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        said = f"{place}: {message}" if place else message
        raise InvalidDataError(f"{path}: expected {what}, got something else ({said}). Check the file.") from error


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…")
