import sys

import pytest

from whyrec.runtime.progress import progress_bar


def test_it_is_silent_where_stderr_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("Reading", total=3) as step:
        step.advance()
        step.describe("Writing")
        step.advance(2)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_sees_it_on_stderr(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress_bar("Reading", total=3) as step:
        step.advance(3)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Reading" in err


def test_a_bar_inside_another_joins_its_display(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two displays would redraw the same line; rich refuses a second live one."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress_bar("Outside", total=2) as outer:
        with progress_bar("Inside", total=1) as inner:
            inner.advance()
        outer.advance(2)
    _, err = capsys.readouterr()
    assert "Outside" in err
    assert "Inside" in err
