"""Processes killed at any moment, full disks, a restarted database: what was acknowledged is there, and whole."""

import multiprocessing
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import store_child
from sqlalchemy import func, select

from contracts.postgresql_server import PostgresqlServer
from contracts.published import publish, taken, user
from whyrec.errors import OutputWriteError, StoreUnavailableError
from whyrec.serving.documents import VersionRecord
from whyrec.serving.store import Store
from whyrec.serving.store.locks import publishing
from whyrec.serving.store.schema import BUILDING, VERSIONED, boards, explanations, items, lists, users, versions

N_KILLS = {"sqlite": 50, "postgresql": 10}
EXPECTED = {
    boards: 1,
    items: 1,
    users: store_child.N_USERS,
    lists: 2 * store_child.N_USERS,
    explanations: store_child.N_USERS,
}


@pytest.fixture(scope="module")
def processes() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "whyrec.serving.store"])  # what loads slowly
    return context


def told_until_killed(
    processes: multiprocessing.context.ForkServerContext,
    work: Callable[..., None],
    url: str,
    *,
    name: str,
    told: int,
    delay_s: float = 0,
) -> list[Any]:
    """What a process told that was killed some time after it had told as many things as said here."""
    receiver, sender = processes.Pipe(duplex=False)
    child = processes.Process(target=work, args=(url, name, sender))
    child.start()
    sender.close()
    assert receiver.recv() == "ready"
    things = []
    for _ in range(told):
        assert receiver.poll(60)
        things.append(receiver.recv())
    time.sleep(delay_s)
    child.kill()
    child.join()
    assert child.exitcode == -9  # it was at work, not gone by an error
    with receiver:
        return things + received(receiver)


def wait_until_free(store: Store) -> None:
    """PostgreSQL notices after a moment that a client is gone; then others may publish."""
    for _ in range(500):
        try:
            with publishing(store._database):
                return
        except OutputWriteError:
            time.sleep(0.02)
    pytest.fail("a killed process still has the right to publish")


def received(receiver: Connection) -> list[Any]:
    keys = []
    while True:
        try:
            keys.append(receiver.recv())
        except EOFError:
            return keys


def require_whole(store: Store, record: VersionRecord) -> None:
    with store._database.writing() as connection:
        for table, n in EXPECTED.items():
            counted = select(func.count()).select_from(table).where(table.c.version == record.id)
            assert connection.execute(counted).scalar() == n, table.name
    assert (record.n_users, record.n_items, record.n_explanations) == (EXPECTED[users], 1, EXPECTED[explanations])
    told = [store.board(record.id, "next"), store.item(record.id, "i1")]
    told += [store.list_of(record.id, f"u{n}") for n in range(store_child.N_USERS)]
    assert all(f'"{record.dataset}"'.encode() in (document or b"") for document in told)
    assert [match.item_id for match in store.search(record.id, "star wars")] == ["i1"]


def unfinished(store: Store) -> int:
    with store._database.writing() as connection:
        building = select(func.count()).select_from(versions).where(versions.c.state == BUILDING)
        return connection.execute(building).scalar_one()


@pytest.mark.slow
def test_a_publication_killed_at_any_moment_is_not_seen(
    store: Store, store_url: str, processes: multiprocessing.context.ForkServerContext
) -> None:
    chance = random.Random(10)
    publish(store, label="first", user_ids=[f"u{n}" for n in range(store_child.N_USERS)])
    work = store_child.publish_until_killed
    takes_s = told_until_killed(processes, work, store_url, name="timed", told=1)[0]
    n_unfinished = 0
    seen = set()
    for n in range(N_KILLS[store.dialect]):
        wait_until_free(store)
        # In turn somewhere in the first publication of a process and in a later one, however busy the machine is.
        delay_s = chance.uniform(0, 1.25 * takes_s)
        told = told_until_killed(processes, work, store_url, name=f"g{n}", told=n % 2, delay_s=delay_s)
        record = store.current()
        assert record is not None
        seen.add(record.dataset)
        if told:  # what was told is served, or what came after it
            takes_s = told[0]
            name, number = record.dataset.split("-")
            assert (name, int(number) >= len(told) - 1) == (f"g{n}", True)
        for kept in store.versions():
            require_whole(store, kept)
        n_unfinished += unfinished(store)
    assert n_unfinished >= N_KILLS[store.dialect] / 20  # or the moments were too late to tell anything
    assert len(seen) >= N_KILLS[store.dialect] / 2
    wait_until_free(store)
    last = publish(store)
    store.retain(1)
    kept_ids = {kept.id for kept in store.versions()}
    assert last.id in kept_ids
    with store._database.writing() as connection:
        for table in VERSIONED:
            assert set(connection.execute(select(table.c.version).distinct()).scalars()) <= kept_ids


