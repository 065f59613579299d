"""Files that are no sound cache, and disks that fail: one clear line, and nothing that was kept is lost."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from whyrec.errors import InvalidDataError, OutputWriteError
from whyrec.llm.base import Answer, ModelIdentity, Prompt, Request, SamplingConfig
from whyrec.llm.cache import CompletionCache, open_cache, read_cache
from whyrec.llm.sqlite_file import FileFormat, SqliteFile

NOBODY = 65534
THINGS = FileFormat("box of things", 0x12345678, 3, ("CREATE TABLE things (thing TEXT)",), "NORMAL", "choose another")


def keep(cache: CompletionCache, question: str, *, length: int = 2000) -> str:
    """Keep an answer and return its key."""
    request = Request(ModelIdentity("local", "tiny", ""), Prompt.of(question), None, SamplingConfig())
    cache.keep(request, Answer("y" * length, "stop", 1, 1, 0.0), failure=None, cost=None)
    return request.key


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A cache with 200 answers of 100 characters, closed."""
    path = tmp_path / "completions.sqlite"
    with open_cache(path) as cache:
        for n in range(200):
            keep(cache, str(n), length=100)
    return path


@pytest.mark.parametrize("content", [b"key,text\n1,Vienna\n", b"x", os.urandom(9000)])
def test_a_file_that_is_not_sqlite_is_refused_and_stays(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(content)
    for opener in (open_cache, read_cache):
        with pytest.raises(InvalidDataError, match="expected a completion cache, got a file that is not SQLite"):
            opener(path)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_database_of_something_else_is_refused_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE films (title TEXT)")
    connection.close()
    before = path.read_bytes()
    for opener in (open_cache, read_cache):
        with pytest.raises(InvalidDataError, match=r"expected a completion cache, got a SQLite file of something else"):
            opener(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_of_a_newer_version_is_refused_and_stays(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    before = path.read_bytes()
    for opener in (open_cache, read_cache):
        with pytest.raises(InvalidDataError, match=r"of format 1 or earlier, got format 2, written by a newer whyrec\. "
                                                   r"Upgrade whyrec, or choose another --cache\."):  # fmt: skip
            opener(path)
    assert path.read_bytes() == before


def test_an_absent_file_is_made_to_keep_answers_and_not_to_look_at_them(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "c?#%41.sqlite"
    with pytest.raises(InvalidDataError, match="expected a completion cache, found no file"):
        read_cache(path)
    assert list(tmp_path.iterdir()) == []
    with open_cache(path) as cache:
        keep(cache, "a")
    assert list(path.parent.iterdir()) == [path]


def test_an_empty_file_is_filled(tmp_path: Path) -> None:
    """A disk that was full when the file was made leaves such a one."""
    path = tmp_path / "completions.sqlite"
    path.touch()
    with open_cache(path) as cache:
        key = keep(cache, "a")
        assert list(cache.find([key])) == [key]


@pytest.mark.parametrize("name", ["", "file.txt/completions.sqlite"])
def test_a_path_that_cannot_be_one_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.txt").touch()
    with pytest.raises(OutputWriteError, match=r"choose another --cache\."):
        open_cache(tmp_path / name)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may write anywhere."""
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(0)
    else:
        yield


def test_a_read_only_place_is_told_before_anything_is_asked() -> None:
    with tempfile.TemporaryDirectory() as name:  # in a place of pytest's own, nobody else may even look
        folder = Path(name)
        path = folder / "completions.sqlite"
        with open_cache(path) as cache:
            key = keep(cache, "a")
        path.chmod(0o444)
        folder.chmod(0o555)
        with without_privileges():
            with pytest.raises(OutputWriteError, match="expected a file that can be written in a directory that can"):
                open_cache(path)
            with pytest.raises(OutputWriteError, match="expected a file that can be written in a directory that can"):
                open_cache(folder / "new.sqlite")
            with read_cache(path) as cache:  # to look at it is no matter
                assert cache.verify().answers == 1
            with pytest.raises(OutputWriteError, match=r"could not be opened \(Permission denied\)"):
                open_cache(folder / "deep" / "new.sqlite")
        folder.chmod(0o755)
        assert list(folder.iterdir()) == [path]
        with read_cache(path) as cache:
            assert list(cache.find([key])) == [key]


def test_a_file_that_another_process_holds_too_long_is_told(path: Path) -> None:
    holder = sqlite3.connect(path, isolation_level=None)
    with open_cache(path, lock_timeout_s=0.05) as cache:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(OutputWriteError, match=r"expected to get at it within 0\.05 s, but another process holds"):
            keep(cache, "a")
        assert cache.count() == 200  # who only reads need not wait
        holder.execute("ROLLBACK")
        keep(cache, "a")
        assert cache.count() == 201
    holder.close()


def test_a_full_file_keeps_what_it_has(tmp_path: Path) -> None:
    file = SqliteFile(tmp_path / "things.sqlite", THINGS)
    file.rows("PRAGMA max_page_count = 20")
    kept = 15
    for _ in range(kept):
        file.write("INSERT INTO things VALUES (?)", ("x" * 3000,))
    with pytest.raises(OutputWriteError, match=r"could not be written \(database or disk is full\)\. What was kept"):
        file.write("INSERT INTO things VALUES (?)", ("x" * 30_000,))
    with pytest.raises(OutputWriteError, match="database or disk is full"):
        file.write_all("INSERT INTO things VALUES (?)", [("x" * 3000,)] * 5)
    assert file.rows("SELECT count(*) FROM things") == [(kept,)]
    file.rows("PRAGMA max_page_count = 40")
    file.write_all("INSERT INTO things VALUES (?)", [("x" * 3000,)] * 5)
    assert file.rows("SELECT count(*) FROM things") == [(kept + 5,)]
    file.close()


FILLING = """
import sys
from pathlib import Path
from whyrec.errors import OutputWriteError
from whyrec.llm.base import Answer, ModelIdentity, Prompt, Request, SamplingConfig
from whyrec.llm.cache import open_cache

cache = open_cache(Path(sys.argv[1]))
if len(sys.argv) > 2:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
kept = 0
try:
    while kept < 10_000:
        request = Request(ModelIdentity("local", "tiny", ""), Prompt.of(str(kept)), None, SamplingConfig())
        cache.keep(request, Answer("y" * 2000, "stop", 1, 1, 0.0), failure=None, cost=None)
        kept += 1
except OutputWriteError as error:
    print(error)
print(cache.count() == kept > 10, cache.verify().problems)
"""


def test_a_limit_on_the_size_of_files_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "completions.sqlite"
    run = [sys.executable, "-c", FILLING, str(path), "limited"]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    message, intact = done.stdout.splitlines()
    assert message.startswith(f"{path}: could not be written (disk I/O error). What was kept before still is; free ")
    assert intact == "True ()"
    with open_cache(path) as cache:
        n = cache.count()
        keep(cache, "there is room again")
        assert cache.count() == n + 1
        assert cache.verify().problems == ()


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    script = 'mount -t tmpfs -o size=1m whyrec "$1" && exec "$2" -c "$3" "$1/completions.sqlite"'
    run = ["unshare", "-m", "sh", "-c", script, "sh", str(tmp_path), sys.executable, FILLING]
    try:
        done = subprocess.run(run, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no unshare")
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip("no right to mount a small disk")
    assert done.stderr == ""
    message, intact = done.stdout.splitlines()
    assert "completions.sqlite: could not be written (" in message
    assert message.endswith("What was kept before still is; free space and run again.")
    assert intact == "True ()"


def test_damaged_pages_are_found_and_told(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 20_000)
    with read_cache(path) as cache:
        found = cache.verify()
        assert found.answers < 200
        assert found.n_problems > 0
        assert any("database disk image is malformed" in problem.problem for problem in found.problems)
        with pytest.raises(InvalidDataError, match=r"expected a sound completion cache, got: .*malformed.* Put back"):
            list(cache.records())


def test_a_torn_off_file_is_told(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    for opener in (open_cache, read_cache):
        with pytest.raises(
            InvalidDataError, match=r"expected a sound completion cache, got: database disk image is ma"
        ):
            opener(path)
