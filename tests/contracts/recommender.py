"""What every recommender must do, as tests: subclass ``RecommenderContract``, give ``make``, and get them all.

The world holds two camps of users and two of items, like the fields of a checkerboard: what is right is plain to see.
"""

from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from whyrec.data.dataset import Dataset
from whyrec.data.schema import TIMESTAMP_TYPE
from whyrec.errors import InvalidConfigError, InvalidDataError, NotFittedError, OutputExistsError, UnknownIdError
from whyrec.interfaces import RECOMMENDATION_SCHEMA, Recommender

START = datetime(2021, 1, 1, tzinfo=UTC)
UNTIL = START + timedelta(days=100)
N_PER_CAMP = 10
NEVER_SEEN = ("a98", "b98")
USERS = [f"{camp}{n:02}" for n in range(20) for camp in "AB"]
"""Those who had something before ``UNTIL``; the first letter says which camp."""
ONE_ITEM, NEWCOMER, STRANGER = "A90", "A91", "nobody"
"""One item before UNTIL; some items, all after UNTIL; in no log."""

_WORDS = {"a": "river boat sail harbour lake", "b": "mountain rope summit glacier ridge"}
_SCHEMA = {"user_id": pl.String, "item_id": pl.String, "timestamp": TIMESTAMP_TYPE}


def checkerboard() -> Dataset:
    """Users of camp A take items a.., those of camp B items b..; six to eight of ten each, and two nobody takes."""
    rng = np.random.default_rng(5)
    rows = []
    for user in USERS:
        had = rng.permutation(N_PER_CAMP)[: 6 + rng.integers(3)]
        days = np.sort(rng.choice(100, size=len(had), replace=False))
        rows += [
            (user, f"{user[0].lower()}{n:02}", START + timedelta(days=int(day)))
            for n, day in zip(had, days, strict=True)
        ]
    rows.append((ONE_ITEM, "a03", START + timedelta(days=40)))
    rows += [(NEWCOMER, f"a{n:02}", UNTIL + timedelta(days=n)) for n in (2, 4, 6)]
    ids = [f"{camp}{n:02}" for camp in "ab" for n in range(N_PER_CAMP)] + list(NEVER_SEEN)
    words = {camp: text.split() for camp, text in _WORDS.items()}
    items = pl.DataFrame(
        {
            "item_id": ids,
            "title": [" ".join(words[item[0]][place % 5] for place in (n, n + 1, n + 2)) for n, item in enumerate(ids)],
            "genres": [["water"] if i[0] == "a" else ["height"] for i in ids],
        }
    )
    return Dataset.from_frames(pl.DataFrame(rows, schema=_SCHEMA, orient="row"), items, name="checkerboard")


def with_events(data: Dataset, *, user_ids: list[str], item_id: str, at: datetime) -> Dataset:
    """The same data with one more interaction per user."""
    more = pl.DataFrame({"user_id": user_ids, "item_id": item_id, "timestamp": at}, schema=_SCHEMA)
    return Dataset.from_frames(pl.concat([data.interactions.collect(), more]), data.items, name=data.name)


