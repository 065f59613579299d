"""Models held open: what-ifs, wishes and explanations as the runs give them, and with what was taken in since."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from contracts.films import AT
from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.runs import explain_list_run, open_run, recommend_shifted_run, recommend_stated_run
from whyrec.serving.documents import NewInteraction
from whyrec.serving.live import LiveModels


@pytest.fixture
def live(runs: dict[str, Path]) -> LiveModels:
    return LiveModels.open([runs[name] for name in ("guided", "curec", "trail", "mllm3rec")])


@pytest.fixture(scope="module")
def user_id(films: Dataset) -> str:
    return str(films.interactions.select(pl.col("user_id").min()).collect().item())


def new(user_id: str, item_id: str) -> NewInteraction:
    return NewInteraction(user_id=user_id, item_id=item_id, timestamp=AT + timedelta(days=90), rating=9)


def test_only_what_can_answer_is_loaded(live: LiveModels) -> None:
    assert live.methods == ("guided", "curec", "mllm3rec")
    tension = next(it for it in live.aspects() if it["key"] == "tension")
    assert tension == {"key": "tension", "name": "tension level", "low": "no tension", "high": "extremely tense"}
    assert len(live.aspects()) == 12


def test_a_shifted_list_is_that_of_the_run(
    live: LiveModels, runs: dict[str, Path], films: Dataset, user_id: str
) -> None:
    found = live.shift(user_id, "tension", amount=-2.0, k=5)
    expected = recommend_shifted_run(open_run(runs["guided"]), films, user_id=user_id, shift=("tension", -2.0), k=5)
    rows = [{name: value for name, value in row.items() if name != "user_id"} for row in expected.rows]
    assert found["entries"] == [{name: row[name] for name in found["entries"][0]} for row in rows]  # type: ignore[index]
    assert [it["title"] for it in found["left"]] == expected.left  # type: ignore[attr-defined]
    assert (found["mean_level_before"], found["mean_level_after"]) == (expected.mean_level_before, expected.mean_level)
    assert found["mean_level_after"] < found["mean_level_before"]  # type: ignore[operator]


def test_a_wish_is_answered_with_reasons(live: LiveModels, runs: dict[str, Path], films: Dataset) -> None:
    found = live.stated("a dark and tense story", k=4)
    expected = recommend_stated_run(open_run(runs["mllm3rec"]), films, words="a dark and tense story", k=4)
    assert [(it.rank, it.item_id) for it in found] == [(row["rank"], row["item_id"]) for row in expected]
    assert all(it.reason is not None and it.reason.text for it in found)
    with pytest.raises(InvalidDataError, match="expected what is wanted, got nothing"):
        live.stated(" ")


@pytest.mark.parametrize("method", ["curec", "guided", "mllm3rec"])
def test_an_explanation_is_that_of_the_run(
    method: str, live: LiveModels, runs: dict[str, Path], films: Dataset, user_id: str
) -> None:
    item_id = films.items["item_id"][3]
    found = live.explain(user_id, item_id, method=method)
    assert found is not None
    [record] = explain_list_run(open_run(runs[method]), films, user_id=user_id, item_ids=[item_id])
    assert (found.method, found.text, found.rank) == (method, record["text"], record["rank"])


def test_what_nobody_knows_has_no_explanation(live: LiveModels, films: Dataset, user_id: str) -> None:
    item_id = films.items["item_id"][3]
    assert live.explain(user_id, item_id, method="trail") is None
    assert live.explain(user_id, "unheard of") is None
    assert live.explain("nobody", item_id) is None
    by_default = live.explain(user_id, item_id)
    assert by_default is not None
    assert by_default.method == "guided"


def test_what_is_taken_in_is_known_at_once(live: LiveModels, user_id: str) -> None:
    before = live.shift(user_id, "tension", amount=1.0, k=3)
    first = str(before["entries"][0]["item_id"])  # type: ignore[index]
    assert live.take_in([new(user_id, first), new(user_id, "unheard of"), new("newcomer", first)]) == 2
    assert live.take_in([new(user_id, first)]) == 0
    after = live.shift(user_id, "tension", amount=1.0, k=80)
    assert first not in [it["item_id"] for it in after["entries"]]  # type: ignore[attr-defined]
    for method in live.methods:
        told = live.explain(user_id, first, method=method)
        assert told is not None
        assert told.rank is None, "it was had"
        assert live.explain("newcomer", first, method=method) is not None


def test_who_is_forgotten_is_a_stranger(live: LiveModels, films: Dataset, user_id: str) -> None:
    item_id = films.items["item_id"][3]
    stranger = live.shift("nobody", "tension", amount=1.0, k=5)
    assert live.shift(user_id, "tension", amount=1.0, k=5)["entries"] != stranger["entries"]
    live.forget([user_id])
    assert live.explain(user_id, item_id) is None
    assert live.shift(user_id, "tension", amount=1.0, k=5)["entries"] == stranger["entries"]
    assert live.take_in([new(user_id, item_id)]) == 0


def test_questions_that_no_run_can_answer(runs: dict[str, Path]) -> None:
    live = LiveModels.open([runs["curec"]])
    assert live.aspects() == []
    with pytest.raises(InvalidConfigError, match="expected an open run of guided, got curec"):
        live.shift("u", "tension", amount=1.0)
    with pytest.raises(InvalidConfigError, match="expected an open run of mllm3rec, got curec"):
        live.stated("anything")
