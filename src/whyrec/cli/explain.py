"""``whyrec explain``: why an item is where it is, with every claim checked."""

import json
from typing import Annotated

import typer

from whyrec.cli.options import At, RunData, RunDirectory, read_moment
from whyrec.cli.output import JSON_OPTION, print_rows
from whyrec.cli.terminal import stdout_console


def explain(
    run: RunDirectory,
    items: Annotated[list[str], typer.Option("--item", metavar="ID", help="An item_id. Repeatable.")],
    at: At = None,
    data: RunData = None,
    as_json: bool = JSON_OPTION,
) -> None:
    """Say why items are forecast as they are, and check each claim against the data.

    Example: whyrec explain --run runs/trail --item 1454468
    """
    # Explaining loads torch and LightGBM; other commands start without them.
    from whyrec.runs import explain_run, open_run

    opened = open_run(run)
    records = explain_run(opened, opened.open_data(data), item_ids=items, at=read_moment(at, flag="--at"))
    for place, record in enumerate(records):
        if as_json:
            typer.echo(json.dumps(record, ensure_ascii=False))
            continue
        if place:
            typer.echo()
        _print(record)


def _print(record: dict[str, object]) -> None:
    console = stdout_console()
    console.print(f"{record['title']} ({record['item_id']}), rank {record['rank']:,}", style="bold")
    console.print(record["text"], soft_wrap=not console.is_terminal)
    claims = record["claims"]
    assert isinstance(claims, list), "explanation_record lists the claims"
    n_held = sum(claim["supported"] for claim in claims)
    verdict = "verified" if record["verified"] else "NOT verified"
    console.print(
        f"\n{verdict}: {n_held} of {len(claims)} claims checked and borne out",
        style="green" if record["verified"] else "red",
    )
    rows = [
        {
            "claim": claim["text"],
            "kind": claim["kind"],
            "holds": claim["supported"],
            "rests on": claim["evidence_ids"],
            "problem": claim["problem"],
        }
        for claim in claims
    ]
    columns = [name for name in rows[0] if name != "problem" or not record["verified"]] if rows else None
    print_rows(rows, as_json=False, columns=columns)