class RecommenderContract(ABC):
    """Subclass, give ``make``; say ``is_personal = False`` if everybody gets the same list."""

    is_personal: ClassVar[bool] = True
    reads_log: ClassVar[bool] = True
    """Whether who had what is learned from; a method that reads texts alone says False."""

    @abstractmethod
    def make(self) -> Recommender:
        """A new, unfitted recommender, quick enough to be fitted a dozen times."""

    @pytest.fixture
    def data(self) -> Dataset:
        return checkerboard()

    @pytest.fixture(scope="class")
    @classmethod
    def shared(cls) -> Recommender:
        """Fitted once for all tests that only ask it."""
        return cls().make().fit(checkerboard(), until=UNTIL)

    def test_follows_the_protocol(self) -> None:
        assert isinstance(self.make(), Recommender)

    def test_fit_returns_itself(self, data: Dataset) -> None:
        recommender = self.make()
        assert recommender.fit(data, until=UNTIL) is recommender

    def test_not_fitted_is_refused(self, data: Dataset, tmp_path: Path) -> None:
        with pytest.raises(NotFittedError, match="Call fit or load first"):
            self.make().recommend(data, user_ids=USERS[:1])
        with pytest.raises(NotFittedError, match="Call fit or load first"):
            self.make().save(tmp_path / "run")
        assert not (tmp_path / "run").exists()

    def test_an_empty_past_is_refused(self, data: Dataset) -> None:
        with pytest.raises(InvalidDataError, match=r"expected interactions before .*, got none"):
            self.make().fit(data, until=START)

    def test_lists_have_the_schema_and_ranks_from_one(self, data: Dataset, shared: Recommender) -> None:
        lists = shared.recommend(data, user_ids=USERS, k=5)
        assert dict(lists.schema) == RECOMMENDATION_SCHEMA
        assert lists["user_id"].unique(maintain_order=True).to_list() == USERS
        for rows in lists.partition_by("user_id"):
            assert rows["rank"].to_list() == [1, 2, 3, 4, 5]
            assert rows["score"].is_sorted(descending=True)
            assert rows["item_id"].is_unique().all()
        assert lists["score"].is_finite().all()
        assert lists["item_id"].is_in(data.items["item_id"].implode()).all()

    def test_nobody_asked_nothing_said(self, data: Dataset, shared: Recommender) -> None:
        lists = shared.recommend(data, user_ids=[])
        assert lists.is_empty()
        assert dict(lists.schema) == RECOMMENDATION_SCHEMA

    def test_wrong_questions_are_refused(self, data: Dataset, shared: Recommender) -> None:
        with pytest.raises(InvalidConfigError, match="expected k of at least 1, got 0"):
            shared.recommend(data, user_ids=USERS, k=0)
        with pytest.raises(InvalidConfigError, match="expected each user once, got 'A00' twice"):
            shared.recommend(data, user_ids=["A00", "B00", "A00"])

    def test_what_was_had_is_hidden_or_shown(self, data: Dataset, shared: Recommender) -> None:
        had = data.interactions.select("user_id", "item_id").unique().collect()
        everything = data.items.height
        hidden = shared.recommend(data, user_ids=USERS, k=everything)
        assert hidden.join(had, on=["user_id", "item_id"], how="semi").is_empty()
        shown = shared.recommend(data, user_ids=USERS, k=everything, filter_seen=False)
        assert shown.height == len(USERS) * everything
        # Hiding takes items away and changes neither the others' scores nor their order.
        both = hidden.join(shown, on=["user_id", "item_id"], suffix="_shown")
        assert both.height == hidden.height
        assert (both["score"] == both["score_shown"]).all()

    def test_a_list_ends_where_the_unseen_end(self, data: Dataset, shared: Recommender) -> None:
        n_had = data.interactions.select("user_id", "item_id").unique().collect().group_by("user_id").len()
        lengths = shared.recommend(data, user_ids=USERS, k=10_000).group_by("user_id").len()
        both = lengths.join(n_had, on="user_id", suffix="_had")
        assert both.height == len(USERS)
        assert (both["len"] + both["len_had"] == data.items.height).all()

    def test_a_catalogue_smaller_than_k(self) -> None:
        data = checkerboard()
        few = ["a00", "a01", "b00", "b01"]
        log = data.interactions.filter(pl.col("item_id").is_in(few)).collect()
        small = Dataset.from_frames(log, data.items.filter(pl.col("item_id").is_in(few)), name="small")
        users = log["user_id"].unique().sort().to_list()
        lists = self.make().fit(small, until=UNTIL).recommend(small, user_ids=users, k=10, filter_seen=False)
        assert lists.height == len(users) * len(few)

    def test_only_candidates_are_ranked(self, data: Dataset, shared: Recommender) -> None:
        asked = USERS[:4]
        candidates = pl.DataFrame(
            {"user_id": [u for u in asked for _ in range(3)], "item_id": ["a98", "b98", "a00"] * len(asked)}
        )
        stray = pl.DataFrame({"user_id": [asked[0], "A19"], "item_id": ["in no catalogue", "a00"]})
        lists = shared.recommend(
            data, user_ids=asked, k=22, candidates=pl.concat([candidates, stray]), filter_seen=False
        )
        assert lists.height == candidates.height
        whole = shared.recommend(data, user_ids=asked, k=22, filter_seen=False)
        expected = whole.join(candidates, on=["user_id", "item_id"], how="semi", maintain_order="left")
        assert_frame_equal(lists.drop("rank"), expected.drop("rank"), check_exact=True)

    def test_users_without_a_history(self, data: Dataset, shared: Recommender) -> None:
        asked = [STRANGER, "A00", NEWCOMER]
        fallback = shared.recommend(data, user_ids=asked, k=4, at=UNTIL)
        assert fallback["user_id"].unique(maintain_order=True).to_list() == asked
        lists = {user: fallback.filter(user_id=user)["item_id"].to_list() for user in asked}
        assert len(lists[STRANGER]) == 4
        assert lists[STRANGER] == lists[NEWCOMER], "both have nothing before the moment"
        skipped = shared.recommend(data, user_ids=asked, k=4, at=UNTIL, unknown="skip")
        assert skipped["user_id"].unique().to_list() == ["A00"]
        with pytest.raises(UnknownIdError, match=r"expected users with a history, got 'nobody' and 1 more without"):
            shared.recommend(data, user_ids=asked, k=4, at=UNTIL, unknown="raise")
        assert shared.recommend(data, user_ids=["A00"], unknown="raise").height == 10

    def test_all_asked_without_a_history_get_the_fallback(self, data: Dataset, shared: Recommender) -> None:
        lists = shared.recommend(data, user_ids=[STRANGER, "noone"], k=3)
        assert lists.height == 6
        assert shared.recommend(data, user_ids=[STRANGER], unknown="skip").is_empty()

    def test_a_user_whom_fit_did_not_know_is_served_by_history(self, data: Dataset, shared: Recommender) -> None:
        lists = shared.recommend(data, user_ids=[NEWCOMER, ONE_ITEM], k=3, unknown="raise")
        assert lists.height == 6
        if self.is_personal:
            assert set(lists["item_id"].str.head(1)) == {"a"}

    def test_one_user_at_a_time_is_all_at_once_to_the_bit(self, data: Dataset, shared: Recommender) -> None:
        asked = [*USERS, ONE_ITEM, NEWCOMER, STRANGER]
        together = shared.recommend(data, user_ids=asked, k=8)
        alone = pl.concat(shared.recommend(data, user_ids=[user], k=8) for user in asked)
        assert_frame_equal(alone, together, check_exact=True)

    def test_the_order_of_users_changes_nothing(self, data: Dataset, shared: Recommender) -> None:
        asked = [*USERS, ONE_ITEM, STRANGER]
        forward, backward = (shared.recommend(data, user_ids=order, k=8) for order in (asked, asked[::-1]))
        by = ["user_id", "rank"]
        assert_frame_equal(forward.sort(by), backward.sort(by), check_exact=True)

    def test_same_seed_same_lists(self, data: Dataset, shared: Recommender) -> None:
        again = self.make().fit(checkerboard(), until=UNTIL)
        assert_frame_equal(
            again.recommend(data, user_ids=USERS), shared.recommend(data, user_ids=USERS), check_exact=True
        )

    def test_order_of_catalogue_rows_does_not_matter(self, data: Dataset, shared: Recommender) -> None:
        turned = Dataset.from_frames(data.interactions, data.items.reverse(), name=data.name)
        again = self.make().fit(turned, until=UNTIL)
        assert_frame_equal(
            again.recommend(turned, user_ids=USERS), shared.recommend(data, user_ids=USERS), check_exact=True
        )

    def test_saved_and_loaded_recommends_the_same(self, data: Dataset, shared: Recommender, tmp_path: Path) -> None:
        shared.save(tmp_path / "run")
        loaded = type(shared).load(tmp_path / "run")
        asked = [*USERS, ONE_ITEM, NEWCOMER, STRANGER]
        for at in (None, UNTIL):
            assert_frame_equal(
                loaded.recommend(data, user_ids=asked, at=at),
                shared.recommend(data, user_ids=asked, at=at),
                check_exact=True,
            )
        files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
        assert files
        assert {path.suffix for path in files} <= {".json", ".safetensors", ".parquet"}, "no pickle"
        with pytest.raises(OutputExistsError):
            shared.save(tmp_path / "run")

    def test_loading_something_else_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidDataError, match="expected"):
            type(self.make()).load(tmp_path)

    def test_fit_learns_nothing_from_the_future(self, data: Dataset, shared: Recommender) -> None:
        """From the moment on, all take a never-seen item and camp A one of camp B's: no list may move by a hair."""
        leaked = with_events(data, user_ids=USERS, item_id=NEVER_SEEN[0], at=UNTIL)
        camp_a = [user for user in USERS if user[0] == "A"]
        leaked = with_events(leaked, user_ids=camp_a, item_id="b00", at=UNTIL + timedelta(days=1))
        planted = self.make().fit(leaked, until=UNTIL)
        honest = shared.recommend(data, user_ids=USERS, k=22, at=UNTIL)
        assert_frame_equal(planted.recommend(data, user_ids=USERS, k=22, at=UNTIL), honest, check_exact=True)
        # Nor does asking read beyond its moment.
        assert_frame_equal(shared.recommend(leaked, user_ids=USERS, k=22, at=UNTIL), honest, check_exact=True)

    def test_the_past_does_count(self, data: Dataset, shared: Recommender) -> None:
        """The same crowd before the moment must move that item up: else the test above proves nothing."""
        if not self.reads_log:
            pytest.skip("learns from texts alone")
        crowd = [user for user in USERS if user[0] == "A"]
        early = with_events(data, user_ids=crowd, item_id=NEVER_SEEN[0], at=UNTIL - timedelta(days=1))
        asked = {"user_ids": [NEWCOMER], "k": 22}
        ranks = [
            fitted.recommend(data, **asked).filter(item_id=NEVER_SEEN[0])["rank"].item()
            for fitted in (shared, self.make().fit(early, until=UNTIL))
        ]
        assert ranks[1] < ranks[0]

    def test_what_came_since_the_fit_counts(self, data: Dataset, shared: Recommender) -> None:
        asked = {"user_ids": ["B00"], "k": 22, "filter_seen": False}
        before = shared.recommend(data, **asked)
        crossed = data
        for n in range(N_PER_CAMP):
            crossed = with_events(crossed, user_ids=["B00"], item_id=f"a{n:02}", at=UNTIL + timedelta(days=1 + n))
        after = shared.recommend(crossed, **asked)
        if not self.is_personal:
            assert_frame_equal(after, before, check_exact=True)
            return
        mean_rank = [
            lists.filter(pl.col("item_id").str.starts_with("a"))["rank"].cast(pl.Float64).mean()
            for lists in (before, after)
        ]
        assert mean_rank[1] < mean_rank[0]

    def test_an_item_that_fit_did_not_know_never_appears(self, data: Dataset, shared: Recommender) -> None:
        newcomer = pl.DataFrame({"item_id": ["a99"], "title": ["New"], "genres": [["water"]]})
        grown = Dataset.from_frames(data.interactions, pl.concat([data.items, newcomer]), name=data.name)
        grown = with_events(grown, user_ids=USERS, item_id="a99", at=UNTIL)
        lists = shared.recommend(grown, user_ids=USERS, k=100)
        assert "a99" not in lists["item_id"]
        assert lists.height == shared.recommend(data, user_ids=USERS, k=100).height

    def test_equal_scores_stand_by_item_id(self, data: Dataset, shared: Recommender) -> None:
        lists = shared.recommend(data, user_ids=[*USERS, STRANGER], k=22, filter_seen=False)
        ordered = lists.sort(["user_id", "score", "item_id"], descending=[False, True, False])
        assert_frame_equal(lists.sort("user_id", maintain_order=True), ordered, check_exact=True)
        # Nobody takes either, so whoever knows nothing of a user has them tied.
        last = lists.filter(user_id=STRANGER)["item_id"].to_list()[-2:]
        assert last == list(NEVER_SEEN)

    def test_camps_are_told_apart(self, data: Dataset, shared: Recommender) -> None:
        if not self.is_personal:
            pytest.skip("everybody gets the same list")
        lists = shared.recommend(data, user_ids=USERS, k=2)
        of_own_camp = lists["user_id"].str.head(1).str.to_lowercase() == lists["item_id"].str.head(1)
        assert of_own_camp.mean() == 1.0

    def test_asking_changes_neither_data_nor_answers(self, data: Dataset, shared: Recommender) -> None:
        before = data.interactions.collect()
        first = shared.recommend(data, user_ids=USERS)
        assert_frame_equal(shared.recommend(data, user_ids=USERS), first, check_exact=True)
        assert_frame_equal(data.interactions.collect(), before)
