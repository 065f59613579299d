"""What runs are called in tables."""

from collections import Counter
from collections.abc import Collection, Sequence

from whyrec.errors import InvalidConfigError
from whyrec.runs.run import Run


def labelled(runs: Sequence[Run], *, taken: Collection[str]) -> dict[str, Run]:
    """Runs under their method's label; where it would stand twice, with the directory's name.

    Args:
        runs: In the order of the table.
        taken: Labels of what stands beside them.

    Raises:
        InvalidConfigError: If two runs would still be called alike.
    """
    times = Counter([*taken, *(run.method.label for run in runs)])
    named: dict[str, Run] = {}
    for run in runs:
        label = run.method.label if times[run.method.label] == 1 else f"{run.method.label}@{run.directory.name}"
        if label in named:
            raise InvalidConfigError(
                f"{run.directory}: expected runs of different names, got {run.directory.name!r} twice. "
                "Rename one of the directories."
            )
        named[label] = run
    return named
