"""CURec from the command line: fitted, killed and resumed, asked for lists and for reasons, and judged."""

import json
import re
import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from contracts.recommender import NEWCOMER, UNTIL, checkerboard
from whyrec.cli.main import main
from whyrec.methods.curec import stages

MOMENT = f"{UNTIL:%Y-%m-%d}"
SETTINGS = [
    "base.embedding_dim=16", "base.n_layers=1", "base.n_heads=1", "base.max_history=12", "base.dropout=0.0",
    "base_training.epochs=12", "base_training.batch_size=20", "base_training.learning_rate=0.02",
    "base_training.threads=1", "model.n_heads=2", "model.hidden=[8, 8]", "model.max_reasons=3", "training.epochs=1",
    "training.n_negatives=8", "training.n_in_batch=4", "text_dim=8", "reranked=6", "validation_users=10", "device=cpu",
]  # fmt: skip


@pytest.fixture(scope="module")
def camps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("data") / "camps"
    checkerboard().write(directory)
    return directory


def command(camps: Path, out: Path) -> list[str]:
    words = [word for setting in SETTINGS for word in ("--set", setting)]
    return ["fit", "curec", "--data", str(camps), "--until", MOMENT, "--out", str(out), *words]


@pytest.fixture(scope="module")
def curec_run(camps: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "curec"
    assert main(command(camps, out)) == 0
    return out


@pytest.fixture(scope="module")
def open_run(curec_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with its gate opened by hand: reasons count, whatever so short a training has made of them."""
    out = tmp_path_factory.mktemp("open") / "curec"
    shutil.copytree(curec_run, out)
    path = out / "recommender" / "model" / "arrays.safetensors"
    save_file({**load_file(path), "gate": np.array(1.0, dtype=np.float32)}, path)
    return out


def test_a_run_says_what_it_is_and_what_comes_next(
    camps: Path, curec_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = json.loads((curec_run / "run.json").read_text("utf-8"))
    assert (found["method"], found["llm"], found["window"], found["seed"]) == ("curec", "none", None, 0)
    assert found["config"]["texts"]["min_items"] == 2
    assert {path.suffix for path in curec_run.rglob("*") if path.is_file()} == {".json", ".parquet", ".safetensors"}
    assert [path.name for path in curec_run.parent.iterdir()] == ["curec"], "the state of the training is gone"
    assert main(command(camps, curec_run)) == 2
    assert "expected a new directory, found an existing one" in capsys.readouterr().err


def test_a_killed_fit_goes_on(
    camps: Path, curec_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "resumed"

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killing:
        killing.setattr(stages, "train_reward_model", killed)
        assert main(command(camps, out)) == 130
    assert not out.exists()
    assert main(command(camps, out)) == 2
    assert "found one. Go on with it (--resume)" in capsys.readouterr().err
    monkeypatch.setattr(stages, "embed_all", killed)
    assert main([*command(camps, out), "--resume"]) == 0
    assert f'Next: "whyrec recommend --run {out} --user ID".' in capsys.readouterr().err
    lists = []
    for run in (curec_run, out):
        assert main(["recommend", "--run", str(run), "--user", "A00", "--user", "B00", "--json"]) == 0
        lists.append(capsys.readouterr().out)
    assert lists[0] == lists[1]
    assert not out.with_name("resumed.training").exists()


def test_a_mistake_leaves_nothing_behind(camps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, message in [
        (["--set", "model.variant=text"], "settings of curec, model: variant 'text' reads descriptions"),
        (["--set", "device=abacus"], "device: expected auto, cpu or a GPU of this machine"),
        (["--set", "llm=none"], "settings of curec: expected one of api_key_variable, "),
        (["--llm", "parrot"], "--llm: expected 'none', 'local:DIRECTORY'"),
    ]:
        assert main(["fit", "curec", "--data", str(camps), "--out", str(tmp_path / "run"), *words]) == 2
        assert message in capsys.readouterr().err.splitlines()[-1]
        assert list(tmp_path.iterdir()) == []


def test_lists_are_those_of_the_class(curec_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recommend", "--run", str(curec_run), "--user", "A00", "--user", "nobody", "-k", "3", "--json"]) == 0
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    assert [(row["user_id"], row["rank"]) for row in rows] == [(u, r) for u in ("A00", "nobody") for r in (1, 2, 3)]
    assert rows[0]["item_id"][0] == "a"
    assert err == "nobody: no history to go by, so these are the most popular items.\n"


def test_a_list_is_explained(open_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recommend", "--run", str(open_run), "--user", "A00", "-k", "2", "--json"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert main(["explain", "--run", str(open_run), "--user", "A00", "--top", "2", "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    names = ("user_id", "rank", "item_id", "title", "score")
    assert [{name: record[name] for name in names} for record in told] == listed
    for record in told:
        assert record["verified"]
        assert sum(read["attention"] for read in record["reasons"]) + record["unattended"] == pytest.approx(1)
    assert main(["explain", "--run", str(open_run), "--user", "A00", "--top", "2"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("For user A00\n")
    assert out.count(told[0]["pattern"][:40]) == 1, "they are told once"
    n = len(told[0]["claims"])
    assert f"  1  {told[0]['title']} ({told[0]['item_id']}) {n} of {n} claims\n" in re.sub(" {3,}", " ", out)
    assert "% of the attention, another user, 2021-" in out
    assert max(map(len, out.splitlines())) <= 100


def test_reasons_without_a_part_in_the_ranking_claim_none(curec_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """So short a training has not helped, so the gate stays shut, and nobody is said to be listened to."""
    assert main(["explain", "--run", str(curec_run), "--user", "A00", "--top", "1", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["effect"] == 0
    assert record["unattended"] is None
    assert {read["attention"] for read in record["reasons"]} == {None}
    assert main(["explain", "--run", str(curec_run), "--user", "A00", "--top", "1"]) == 0
    out = capsys.readouterr().out
    assert "     another user, 2021-" in out
    assert "attention" not in out


def test_items_are_explained_as_of_a_moment(curec_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["explain", "--run", str(curec_run), "--user", NEWCOMER, "--item", "a00", "--item", "b00", "--json"]
    found = []
    for moment in ([], ["--at", MOMENT]):
        assert main([*asked, *moment]) == 0
        found.append([json.loads(line) for line in capsys.readouterr().out.splitlines()])
    assert [record["item_id"] for record in found[0]] == ["a00", "b00"]
    assert found[0][0]["pattern"] is not None
    assert found[1][0]["pattern"] is None, "before, nothing was known"
    assert main([*asked[:-1], "--at", MOMENT]) == 0
    assert "Nothing is known of this user yet." in capsys.readouterr().out


def test_an_item_that_was_had_is_told_apart(curec_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = checkerboard().interactions.collect()
    item = log.filter(user_id="A00")["item_id"][0]
    assert main(["explain", "--run", str(curec_run), "--user", "A00", "--item", item]) == 0
    assert "had before  " in capsys.readouterr().out


def test_runs_are_judged_beside_others(curec_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--run", str(curec_run), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["method"] for row in rows} == {"curec_offline", "popular", "chance"}


def test_wrong_questions_are_one_line_and_code_2(
    curec_run: Path, weekly_run: Path, trail_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    early = f"{UNTIL - timedelta(days=1):%Y-%m-%d}"
    user = ["--user", "A00"]
    for words, message in [
        (["--run", str(curec_run)], "expected --user for a run of curec, whose lists are personal, got none."),
        (["--run", str(curec_run), *user, "--item", "zz"], "expected an item_id of the 22 that were fitted on, got"),
        (["--run", str(curec_run), *user, "--at", early], "--at: expected a moment from 2021-04-11"),
        (["--run", str(curec_run), *user, "--top", "0"], "expected k of at least 1, got 0"),
        (["--run", str(curec_run), *user, "--dry-run"], "They cost nothing: leave --dry-run out."),
        (
            ["--run", str(trail_run), *user],
            "expected a run of curec, curec_llm, guided, guided_llm, mllm3rec for --user, got one of trail",
        ),
        (["--run", str(weekly_run), *user], "which states no reasons to users. Leave --user out, or fit another."),
    ]:
        assert main(["explain", *words]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert message in err
    assert main(["forecast", "--run", str(curec_run)]) == 2
    assert 'Ask it with "whyrec recommend".' in capsys.readouterr().err


def test_a_language_model_is_named_when_fitting(
    camps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model is never reached here: training stops before, and what was to be asked is on record."""
    asked: list[str | None] = []

    def opened(llm: str | None, **_: object) -> None:
        asked.append(llm)

    monkeypatch.setattr("whyrec.methods.curec.model.configured_model", opened)
    url = "http://127.0.0.1:9/v1#parrot"
    assert main([*command(camps, tmp_path / "run"), "--llm", url]) == 0
    assert asked == [url]
    found = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    assert (found["method"], found["llm"]) == ("curec_llm", url)
    assert "Fitted curec_llm until" in capsys.readouterr().err
