"""Warping against the plain recursion, and each term of the similarity against the equations."""

import importlib.util
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from whyrec.errors import InvalidDataError
from whyrec.methods.trail import dtw, equations
from whyrec.methods.trail.similarity import SimilarityConfig, sample_features, similarity_matrix

SERIES = st.lists(
    st.lists(st.one_of(st.integers(-3, 3), st.integers(-(10**6), 10**6)), min_size=1, max_size=9).map(np.array),
    min_size=2,
    max_size=70,
)


def plain_distance(first: np.ndarray, second: np.ndarray, *, step: int = 0, band: int | None = None) -> float:
    """Eqs. (1) and (2), with points outside the band at infinite cost."""
    costs = equations.local_costs(*(torch.from_numpy(one).double() for one in (first, second))) + step
    if band is not None:
        gaps = (torch.arange(len(first))[:, None] - torch.arange(len(second))).abs()
        costs = costs.masked_fill(gaps > max(band, abs(len(first) - len(second))), math.inf)
    return equations.cumulative_costs(costs)[-1, -1].item()


@given(SERIES, st.sampled_from([None, 0, 1, 3]), st.sampled_from([0, 1]))
def test_lanes_compute_the_plain_recursion(series: list[np.ndarray], band: int | None, step: int) -> None:
    table = dtw.SeriesTable.of(series)
    rows = np.arange(len(series))
    found = dtw.distances(table, 0, rows, limits=np.full(len(rows), dtw.FAR), step=step, band=band)
    assert found.tolist() == [plain_distance(series[0], other, step=step, band=band) for other in series]


