"""The shapes of answers, for the OpenAPI document alone: answers themselves are stored bytes, not made from these."""

from pydantic import Field

from whyrec.serving.documents import (
    Board,
    Document,
    Entry,
    ExplanationDocument,
    ItemPage,
    Match,
    PersonalList,
    UserPage,
)


class ServedBoard(Board):
    """Some places of a board."""

    version: int
    """Of what was published."""
    total: int = Field(ge=0)
    """Places there are, after filters."""


class ServedList(PersonalList):
    """Some places of a user's list."""

    version: int
    total: int = Field(ge=0)
    """Places there are, after filters."""


class ServedItem(ItemPage):
    """An item."""

    version: int


class ServedUser(UserPage):
    """A user."""

    version: int


class ServedExplanation(ExplanationDocument):
    """An explanation."""

    version: int


class Matches(Document):
    """Titles that were found, the best first."""

    version: int
    query: str
    items: tuple[Match, ...]


class ShiftedEntry(Document):
    """One place of a list with more or less of an aspect."""

    rank: int
    rank_before: int | None
    """None if it came in."""
    item_id: str
    title: str
    score: float


class Shifted(Document):
    """A user's list with more or less of an aspect."""

    version: int
    user_id: str
    aspect: str
    amount: float
    mean_level_before: float
    mean_level_after: float
    entries: tuple[ShiftedEntry, ...]
    left: tuple[Match, ...]
    """What is no longer among the first k."""


class StatedList(Document):
    """A list for what somebody says they want."""

    version: int
    entries: tuple[Entry, ...]


class ShownAspect(Document):
    """A readable scale."""

    key: str
    name: str
    low: str
    """What 1 stands for."""
    high: str
    """What 10 stands for."""


class Health(Document):
    """How the server is."""

    status: str


class Readiness(Document):
    """That the server can serve."""

    status: str
    version: int
    """That is served."""