@pytest.mark.slow
def test_what_was_acknowledged_outlives_a_kill_at_any_moment(
    store: Store, store_url: str, processes: multiprocessing.context.ForkServerContext
) -> None:
    chance = random.Random(11)
    acknowledged: list[str] = []
    for n in range(N_KILLS[store.dialect]):
        work = store_child.take_in_until_killed
        delay_s = chance.uniform(0, 0.1)
        acknowledged += told_until_killed(processes, work, store_url, name=f"g{n}", told=n % 3, delay_s=delay_s)
    kept = Counter(one.interaction.item_id for one in store.taken_in())
    assert len(acknowledged) >= N_KILLS[store.dialect] * 9 / 10
    assert set(acknowledged) <= kept.keys()
    assert set(kept.values()) == {store_child.BATCH}  # each batch whole and once
    assert len(kept) - len(acknowledged) <= N_KILLS[store.dialect]  # of each process, at most one was not told
    for key in acknowledged[::20]:
        assert store.take_in([taken(f"u{m}", key) for m in range(store_child.BATCH)], key).repeated


def test_a_full_disk_leaves_what_was_served(
    sqlite_store: Store, tmp_path: Path, processes: multiprocessing.context.ForkServerContext
) -> None:
    record = publish(sqlite_store, user_ids=[f"u{n}" for n in range(300)])
    receiver, sender = processes.Pipe(duplex=False)
    limit = 3_000_000  # bytes in one file: the log of SQLite grows past it
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    child = processes.Process(target=store_child.write_in_little_space, args=(url, limit, sender))
    child.start()
    said, acknowledged = receiver.recv()
    child.join()
    assert child.exitcode == 0
    assert [name for name, _ in said] == ["OutputWriteError"] * len(said)
    assert len(said) >= 1
    assert "could not be written (" in said[0][1]
    assert "What was there is unchanged" in said[0][1]
    assert sqlite_store.current() == record
    assert sqlite_store.user(record.id, "u299") is not None
    assert len(list(sqlite_store.taken_in())) == 100 * acknowledged
    assert publish(sqlite_store).id > record.id
    assert sqlite_store.take_in([taken("u1", "i1")], "after").accepted == 1


def test_a_restarted_database_is_found_again(postgresql: PostgresqlServer) -> None:
    faults: list[Exception] = []
    n_read = Counter[str]()
    stop, away, back = threading.Event(), threading.Event(), threading.Event()

    def read(store: Store) -> None:
        while not stop.is_set():
            try:
                record = store.current()
                assert record is not None
                assert store.user(record.id, "u1") is not None
                n_read["back" if back.is_set() else "before"] += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
                faults.append(error)
                away.set()
                time.sleep(0.01)

    with Store.open(postgresql.new_url()) as store:
        record = publish(store)
        readers = [threading.Thread(target=read, args=(store,)) for _ in range(3)]
        for reader in readers:
            reader.start()
        time.sleep(0.2)
        postgresql.stop()
        assert away.wait(10)
        for refused in (
            store.ping,
            store.current,
            lambda: store.take_in([taken("u1", "i1")], "k"),
            lambda: publish(store),
        ):
            with pytest.raises(StoreUnavailableError, match="expected a database that answers"):
                refused()
        postgresql.start()
        back.set()
        time.sleep(0.3)
        stop.set()
        for reader in readers:
            reader.join()
        assert {type(fault) for fault in faults} == {StoreUnavailableError}
        assert n_read["before"] > 0
        assert n_read["back"] > 0
        assert store.current() == record
        assert publish(store).id > record.id
        assert store.take_in([taken("u1", "i1")], "k").accepted == 1


def test_a_publication_that_lost_its_right_in_a_restart_is_given_up_whole(postgresql: PostgresqlServer) -> None:
    def be_overtaken(store: Store) -> None:
        with store.publish(at=record.at, dataset="overtaken", runs=record.runs) as version:
            version.add_users(user(f"u{n}") for n in range(1500))
            postgresql.stop()
            postgresql.start()
            publish(other)
            version.add_users(user(f"v{n}") for n in range(1500))

    url = postgresql.new_url()
    with Store.open(url) as store, Store.open(url) as other:
        record = publish(store)
        with pytest.raises(OutputWriteError, match="version 2 was removed while it was built"):
            be_overtaken(store)
        assert [kept.id for kept in store.versions()] == [3, 1]
        assert store.user(2, "u1") is None
