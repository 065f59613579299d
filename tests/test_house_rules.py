"""Rules of CONTRIBUTING.md that a machine can check: size, names, and tables that come from results."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "src" / "whyrec").rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION, MOST_POSITIONAL = 400, 60, 3


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions and methods; one inside another counts with its outer one, and its signature is its caller's matter."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    for scope in (module, *(node for node in ast.walk(module) if isinstance(node, ast.ClassDef))):
        yield from (node for node in scope.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement after the docstring to the last."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def positional(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return len([name for name in names if name not in ("self", "cls")])


def is_command_or_kernel(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Typer reads a command line from a signature; numba and torch's own gradients know positional arguments only."""
    decorators = " ".join(ast.unparse(decorator) for decorator in function.decorator_list)
    options = [argument.annotation for argument in function.args.args if argument.annotation is not None]
    is_command = any(ast.unparse(option).startswith("Annotated[") for option in options)
    is_gradient = bool(function.args.args) and function.args.args[0].arg == "ctx"
    return is_command or is_gradient or "njit" in decorators


def test_there_is_something_to_check() -> None:
    assert len(SOURCES) > 100


def test_files_are_short() -> None:
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {name: n for name, n in lengths.items() if n > LONGEST_FILE} == {}


def test_functions_are_short_and_take_few_positional_arguments() -> None:
    long, crowded = {}, {}
    for path in SOURCES:
        for function in functions(path):
            name = f"{path.relative_to(ROOT)}:{function.lineno} {function.name}"
            if body_lines(function) > LONGEST_FUNCTION and not is_command_or_kernel(function):
                long[name] = body_lines(function)
            if positional(function) > MOST_POSITIONAL and not is_command_or_kernel(function):
                crowded[name] = positional(function)
    assert long == {}
    assert crowded == {}


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "misc"])
def test_no_file_is_named_for_nothing(name: str) -> None:
    assert [path for path in SOURCES if path.stem == name] == []


def test_tables_in_the_docs_are_those_of_the_results() -> None:
    checked = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "render_tables.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_test_files_have_names_of_their_own() -> None:
    """Test folders are no packages, so that two files of one name would be taken for one module."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) > 50
    assert sorted({name for name in names if names.count(name) > 1}) == []
