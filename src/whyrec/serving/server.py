"""The server process: one worker or several, stopping without dropping a request.

Workers ask the store for its current version at every request (at most 50 ms old), so that what is published while they
run is served at once; nothing is restarted.
"""

import atexit
import os
import resource
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from pydantic import Field
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from whyrec.errors import InvalidConfigError, WhyrecError
from whyrec.runtime.strict_model import StrictModel
from whyrec.serving.api import LOOPBACK, ApiSettings, create_app
from whyrec.serving.api.connections import PatientProtocol
from whyrec.serving.api.metrics import MULTIPROCESS_VARIABLE
from whyrec.serving.api.served import Live
from whyrec.serving.store import Store

_FILES_OF_OUR_OWN = 200  # besides connections: the store's, libraries', logs
_PARENT_LOOKED_FOR_S = 1.0


class ServerSettings(StrictModel):
    """Where and how a server listens."""

    host: str = "127.0.0.1"
    """Address or name to listen on."""
    port: int = Field(default=8000, ge=0, le=65535)
    """0 takes a free one."""
    workers: int = Field(default=1, ge=1, le=64)
    """Processes; each holds models of its own."""
    most_connections: int = Field(default=10_000, ge=1)
    """Of each worker; what comes beyond is answered 503."""
    backlog: int = Field(default=2048, ge=1)
    """Connections that may wait to be accepted."""
    keep_alive_s: int = Field(default=30, ge=1)
    """How long a connection may be idle between two requests."""
    stopping_s: int = Field(default=30, ge=1)
    """How long requests may take to end when the server stops."""
    proxies: str | None = None
    """Addresses of proxies, separated by commas, whose X-Forwarded-For is believed."""


class Source(StrictModel):
    """What is served."""

    store: str
    """URL of the store."""
    runs: tuple[Path, ...] = ()
    """Fitted runs that are held open; a worker opens them itself."""


def require_safe(server: ServerSettings, api: ApiSettings) -> None:
    """Refuse to listen where others can reach it without a key.

    Raises:
        InvalidConfigError: If so.
    """
    if server.host not in LOOPBACK and not api.key_hashes:
        raise InvalidConfigError(
            f"--host: expected a loopback address such as 127.0.0.1 without a key, got {server.host!r}. "
            "Make a key with whyrec serve --new-key and name its hash's file with --key-file."
        )


def run_server(
    source: Source, *, server: ServerSettings, api: ApiSettings, started: Callable[[str], None] = lambda _: None
) -> None:
    """Serve until SIGTERM or SIGINT; then requests that have begun are answered, and it returns.

    Args:
        source: What is served.
        server: Where.
        api: Limits and permissions.
        started: Called with the address once connections are accepted.

    Raises:
        InvalidConfigError: If it would be open to others without a key, or the address cannot be had.
        WhyrecError: If store or runs cannot be opened.
    """
    require_safe(server, api)
    server = server.model_copy(update={"most_connections": _connections(server.most_connections)})
    with _listening(server) as listener:
        host, port = listener.getsockname()[:2]
        shown = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        for number in (signal.SIGTERM, signal.SIGINT):
            # uvicorn raises a signal again when it has stopped for it; then there is nothing left to do.
            signal.signal(number, _ignored)
        if server.workers == 1:
            app = open_app(source, api=api)
            started(shown)
            uvicorn.Server(_config(app, server)).run(sockets=[listener])
        else:
            Store.open(source.store, create=False).close()
            started(shown)
            _run_workers(partial(_worker_app, source, api=api, parent=os.getpid()), server, listener)


def open_app(source: Source, *, api: ApiSettings) -> FastAPI:
    """Open store and runs, and build the application over them.

    Raises:
        WhyrecError: If one of them cannot be opened.
    """
    store = Store.open(source.store, create=False)
    atexit.register(store.close)
    return create_app(store, live=_live(source), settings=api)


def source_of(url: str, runs: Sequence[Path], *, publish: Callable[[Store, Sequence[Path]], object]) -> Source:
    """Find out what is to be served, and publish what is not published yet.

    Args:
        url: Of the store; created if there is none and runs are given.
        runs: Fitted runs; without any, those that the current version was made from, where they still lie there.
        publish: Called when runs are given that the current version was not made from.

    Raises:
        WhyrecError: If the store cannot be opened, or publishing fails.
    """
    with Store.open(url, create=bool(runs)) as store:
        current = store.current()
        made_from = [Path(run.directory) for run in current.runs] if current is not None else []
        if runs and {run.resolve() for run in runs} - {run.resolve() for run in made_from}:
            publish(store, runs)
    held = runs or [directory for directory in made_from if directory.is_dir()]
    return Source(store=url, runs=tuple(held))


def _live(source: Source) -> Live | None:
    if not source.runs:
        return None
    # Models load torch; what is published is served without.
    from whyrec.serving.live import LiveModels

    live: Live = LiveModels.open(source.runs)
    return live


def _config(app: FastAPI | Callable[[], FastAPI], server: ServerSettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=not isinstance(app, FastAPI),
        workers=server.workers,
        http=PatientProtocol,
        loop="uvloop",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=server.proxies is not None,
        forwarded_allow_ips=server.proxies,
        limit_concurrency=server.most_connections,
        backlog=server.backlog,
        timeout_keep_alive=server.keep_alive_s,
        timeout_graceful_shutdown=server.stopping_s,
    )


def _listening(server: ServerSettings) -> socket.socket:
    try:
        family = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((server.host, server.port), family=family, backlog=server.backlog)
    except (OSError, OverflowError) as error:
        raise InvalidConfigError(
            f"--host {server.host} --port {server.port}: expected an address to listen on, got none "
            f"({error}). Choose another, or stop what listens there."
        ) from error
    listener.setblocking(False)
    return listener


def _connections(wanted: int) -> int:
    """As many connections as the system lets us have open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _FILES_OF_OUR_OWN
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else max(1, min(wanted, soft - _FILES_OF_OUR_OWN))


def _run_workers(app: Callable[[], FastAPI], server: ServerSettings, listener: socket.socket) -> None:
    with tempfile.TemporaryDirectory(prefix="whyrec-metrics-") as folder:
        # Workers are started as new processes: they find it in their environment before they count anything.
        os.environ[MULTIPROCESS_VARIABLE] = folder
        Multiprocess(_config(app, server), sockets=[listener]).run()


def _worker_app(source: Source, *, api: ApiSettings, parent: int) -> FastAPI:
    """The application of a worker process, which does not outlive its parent."""
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    try:
        return open_app(source, api=api)
    except WhyrecError as error:
        # Told in one line, and not tried again.
        os.write(2, f"error: {error}\n".encode())
        raise SystemExit(STARTUP_FAILURE) from error


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PARENT_LOOKED_FOR_S)
    os.kill(os.getpid(), signal.SIGTERM)


def _ignored(*_: object) -> None:
    """Receive a signal that was acted on."""
