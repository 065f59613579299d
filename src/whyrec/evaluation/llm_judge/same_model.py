"""No model judges itself unasked: judges prefer what they would have written (TRAIL §5.2.4 avoids it too)."""

from collections.abc import Iterable
from pathlib import PurePosixPath

from whyrec.errors import InvalidConfigError
from whyrec.llm.base import ModelIdentity

_SHORTEST_REVISION = 7


def is_same_model(writer: str, judge: ModelIdentity) -> bool:
    """Whether an explanation's writer and a judge are one model, whatever adapter either wears.

    Args:
        writer: As ``Explanation.writer`` has it: ``name@revision+adapter``.
        judge: The model that would judge. A directory and a hub's name of it count as one by their last part, and so do
            different names of the same weights.
    """
    name, revision = _parts(writer)
    judged_by, judges_revision = _parts(judge.writer)
    alike = min(len(revision), len(judges_revision))
    same_weights = alike >= _SHORTEST_REVISION and revision[:alike] == judges_revision[:alike]
    return name == judged_by or same_weights


def require_other_model(writers: Iterable[str], judge: ModelIdentity) -> None:
    """Refuse a judge that wrote any of what it is to judge.

    Args:
        writers: Of each explanation.
        judge: The model.

    Raises:
        InvalidConfigError: Saying how many it wrote.
    """
    wrote = [is_same_model(writer, judge) for writer in writers]
    if any(wrote):
        raise InvalidConfigError(
            f"judge: expected another model than the writer's, got {judge.writer!r}, which wrote {sum(wrote):,} of "
            f"{len(wrote):,} explanations. Choose another --llm, or say --allow-same-model."
        )


def _parts(writer: str) -> tuple[str, str]:
    """Name and revision; an adapter stands behind a plus, a revision behind an at sign."""
    bare, _, revision = writer.partition("@")
    name = bare.partition("+")[0].casefold().rstrip("/")
    return PurePosixPath(name).name, revision.partition("+")[0].casefold()