@given(SERIES)
def test_what_is_abandoned_is_above_its_limit(series: list[np.ndarray]) -> None:
    table = dtw.SeriesTable.of(series)
    rows = np.arange(len(series))
    exact = dtw.distances(table, 0, rows, limits=np.full(len(rows), dtw.FAR))
    limits = np.sort(exact)[len(rows) // 2] + np.zeros(len(rows), dtype=np.int64)
    found = dtw.distances(table, 0, rows, limits=limits)
    assert np.array_equal(found[exact <= limits], exact[exact <= limits])
    assert (found[exact > limits] > limits[exact > limits]).all()


def test_hopeless_lanes_are_given_up() -> None:
    """Forty points that are all 1000 apart exceed a limit of 10 in the first rows; without a limit they add up."""
    table = dtw.SeriesTable.of([np.zeros(40, int), np.full(40, 1000)])
    asked = {"series": table, "row": 0, "rows": np.array([1])}
    assert dtw.distances(**asked, limits=np.array([10])).tolist() == [dtw.FAR]
    assert dtw.distances(**asked, limits=np.array([40_000])).tolist() == [40_000]


@given(SERIES)
def test_bounds_are_below_distances(series: list[np.ndarray]) -> None:
    table = dtw.SeriesTable.of(series)
    exact = dtw.distances(table, 0, np.arange(len(series)), limits=np.full(len(series), dtw.FAR))
    assert (dtw.least_bounds(table, 0) <= exact).all()


def test_bound_by_hand() -> None:
    """|1 - 2| at the start, |0 - 3| at the end, and 9 lies 9 - 4 above the other's greatest, 4."""
    table = dtw.SeriesTable.of([np.array([1, 9, 0]), np.array([2, 4, 3]), np.array([5]), np.array([7])])
    assert dtw.least_bounds(table, 0)[1] == 1 + 3 + 5
    assert dtw.least_bounds(table, 2)[3] == 2


@given(SERIES.filter(lambda series: len(series) > 3), st.sampled_from([None, 1]), st.integers(1, 3))
def test_nearest_series_are_those_of_a_full_search(series: list[np.ndarray], band: int | None, n: int) -> None:
    table = dtw.SeriesTable.of(series)
    index, distance = dtw.nearest(table, n=n, rows=np.array([1, 0]), band=band, threads=1)
    for place, row in enumerate((1, 0)):
        by_hand = sorted(
            (plain_distance(series[row], other, band=band), at) for at, other in enumerate(series) if at != row
        )
        assert list(zip(distance[place].tolist(), index[place].tolist(), strict=True)) == by_hand[:n]


def test_nearest_among_many_in_every_lane_and_chunk() -> None:
    """More series than one chunk; distances from a search without any bound."""
    rng = np.random.default_rng(0)
    series = [rng.poisson(rng.choice([0.5, 5, 50]), rng.integers(1, 13)) for _ in range(3000)]
    table = dtw.SeriesTable.of(series)
    rows = np.array([0, 1500, 2999])
    index, distance = dtw.nearest(table, n=20, rows=rows)
    for place, row in enumerate(rows):
        exact = dtw.distances(table, int(row), np.arange(3000), limits=np.full(3000, dtw.FAR))
        exact[row] = dtw.FAR
        expected = np.lexsort((np.arange(3000), exact))[:20]
        assert index[place].tolist() == expected.tolist()
        assert distance[place].tolist() == exact[expected].tolist()


def test_equal_distances_stand_in_the_order_of_series() -> None:
    """0 is 2 away from 1, 1 and from 2; the longer ones are looked at last though they come first."""
    table = dtw.SeriesTable.of([np.array([0]), *[np.array([1, 1])] * 5, *[np.array([2])] * 300])
    index, distance = dtw.nearest(table, n=6, rows=np.array([0]))
    assert index.tolist() == [[1, 2, 3, 4, 5, 6]]
    assert distance.tolist() == [[2] * 6]


@pytest.mark.parametrize(
    ("series", "n", "message"),
    [
        ([[1], [], [2]], 1, "series 1: expected at least one point, got none"),
        ([[1], [2]], 2, "expected n from 1 to 1, got 2"),
        ([[1] * 61, [2]], 1, "series 0: expected at most 60 points, got 61"),
        ([[-(2**29)], [2**29]], 1, "got a difference of 1073741824"),
    ],
)
def test_nearest_refuses_what_it_cannot_do(series: list[list[int]], n: int, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        dtw.nearest(dtw.SeriesTable.of([np.array(one, dtype=int) for one in series]), n=n)


def trend_only(first: list[int], second: list[int], **settings: object) -> float:
    """The trend term of two histories: nothing else has a weight."""
    config = SimilarityConfig(latest_weight=0, metadata_weight=0, **settings)
    histories = [np.array(first, dtype=int), np.array(second, dtype=int)]
    samples = sample_features(histories, np.zeros(2, int), np.eye(2, dtype=np.float32), config=config)
    return float(similarity_matrix(samples, config=config)[0, 1])


RISE = [1, 2, 4, 8, 16, 32]


def test_trend_is_of_shape_not_of_size() -> None:
    """On the grid of the paper's raw form a rise is nearer to a low noise than to itself ten times as high."""
    tenfold, noise = [10 * count for count in RISE], [1, 2, 1, 1, 2, 1]
    shape = {"level_weight": 0}
    assert trend_only(RISE, tenfold, **shape) > 0.8 > trend_only(RISE, noise, **shape)
    assert trend_only(RISE, noise, trend="raw") > trend_only(RISE, tenfold, trend="raw")
    assert trend_only(RISE, RISE, **shape) == 1


def test_trend_by_hand() -> None:
    """log 1, log 4 is -1, 1 in units of its deviation; a flat history is 0, 0: costs 1 and 1 along two points."""
    expected = math.exp(-(1 + 1) / 2)
    assert trend_only([0, 3], [5, 5], level_weight=0) == pytest.approx(expected)


def test_trend_divides_by_the_shortest_of_the_best_paths() -> None:
    """-1, 1 onto 0, 0, 0: each point of a path costs 1, so that the best path is the shortest, D = 3 and L = 3.

    Flat histories of 3 and 5 windows: every path costs 0, whatever its length.
    """
    assert trend_only([4, 4, 4], [4, 4, 4, 4, 4], level_weight=0) == 1
    assert trend_only([0, 3], [5, 5, 5], level_weight=0) == pytest.approx(math.exp(-3 / 3))


def test_raw_trend_by_hand() -> None:
    """1, 3 onto 1, 2, 3 costs 1 on its best path; no level term."""
    assert trend_only([1, 3], [1, 2, 3], trend="raw") == pytest.approx(1 / (1 + 1))


def test_level_tells_flat_histories_apart() -> None:
    """Always 1 against always 9: exp(-.25 * (log 10 - log 2))."""
    assert trend_only([1, 1, 1], [9, 9, 9]) == pytest.approx(math.exp(-0.25 * math.log(10 / 2)))
    assert trend_only([1, 1, 1], [9, 9, 9], level_weight=0) == 1


def test_level_looks_at_the_last_windows() -> None:
    """Mean of log 3 and log 9 against that of log 2 and log 2, of the last two windows."""
    expected = abs(math.log(3 * 9) / 2 - math.log(2))
    apart, alike = (trend_only([50, 2, 8], [50, 1, 1], level_weight=weight, level_windows=2) for weight in (1.0, 0.0))
    assert apart / alike == pytest.approx(math.exp(-expected))


def test_old_windows_are_forgotten() -> None:
    assert trend_only([900, 1, 5, 2], [1, 5, 2], max_history=3) == 1
    assert trend_only([900, 1, 5, 2], [1, 5, 2], max_history=4) < 1


def unit(rng: np.random.Generator, n: int, width: int = 6) -> np.ndarray:
    vectors = rng.normal(size=(n, width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def by_equations(histories: list[np.ndarray], targets: np.ndarray, text: np.ndarray, i: int, j: int) -> float:
    """The default similarity of one pair in double precision, through Eqs. (1), (2), (4), (5) and (6)."""
    nan = torch.tensor(math.nan, dtype=torch.float64)
    trend, latest = nan, nan
    pair = [torch.from_numpy(histories[k]).double() for k in (i, j)]
    if len(pair[0]) and len(pair[1]):
        logs = [one.log1p() for one in pair]
        shapes = [
            (log - log.mean()) / log.std(correction=0) if one.unique().numel() > 1 else 0 * log
            for log, one in zip(logs, pair, strict=True)
        ]
        # A little per point makes the shortest of equally good paths the best; it then tells how long that is.
        costs, little = equations.local_costs(*shapes), 1e-7
        distance = equations.cumulative_costs(costs)[-1, -1]
        path = torch.round((equations.cumulative_costs(costs + little)[-1, -1] - distance) / little)
        gap = (logs[0][-3:].mean() - logs[1][-3:].mean()).abs()
        trend = torch.exp(-distance / path - 0.25 * gap)
    both = torch.tensor([targets[i], targets[j]], dtype=torch.float64)
    if len(pair[0]) and len(pair[1]):
        changes = equations.log_change(both, torch.stack([pair[0][-1], pair[1][-1]]))
        latest = equations.latest_similarity(changes[0], changes[1], sigma=0.5)
    elif not len(pair[0]) and not len(pair[1]):
        latest = equations.latest_similarity(both[0].log1p(), both[1].log1p(), sigma=0.5)
    vectors = torch.from_numpy(text).double()
    return equations.total_similarity(trend, latest, equations.metadata_similarity(vectors[i], vectors[j])).item()


def test_total_is_that_of_the_equations() -> None:
    """Up to the grids: a twelve-thousandth in the trend, a few ten-thousandths in the cosine."""
    rng = np.random.default_rng(3)
    histories = [rng.poisson(rng.choice([0.3, 3, 30]), rng.integers(0, 12)) for _ in range(24)]
    assert any(len(history) == 0 for history in histories)
    targets, text = rng.poisson(5, 24), unit(rng, 24)
    config = SimilarityConfig()
    found = similarity_matrix(sample_features(histories, targets, text, config=config), config=config)
    expected = [[by_equations(histories, targets, text, i, j) for j in range(24)] for i in range(24)]
    np.testing.assert_allclose(found, expected, atol=5e-4)
    assert np.array_equal(found, found.T)
    np.testing.assert_allclose(np.diag(found), 1, atol=5e-4)


def test_without_history_changes_are_compared_among_their_like_only() -> None:
    """New against new: .2 of exp(-(log 6 - log 3)^2 / .5) and .4 of the cosine 0; new against old: the cosine alone."""
    config = SimilarityConfig()
    new, old = np.zeros(0, int), np.array([3])
    text = np.eye(3, dtype=np.float32)
    samples = sample_features([new, new, old], np.array([5, 2, 3]), text, config=config)
    found = similarity_matrix(samples, config=config)
    assert found[0, 1] == pytest.approx(0.2 * math.exp(-(math.log(6 / 3) ** 2) / 0.5) / (0.2 + 0.4))
    assert found[0, 2] == 0


def test_pairs_without_any_term_are_never_similar() -> None:
    config = SimilarityConfig(metadata_weight=0)
    samples = sample_features(
        [np.zeros(0, int), np.array([3])], np.array([1, 1]), np.eye(2, dtype=np.float32), config=config
    )
    assert similarity_matrix(samples, config=config)[0, 1] == -np.inf


def test_text_products_are_exact_in_any_order() -> None:
    """768 columns of vectors that all point the same way: the largest sums there are."""
    config = SimilarityConfig()
    text = np.full((2, 768), 1 / math.sqrt(768), dtype=np.float32)
    samples = sample_features([np.zeros(0, int)] * 2, np.zeros(2, int), text, config=config)
    whole = samples.text.astype(np.int64)
    assert (samples.text @ samples.text.T).astype(np.int64).tolist() == (whole @ whole.T).tolist()
    assert (whole @ whole.T).max() < 2**24


@pytest.mark.parametrize(
    ("history", "target", "vector", "message"),
    [
        ([1, -2], 0, [1.0, 0.0], "sample 0: expected counts of users, got -2"),
        ([1], -1, [1.0, 0.0], "sample 0: expected counts of users, got -1"),
        ([1], 0, [1.0, 1.0], "sample 0: expected a text vector of length 1, got 1.414"),
        ([1], 0, [math.nan, 1.0], "sample 0: expected a text vector of length 1, got nan"),
    ],
)
def test_malformed_samples_are_refused(history: list[int], target: int, vector: list[float], message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        sample_features([np.array(history)], np.array([target]), np.array([vector]), config=SimilarityConfig())


def test_raw_counts_that_would_overflow_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="histories: expected values that differ by less than 17895697"):
        sample_features(
            [np.array([0, 2**25])], np.array([0]), np.eye(1, dtype=np.float32), config=SimilarityConfig(trend="raw")
        )


def test_settings_are_checked() -> None:
    for wrong in ({"sigma": 0}, {"max_history": 61}, {"trend": "other"}, {"unknown": 1}):
        with pytest.raises(ValidationError):
            SimilarityConfig(**wrong)


def test_forecasting_never_loads_the_similarity() -> None:
    """It looks at targets; what answers a forecast must not be able to reach it."""
    modules = ["whyrec.methods.trail.offline.forecaster", "whyrec.methods.trail.samples"]
    if importlib.util.find_spec("whyrec.methods.trail.model"):
        modules.append("whyrec.methods.trail.model")
    program = (
        f"import sys, {', '.join(modules)}\n"
        "print([name for name in sys.modules if name.endswith(('.similarity', '.neighbours')) and 'trail' in name])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
