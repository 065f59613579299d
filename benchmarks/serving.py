"""How fast published lists are served, beside a bare endpoint; and a new version under load.

    python benchmarks/serving.py [--json] [--out results/serving.json] [--users 100000] [--items 50000]

Publishes synthetic documents into a SQLite store and starts two servers of one worker each, with the same uvicorn
settings: ours, and a FastAPI application whose endpoints return a constant body of the size that ours has. The same
load goes to one and the other in turn, from a process of its own over connections that stay open. speed: as many
requests as they answer, then p50 and p99 at half of what ours answered, from the moment a request was due. switch: a
new version is published under load; leaves with 1 if a request fails or an answer mixes versions.
"""

import argparse
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from serving_load import Load, Loading, Outcome
from serving_world import mark_of, publish
from whyrec.runtime.manifest import write_results
from whyrec.serving.store import Store

LIBRARIES = ("whyrec", "fastapi", "starlette", "uvicorn", "uvloop", "httptools", "sqlalchemy", "orjson")
BARE = """
import sys
from fastapi import FastAPI, Response
import uvicorn
app = FastAPI()
def add(path, size):
    body = b'"' + b"x" * (size - 2) + b'"'
    @app.get(path)
    async def constant():
        return Response(body, media_type="application/json")
for place, size in enumerate(sys.argv[2:]):
    add(f"/{place}", int(size))
config = uvicorn.Config(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", ws="none", lifespan="off",
    log_level="warning", access_log=False, server_header=False, proxy_headers=False)
uvicorn.Server(config).run()
"""
BARE_NAME = "bare FastAPI endpoint"
N_PATHS = 20_000
SWITCHES = 3

Row = dict[str, str | float]
Asked = tuple["Server", Sequence[str]]
"""A server, and the paths that it is asked for in turn."""


def paths_of(options: argparse.Namespace) -> dict[str, list[str]]:
    """By case, what is asked for: users at random."""
    rng = random.Random(options.seed)
    users = [rng.randrange(options.users) for _ in range(N_PATHS)]
    return {
        "trending, 10 with reasons": ["/v1/trending?k=10"],
        "personal list, 10 with reasons": [f"/v1/users/u{user}/recommendations?k=10" for user in users],
        "explanation of a pair": [
            f"/v1/users/u{user}/items/tt{user % options.items:07d}/explanation" for user in users
        ],
        "item page": [f"/v1/items/tt{user % options.items:07d}" for user in users],
    }


