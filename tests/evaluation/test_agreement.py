import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from whyrec.errors import InvalidDataError
from whyrec.evaluation.agreement import Level, krippendorff_alpha

N = np.nan
PUBLISHED = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3],
    [N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N],
]
"""The example of Krippendorff's Computing Krippendorff's Alpha-Reliability (2011), section C."""

tables = (
    st.integers(2, 4)
    .flatmap(
        lambda raters: st.lists(
            st.lists(st.sampled_from([0.0, 1.0, 2.0, N]), min_size=raters, max_size=raters), min_size=2, max_size=12
        )
    )
    .map(lambda units: np.array(units).T)
)


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("interval", 0.849)])
def test_the_published_example(level: Level, alpha: float) -> None:
    assert krippendorff_alpha(PUBLISHED, level=level) == pytest.approx(alpha, abs=5e-4)


def test_two_raters_by_hand() -> None:
    """Pairs 00, 00, 01, 11: 2 of 8 ordered pairs differ; 5 zeros and 3 ones give 2 * 5 * 3 / 7 / 8 by chance."""
    ratings = [[0, 0, 0, 1], [0, 0, 1, 1]]
    assert krippendorff_alpha(ratings, level="nominal") == pytest.approx(1 - 2 / (2 * 5 * 3 / 7))


def test_interval_weighs_far_more_than_near() -> None:
    near = [[0.0, 1.0, 0.5, 0.4], [0.1, 1.0, 0.5, 0.4]]
    far = [[0.0, 1.0, 0.5, 0.4], [0.9, 1.0, 0.5, 0.4]]
    almost, hardly = (krippendorff_alpha(it, level="interval") for it in (near, far))
    assert almost is not None
    assert hardly is not None
    assert almost > 0.9 > 0.5 > hardly
    assert krippendorff_alpha(near, level="nominal") == krippendorff_alpha(near[::-1], level="nominal")


def test_what_cannot_be_told_is_none() -> None:
    assert krippendorff_alpha([[1, N], [N, 2]], level="nominal") is None
    assert krippendorff_alpha([[1, 1], [1, 1]], level="nominal") is None
    assert krippendorff_alpha(np.empty((0, 3)), level="interval") is None


@pytest.mark.parametrize("ratings", [[1.0, 2.0], [[1.0, np.inf]]])
def test_other_shapes_and_infinities_are_refused(ratings: list[object]) -> None:
    with pytest.raises(InvalidDataError, match=r"alpha: expected finite ratings \[raters units\]"):
        krippendorff_alpha(ratings, level="nominal")


@given(tables)
def test_it_knows_neither_the_order_of_raters_nor_units_nor_units_of_one_rating(table: np.ndarray) -> None:
    for level in ("nominal", "interval"):
        alpha = krippendorff_alpha(table, level=level)  # type: ignore[arg-type]
        lone = np.full((len(table), 1), N)
        lone[0] = 7
        for other in (table[::-1], table[:, ::-1], np.hstack([table, lone])):
            again = krippendorff_alpha(other, level=level)  # type: ignore[arg-type]
            assert again == (alpha if alpha is None else pytest.approx(alpha))
        assert alpha is None or alpha <= 1 + 1e-12


@given(st.lists(st.tuples(st.sampled_from([0, 1]), st.sampled_from([0, 1])), min_size=40, max_size=60))
def test_it_is_kappa_but_for_the_smallness_of_the_sample(pairs: list[tuple[int, int]]) -> None:
    """Both ways round, two raters have the same habits; alpha then lies (1 - kappa) / 2n above kappa."""
    a, b = [x for x, _ in pairs] + [y for _, y in pairs], [y for _, y in pairs] + [x for x, _ in pairs]
    if len(set(a)) == 2:
        kappa, alpha = cohen_kappa_score(a, b), krippendorff_alpha([a, b], level="nominal")
        assert alpha == pytest.approx(kappa + (1 - kappa) / (2 * len(a)))
