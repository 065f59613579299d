"""Options of every command that asks a language model, and how they become a ``LanguageModel``."""

from pathlib import Path
from typing import Annotated

import typer

from whyrec.cli.output import print_rows, say
from whyrec.errors import InvalidConfigError
from whyrec.llm.cache import default_cache_path
from whyrec.llm.model import LanguageModel
from whyrec.llm.opening import ModelSpec, open_model
from whyrec.llm.prices import read_prices
from whyrec.llm.usage import Estimate, Price
from whyrec.runtime.config import parse_settings

MODEL_PANEL = "Language model"

ModelOption = Annotated[
    str,
    typer.Option(
        "--llm",
        metavar="MODEL",
        help="local:DIRECTORY or local:HUB/NAME for a model on this machine, URL#MODEL for a server that speaks the "
        "OpenAI chat API (such as http://127.0.0.1:8000/v1#qwen).",
        rich_help_panel=MODEL_PANEL,
    ),
]
ModelSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--llm-set",
        metavar="KEY=VALUE",
        help="One setting of the model, such as dtype=bfloat16, adapter=DIR or concurrency=16. Repeatable.",
        rich_help_panel=MODEL_PANEL,
    ),
]
CacheOption = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="FILE",
        envvar="WHYREC_CACHE",
        help="Where answers are kept, so that none is asked for twice. By default a file in your data directory.",
        rich_help_panel=MODEL_PANEL,
    ),
]
PricesOption = Annotated[
    Path | None,
    typer.Option(
        "--prices", metavar="FILE.toml", help="What models cost per million tokens.", rich_help_panel=MODEL_PANEL
    ),
]
KeyOption = Annotated[
    str,
    typer.Option(
        "--api-key-env",
        metavar="NAME",
        help="The environment variable that holds the server's API key.",
        rich_help_panel=MODEL_PANEL,
    ),
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Say how many prompts and tokens it would take, at what cost and time; ask nothing.",
        rich_help_panel=MODEL_PANEL,
    ),
]
KEY_VARIABLE = "WHYREC_API_KEY"


def open_chosen_model(
    spec: ModelSpec, *, settings: list[str] | None, cache: Path | None, prices: Path | None, key_variable: str
) -> LanguageModel:
    """Open the model that the options describe.

    Raises:
        InvalidConfigError: If an option is out of range, or the price table does not name the model.
    """
    key = None
    if spec.kind != "local":
        from whyrec.llm.openai_compatible.credentials import api_key_from_environment

        key = api_key_from_environment(key_variable)
    return open_model(
        spec,
        settings=parse_settings(settings or [], flag="--llm-set"),
        cache=cache or default_cache_path(),
        price=_price(spec, prices),
        api_key=key,
    )


def print_estimate(estimate: Estimate, *, as_json: bool) -> None:
    """Show what a run would take: a row on stdout, a sentence on stderr."""
    row = {
        "prompts": estimate.prompts,
        "cached": estimate.cached,
        "to_ask": estimate.to_ask,
        "prompt_tokens": estimate.prompt_tokens,
        "completion_tokens": estimate.completion_tokens,
        "cost": estimate.cost,
        "seconds": estimate.seconds,
    }
    print_rows([row], as_json=as_json)
    say(f"Dry run: {estimate.summary()}. Nothing was asked.")


def _price(spec: ModelSpec, prices: Path | None) -> Price | None:
    if prices is None:
        return None
    table = read_prices(prices)
    if spec.model not in table:
        known = ", ".join(sorted(table)) or "no model"
        raise InvalidConfigError(f"{prices}: expected a price of {spec.model!r}, got those of {known}. Add it.")
    return table[spec.model]
