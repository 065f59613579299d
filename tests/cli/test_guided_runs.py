"""Guided embedding refinement from the command line: fitted on scores of a file, asked for lists and for reasons."""

import json
from pathlib import Path

import numpy as np
import pytest

from contracts.recommender import STRANGER, UNTIL, checkerboard
from llm.tiny_model import build_tiny_model
from whyrec.cli.main import main
from whyrec.methods.guided.artefacts import AspectScores
from whyrec.methods.guided.aspects import bundled_aspects

MOMENT = f"{UNTIL:%Y-%m-%d}"
SETTINGS = [
    "base_columns=14", "only_aspects=['tension', 'pace']", "n_layers=1", "max_history=12", "dropout=0.0",
    "training.epochs=12", "training.batch_size=20", "training.learning_rate=0.02", "training.threads=1",
    "validation_users=0", "device=cpu",
]  # fmt: skip


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What comes behind ``fit guided``: data, a file of scores by which one camp is tense, and small settings."""
    directory = tmp_path_factory.mktemp("data") / "camps"
    data = checkerboard()
    data.write(directory)
    ids = data.items["item_id"]
    levels = np.array([[8.0 if item[0] == "a" else 2.0, 1 + n % 9] for n, item in enumerate(ids)])
    path = directory.parent / "scores.parquet"
    AspectScores.of("items", ids, levels, aspects=("tension", "pace"), writer="critic").write(path)
    settings = [word for setting in [*SETTINGS, f"scores={path}"] for word in ("--set", setting)]
    return ["--data", str(directory), "--until", MOMENT, *settings]


@pytest.fixture(scope="module")
def guided_run(words: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "guided"
    assert main(["fit", "guided", *words, "--out", str(out)]) == 0
    return out


def test_a_run_recommends(guided_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads((guided_run / "run.json").read_text("utf-8"))
    assert (found["method"], found["llm"], found["window"]) == ("guided", "none", None)
    assert main(["recommend", "--run", str(guided_run), "--user", "A00", "-k", "2", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["item_id"][0] for row in rows} == {"a"}


def test_reasons_come_with_bars(guided_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["explain", "--run", str(guided_run), "--user", "A00", "--item", "a98", "--item", "b98"]
    assert main([*asked, "--json"]) == 0
    tense, calm = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert tense["verified"]
    assert tense["writer"] == "critic"
    assert [part["key"] for part in tense["aspects"]] == ["tension", "pace"]
    assert (tense["aspects"][0]["item_level"], calm["aspects"][0]["item_level"]) == (8.0, 2.0)
    for record in (tense, calm):
        parts = sum(part["part"] for part in record["aspects"])
        assert record["base"] + parts == pytest.approx(record["score"], abs=1e-4)
    assert main(asked) == 0
    out = capsys.readouterr().out
    assert "For user A00" in out
    assert "item ████████··  8.0" in out
    assert main(["explain", "--run", str(guided_run), "--user", STRANGER, "--top", "1"]) == 0
    assert "not known" in capsys.readouterr().out


def test_a_list_with_less_of_an_aspect(guided_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["recommend", "--run", str(guided_run), "--user", "A00", "-k", "3"]
    assert main([*asked, "--json"]) == 0
    before = [json.loads(line)["item_id"] for line in capsys.readouterr().out.splitlines()]
    assert main([*asked, "--shift", "tension=-50", "--json"]) == 0
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    assert {row["item_id"][0] for row in rows} == {"b"}
    assert [row["rank_before"] for row in rows] == [None] * 3
    assert "No longer among the first 3: " in err
    assert "Mean tension of the list: 8.0 before, 2.0 now, of 1 to 10." in err
    assert main([*asked, "--shift", "tension=0", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["item_id"], row["rank_before"]) for row in rows] == list(zip(before, (1, 2, 3), strict=True))
    asked[asked.index("A00")] = STRANGER
    assert main([*asked, "--shift", "tension=1"]) == 0
    assert f"{STRANGER}: no history to go by, so these are the most popular items." in capsys.readouterr().err


def test_a_local_model_scores_items_and_users(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An untrained model: its scores say nothing, but each comes of its own distribution, within the scale."""
    model, out = build_tiny_model(tmp_path / "tiny", steps=0), tmp_path / "run"
    kept = [word for word in words[4:] if word != "--set" and not word.startswith("scores=")]
    settings = [
        w for setting in [*kept, "preferences=written", f"cache={tmp_path / 'kept.sqlite'}"] for w in ("--set", setting)
    ]
    assert main(["fit", "guided", *words[:4], *settings, "--llm", f"local:{model}", "--out", str(out)]) == 0
    found = json.loads((out / "run.json").read_text("utf-8"))
    assert found["method"] == "guided_llm"
    # It gives everything the same level, and that is said; so is who took one thing alone, with nothing before it.
    flat = [
        f"Scores of {side} hardly differ on {aspect}" for side in ("items", "users") for aspect in ("tension", "pace")
    ]
    missing = "Scores of users: 1 have none and stand at the mean (nothing known 1)."
    assert [note.split(":")[0] for note in found["notes"] if note != missing] == flat
    assert missing in found["notes"]
    err = capsys.readouterr().err
    assert all(note in err for note in found["notes"])
    assert main(["explain", "--run", str(out), "--user", "A00", "--top", "1", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert "tiny" in record["writer"]
    levels = [part[f"{whose}_level"] for part in record["aspects"] for whose in ("item", "user")]
    assert all(1 < level < 10 for level in levels)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["--shift", "tension"], "--shift: expected an aspect and a number such as tension=-1, got 'tension'."),
        (["--shift", "tension=much"], "--shift: expected an aspect and a number such as tension=-1"),
        (["--shift", "songs=1"], "shift: expected one of tension, pace, got 'songs'."),
        (["--shift", "tension=nan"], "shift: expected an amount from -100 to 100, got nan."),
        (["--shift", "tension=1", "--user", "A01"], "--shift: expected no second --user beside it"),
        (["--shift", "tension=1", "--llm", "local:x"], "--shift: expected no --llm beside it"),
    ],
)
def test_shifts_that_cannot_be(
    guided_run: Path, capsys: pytest.CaptureFixture[str], asked: list[str], message: str
) -> None:
    assert main(["recommend", "--run", str(guided_run), "--user", "A00", *asked]) == 2
    assert message in capsys.readouterr().err


def test_names_that_do_not_exist(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "run")]
    for wrong, message in {
        "aspects=songs": "expected one of beauty, clothing, games, movies, products, toys, got 'songs'",
        "only_aspects=['pitch']": "aspects of movies: expected some of story_complexity",
        "llm=local:x": "settings of guided",
    }.items():
        kept = [word for word in words if wrong.split("=")[0] not in word or word == "--set"]
        settings = [word for word in kept if word != "--set"][4:]
        again = [w for setting in [*settings, wrong] for w in ("--set", setting)]
        assert main(["fit", "guided", *words[:4], *again, *out]) == 2
        assert message in capsys.readouterr().err
    assert bundled_aspects("movies").keys[0] == "story_complexity"
