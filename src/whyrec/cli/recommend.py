"""``whyrec recommend``: a list for each user, or for a wish."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whyrec.cli.model_options import (
    KEY_VARIABLE,
    MODEL_PANEL,
    CacheOption,
    KeyOption,
    ModelOption,
    ModelSettings,
    PricesOption,
    open_chosen_model,
)
from whyrec.cli.options import RunData, RunDirectory, WantOption, read_moment, require_one_of
from whyrec.cli.output import JSON_OPTION, print_rows, say
from whyrec.llm.opening import NONE, parse_spec

if TYPE_CHECKING:
    from whyrec.llm.model import LanguageModel

_SHOWN = ["rank", "item_id", "title", "score"]


def recommend(
    run: RunDirectory,
    users: Annotated[list[str] | None, typer.Option("--user", metavar="ID", help="A user_id. Repeatable.")] = None,
    want: WantOption = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Read only what came before. By default everything in the data is read."),
    ] = None,
    k: Annotated[int, typer.Option("-k", "--k", help="How many items each.")] = 10,
    data: RunData = None,
    llm: ModelOption = NONE,
    pool: Annotated[
        int,
        typer.Option(metavar="N", help="How many of each list a language model orders.", rich_help_panel=MODEL_PANEL),
    ] = 30,
    llm_settings: ModelSettings = None,
    cache: CacheOption = None,
    prices: PricesOption = None,
    api_key_env: KeyOption = KEY_VARIABLE,
    as_json: bool = JSON_OPTION,
) -> None:
    """Rank items for users, less what they have had; a higher score is better.

    A user without a history gets the most popular items, and that is said. With a run of mllm3rec, --want ranks for
    somebody of whom nothing is known but what they want, and --llm lets a language model order the top of users' lists.

    Example: whyrec recommend --run runs/sasrec --user 1492 --user 77 -k 5

    Example: whyrec recommend --run runs/mllm3rec --want "gifts that are eco-friendly"

    Example: whyrec recommend --run runs/mllm3rec --user 77 --llm http://127.0.0.1:8000/v1#qwen
    """
    # Recommending loads torch; other commands start without it.
    from whyrec.runs import open_run, recommend_run, recommend_stated_run, recommend_with_model

    require_one_of("recommend", users=users, want=want)
    opened, moment = open_run(run), read_moment(at, flag="--at")
    dataset = opened.open_data(data)
    columns = _SHOWN if users is None or len(set(users)) == 1 else ["user_id", *_SHOWN]
    if users is None:
        print_rows(recommend_stated_run(opened, dataset, words=want or "", k=k), as_json=as_json, columns=columns)
        return
    model = _model(llm, llm_settings, cache=cache, prices=prices, key_variable=api_key_env)
    if model is None:
        lists = recommend_run(opened, dataset, user_ids=users, at=moment, k=k)
        for user in lists.unknown:
            say(f"{user}: no history to go by, so these are the most popular items.")
        print_rows(lists.rows, as_json=as_json, columns=columns)
        return
    ordered = recommend_with_model(opened, dataset, model, user_ids=users, pool=pool, at=moment, k=k)
    for user in ordered.unknown:
        say(f"{user}: no history to go by, so these are the most popular items.")
    for user in ordered.unreadable:
        say(f"{user}: the model's answers could not be read, so this is the offline list.")
    print_rows(ordered.rows, as_json=as_json, columns=columns)
    say(f"{ordered.summary}.")


def _model(
    llm: str, settings: list[str] | None, *, cache: Path | None, prices: Path | None, key_variable: str
) -> "LanguageModel | None":
    spec = parse_spec(llm)
    if spec is None:
        return None
    return open_chosen_model(spec, settings=settings, cache=cache, prices=prices, key_variable=key_variable)
