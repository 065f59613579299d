import json
import shutil
from pathlib import Path

import pytest

from whyrec.cli.main import main


def test_runs_stand_beside_baselines_chance_and_oracles(
    trail_run: Path, weekly_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = ["--run", str(trail_run), "--run", str(weekly_run)]
    command = ["evaluate", *runs, "--windows", "2", "--baseline", "last_7_days", "--baseline", "ema"]
    assert main([*command, "--json", "--out", str(tmp_path / "rows.json")]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    # A run of a baseline that is there anyway goes by its directory's name too.
    names = {"trail_offline", "last_7_days@weekly", "last_7_days", "ema"}
    assert {row["method"] for row in rows} == names | {"chance", "oracle", "greedy_coverage_oracle"}
    assert len({row["protocol"] for row in rows}) == 2 + 1
    written = json.loads((tmp_path / "rows.json").read_text("utf-8"))
    assert written["rows"] == rows
    assert set(written["config"]["runs"]) == {str(trail_run), str(weekly_run)}
    figures = {(row["method"], row["protocol"], row["metric"]): row["value"] for row in rows}
    for (method, protocol, metric), value in figures.items():
        if method == "last_7_days@weekly":
            assert value == figures["last_7_days", protocol, metric]


def test_a_run_fitted_on_the_tested_windows_is_fitted_anew(
    trail_run: Path,
    small_directory: Path,
    quick_settings: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One run knows the windows, one does not; the rows must be the same, or the first would have leaked."""
    late = tmp_path / "trail"
    assert main(["fit", "trail", "--data", str(small_directory), "--out", str(late), *quick_settings]) == 0
    judged = []
    for run in (trail_run, late):
        capsys.readouterr()
        assert main(["evaluate", "--run", str(run), "--windows", "2", "--baseline", "ema", "--json"]) == 0
        judged.append(capsys.readouterr().out)
    assert judged[0] == judged[1]


def test_the_table_fits_a_terminal(weekly_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--run", str(weekly_run), "--windows", "1", "--baseline", "ema"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out
    assert "…" not in out
    assert "small world, mean of 1 windows to 2020-07-29" in out
    assert [line.split()[0] for line in out.splitlines()[-3:]] == ["chance", "oracle", "greedy"]


def test_mistakes_are_one_line_and_code_2(
    weekly_run: Path, small_directory: Path, other_directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shorter, twin, there = tmp_path / "shorter", tmp_path / "twin" / "weekly", tmp_path / "rows.json"
    assert main(["fit", "ema", "--window", "7d", "--data", str(small_directory), "--out", str(shorter)]) == 0
    shutil.copytree(weekly_run, twin)
    there.write_text("mine", "utf-8")
    cases = {
        ("--windows", "0"): "windows: expected a number of at least 1, got 0",
        ("--windows", "99"): "small world: expected at least 100 full windows of 30d",
        (
            "--baseline",
            "dance",
        ): "expected one of trail, trail_scratch, trail_tuned, curec, curec_llm, guided, guided_llm, mllm3rec, ",
        ("--run", str(shorter)): f"{shorter}: expected a run for windows of 30d",
        ("--run", str(twin)): f"{twin}: expected runs of different names, got 'weekly' twice",
        ("--data", str(other_directory)): f"expected the data that {weekly_run} was fitted on",
        ("--out", str(there)): f"{there}: expected a new",
    }
    for arguments, message in cases.items():
        capsys.readouterr()
        assert main(["evaluate", "--run", str(weekly_run), *arguments]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert message in err
    assert there.read_text("utf-8") == "mine"
