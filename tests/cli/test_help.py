import pytest

from whyrec.cli.main import main


@pytest.mark.parametrize("command", ["demo", "fit", "forecast", "recommend", "explain", "evaluate", "judge"])
def test_every_command_of_the_main_job_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"Example: whyrec {command} " in " ".join(capsys.readouterr().out.split())
