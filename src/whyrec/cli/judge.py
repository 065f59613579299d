"""``whyrec judge``: how good written explanations are, by measures that need no judge and by language models."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from whyrec.cli.model_options import (
    KEY_VARIABLE,
    MODEL_PANEL,
    CacheOption,
    DryRunOption,
    KeyOption,
    ModelSettings,
    PricesOption,
    open_chosen_model,
    print_estimate,
)
from whyrec.cli.output import JSON_OPTION, print_rows, say
from whyrec.errors import InvalidConfigError
from whyrec.llm.base import SamplingConfig
from whyrec.llm.model import LanguageModel
from whyrec.llm.opening import ModelSpec, parse_spec
from whyrec.runtime.atomic import atomic_file, require_absent
from whyrec.runtime.config import validated

_COLUMNS = ("protocol", "metric", "value", "low", "high", "n")
_LONGEST_ANSWER = 200


def judge(
    explanations: Annotated[
        Path, typer.Option("--explanations", metavar="FILE.jsonl", help="What whyrec explain --json wrote.")
    ],
    llm: Annotated[
        list[str] | None,
        typer.Option(
            "--llm",
            metavar="MODEL",
            help="Who judges: local:DIRECTORY, local:HUB/NAME or URL#MODEL. Repeatable: several judges are compared. "
            "Without it only what needs no judge is measured.",
            rich_help_panel=MODEL_PANEL,
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="DIR", help="The dataset, for FMR, FCR and DIV: what its catalogue has to name."
        ),
    ] = None,
    samples: Annotated[int, typer.Option(help="Answers of a judge to each text.")] = 3,
    temperature: Annotated[float, typer.Option(help="Of the judge; the paper's is 0.3.")] = 0.3,
    seed: Annotated[int, typer.Option(help="Of answers and intervals.")] = 0,
    allow_same_model: Annotated[
        bool, typer.Option("--allow-same-model", help="Let a model judge what it wrote itself.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE.jsonl", help="Also write the scores of every text by every judge."),
    ] = None,
    llm_settings: ModelSettings = None,
    cache: CacheOption = None,
    prices: PricesOption = None,
    api_key_env: KeyOption = KEY_VARIABLE,
    dry_run: DryRunOption = False,
    as_json: bool = JSON_OPTION,
) -> None:
    """Judge explanations: verified share, evidence, distinctness, readability, and scores by a language model.

    A model gives each text four scores from 0 to 1 (truthfulness of trend and of metadata, predictiveness, logic and
    language), several times. How far it agrees with itself, with other judges and with the verifier stands beside.

    Example: whyrec judge --explanations explanations.jsonl --llm local:models/judge --samples 3
    """
    # polars and scikit-learn load with these; other commands start without them.
    from whyrec.evaluation.llm_judge import Judge, estimate_judging, judge_explanations

    if out is not None:
        require_absent(out)
    drawn = {"temperature": temperature, "max_tokens": _LONGEST_ANSWER, "seed": seed}
    sampling = validated(SamplingConfig, drawn, where="sampling")

    def opened(spec: ModelSpec) -> LanguageModel:
        return open_chosen_model(spec, settings=llm_settings, cache=cache, prices=prices, key_variable=api_key_env)

    judges = [
        Judge(model, n_samples=samples, sampling=sampling, allow_same_model=allow_same_model)
        for model in _models(llm or (), opened)
    ]
    if not judges and (dry_run or out is not None):
        flag = "--dry-run" if dry_run else "--out"
        raise InvalidConfigError(f"judge: expected --llm beside {flag}, got none. Name a judge, or leave {flag} out.")
    if dry_run:
        for estimate in estimate_judging(explanations, judges=judges):
            print_estimate(estimate, as_json=as_json)
        return
    try:
        found = judge_explanations(explanations, judges=judges, data_directory=data, seed=seed)
    finally:
        for one in judges:
            say(f"{one.model.writer}: {one.model.usage.summary()}.")
    print_rows(found.rows.to_dicts(), as_json=as_json, columns=_COLUMNS)
    say(f"Written by: {_counts(found.writers)}.")
    if found.failures:
        say(f"Answers that could not be read: {_counts(found.failures)}.")
    if out is not None:
        _write(out, [it.record() for it in found.judgements])


def _models(names: Sequence[str], opened: Callable[[ModelSpec], LanguageModel]) -> list[LanguageModel]:
    specs = [spec for name in dict.fromkeys(names) if (spec := parse_spec(name)) is not None]
    return [opened(spec) for spec in specs]


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in counts.items())


def _write(path: Path, records: Sequence[Mapping[str, object]]) -> None:
    with atomic_file(path) as partial, partial.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    say(f"Wrote {path}.")
