"""The web page as the API serves it, over a real store."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import uvicorn
import web_world

from whyrec.serving.api import ApiSettings, create_app
from whyrec.serving.store import Store


class Site(NamedTuple):
    """A server that runs."""

    url: str
    live: web_world.LiveDouble


@contextmanager
def serving(folder: Path, *, is_live: bool = True, **settings: object) -> Iterator[Site]:
    """Serve the world on a free port until the block ends."""
    with Store.open(f"sqlite:///{folder}/store.sqlite", create=True) as store, socket.socket() as listening:
        if store.current() is None:
            web_world.publish(store)
        live = web_world.LiveDouble()
        chosen = ApiSettings(**{"requests_per_second": 0, **settings})
        app = create_app(store, live=live if is_live else None, settings=chosen)
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            end = time.monotonic() + 10
            while not server.started and time.monotonic() < end:
                time.sleep(0.01)
            yield Site(f"http://127.0.0.1:{listening.getsockname()[1]}", live)
        finally:
            server.should_exit = True
            thread.join(timeout=10)
