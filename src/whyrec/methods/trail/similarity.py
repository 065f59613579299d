"""How alike two training samples are: TRAIL §4.1 with the form of its terms that ``paper.toml`` argues for (T4 to T8).

A sample's target takes part in it, so that it belongs to training alone: nothing that forecasts may import this module.

Trend. Histories, at most the newest ``max_history`` windows, become log(1 + users), then deviations from their mean in
units of their standard deviation (a flat one becomes zeros), then whole multiples of 1/8192. D is the least sum of
absolute differences along a warping path and L the number of points of that path; of several paths with this D, of the
shortest. The similarity is ``exp(-D / L - level_weight * |difference of levels|)``, a level being the mean of
log(1 + users) over the last three windows. Whole numbers have no rounding: D, L and ties are the same everywhere.

Latest. ``exp(-difference^2 / (2 sigma^2))`` of log changes from the last window to the target; between samples without
a history, of the targets' log(1 + users).

Metadata. The cosine, of vectors brought to whole multiples of 1/4000: matrix products of them in single precision are
exact, whatever their order.

Total. The weighted mean of the terms that are defined for a pair; minus infinity where none has a weight.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray
from pydantic import Field

from whyrec.errors import InvalidDataError
from whyrec.methods.trail import dtw
from whyrec.runtime.strict_model import StrictModel

_SHAPE_UNITS = 2**13
"""Steps per standard deviation: distances of 60 points then fit 23 bits, and the path's length the seven below."""
_TEXT_UNITS = 4000
"""Steps of a unit vector's components: sums of products stay below 2^24, so far single precision counts exactly."""


class SimilarityConfig(StrictModel):
    """What counts how much when two samples are compared."""

    trend_weight: float = Field(default=0.4, ge=0)
    """alpha of TRAIL §4.1.4. Paper: 0.4."""
    latest_weight: float = Field(default=0.2, ge=0)
    """beta. Paper: 0.2."""
    metadata_weight: float = Field(default=0.4, ge=0)
    """gamma. Paper: 0.4."""
    trend: Literal["shape", "raw"] = "shape"
    """``shape``: as above (T4). ``raw``: 1 / (1 + D) of the counts, without a level term, as the paper prints it."""
    band: int | None = Field(default=None, ge=0)
    """Windows by which warping may shift a point; None: any. Chosen: histories start at release, at different ages."""
    max_history: int = Field(default=36, ge=1, le=dtw.LONGEST)
    """Newest windows of a history that are compared. Chosen: three years of months."""
    level_weight: float = Field(default=0.25, ge=0)
    """Of the difference of levels (T5). Chosen: ten times as many users, in the same shape, keep 0.56."""
    level_windows: int = Field(default=3, ge=1)
    """Last windows whose mean log(1 + users) is the level."""
    sigma: float = Field(default=0.5, gt=0)
    """Difference of log changes at which the latest similarity is exp(-1/2) (T8)."""


@dataclass(frozen=True, eq=False)
class SampleFeatures:
    """What is compared of S samples."""

    series: dtw.SeriesTable
    """Histories as whole numbers; empty ones too."""
    level: Float[np.ndarray, " S"]
    """Mean log(1 + users) of the last windows; 0 without a history."""
    change: Float[np.ndarray, " S"]
    """Log change into the target window; without a history, log(1 + users) of it."""
    text: Float[np.ndarray, "S D"]
    """Whole numbers: unit vectors times 4000."""

    def __len__(self) -> int:
        return len(self.change)

    def take(self, rows: NDArray[np.int64]) -> "SampleFeatures":
        """Some of the samples, in the order given."""
        return SampleFeatures(self.series.take(rows), self.level[rows], self.change[rows], self.text[rows])


def sample_features(
    histories: Sequence[Int[np.ndarray, " T"]],
    targets: Int[np.ndarray, " S"],
    text: Float[np.ndarray, "S D"],
    *,
    config: SimilarityConfig,
) -> SampleFeatures:
    """Prepare samples for comparison.

    Args:
        histories: Users per window before each sample's cut-off, oldest first; may be empty.
        targets: Users in the window after it.
        text: Vectors of the descriptions, of length 1.
        config: The settings.

    Raises:
        InvalidDataError: If lengths differ, a count is negative, a vector is not of length 1, or raw counts are so
            large that a distance may not fit 32 bits.
    """
    _check(histories, targets, text)
    kept = [np.asarray(history, dtype=np.int64)[-config.max_history :] for history in histories]
    shapes = [_shape(history) for history in kept] if config.trend == "shape" else kept
    return SampleFeatures(
        series=dtw.SeriesTable.of(shapes, where="histories"),
        level=np.array([_level(history, config.level_windows) for history in kept], dtype=np.float64),
        change=np.log1p(targets) - np.array([np.log1p(history[-1]) if len(history) else 0.0 for history in kept]),
        text=np.rint(text * _TEXT_UNITS).astype(np.float32),
    )


