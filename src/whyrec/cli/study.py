"""``whyrec study``: a blind page on which people compare two runs' explanations, and what they preferred."""

from pathlib import Path
from typing import Annotated

import typer

from whyrec.cli.output import JSON_OPTION, print_rows, say, say_all
from whyrec.errors import InvalidConfigError

app = typer.Typer(help="Let people compare two runs' explanations, blind.", no_args_is_help=True)


@app.command()
def build(
    explanations: Annotated[
        list[Path],
        typer.Option(
            "--explanations",
            metavar="FILE.jsonl",
            help="What whyrec explain --json wrote; give it twice, once for each run.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE.html", help="The page; its key goes beside it.")],
    pairs: Annotated[int, typer.Option(help="How many pairs are shown.")] = 20,
    seed: Annotated[int, typer.Option(help="Same seed, same pairs, order and sides.")] = 0,
) -> None:
    """Write a page that shows pairs of explanations of the same item to the same user, in random order and sides.

    The page is one file that works from anywhere without a network. Raters choose, and send back the file that the
    page saves. Which text is which stands only in the key, FILE.key.json: keep it from raters.

    Example: whyrec study build --explanations a.jsonl --explanations b.jsonl --out study.html --pairs 20
    """
    # The page's template engine and scipy load with these; other commands start without them.
    from whyrec.serving.study import build_study

    if len(explanations) != 2:
        raise InvalidConfigError(
            f"study build: expected --explanations twice, once a run, got it {len(explanations)} times. Name two files."
        )
    built = build_study(explanations[0], explanations[1], out=out, n_pairs=pairs, seed=seed)
    say(f"Wrote {built.page} with {len(built.key.pairs)} pairs; send it to raters.")
    say(f"Wrote {built.key_path}; it says which text is which, so keep it to yourself.")


@app.command()
def result(
    votes: Annotated[list[Path], typer.Argument(metavar="VOTES.json...", help="The files that raters sent back.")],
    key: Annotated[
        Path, typer.Option("--key", metavar="FILE.key.json", help="What study build wrote beside the page.")
    ],
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    as_json: bool = JSON_OPTION,
) -> None:
    """Say which run's explanations people preferred, how sure that is, and how far raters agree.

    Files that cannot count are left out, each with a line that says why.

    Example: whyrec study result --key study.key.json votes-*.json
    """
    from whyrec.evaluation.preferences import preference_rows
    from whyrec.evaluation.study_files import collect_votes, read_key

    study = read_key(key)
    collected = collect_votes(votes, key=study)
    say_all(collected.refused)
    print_rows(preference_rows(study, collected.votes, seed=seed), as_json=as_json)
    for name, run in study.runs.items():
        say(f"{name}: {run.file} (written by {', '.join(run.writers)})")
    n_raters, n_votes = len(collected.votes), sum(len(it.votes) for it in collected.votes)
    answered = {vote.pair for it in collected.votes for vote in it.votes}
    say(
        f"Raters {n_raters}, votes {n_votes}, pairs answered {len(answered)} of {len(study.pairs)}, "
        f"files left out {len(collected.refused)}."
    )
