"""The index of equations, on a small package written here and on the real one."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.paper_index import Paper, SourceTree, find_equations, problems, read_papers

PAPER = """
[paper]
key = "LOOM-2"
title = "Weaving"
authors = ["A. Weaver", "B. Dyer"]
year = 2024

[[equation]]
number = 1
status = "implemented"

[[equation]]
number = 2
status = "definition"
why = "It names the warp."

[[equation]]
number = "3a"
status = "omitted"
why = "Needs a loom."

[[deviation]]
id = "L1"
equation = 1
paper = "Wool."
ours = "Cotton."
why = "It washes."

[[deviation]]
id = "L2"
equation = [1, "3a"]
paper = "Red."
ours = "Blue."
why = "It lasts."

[[deviation]]
id = "L3"
paper = "Slow."
ours = "Fast."
why = "It can be."
"""

CODE = '''
"""Module text, see LOOM-2 Eq. (2)."""

def weave(warp):
    """Cross the threads.

    Implements LOOM-2
    Eq. (1).
    """

def dye(cloth):
    """Colour it; see LOOM-2 Eq. (1). Like LOOM-2 Eq. (2), but wet. Implements OTHER Eq. (2)."""

class Loom:
    def beat(self):
        """Once more. Implements LOOM-2 Eq. (1)."""
'''

TESTS = '''
def test_eq1_crosses():
    assert True

def test_named_in_its_text():
    """Over and under: LOOM-2 Eq. (1)."""

def test_only_sees():
    """Another matter; see LOOM-2 Eq. (1)."""

def test_eq12_is_another():
    pass

def threads():
    """For LOOM-2 Eq. (1)."""
'''


@pytest.fixture
def tree(tmp_path: Path) -> SourceTree:
    """A repository with one paper; ``LOOM-2`` has three equations."""
    package = tmp_path / "src" / "mill"
    write(package / "methods" / "loom" / "paper.toml", PAPER)
    write(package / "methods" / "loom" / "deep" / "equations.py", CODE)
    write(package / "methods" / "other" / "equations.py", CODE)
    write(tmp_path / "tests" / "methods" / "loom" / "test_loom.py", TESTS)
    # Elsewhere a name alone says nothing of which paper is meant.
    write(tmp_path / "tests" / "methods" / "other" / "test_other.py", TESTS)
    return SourceTree(package)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_functions_tests_and_deviations_are_found_where_they_stand(tree: SourceTree) -> None:
    (paper,) = read_papers(tree)
    first, second, third = paper.equations
    code, tests = CODE.splitlines(), TESTS.splitlines()
    assert [(place.name, place.path) for place in first.functions] == [
        (name, "src/mill/methods/loom/deep/equations.py") for name in ("weave", "beat")
    ]
    assert [code[place.line - 1].strip() for place in first.functions] == ["def weave(warp):", "def beat(self):"]
    assert [(place.path, place.name) for place in first.tests] == [
        ("tests/methods/loom/test_loom.py", "test_eq1_crosses"),
        ("tests/methods/loom/test_loom.py", "test_named_in_its_text"),
        ("tests/methods/other/test_other.py", "test_named_in_its_text"),
    ]
    assert [tests[place.line - 1] for place in first.tests[:2]] == [
        "def test_eq1_crosses():",
        "def test_named_in_its_text():",
    ]
    assert [deviation.id for deviation in first.deviations] == ["L1", "L2"]
    assert (second.number, second.status, second.why, second.functions) == ("2", "definition", "It names the warp.", ())
    assert (third.number, [deviation.id for deviation in third.deviations]) == ("3a", ["L2"])
    assert [deviation.id for deviation in paper.deviations] == ["L1", "L2", "L3"]
    assert problems(paper) == []


def test_an_installed_package_has_no_tests_and_says_so(tree: SourceTree, tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    tree.package.parent.rename(site)
    installed = SourceTree(site / "mill")
    assert installed.tests is None
    (paper,) = read_papers(installed)
    assert paper.equations[0].functions[0].path == "mill/methods/loom/deep/equations.py"
    assert paper.equations[0].tests == ()


@pytest.mark.parametrize(
    "query",
    [
        "LOOM-2 1",
        "loom-2 1",
        "LOOM-2 Eq. 1",
        "LOOM-2 Eq. (1)",
        "LOOM-2 (1)",
        "LOOM-2(1)",
        "loom2 equation 1",
        "LOOM-2, 1",
    ],
)
def test_spelling_does_not_matter(tree: SourceTree, query: str) -> None:
    paper, equations = find_equations(read_papers(tree), query)
    assert (paper.key, [equation.number for equation in equations]) == ("LOOM-2", ["1"])


def test_a_paper_alone_lists_everything_and_letters_count(tree: SourceTree) -> None:
    papers = read_papers(tree)
    assert [equation.number for equation in find_equations(papers, " loom-2 ")[1]] == ["1", "2", "3a"]
    assert [equation.number for equation in find_equations(papers, "loom-2 3A")[1]] == ["3a"]


def test_the_longer_of_two_keys_is_meant(tree: SourceTree) -> None:
    (paper,) = read_papers(tree)
    papers = [replace(paper, key="LOOM"), paper]
    assert find_equations(papers, "LOOM-2 1")[0].key == "LOOM-2"
    assert find_equations(papers, "LOOM 1")[0].key == "LOOM"


def test_what_is_not_there_is_refused_with_what_is(tree: SourceTree) -> None:
    papers = read_papers(tree)
    with pytest.raises(InvalidConfigError, match=r"an equation of LOOM-2 \(1, 2, 3a\), got 9\. Name one of these"):
        find_equations(papers, "loom-2 9")
    for query in ("spindle 1", "LOOM-2 Tab. 1", "LOOM", ""):
        with pytest.raises(InvalidConfigError, match=rf"expected a paper \(LOOM-2\), got '{query}'"):
            find_equations(papers, query)
    with pytest.raises(InvalidConfigError, match=r"expected a paper \(none is indexed\)"):
        find_equations([], "TRAIL 6")


def broken(change: Callable[[str], str], tree: SourceTree, *, file: str = "paper.toml") -> Paper:
    path = tree.package / "methods" / "loom" / file
    changed = change(path.read_text("utf-8"))
    assert changed != path.read_text("utf-8")
    path.write_text(changed, "utf-8")
    (paper,) = read_papers(tree)
    return paper


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('number = "3a"', "number = 4", "Eq. (3): not listed, though a later one is"),
        ('"3a"\nstatus', '"2"\nstatus', "Eq. (2): listed twice"),
        ('why = "Needs a loom."', "", "Eq. (3a): omitted, but no reason is given"),
        ('equation = [1, "3a"]', "equation = 7", "Eq. (7): not listed, though deviation L2 is about it"),
        ('"implemented"', '"omitted"\nwhy = "No."', "Eq. (1): omitted, but weave implements it"),
        ('"definition"', '"implemented"', "Eq. (2): implemented, but no function says so"),
        ('"definition"', '"implemented"', "Eq. (2): implemented, but no test names it"),
        ("number = 1", "number = 5", "Eq. (1): not listed, though src/mill/methods/loom/deep/equations.py:4 weave "),
    ],
)
def test_every_gap_in_the_list_is_a_problem(tree: SourceTree, old: str, new: str, problem: str) -> None:
    paper = broken(lambda text: text.replace(old, new, 1), tree)
    assert [text for text in problems(paper) if text.startswith(f"LOOM-2 {problem}")]


def test_lost_functions_and_tests_are_problems(tree: SourceTree) -> None:
    paper = broken(lambda text: text.replace("Implements LOOM-2", "Computes LOOM-2"), tree, file="deep/equations.py")
    assert problems(paper) == ["LOOM-2 Eq. (1): implemented, but no function says so"]
    for path in (tree.root / "tests").rglob("test_*.py"):
        path.write_text("", "utf-8")
    (paper,) = read_papers(tree)
    assert problems(paper)[1:] == ["LOOM-2 Eq. (1): implemented, but no test names it"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"definition"', '"pending"', "equation 1 status: Input should be 'implemented', .* got 'pending'"),
        ('why = "It washes."', "", "deviation 0 why: Field required"),
        ("year = 2024", "year = 2024\nshelf = 3", "paper shelf: Extra inputs are not permitted, got 3"),
        ("[paper]", "[paper", "expected TOML, got something else"),
    ],
)
def test_a_paper_file_that_is_wrong_is_refused(tree: SourceTree, old: str, new: str, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        broken(lambda text: text.replace(old, new, 1), tree)


def test_every_equation_of_every_paper_has_its_function_and_test_or_a_reason() -> None:
    tree = SourceTree.installed()
    assert tree.tests is not None, "expected to run from the repository"
    papers = read_papers(tree)
    looked_at = sum(len(paper.equations) for paper in papers)
    assert looked_at > 0, "expected numbered equations in paper.toml files, found none"
    found = [problem for paper in papers for problem in problems(paper)]
    assert found == [], f"{len(found)} of {looked_at} equations looked at: {'; '.join(found)}"


def test_the_look_up_is_quick_and_loads_nothing_heavy() -> None:
    """Half a second of the processor's time from a new interpreter, at least once in three: machines are busy.

    Where a machine is slower, so is importing pydantic, which takes some 0.06 s on one that keeps the half second.
    """
    program = (
        "import sys, time; start = time.process_time(); import pydantic; yardstick = time.process_time() - start\n"
        "from whyrec.paper_index import SourceTree, find_equations, read_papers\n"
        "find_equations(read_papers(SourceTree.installed()), 'TRAIL 6')\n"
        "quick = time.process_time() < max(0.5, 8 * yardstick)\n"
        "print(sorted({'torch', 'numpy', 'polars', 'whyrec.methods'} & set(sys.modules)), quick)"
    )
    runs = (subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True) for _ in "123")
    assert any(ran.stdout == "[] True\n" for ran in runs)
