from collections import Counter
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from drawn_datasets import START, dataset_of, small_datasets
from hypothesis import assume, given
from hypothesis import strategies as st

from whyrec.data.candidates import Candidates, sample_candidates
from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidConfigError, InvalidDataError, OutputExistsError

CUT = START + timedelta(hours=15)


@given(
    data=small_datasets, n=st.integers(1, 3), seed=st.integers(0, 3), scheme=st.sampled_from(["uniform", "popularity"])
)
def test_each_row_holds_the_item_once_and_nothing_the_user_knows(data: Dataset, n: int, seed: int, scheme: str) -> None:
    test = data.interactions.filter(pl.col("timestamp") >= CUT)
    rows = data.interactions.collect()
    seen = {user: set(rows.filter(user_id=user)["item_id"]) for user in rows["user_id"].unique()}
    popular = Counter(data.before(CUT).collect()["item_id"])
    drawable = popular if scheme == "popularity" else dict.fromkeys(data.items["item_id"], 1)
    users = set(test.collect()["user_id"])
    assume(all(len(set(drawable) - seen[user]) >= n for user in users))
    sample = sample_candidates(data, test, cutoff=CUT, n_negatives=n, scheme=scheme, seed=seed)  # type: ignore[arg-type]
    pairs = sorted({(row[0], row[1]) for row in test.collect().iter_rows()})
    assert [row[:2] for row in sample.frame.iter_rows()] == pairs
    for user, item, candidates, position in sample.frame.iter_rows():
        assert len(candidates) == len(set(candidates)) == n + 1
        assert candidates[position] == item
        negatives = set(candidates) - {item}
        assert not negatives & seen[user]
        assert negatives <= set(drawable)


def test_a_row_depends_on_its_own_pair_alone(temporal_world: Dataset) -> None:
    cutoff = START + timedelta(days=20)
    test = temporal_world.interactions.filter(pl.col("timestamp") >= cutoff)
    one_each = test.unique("user_id", keep="first").collect()
    whole = sample_candidates(temporal_world, one_each.lazy(), cutoff=cutoff, n_negatives=2, seed=5)
    reordered = sample_candidates(temporal_world, one_each.reverse().lazy(), cutoff=cutoff, n_negatives=2, seed=5)
    alone = sample_candidates(temporal_world, one_each.head(1).lazy(), cutoff=cutoff, n_negatives=2, seed=5)
    assert whole.frame.equals(reordered.frame)
    assert alone.frame.row(0) in whole.frame.rows()
    other = sample_candidates(temporal_world, one_each.lazy(), cutoff=cutoff, n_negatives=2, seed=6)
    assert not other.frame.equals(whole.frame)


def many_users() -> Dataset:
    """2,000 users who each take item 7 at hour 20; before, i0 has 30 events, i1 has 10, the others none."""
    before = [(9_000 + n, 0, n % 10) for n in range(30)] + [(9_500 + n, 1, n % 10) for n in range(10)]
    return dataset_of(before + [(user, 7, 20) for user in range(2_000)])


def test_the_item_stands_anywhere_alike_and_items_come_by_weight() -> None:
    data = many_users()
    test = data.interactions.filter(pl.col("timestamp") >= CUT)
    uniform = sample_candidates(data, test, cutoff=CUT, n_negatives=3, seed=0).frame
    places = Counter(uniform["position"])
    drawn = Counter(uniform["candidates"].explode())
    # 2,000 draws with p = 1/4 have a standard deviation of 19; with p = 3/7 of 22. Five of each are allowed.
    assert all(abs(places[place] - 2_000 / 4) < 5 * 19 for place in range(4))
    assert all(abs(drawn[f"i{n}"] - 2_000 * 3 / 7) < 5 * 22 for n in range(7))
    popular = sample_candidates(data, test, cutoff=CUT, n_negatives=1, scheme="popularity", seed=0).frame
    drawn = Counter(popular["candidates"].explode())
    assert set(drawn) == {"i0", "i1", "i7"}
    assert abs(drawn["i0"] - 2_000 * 30 / (30 + 10)) < 5 * 19


