"""What processes do that are killed or run out of space; they share nothing with the tests."""

import itertools
import resource
import time
from multiprocessing.connection import Connection

from contracts.published import AT, RUNS, item, publish, taken
from whyrec.errors import WhyrecError
from whyrec.serving.store import Store, publication

N_USERS, BATCH = 60, 3


def publish_until_killed(url: str, name: str, sender: Connection) -> None:
    """Publish in many small transactions, tell how many seconds it took, and remove old versions, again and again."""
    publication._ROWS_AT_ONCE = 40
    with Store.open(url, create=False) as store:
        sender.send("ready")
        for n in itertools.count():
            started = time.monotonic()
            publish(store, label=f"{name}-{n}", user_ids=[f"u{m}" for m in range(N_USERS)])
            sender.send(time.monotonic() - started)
            if n % 4 == 3:
                store.retain(1)


def take_in_until_killed(url: str, name: str, sender: Connection) -> None:
    """Take in batches, and tell of each when it has been acknowledged."""
    with Store.open(url, create=False) as store:
        sender.send("ready")
        for n in itertools.count():
            key = f"{name}-{n}"
            store.take_in([taken(f"u{m}", key) for m in range(BATCH)], key)
            sender.send(key)


def write_in_little_space(url: str, limit: int, sender: Connection) -> None:
    """Publish and take in more than files may hold, and tell what was said to it."""
    with Store.open(url, create=False) as store:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        said = []
        try:
            with store.publish(at=AT, dataset="too large", runs=RUNS) as version:
                version.add_items(item(f"i{n}", description="x" * 100_000) for n in range(200))
        except WhyrecError as error:
            said.append((type(error).__name__, str(error)))
        acknowledged = 0
        try:
            for n in range(100):
                store.take_in([taken("u" * 200, "i" * 200) for _ in range(100)], f"k{n}")
                acknowledged += 1
        except WhyrecError as error:
            said.append((type(error).__name__, str(error)))
        sender.send((said, acknowledged))
