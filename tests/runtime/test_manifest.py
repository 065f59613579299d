"""Which commit a results file names."""

import subprocess
from pathlib import Path

import pytest

from whyrec.runtime import manifest


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository in whose src the manifest seems to stand."""
    for name in ("src/manifest.py", "results/one.json"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("{}", "utf-8")
    monkeypatch.setattr(manifest, "__file__", str(tmp_path / "src" / "manifest.py"))
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "--quiet", "--message", "first")
    return tmp_path


def git(directory: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=directory, check=True, capture_output=True, text=True).stdout.strip()


def commit() -> str:
    manifest._commit.cache_clear()
    try:
        return manifest._commit()
    finally:
        manifest._commit.cache_clear()


def test_a_changed_program_marks_the_commit_and_changed_results_do_not(repository: Path) -> None:
    head = git(repository, "rev-parse", "--short=12", "HEAD")
    (repository / "results" / "one.json").write_text("[]", "utf-8")
    assert commit() == head
    (repository / "src" / "manifest.py").write_text("changed", "utf-8")
    assert commit() == f"{head}-dirty"


def test_without_a_repository_the_commit_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "__file__", str(tmp_path / "manifest.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit() == "unknown"
