"""``whyrec store``: versions of what is served, and copies of a store."""

from pathlib import Path
from typing import Annotated

import typer

from whyrec.cli.output import JSON_OPTION, print_rows, say
from whyrec.cli.publish import StoreUrl

app = typer.Typer(help="Versions of what is served: list, go back, remove old ones; copies of a store.")
_COLUMNS = ("id", "created", "dataset", "at", "runs", "n_users", "n_items", "n_explanations", "n_unverified")


@app.command()
def versions(store: StoreUrl, as_json: bool = JSON_OPTION) -> None:
    """List the versions that are kept, the newest first.

    Example: whyrec store versions --store sqlite:///store.sqlite
    """
    from whyrec.serving.store import Store

    with Store.open(store, create=False) as opened:
        current, kept = opened.current(), opened.versions()
    rows = [
        {
            **{name: getattr(record, name) for name in _COLUMNS},
            "runs": [run.method for run in record.runs],
            "current": current is not None and record.id == current.id,
        }
        for record in kept
    ]
    print_rows(rows, as_json=as_json)


@app.command()
def rollback(
    store: StoreUrl,
    to: Annotated[
        int | None, typer.Option(metavar="ID", help="Which version; by default the one served before this one.")
    ] = None,
) -> None:
    """Serve an earlier version again; a running server follows at once.

    Example: whyrec store rollback --store sqlite:///store.sqlite --to 3
    """
    from whyrec.serving.store import Store

    with Store.open(store, create=False) as opened:
        record = opened.roll_back(to)
    say(f"Serving version {record.id}, published {record.created:%Y-%m-%d %H:%M} UTC.")


@app.command()
def retain(
    store: StoreUrl,
    keep: Annotated[int, typer.Option(help="How many, beside the current and the one before it.")] = 3,
) -> None:
    """Remove old versions, and what killed publications left.

    Example: whyrec store retain --store sqlite:///store.sqlite --keep 5
    """
    from whyrec.serving.store import Store

    with Store.open(store, create=False) as opened:
        removed = opened.retain(keep)
    say(f"Removed: {', '.join(map(str, removed)) or 'none'}.")


@app.command()
def backup(
    store: StoreUrl, to: Annotated[Path, typer.Option(metavar="FILE", help="Where the copy is written.")]
) -> None:
    """Copy a SQLite store while it is in use; the manifest beside the copy learns of later erasures.

    Example: whyrec store backup --store sqlite:///store.sqlite --to backups/monday.sqlite
    """
    from whyrec.serving.store import Store

    with Store.open(store, create=False) as opened:
        manifest = opened.backup(to)
    say(f"Wrote {to}; keep {manifest} beside it.")


@app.command()
def restore(
    store: StoreUrl,
    backup: Annotated[Path, typer.Option("--from", metavar="FILE", help="A copy, with its manifest.")],
) -> None:
    """Make a store from a copy, without the users that were erased since.

    Example: whyrec store restore --store sqlite:///new.sqlite --from backups/monday.sqlite
    """
    from whyrec.serving.store import Store

    erased = Store.restore(backup, store)
    say(f"Restored {backup}; users erased again: {erased:,}.")
