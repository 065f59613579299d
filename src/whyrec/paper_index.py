"""Where every numbered equation of the papers stands in the code, read from the source text alone.

``paper.toml`` in a method's folder lists the paper's equations and where we left it. A function or class implements
an equation if its docstring says ``Implements TRAIL Eq. (6).``. A test covers it if its docstring says
``TRAIL Eq. (6)``, or if it is named ``test_eq6_...`` and lies where the folder's own tests do. Both may say
``see TRAIL Eq. (6)`` of an equation that is not theirs. No module is imported.
"""

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError

from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.runtime.strict_model import StrictModel

PAPER_FILE = "paper.toml"
_MENTION = re.compile(r"(?:\b(?P<before>\w+) )?(?P<key>[\w-]+) Eq\. \((?P<number>\w+)\)")
_TEST_NAME = re.compile(r"test_eq(?P<number>\d+[a-z]?)(?:_|$)")
_NUMBER_ASKED_FOR = re.compile(r"(?:eqs?|equations?)?(?P<number>\d+[a-z]?)?")

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class _Entry(StrictModel):
    model_config = ConfigDict(coerce_numbers_to_str=True)


def _one_or_more(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


class Deviation(_Entry):
    """One point where the code leaves the paper, or decides what the paper leaves open."""

    id: str
    """As ``# Deviation:`` comments in the code call it, such as ``T4``."""
    equation: Annotated[tuple[str, ...], BeforeValidator(_one_or_more)] = ()
    """The numbers that it is about, one or several; empty if none."""
    paper: str
    """What the paper says."""
    ours: str
    """What we do."""
    why: str


class PublishedRow(_Entry):
    """What the paper reports of one method on one data set, and what checking it found."""

    table: str
    data: str
    method: str
    values: dict[str, float]
    """By metric, as printed."""
    rounding: float = Field(gt=0)
    """Half a unit of the last digit that all of them have."""
    possible: bool = True
    """False where the values cannot come from one set of lists; see ``evaluation.consistency``."""
    note: str = ""
    """What is doubtful about it."""


class _Listed(_Entry):
    number: str
    status: Literal["implemented", "definition", "omitted"]
    why: str = ""


class _Head(_Entry):
    key: str = Field(pattern=r"^[\w-]+$")
    title: str
    authors: Annotated[tuple[str, ...], BeforeValidator(_one_or_more)]
    year: int


class _PaperFile(_Entry):
    paper: _Head
    equation: tuple[_Listed, ...] = ()
    deviation: tuple[Deviation, ...] = ()
    published: tuple[PublishedRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A function, class or test in the source text."""

    path: str
    """Relative to the root of the source tree."""
    line: int
    name: str


@dataclass(frozen=True, slots=True)
class _Mention:
    """An equation that a docstring claims."""

    key: str
    number: str
    implements: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Equation:
    """One numbered equation and all there is about it."""

    number: str
    status: Literal["implemented", "definition", "omitted"]
    """Of a ``definition`` nothing is computed; what is ``omitted`` could be and is not."""
    why: str
    """The reason, where it is not implemented."""
    functions: tuple[Place, ...]
    tests: tuple[Place, ...]
    deviations: tuple[Deviation, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper's equations, as its folder has them."""

    key: str
    """How code and people name it: ``TRAIL``."""
    title: str
    authors: tuple[str, ...]
    year: int
    folder: str
    """Relative to the root of the source tree."""
    equations: tuple[Equation, ...]
    deviations: tuple[Deviation, ...]
    unlisted: tuple[tuple[str, Place], ...]
    """Equation numbers that code claims and ``paper.toml`` does not list."""
    published: tuple[PublishedRow, ...] = ()
    """Rows of its tables that were checked."""


@dataclass(frozen=True, slots=True)
class SourceTree:
    """A package's source text, with its tests where they lie beside it."""

    package: Path

    @classmethod
    def installed(cls) -> "SourceTree":
        """The package that is running."""
        return cls(Path(__file__).resolve().parent)

    @property
    def root(self) -> Path:
        """What paths are relative to: the repository, or the folder that the package is installed in."""
        return self.package.parent.parent if self.package.parent.name == "src" else self.package.parent

    @property
    def tests(self) -> Path | None:
        """The folder of tests; an installed package has none."""
        folder = self.root / "tests"
        return folder if self.package.parent.name == "src" and folder.is_dir() else None

    def tests_of(self, folder: Path) -> Path:
        """Where a folder of the package has its tests: ``tests`` mirrors the package."""
        return self.root / "tests" / folder.relative_to(self.package)

    def path_of(self, path: Path) -> str:
        """A path as it is printed."""
        return path.relative_to(self.root).as_posix()


def read_papers(tree: SourceTree) -> tuple[Paper, ...]:
    """Index every folder of a package that holds a ``paper.toml``, in the order of their keys.

    Raises:
        InvalidDataError: If such a file is not what it must be.
    """
    files = {path.parent: _read_paper_file(path) for path in sorted(tree.package.rglob(PAPER_FILE))}
    folders = {tree.tests_of(folder): content.paper.key for folder, content in files.items()}
    tests = [it for path in _files(tree.tests, "test_*.py") for it in _test_mentions(tree, path, folders=folders)]
    papers = [_paper(tree, folder, content=content, tests=tests) for folder, content in files.items()]
    return tuple(sorted(papers, key=lambda paper: paper.key.casefold()))


def find_equations(papers: Sequence[Paper], query: str) -> tuple[Paper, tuple[Equation, ...]]:
    """Find what somebody asks for: a paper's key and maybe a number, however they are spelt.

    Args:
        papers: From ``read_papers``.
        query: ``TRAIL 6``, ``trail eq. (6)``, or ``TRAIL`` for all of its equations.

    Raises:
        InvalidConfigError: If there is no such paper, or it has no such equation; the message says what there is.
    """
    asked = _squeezed(query)
    for paper in sorted(papers, key=lambda paper: -len(paper.key)):
        key = _squeezed(paper.key)
        match = _NUMBER_ASKED_FOR.fullmatch(asked.removeprefix(key)) if asked.startswith(key) else None
        if match is None:
            continue
        found = tuple(equation for equation in paper.equations if match["number"] in (None, equation.number))
        if not found:
            numbers = ", ".join(equation.number for equation in paper.equations) or "none"
            raise InvalidConfigError(
                f"where: expected an equation of {paper.key} ({numbers}), got {match['number']}. Name one of these."
            )
        return paper, found
    keys = ", ".join(paper.key for paper in papers) or "none is indexed"
    raise InvalidConfigError(f'where: expected a paper ({keys}), got {query!r}. Ask for one, as in "TRAIL 6".')


def problems(paper: Paper) -> list[str]:
    """What is wrong with a paper's index: gaps in its list, and equations without function, test or reason."""
    numbers = [equation.number for equation in paper.equations]
    whole = {int(number) for number in numbers if number.isdecimal()}
    found = [(number, "listed twice") for number in sorted(set(numbers)) if numbers.count(number) > 1]
    found += [(str(n), "not listed, though a later one is") for n in range(1, max(whole, default=0)) if n not in whole]
    found += [
        (number, f"not listed, though {place.path}:{place.line} {place.name} implements it")
        for number, place in paper.unlisted
    ]
    found += [
        (number, f"not listed, though deviation {deviation.id} is about it")
        for deviation in paper.deviations
        for number in deviation.equation
        if number not in numbers
    ]
    found += [(equation.number, lack) for equation in paper.equations for lack in _lacks(equation)]
    return [f"{paper.key} Eq. ({number}): {problem}" for number, problem in found]


def _lacks(equation: Equation) -> list[str]:
    if equation.status != "implemented":
        lacks = [] if equation.why.strip() else [f"{equation.status}, but no reason is given"]
        return lacks + [f"{equation.status}, but {place.name} implements it" for place in equation.functions]
    lacks = [] if equation.functions else ["implemented, but no function says so"]
    return lacks if equation.tests else [*lacks, "implemented, but no test names it"]


def _paper(tree: SourceTree, folder: Path, *, content: _PaperFile, tests: Sequence[_Mention]) -> Paper:
    head = content.paper
    mentions = (it for path in _files(folder, "*.py") for it in _mentions(tree, path))
    code = [it for it in mentions if it.key == head.key and it.implements]
    covering = [it for it in tests if it.key == head.key]
    listed = {equation.number for equation in content.equation}
    return Paper(
        key=head.key,
        title=head.title,
        authors=head.authors,
        year=head.year,
        folder=tree.path_of(folder),
        equations=tuple(
            Equation(
                number=equation.number,
                status=equation.status,
                why=equation.why,
                functions=tuple(it.place for it in code if it.number == equation.number),
                tests=tuple(it.place for it in covering if it.number == equation.number),
                deviations=tuple(it for it in content.deviation if equation.number in it.equation),
            )
            for equation in content.equation
        ),
        deviations=content.deviation,
        unlisted=tuple((it.number, it.place) for it in code if it.number not in listed),
        published=content.published,
    )


def _read_paper_file(path: Path) -> _PaperFile:
    try:
        return _PaperFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise InvalidDataError(f"{path}: expected TOML, got something else: {error}. Correct it.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = " ".join(str(part) for part in first["loc"])
        raise InvalidDataError(f"{path}, {where}: {first['msg']}, got {first['input']!r}. Correct it.") from error


def _files(folder: Path | None, pattern: str) -> list[Path]:
    return sorted(folder.rglob(pattern)) if folder is not None else []


def _test_mentions(tree: SourceTree, path: Path, *, folders: Mapping[Path, str]) -> Iterator[_Mention]:
    """Each equation that a test covers, by its docstring or its name, once."""
    keys = [key for folder, key in folders.items() if path.is_relative_to(folder)]
    seen = set()
    for mention in _mentions(tree, path, named_for=keys[0] if keys else None):
        if mention.place.name.casefold().startswith("test") and mention not in seen:
            seen.add(mention)
            yield mention


def _mentions(tree: SourceTree, path: Path, *, named_for: str | None = None) -> Iterator[_Mention]:
    """Each equation that a docstring claims, and with a paper's key each that the name of a test does."""
    text = path.read_text(encoding="utf-8")
    # Parsing takes most of the time, and few files name an equation.
    if " Eq. (" not in text and (named_for is None or "def test_eq" not in text):
        return
    for node in _definitions(ast.parse(text).body):
        place = Place(tree.path_of(path), node.lineno, node.name)
        name = _TEST_NAME.match(node.name) if named_for is not None else None
        if name is not None and named_for is not None:
            yield _Mention(named_for, name["number"], implements=False, place=place)
        for match in _MENTION.finditer(" ".join((ast.get_docstring(node) or "").split())):
            before = (match["before"] or "").casefold()
            if before != "see":
                yield _Mention(match["key"], match["number"], implements=before == "implements", place=place)


def _definitions(statements: Sequence[ast.stmt]) -> Iterator[_Definition]:
    """Each function and class, at any depth. Expressions hold most nodes and no definition: they are passed by."""
    for statement in statements:
        if isinstance(statement, _Definition):
            yield statement
        yield from _definitions(getattr(statement, "body", ()))
        yield from _definitions(getattr(statement, "orelse", ()))


def _squeezed(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.casefold())
