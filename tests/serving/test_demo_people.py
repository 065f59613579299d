"""Whom a demo recommends to, and from which part of the data."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from contracts.recommender import NEVER_SEEN, UNTIL, checkerboard, with_events
from whyrec.data.dataset import Dataset
from whyrec.data.schema import TIMESTAMP_TYPE
from whyrec.data.sequences import Sequences
from whyrec.errors import InvalidDataError
from whyrec.methods.curec.model import CURecRecommender
from whyrec.methods.curec.offline import OfflineTextConfig, OfflineWriter
from whyrec.methods.curec.recommender_config import CURecConfig
from whyrec.serving.demo_people import (
    DEMO_CONFIG,
    choose_people,
    dense_part,
    lists_for_people,
    strongest_tastes,
)

QUICK = CURecConfig.model_validate(
    {
        "base": {"embedding_dim": 16, "n_layers": 1, "n_heads": 1, "max_history": 12, "dropout": 0.0},
        "base_training": {"epochs": 3, "batch_size": 20, "learning_rate": 2e-2, "threads": 1},
        "model": {"n_heads": 2, "hidden": (8, 8), "max_reasons": 3, "dropout": 0.0},
        "training": {"epochs": 1, "n_negatives": 8, "n_in_batch": 4, "batch_size": 64},
        "text_dim": 8,
        "validation_users": 10,
        "device": "cpu",
    }
)
START = datetime(2020, 1, 1, tzinfo=UTC)


def films(*lists: str) -> Dataset:
    """Users u0, u1, ... who took films by the letter of their genre: w1, w2 are westerns, c1 a comedy."""
    genres = {"w": "Western", "c": "Comedy", "h": "Horror", "d": "Drama"}
    rows = [
        (f"u{user}", item, START + timedelta(hours=n))
        for user, items in enumerate(lists)
        for n, item in enumerate(items.split())
    ]
    ids = sorted({item for _, item, _ in rows})
    items = pl.DataFrame({"item_id": ids, "title": ids, "genres": [[genres[item[0]], "Drama"] for item in ids]})
    schema = {"user_id": pl.String, "item_id": pl.String, "timestamp": TIMESTAMP_TYPE}
    return Dataset.from_frames(pl.DataFrame(rows, schema=schema, orient="row"), items, name="films")


def test_a_taste_is_the_genre_that_somebody_has_most_of_beside_the_average() -> None:
    lists = ["w1 w2 w3 w4", "c1 c2 c3 w1", "h1 h2 c1 c2", "w1 c1 h1 h3"]
    data = films(*lists)
    writer = OfflineWriter(OfflineTextConfig()).fit(data, until=START + timedelta(days=1))
    numbers = {item: n for n, item in enumerate(data.items["item_id"], start=1)}
    tastes = strongest_tastes(Sequences.of([[numbers[it] for it in items.split()] for items in lists]), writer)
    assert writer.table_ is not None
    named = {row: writer.table_.aspects[taste.aspects[0]].value for row, taste in tastes.items()}
    assert named == {0: "Western", 1: "Comedy", 2: "Horror", 3: "Horror"}
    assert tastes[0].strength > tastes[3].strength, "four of four say more than two of four"


def test_what_nearly_nobody_took_is_left_out_of_log_and_catalogue() -> None:
    data = films(*["w1 w2 c1"] * 5, "w1 h1 h2", "d1")
    part = dense_part(data)
    assert part.items["item_id"].to_list() == ["c1", "w1", "w2"]
    assert part.interactions.collect()["user_id"].unique().sort().to_list() == [f"u{n}" for n in range(5)]
    with pytest.raises(InvalidDataError, match="got none"):
        dense_part(films("w1 w2", "c1"))


@pytest.fixture(scope="module")
def recommender() -> CURecRecommender:
    return CURecRecommender(QUICK).fit(checkerboard(), until=UNTIL)


def test_people_differ_in_taste_and_nothing_later_chooses_them(recommender: CURecRecommender) -> None:
    data = checkerboard()
    asked = {"until": UNTIL, "k": 3}
    pair = choose_people(recommender, data, n=2, **asked)
    assert sorted(user[0] for user in pair) == ["A", "B"]
    assert choose_people(recommender, data, n=3, **asked) == pair, "there are no more than two tastes"
    assert choose_people(recommender, data, n=1, **asked) == pair[:1]
    crossed = with_events(data, user_ids=pair, item_id=NEVER_SEEN[0], at=UNTIL)
    for day in range(20):
        crossed = with_events(crossed, user_ids=["A01"], item_id="b00", at=UNTIL + timedelta(days=day))
    assert choose_people(recommender, crossed, n=2, **asked) == pair


def test_people_get_lists_with_reasons() -> None:
    data = checkerboard()
    people = lists_for_people(data, until=UNTIL, k=3, n_people=2, config=QUICK)
    log = data.before(UNTIL).collect()
    for person in people:
        taken = log.filter(user_id=person.user_id)["item_id"].to_list()
        titles = dict(data.items.select("item_id", "title").iter_rows())
        assert person.n_items == len(taken)
        assert list(person.newest) == [titles[item_id] for item_id in reversed(taken)]
        assert [item.rank for item in person.items] == [1, 2, 3]
        assert all(item.explanation.verdict.verified for item in person.items)
        assert not {item.explanation.item_id for item in person.items} & set(taken)


def test_the_demo_s_settings_are_valid_and_verify_what_is_shown() -> None:
    assert DEMO_CONFIG.texts.check is False, "what is shown is verified when it is shown"
    assert CURecConfig.model_validate(DEMO_CONFIG.model_dump()) == DEMO_CONFIG
