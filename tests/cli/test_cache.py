"""The cache commands as a person types them."""

import json
import sqlite3
from pathlib import Path

import pytest

from whyrec.cli.main import main
from whyrec.llm.base import Answer, ModelIdentity, Prompt, Request, SamplingConfig
from whyrec.llm.cache import open_cache


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three answers of two models, in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WHYREC_CACHE", raising=False)
    path = Path("answers.sqlite")
    with open_cache(path) as cache:
        for model, question, answer in (("b", "one?", "eins"), ("a", "two?", "zwei"), ("b", "three?", "drei")):
            request = Request(ModelIdentity("local", model, "r1"), Prompt.of(question), None, SamplingConfig())
            cache.keep(request, Answer(answer, "stop", 10, 20, 0.5, attempts=2), failure=None, cost=0.25)
    return path


def test_stats_count_by_model(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "stats", "--cache", str(kept), "--json"]) == 0
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    assert [(row["model"], row["answers"], row["cost"], row["retried"]) for row in rows] == [
        ("a", 1, 0.25, 1),
        ("b", 2, 0.5, 2),
    ]
    assert err == f"answers.sqlite: 3 answers, {kept.stat().st_size / 1e6:.1f} MB.\n"
    assert main(["cache", "stats", "--cache", str(kept)]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:4] == ["local", "a", "r1", "1"]


def test_the_file_may_be_named_by_the_environment(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WHYREC_CACHE", str(kept))
    assert main(["cache", "verify"]) == 0
    assert capsys.readouterr() == ("", "answers.sqlite: 3 answers checked, 0 problems.\n")


def test_an_export_goes_to_stdout_or_to_a_new_file(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "export", "--cache", str(kept)]) == 0
    out, err = capsys.readouterr()
    assert [json.loads(line)["text"] for line in out.splitlines()] == ["eins", "zwei", "drei"]
    assert err == ""
    command = ["cache", "export", "--cache", str(kept), "--out", "answers.jsonl"]
    assert main(command) == 0
    assert capsys.readouterr() == ("", "Wrote answers.jsonl: 3 answers.\n")
    assert Path("answers.jsonl").read_text("utf-8") == out
    assert main(command) == 2
    assert "answers.jsonl: expected a new " in capsys.readouterr().err
    assert Path("answers.jsonl").read_text("utf-8") == out


def test_verify_lists_problems_and_leaves_with_1(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sqlite3.connect(kept) as connection:
        rule = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'no_update'").fetchone()[0]
        connection.execute("DROP TRIGGER no_update")
        connection.execute("UPDATE completions SET text = 'nichts' WHERE id = 2")
        connection.execute(rule)
    connection.close()
    assert main(["cache", "verify", "--cache", str(kept), "--json"]) == 1
    out, err = capsys.readouterr()
    problem = json.loads(out)
    assert problem["where"].startswith("answer 2, sha256:")
    assert problem["problem"] == "the digest is not the hash of the answer"
    assert err == "answers.sqlite: 3 answers checked, 1 problems.\n"
    assert main(["cache", "verify", "--cache", str(kept)]) == 1
    assert "the digest is not the hash of the answer" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["stats", "export", "verify"])
def test_an_absent_file_is_a_mistake_and_is_not_made(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WHYREC_CACHE", raising=False)
    for words in ([], ["--cache", str(tmp_path / "deep" / "none.sqlite")]):
        assert main(["cache", command, *words]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(f"error: {tmp_path}")
        assert ".sqlite: expected a completion cache, found no file. Check the path, or choose another --cache" in err
    assert list(tmp_path.iterdir()) == []
