"""M-LLM3REC from the command line: lists for users and for wishes, reasons, and a language model that orders a list."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from llm.tiny_model import build_tiny_model
from whyrec.cli.main import main
from whyrec.data.dataset import Dataset
from whyrec.data.schema import TIMESTAMP_TYPE

START = datetime(2022, 1, 1, tzinfo=UTC)
NOUNS = ("shampoo", "soap", "brush", "towel", "lotion", "basket", "bottle", "sponge", "candle", "mirror")
WORDS = {
    "g": ("organic vegan", "recycled bamboo", "organic natural", "vegan recycled", "bamboo natural"),
    "s": ("steel grey", "square metric", "plastic round", "grey square", "round steel"),
    "t": ("blue wide", "left spare", "long double", "wide spare", "double blue"),
    "f": ("funny party", "playful toy", "funny birthday", "party playful", "toy birthday"),
}
SETTINGS = ["ranker.head.epochs=20", "ranker.head.rank=4", "ranker.dimensions=8"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Things kind to the planet, things to laugh at, and two kinds of which little is said; users keep to one kind."""
    items = [(f"{kind}{n}", f"{words[n % 5]} {noun}") for kind, words in WORDS.items() for n, noun in enumerate(NOUNS)]
    rng = np.random.default_rng(0)
    log = [
        (f"{kind}-user{user}", f"{kind}{item}", START + timedelta(days=30 * step + user))
        for kind in WORDS
        for user in range(20)
        for step, item in enumerate(rng.permutation(10)[:4])
    ]
    directory = tmp_path_factory.mktemp("data") / "shop"
    Dataset.from_frames(
        pl.DataFrame(
            log, schema={"user_id": pl.String, "item_id": pl.String, "timestamp": TIMESTAMP_TYPE}, orient="row"
        ),
        pl.DataFrame(items, schema=["item_id", "title"], orient="row"),
        name="shop",
    ).write(directory)
    return directory


@pytest.fixture(scope="module")
def run(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "mllm3rec"
    words = [word for setting in SETTINGS for word in ("--set", setting)]
    assert main(["fit", "mllm3rec", "--data", str(shop), "--out", str(out), *words]) == 0
    return out


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained model: what it says means nothing, in the form that is asked for."""
    model = build_tiny_model(tmp_path_factory.mktemp("models") / "tiny", steps=0)
    for name, key in (("config.json", "max_position_embeddings"), ("tokenizer_config.json", "model_max_length")):
        content = json.loads((model / name).read_text("utf-8"))
        (model / name).write_text(json.dumps({**content, key: 8192}), encoding="utf-8")
    return model


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_list_is_explained_by_motivation_trait_and_evidence(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads((run / "run.json").read_text("utf-8"))["llm"] == "none"
    capsys.readouterr()
    assert main(["explain", "--run", str(run), "--user", "g-user0", "--top", "3", "--json"]) == 0
    records = lines(capsys)
    assert [record["rank"] for record in records] == [1, 2, 3]
    assert {str(record["item_id"])[0] for record in records} == {"g"}
    assert all(record["verified"] and record["writer"] == "offline" for record in records)
    told = [record for record in records if "Motivation" in record["sections"]]  # type: ignore[operator]
    assert told, "of things that say so, sustainability is told"
    assert "sustainability" in told[0]["sections"]["Motivation"]  # type: ignore[index]
    assert main(["recommend", "--run", str(run), "--user", "g-user0", "-k", "3", "--json"]) == 0
    listed = lines(capsys)
    assert [row["item_id"] for row in listed] == [record["item_id"] for record in records]
    assert [row["score"] for row in listed] == [record["score"] for record in records]


def test_a_wish_in_words_is_ranked_and_explained(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    wish = "something funny for a party"
    assert main(["recommend", "--run", str(run), "--want", wish, "-k", "3", "--json"]) == 0
    listed = lines(capsys)
    assert {str(row["item_id"])[0] for row in listed} == {"f"}
    assert main(["explain", "--run", str(run), "--want", wish, "--top", "3"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"For somebody who wants: {wish}")
    assert f"Asked in so many words: {wish}." in " ".join(shown.split())
    assert "it mentions “" in " ".join(shown.split())


def test_a_language_model_orders_the_top_and_what_it_cannot_order_stays(
    run: Path, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    users = ["--user", "g-user0", "--user", "nobody"]
    assert main(["recommend", "--run", str(run), *users, "-k", "4", "--json"]) == 0
    offline = lines(capsys)
    cache = ["--cache", str(tmp_path / "answers.sqlite")]
    command = ["recommend", "--run", str(run), *users, "-k", "4", "--llm", f"local:{tiny}", *cache, "--json"]
    assert main([*command, "--pool", "4"]) == 0
    said = capsys.readouterr()
    ordered = [json.loads(line) for line in said.out.splitlines()]
    mine = [{row["item_id"] for row in rows if row["user_id"] == "g-user0"} for rows in (offline, ordered)]
    assert mine[0] == mine[1], "the same four in an order of its own"
    assert [row for row in ordered if row["user_id"] == "nobody"] == [
        row for row in offline if row["user_id"] == "nobody"
    ]
    assert "nobody: no history to go by, so these are the most popular items." in said.err
    assert "per user." in said.err
    assert main([*command, "--pool", "3"]) == 2
    assert "--pool: expected at least as many items as -k asks for (4), at least 1, got 3." in capsys.readouterr().err


def test_what_is_no_question_is_said_in_one_line(
    run: Path, shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    knn = tmp_path / "knn"
    assert main(["fit", "item_knn", "--data", str(shop), "--out", str(knn)]) == 0
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[[motivation]]\nkey = 'fun'\n", "utf-8")
    schema = ["fit", "mllm3rec", "--data", str(shop), "--out", str(tmp_path / "x"), "--set", f"motivations={wrong}"]
    cases = [
        (["recommend", "--run", str(run)], "recommend: expected --user or --want, got neither."),
        (["recommend", "--run", str(run), "--user", "u", "--want", "w"], "expected --user or --want, got both."),
        (["recommend", "--run", str(run), "--want", "w", "--at", "2020-01-01"], "--want: expected no --at beside it"),
        (["recommend", "--run", str(run), "--want", "w", "--llm", "local:x"], "--want: expected no --llm beside it"),
        (["explain", "--run", str(run), "--want", "w", "--at", "2020-01-01"], "--want: expected no --at beside it"),
        (["recommend", "--run", str(run), "--want", " "], "expected words, got none"),
        (["recommend", "--run", str(run), "--want", "w", "-k", "0"], "expected k of at least 1, got 0"),
        (["recommend", "--run", str(knn), "--want", "w"], "expected a run of mllm3rec for --want, got one of item_knn"),
        (["explain", "--run", str(run), "--want", "w", "--user", "u"], "expected --user or --want, got both."),
        (["explain", "--run", str(run), "--want", "w", "--item", "zz"], "expected an item_id of the 40 that were"),
        (["explain", "--run", str(run)], "expected --user for a run of mllm3rec, whose lists are personal"),
        (schema, "wrong.toml"),
    ]
    for command, message in cases:
        capsys.readouterr()
        assert main(command) == 2, command
        err = capsys.readouterr().err
        assert message in err, err
        assert len(err.strip().splitlines()) == 1 or command is schema, err
    assert not (tmp_path / "x").exists()
