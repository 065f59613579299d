"""Copies of a store: whole, and without who was erased since once they are restored."""

import json
import shutil
import threading
from pathlib import Path

import pytest

from contracts.postgresql_server import PostgresqlServer
from contracts.published import publish, taken
from whyrec.errors import InvalidConfigError, InvalidDataError, OutputExistsError, OutputWriteError
from whyrec.serving.store import Store


def test_an_erased_user_does_not_come_back_from_a_copy(sqlite_store: Store, tmp_path: Path) -> None:
    version = publish(sqlite_store, user_ids=["u1", "u2", "u3"]).id
    sqlite_store.take_in([taken("u1", "i1"), taken("u2", "i1"), taken("only here", "i1")], "k")
    sqlite_store.erase_user("u3")
    (tmp_path / "copies").mkdir()
    manifest = sqlite_store.backup(tmp_path / "copies" / "monday.sqlite")
    sqlite_store.erase_user("u1")
    sqlite_store.erase_user("only here")
    later = publish(sqlite_store).id
    assert "u1" not in manifest.read_text()

    url = f"sqlite:///{tmp_path / 'restored.sqlite'}"
    assert Store.restore(tmp_path / "copies" / "monday.sqlite", url) == 2
    with Store.open(url, create=False) as restored:
        assert [record.id for record in restored.versions()] == [version]
        assert [restored.user(version, user_id) is None for user_id in ("u1", "u2", "u3")] == [True, False, True]
        assert [one.interaction.user_id for one in restored.taken_in()] == ["u2"]
        assert restored.is_erased(["u1", "u2", "u3", "only here"]) == {"u1", "u3", "only here"}
        assert publish(restored).id == later + 1  # no page that a browser kept of the lost version is taken for it
        restored.erase_user("u2")
        assert len(json.loads(manifest.read_text())["erasures"]) == 4
    names = {path.name for path in tmp_path.iterdir()}
    assert names - {"copies"} == {"store.sqlite", "store.sqlite-wal", "store.sqlite-shm", "store.sqlite.publishing"} | {
        "restored.sqlite",
        "restored.sqlite.publishing",
    }


def test_a_copy_is_made_while_others_write(sqlite_store: Store, tmp_path: Path) -> None:
    publish(sqlite_store, user_ids=[f"u{n}" for n in range(300)])
    stop = threading.Event()
    sent: list[str] = []

    def send() -> None:
        while not stop.is_set():
            sqlite_store.take_in([taken("u1", "i1")] * 3, f"k{len(sent)}")
            sent.append(f"k{len(sent)}")

    sender = threading.Thread(target=send)
    sender.start()
    before = len(sent)
    sqlite_store.backup(tmp_path / "copy.sqlite")
    stop.set()
    sender.join()
    url = f"sqlite:///{tmp_path / 'restored.sqlite'}"
    assert Store.restore(tmp_path / "copy.sqlite", url) == 0
    with Store.open(url, create=False) as restored:
        n_taken = len(list(restored.taken_in()))
        assert n_taken % 3 == 0
        assert before * 3 <= n_taken <= len(sent) * 3
        assert restored.versions() == sqlite_store.versions()


