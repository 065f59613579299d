"""The motivations that a profile may name: a list that is data, so that another field can have another one."""

from functools import cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from whyrec.errors import InvalidDataError
from whyrec.methods.mllm3rec.artefacts import Profile
from whyrec.runtime.config import read_toml, validated
from whyrec.runtime.strict_model import StrictModel

DEFAULT_SCHEMA = Path(__file__).with_name("motivations.toml")
"""The ten motivations of deviation M7."""

_Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\r\n<>]+$")]


class Dimension(StrictModel):
    """One motivation."""

    key: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    """As prompts, answers and files call it."""
    name: _Line
    """As a person would call it, in lower case: it stands inside sentences."""
    meaning: _Line
    """One sentence."""
    descriptions: tuple[_Line, ...] = Field(min_length=1)
    """How one speaks of things that serve it, in a few ways: what texts are compared with."""


class MotivationSchema(StrictModel):
    """The motivations, in their order (M-LLM3REC §3.1.1: the predefined schema)."""

    motivation: tuple[Dimension, ...] = Field(min_length=1)
    """The dimensions, as tables ``[[motivation]]`` of a TOML file."""

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        for what, values in (("key", self.keys), ("name", self.names)):
            twice = next((value for value in values if values.count(value) > 1), None)
            if twice is not None:
                raise ValueError(f"expected each {what} once, got {twice!r} twice")
        return self

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a schema from a TOML file; ``motivations.toml`` beside this module shows the form.

        Raises:
            InvalidConfigError: If it cannot be read or is no schema; the message says where.
        """
        return validated(cls, read_toml(path), where=str(path))

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """The motivations, in their order."""
        return self.motivation

    @property
    def keys(self) -> tuple[str, ...]:
        """Their keys, in their order."""
        return tuple(dimension.key for dimension in self.motivation)

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, in their order."""
        return tuple(dimension.name for dimension in self.motivation)

    def dimension(self, key: str) -> Dimension:
        """A motivation by its key.

        Raises:
            InvalidDataError: If there is none of this key.
        """
        for dimension in self.motivation:
            if dimension.key == key:
                return dimension
        raise InvalidDataError(
            f"motivation: expected one of {', '.join(self.keys)}, got {key!r}. Choose one, or give another schema."
        )

    def require(self, profile: Profile) -> Profile:
        """A profile that names nothing but this schema's motivations, as it is.

        Raises:
            InvalidDataError: If it names another.
        """
        unknown = next((it.dimension for it in profile.motivations if it.dimension not in self.keys), None)
        if unknown is not None:
            raise InvalidDataError(
                f"{profile.owner}: expected motivations of {', '.join(self.keys)}, got {unknown!r}. Write it by this "
                "schema, or give the schema that it was written by."
            )
        return profile

    def strengths(self, profile: Profile) -> list[int]:
        """How strong each motivation is in a profile, in the schema's order; 0 where it names none.

        Raises:
            InvalidDataError: As ``require``.
        """
        found = {it.dimension: it.strength for it in self.require(profile).motivations}
        return [found.get(key, 0) for key in self.keys]


@cache
def default_schema() -> MotivationSchema:
    """The ten motivations that come with the package (M7)."""
    return MotivationSchema.read(DEFAULT_SCHEMA)
