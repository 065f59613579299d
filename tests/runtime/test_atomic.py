import os
import subprocess
import sys
from pathlib import Path

import pytest

from whyrec.errors import OutputExistsError, OutputWriteError
from whyrec.runtime.atomic import atomic_directory, atomic_file, require_absent

WRITER = """
import sys, time
from pathlib import Path
from whyrec.runtime.atomic import atomic_directory
with atomic_directory(Path(sys.argv[1])) as partial:
    print(partial, flush=True)
    time.sleep(60)
"""


def writer_of(out: Path) -> tuple[subprocess.Popen[str], Path]:
    """Another process in the middle of writing ``out``, and its partial directory."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(out)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_directory_appears_when_complete(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    with atomic_directory(out) as partial:
        (partial / "a.txt").write_text("a")
        (partial / "sub").mkdir()
        (partial / "sub" / "b.txt").write_text("b")
        assert not out.exists()
    assert (out / "sub" / "b.txt").read_text() == "b"
    assert list(out.parent.iterdir()) == [out]


def test_an_error_inside_leaves_nothing_and_passes_through(tmp_path: Path) -> None:
    def write_half() -> None:
        with atomic_directory(tmp_path / "out") as partial:
            (partial / "a.txt").write_text("a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_in_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(
            OutputWriteError, match=r"out: could not be written \(No space left on device\)\. Nothing was changed"
        ),
        atomic_directory(tmp_path / "out"),
    ):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_what_exists_is_refused_and_untouched(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    require_absent(out)
    (out / "mine.txt").write_text("mine")
    for path in (out, out / "mine.txt"):
        with pytest.raises(OutputExistsError, match="expected a new directory, found an existing one"):
            require_absent(path)
    with pytest.raises(OutputExistsError), atomic_directory(out):
        pytest.fail("the block must not run")
    assert (out / "mine.txt").read_text() == "mine"


def test_an_empty_directory_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with atomic_directory(tmp_path / "out") as partial:
        (partial / "a.txt").write_text("a")
    assert (tmp_path / "out" / "a.txt").exists()


def test_leftovers_of_the_killed_are_removed_and_those_of_the_living_kept(tmp_path: Path) -> None:
    """The killed writer is not waited for: a zombie still has its process id, but no longer its lock."""
    stranger = tmp_path / ".other.1.partial"
    stranger.mkdir()
    process, partial = writer_of(tmp_path / "out")
    with process:
        with atomic_directory(tmp_path / "out"):
            assert partial.is_dir()
        (tmp_path / "out").rmdir()
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with atomic_directory(tmp_path / "out"):
            assert not partial.exists()
    assert stranger.exists()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")

    def write_half() -> None:
        with atomic_file(path) as partial:
            partial.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputWriteError, match="No space left on device"):
        write_half()
    assert path.read_text() == "old"
    with atomic_file(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
