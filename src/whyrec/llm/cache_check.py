"""What ``whyrec cache verify`` looks for: damage to the file, and answers that are not as they were when they came.

The digests show accidents and careless edits. They are no signatures: who sets out to forge can make new ones.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from whyrec.errors import InvalidDataError
from whyrec.llm.records import SCHEMA, Record
from whyrec.llm.sqlite_file import SqliteFile, integrity_problems
from whyrec.runtime.progress import progress_bar

_MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a cache."""

    where: str
    problem: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of a whole cache found."""

    answers: int
    """Answers that could be read and were checked."""
    problems: tuple[Problem, ...]
    """None if all is well; if there are many, the first 100."""
    n_problems: int
    """How many there are in all."""


def verify(file: SqliteFile, numbered: Iterable[tuple[int, Record]]) -> Verification:
    """Check a cache.

    Args:
        file: The open file.
        numbered: Its records with their numbers, in order.

    Raises:
        OutputWriteError: If the file cannot be reached.
    """
    where = str(file.path)
    problems = [Problem(where, line) for line in integrity_problems(file)]
    answers = 0
    try:
        problems += [Problem(where, f"missing: {statement}") for statement in _missing_statements(file)]
        total = file.rows("SELECT count(*) FROM completions")[0][0]
        with progress_bar("checking answers", total=total) as step:
            for found in _checked(numbered):
                answers += 1
                problems += found
                step.advance()
    except InvalidDataError as error:  # a damaged page: what lies behind it cannot be read
        problems.append(Problem(where, f"only {answers:,} answers could be read: {error}"))
    return Verification(answers, tuple(problems[:_MOST_PROBLEMS]), len(problems))


def _missing_statements(file: SqliteFile) -> list[str]:
    """Tables, indexes and rules that somebody has removed or altered."""
    present = {row[0] for row in file.rows("SELECT sql FROM sqlite_master")}
    return [statement for statement in SCHEMA if statement not in present]


def _checked(numbered: Iterable[tuple[int, Record]]) -> Iterator[list[Problem]]:
    """What is wrong with each answer, in order. Numbers have no gaps unless somebody has removed answers."""
    before = 0
    for number, record in numbered:
        gap = number - before - 1
        found = [f"{gap:,} answer{'s' * (gap != 1)} before it missing"] if gap else []
        before = number
        found += record.problems()
        yield [Problem(f"answer {number:,}, {record.key}", problem) for problem in found]
