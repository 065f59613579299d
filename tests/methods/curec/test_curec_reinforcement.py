"""The reinforcement path for real: a model of 0.1M parameters passes through alignment, correction and update.

World and settings are those of the recorded benchmark, with a seed that is not among its own.
"""

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
import torch

from whyrec.llm.local.grpo import GrpoReport
from whyrec.llm.local.policy import Policy
from whyrec.methods.curec.reason_rewards import ReasonJudge

pytestmark = pytest.mark.slow
SEED, STEPS, WINDOWS = 3, 120, 75

# The benchmark is not part of the package; the test walks the very same path.
sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
bench: ModuleType = importlib.import_module("curec_alignment")
toy: ModuleType = importlib.import_module("curec_toy_world")


class Aligned(NamedTuple):
    """What came of a warm start."""

    policy: Policy
    report: GrpoReport
    greedy: float
    """Accuracy of the likeliest answers on held-out interactions."""
    reward: float
    """Of sampled answers on them, on average."""


@pytest.fixture(scope="module", autouse=True)
def one_core() -> Any:
    n = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n)


@pytest.fixture(scope="module")
def run() -> Any:
    return bench.AlignmentRun.of(toy.toy_world(seed=SEED), seed=SEED, steps=STEPS)


@pytest.fixture(scope="module")
def warm(run: Any) -> Policy:
    return toy.warm_policy(run.world, seed=SEED)  # type: ignore[no-any-return]


def judged(run: Any, policy: Policy, report: GrpoReport) -> Aligned:
    alignment = run.on(policy, run.asked)
    return Aligned(policy, report, alignment.judged().correct, alignment.judged(temperature=1.0).reward)


@pytest.fixture(scope="module")
def before(run: Any, warm: Policy) -> Aligned:
    return judged(run, warm, GrpoReport())


@pytest.fixture(scope="module")
def aligned(run: Any, warm: Policy) -> Aligned:
    return judged(run, *run.aligned(warm, reward="true"))


@pytest.fixture(scope="module")
def first(run: Any, aligned: Aligned) -> Any:
    """Patterns and reasons as the aligned model writes them."""
    return toy.written(run.world, aligned.policy, seed=SEED)


@pytest.fixture(scope="module")
def judge(run: Any, first: Any) -> ReasonJudge:
    """A reward model that was trained on them."""
    encoder = toy.text_encoder()
    model, _ = toy.reward_model(run.world, first, encoder, seed=SEED)
    return ReasonJudge(model, encoder, run.world.histories, bench.correction_config(SEED, run.world, windows=WINDOWS))


def test_alignment_raises_the_reward_and_what_is_known(before: Aligned, aligned: Aligned) -> None:
    assert aligned.report.reward(STEPS - 19, STEPS) >= aligned.report.reward(1, 5) + 0.2
    assert aligned.reward >= before.reward + 0.2
    # Whoever only grows surer of what he does anyway keeps his likeliest answers.
    assert aligned.greedy >= before.greedy + 0.15


def test_a_drawn_reward_teaches_nothing(run: Any, warm: Policy, before: Aligned) -> None:
    astray = judged(run, *run.aligned(warm, reward="drawn"))
    n = len(astray.report.steps)
    assert astray.report.reward(n - 19, n) < astray.report.reward(1, 5) + 0.1
    assert astray.reward < before.reward + 0.1
    assert astray.greedy < before.greedy + 0.1


def test_a_reason_that_names_the_shared_aspect_earns_most(run: Any, first: Any, judge: ReasonJudge) -> None:
    earned = bench.planted_rewards(run.world, judge, first)
    assert earned["shared"] > earned["generic"] + 0.05
    assert earned["generic"] > earned["other"]
    assert earned["share with shared above generic"] > 0.6


def test_correction_raises_the_reward_and_the_texts_name_what_is_shared(
    run: Any, aligned: Aligned, first: Any, judge: ReasonJudge
) -> None:
    world = run.world
    start = bench.writing(bench.correction_of(world, aligned.policy, judge), first, world)
    correction, report = bench.corrected(world, aligned.policy, judge, first)
    end = bench.writing(correction, first, world)
    n = len(report.tuning.steps)
    assert n >= WINDOWS
    # On the same texts: from window to window they fill up with good reasons, and a further one is worth less.
    assert end["reward, sampled"] > start["reward, sampled"] + 0.05
    assert end["shared, sampled"] > start["shared, sampled"] + 0.15
    # After alignment the likeliest ones name it already.
    assert end["shared, likeliest"] >= max(0.5, start["shared, likeliest"] - 0.1)
    # What it wrote in updates on its way has joined the texts, behind the first ones and as a later version.
    texts = report.snapshot.reasons.frame[len(first.reasons) :]
    assert set(texts["version"]) == {1}
    assert len(texts) == n * judge.config.grpo.prompts_per_step - sum(report.failures.values())
