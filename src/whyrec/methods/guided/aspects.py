"""The aspects on which things and people are scored: lists that are data, one file per domain.

A file names what the things are called and, for each aspect, what 1 and 10 stand for. Another domain is another file,
no code; ``aspects_movies.toml`` beside this module shows the form.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Self, cast

from pydantic import Field, StringConstraints, field_validator, model_validator

from whyrec.errors import InvalidConfigError
from whyrec.runtime.config import read_toml, validated
from whyrec.runtime.strict_model import StrictModel

LOWEST, HIGHEST = 1, 10
"""Scores of an aspect (GER §4.2.1)."""
LEVELS = tuple(range(LOWEST, HIGHEST + 1))

ID_COLUMN = "id"
"""Stands beside the aspects in files of scores, so that no aspect can be called so."""

_PREFIX = "aspects_"
_POLES = ("low", "high")
_FEWEST_DESCRIPTIONS = 3

_Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\r\n<>]+$")]


class Pole(StrictModel):
    """One end of a scale."""

    means: _Line
    """In a few words, as it stands in a prompt."""
    descriptions: tuple[_Line, ...] = Field(min_length=_FEWEST_DESCRIPTIONS)
    """How one speaks of things at this end, in several ways: what texts are compared with."""
    labels: Mapping[_Line, tuple[_Line, ...]] = Field(default_factory=dict)
    """Values of the catalogue that name this end, by column, such as genres: weak labels, which may be wrong."""


class Fact(StrictModel):
    """A column of the catalogue that answers for itself, such as length, year or price."""

    columns: tuple[_Line, ...] = Field(min_length=1)
    """The first of these that the catalogue has."""
    low: float
    """The value that scores 1; it may be the larger one."""
    high: float
    """The value that scores 10."""
    logarithmic: bool = False
    """Between them by ratio, not by difference, as suits prices."""

    @model_validator(mode="after")
    def _ends_differ(self) -> Self:
        if self.low == self.high:
            raise ValueError(f"expected low and high to differ, both are {self.low:g}")
        if self.logarithmic and min(self.low, self.high) <= 0:
            raise ValueError(f"expected low and high above 0 where logarithmic, got {min(self.low, self.high):g}")
        return self


class Aspect(StrictModel):
    """One scale."""

    key: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    """As files and columns call it."""
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 &,'.()/-]{0,59}$")]
    """As a person would call it, in lower case; answers of a language model name it."""
    meaning: _Line
    """One sentence on what it is about."""
    low: Pole
    """What 1 stands for."""
    high: Pole
    """What 10 stands for."""
    fact: Fact | None = None
    """Where the catalogue answers by itself."""

    @field_validator("key")
    @classmethod
    def _is_no_id(cls, key: str) -> str:
        if key == ID_COLUMN:
            raise ValueError(f"expected another key than {ID_COLUMN!r}, which is a column of every file of scores")
        return key


class AspectSet(StrictModel):
    """The aspects of a domain, in their order (a_1 to a_k of GER §3.1; Appendix C)."""

    domain: _Line
    """What the things are called together: ``movies``."""
    thing: _Line
    """What one of them is called: ``movie``."""
    aspect: tuple[Aspect, ...] = Field(min_length=1)
    """The scales, as tables ``[[aspect]]`` of a TOML file."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for what, values in (("key", self.keys), ("name", self.names)):
            twice = _repeated(values)
            if twice is not None:
                raise ValueError(f"expected each {what} once, {twice!r} stands twice")
        return self

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a set from a TOML file.

        Raises:
            InvalidConfigError: If it cannot be read or is no set of aspects; the message says where.
        """
        content = read_toml(path)
        _require_whole(content, where=str(path))
        return validated(cls, content, where=str(path))

    @property
    def aspects(self) -> tuple[Aspect, ...]:
        """The scales, in their order."""
        return self.aspect

    @property
    def keys(self) -> tuple[str, ...]:
        """Their keys, in their order."""
        return tuple(aspect.key for aspect in self.aspect)

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, in their order."""
        return tuple(aspect.name for aspect in self.aspect)

    def chosen(self, keys: Sequence[str]) -> "AspectSet":
        """The same set with some of its aspects, in a given order, as for the study of 3, 6, 9 and 12.

        Raises:
            InvalidConfigError: If there is none, one is unknown or stands twice.
        """
        by_key = {aspect.key: aspect for aspect in self.aspect}
        unknown = next((key for key in keys if key not in by_key), None)
        if unknown is not None or not keys or _repeated(keys) is not None:
            raise InvalidConfigError(
                f"aspects of {self.domain}: expected some of {', '.join(self.keys)}, each once, got "
                f"{unknown if unknown is not None else ', '.join(keys) or 'none'}. Correct the choice."
            )
        return AspectSet(domain=self.domain, thing=self.thing, aspect=tuple(by_key[key] for key in keys))


def domains() -> tuple[str, ...]:
    """The domains that come with the package."""
    return tuple(sorted(path.stem.removeprefix(_PREFIX) for path in Path(__file__).parent.glob(f"{_PREFIX}*.toml")))


@cache
def bundled_aspects(domain: str) -> AspectSet:
    """A set that comes with the package: movies, clothing and games are the paper's, the others ours.

    Raises:
        InvalidConfigError: If there is none of this name.
    """
    if domain not in domains():
        raise InvalidConfigError(
            f"aspects: expected one of {', '.join(domains())}, got {domain!r}. Choose one, or give a file of your own."
        )
    return AspectSet.read(Path(__file__).with_name(f"{_PREFIX}{domain}.toml"))


def _require_whole(content: Mapping[str, object], *, where: str) -> None:
    """Say in one line what is most often wrong with a file; what else is, its model says.

    Raises:
        InvalidConfigError: If there is no aspect, one stands twice, or one lacks a pole or descriptions of it.
    """
    found = content.get("aspect")
    entries = [it for it in found if isinstance(it, dict)] if isinstance(found, list) else []
    if not entries:
        raise InvalidConfigError(f"{where}: expected tables [[aspect]], got none. Write one for each scale.")
    for what in ("key", "name"):
        twice = _repeated([str(entry[what]) for entry in entries if what in entry])
        if twice is not None:
            raise InvalidConfigError(f"{where}: expected each {what} once, got {twice!r} twice. Rename or remove one.")
    for place, entry in enumerate(entries, start=1):
        _require_poles(entry, where=f"{where}, aspect {entry.get('key', place)!r}")


def _require_poles(entry: Mapping[str, object], *, where: str) -> None:
    missing = [pole for pole in _POLES if not isinstance(entry.get(pole), dict)]
    if missing:
        raise InvalidConfigError(
            f"{where}: expected tables [aspect.low] and [aspect.high], got none of {' and '.join(missing)}. Say what "
            f"{LOWEST} and {HIGHEST} stand for."
        )
    for pole in _POLES:
        told = cast("dict[str, object]", entry[pole]).get("descriptions")
        n = len(told) if isinstance(told, list) else 0
        if n < _FEWEST_DESCRIPTIONS:
            raise InvalidConfigError(
                f"{where}, {pole}: expected at least {_FEWEST_DESCRIPTIONS} descriptions, got {n}. Say it in other "
                "words."
            )


def _repeated(values: Sequence[str]) -> str | None:
    return next((value for value in values if values.count(value) > 1), None)
