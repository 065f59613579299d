"""``whyrec cache``: look at the answers of language models that were kept, and check them."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from whyrec.cli.output import JSON_OPTION, print_rows, say
from whyrec.llm.cache import default_cache_path, read_cache

app = typer.Typer(help="Look at the answers of language models that were kept, and check them.", no_args_is_help=True)

CacheFile = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        envvar="WHYREC_CACHE",
        metavar="FILE",
        help="Where answers are kept; by default completions.sqlite in the user's data directory.",
    ),
]


@app.command()
def stats(cache: CacheFile = None, as_json: bool = JSON_OPTION) -> None:
    """Count answers, failures, retries, tokens and cost of each model.

    Example: whyrec cache stats
    """
    with read_cache(cache or default_cache_path()) as kept:
        rows = [asdict(model) for model in kept.statistics()]
        if not as_json:
            rows = [row | {"revision": row["revision"][:12], "adapter": (row["adapter"] or "")[:12]} for row in rows]
        print_rows(rows, as_json=as_json)
        n = sum(int(row["answers"]) for row in rows)
        say(f"{kept.path}: {_answers(n)}, {kept.size_bytes() / 1e6:,.1f} MB.")


@app.command()
def export(
    cache: CacheFile = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="A new file; by default stdout.")
    ] = None,
) -> None:
    """Write every answer with its request as one JSON object per line, the oldest first.

    Example: whyrec cache export --out answers.jsonl
    """
    with read_cache(cache or default_cache_path()) as kept:
        if out is not None:
            n = kept.export(out)
            say(f"Wrote {out}: {_answers(n)}.")
            return
        for record in kept.records():
            typer.echo(record.json_line())


@app.command()
def verify(cache: CacheFile = None, as_json: bool = JSON_OPTION) -> None:
    """Check the file, every key against its request, and every answer against its digest.

    Leaves with 0 if all is well and 1 if not.

    Example: whyrec cache verify
    """
    with read_cache(cache or default_cache_path()) as kept:
        found = kept.verify()
        print_rows([asdict(problem) for problem in found.problems], as_json=as_json)
        shown = len(found.problems)
        rest = f" (the first {shown:,} are shown)" if shown < found.n_problems else ""
        say(f"{kept.path}: {_answers(found.answers)} checked, {found.n_problems:,} problems{rest}.")
        if found.problems:
            raise typer.Exit(1)


def _answers(n: int) -> str:
    return f"{n:,} answer{'s' * (n != 1)}"
