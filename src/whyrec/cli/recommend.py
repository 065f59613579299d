"""``whyrec recommend``: a list for each user, or for a wish."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

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
from whyrec.cli.options import RunData, RunDirectory, WantOption, read_moment, require_alone, require_one_of
from whyrec.cli.output import JSON_OPTION, print_rows, say
from whyrec.errors import InvalidConfigError
from whyrec.llm.opening import NONE, parse_spec

if TYPE_CHECKING:
    from whyrec.data.dataset import Dataset
    from whyrec.llm.model import LanguageModel
    from whyrec.runs import Run

_SHOWN = ["rank", "item_id", "title", "score"]
_SHIFTED = ["rank", "rank_before", "item_id", "title", "score"]


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
    shift: Annotated[
        str | None,
        typer.Option(
            metavar="ASPECT=AMOUNT",
            help="More or less of one aspect, with a run of guided: tension=-1 is less tension. At 1, items one "
            "deviation above the mean gain one deviation of the user's scores.",
        ),
    ] = None,
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
    With a run of guided, --shift gives a user's list with more or less of one aspect.

    Example: whyrec recommend --run runs/sasrec --user 1492 --user 77 -k 5

    Example: whyrec recommend --run runs/mllm3rec --want "gifts that are eco-friendly"

    Example: whyrec recommend --run runs/mllm3rec --user 77 --llm http://127.0.0.1:8000/v1#qwen

    Example: whyrec recommend --run runs/guided --user 77 --shift tension=-0.3
    """
    # Recommending loads torch; other commands start without it.
    from whyrec.runs import open_run, recommend_stated_run

    require_one_of("recommend", users=users, want=want)
    asks_model = llm != NONE
    if want is not None:
        require_alone("--want", others={"--at": at is not None, "--llm": asks_model, "--shift": shift is not None})
    opened, moment = open_run(run), read_moment(at, flag="--at")
    dataset = opened.open_data(data)
    if users is None:
        rows = recommend_stated_run(opened, dataset, words=want or "", k=k)
        print_rows(rows, as_json=as_json, columns=_SHOWN)
        return
    asked = _Asked(opened, dataset, users, moment, k, as_json)
    if shift is not None:
        require_alone("--shift", others={"--llm": asks_model, "second --user": len(set(users)) > 1})
        _print_shifted(asked, _read_shift(shift))
        return
    model = _model(llm, llm_settings, cache=cache, prices=prices, key_variable=api_key_env)
    if model is None:
        _print_lists(asked)
    else:
        _print_ordered(asked, model, pool=pool)


class _Asked(NamedTuple):
    run: "Run"
    data: "Dataset"
    users: list[str]
    at: datetime | None
    k: int
    as_json: bool

    @property
    def columns(self) -> list[str]:
        return _SHOWN if len(set(self.users)) == 1 else ["user_id", *_SHOWN]


def _print_lists(asked: _Asked) -> None:
    from whyrec.runs import recommend_run

    lists = recommend_run(asked.run, asked.data, user_ids=asked.users, at=asked.at, k=asked.k)
    _say_unknown(lists.unknown)
    print_rows(lists.rows, as_json=asked.as_json, columns=asked.columns)


def _print_ordered(asked: _Asked, model: "LanguageModel", *, pool: int) -> None:
    from whyrec.runs import recommend_with_model

    found = recommend_with_model(asked.run, asked.data, model, user_ids=asked.users, pool=pool, at=asked.at, k=asked.k)
    _say_unknown(found.unknown)
    for user in found.unreadable:
        say(f"{user}: the model's answers could not be read, so this is the offline list.")
    print_rows(found.rows, as_json=asked.as_json, columns=asked.columns)
    say(f"{found.summary}.")


def _print_shifted(asked: _Asked, shift: tuple[str, float]) -> None:
    from whyrec.runs import recommend_shifted_run

    (user,) = set(asked.users)
    found = recommend_shifted_run(asked.run, asked.data, user_id=user, shift=shift, at=asked.at, k=asked.k)
    _say_unknown(found.unknown)
    print_rows(found.rows, as_json=asked.as_json, columns=_SHIFTED)
    say(f"No longer among the first {asked.k}: {', '.join(found.left) or 'none'}.")
    say(f"Mean {shift[0]} of the list: {found.mean_level_before:.1f} before, {found.mean_level:.1f} now, of 1 to 10.")


def _say_unknown(users: Sequence[str]) -> None:
    for user in users:
        say(f"{user}: no history to go by, so these are the most popular items.")


def _read_shift(text: str) -> tuple[str, float]:
    """Read ``ASPECT=AMOUNT``."""
    aspect, _, amount = text.partition("=")
    try:
        return aspect.strip(), float(amount)
    except ValueError as error:
        raise InvalidConfigError(
            f"--shift: expected an aspect and a number such as tension=-1, got {text!r}. Write it so."
        ) from error


def _model(
    llm: str, settings: list[str] | None, *, cache: Path | None, prices: Path | None, key_variable: str
) -> "LanguageModel | None":
    spec = parse_spec(llm)
    if spec is None:
        return None
    return open_chosen_model(spec, settings=settings, cache=cache, prices=prices, key_variable=key_variable)
