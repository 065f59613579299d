"""What the recommenders of sequence encoders add: losses by name, and users found again by their ids."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from pydantic import ValidationError

from whyrec.baselines.personal import CaserRecommender, CaserRecommenderConfig, HgnRecommender, HgnRecommenderConfig
from whyrec.baselines.sequential import SasRecRecommender, SasRecRecommenderConfig
from whyrec.baselines.sequential_kinds import (
    Bert4RecRecommender,
    Bert4RecRecommenderConfig,
    Gru4RecPlusRecommender,
    Gru4RecPlusRecommenderConfig,
    Gru4RecRecommender,
    Gru4RecRecommenderConfig,
)
from whyrec.data.dataset import Dataset
from whyrec.encoders.bert4rec import Bert4RecConfig
from whyrec.encoders.caser import CaserConfig
from whyrec.encoders.gru4rec import Gru4RecConfig
from whyrec.encoders.hgn import HgnConfig
from whyrec.encoders.recommender import SequentialRecommender
from whyrec.encoders.sasrec import SasRecConfig
from whyrec.encoders.train import TrainingConfig

START = datetime(2022, 1, 1, tzinfo=UTC)
END = START + timedelta(days=365)
N_ITEMS, N_USERS = 20, 120
USERS = [f"u{user:03}" for user in range(N_USERS)]
TRAINING = TrainingConfig(epochs=30, batch_size=20, micro_batch=20, learning_rate=1e-2, threads=1)
COMMON = {"training": TRAINING, "validation_users": 0, "device": "cpu"}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def history(user: int) -> list[str]:
    """Some steps round the circle, from a place that differs from user to user."""
    return [f"i{(user + step) % N_ITEMS:02}" for step in range(4 + user // N_ITEMS)]


def next_item(user: int) -> str:
    return f"i{(user + len(history(user))) % N_ITEMS:02}"


def round_world() -> Dataset:
    """120 users who walk round a circle of twenty items: the next item is plain to see."""
    rows = [
        (f"u{user:03}", item, START + timedelta(days=step, minutes=user))
        for user in range(N_USERS)
        for step, item in enumerate(history(user))
    ]
    schema = {"user_id": pl.String, "item_id": pl.String, "timestamp": pl.Datetime("us", "UTC")}
    ids = [f"i{n:02}" for n in range(N_ITEMS)]
    items = pl.DataFrame({"item_id": ids, "title": [f"Stop {n}" for n in range(N_ITEMS)]})
    return Dataset.from_frames(pl.DataFrame(rows, schema=schema, orient="row"), items, name="round")


def sasrec(loss: str) -> SequentialRecommender:
    model = SasRecConfig(embedding_dim=16, n_layers=1, max_history=10, dropout=0.0)
    config = {"loss": loss, "n_negatives": 2 if loss == "bce" else 8, "model": model}
    return SasRecRecommender(SasRecRecommenderConfig.model_validate({**COMMON, **config}))


def gru(loss: str) -> SequentialRecommender:
    model = Gru4RecConfig(embedding_dim=16, hidden_dim=16, max_history=10, dropout=0.0)
    config = {**COMMON, "loss": loss, "model": model, "n_negatives": 32}
    if loss == "softmax":
        return Gru4RecRecommender(Gru4RecRecommenderConfig.model_validate(config))
    return Gru4RecPlusRecommender(Gru4RecPlusRecommenderConfig.model_validate(config))


def bert() -> SequentialRecommender:
    model = Bert4RecConfig(embedding_dim=16, n_layers=1, inner_dim=16, max_history=11, dropout=0.0)
    config = {**COMMON, "model": model, "training": TRAINING.model_copy(update={"epochs": 60})}
    return Bert4RecRecommender(Bert4RecRecommenderConfig.model_validate(config))


def personal(kind: str) -> CaserRecommender | HgnRecommender:
    config = {**COMMON, "n_targets": 1, "n_negatives": 3}
    if kind == "caser":
        model = {"model": CaserConfig(embedding_dim=16, max_history=3, dropout=0.0)}
        return CaserRecommender(CaserRecommenderConfig.model_validate(config | model))
    return HgnRecommender(HgnRecommenderConfig.model_validate(config | {"model": HgnConfig(embedding_dim=16)}))


MAKERS = {
    **{f"sasrec_{loss}": (lambda loss=loss: sasrec(loss)) for loss in ("softmax", "sampled_softmax", "gbce", "bce")},
    **{f"gru4rec_{loss}": (lambda loss=loss: gru(loss)) for loss in ("softmax", "bpr_max", "top1_max")},
    "bert4rec": bert,
    "caser": lambda: personal("caser"),
    "hgn": lambda: personal("hgn"),
}


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_the_next_item_of_the_circle_comes_first(name: str) -> None:
    data = round_world()
    recommender = MAKERS[name]().fit(data, until=END)
    first = recommender.recommend(data, user_ids=USERS, k=1)["item_id"].to_list()
    right = [next_item(user) for user in range(N_USERS)]
    assert np.mean([one == other for one, other in zip(first, right, strict=True)]) > 0.9


@pytest.mark.parametrize("kind", ["caser", "hgn"])
def test_users_are_known_by_their_id_and_not_by_their_row(kind: str, tmp_path: Path) -> None:
    data = round_world()
    recommender = personal(kind).fit(data, until=END)
    together = recommender.recommend(data, user_ids=USERS, k=5)
    recommender.save(tmp_path / "saved")
    loaded = type(recommender).load(tmp_path / "saved")
    for user in ("u017", "u003"):
        mine = together.filter(user_id=user)
        for one in (recommender, loaded):
            assert_frame_equal(one.recommend(data, user_ids=[user], k=5), mine, check_exact=True)
            turned = one.recommend(data, user_ids=["u099", user], k=5).filter(user_id=user)
            assert_frame_equal(turned, mine, check_exact=True)


@pytest.mark.parametrize("kind", ["caser", "hgn"])
def test_a_stranger_is_read_by_the_items_alone(kind: str) -> None:
    data = round_world()
    recommender = personal(kind).fit(data, until=END)
    mine = data.interactions.collect().filter(user_id="u005")
    both = [mine.with_columns(pl.lit(name).alias("user_id")) for name in ("new1", "new2")]
    grown = Dataset.from_frames(pl.concat([data.interactions.collect(), *both]), data.items, name="grown")
    lists = recommender.recommend(grown, user_ids=["u005", "new1", "new2"], k=5)
    known, *strangers = (lists.filter(user_id=name).drop("user_id") for name in ("u005", "new1", "new2"))
    assert_frame_equal(*strangers, check_exact=True)
    assert known["score"].to_list() != strangers[0]["score"].to_list()


def test_gru4rec_plus_is_bpr_max_unless_told_otherwise() -> None:
    assert Gru4RecPlusRecommenderConfig().loss == "bpr_max"
    assert Gru4RecRecommenderConfig().loss == "softmax"


def test_one_setting_of_training_leaves_those_that_suit_the_encoder() -> None:
    given = CaserRecommenderConfig.model_validate({"training": {"epochs": 3}})
    assert given.training == CaserRecommenderConfig().training.model_copy(update={"epochs": 3})
    assert given.training.batch_size == 16
    whole = CaserRecommenderConfig(training=TRAINING)
    assert whole.training == TRAINING
    with pytest.raises(ValidationError, match="epoch_count"):
        CaserRecommenderConfig.model_validate({"training": {"epoch_count": 3}})


@pytest.mark.parametrize(
    "wrong", [{"loss": "hinge"}, {"n_negatives": 0}, {"calibration": 1.5}, {"popularity_exponent": -1.0}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        SasRecRecommenderConfig.model_validate(wrong)
