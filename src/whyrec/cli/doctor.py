"""``whyrec doctor``: what is installed, what is missing, and whether the heart of it works."""

from dataclasses import asdict

import typer

from whyrec.cli.output import JSON_OPTION, print_rows, say
from whyrec.data.bundled import bundled_dataset
from whyrec.data.windows import WindowLength, users_per_item
from whyrec.runtime.installation import examine


def doctor(as_json: bool = JSON_OPTION) -> None:
    """Print versions, cores, memory and extras, and try a small computation.

    Leaves with 1 if something that every command needs is broken; a missing extra is no defect.
    """
    findings = examine({"bundled data": _try_bundled_data, "learning": _try_learning})
    print_rows([asdict(finding) for finding in findings], as_json=as_json)
    broken = [finding.name for finding in findings if finding.status == "broken"]
    if broken:
        say(f"Broken: {', '.join(broken)}. Reinstall with: pip install --force-reinstall whyrec")
        raise typer.Exit(1)
    say("All that is needed works.")


def _try_bundled_data() -> str:
    data = bundled_dataset()
    window = WindowLength(30).preceding(data.time_range[1])
    seen = users_per_item(data.interactions, window)
    return f"{data.counts['n_interactions']:,} interactions, {seen.height:,} items in the last 30 days"


def _try_learning() -> str:
    # Heavy libraries load here, so that other commands start without them.
    import lightgbm
    import numpy as np
    import torch

    inputs = np.arange(64, dtype=np.float64).reshape(-1, 1)
    settings = {"verbosity": -1, "min_data_in_leaf": 4, "num_threads": 1}
    booster = lightgbm.train(settings, lightgbm.Dataset(inputs, label=inputs[:, 0]), num_boost_round=5)
    low, high = booster.predict(inputs[[0, -1]])
    product = float((torch.ones(2, 2) @ torch.ones(2, 2))[0, 0])
    if not (low < high and product == 2.0):
        raise ArithmeticError(f"expected a rising prediction and 1*1 + 1*1 = 2, got {low}, {high} and {product}")
    return "lightgbm and torch compute"
