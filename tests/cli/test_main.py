import pytest

from whyrec import __version__
from whyrec.cli import main as module
from whyrec.cli.main import main
from whyrec.errors import InvalidDataError


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    def fail(**_: object) -> None:
        raise request.param

    monkeypatch.setattr(module, "application", lambda _: fail)


@pytest.mark.parametrize(
    ("failing", "code", "message"),
    [
        (InvalidDataError("a.csv: expected b, got\nc. Do d."), 2, "error: a.csv: expected b, got c. Do d.\n"),
        (KeyboardInterrupt(), 130, "error: interrupted.\n"),
        (
            ZeroDivisionError("first\nsecond"),
            1,
            "error: ZeroDivisionError: first (unexpected; run again with --debug for the traceback)\n",
        ),
        (SystemExit(3), 3, ""),
    ],
    indirect=["failing"],
)
@pytest.mark.usefixtures("failing")
def test_exceptions_become_exit_codes_and_one_line(code: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data"]) == code
    assert capsys.readouterr() == ("", message)


@pytest.mark.parametrize("failing", [ZeroDivisionError("zero")], indirect=True)
@pytest.mark.usefixtures("failing")
def test_a_traceback_is_shown_only_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "--debug"]) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_version_help_and_unknown_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"whyrec {__version__}\n"
    assert main(["--help"]) == 0
    assert "doctor" in capsys.readouterr().out
    assert main(["dance"]) == 2
    assert main(["data", "import"]) == 2


def test_a_named_command_loads_no_other() -> None:
    named = module.application(["--debug", "where", "TRAIL"])
    assert [command.name for command in named.registered_commands] == ["where"]
    everything = module.application(["--help"])
    names = {part.name for part in (*everything.registered_commands, *everything.registered_groups)}
    assert names == set(module.COMMANDS)


def test_doctor_reports_and_computes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    out = capsys.readouterr().out
    assert '"name": "bundled data", "status": "ok", "detail": "141,695 interactions' in out
    assert '"name": "learning", "status": "ok"' in out


def test_doctor_names_what_is_broken(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from whyrec.cli import doctor

    def lost() -> str:
        raise FileNotFoundError("dataset.json")

    monkeypatch.setattr(doctor, "_try_bundled_data", lost)
    assert main(["doctor"]) == 1
    out, err = capsys.readouterr()
    assert "FileNotFoundError: dataset.json" in out
    assert "Broken: bundled data." in err
