"""The web page in a browser: a published store, and a server over it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra serve is not installed")

import web_world
from web_site import Site, serving

from whyrec.serving.store import Store


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the published store."""
    folder = tmp_path_factory.mktemp("world")
    with Store.open(f"sqlite:///{folder}/store.sqlite", create=True) as store:
        web_world.publish(store)
    return folder


@pytest.fixture(scope="module")
def site(world: Path) -> Iterator[Site]:
    """The page with models held open."""
    with serving(world) as running:
        yield running
