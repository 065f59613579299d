"""Both forms of tuning learn on a toy world, and neither does where users' next items are other users'.

World and settings are those of the recorded benchmark, smaller, with a seed that is not among its own.
"""

import copy
import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from whyrec.methods.guided.tuning_rewards import DOUBT, READ, tune_rewarded

pytestmark = pytest.mark.slow

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
bench: ModuleType = importlib.import_module("guided_tuning")


@pytest.fixture(scope="module")
def run() -> Any:
    return bench.Bench(seed=3)


@pytest.fixture(scope="module")
def by_means(run: Any) -> dict[str, float]:
    return run.expected(1e-3, users=run.world.training)  # type: ignore[no-any-return]


def test_means_of_scores_gain_half_a_nat_and_shuffled_users_nothing(run: Any, by_means: dict[str, float]) -> None:
    shuffled = run.expected(1e-3, users=run.world.training.shuffled(3))
    assert by_means["gain"] > max(shuffled["gain"], 0) + 0.5
    assert shuffled["gain"] < 0.1
    assert by_means["gain"] < run.world.oracle(run.world.test) - run.start()["chance"]
    assert by_means["seconds"] < 30
    assert by_means["alarms"] == 0 < shuffled["alarms"]


def test_an_untuned_model_gains_nothing_and_a_tuned_one_can_still_be_read(run: Any, by_means: dict[str, float]) -> None:
    start = run.start()
    assert abs(start["gain"]) < 0.05
    assert start["gain by hidden levels"] > 0.9
    assert by_means["read, temperature 0"] == 1.0


def test_samples_earn_more_as_they_are_tuned_and_can_all_be_read(run: Any) -> None:
    real = run.rewarded(1e-3, users=run.world.training, epochs=1)
    assert real["sampled share that can be read, least"] == 1.0
    assert real["sampled reward, last 5 updates"] > real["sampled reward, first 5 updates"] + 1
    assert real["read, temperature 0"] >= 0.95
    assert real["deviation"] > 2 * run.start()["deviation"]


def test_samples_collapse_without_a_weight_on_entropy_and_the_alarm_says_so(run: Any) -> None:
    tuned = copy.deepcopy(run.warm)
    config = bench.rewarded_config(3e-3, epochs=1, seed=3, entropy_weight=0.0)
    world = run.world
    users = world.training.shuffled(3)
    report = tune_rewarded(tuned, users.prompts, world.task(users), aspects=world.aspects, config=config)
    assert report.alarms
    aspect = next(iter(report.alarms))
    steps = report.tuning.steps
    assert steps[0].told[f"{DOUBT}{aspect}"] > 0.9
    assert steps[-1].told[f"{DOUBT}{aspect}"] < 0.2
    assert {step.told[READ] for step in steps} == {1.0}
