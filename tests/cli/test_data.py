"""The data commands as a person types them: what stands on stdout, what on stderr, and the exit code."""

import json
import shutil
from pathlib import Path

import pytest

from whyrec.cli.main import main

LOG = "UserID,Film,Stars,When\n7,a,4,2020-01-01\n8,b,5,2020-01-02\n7,b,1,2020-02-03\n"
FILMS = "Film,Name,Kinds\na,Heat,Crime|Drama\nb,Up,Family\n"
MAPPED = ["--map", "item_id=Film", "--map", "timestamp=When"]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.csv").write_text(LOG, "utf-8")
    (tmp_path / "films.csv").write_text(FILMS, "utf-8")
    return tmp_path


def test_a_csv_with_other_names_is_imported_and_described(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items = ["--items", "films.csv", "--items-map", "item_id=Film", "--list-col", "Kinds=|"]
    assert main(["data", "import", "log.csv", *items, *MAPPED, "--out", "films", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["n_interactions"] == 3
    assert "log.csv: column 'UserID' is read as user_id." in err
    assert "Wrote films." in err
    assert main(["data", "describe", "films", "--json"]) == 0
    facts = {
        (fact["section"], fact["name"]): fact["value"]
        for fact in map(json.loads, capsys.readouterr().out.split("\n")[:-1])
    }
    assert facts["size", "density"] == 3 / (2 * 2)
    assert facts["time", "days"] == 33
    assert facts["time", "full windows of 30 days"] == 1
    assert facts["ratings", "mean"] == round((4 + 5 + 1) / 3, 3)
    assert facts["catalogue", "Kinds (list), share present"] == 1
    assert main(["data", "check", "films"]) == 0
    assert "3 rows checked, 0 problems" in capsys.readouterr().err


def test_a_second_import_refuses_the_directory_and_touches_nothing(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["data", "import", "log.csv", *MAPPED, "--out", "films"]
    assert main(command) == 0
    before = (files / "films" / "dataset.json").read_bytes()
    capsys.readouterr()
    assert main(command) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "error: films: expected a new directory, found an existing one. Choose another --out.\n"
    assert (files / "films" / "dataset.json").read_bytes() == before


def test_a_bad_row_ends_in_one_line_and_code_2(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "log.csv").write_text(LOG.replace("2020-02-03", "yesterday"), "utf-8")
    assert main(["data", "import", "log.csv", *MAPPED, "--out", "films"]) == 2
    assert capsys.readouterr() == (
        "",
        "error: log.csv row 3, column 'timestamp': expected an ISO 8601 timestamp, got 'yesterday'. "
        "Correct it, or set bad rows aside with --on-bad-rows=quarantine.\n",
    )
    assert not (files / "films").exists()
    assert main(["data", "import", "log.csv", *MAPPED, "--out", "films", "--on-bad-rows", "quarantine"]) == 0
    assert "1 bad rows set aside in rejected.parquet." in capsys.readouterr().err


def test_check_lists_every_kind_of_problem_with_its_first_case(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = "7,a,-1,2020-01-01\n8,b,x,2020-01-02\n,b,1,2020-02-03\n7,a,-2,2020-01-01\n7,z,1,2020-01-01\n"
    (files / "log.csv").write_text(LOG + bad, "utf-8")
    (files / "films.csv").write_text(FILMS + "a,Again,\n", "utf-8")
    items = ["--items", "films.csv", "--items-map", "item_id=Film"]
    assert main(["data", "check", "log.csv", *items, *MAPPED, "--json"]) == 1
    out, err = capsys.readouterr()
    problems = {problem["kind"]: problem for problem in map(json.loads, out.splitlines())}
    assert {kind: problem["n"] for kind, problem in problems.items()} == {
        "duplicate_item_id": 1,
        "negative_rating": 2,
        "unparseable_rating": 1,
        "null_user_id": 1,
        "unknown_item": 1,
    }
    assert problems["negative_rating"]["example"].startswith("log.csv row 4, column 'rating': expected a number not")
    assert "log.csv: 8 rows checked, 6 problems." in err
    assert not (files / "films").exists()


def test_check_finds_a_tampered_directory(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "import", "log.csv", *MAPPED, "--out", "films"]) == 0
    other = LOG.replace(",a,", ",c,")
    (files / "log.csv").write_text(other, "utf-8")
    assert main(["data", "import", "log.csv", *MAPPED, "--out", "others"]) == 0
    shutil.copy(files / "others" / "interactions.parquet", files / "films" / "interactions.parquet")
    capsys.readouterr()
    assert main(["data", "check", "films", "--json"]) == 1
    kinds = [json.loads(line)["kind"] for line in capsys.readouterr().out.splitlines()]
    assert kinds == ["unknown_item", "wrong_fingerprint"]


def test_a_truncated_log_in_a_directory_is_one_line(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "import", "log.csv", *MAPPED, "--out", "films"]) == 0
    path = files / "films" / "interactions.parquet"
    path.write_bytes(path.read_bytes()[:-50])
    capsys.readouterr()
    assert main(["data", "check", "films"]) == 2
    assert "expected complete Parquet files, got one that does not parse" in capsys.readouterr().err


def test_without_a_directory_the_bundled_data_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "describe"]) == 0
    assert "movietweetings" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--map", "user_id"], "--map: expected NAME=VALUE, got 'user_id'"),
        (["--map", "rating=a", "--map", "rating=b"], "--map: expected 'rating' once, got it twice"),
        (["--map", "stars=Stars"], "expected one of user_id, item_id, timestamp, rating, review, got 'stars'"),
        ([*MAPPED, "--timezone", "Mars"], "--timezone: expected an IANA name such as Europe/Vienna, got 'Mars'"),
        ([*MAPPED, "--delimiter", ";"], "3 columns"),
    ],
)
def test_mistaken_options_are_one_line_and_code_2(
    arguments: list[str], message: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "import", "log.csv", *arguments, "--out", "films"]) == 2
    err = capsys.readouterr().err
    assert message.replace("3 columns", "4 columns") in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in files.iterdir()) == ["films.csv", "log.csv"]
