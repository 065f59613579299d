"""Kill -9 at random moments: afterwards every answer is there once, and none was asked twice but what was in flight."""

import json
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "llm_cache.py"
PROMPTS, KILLS = 300, 20


def test_killed_workers_lose_nothing_and_ask_nothing_twice() -> None:
    command = [sys.executable, str(BENCHMARK), "--cases", "kills", "--prompts", str(PROMPTS), "--kills", str(KILLS)]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    trials: dict[str, dict[str, float]] = {}
    for row in map(json.loads, done.stdout.splitlines()):
        trials.setdefault(row["case"], {})[row["metric"]] = row["value"]
    assert list(trials) == [
        "300 prompts, 1 process, 20 kills",
        "300 prompts, 2 processes, 0 kills",
        "300 prompts, 3 processes, 0 kills",
        "300 prompts, 3 processes, 20 kills",
    ]
    for case, figures in trials.items():
        assert figures["prompts kept exactly once"] == PROMPTS, case
        assert figures["wrong texts"] == figures["problems found by verify"] == 0, case
        assert figures["kills that hit work"] == (KILLS if "20 kills" in case else 0), case
    alone = trials["300 prompts, 1 process, 20 kills"]
    assert PROMPTS <= alone["answers given"] <= PROMPTS + KILLS
