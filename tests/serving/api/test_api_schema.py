"""The OpenAPI document: whole, with examples that hold, and kept to by the answers."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from whyrec.serving.api import ApiSettings, create_app
from whyrec.serving.store import Store

schemathesis = pytest.importorskip("schemathesis")

few = settings(
    max_examples=5,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
PATHS = {
    "/v1/trending", "/v1/users/{user_id}/recommendations", "/v1/users/{user_id}", "/v1/items/{item_id}",
    "/v1/users/{user_id}/items/{item_id}/explanation", "/v1/items/{item_id}/explanation", "/v1/search",
    "/v1/users/{user_id}/what-if", "/v1/what-if/motivations", "/v1/aspects", "/v1/interactions", "/v1/version",
    "/health", "/ready",
}  # fmt: skip


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    assert set(document["paths"]) == PATHS
    for operation in operations(document):
        assert operation["summary"]
        assert {"401", "422", "429", "503"} <= set(operation["responses"])
        assert not any("$ref" in str(part) and "HTTPValidationError" in str(part) for part in operation.values())
    names = [operation["operationId"] for operation in operations(document)]
    assert len(set(names)) == len(names) == len(PATHS) + 1  # a user can be read and erased


def test_every_example_holds(document: dict[str, Any]) -> None:
    checked = 0
    for operation in operations(document):
        for status, answer in operation["responses"].items():
            content = answer.get("content", {}).get("application/json")
            if content is None:
                continue
            assert content["schema"], (operation["operationId"], status)
            schema = {**content["schema"], "components": document["components"]}
            Draft202012Validator(schema).validate(content["example"])
            checked += 1
    assert checked > 100


@pytest.mark.slow
def test_nothing_that_can_be_sent_breaks_the_server_or_its_description(store: Store) -> None:
    chosen = ApiSettings(hosts=("testserver",), requests_per_second=0, max_query_bytes=1 << 20)
    app = create_app(store, settings=chosen)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    tried: set[tuple[str, str, str]] = set()

    def send(case: Any) -> None:
        tried.add((case.method, case.path, case.meta.generation.mode.name))
        # That a moment must be past stands in words, not in the schema.
        unsaid = [schemathesis.checks.positive_data_acceptance] if case.path == "/v1/interactions" else []
        case.call_and_validate(excluded_checks=unsaid)

    for result in schema.get_all_operations():
        for mode in schemathesis.GenerationMode:
            # Where next to nothing is asked for, next to nothing that is wrong can be thought of.
            with suppress(Unsatisfiable):
                few(given(case=result.ok().as_strategy(generation_mode=mode))(send))()
    assert sum(mode == "POSITIVE" for *_, mode in tried) == len(PATHS) + 1
    assert sum(mode == "NEGATIVE" for *_, mode in tried) > len(PATHS) // 2
