"""Questions to models that are held open."""

from collections.abc import Iterable, Sequence
from typing import Any

import api_world
import pytest
from starlette.testclient import TestClient

from whyrec.errors import InvalidConfigError, UnknownIdError
from whyrec.serving.documents import Entry, ExplanationDocument, NewInteraction
from whyrec.serving.store import Store


class ScriptedModels:
    """Models whose answers show what they were asked and told."""

    methods = ("guided", "mllm3rec")

    def __init__(self) -> None:
        self.told: list[NewInteraction] = []
        self.forgotten: list[str] = []

    def aspects(self) -> Sequence[dict[str, Any]]:
        return [{"key": "tension", "name": "Tension", "low": "calm", "high": "tense"}]

    def shift(self, user_id: str, aspect: str, *, amount: float, k: int) -> dict[str, Any]:
        if user_id == "zed":
            raise UnknownIdError("user 'zed': expected one with a history, got none. Choose another.")
        if aspect != "tension":
            raise InvalidConfigError(f"aspect: expected tension, got {aspect!r}. Choose one.")
        entries = [{"rank": 1, "rank_before": None, "item_id": "i1", "title": "Film 1", "score": amount}]
        left = [{"item_id": one.item_id, "title": one.user_id} for one in self.told]
        return {
            "user_id": user_id,
            "aspect": aspect,
            "amount": amount,
            "mean_level_before": 5.0,
            "mean_level_after": 4.0,
            "entries": entries[:k],
            "left": left,
        }

    def stated(self, words: str, *, k: int) -> Sequence[Entry]:
        return [api_world.entry(n, rank=n + 1, mark=words) for n in range(k)]

    def explain(self, user_id: str, item_id: str, *, method: str | None = None) -> ExplanationDocument | None:
        return None if item_id == "none" else api_world.explanation(item_id, user_id, "live", method or "guided")

    def take_in(self, interactions: Iterable[NewInteraction]) -> None:
        self.told.extend(interactions)

    def user_ids(self) -> Sequence[str]:
        return ["ann", "bob", "cid"]

    def forget(self, user_ids: Iterable[str]) -> None:
        self.forgotten.extend(user_ids)


@pytest.fixture
def models() -> ScriptedModels:
    return ScriptedModels()


@pytest.fixture
def asked(connect: api_world.Connect, models: ScriptedModels) -> TestClient:
    return connect(models)


SHIFT = "/v1/users/ann/what-if?aspect=tension&amount=-0.5"


def test_a_shift_is_answered_with_its_version(asked: TestClient) -> None:
    found = asked.get(SHIFT)
    assert found.json()["entries"][0] == {
        "rank": 1, "rank_before": None, "item_id": "i1", "title": "Film 1", "score": -0.5,
    }  # fmt: skip
    assert (found.json()["version"], found.headers["cache-control"]) == (1, "private, no-cache")
    assert asked.get(SHIFT, headers={"if-none-match": found.headers["etag"]}).status_code == 304
    assert asked.get(SHIFT.replace("-0.5", "0.5"), headers={"if-none-match": found.headers["etag"]}).status_code == 200


def test_models_learn_of_what_was_taken_in_before_they_answer_once(
    asked: TestClient, store: Store, models: ScriptedModels
) -> None:
    rows = [NewInteraction(user_id="ann", item_id=f"i{n}", timestamp=api_world.AT) for n in range(3)]
    store.take_in(rows[:2], "by another process")
    assert [one["item_id"] for one in asked.get(SHIFT).json()["left"]] == ["i0", "i1"]
    store.take_in(rows[2:], "later")
    assert [one["item_id"] for one in asked.get(SHIFT).json()["left"]] == ["i0", "i1", "i2"]
    assert models.told == rows


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/v1/users/zed/what-if?aspect=tension&amount=1", 404, "user 'zed': expected one with a history"),
        ("/v1/users/ann/what-if?aspect=speed&amount=1", 422, "aspect: expected tension, got 'speed'"),
        ("/v1/users/ann/what-if?aspect=tension&amount=11", 422, "parameter 'amount': expected it to be less"),
        ("/v1/users/ann/what-if?aspect=tension&amount=nan", 422, "parameter 'amount': expected it to be"),
        ("/v1/users/ann/what-if?aspect=tension", 422, "parameter 'amount': expected it, got nothing"),
        ("/v1/users/ann/items/none/explanation", 404, "no open run can make it"),
    ],
)
def test_what_cannot_be_answered_is_told(asked: TestClient, path: str, status: int, said: str) -> None:
    answer = asked.get(path)
    assert answer.status_code == status
    assert said in answer.json()["error"]["message"]


def test_a_pair_is_explained_as_published_and_else_by_a_model(asked: TestClient) -> None:
    assert asked.get("/v1/users/ann/items/i1/explanation").json()["text"] == "Because of one."
    live = asked.get("/v1/users/ann/items/i2/explanation?method=mllm3rec").json()
    assert (live["text"], live["method"], live["version"]) == ("Because of live.", "mllm3rec", 1)


def test_an_erased_user_is_forgotten_by_the_models_too(asked: TestClient, store: Store) -> None:
    store.erase_user("ann")
    assert asked.get(SHIFT).status_code == 404
    assert asked.get("/v1/users/ann/items/i2/explanation").status_code == 404


def test_the_models_forget_whom_any_worker_erased_before_the_next_question(
    asked: TestClient, models: ScriptedModels, store: Store
) -> None:
    asked.get("/v1/users/ann/items/i2/explanation")
    assert models.forgotten == []
    with Store.open(store.name) as another:
        another.erase_user("bob")
        another.erase_user("nobody")
    for _ in range(2):
        assert asked.get("/v1/users/ann/items/i2/explanation").status_code == 200
    assert models.forgotten == ["bob"], "once, and only of those who are known"


def test_what_somebody_wants_is_answered(asked: TestClient) -> None:
    found = asked.post("/v1/what-if/motivations", json={"words": "something calm", "k": 2})
    assert found.json()["version"] == 1
    assert [Entry.model_validate(one).title for one in found.json()["entries"]] == [
        "Film 0 something calm",
        "Film 1 something calm",
    ]
    assert found.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("body", [{"words": ""}, {"words": "  "}, {"words": "x" * 2001}, {"words": "a", "k": 101}, {}])
def test_a_wish_has_words(asked: TestClient, body: dict[str, object]) -> None:
    assert asked.post("/v1/what-if/motivations", json=body).status_code == 422


def test_aspects_are_told_or_there_are_none(asked: TestClient, client: TestClient) -> None:
    assert asked.get("/v1/aspects").json() == [{"key": "tension", "name": "Tension", "low": "calm", "high": "tense"}]
    assert client.get("/v1/aspects").json() == []


def test_without_open_runs_that_is_said(client: TestClient) -> None:
    for answer in (client.get(SHIFT), client.post("/v1/what-if/motivations", json={"words": "calm"})):
        assert answer.status_code == 404
        assert "expected an open run, got none. Start with whyrec serve --run RUN." in answer.json()["error"]["message"]


def test_time_of_models_is_counted(asked: TestClient) -> None:
    asked.get(SHIFT)
    assert 'whyrec_live_seconds_count{what="what-if"} 1.0' in asked.get("/metrics").text
