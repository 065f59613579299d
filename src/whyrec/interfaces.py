"""What every method promises (Forecaster, Recommender) and what every answer is made of (Explanation, Evidence).

Frames are polars, ids are the caller's own strings, times are aware UTC, intervals are half-open ``[start, end)``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, Self, runtime_checkable

import polars as pl

from whyrec.data.dataset import Dataset
from whyrec.data.windows import Window

ClaimKind = Literal[
    "number", "month", "direction", "peak", "attribute", "title", "aspect", "score", "motivation", "trait", "hidden"
]
"""``aspect``: an interest of a user; ``score``: a level on a readable scale, or what it adds to a score;
``motivation``: why a user takes things; ``trait``: what an item is known for; ``hidden``: characters that nobody sees,
which never hold."""

FORECAST_SCHEMA = {
    "item_id": pl.String,
    "score": pl.Float64,
    "rank": pl.UInt32,
    "expected": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}
"""``score`` orders the list (higher is better, ``rank`` is 1-based); ``expected`` is the forecast number of distinct
users in the coming window and ``[low, high]`` its 80% interval, null where a forecaster states none."""


RECOMMENDATION_SCHEMA = {"user_id": pl.String, "item_id": pl.String, "score": pl.Float64, "rank": pl.UInt32}
"""One row per entry of a list; ``rank`` is 1-based within the user, a higher ``score`` is better."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact that an explanation may rest on, addressable by ``id``."""

    id: str
    """Unique within the explanation: ``month:2013-10``, ``attribute:genres``, ``aspect:genres=western``, ..."""
    kind: Literal["series", "attribute", "recent", "forecast", "driver", "title", "interaction", "aspect"]
    label: str
    """As a person would say it: "October 2013", "genres"."""
    value: str | float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """One checkable statement found in an explanation's text, and whether the evidence bears it out."""

    kind: ClaimKind
    text: str
    start: int
    """Offset of the claim's first character in the explanation's text."""
    end: int
    """Offset one past its last character."""
    supported: bool
    evidence_ids: tuple[str, ...] = ()
    problem: str = ""
    """What the evidence says instead; empty when supported."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """All claims of one explanation with their checks."""

    claims: tuple[Claim, ...]

    @property
    def verified(self) -> bool:
        """True when at least one claim was found and all are supported."""
        return bool(self.claims) and all(claim.supported for claim in self.claims)

    @property
    def unsupported(self) -> tuple[Claim, ...]:
        """The claims that the evidence contradicts or does not mention."""
        return tuple(claim for claim in self.claims if not claim.supported)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A reason in words, the evidence it rests on, and the verdict of checking one against the other."""

    item_id: str
    text: str
    sections: Mapping[str, str]
    evidence: tuple[Evidence, ...]
    verdict: Verdict
    writer: str
    """Model name, revision and adapter; or ``offline`` when no language model wrote it."""
    user_id: str | None = None

    def record(self) -> dict[str, object]:
        """Text, claims with their verdicts and evidence, as JSON holds them."""
        return {
            "writer": self.writer,
            "verified": self.verdict.verified,
            "text": self.text,
            "sections": dict(self.sections),
            "claims": [asdict(claim) for claim in self.verdict.claims],
            "evidence": [asdict(evidence) for evidence in self.evidence],
        }


@dataclass(frozen=True, slots=True)
class Driver:
    """How much one group of inputs moves an item's forecast, from the model's own feature contributions."""

    id: str
    """Stable name of the group: ``recency``, ``growth``, ``age``, ``season``, ``catalogue``, ``text``, ..."""
    label: str
    """As a person would say it: "the last seven days"."""
    effect: float
    """Multiplicative change of the expected users against a reference, such as the top hundred of the list.

    0.4 means 40% more, -0.2 means 20% fewer.
    """
    inputs: Mapping[str, float] = field(default_factory=dict)
    """The raw feature values behind the group, for the curious."""


@dataclass(frozen=True, slots=True)
class ForecastPoint:
    """One item's row of a forecast, with the window it speaks of."""

    item_id: str
    window: Window
    rank: int
    expected: float
    """Forecast number of distinct users in the window."""
    low: float
    high: float


@runtime_checkable
class Forecaster(Protocol):
    """Ranks the whole catalogue for the coming window. One list for everybody."""

    def fit(self, data: Dataset, *, until: datetime) -> Self:
        """Learn from interactions strictly before ``until``."""
        ...

    def forecast(self, data: Dataset, *, at: datetime, k: int | None = None) -> pl.DataFrame:
        """Rank items for the window that starts at ``at``, from interactions strictly before it.

        Returns:
            Columns of ``FORECAST_SCHEMA``, best first; the first ``k`` rows, or all items.
        """
        ...

    def save(self, directory: Path) -> None:
        """Write the fitted state as JSON, safetensors, Parquet or LightGBM text; never pickle."""
        ...

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what ``save`` wrote."""
        ...


@runtime_checkable
class Recommender(Protocol):
    """Ranks items for one user at a time."""

    def fit(self, data: Dataset, *, until: datetime) -> Self:
        """Learn from interactions strictly before ``until``."""
        ...

    def recommend(
        self,
        data: Dataset,
        *,
        user_ids: Sequence[str],
        k: int = 10,
        filter_seen: bool = True,
        candidates: pl.DataFrame | None = None,
        unknown: Literal["fallback", "raise", "skip"] = "fallback",
        at: datetime | None = None,
    ) -> pl.DataFrame:
        """Rank items for each user, from interactions strictly before ``at`` (None: all of ``data``).

        Returns:
            Columns ``user_id, item_id, score, rank``; ``rank`` is 1-based.
        """
        ...

    def save(self, directory: Path) -> None:
        """Write the fitted state; never pickle."""
        ...

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what ``save`` wrote."""
        ...
