"""What is published and served: one document per list, explanation, item and user, the same in store, API and page.

Documents are written once, when a version is published, and served as they are; so this file is what the exporter, the
store, the HTTP API and the web page agree on.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from whyrec.runtime.strict_model import StrictModel

NEXT = "next"
"""The board of the coming window, as forecast."""

ListSource = Literal["personal", "blended", "trending"]
"""``personal``: ranked for this user; ``blended``: personal places among trending ones; ``trending``: for everybody."""
Attributes = Mapping[str, tuple[str, ...]]
"""Catalogue columns but id, title and description, each with its values as text."""


class Document(StrictModel):
    """Base of all: immutable, closed, its fields described where they stand."""


class Reason(Document):
    """Why an entry stands in its list, in a sentence or two."""

    text: str
    writer: str
    """Model name, revision and adapter; or ``offline``."""
    verified: bool
    """Whether every claim of the whole explanation was checked and holds."""
    n_claims: int = Field(ge=0)
    """Of the whole explanation."""
    n_supported: int = Field(ge=0)
    basis: ListSource
    """Whether it speaks of the user or of what everybody takes."""


class Entry(Document):
    """One place of a list."""

    rank: int = Field(ge=1)
    item_id: str
    title: str
    score: float
    """Orders the list; higher is better."""
    attributes: Attributes
    reason: Reason | None
    """None beyond the depth that reasons were published to."""


class BoardEntry(Entry):
    """One place of what is trending."""

    expected: float | None
    """Distinct users in the window: forecast on the board of the coming window, counted on the others."""
    low: float | None
    high: float | None
    """The 80% interval of a forecast."""
    recent: tuple[int, ...]
    """Distinct users a day, the oldest first, over the days before the moment of publishing: for a sparkline."""


class Board(Document):
    """What is trending in one window, for everybody."""

    window: str
    """``next``, or of the past ``7d``, ``30d``, ..."""
    label: str
    """As a person would say it: "the 30 days from 7 November 2013"."""
    start: datetime
    end: datetime
    method: str
    """What made it: a forecaster's label, or ``counts``."""
    entries: tuple[BoardEntry, ...]


class PersonalList(Document):
    """What is recommended to a user."""

    user_id: str
    method: str
    source: ListSource
    note: str
    """In words, on whose taste it rests: "from the 34 films that you rated" or "no history yet: what is trending"."""
    entries: tuple[Entry, ...]


class ClaimDocument(Document):
    """One checked statement of an explanation, as ``interfaces.Claim``."""

    kind: str
    text: str
    start: int
    end: int
    supported: bool
    evidence_ids: tuple[str, ...]
    problem: str


class EvidenceDocument(Document):
    """One fact that claims rest on, as ``interfaces.Evidence``."""

    id: str
    kind: str
    label: str
    value: str | float
    unit: str


class DriverDocument(Document):
    """What moves a forecast, as ``interfaces.Driver``."""

    id: str
    label: str
    effect: float
    """0.4 means 40% more than the items around it."""


class AttendedReasonDocument(Document):
    """A reason of another user that the ranking looked at; whose it is, is not told."""

    text: str
    timestamp: datetime
    writer: str
    verified: bool
    attention: float | None
    """Share from 0 to 1; None where reasons have no part in the ranking."""


class AspectBar(Document):
    """Where user and item stand on one readable scale, and what it does to the score."""

    key: str
    name: str
    low: str
    """What 1 stands for."""
    high: str
    """What 10 stands for."""
    user_level: float | None
    item_level: float | None
    mean_level: float | None
    """Of the catalogue."""
    push: float | None
    """How far it moves this item up (above 0) or down; None where no pair is spoken of."""


class ExplanationDocument(Document):
    """A whole explanation: text, claims with their verdicts, evidence, and what the method adds."""

    item_id: str
    title: str
    user_id: str | None
    """None for a reason that is the same for everybody."""
    method: str
    rank: int | None
    score: float | None
    text: str
    sections: Mapping[str, str]
    claims: tuple[ClaimDocument, ...]
    evidence: tuple[EvidenceDocument, ...]
    writer: str
    verified: bool
    drivers: tuple[DriverDocument, ...] = ()
    reasons: tuple[AttendedReasonDocument, ...] = ()
    unattended: float | None = None
    """Share of the attention that goes to none of the reasons."""
    aspects: tuple[AspectBar, ...] = ()
    base_push: float | None = None
    """With the pushes of all aspects, how far the score lies above the user's mean."""


class HistoryPoint(Document):
    """Distinct users of an item in one window."""

    id: str
    """That evidence names it by: ``month:2013-10``."""
    label: str
    start: datetime
    end: datetime
    users: int
    complete: bool
    """False where the window was seen in part only."""


class Forecast(Document):
    """What is expected of an item in the coming window."""

    start: datetime
    end: datetime
    rank: int
    expected: float | None
    low: float | None
    high: float | None
    method: str


class TraitDocument(Document):
    """What an item is known for, or why a user takes things."""

    key: str
    name: str
    strength: float | None
    """From 0 to 1."""
    text: str
    """In words, empty where nothing more is said."""


class ItemPage(Document):
    """Everything published about an item."""

    item_id: str
    title: str
    description: str
    attributes: Attributes
    first_seen: date | None
    total_users: int
    history: tuple[HistoryPoint, ...]
    forecast: Forecast | None
    traits: tuple[TraitDocument, ...]
    aspects: tuple[AspectBar, ...]
    explanation: ExplanationDocument | None
    """Of the forecast, for everybody."""


class Pattern(Document):
    """What a user is taken to be interested in, in words."""

    text: str
    writer: str
    verified: bool


class RecentItem(Document):
    """Something that a user took."""

    item_id: str
    title: str
    timestamp: datetime


class UserPage(Document):
    """Everything published about a user."""

    user_id: str
    n_interactions: int
    newest: tuple[RecentItem, ...]
    """The latest first."""
    methods: tuple[str, ...]
    """Of whose lists there is one for this user."""
    pattern: Pattern | None
    motivations: tuple[TraitDocument, ...]
    aspects: tuple[AspectBar, ...]


class RunRecord(Document):
    """A fitted run that a version was made from."""

    method: str
    directory: str
    """Where it lay when it was published; the API tells the last part alone."""
    fitted_until: datetime


class VersionRecord(Document):
    """One published state of everything."""

    id: int
    created: datetime
    dataset: str
    at: datetime
    """Only interactions strictly before it were read."""
    runs: tuple[RunRecord, ...]
    """The recommenders in the order of preference; the first makes the list that is served by default."""
    windows: tuple[str, ...]
    n_users: int
    n_items: int
    n_explanations: int
    n_unverified: int
    """Explanations published whose claims do not all hold; each is marked."""


class Match(Document):
    """A title that was searched for."""

    item_id: str
    title: str


class NewInteraction(Document):
    """One interaction sent to the server."""

    user_id: Annotated[str, Field(min_length=1, max_length=200)]
    item_id: Annotated[str, Field(min_length=1, max_length=200)]
    timestamp: datetime
    """With an offset; not in the future."""
    rating: float | None = None


class Receipt(Document):
    """What was kept, durably, of a batch of interactions."""

    key: str
    accepted: int
    repeated: bool
    """Whether the same batch was received before: nothing was kept twice."""


class Erased(Document):
    """What was removed of a user."""

    user_id: str
    interactions: int
    lists: int
    explanations: int
    profiles: int