def similarity_matrix(samples: SampleFeatures, *, config: SimilarityConfig) -> Float[np.ndarray, "S S"]:
    """Compare all pairs of a few samples, such as a batch; for a training set see ``neighbours``."""
    cosines, everything = text_products(samples, slice(None)), np.arange(len(samples))
    return np.stack(
        [
            similarities(samples, row, everything, text_product=cosines[row], config=config)
            for row in range(len(samples))
        ]
    )


def text_products(samples: SampleFeatures, rows: slice) -> Float[np.ndarray, "R S"]:
    """Products of some samples' vectors with all, exact whole numbers in single precision."""
    products: NDArray[np.float32] = samples.text[rows] @ samples.text.T
    return products


def similarities(
    samples: SampleFeatures,
    row: int,
    rows: Int[np.ndarray, " R"],
    *,
    text_product: Float[np.ndarray, " R"],
    config: SimilarityConfig,
    at_least: float = -np.inf,
) -> Float[np.ndarray, " R"]:
    """Compare one sample with some others.

    Args:
        samples: All samples.
        row: The one.
        rows: The others.
        text_product: Of the vectors, as ``text_products`` gives them.
        config: The settings.
        at_least: What is below it need not be known.

    Returns:
        Exact where at least ``at_least``; else something below it, that or minus infinity.
    """
    terms = _Terms.of(samples, row, rows, text_product=text_product, config=config)
    trend = np.zeros(len(rows))
    trended = np.flatnonzero(terms.has_trend)
    if len(trended):
        lengths = samples.series.lengths
        others = rows[trended]
        needed = terms.least_trend(at_least)[trended]
        limits = _largest_distance(
            needed, terms.level_gap[trended], longest_path=lengths[row] + lengths[others] - 1, config=config
        )
        step = int(config.trend == "shape")
        found = dtw.distances(samples.series, row, others, limits=limits, step=step, band=config.band)
        near = found <= limits
        trend[trended] = -np.inf
        trend[trended[near]] = _trend(found[near], terms.level_gap[trended[near]], config=config)
    return terms.total(trend)


def greatest_similarities(
    samples: SampleFeatures, row: int, *, text_product: Float[np.ndarray, " S"], config: SimilarityConfig
) -> Float[np.ndarray, " S"]:
    """Bound the similarities of one sample to all from above, without warping any history.

    Args:
        samples: All samples.
        row: The one.
        text_product: Of its vector with all.
        config: The settings.

    Returns:
        At least the similarity, by a hair more where the two are equal but for rounding.
    """
    terms = _Terms.of(samples, row, slice(None), text_product=text_product, config=config)
    lengths = samples.series.lengths
    least = dtw.least_bounds(samples.series, row)
    if config.trend == "shape":
        shortest_ratio = least / (dtw.PATH_UNIT * _SHAPE_UNITS) / np.maximum(lengths[row] + lengths - 1, 1)
        trend = np.exp(-shortest_ratio - config.level_weight * terms.level_gap)
    else:
        trend = 1.0 / (1.0 + least)
    return terms.total(np.where(terms.has_trend, trend, 0.0)) + _ROUNDING


_ROUNDING = 1e-12
"""More than the rounding of a weighted mean of three numbers below 1."""


