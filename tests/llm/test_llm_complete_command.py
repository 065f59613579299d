import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from whyrec.cli.main import main

SCORE = json.dumps(
    {"type": "object", "properties": {"score": {"type": "integer", "minimum": 0, "maximum": 9}}, "required": ["score"]}
)


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.jsonl"
    lines = [{"id": f"p{n}", "prompt": f"Film number {n}"} for n in range(6)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def command(prompts: Path, tiny_model_dir: Path, tmp_path: Path) -> list[str]:
    cache = tmp_path / "cache.sqlite"
    return ["complete", str(prompts), "--llm", f"local:{tiny_model_dir}", "--cache", str(cache), "--max-tokens", "20"]


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_prompts_are_answered_in_order_and_the_second_time_for_nothing(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = tmp_path / "score.json"
    schema.write_text(SCORE)
    assert main([*command, "--schema", str(schema)]) == 0
    first = capsys.readouterr()
    found = rows(first.out)
    assert [row["id"] for row in found] == [f"p{n}" for n in range(6)]
    assert all(0 <= row["value"]["score"] <= 9 and row["failure"] is None for row in found)
    assert "6 asked" in first.err
    assert "0 from cache, 0 failed schema, 0 retried" in first.err
    assert "no cost" in first.err
    out = tmp_path / "answers.jsonl"
    assert main([*command, "--schema", str(schema), "--out", str(out)]) == 0
    second = capsys.readouterr()
    assert "0 asked, 6 from cache" in second.err
    assert [row["text"] for row in rows(out.read_text())] == [row["text"] for row in found]
    assert main([*command, "--out", str(out)]) == 2
    assert "expected a new directory" in capsys.readouterr().err or out.exists()


def test_a_dry_run_asks_nothing_and_knows_the_cache(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "--dry-run", "--json"]) == 0
    before = capsys.readouterr()
    (row,) = rows(before.out)
    assert (row["prompts"], row["to_ask"], row["completion_tokens"], row["cost"], row["seconds"]) == (
        6,
        6,
        120,
        0,
        None,
    )
    assert row["prompt_tokens"] > 6 * 4
    assert "Dry run: 6 prompts, 0 of them in the cache" in before.err
    assert main([*command, "--dry-run", "--json"]) == 0
    assert capsys.readouterr().out == before.out, "the dry run left something in the cache"
    assert main(command) == 0
    capsys.readouterr()
    assert main([*command, "--dry-run", "--json"]) == 0
    assert rows(capsys.readouterr().out)[0]["to_ask"] == 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (["--llm", "none"], "--llm: expected a model, got 'none'"),
        (["--llm", "gpt"], "--llm: expected 'none', 'local:DIRECTORY'"),
        (["--llm", "http://127.0.0.1:1/v1"], "--llm: expected URL#MODEL, got 'http://127.0.0.1:1/v1' without a model"),
        (["--llm", "local:absent/model/dir"], "absent/model/dir"),
        (["--llm-set", "dtype=int8"], "--llm-set, dtype: Input should be 'auto', 'float32', 'bfloat16' or 'float16'"),
        (["--llm-set", "colour=red"], "--llm-set: expected one of device, dtype, "),
        (["--temperature", "-1"], "sampling, temperature: Input should be greater than or equal to 0"),
        (["--regex", "[a"], "regex '[a': expected a pattern"),
        (["--schema", "absent.json"], "absent.json: expected a JSON Schema"),
        (["--max-tokens", "1024"], "context of 1,024 less 1,024 for the answer"),
        (["--prices", "absent.toml"], "absent.toml"),
    ],
)
def test_mistakes_get_one_line_and_leave_nothing(
    command: list[str], changed: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "answers.jsonl"
    assert main([*command, *changed, "--out", str(out)]) == 2
    captured = capsys.readouterr()
    errors = [line for line in captured.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert captured.out == ""
    assert not out.exists()


def test_a_key_never_shows(
    prompts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WHYREC_API_KEY", "sk-very-secret-0123456789")
    cache = tmp_path / "cache.sqlite"
    command = ["complete", str(prompts), "--llm", "http://127.0.0.1:9/v1#m", "--cache", str(cache)]
    assert main(["--debug", *command, "--llm-set", "max_attempts=1"]) == 2
    captured = capsys.readouterr()
    assert "http://127.0.0.1:9" in captured.err
    assert "very-secret" not in captured.err + captured.out
    assert b"very-secret" not in b"".join(path.read_bytes() for path in tmp_path.glob("cache*"))


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(command: list[str], prompts: Path, tmp_path: Path) -> None:
    n = 150
    prompts.write_text("".join(json.dumps({"prompt": f"Film number {k}"}) + "\n" for k in range(n)))
    words = [*command, "--temperature", "1", "--llm-set", "max_batch_size=2"]
    program = (
        "import sys, torch; torch.set_num_threads(1); from whyrec.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", program, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    cache = tmp_path / "cache.sqlite"
    deadline = time.monotonic() + 60
    while kept(cache) < 10 and time.monotonic() < deadline and run.poll() is None:
        time.sleep(0.02)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    done = kept(cache)
    assert 10 <= done < n, "killed too late to show anything"
    again = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)
    assert f"{n - done} asked" in again.stderr
    assert f"{done} from cache" in again.stderr
    assert len(again.stdout.splitlines()) == n
    assert kept(cache) == n
    assert main(["cache", "verify", "--cache", str(cache)]) == 0


def kept(cache: Path) -> int:
    import sqlite3

    if not cache.exists():
        return 0
    with sqlite3.connect(f"file:{cache}?mode=ro", uri=True) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM completions").fetchone()[0])
        except sqlite3.OperationalError:
            return 0
