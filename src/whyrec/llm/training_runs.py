"""Runs of transformers' ``Trainer`` that may be killed: which checkpoint is whole, whose run it is, and a bar."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from whyrec.errors import InvalidConfigError
from whyrec.runtime.atomic import atomic_file
from whyrec.runtime.progress import Step, progress_bar

_COMPLETE = "complete"
_PREFIX = "checkpoint-"


def mark_complete(checkpoints: Path, step: int) -> None:
    """Say that the checkpoint of a step is on disk, all of it."""
    (checkpoints / f"{_PREFIX}{step}" / _COMPLETE).touch()


def last_complete(checkpoints: Path) -> Path | None:
    """The newest checkpoint whose writing was not interrupted."""
    complete = [path.parent for path in checkpoints.glob(f"{_PREFIX}*/{_COMPLETE}")]
    return max(complete, key=step_of, default=None)


def step_of(checkpoint: Path) -> int:
    """After how many updates a checkpoint was written."""
    return int(checkpoint.name.removeprefix(_PREFIX))


def require_same_run(path: Path, said: Mapping[str, object]) -> None:
    """Note what a run is beside its states, and refuse to go on from those of another.

    Args:
        path: The note.
        said: What it says, as JSON.

    Raises:
        InvalidConfigError: If it says something else.
    """
    if not path.is_file():
        with atomic_file(path) as partial:
            partial.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    elif json.loads(path.read_text(encoding="utf-8")) != said:
        raise InvalidConfigError(
            f"{path.parent}: expected the states of this run, got those of one with other settings or data. Remove "
            "them to begin anew, or choose another place."
        )


class MarkComplete(TrainerCallback):
    """Marks checkpoints that are on disk, all of them."""

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Mark the checkpoint."""
        mark_complete(Path(cast(str, args.output_dir)), state.global_step)


class TrainingBar(TrainerCallback):
    """A bar over the steps that tells one of the trainer's numbers."""

    def __init__(self, doing: str, *, tells: str) -> None:
        """Take what is being done, and the name under which the trainer logs the number."""
        self._doing, self._tells = doing, tells
        self._open = ExitStack()
        self._step: Step | None = None

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Open the bar where the run stands."""
        self._step = self._open.enter_context(progress_bar(self._doing, total=state.max_steps))
        self._step.advance(state.global_step)

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, *, logs: Any = None, **_: Any
    ) -> None:
        """Tell the number."""
        if self._step is not None and self._tells in (logs or {}):
            self._step.describe(f"{self._doing}: {self._tells} {float(logs[self._tells]):.3f}")

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Move the bar."""
        if self._step is not None:
            self._step.advance()

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Close the bar."""
        self._open.close()