class Server(NamedTuple):
    """A server process of one worker."""

    port: int
    pid: int

    def cpu_s(self) -> float:
        """Processor time that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(command: Sequence[str], port: int) -> Iterator[Server]:
    process = subprocess.Popen([sys.executable, *command], stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                if process.poll() is not None:
                    raise SystemExit(f"{command[-1]}: the server did not start") from None
                time.sleep(0.05)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait()


class Measured(NamedTuple):
    """A load, and what it cost the server."""

    outcome: Outcome
    cpu_us: float
    """A request."""


def measured(options: argparse.Namespace, asked: Asked, rate: float | None = None) -> Measured:
    server, paths = asked
    before = server.cpu_s()
    found = Loading(Load(server.port, paths, options.connections, options.seconds, rate)).outcome()
    if found.failures:
        raise SystemExit(f"{len(found.failures)} requests failed, such as: {found.failures[0]}")
    return Measured(found, 1e6 * (server.cpu_s() - before) / len(found.latencies_s))


def measure_speed(options: argparse.Namespace, url: str) -> Iterator[Row]:
    asked = paths_of(options)
    with running(serve_command(url, options.port), options.port) as ours:
        sizes = {case: _size(ours.port, paths[0]) for case, paths in asked.items()}
        port = options.port + 1
        with running(["-c", BARE, str(port), *map(str, sizes.values())], port) as bare:
            for place, (case, paths) in enumerate(asked.items()):
                yield row(case, "whyrec", "size of the body", sizes[case], unit="bytes")
                yield from _compared(options, case, {"whyrec": (ours, paths), BARE_NAME: (bare, [f"/{place}"])})


def _compared(options: argparse.Namespace, case: str, systems: dict[str, Asked]) -> Iterator[Row]:
    found: dict[str, list[Measured]] = {name: [] for name in systems}
    for _ in range(options.rounds):
        for name, asked in systems.items():
            found[name].append(measured(options, asked))
    for name, loads in found.items():
        rate = statistics.median(one.outcome.rate for one in loads)
        yield row(case, name, "requests per second", rate, unit="1/s")
        cpu_us = statistics.median(one.cpu_us for one in loads)
        yield row(case, name, "processor time of a request", cpu_us, unit="us")
    pairs = list(zip(found["whyrec"], found[BARE_NAME], strict=True))
    share = statistics.median(ours.outcome.rate / bare.outcome.rate for ours, bare in pairs)
    yield row(case, "whyrec", "share of the bare endpoint's throughput", share, unit="")
    # Beside other work on the machine, this is what throughput would be alone: a worker is one thread.
    share = statistics.median(bare.cpu_us / ours.cpu_us for ours, bare in pairs)
    yield row(case, "whyrec", "share by processor time", share, unit="")
    half = statistics.median(one.outcome.rate for one in found["whyrec"]) / 2
    for name, asked in systems.items():
        outcomes = [measured(options, asked, half).outcome for _ in range(options.rounds)]
        for percent in (50, 99):
            value = statistics.median(one.percentile_ms(percent) for one in outcomes)
            yield row(case, name, f"p{percent} at half load", value, unit="ms")


def measure_switch(options: argparse.Namespace, url: str) -> Iterator[Row]:
    """Publish under load: only the users that are asked for, so that it is done while the load lasts."""
    n_users, n_items = min(options.users, 300), min(options.items, 1000)
    paths = ["/v1/trending?k=10", *(f"/v1/users/u{user}/recommendations?k=10" for user in range(n_users))]
    numbers: dict[int, int] = {}
    with Store.open(url) as store:
        numbers[publish(store, n_users=n_users, n_items=n_items, number=1)] = 1
        with running(serve_command(url, options.port), options.port):
            seconds = 4.0 * SWITCHES
            loading = Loading(Load(options.port, paths, options.connections, seconds, keeps_bodies=True))
            time.sleep(1)
            for number in range(2, SWITCHES + 2):
                time.sleep(1)
                numbers[publish(store, n_users=n_users, n_items=n_items, number=number)] = number
            outcome = loading.outcome()
    seen, mixed = set(), 0
    for body in outcome.bodies:
        version = json.loads(body)["version"]
        marks = set(re.findall(rb"<mark \d+>", body))
        seen.add(version)
        mixed += marks != {mark_of(numbers[version]).encode()}
    values = {
        "requests": len(outcome.latencies_s),
        "requests failed": len(outcome.failures),
        "answers that mix versions": mixed,
        "versions seen": len(seen),
    }
    for metric, value in values.items():
        yield row(f"{SWITCHES} versions published under load", "whyrec", metric, value, unit="")
    if outcome.failures or mixed or len(seen) != SWITCHES + 1:
        raise SystemExit(f"a request was dropped, or versions were mixed: {values}, {outcome.failures[:1]}")


def serve_command(url: str, port: int) -> list[str]:
    start = "import sys; from whyrec.cli.main import main; sys.exit(main(sys.argv[1:]))"
    return ["-c", start, "serve", "--store", url, "--port", str(port), "--rate", "0"]


def _size(port: int, path: str) -> int:
    return len(Loading(Load(port, [path], 1, 0.05, keeps_bodies=True)).outcome().bodies[0])


def row(case: str, system: str, metric: str, value: float, *, unit: str) -> Row:
    shown = round(value, 3 if value < 100 else 0)
    return {"benchmark": "serving", "case": case, "system": system, "metric": metric, "value": shown, "unit": unit}


def published(options: argparse.Namespace, url: str) -> Iterator[Row]:
    started = time.perf_counter()
    with Store.open(url) as store:
        publish(store, n_users=options.users, n_items=options.items, number=0)
    case = f"{options.users:,} users, {options.items:,} items"
    yield row(case, "whyrec", "time to publish", time.perf_counter() - started, unit="s")
    size = Path(url.removeprefix("sqlite:///")).stat().st_size
    yield row(case, "whyrec", "size of the store", size / 1e6, unit="MB")


CASES = {"speed": measure_speed, "switch": measure_switch}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each load")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--port", type=int, default=8765, help="and the one after it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one row per line instead of a table")
    parser.add_argument("--out", type=Path, help="also write a results file")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/store.sqlite"
        makers = [published] if "speed" in options.cases else []
        for make in (*makers, *(CASES[name] for name in options.cases)):
            for one in make(options, url):
                line = f"{one['case']:<40}{one['system']:<24}{one['metric']:<42}{one['value']:>10,} {one['unit']}"
                print(json.dumps(one) if options.json else line, flush=True)
                rows.append(one)
    if options.out is not None:
        names = ("cases", "users", "items", "connections", "seconds", "rounds", "seed")
        config = {name: getattr(options, name) for name in names}
        seconds = time.perf_counter() - started
        write_results(options.out, config=config, wall_time_s=seconds, rows=rows, libraries=LIBRARIES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
