"""What M-LLM3REC says of users, items and pairs of both, whoever wrote it: a language model or ``offline``."""

from dataclasses import dataclass

from whyrec.errors import InvalidDataError

STRENGTHS = (0, 1, 2, 3)
"""None, weak, clear, strong (M7)."""


@dataclass(frozen=True, slots=True)
class Motivation:
    """One reason why a user takes things."""

    dimension: str
    """A key of the schema."""
    strength: int
    """One of ``STRENGTHS``."""
    sentence: str
    """How it shows in what the user took or said, in one line; empty only at strength 0."""
    evidence: tuple[str, ...] = ()
    """item_ids of the history that it rests on; empty where it rests on the user's own words."""

    def __post_init__(self) -> None:
        where = f"motivation {self.dimension!r}"
        if self.strength not in STRENGTHS or isinstance(self.strength, bool):
            raise InvalidDataError(f"{where}: expected a strength of 0 to 3, got {self.strength!r}. Correct it.")
        if self.strength and not self.sentence.strip():
            raise InvalidDataError(f"{where}: expected a sentence, got {self.sentence!r}. Say how it shows.")
        if "\n" in self.sentence:
            raise InvalidDataError(f"{where}: expected a sentence in one line, got {self.sentence!r}. Join its lines.")
        twice = next((item_id for item_id in self.evidence if self.evidence.count(item_id) > 1), None)
        if twice is not None:
            raise InvalidDataError(f"{where}: expected each item of evidence once, got {twice!r} twice. Keep one.")


@dataclass(frozen=True, slots=True)
class Profile:
    """Why a user takes things (m_u, see M-LLM3REC Eq. (4))."""

    user_id: str | None
    """None for somebody who is known by own words alone."""
    motivations: tuple[Motivation, ...]
    """Each dimension once at most; those left out have strength 0."""
    writer: str
    """Model name, revision and adapter; or ``offline``."""

    def __post_init__(self) -> None:
        keys = [motivation.dimension for motivation in self.motivations]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise InvalidDataError(f"{self.owner}: expected each motivation once, got {twice!r} twice. Keep one.")

    @property
    def owner(self) -> str:
        """Whose it is, for messages."""
        return "profile" if self.user_id is None else f"profile of user {self.user_id!r}"

    @property
    def present(self) -> tuple[Motivation, ...]:
        """The motivations that are there at all, the strongest first."""
        return tuple(sorted((it for it in self.motivations if it.strength), key=lambda it: -it.strength))


@dataclass(frozen=True, slots=True)
class ItemTraits:
    """What an item does for whoever takes it, in short phrases (T_i, see M-LLM3REC Eq. (7))."""

    item_id: str
    traits: tuple[str, ...]
    """At least one, the most important first."""
    writer: str
    """Model name, revision and adapter; or ``offline``."""

    def __post_init__(self) -> None:
        where = f"traits of item {self.item_id!r}"
        if not self.traits:
            raise InvalidDataError(
                f"{where}: expected at least one trait, got none. Leave the item out: its description stands in."
            )
        bad = next((trait for trait in self.traits if not trait.strip() or "\n" in trait), None)
        if bad is not None:
            raise InvalidDataError(f"{where}: expected phrases in one line each, got {bad!r}. Leave it out.")
        twice = next((trait for trait in self.traits if self.traits.count(trait) > 1), None)
        if twice is not None:
            raise InvalidDataError(f"{where}: expected each trait once, got {twice!r} twice. Keep one.")


@dataclass(frozen=True, slots=True)
class Rationale:
    """Why an item fits a user: one motivation of the profile, one trait of the item, and a sentence on both (M9)."""

    item_id: str
    dimension: str
    trait: str
    sentence: str
    writer: str
