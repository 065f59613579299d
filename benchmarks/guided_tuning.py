"""GER's first stage with a model of 0.1M parameters: both forms of tuning on a toy world, with their controls.

    python benchmarks/guided_tuning.py --out results

For real, on one core: no part is replaced. The model begins with numbers out of a hat. Both forms get the same users,
equally often, at the same rates; the second draws eight answers of each. What counts is the log-likelihood of what
users took who were in neither, by scores read as they are in use, above that of a base system that knows nothing.
``liked or not`` is tuned to tell what was taken from what was not, and is judged like all others. Controls: every
user's next item is another user's; one reward for all scores of an answer; no weight on entropy and a high rate, for
the alarm. About six minutes of one core a seed; ``--state`` keeps what is done, for a run that is killed.
"""

import argparse
import copy
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from guided_toy_world import STRENGTH, ToyUsers, ToyWorld, toy_world, warm_policy
from whyrec.llm.base import Prompt, SamplingConfig
from whyrec.llm.local.policy import Policy
from whyrec.llm.local.policy_config import GrpoConfig
from whyrec.llm.structured import SchemaViolationError
from whyrec.methods.guided.answers import parse_scores
from whyrec.methods.guided.scoring import expected_levels, slot_probabilities
from whyrec.methods.guided.tuning import level_backend, opened, tune_expected
from whyrec.methods.guided.tuning_config import ExpectedConfig, RewardedConfig
from whyrec.methods.guided.tuning_rewards import tune_rewarded
from whyrec.methods.guided.tuning_tasks import TuningTask
from whyrec.runtime.atomic import atomic_file
from whyrec.runtime.manifest import LIBRARIES, write_results

Figures = dict[str, float]
RATES = (3e-4, 1e-3, 3e-3)
# The weight on entropy was chosen on seed 10, which is not reported, with .1 as the alternative. The weight on the
# form, which noise of sampled rewards reaches too, was raised from .1 after a look at seed 0, as were the world's size
# and strength: seeds 1 and 2 were looked at once, with these settings.
REWARDED = {"entropy_weight": 0.3, "format_weight": 1.0}
BATCH, GROUP, N_TRAINING, EPOCHS = 16, 8, 600, 3


def expected_config(rate: float, *, epochs: int, seed: int) -> ExpectedConfig:
    return ExpectedConfig(epochs=epochs, batch_size=BATCH, rows_at_once=BATCH, learning_rate=rate, seed=seed)


def rewarded_config(rate: float, *, epochs: int, seed: int, **settings: object) -> RewardedConfig:
    grpo = GrpoConfig(
        learning_rate=rate,
        group_size=GROUP,
        prompts_per_step=BATCH,
        outputs_at_once=BATCH * GROUP,
        schedule="constant",
        scale="batch",
        kl_weight=0.0,
        is_forced=True,
        max_output_tokens=20,
        checkpoint_steps=100_000,
        seed=seed,
    )
    return RewardedConfig.model_validate({"epochs": epochs, **REWARDED, "grpo": grpo, **settings})