def test_popularity_does_not_know_the_future() -> None:
    data = many_users()
    test = data.interactions.filter(pl.col("timestamp") >= CUT).head(5)
    later = dataset_of(
        [
            (int(user[1:]), int(item[1:]), int((time - START) / timedelta(hours=1)))
            for user, item, time in data.interactions.collect().iter_rows()
        ]
        + [(8_000 + n, 2, 25) for n in range(500)]
    )
    settings = {"cutoff": CUT, "n_negatives": 2, "scheme": "popularity", "seed": 1}
    assert sample_candidates(data, test, **settings).frame.equals(  # type: ignore[arg-type]
        sample_candidates(later, test, **settings).frame  # type: ignore[arg-type]
    )


def test_files_are_fixed_named_and_tied_to_their_data(temporal_world: Dataset, tmp_path: Path) -> None:
    cutoff = START + timedelta(days=20)
    test = temporal_world.interactions.filter(pl.col("timestamp") >= cutoff).filter(pl.col("user_id") == "u4").head(1)
    sample = sample_candidates(temporal_world, test, cutoff=cutoff, n_negatives=2, scheme="uniform", seed=7)
    assert sample.settings.name == "uni2"
    sample.write(tmp_path / "uni2")
    read = Candidates.read(tmp_path / "uni2", data=temporal_world)
    assert read.frame.equals(sample.frame)
    assert read.settings == sample.settings
    with pytest.raises(OutputExistsError):
        sample.write(tmp_path / "uni2")
    with pytest.raises(InvalidDataError, match=r"expected candidates for drawn .* got some for other data"):
        Candidates.read(tmp_path / "uni2", data=dataset_of([(0, 0, 0)]))
    with pytest.raises(InvalidDataError, match="expected sampled candidates"):
        Candidates.read(tmp_path, data=temporal_world)


def test_too_many_and_too_few_are_refused(temporal_world: Dataset) -> None:
    cutoff = START + timedelta(days=200)
    test = temporal_world.interactions.filter(pl.col("timestamp") >= cutoff)
    with pytest.raises(InvalidDataError, match="user 'u0': expected 3 items to draw from, got 0"):
        sample_candidates(temporal_world, test, cutoff=cutoff, n_negatives=3)
    with pytest.raises(InvalidConfigError, match="n_negatives: expected at least 1, got 0"):
        sample_candidates(temporal_world, test, cutoff=cutoff, n_negatives=0)


def test_of_a_category_come_its_own_items_first_and_others_where_they_run_out() -> None:
    data = many_users()
    items = data.items["item_id"].to_list()
    test = data.interactions.filter(pl.col("timestamp") >= START + timedelta(hours=20))
    category_of = dict.fromkeys(items, "rest") | {"i7": "few", "i3": "few"}
    drawn = sample_candidates(
        data,
        test.head(20),
        cutoff=START + timedelta(hours=20),
        n_negatives=3,
        scheme="category",
        category_of=category_of,
    )
    assert drawn.settings.name == "cat3"
    for candidates in drawn.frame["candidates"]:
        assert {"i3", "i7"} < set(candidates)
        assert len(set(candidates)) == 4
    rest = dict.fromkeys(items, "all") | {"i0": "other"}
    many = sample_candidates(
        data, test, cutoff=START + timedelta(hours=20), n_negatives=3, scheme="category", category_of=rest
    )
    counts = Counter(item for candidates in many.frame["candidates"] for item in candidates if item != "i7")
    assert "i0" not in counts
    # 2,000 cases draw 3 of the 8 left: 750 each, deviation 22.
    assert all(abs(count - 2000 * 3 / (len(items) - 2)) < 5 * 22 for count in counts.values())


def test_categories_and_their_scheme_go_together() -> None:
    data = many_users()
    test = data.interactions.tail(1)
    for scheme, category_of in (("category", None), ("uniform", {"i1": "a"})):
        with pytest.raises(InvalidConfigError, match="expected categories with the scheme 'category' alone"):
            sample_candidates(
                data,
                test,
                cutoff=CUT,
                n_negatives=1,
                scheme=scheme,  # type: ignore[arg-type]
                category_of=category_of,
            )
