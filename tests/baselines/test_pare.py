"""PARE: the history path by hand, gradients, padding, attributes, and learning what only one module can know."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from contracts.forecaster import CUTOFF, small_world
from whyrec.baselines.pare.attributes import learn_vocabulary
from whyrec.baselines.pare.config import MODULES, PareConfig
from whyrec.baselines.pare.forecaster import PareForecaster
from whyrec.baselines.pare.model import Batch, PareNetwork, Sizes, exponential_average, masked_mean, pare_loss
from whyrec.baselines.pare.panel import batch_of, count_panel, training_rows
from whyrec.baselines.pare.train import choose
from whyrec.data.dataset import Dataset
from whyrec.data.schema import TIMESTAMP_TYPE
from whyrec.data.windows import WindowLength, users_per_item_and_window
from whyrec.errors import InvalidConfigError

SIZES = Sizes(
    n_items=4,
    n_windows=6,
    attributes={"genres": 4, "maker": 3},
    genre_column="genres",
    side_columns=("genres", "maker"),
)
QUICK = {"embedding_dim": (4,), "learning_rate": (1e-2,), "smoothing": (0.5,), "epochs": 2}


def batch(*, history: list[list[float]], is_valid: list[list[bool]]) -> Batch:
    """Three rows at most; attributes, item and months differ per row."""
    rows = len(history)
    return Batch(
        history=torch.tensor(history),
        is_valid=torch.tensor(is_valid),
        item=torch.tensor([1, 2, 3][:rows]),
        release=torch.tensor([1, 2, 0][:rows]),
        target=torch.tensor([4, 5, 5][:rows]),
        phase=torch.tensor([0, 5, 11][:rows]),
        attributes={
            "genres": torch.tensor([[1, 2, 0], [3, 0, 0], [0, 0, 0]])[:rows],
            "maker": torch.tensor([[1], [2], [0]])[:rows],
        },
    )


def network(*, modules: tuple[str, ...] = MODULES, fusion: str = "softmax") -> PareNetwork:
    torch.manual_seed(0)
    return PareNetwork(SIZES, embedding_dim=5, smoothing=0.5, modules=modules, fusion=fusion)  # type: ignore[arg-type]


THREE = batch(
    history=[[1.0, 2.0, 4.0], [0.0, 3.0, 1.0], [0.0, 0.0, 0.0]],
    is_valid=[[True, True, True], [False, True, True], [False, False, False]],
)


def test_history_path_by_hand() -> None:
    """1, 2, 4 at .5: 1 -> 1.5 -> 2.75. 3, 1: 3 -> 2. Nothing: 0."""
    got = exponential_average(THREE.history, THREE.is_valid, smoothing=0.5)
    assert got.tolist() == [2.75, 2.0, 0.0]


@given(st.lists(st.floats(0, 8, width=32), min_size=1, max_size=6), st.sampled_from([0.3, 0.7, 0.9]), st.integers(0, 4))
def test_padding_does_not_change_the_average(counts: list[float], smoothing: float, n_padding: int) -> None:
    average = counts[0]
    for count in counts[1:]:
        average = smoothing * count + (1 - smoothing) * average
    # -9 stands for whatever a padded place may hold.
    history = torch.tensor([[-9.0] * n_padding + counts])
    is_valid = torch.tensor([[False] * n_padding + [True] * len(counts)])
    assert exponential_average(history, is_valid, smoothing=smoothing).item() == pytest.approx(average, abs=1e-5)


def test_padding_does_not_change_a_forecast() -> None:
    """More padded history and more padded attribute places: the same numbers."""
    pad = torch.nn.functional.pad
    wider = Batch(
        history=pad(THREE.history, (2, 0), value=7.0),
        is_valid=pad(THREE.is_valid, (2, 0), value=False),
        item=THREE.item,
        release=THREE.release,
        target=THREE.target,
        phase=THREE.phase,
        attributes={name: pad(index, (0, 3)) for name, index in THREE.attributes.items()},
    )
    for fusion in ("softmax", "attention"):
        model = network(fusion=fusion)
        torch.testing.assert_close(model(wider), model(THREE))


def test_masked_mean_leaves_padding_out() -> None:
    vectors = torch.tensor([[[2.0], [4.0], [99.0]], [[1.0], [1.0], [1.0]]])
    is_valid = torch.tensor([[True, True, False], [False, False, False]])
    assert masked_mean(vectors, is_valid).tolist() == [[3.0], [0.0]]


@pytest.mark.parametrize("fusion", ["softmax", "attention"])
def test_gradients_reach_all_four_modules_and_the_fusion(fusion: str) -> None:
    model = network(fusion=fusion)
    if fusion == "attention":
        # The query starts at 0, where nothing behind it has a gradient yet.
        torch.nn.init.ones_(model.fusion.query)
    rows = batch(history=THREE.history.tolist(), is_valid=THREE.is_valid.tolist())
    rows.history.requires_grad_()
    # The fused output alone: the paths' own losses would reach each module anyway.
    ((model(rows) - torch.tensor([3.0, 1.0, 0.5])) ** 2).sum().backward()
    assert rows.history.grad is not None
    assert rows.history.grad.abs().sum() > 0
    without = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert without == []
    names = {name.split(".")[0] for name, _ in model.named_parameters()}
    assert {"temporal_out", "periodic_out", "side_out", "item", "window", "genre_phase", "side", "fusion"} <= names


def test_fusion_weights_start_equal_and_stay_positive_with_sum_one() -> None:
    model = network()
    paths = torch.tensor([[1.0, 2.0, 3.0, 6.0]])
    assert model.fuse(paths).item() == pytest.approx((1 + 2 + 3 + 6) / 4)
    with torch.no_grad():
        model.fusion.logits.copy_(torch.tensor([0.0, -50.0, -50.0, -50.0]))
    assert model.fuse(paths).item() == pytest.approx(1.0)


def test_loss_adds_the_error_of_each_path_and_of_the_fusion() -> None:
    model = network()
    truth = torch.tensor([2.0, 1.0, 0.0])
    paths = model.paths(THREE)
    by_hand = sum(((paths[:, m] - truth) ** 2).mean() for m in range(4)) + ((paths.mean(dim=1) - truth) ** 2).mean()
    assert pare_loss(model, THREE, truth).item() == pytest.approx(by_hand.item(), rel=1e-5)


def test_unknown_item_and_month_are_zero_not_random() -> None:
    model = network()
    assert not model.item.weight[0].any()
    assert not model.window.weight[0].any()
    assert not any(table.weight[0].any() for table in model.side)


def test_history_only_equals_a_hand_average_of_log_counts() -> None:
    data = small_world()
    config = PareConfig(window="30d", modules=("history",), smoothing=(0.7,))
    ranking = PareForecaster(config).fit(data, until=CUTOFF).forecast(data, at=CUTOFF)
    windows = [CUTOFF - timedelta(days=30 * n) for n in range(6, 0, -1)]
    spans = [WindowLength(30).following(start) for start in windows]
    counts = users_per_item_and_window(data.before(CUTOFF), spans)
    for item_id, score in ranking.select("item_id", "score").iter_rows():
        rows = dict(counts.filter(item_id=item_id).select("window", "users").iter_rows())
        average = None
        for window in range(6):
            x = np.log1p(rows.get(window, 0))
            if average is not None:
                average = 0.7 * x + 0.3 * average
            elif x:
                average = x
        assert score == pytest.approx(np.expm1(average or 0.0), abs=2e-5), item_id


def test_a_row_reads_only_windows_before_its_target() -> None:
    """Changing the counts from the target on, release included, changes nothing in the row."""
    data = small_world()
    panel = count_panel(data, at=CUTOFF, length=WindowLength(30))
    panel.window_index[:] = np.arange(1, panel.n_windows + 2)
    item = np.arange(len(panel.item_ids))
    target = np.full(len(item), 3)
    before = batch_of(panel, item=item, target=target, max_history=36)
    panel.users[:, 3:] += 100
    panel.first[:] = np.where(panel.first < 3, panel.first, 3)
    after = batch_of(panel, item=item, target=target, max_history=36)
    for name in ("history", "is_valid", "item", "release", "target", "phase"):
        if name == "history":
            torch.testing.assert_close(before.history * before.is_valid, after.history * after.is_valid)
        else:
            assert torch.equal(getattr(before, name), getattr(after, name)), name


def test_training_rows_are_busy_windows_and_as_many_quiet_ones() -> None:
    panel = count_panel(small_world(), at=CUTOFF, length=WindowLength(30))
    panel.users[:] = 0
    panel.users[0] = [5, 0, 3, 0, 0, 9]
    item, target = training_rows(panel, n_windows=5, min_target=2, rng=np.random.default_rng(0))
    users = panel.users[item, target].tolist()
    assert item.tolist() == [0, 0, 0, 0]
    assert sorted(users) == [0, 0, 3, 5]
    assert target.max() < 5


def test_columns_are_detected_and_rare_values_are_unknown() -> None:
    items = pl.DataFrame(
        {
            "item_id": ["a", "b", "c"],
            "title": ["same", "same", "same"],
            "genres": [["x", "y"], ["x", "z", "x"], None],
            "maker": ["m", "m", "n"],
            "blurb": ["one", "two", "three"],
            "price": [1.0, 2.0, 2.0],
        }
    )
    vocabulary = learn_vocabulary(items, genre_column=None, side_columns=None, max_values=2)
    assert (vocabulary.genre_column, vocabulary.side_columns) == ("genres", ("genres", "maker"))
    assert dict(vocabulary.values) == {"genres": ["x"], "maker": ["m"]}
    assert vocabulary.indices(items, "genres").tolist() == [[1, 0], [1, 0], [0, 0]]
    with pytest.raises(InvalidConfigError, match="got 'price'"):
        learn_vocabulary(items, genre_column="price", side_columns=None, max_values=2)


def test_a_catalogue_without_attributes_is_enough() -> None:
    data = small_world()
    bare = Dataset.from_frames(data.interactions, data.items.select("item_id", "title"))
    ranking = PareForecaster(PareConfig(window="30d", **QUICK)).fit(bare, until=CUTOFF).forecast(bare, at=CUTOFF)
    assert ranking["score"].n_unique() > 5


def alternating_world() -> Dataset:
    """Four years. "odd" items get 12 users in January, March, ... and 1 otherwise; "even" ones the other way round."""
    rows = []
    for year in range(2016, 2020):
        for month in range(1, 13):
            when = datetime(year, month, 10, tzinfo=UTC)
            for n in range(6):
                rows += [(f"u{u}", f"s{n}", when) for u in range(12 if n % 2 == month % 2 else 1)]
    log_schema = {"user_id": pl.String, "item_id": pl.String, "timestamp": TIMESTAMP_TYPE}
    ids = [f"s{n}" for n in range(6)]
    genres = [["odd"] if n % 2 else ["even"] for n in range(6)]
    items = pl.DataFrame({"item_id": ids, "title": ids, "genres": genres})
    return Dataset.from_frames(pl.DataFrame(rows, schema=log_schema, orient="row"), items)


def test_the_periodic_path_learns_a_season_that_history_gets_wrong() -> None:
    """On 1 July the last month was an even one: history says even, the season says odd."""
    data = alternating_world()
    at = datetime(2019, 7, 1, tzinfo=UTC)
    quick = {"embedding_dim": (8,), "learning_rate": (3e-2,), "fusion": ("softmax",), "smoothing": (0.9,), "epochs": 30}
    lists = {}
    for path in ("periodic", "history"):
        fitted = PareForecaster(PareConfig(window="month", modules=(path,), **quick)).fit(data, until=at)
        lists[path] = fitted.forecast(data, at=at)
    assert set(lists["periodic"]["item_id"].head(3)) == {"s1", "s3", "s5"}
    assert set(lists["history"]["item_id"].head(3)) == {"s0", "s2", "s4"}


def test_settings_are_chosen_without_the_test_window() -> None:
    """Whatever happens from the cut-off on, the same choice and the same weights."""
    data = small_world()
    past = Dataset.from_frames(data.before(CUTOFF).collect(), data.items)
    config = PareConfig(window="30d", embedding_dim=(4, 8), learning_rate=(1e-2,), epochs=3)
    a, b = PareForecaster(config).fit(data, until=CUTOFF), PareForecaster(config).fit(past, until=CUTOFF)
    assert a.choice_ == b.choice_
    for name, weight in a.network_.state_dict().items():
        assert torch.equal(weight, b.network_.state_dict()[name]), name


def test_candidates_are_not_trained_on_the_window_that_chooses() -> None:
    """Other counts in the newest window, same forecasts of it: they are made from, and trained on, earlier ones."""
    config = PareConfig(window="30d", embedding_dim=(4,), learning_rate=(1e-2,), epochs=3)
    forecasts: list[list[np.ndarray]] = []
    for extra in (0, 50):
        panel = count_panel(small_world(), at=CUTOFF, length=WindowLength(30))
        panel.window_index[:] = np.minimum(np.arange(1, panel.n_windows + 2), panel.n_windows - 1)
        panel.item_index[:] = np.arange(1, len(panel.item_ids) + 1)
        panel.users[:5, -1] += extra
        sizes = Sizes(len(panel.item_ids) + 1, panel.n_windows + 1, {}, None, ())
        judged: list[np.ndarray] = []

        def judge(scores: np.ndarray, judged: list[np.ndarray] = judged) -> float:
            judged.append(scores)
            return 0.5

        choose(panel, sizes=sizes, config=config, judge=judge)
        forecasts.append(judged)
    assert len(forecasts[0]) == len(config.smoothing) + len(config.fusion) * config.epochs
    for one, other in zip(*forecasts, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_log_too_short_to_choose_on_takes_the_first_candidates() -> None:
    data = small_world()
    config = PareConfig(window="30d", embedding_dim=(4, 8), learning_rate=(1e-2,), epochs=2)
    fitted = PareForecaster(config).fit(data, until=datetime(2020, 2, 20, tzinfo=UTC))
    assert (fitted.choice_.embedding_dim, fitted.choice_.smoothing, fitted.choice_.epochs) == (4, 0.3, 2)