@dataclass(frozen=True, eq=False, slots=True)
class _Terms:
    """Everything about pairs of one sample and others but the warping."""

    has_trend: NDArray[np.bool_]
    level_gap: NDArray[np.float64]
    known: NDArray[np.float64]
    """Weighted sum of the latest and metadata terms."""
    weight: NDArray[np.float64]
    """Sum of the weights of terms that are defined."""
    trend_weight: float

    @classmethod
    def of(
        cls,
        samples: SampleFeatures,
        row: int,
        rows: NDArray[np.int64] | slice,
        *,
        text_product: NDArray[np.float32],
        config: SimilarityConfig,
    ) -> "_Terms":
        has_history = samples.series.lengths[rows] > 0
        is_warm = bool(samples.series.lengths[row] > 0)
        latest = np.exp(-((samples.change[rows] - samples.change[row]) ** 2) / (2 * config.sigma**2))
        has_latest = has_history == is_warm
        has_trend = has_history & is_warm & (config.trend_weight > 0)
        cosine = text_product.astype(np.float64) / _TEXT_UNITS**2
        return cls(
            has_trend=has_trend,
            level_gap=np.abs(samples.level[rows] - samples.level[row]),
            known=config.metadata_weight * cosine + config.latest_weight * (latest * has_latest),
            weight=config.metadata_weight + config.latest_weight * has_latest + config.trend_weight * has_trend,
            trend_weight=config.trend_weight,
        )

    def total(self, trend: NDArray[np.float64]) -> NDArray[np.float64]:
        """Put the trend in; see TRAIL Eq. (6)."""
        sums = self.known + self.trend_weight * trend
        means = np.full(len(sums), -np.inf)
        np.divide(sums, self.weight, out=means, where=self.weight > 0)
        return means

    def least_trend(self, at_least: float) -> NDArray[np.float64]:
        """The trend similarity without which a total cannot reach ``at_least``."""
        if at_least == -np.inf:
            return np.full(len(self.known), -np.inf)
        return (at_least * self.weight - self.known) / self.trend_weight - _ROUNDING / self.trend_weight


def _trend(
    found: NDArray[np.int32], level_gap: NDArray[np.float64], *, config: SimilarityConfig
) -> NDArray[np.float64]:
    if config.trend == "raw":
        return 1.0 / (1.0 + found.astype(np.float64))
    distance, path = np.divmod(found, dtw.PATH_UNIT)
    similarity: NDArray[np.float64] = np.exp(-distance / _SHAPE_UNITS / path - config.level_weight * level_gap)
    return similarity


def _largest_distance(
    needed: NDArray[np.float64],
    level_gap: NDArray[np.float64],
    *,
    longest_path: NDArray[np.int64],
    config: SimilarityConfig,
) -> NDArray[np.int32]:
    """The distance, as the kernel counts it, above which a trend similarity is surely below what is needed."""
    with np.errstate(divide="ignore"):
        if config.trend == "raw":
            most = 1.0 / np.maximum(needed, 0.0) - 1.0 + _SLACK
        else:
            ratio = -np.log(np.maximum(needed, 0.0)) - config.level_weight * level_gap + _SLACK
            most = (ratio * longest_path * _SHAPE_UNITS + 1.0) * dtw.PATH_UNIT
    return np.clip(most, -1.0, float(dtw.FAR)).astype(np.int32)


_SLACK = 1e-6
"""Of bounds that went through a logarithm or a quotient; costs a few needless warpings and saves none that counts."""


def _shape(history: NDArray[np.int64]) -> NDArray[np.int64]:
    """Standardised logarithms on the grid."""
    if len(history) == 0 or history.min() == history.max():
        return np.zeros(len(history), dtype=np.int64)
    logs = np.log1p(history)
    steps: NDArray[np.int64] = np.rint((logs - logs.mean()) / logs.std() * _SHAPE_UNITS).astype(np.int64)
    return steps * dtw.PATH_UNIT


def _level(history: NDArray[np.int64], n_windows: int) -> float:
    return float(np.log1p(history[-n_windows:]).mean()) if len(history) else 0.0


def _check(histories: Sequence[NDArray[np.int64]], targets: NDArray[np.int64], text: NDArray[np.float32]) -> None:
    if not len(histories) == len(targets) == len(text):
        raise InvalidDataError(
            "samples: expected a history, a target and a vector of each, "
            f"got {len(histories)}, {len(targets)} and {len(text)}. Pass them in one order."
        )
    for row, (history, target) in enumerate(zip(histories, targets, strict=True)):
        least = min(int(np.min(history, initial=0)), int(target))
        if least < 0:
            raise InvalidDataError(f"sample {row}: expected counts of users, got {least}. Correct the counts.")
    lengths = np.linalg.norm(text, axis=1)
    wrong = np.flatnonzero(~(np.abs(lengths - 1) < 1e-3))
    if len(wrong):
        raise InvalidDataError(
            f"sample {wrong[0]}: expected a text vector of length 1, got {lengths[wrong[0]]:.4g}. Normalise it."
        )
