"""Recommenders from the command line: fitted, asked and judged."""

import json
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from contracts.recommender import UNTIL, USERS, checkerboard
from whyrec.baselines.recommenders import RECOMMENDERS
from whyrec.cli.main import main
from whyrec.data.dataset import Dataset
from whyrec.runs import fit_run

MOMENT = f"{UNTIL:%Y-%m-%d}"


@pytest.fixture(scope="module")
def camps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkerboard, and after it one more item of the own camp for everybody."""
    data = checkerboard()
    log = data.interactions.collect()
    had = set(log.select("user_id", "item_id").iter_rows())
    later = []
    for user in USERS:
        unseen = [f"{user[0].lower()}{n:02}" for n in range(10) if (user, f"{user[0].lower()}{n:02}") not in had]
        later.append((user, unseen[0], UNTIL + timedelta(days=20)))
    more = pl.DataFrame(later, schema=log.schema, orient="row")
    directory = tmp_path_factory.mktemp("data") / "camps"
    Dataset.from_frames(pl.concat([log, more]), data.items, name="camps").write(directory)
    return directory


@pytest.fixture(scope="module")
def knn_run(camps: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "knn"
    fit_run("item_knn", Dataset.read(camps), out=out, options={}, until=UNTIL, data_directory=camps)
    return out


def test_nested_settings_are_fitted_and_written(
    camps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "sasrec.toml"
    config.write_text(
        "validation_users = 0\n[training]\nepochs = 9\nbatch_size = 16\n[model]\nembedding_dim = 8\n", "utf-8"
    )
    out = tmp_path / "run"
    command = ["fit", "sasrec", "--data", str(camps), "--until", MOMENT, "--out", str(out), "--config", str(config)]
    assert main([*command, "--set", "training.epochs=1", "--set", "training.seed=3", "--set", "device=cpu"]) == 0
    err = capsys.readouterr().err
    assert f"Fitted sasrec until {MOMENT} 00:00 UTC.\n" in err
    assert f'Next: "whyrec recommend --run {out} --user ID".' in err
    run = json.loads((out / "run.json").read_text("utf-8"))
    assert (run["method"], run["window"], run["seed"]) == ("sasrec", None, 3)
    assert run["config"]["training"]["epochs"] == 1, "--set stands above --config"
    assert run["config"]["training"]["batch_size"] == 16, "and leaves its neighbours alone"
    assert run["config"]["model"]["embedding_dim"] == 8
    assert main(["recommend", "--run", str(out), "--user", "A00", "--json"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 10


def test_lists_are_ranked_titled_and_less_what_was_had(
    knn_run: Path, camps: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recommend", "--run", str(knn_run), "--user", "B03", "--user", "A00", "-k", "4", "--json"]) == 0
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    assert err == ""
    assert [(row["user_id"], row["rank"]) for row in rows] == [(u, r) for u in ("B03", "A00") for r in (1, 2, 3, 4)]
    assert list(rows[0]) == ["user_id", "rank", "item_id", "title", "score"]
    data = Dataset.read(camps)
    titles = dict(data.items.select("item_id", "title").iter_rows())
    assert all(row["title"] == titles[row["item_id"]] for row in rows)
    had = set(data.interactions.select("user_id", "item_id").collect().iter_rows())
    assert not {(row["user_id"], row["item_id"]) for row in rows} & had
    assert rows[0]["item_id"][0] == "b"


def test_an_earlier_moment_hides_only_what_was_had_by_then(knn_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for moment in ([], ["--at", MOMENT]):
        assert main(["recommend", "--run", str(knn_run), "--user", "A00", "-k", "99", "--json", *moment]) == 0
        found.append({json.loads(line)["item_id"] for line in capsys.readouterr().out.splitlines()})
    assert found[0] < found[1]


def test_a_table_is_for_people(knn_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recommend", "--run", str(knn_run), "--user", "A00", "--user", "A00", "-k", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["rank", "item_id", "title", "score"]
    assert len(lines) == 1 + 3
    assert main(["recommend", "--run", str(knn_run), "--user", "A00", "--user", "B00", "-k", "3"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split()[0] == "user_id"


def test_an_unknown_user_gets_the_popular_items_and_it_is_said(
    knn_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recommend", "--run", str(knn_run), "--user", "nobody", "--user", "A00", "-k", "3", "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == "nobody: no history to go by, so these are the most popular items.\n"
    assert [json.loads(line)["user_id"] for line in out.splitlines()] == ["nobody"] * 3 + ["A00"] * 3


def test_runs_stand_side_by_side_with_popularity_and_chance(
    knn_run: Path, camps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "few"
    command = ["fit", "item_knn", "--data", str(camps), "--until", MOMENT, "--out", str(other)]
    assert main([*command, "--set", "n_neighbours=1"]) == 0
    capsys.readouterr()
    runs = ["--run", str(knn_run), "--run", str(other)]
    assert main(["evaluate", *runs, "--json", "--out", str(tmp_path / "rows.json")]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    names = {"item_knn@knn", "item_knn@few", "popular", "chance"}
    assert {row["method"] for row in rows} == names
    assert {row["metric"] for row in rows} == {"HR@5", "HR@10", "Recall@10", "NDCG@5", "NDCG@10", "MRR@10"}
    assert {row["protocol"] for row in rows} == {f"from {MOMENT} on"}
    values = {(row["method"], row["metric"]): row for row in rows}
    # Twenty of each camp and the newcomer, whose three items nobody can have learned of.
    assert values["popular", "HR@10"]["n"] == len(USERS) + 1
    ndcg = {name: values[name, "NDCG@10"]["value"] for name in names}
    assert ndcg["item_knn@knn"] > 1.5 * max(ndcg["popular"], ndcg["chance"])
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows)
    written = json.loads((tmp_path / "rows.json").read_text("utf-8"))
    assert written["rows"] == rows
    assert written["config"]["until"] == UNTIL.isoformat()
    assert written["config"]["runs"][str(other)]["n_neighbours"] == 1


def test_a_run_is_judged_by_hand_the_same(knn_run: Path, camps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = Dataset.read(camps)
    lists = RECOMMENDERS["item_knn"]().fit(data, until=UNTIL).recommend(data, user_ids=[*USERS, "A91"], at=UNTIL)
    truth = data.interactions.filter(pl.col("timestamp") >= UNTIL).collect()
    hits = lists.join(truth, on=["user_id", "item_id"], how="semi")
    assert main(["evaluate", "--run", str(knn_run), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = {(row["method"], row["metric"]): row["value"] for row in rows}
    assert found["item_knn", "HR@10"] == pytest.approx(hits["user_id"].n_unique() / (len(USERS) + 1))
    first = hits.group_by("user_id").agg((1 / pl.col("rank").min()).alias("reciprocal"))
    assert found["item_knn", "MRR@10"] == pytest.approx(first["reciprocal"].sum() / (len(USERS) + 1))


def test_the_table_of_recommenders_fits_a_terminal(knn_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--run", str(knn_run), "--baseline", "user_knn"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == f"camps, from {MOMENT} on"
    assert lines[2].split() == ["method", "HR@10", "NDCG@10", "Recall@10", "MRR@10"]
    assert {lines[3].split()[0], lines[4].split()[0]} == {"item_knn", "user_knn"}
    assert [line.split()[0] for line in lines[5:]] == ["chance"]


def test_mistakes_are_one_line_and_code_2(
    knn_run: Path, camps: Path, weekly_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    late, run, data = tmp_path / "late", str(knn_run), str(camps)
    assert main(["fit", "popular", "--data", data, "--out", str(late)]) == 0
    new = ["--data", data, "--out", str(tmp_path / "new")]
    ask = ["recommend", "--run", run, "--user", "A00"]
    cases = {
        ("fit", "sasrec", *new, "--set", "training.epoch=1"): "settings of sasrec, training.epoch: Extra inputs",
        ("fit", "item_knn", *new, "--window", "7d"): "settings of item_knn: expected one of n_neighbours",
        (
            "fit",
            "popular",
            *new,
            "--set",
            "forecaster=luck",
        ): "settings of popular, forecaster: expected one of all_time",
        (*ask, "-k", "0"): "expected k of at least 1, got 0",
        (*ask, "--at", "2021-02-01"): "--at: expected a moment from 2021-04-11T00:00:00+00:00 on",
        (*ask, "--at", "2031-01-01"): "--at: expected a moment after 2021-01-01",
        (
            "recommend",
            "--run",
            str(weekly_run),
            "--user",
            "u00",
        ): "expected a run of a recommender, got one of last_7_days",
        ("forecast", "--run", run): "expected a run of a forecaster, got one of item_knn",
        ("explain", "--run", run, "--item", "a00"): ", guided_llm, mllm3rec, got one of item_knn, which states no",
        ("evaluate", "--run", run, "--windows", "2"): "windows: expected none for recommenders",
        (
            "evaluate",
            "--run",
            run,
            "--baseline",
            "ema",
        ): "expected one that recommends to users (curec, curec_llm, guided, guided_llm, mllm3rec, popular",
        ("evaluate", "--run", str(weekly_run), "--baseline", "bpr"): "method: expected one that forecasts (trail, ",
        ("evaluate", "--run", run, "--run", str(late)): f"{late}: expected a run fitted until 2021-04-11",
        ("evaluate", "--run", str(late)): "camps: expected interactions from 2021-05-02T00:00:00+00:00 on to judge by",
        ("evaluate", "--run", run, "--run", run): f"{run}: expected runs of different names, got 'knn' twice",
    }
    before = sorted(tmp_path.iterdir())
    for arguments, message in cases.items():
        capsys.readouterr()
        assert main(list(arguments)) == 2, arguments
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert message in err
    assert sorted(tmp_path.iterdir()) == before


def test_forecasters_and_recommenders_are_judged_apart(
    small_directory: Path, weekly_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "popular"
    assert main(["fit", "popular", "--data", str(small_directory), "--out", str(out)]) == 0
    capsys.readouterr()
    assert main(["evaluate", "--run", str(weekly_run), "--run", str(out)]) == 2
    assert f"{out}: expected a run of a forecaster, as {weekly_run} is, got one of popular" in capsys.readouterr().err
