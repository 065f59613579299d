import json
from pathlib import Path

import pytest

from whyrec.cli.main import main
from whyrec.runs import METHODS


def test_a_run_says_how_it_came_about(
    small_directory: Path, quick_settings: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "trail.toml"
    config.write_text("leaves = 7\nrounds = 900\n", "utf-8")
    command = ["fit", "trail", "--data", str(small_directory), "--out", str(tmp_path / "run"), *quick_settings]
    assert main([*command, "--config", str(config), "--window", "20d"]) == 0
    run = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    assert (run["method"], run["llm"], run["window"], run["seed"]) == ("trail", "none", "20d", 0)
    assert run["config"]["leaves"] == 7
    assert run["config"]["rounds"] == 5, "--set stands above --config"
    assert run["dataset"]["directory"] == str(small_directory)
    # The log's last day is the 240th of 2020; the default is the midnight after it.
    assert run["until"] == "2020-08-28T00:00:00+00:00"
    assert run["wall_time_s"] > 0
    assert run["environment"]["python"].startswith("3.")
    out, err = capsys.readouterr()
    assert out == ""
    assert "Fitted trail until 2020-08-28 00:00 UTC for windows of 20d." in err


@pytest.mark.parametrize("name", ["all_time", "half_life", "ema", "seasonal_naive", "pare_history"])
def test_baselines_are_fitted_and_used_the_same_way(
    name: str, small_directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "run")
    assert main(["fit", name, "--data", str(small_directory), "--until", "2020-07-01", "--out", out]) == 0
    capsys.readouterr()
    assert main(["forecast", "--run", out, "--json", "-k", "2"]) == 0
    assert [json.loads(line)["rank"] for line in capsys.readouterr().out.splitlines()] == [1, 2]


def test_without_data_the_bundled_are_used_and_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", "last_3_days", "--out", str(tmp_path / "run")]) == 0
    assert "No --data given: using the bundled MovieTweetings data." in capsys.readouterr().err
    assert json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))["dataset"]["directory"] == "bundled"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dance"], f"method: expected one of {', '.join(METHODS)}, got 'dance'"),
        (
            ["ema", "--llm", "scratch"],
            "--llm: expected 'none' for ema, which asks no model, got 'scratch'. Leave it out.",
        ),
        (["sasrec", "--llm", "local:x"], "--llm: expected 'none' for sasrec, which asks no model, got 'local:x'"),
        (["trail", "--llm", "http://host/v1#m"], "--llm: expected 'none', 'scratch', 'local:DIRECTORY' or "),
        (["trail", "--llm", "gpt"], "for trail, got 'gpt': a model is tuned here, and one behind a server cannot be"),
        (["trail", "--llm", "local:./absent"], "model './absent': expected a model directory or the name of a model"),
        (
            ["trail", "--llm", "scratch", "--set", "domain=movies"],
            "settings of trail_scratch: expected one of window, ",
        ),
        (
            ["trail", "--llm", "scratch", "--set", "pretraining=5"],
            "settings of trail_scratch, pretraining: expected 0 without an adapter, for which it prepares, got 5",
        ),
        (["trail", "--llm", "scratch", "--until", "2020-01-20"], "expected a log of at least 2 windows (30d) before"),
        (["trail", "--resume"], "--resume: expected a method that trains for long, got trail, which keeps no state. "),
        (["trail", "--llm", "scratch", "--resume"], "--resume: expected an unfinished training in "),
        (["sasrec", "--resume"], "--resume: expected an unfinished training in "),
        (["trail", "--set", "round=5"], "settings of trail: expected one of window, training_cutoffs, "),
        (
            ["trail", "--set", "rounds=0"],
            "settings of trail, rounds: Input should be greater than or equal to 1, got 0",
        ),
        (["trail", "--set", "rounds"], "--set: expected key=value, got 'rounds'"),
        (["last_7_days", "--set", "days=3"], "settings of last_7_days: expected one of window, got 'days'"),
        (["ema", "--window", "3w"], "window: expected 'month' or a number of days such as '30d', got '3w'"),
        (["ema", "--until", "soon"], "--until: expected a date such as 2013-11-07"),
        (["ema", "--until", "2021-01-01"], "--until: expected a moment after 2020-01-0"),
        (["ema", "--until", "2019-01-01"], "--until: expected a moment after 2020-01-0"),
        (["ema", "--data", "nowhere"], "nowhere: expected a dataset directory with dataset.json, found none"),
        (["ema", "--config", "absent.toml"], "absent.toml: expected a TOML file, got none that can be read"),
        (["trail", "--until", "2020-01-20"], "expected at least 51 days of interactions before it"),
    ],
)
def test_mistakes_are_one_line_and_code_2(
    arguments: list[str], message: str, small_directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = [] if "--data" in arguments else ["--data", str(small_directory)]
    assert main(["fit", *arguments, *data, "--out", str(tmp_path / "run")]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_config_that_is_no_toml_is_refused_with_file_and_line(
    small_directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "bad.toml"
    config.write_text("leaves = 7\nrounds = = 9\n", "utf-8")
    command = ["fit", "trail", "--data", str(small_directory), "--out", str(tmp_path / "run"), "--config", str(config)]
    assert main(command) == 2
    err = capsys.readouterr().err
    assert f"{config}: expected TOML" in err
    assert "line 2" in err


def test_a_run_that_exists_is_left_alone(
    weekly_run: Path, small_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (weekly_run / "run.json").read_bytes()
    assert main(["fit", "ema", "--data", str(small_directory), "--out", str(weekly_run)]) == 2
    assert f"{weekly_run}: expected a new directory, found an existing one" in capsys.readouterr().err
    assert (weekly_run / "run.json").read_bytes() == before
