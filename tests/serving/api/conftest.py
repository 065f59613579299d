"""A published store and the API over it, without a network."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import api_world
import pytest

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from starlette.testclient import TestClient

from whyrec.serving.api import ApiSettings, create_app
from whyrec.serving.store import Store


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store with one version; copy it."""
    file = tmp_path_factory.mktemp("published") / "store.sqlite"
    with Store.open(f"sqlite:///{file}", create=True) as opened:
        api_world.publish(opened)
    return file


@pytest.fixture
def store(published: Path, tmp_path: Path) -> Iterator[Store]:
    file = shutil.copy(published, tmp_path)
    with Store.open(f"sqlite:///{file}") as opened:
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
