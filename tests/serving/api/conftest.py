"""A published store and the API over it, without a network."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import api_world
import pytest

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from starlette.testclient import TestClient
from whyrec.serving.store import Store

from whyrec.serving.api import ApiSettings, create_app


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/store.sqlite", create=True) as opened:
        api_world.publish(opened)
        yield opened


@pytest.fixture
def connect(store: Store) -> api_world.Connect:
    """A client of an API over the store, with settings other than the defaults."""

    def connected(live: Any = None, **settings: object) -> TestClient:
        chosen = ApiSettings(**{"hosts": ("testserver",), "requests_per_second": 0, **settings})
        return TestClient(create_app(store, live=live, settings=chosen))

    return connected


@pytest.fixture
def client(connect: api_world.Connect) -> TestClient:
    return connect()