def test_several_copies_in_several_places_learn_of_an_erasure(sqlite_store: Store, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        sqlite_store.backup(tmp_path / name / "1.sqlite")
        sqlite_store.backup(tmp_path / name / "2.sqlite")
    sqlite_store.erase_user("u1")
    for name in ("a", "b"):
        told = json.loads((tmp_path / name / "manifest.json").read_text())
        assert [entry["file"] for entry in told["backups"]] == ["1.sqlite", "2.sqlite"]
        assert len(told["erasures"]) == 1
    assert len(sqlite_store.backups()) == 4


def test_an_erasure_that_a_copy_could_not_be_told_is_said_and_told_later(sqlite_store: Store, tmp_path: Path) -> None:
    publish(sqlite_store, user_ids=["u1"])
    (tmp_path / "disk").mkdir()
    manifest = sqlite_store.backup(tmp_path / "disk" / "copy.sqlite")
    (tmp_path / "disk").rename(tmp_path / "unmounted")
    with pytest.raises(OutputWriteError, match=r"The user is erased from the store; make the directory writable"):
        sqlite_store.erase_user("u1")
    assert sqlite_store.is_erased(["u1"]) == {"u1"}
    record = publish(sqlite_store)  # is not stopped by that
    assert sqlite_store.current() == record
    (tmp_path / "unmounted").rename(tmp_path / "disk")
    sqlite_store.erase_user("u1")
    assert len(json.loads(manifest.read_text())["erasures"]) == 1
    shutil.rmtree(tmp_path / "disk")
    sqlite_store.forget_backup(tmp_path / "disk" / "copy.sqlite")
    sqlite_store.erase_user("u2")
    assert sqlite_store.backups() == []


def test_what_is_there_is_not_overwritten(sqlite_store: Store, tmp_path: Path) -> None:
    sqlite_store.backup(tmp_path / "copy.sqlite")
    with pytest.raises(OutputExistsError, match="expected a new file"):
        sqlite_store.backup(tmp_path / "copy.sqlite")
    with pytest.raises(OutputExistsError, match="expected no store there"):
        Store.restore(tmp_path / "copy.sqlite", f"sqlite:///{tmp_path / 'store.sqlite'}")
    with (
        Store.open(f"sqlite:///{tmp_path / 'other.sqlite'}") as other,
        pytest.raises(InvalidDataError, match="expected the manifest of this store"),
    ):
        other.record_backup(tmp_path / "dump")


def test_a_copy_without_its_manifest_or_damaged_is_not_restored(sqlite_store: Store, tmp_path: Path) -> None:
    publish(sqlite_store, user_ids=[f"u{n}" for n in range(300)])
    url = f"sqlite:///{tmp_path / 'restored.sqlite'}"
    (tmp_path / "copies").mkdir()
    copy = tmp_path / "copies" / "copy.sqlite"
    manifest = sqlite_store.backup(copy)
    text = manifest.read_text()
    manifest.unlink()
    with pytest.raises(InvalidDataError, match="expected the manifest of the backups"):
        Store.restore(copy, url)
    manifest.write_text("{}")
    with pytest.raises(InvalidDataError, match="expected a manifest of backups, got something else"):
        Store.restore(copy, url)
    manifest.write_text(text.replace('"store": "', '"store": "another'))
    with pytest.raises(InvalidDataError, match="expected a manifest of store"):
        Store.restore(copy, url)
    manifest.write_text(text)
    content = copy.read_bytes()
    copy.write_bytes(content[: len(content) // 2])
    with pytest.raises(InvalidDataError, match=r"copy\.sqlite: expected a whole"):
        Store.restore(copy, url)
    with pytest.raises(InvalidDataError, match="expected a backup, found none"):
        Store.restore(tmp_path / "copies" / "none.sqlite", url)
    assert not (tmp_path / "restored.sqlite").exists()


def test_postgresql_is_dumped_by_its_own_program(postgresql: PostgresqlServer, tmp_path: Path) -> None:
    url = postgresql.new_url()
    with Store.open(url) as store:
        with pytest.raises(
            InvalidConfigError, match=r"Run pg_dump .* record_backup.* after pg_restore, call apply_erasures"
        ):
            store.backup(tmp_path / "copy")
        manifest = store.record_backup(tmp_path / "store.dump")
        version = publish(store, user_ids=["u1", "u2"]).id
        store.erase_user("u1")
        with store._database.writing() as connection:  # as if the dump had been restored: u1 is there again
            connection.exec_driver_sql("DELETE FROM whyrec_erasures")
        assert publish(store, user_ids=["u1", "u2"]).n_users == 2
        manifest.write_text(manifest.read_text().replace('"last_version": 2', '"last_version": 9'))
        assert store.apply_erasures(manifest) == 1
        assert store.user(version + 1, "u1") is None
        assert store.is_erased(["u1", "u2"]) == {"u1"}
        assert publish(store).id == 10
    with pytest.raises(InvalidConfigError, match="Run pg_restore, then apply_erasures"):
        Store.restore(tmp_path / "store.dump", url)
