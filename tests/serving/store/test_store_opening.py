"""Opening a store: URLs, what is there already, processes and threads that share it."""

import gc
import multiprocessing
import os
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import update

from contracts.published import publish, taken
from whyrec.errors import (
    InvalidConfigError,
    InvalidDataError,
    OutputWriteError,
    StoreUnavailableError,
    WhyrecError,
)
from whyrec.serving.store import Store
from whyrec.serving.store.database import Database
from whyrec.serving.store.schema import FORMAT, settings


@pytest.mark.parametrize(
    "url",
    [
        "",
        "store.sqlite",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://u:secret@host/db",
        "postgresql+asyncpg://h/d",
        "//",
    ],
)
def test_other_urls_are_refused_without_their_password(url: str) -> None:
    with pytest.raises(
        InvalidConfigError, match="store: expected sqlite:///PATH or postgresql://HOST/DATABASE"
    ) as told:
        Store.open(url)
    assert "secret" not in str(told.value)


def test_a_store_is_made_where_none_is_and_opened_again(store_url: str) -> None:
    with pytest.raises(InvalidDataError, match="expected a store, found none"):
        Store.open(store_url, create=False)
    with Store.open(store_url) as store:
        first = publish(store)
    with Store.open(store_url, create=False) as store:
        assert store.current() == first
        assert store.dialect in ("sqlite", "postgresql")


def test_the_directory_of_a_file_is_made(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/a/b/store.sqlite") as store:
        publish(store)
    with pytest.raises(OutputWriteError, match="could not be created"):
        Store.open(f"sqlite:///{tmp_path}/a/b/store.sqlite/c/store.sqlite")


def test_a_store_of_a_later_format_is_refused(store: Store, store_url: str) -> None:
    with store._database.writing() as connection:
        connection.execute(update(settings).where(settings.c.name == "format").values(value=str(FORMAT + 1)))
    with pytest.raises(
        InvalidDataError, match=rf"of format {FORMAT} or earlier, got '{FORMAT + 1}'. Open it with a later"
    ):
        Store.open(store_url)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    path.write_text("user_id,item_id\n" * 1000)
    with pytest.raises(InvalidDataError, match="file is not a database"):
        Store.open(f"sqlite:///{path}")
    assert path.read_text().startswith("user_id")
    (tmp_path / "directory").mkdir()
    with pytest.raises(WhyrecError, match="unable to open database file"):
        Store.open(f"sqlite:///{tmp_path / 'directory'}")


def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="expected a database that answers") as told:
        Store.open(f"postgresql://somebody:secret@/postgres?host={tmp_path}")
    assert "secret" not in str(told.value)
    assert isinstance(told.value, ConnectionError)


def test_ping_tells_whether_the_database_is_there(sqlite_store: Store) -> None:
    sqlite_store.ping()
    path = sqlite_store._database.path
    assert path is not None
    path.rename(path.with_name("away"))
    with pytest.raises(StoreUnavailableError, match="expected the store's file, found none"):
        sqlite_store.ping()


def test_a_damaged_file_is_told(sqlite_store: Store, store_path: Path) -> None:
    version = publish(sqlite_store, user_ids=[f"u{n}" for n in range(500)]).id
    sqlite_store.close()
    content = bytearray(store_path.read_bytes())
    content[8192 * 4 :] = b"\xa5" * (len(content) - 8192 * 4)
    store_path.write_bytes(bytes(content))
    with (
        Store.open(f"sqlite:///{store_path}", create=False) as damaged,
        pytest.raises(InvalidDataError, match="malformed"),
    ):
        list(map(damaged.list_of, [version] * 500, (f"u{n}" for n in range(500))))


@pytest.fixture
def store_path(sqlite_store: Store) -> Path:
    path = sqlite_store._database.path
    assert path is not None
    return path


def test_others_who_write_for_too_long_make_it_unavailable(
    sqlite_store: Store, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(sqlite_store)
    blocker = sqlite3.connect(store_path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr("whyrec.serving.store.database._BUSY_TIMEOUT_S", 0.05)
    impatient = Store(Database(f"sqlite:///{store_path}"))
    with impatient, pytest.raises(StoreUnavailableError, match="database is locked"):
        impatient.take_in([taken("u1", "i1")], "k")
    assert sqlite_store.current() is not None  # readers do not wait
    blocker.execute("ROLLBACK")
    blocker.close()
    assert sqlite_store.take_in([taken("u1", "i1")], "k").accepted == 1


def test_several_open_an_empty_place_at_once(store_url: str) -> None:
    failures: list[Exception] = []
    barrier = threading.Barrier(6)

    def open_it(n: int) -> None:
        barrier.wait()
        try:
            with Store.open(store_url) as store:
                store.take_in([taken("u", "i")], f"k{n}")
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            failures.append(error)

    threads = [threading.Thread(target=open_it, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with Store.open(store_url, create=False) as store:
        assert len(list(store.taken_in())) == 6


def test_threads_read_while_versions_change(store: Store) -> None:
    publish(store, label="v1")
    mixed: list[object] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            record = store.current()
            assert record is not None
            told = {store.board(record.id, "next"), store.item(record.id, "i1"), store.user(record.id, "u1")}
            if None in told or sum(record.dataset.encode() in (document or b"") for document in told) != 2:
                mixed.append((record, told))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for n in range(2, 12):
        publish(store, label=f"v{n}")
        store.retain(2)
    stop.set()
    for reader in readers:
        reader.join()
    assert mixed == []


def read_in_child(store: Store, sender: "multiprocessing.connection.Connection") -> None:
    record = store.current()
    store.take_in([taken("child", "i1")], f"child {os.getpid()}")
    sender.send((record, record and store.user(record.id, "u1")))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_forked_processes_have_connections_of_their_own(store: Store) -> None:
    record = publish(store)
    store.user(record.id, "u1")
    context = multiprocessing.get_context("fork")
    for _ in range(3):
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=read_in_child, args=(store, sender))
        child.start()
        assert receiver.recv() == (record, store.user(record.id, "u1"))
        child.join(10)
        assert child.exitcode == 0
        assert store.take_in([taken("parent", "i1")], f"parent {child.pid}").accepted == 1
    assert [one.interaction.user_id for one in store.taken_in()] == ["child", "parent"] * 3


def test_readers_and_pings_do_not_wait_for_a_writer(store: Store) -> None:
    record = publish(store)
    with store._database.writing():
        asked = threading.Thread(target=lambda: (store.ping(), store.current(), store.user(record.id, "u1")))
        asked.start()
        asked.join(5)
        assert not asked.is_alive()


def test_the_connection_of_a_thread_ends_with_it(sqlite_store: Store) -> None:
    publish(sqlite_store)
    for _ in range(5):
        thread = threading.Thread(target=sqlite_store.current)
        thread.start()
        thread.join()
    gc.collect()
    assert len(sqlite_store._database._readers) == 1
