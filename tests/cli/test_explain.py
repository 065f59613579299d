import json
from pathlib import Path

import pytest

from whyrec.cli.main import main


def test_every_claim_is_printed_with_its_verdict(trail_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--run", str(trail_run), "--item", "p01", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert main(["explain", "--run", str(trail_run), "--item", "p01"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Title p01 (p01), rank {record['rank']}"
    n = len(record["claims"])
    assert f"verified: {n} of {n} claims checked and borne out" in lines
    heading = next(
        place for place, line in enumerate(lines) if line.split() == ["claim", "kind", "holds", "rests", "on"]
    )
    assert len(lines) - heading - 1 == n


def test_the_structure_is_whole(trail_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--item", "p02", "--item", "n0", "--item", "p02", "--json"]
    assert main(["explain", "--run", str(trail_run), *arguments]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["item_id"] for record in records] == ["p02", "n0"], "the order asked for, each once"
    for record in records:
        assert list(record["sections"]) == ["Trend", "Feature", "Integration"]
        assert record["writer"] == "offline"
        assert record["verified"] == all(claim["supported"] for claim in record["claims"])
        known = {evidence["id"] for evidence in record["evidence"]}
        for claim in record["claims"]:
            assert record["text"][claim["start"] : claim["end"]] == claim["text"]
            assert set(claim["evidence_ids"]) <= known


def test_an_explanation_says_what_the_forecast_says(trail_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forecast", "--run", str(trail_run), "-k", "1", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert main(["explain", "--run", str(trail_run), "--item", listed["item_id"], "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {name: told[name] for name in ("rank", "title", "expected", "low", "high")} == {
        name: listed[name] for name in ("rank", "title", "expected", "low", "high")
    }


def test_mistakes_are_one_line_and_code_2(
    trail_run: Path, weekly_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "--run", str(trail_run), "--item", "p01", "--item", "zz"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "small world: expected an item_id of the catalogue, got 'zz'" in err
    assert main(["explain", "--run", str(weekly_run), "--item", "p01"]) == 2
    message = "guided, guided_llm, mllm3rec, got one of last_7_days, which"
    assert message in capsys.readouterr().err
    assert main(["explain", "--run", str(trail_run), "--item", "p01", "--top", "3"]) == 2
    assert "explain: expected --item or --top, got both. Leave one out." in capsys.readouterr().err
    assert main(["explain", "--run", str(trail_run), "--dry-run"]) == 2
    message = "expected a run with a language model, got one whose reasons are written without. They cost nothing"
    assert message in capsys.readouterr().err


def test_the_first_of_the_list_are_explained_where_no_item_is_named(
    trail_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "--run", str(trail_run), "--top", "2", "--json"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["rank"] for record in records] == [1, 2]
