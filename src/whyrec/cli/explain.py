"""``whyrec explain``: why an item is where it is, with every claim checked."""

import json
from typing import Annotated

import typer

from whyrec.cli.model_options import CacheOption, DryRunOption, print_estimate
from whyrec.cli.options import At, RunData, RunDirectory, WantOption, read_moment, require_alone
from whyrec.cli.output import JSON_OPTION, print_rows, say
from whyrec.cli.personal import print_recommendations
from whyrec.cli.terminal import stdout_console
from whyrec.errors import InvalidConfigError
from whyrec.llm.cache import default_cache_path


def explain(
    run: RunDirectory,
    items: Annotated[list[str] | None, typer.Option("--item", metavar="ID", help="An item_id. Repeatable.")] = None,
    user: Annotated[
        str | None,
        typer.Option("--user", metavar="ID", help="A user_id: whose list; for a run of curec, mllm3rec or guided."),
    ] = None,
    want: WantOption = None,
    top: Annotated[
        int | None, typer.Option("--top", metavar="K", help="Explain the first K of the list; 10 if no item is named.")
    ] = None,
    at: At = None,
    data: RunData = None,
    cache: CacheOption = None,
    dry_run: DryRunOption = False,
    as_json: bool = JSON_OPTION,
) -> None:
    """Say why items are forecast as they are, or recommended to a user, and check each claim against the data.

    Where a language model writes, its answers are kept: a killed run goes on where it was.

    Example: whyrec explain --run runs/trail --item 1454468

    Example: whyrec explain --run runs/curec --user 1492 --top 3

    Example: whyrec explain --run runs/mllm3rec --want "gifts that are eco-friendly" --top 3
    """
    # Explaining loads torch and LightGBM; other commands start without them.
    from whyrec.evaluation.asking import tally
    from whyrec.runs import explain_list_run, explain_run, explain_stated_run, open_run
    from whyrec.runs.answers import estimate_reasons

    if items and top is not None:
        raise InvalidConfigError("explain: expected --item or --top, got both. Leave one out.")
    opened = open_run(run)
    moment, dataset = read_moment(at, flag="--at"), opened.open_data(data)
    item_ids, k, kept = items or (), 10 if top is None else top, cache or default_cache_path()
    if user is not None and want is not None:
        raise InvalidConfigError("explain: expected --user or --want, got both. Leave one out.")
    if want is not None:
        require_alone("--want", others={"--at": at is not None})
    if (user is not None or want is not None) and not dry_run:
        if user is not None:
            told = explain_list_run(opened, dataset, user_id=user, item_ids=item_ids, at=moment, k=k)
        else:
            told = explain_stated_run(opened, dataset, words=want or "", item_ids=item_ids, k=k)
        if as_json:
            _print_json(told)
        else:
            heading = f"For user {user}" if user is not None else f"For somebody who wants: {want}"
            print_recommendations(told, heading=heading, console=stdout_console())
        say(f"{tally(told)}.")
        return
    if dry_run:
        estimate = estimate_reasons(opened, dataset, item_ids=item_ids, at=moment, k=k, cache=kept)
        print_estimate(estimate, as_json=as_json)
        return
    reasons = explain_run(opened, dataset, item_ids=item_ids, at=moment, k=k, cache=kept)
    if as_json:
        _print_json(reasons.records)
    else:
        for place, record in enumerate(reasons.records):
            if place:
                typer.echo()
            _print(record)
    say(f"{tally(reasons.records)}.")
    if reasons.summary is not None:
        say(f"{reasons.summary}.")


def _print_json(records: list[dict[str, object]]) -> None:
    for record in records:
        typer.echo(json.dumps(record, ensure_ascii=False))


def _print(record: dict[str, object]) -> None:
    console = stdout_console()
    console.print(f"{record['title']} ({record['item_id']}), rank {record['rank']:,}", style="bold")
    if record["writer"] != "offline":
        console.print(f"written by {record['writer']}", style="dim")
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
