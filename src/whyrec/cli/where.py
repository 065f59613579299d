"""``whyrec where``: the function, the test and the deviations of a paper's numbered equation."""

from collections.abc import Iterator
from typing import Annotated

import typer
from pydantic import TypeAdapter

from whyrec.cli.output import JSON_OPTION, print_rows, say
from whyrec.paper_index import Equation, Paper, SourceTree, find_equations, read_papers


def where(
    query: Annotated[
        list[str],
        typer.Argument(metavar="PAPER [NUMBER]", help='A paper, maybe an equation: TRAIL 6, or "TRAIL Eq. (6)".'),
    ],
    as_json: bool = JSON_OPTION,
) -> None:
    """Say where in the code a paper's equation is, and which test works it by hand.

    Without a number, all equations of the paper.

    Example: whyrec where TRAIL 6
    """
    tree = SourceTree.installed()
    paper, equations = find_equations(read_papers(tree), " ".join(query))
    if as_json:
        print_rows([_row(paper, equation) for equation in equations], as_json=True)
    else:
        for equation in equations:
            for line in _lines(equation):
                typer.echo(line)
    n = len(equations)
    say(f"{paper.key}: {paper.title} ({', '.join(paper.authors)}, {paper.year}); {n} equation{'s' * (n != 1)}.")
    if tree.tests is None:
        say("Tests are not part of an installed package; they are in the repository.")


def _lines(equation: Equation) -> Iterator[str]:
    label = f"Eq. ({equation.number})"
    for place in equation.functions:
        yield f"{place.path}:{place.line}  {place.name}  {label}"
    if not equation.functions:
        yield f"{label}  {equation.status}: {equation.why}"
    for place in equation.tests:
        yield f"  test {place.path}:{place.line}  {place.name}"
    for deviation in equation.deviations:
        yield f"  deviation {deviation.id}: Paper: {deviation.paper} Here: {deviation.ours} Because: {deviation.why}"


def _row(paper: Paper, equation: Equation) -> dict[str, object]:
    return {"paper": paper.key, **TypeAdapter(Equation).dump_python(equation, mode="json")}
