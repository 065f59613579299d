"""``whyrec complete``: ask a language model many prompts from a file, through the cache."""

from pathlib import Path
from typing import Annotated

import typer

from whyrec.cli.model_options import (
    KEY_VARIABLE,
    CacheOption,
    DryRunOption,
    KeyOption,
    ModelOption,
    ModelSettings,
    PricesOption,
    open_chosen_model,
    print_estimate,
)
from whyrec.cli.output import JSON_OPTION, say
from whyrec.errors import InvalidConfigError
from whyrec.llm.base import SamplingConfig
from whyrec.llm.opening import parse_spec
from whyrec.llm.prompt_files import answer_lines, read_prompts, read_schema
from whyrec.llm.structured import OutputSchema, Regex
from whyrec.runtime.atomic import atomic_file, require_absent
from whyrec.runtime.config import validated

_ANSWERS = "Answers"


def complete(
    prompts: Annotated[
        Path, typer.Argument(metavar="PROMPTS.jsonl", help='One {"id": ..., "prompt": ..., "system": ...} a line.')
    ],
    *,
    llm: ModelOption,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to; stdout by default.")
    ] = None,
    schema: Annotated[
        Path | None,
        typer.Option(metavar="FILE.json", help="JSON Schema of every answer.", rich_help_panel=_ANSWERS),
    ] = None,
    regex: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="Pattern of every answer.", rich_help_panel=_ANSWERS)
    ] = None,
    temperature: Annotated[float, typer.Option(help="0 takes the likeliest.", rich_help_panel=_ANSWERS)] = 0.0,
    top_p: Annotated[float, typer.Option(help="Draw from this share of the mass.", rich_help_panel=_ANSWERS)] = 1.0,
    max_tokens: Annotated[int, typer.Option(help="The longest answer.", rich_help_panel=_ANSWERS)] = 512,
    stop: Annotated[
        list[str] | None, typer.Option(help="Text that ends an answer. Repeatable.", rich_help_panel=_ANSWERS)
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same answers.", rich_help_panel=_ANSWERS)] = 0,
    llm_settings: ModelSettings = None,
    cache: CacheOption = None,
    prices: PricesOption = None,
    api_key_env: KeyOption = KEY_VARIABLE,
    dry_run: DryRunOption = False,
    as_json: bool = JSON_OPTION,
) -> None:
    """Answer every prompt of a file; killed at any moment, it goes on where it was and pays for nothing twice.

    Answers are JSON Lines in the order of the prompts. One that does not obey the schema is kept as it came, with
    the reason under "failure".

    Example: whyrec complete prompts.jsonl --llm local:models/qwen --schema answer.json --out answers.jsonl
    """
    if out is not None:
        require_absent(out)
    spec = parse_spec(llm)
    if spec is None:
        raise InvalidConfigError("--llm: expected a model, got 'none'. Name one, such as local:DIRECTORY.")
    named = read_prompts(prompts)
    form = _form(schema, regex)
    drawn = {"temperature": temperature, "top_p": top_p, "max_tokens": max_tokens, "stop": stop or (), "seed": seed}
    sampling = validated(SamplingConfig, drawn, where="sampling")
    model = open_chosen_model(spec, settings=llm_settings, cache=cache, prices=prices, key_variable=api_key_env)
    asked = [entry.prompt for entry in named]
    if dry_run:
        print_estimate(model.estimate(asked, schema=form, sampling=sampling), as_json=as_json)
        return
    try:
        completions = model.complete(asked, schema=form, sampling=sampling)
    finally:
        # Also when it fails or is interrupted: what was paid for so far is what people then want to know.
        say(f"{model.writer}: {model.usage.summary()}.")
    lines = answer_lines([entry.id for entry in named], completions)
    if out is None:
        for line in lines:
            typer.echo(line)
        return
    with atomic_file(out) as partial, partial.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
    say(f"Wrote {out}.")


def _form(schema: Path | None, regex: str | None) -> OutputSchema | None:
    if schema is not None and regex is not None:
        raise InvalidConfigError("--schema and --regex: expected one of them, got both. Drop one.")
    if schema is not None:
        return read_schema(schema)
    return None if regex is None else Regex(regex)
