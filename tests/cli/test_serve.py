"""``whyrec serve``: keys, where it may listen, and what it serves."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from whyrec.cli.main import main

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from whyrec.serving import server as server_module
from whyrec.serving.api.keys import KeyRing, read_key_file
from whyrec.serving.documents import RunRecord
from whyrec.serving.server import ServerSettings, Source, source_of
from whyrec.serving.store import Store

AT = datetime(2013, 11, 7, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path) -> str:
    found = f"sqlite:///{tmp_path}/store.sqlite"
    Store.open(found, create=True).close()
    return found


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What would have been served, instead of serving it."""
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(server_module, "run_server", lambda source, **rest: calls.append({"source": source, **rest}))
    return calls


def test_a_new_key_is_shown_once_with_the_line_that_lets_it_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--new-key"]) == 0
    shown = capsys.readouterr().out
    key, line = re.findall(r": (\S+)", shown)
    file = tmp_path / "keys.txt"
    file.write_text(line + "\n")
    assert KeyRing(read_key_file(file)).place_of(key) == 0


def test_it_does_not_listen_elsewhere_without_a_key(
    url: str, served: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "films.example"):
        assert main(["serve", "--store", url, "--host", host]) == 2
        assert "--host: expected a loopback address such as 127.0.0.1 without a key" in capsys.readouterr().err
    assert served == []


def test_with_a_key_it_may_listen_anywhere(tmp_path: Path, url: str, served: list[dict[str, Any]]) -> None:
    file = tmp_path / "keys.txt"
    file.write_text(f"sha256:{'a' * 64}\n")
    assert main(["serve", "--store", url, "--host", "0.0.0.0", "--key-file", str(file), "--workers", "3"]) == 0
    (call,) = served
    assert call["api"].key_hashes == ("a" * 64,)
    assert (call["server"].host, call["server"].workers) == ("0.0.0.0", 3)
    assert call["source"] == Source(store=url)


def test_something_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve"]) == 2
    assert "serve: expected --run or --store, got neither" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--port", "70000"], "port"),
        (["--workers", "0"], "workers"),
        (["--rate", "-1"], "requests_per_second"),
        (["--max-body", "0"], "max_body_bytes"),
    ],
)
def test_limits_out_of_range_are_refused(
    url: str, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--store", url, *options]) == 2
    assert said in capsys.readouterr().err


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--store", f"sqlite:///{tmp_path}/none.sqlite"]) == 2
    assert "expected a store, found none" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_runs_are_published_once_and_found_again_by_their_directories(tmp_path: Path, url: str) -> None:
    runs = [tmp_path / "runs" / name for name in ("trail", "curec")]
    for run in runs:
        run.mkdir(parents=True)
    published: list[list[Path]] = []

    def publish(store: Store, wanted: Any) -> None:
        published.append(list(wanted))
        records = [RunRecord(method=run.name, directory=str(run), fitted_until=AT) for run in wanted]
        with store.publish(at=AT, dataset="small", runs=records):
            pass

    assert source_of(url, runs, publish=publish) == Source(store=url, runs=tuple(runs))
    assert source_of(url, runs[:1], publish=publish).runs == (runs[0],)
    assert published == [runs]
    assert source_of(url, (), publish=publish).runs == tuple(runs)
    runs[1].rmdir()
    assert source_of(url, (), publish=publish).runs == (runs[0],)
    assert published == [runs]


def test_more_connections_than_files_may_be_open_are_not_promised() -> None:
    assert ServerSettings().most_connections == 10_000
    assert server_module._connections(50) == 50


def test_its_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--help"]) == 0
    assert "Example: whyrec serve " in " ".join(capsys.readouterr().out.split())