@dataclass(frozen=True)
class Bench:
    """A seed: a world and the model that all cases begin with."""

    seed: int
    epochs: int = EPOCHS
    n_training: int = N_TRAINING

    @cached_property
    def world(self) -> ToyWorld:
        return toy_world(n_training=self.n_training, seed=self.seed)

    @cached_property
    def warm(self) -> Policy:
        return warm_policy(self.world, seed=self.seed)

    def start(self) -> Figures:
        world = self.world
        known = torch.from_numpy(world.test.preferred).float()
        return {
            "chance": -float(np.log(world.test.candidates.shape[1])),
            "oracle": world.oracle(world.test),
            "gain by hidden levels": float(world.task(world.test).improvement(known, torch.arange(len(known))).mean()),
        } | self.judged(self.warm)

    def expected(self, rate: float, *, users: ToyUsers, task: TuningTask | None = None) -> Figures:
        tuned = copy.deepcopy(self.warm)
        started = time.process_time()
        report = tune_expected(
            tuned,
            users.prompts,
            task or self.world.task(users),
            aspects=self.world.aspects,
            config=expected_config(rate, epochs=self.epochs, seed=self.seed),
        )
        seconds = time.process_time() - started
        return self.judged(tuned) | {"alarms": len(report.alarms), "seconds": seconds, "updates": len(report.steps)}

    def rewarded(self, rate: float, *, users: ToyUsers, epochs: int | None = None, **settings: object) -> Figures:
        tuned = copy.deepcopy(self.warm)
        started = time.process_time()
        config = rewarded_config(rate, epochs=epochs or self.epochs, seed=self.seed, **settings)
        report = tune_rewarded(tuned, users.prompts, self.world.task(users), aspects=self.world.aspects, config=config)
        seconds, steps = time.process_time() - started, report.tuning.steps
        return self.judged(tuned) | {
            "sampled reward, first 5 updates": report.tuning.reward(1, 5),
            "sampled reward, last 5 updates": report.tuning.reward(len(steps) - 4, len(steps)),
            "sampled share that can be read, least": min(step.told["share that can be read"] for step in steps),
            "alarms": len(report.alarms),
            "seconds": seconds,
            "updates": len(steps),
        }

    def judged(self, policy: Policy) -> Figures:
        """On users who were not trained on: what their scores are worth, how they spread, what is written freely."""
        users, aspects = self.world.test, self.world.aspects
        prompts = [Prompt(messages) for messages in users.prompts.values()]
        likely = slot_probabilities(level_backend(policy), prompts, aspects=aspects)
        levels = expected_levels(likely)
        task = self.world.task(users)
        gain = task.improvement(torch.from_numpy(levels).float(), torch.arange(len(levels)))
        written = likely.argmax(axis=2) + 1.0
        gain_of_likeliest = task.improvement(torch.from_numpy(written).float(), torch.arange(len(levels)))
        doubt = -(likely * np.log(likely.clip(1e-12))).sum(axis=2).mean() / np.log(likely.shape[2])
        return {
            "gain": float(gain.mean()),
            "gain by likeliest numbers": float(gain_of_likeliest.mean()),
            "deviation": float(levels.std(axis=0).mean()),
            "doubt": float(doubt),
            "read, temperature 0": self._read(policy, temperature=0.0),
            "read, temperature 1": self._read(policy, temperature=1.0),
        }

    def _read(self, policy: Policy, *, temperature: float) -> float:
        """Share of unforced answers in the form that is asked for."""
        sampling = SamplingConfig(temperature=temperature, max_tokens=20, seed=0)
        prompts = [Prompt(opened(messages)) for messages in self.world.test.prompts.values()]
        n_read = 0
        for answer in policy.asked().complete(prompts, sampling=sampling):
            try:
                parse_scores(answer.text, self.world.aspects)
                n_read += 1
            except SchemaViolationError:
                continue
        return n_read / len(prompts)

    def cases(self, rates: Sequence[float]) -> Iterator[tuple[str, Callable[[], Figures]]]:
        users, middle = self.world.training, rates[len(rates) // 2]
        shuffled = users.shuffled(self.seed)
        yield "start", self.start
        for rate in rates:
            yield f"expected, rate {rate:g}", lambda rate=rate: self.expected(rate, users=users)
        yield f"expected, shuffled, rate {middle:g}", lambda: self.expected(middle, users=shuffled)
        yield (
            f"expected, liked or not, rate {middle:g}",
            lambda: self.expected(middle, users=users, task=self.world.liking(users)),
        )
        for rate in rates:
            yield f"rewarded, rate {rate:g}", lambda rate=rate: self.rewarded(rate, users=users)
        yield f"rewarded, shuffled, rate {middle:g}", lambda: self.rewarded(middle, users=shuffled)
        yield (
            f"rewarded, one reward for all scores, rate {middle:g}",
            lambda: self.rewarded(middle, users=users, credit="output"),
        )
        yield (
            f"rewarded, no weight on entropy, rate {rates[-1]:g}",
            lambda: self.rewarded(rates[-1], users=users, entropy_weight=0.0),
        )


def kept(path: Path | None, make: Callable[[], Figures]) -> Figures:
    """What was found before, or is found now and kept."""
    if path is not None and path.is_file():
        found: Figures = json.loads(path.read_text(encoding="utf-8"))
        return found
    made = make()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as partial:
            partial.write_text(json.dumps(made), encoding="utf-8")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="passes over the users")
    parser.add_argument("--state", type=Path, help="keep what is done in this directory, and go on from it")
    parser.add_argument("--out", type=Path, help="also write guided_tuning.json into this directory")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    started = time.perf_counter()
    rows: list[dict[str, object]] = []
    for seed in options.seeds:
        bench = Bench(seed, epochs=options.epochs)
        for case, make in bench.cases(RATES):
            name = f"{seed}_{options.epochs}_{case.replace(', ', '_').replace(' ', '_')}.json"
            for metric, value in kept(None if options.state is None else options.state / name, make).items():
                row = {"benchmark": "guided_tuning", "case": case, "seed": seed, "metric": metric}
                rows.append(row | {"value": round(value, 4)})
                print(f"{seed:<3}{case:<52}{metric:<40}{value:>9.4f}", flush=True)
    if options.out is not None:
        config = {
            "epochs": options.epochs,
            "users": N_TRAINING,
            "strength": STRENGTH,
            "expected": expected_config(RATES[0], epochs=options.epochs, seed=0).model_dump(mode="json"),
            "rewarded": rewarded_config(RATES[0], epochs=options.epochs, seed=0).model_dump(mode="json"),
        }
        write_results(
            options.out / "guided_tuning.json",
            config=config,
            wall_time_s=time.perf_counter() - started,
            rows=rows,
            libraries=(*LIBRARIES, "transformers", "trl", "peft", "accelerate"),
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
