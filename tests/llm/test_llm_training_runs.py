"""Runs that may be killed: only whole checkpoints are gone on from, and only those of the same run."""

from pathlib import Path

import pytest

from whyrec.errors import InvalidConfigError
from whyrec.llm.training_runs import last_complete, mark_complete, require_same_run, step_of


def test_only_a_whole_checkpoint_is_gone_on_from(tmp_path: Path) -> None:
    assert last_complete(tmp_path) is None
    for step in (9, 10, 11):
        (tmp_path / f"checkpoint-{step}").mkdir()
    for step in (9, 10):
        mark_complete(tmp_path, step)
    found = last_complete(tmp_path)
    assert found == tmp_path / "checkpoint-10", "by number, not by name, and 11 was interrupted"
    assert step_of(found) == 10


def test_states_of_another_run_are_refused(tmp_path: Path) -> None:
    note = tmp_path / "run.json"
    require_same_run(note, {"rate": 0.1})
    require_same_run(note, {"rate": 0.1})
    with pytest.raises(InvalidConfigError, match="expected the states of this run, got those of one with other"):
        require_same_run(note, {"rate": 0.2})
