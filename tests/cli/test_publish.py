"""``whyrec publish`` and ``whyrec store`` from the command line."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.forecaster import CUTOFF
from whyrec.cli.main import main
from whyrec.serving.store import Store


def url(place: Path) -> str:
    return f"sqlite:///{place / 'served.sqlite'}"


@pytest.fixture
def item_run(small_directory: Path, tmp_path: Path) -> Path:
    out = tmp_path / "item_knn"
    words = ["--data", str(small_directory), "--until", f"{CUTOFF:%Y-%m-%d}", "--out", str(out)]
    assert main(["fit", "item_knn", *words]) == 0
    return out


def test_a_version_is_published_and_told_of(
    trail_run: Path, item_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "users.txt").write_text("u01\n\nu02\nnobody\n", "utf-8")
    words = ["publish", "--run", str(trail_run), "--run", str(item_run), "--store", url(tmp_path)]
    few = [
        "--users",
        str(tmp_path / "users.txt"),
        "--at",
        f"{CUTOFF:%Y-%m-%d}",
        "--depth",
        "4",
        "--explained-items",
        "3",
    ]
    capsys.readouterr()
    assert main([*words, *few, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["version"], found["n_users"], found["n_lists"], found["n_items"]) == (1, 2, 2, 14)
    assert found["writers"] == [{"writer": "offline", "explanations": 3, "not_verified": found["n_unverified"]}]
    assert found["n_unknown_users"] == 1
    assert main([*words, *few]) == 0
    out, err = capsys.readouterr()
    assert "offline" in out
    assert "3 explanations, " in err
    assert "1 of the users asked for have no history, and no list." in err
    with Store.open(url(tmp_path), create=False) as store:
        entries = json.loads(store.list_of(2, "u01") or b"")["entries"]
    assert [it["rank"] for it in entries] == [1, 2, 3, 4]
    assert entries[0]["reason"] is None, "item_knn says no reasons"


def test_versions_are_listed_gone_back_to_and_removed(
    weekly_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "nobody.txt").write_text("", "utf-8")
    asked = ["--run", str(weekly_run), "--users", str(tmp_path / "nobody.txt"), "--keep", "9"]
    for _ in range(4):
        assert main(["publish", *asked, "--store", url(tmp_path)]) == 0
    capsys.readouterr()
    assert main(["store", "versions", "--store", url(tmp_path), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["id"], row["current"]) for row in rows] == [(4, True), (3, False), (2, False), (1, False)]
    assert rows[0]["runs"] == ["last_7_days"]
    assert main(["store", "rollback", "--store", url(tmp_path)]) == 0
    assert "Serving version 3" in capsys.readouterr().err
    assert main(["store", "rollback", "--store", url(tmp_path), "--to", "4"]) == 0
    assert main(["store", "retain", "--store", url(tmp_path), "--keep", "1"]) == 0
    assert "Removed: 1, 2." in capsys.readouterr().err
    copy = tmp_path / "copies" / "one.sqlite"
    copy.parent.mkdir()
    assert main(["store", "backup", "--store", url(tmp_path), "--to", str(copy)]) == 0
    fresh = f"sqlite:///{tmp_path / 'fresh.sqlite'}"
    assert main(["store", "restore", "--store", fresh, "--from", str(copy)]) == 0
    assert "users erased again: 0" in capsys.readouterr().err
    with Store.open(fresh, create=False) as store:
        assert [it.id for it in store.versions()] == [4, 3]


def test_mistakes_are_said_in_a_line(weekly_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["publish", "--run", str(weekly_run), "--store", url(tmp_path)]
    for more, said in [
        (["--depth", "0"], "--depth: expected greater than or equal to 1, got 0. Choose another."),
        (["--keep", "0"], "--keep: expected at least 1, got 0. Keep more."),
        (["--users", str(tmp_path / "absent")], "--users: expected a text file with a user_id a line, got"),
        (["--run", str(weekly_run)], "expected one run of each method, got two of last_7_days. Leave one out."),
    ]:
        assert main([*words, *more]) == 2
        assert said in capsys.readouterr().err
    assert main(["store", "versions", "--store", f"sqlite:///{tmp_path / 'absent.sqlite'}"]) == 2


def test_a_killed_publication_leaves_nothing_that_is_seen(weekly_run: Path, tmp_path: Path) -> None:
    """Killed when its first rows are on the disk; the next publication is the first that anybody sees."""
    program = (
        "import os, signal\n"
        "from whyrec.cli.main import main\n"
        "from whyrec.serving.publishing import publish\n"
        "def killed(*_):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "publish._Work.people = lambda work, _: (work.publication._flush(), killed())\n"
        f"main(['publish', '--run', {str(weekly_run)!r}, '--store', {url(tmp_path)!r}])\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], env=os.environ, check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    with Store.open(url(tmp_path), create=False) as store:
        assert store.current() is None
    assert main(["publish", "--run", str(weekly_run), "--store", url(tmp_path)]) == 0
    with Store.open(url(tmp_path), create=False) as store:
        assert len(store.versions()) == 1
        current = store.current()
        assert current is not None
        assert current.n_items == 14
