"""CURec's reinforcement path with a model of 0.1M parameters: alignment, reasons, reward model, correction, update.

    python benchmarks/curec_alignment.py --out results

In a toy world, on one core, for real: no part is replaced. Alignment has two controls, a reward that is drawn and one
for agreeing with the majority of one's own group, which makes a model surer and teaches it nothing. Correction has a
drawn reward as control. What counts as learning is the accuracy of the likeliest answers on interactions that were held
out, beside all temperatures at which the model could have been read before. Two to three minutes of one core a seed.
"""

import argparse
import copy
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from curec_toy_world import (
    ASPECTS,
    CHOICE,
    GENERIC,
    N_CANDIDATES,
    N_HISTORY,
    SHORT,
    TEXTS,
    ToyWorld,
    agreeing,
    naming,
    naming_shares,
    reward_inputs,
    reward_model,
    test_queries,
    text_encoder,
    toy_world,
    warm_policy,
    written,
)
from whyrec.encoders.ranking import ndcg
from whyrec.llm.base import Prompt, SamplingConfig
from whyrec.llm.local.grpo import GrpoReport
from whyrec.llm.local.policy import Policy
from whyrec.llm.local.policy_config import GrpoConfig
from whyrec.llm.local.rollouts import Output, Rewarding
from whyrec.methods.curec.alignment import Alignment, AlignmentSample, alignment_samples, held_out_samples
from whyrec.methods.curec.answers import parse_reason
from whyrec.methods.curec.correction import Correction, CorrectionReport
from whyrec.methods.curec.grpo import tune_policy
from whyrec.methods.curec.histories import Interaction, as_micros
from whyrec.methods.curec.model_writers import LanguageModelUpdateWriter
from whyrec.methods.curec.policy_config import AlignmentConfig, CorrectionConfig
from whyrec.methods.curec.reason_rewards import ReasonJudge
from whyrec.methods.curec.reasons import reason_requests
from whyrec.methods.curec.reward_model import RewardModel
from whyrec.methods.curec.reward_ranking import RewardRanker, query_ranks
from whyrec.methods.curec.texts import Texts
from whyrec.runtime.manifest import LIBRARIES, write_results

Figure = tuple[str, str, float]
"""Case, metric, value."""
TEMPERATURES = (0.0, 0.3, 0.6, 1.0)
# Chosen on seeds 10 to 12, which are not reported. At 5e-4 one of them grew sure of one place of the list before it had
# learned, and a weight on straying helped; at 1e-3 all that were tried did.
ALIGNING = {"learning_rate": 3e-4}


def grpo(seed: int, **settings: object) -> GrpoConfig:
    """What alignment and correction share."""
    common = {"schedule": "constant", "max_output_tokens": 12, "outputs_at_once": 64, "checkpoint_steps": 1000}
    return GrpoConfig.model_validate({**common, "kl_weight": 0.0, "seed": seed, **settings})


def alignment_config(seed: int, *, steps: int) -> AlignmentConfig:
    return AlignmentConfig(n_candidates=N_CANDIDATES, min_history=N_HISTORY, steps=steps, grpo=grpo(seed, **ALIGNING))


def correction_config(seed: int, world: ToyWorld, *, windows: int) -> CorrectionConfig:
    tuning = grpo(seed, learning_rate=1e-4, scale="batch")
    per_user = -(-windows * tuning.prompts_per_step // len(world.histories))
    return CorrectionConfig(n_users=None, targets_per_user=per_user, negative_pool=12, grpo=tuning)


@dataclass(frozen=True)
class AlignmentRun:
    """A world, what is trained on and what is asked."""

    world: ToyWorld
    config: AlignmentConfig
    training: list[AlignmentSample]
    asked: list[AlignmentSample]
    """Held-out interactions."""

    @classmethod
    def of(cls, world: ToyWorld, *, seed: int, steps: int) -> "AlignmentRun":
        config = alignment_config(seed, steps=steps)
        n = steps * config.grpo.prompts_per_step
        training = alignment_samples(world.histories, world.items, n=n, config=config, seed=seed + 1)
        asked = held_out_samples(
            world.histories, world.test_interactions, items=world.items, config=config, seed=seed + 2
        )
        return cls(world, config, training, asked)

    def on(self, policy: Policy, samples: Sequence[AlignmentSample]) -> Alignment:
        return Alignment(policy, samples, self.world.items, CHOICE, self.config)

    def aligned(self, policy: Policy, *, reward: str) -> tuple[Policy, GrpoReport]:
        """A copy of the policy, tuned."""
        tuned = copy.deepcopy(policy)
        alignment = self.on(tuned, self.training)
        rewards: dict[str, Rewarding] = {
            "true": alignment.rewards,
            "drawn": drawn_rewards(self.config.grpo.seed),
            "majority": majority_rewards(self.config.grpo.group_size),
        }
        report = tune_policy(
            tuned,
            n_questions=len(self.training),
            ask=alignment.ask,
            reward=rewards[reward],
            config=self.config.grpo,
        )
        return tuned, report

    def figures(self, case: str, policy: Policy, temperatures: Sequence[float] = (0.0, 1.0)) -> Iterator[Figure]:
        alignment = self.on(policy, self.asked)
        for temperature in temperatures:
            scores = alignment.judged(temperature=temperature)
            for name in ("reward", "in_form", "legal", "correct"):
                yield case, f"{name}, temperature {temperature:g}", getattr(scores, name)


def drawn_rewards(seed: int) -> Rewarding:
    """A reward that says nothing."""
    rng = np.random.default_rng(seed)
    return lambda questions, outputs: rng.random(len(outputs)).tolist()


def majority_rewards(group_size: int) -> Rewarding:
    """1 for what most of the group says: it makes a model surer of what it does anyway."""

    def rewards(questions: Sequence[int], outputs: Sequence[Output]) -> list[float]:
        found: list[float] = []
        for start in range(0, len(outputs), group_size):
            texts = [output.text for output in outputs[start : start + group_size]]
            most = Counter(texts).most_common(1)[0][0]
            found += [float(text == most) for text in texts]
        return found

    return rewards


def alignment_figures(run: AlignmentRun, case: str, policy: Policy, report: GrpoReport) -> Iterator[Figure]:
    n = len(report.steps)
    yield case, "sampled reward, first 5 updates", report.reward(1, 5)
    yield case, "sampled reward, last 20 updates", report.reward(n - 19, n)
    yield case, "entropy, first update", report.steps[0].entropy
    yield case, "entropy, last update", report.steps[-1].entropy
    yield from run.figures(case, policy)


class DrawnJudge(ReasonJudge):
    """A control: reasons are worth what comes out of a hat."""

    def rewards(self, targets: Sequence[Interaction], texts: Sequence[Sequence[str]], *, snapshot: Texts) -> Tensor:
        generator = torch.Generator().manual_seed(as_micros(targets[0].timestamp))
        return torch.rand(len(targets), len(texts[0]), generator=generator)


def planted_rewards(world: ToyWorld, judge: ReasonJudge, snapshot: Texts, *, n: int = 200) -> dict[str, float]:
    """What is earned by a reason that names the shared aspect, one that says nothing, and one that names another."""
    targets = agreeing(world, n=n)
    rng = np.random.default_rng(0)
    texts = []
    for target in targets:
        own = world.aspect(target.item_id)
        other = str(rng.choice([aspect for aspect in ASPECTS if aspect != own]))
        texts.append([naming(own), GENERIC, naming(other)])
    found = judge.rewards(targets, texts, snapshot=snapshot)
    shared, generic, other = found.mean(dim=0).tolist()
    return {
        "shared": shared,
        "generic": generic,
        "other": other,
        "share with shared above generic": float((found[:, 0] > found[:, 1]).float().mean()),
    }


def writing(correction: Correction, snapshot: Texts, world: ToyWorld) -> dict[str, float]:
    """How the policy writes now: what its reasons name and what they earn, sampled, likeliest and in updates."""
    targets = agreeing(world, n=160)
    requests = list(reason_requests(targets, histories=world.histories, patterns=snapshot.patterns))
    model = correction.policy.asked()
    prompts = [Prompt(correction.reason_prompt(request), sample=n) for n, request in enumerate(requests)]
    found: dict[str, float] = {}
    for name, temperature in (("sampled", 1.0), ("likeliest", 0.0)):
        sampling = SHORT.model_copy(update={"temperature": temperature})
        texts = [parse_reason(answer.text).text or GENERIC for answer in model.complete(prompts, sampling=sampling)]
        earned = correction.judge.rewards(targets, [[text] for text in texts], snapshot=snapshot)
        found[f"reward, {name}"] = float(earned.mean())
        found |= _named(world, targets, texts, name=name)
    updates = LanguageModelUpdateWriter(model, world.items, TEXTS, sampling=correction.update_sampling)
    reasons = {(reason.user_id, reason.item_id): reason.text for _, reason in updates.write_updates(requests)}
    texts = [reasons.get((target.user_id, target.item_id), GENERIC) for target in targets]
    return found | _named(world, targets, texts, name="in updates")


def _named(world: ToyWorld, targets: Sequence[Interaction], texts: Sequence[str], *, name: str) -> dict[str, float]:
    pairs = [(target.item_id, text) for target, text in zip(targets, texts, strict=True)]
    return {f"{kind}, {name}": share for kind, share in naming_shares(world, pairs).items()}


def correction_of(world: ToyWorld, policy: Policy, judge: ReasonJudge) -> Correction:
    short = SamplingConfig(max_tokens=24)
    return Correction(policy, judge, world.items, TEXTS, judge.config, update_sampling=short)


def corrected(
    world: ToyWorld, policy: Policy, judge: ReasonJudge, snapshot: Texts
) -> tuple[Correction, CorrectionReport]:
    """A copy of the policy, corrected."""
    correction = correction_of(world, copy.deepcopy(policy), judge)
    with tempfile.TemporaryDirectory() as directory:
        report = correction.correct(snapshot, checkpoints=Path(directory), held_out=world.held_out)
    return correction, report


def correction_figures(world: ToyWorld, policy: Policy, *, seed: int, windows: int) -> Iterator[Figure]:
    snapshot, encoder = written(world, policy, seed=seed), text_encoder()
    pairs = [(reason.item_id, reason.text) for reason in snapshot.reasons.reasons()]
    for kind, share in naming_shares(world, pairs).items():
        yield "first reasons", f"{kind}, all training interactions", share
    model, report = reward_model(world, snapshot, encoder, seed=seed)
    yield "reward model", "validation NDCG@10, base", report.epochs[0].ndcg
    yield "reward model", "validation NDCG@10", max(epoch.ndcg for epoch in report.epochs)
    config = correction_config(seed, world, windows=windows)
    for form in ("likelihood", "difference"):
        judge = ReasonJudge(model, encoder, world.histories, config.model_copy(update={"reward": form}))
        for kind, value in planted_rewards(world, judge, snapshot).items():
            yield f"planted reasons, {form} reward", kind, value
    judge = ReasonJudge(model, encoder, world.histories, config)
    for metric, value in writing(correction_of(world, policy, judge), snapshot, world).items():
        yield "before correction", metric, value
    for case, drawing in (("corrected", judge), ("drawn reward in correction", _drawn(judge))):
        correction, done = corrected(world, policy, drawing, snapshot)
        n = len(done.tuning.steps)
        yield case, "windows", n
        yield case, "sampled reward, first 10 windows", done.tuning.reward(1, 10)
        yield case, "sampled reward, last 10 windows", done.tuning.reward(n - 9, n)
        yield case, "updates refused", sum(done.failures.values())
        correction.judge = judge  # judged by the same model and on the same texts as before
        for metric, value in writing(correction, snapshot, world).items():
            yield case, metric, value
        if case == "corrected":
            yield from _ranking(world, snapshot, done, model=model, seed=seed)


def _ranking(
    world: ToyWorld, snapshot: Texts, done: CorrectionReport, *, model: RewardModel, seed: int
) -> Iterator[Figure]:
    """NDCG@10 of held-out items with first and corrected texts, and with a reward model trained anew (C14)."""
    encoder, queries = text_encoder(), test_queries(world)
    refitted, _ = reward_model(world, done.snapshot, encoder, seed=seed)
    for name, fitted, texts in (
        ("first texts", model, snapshot),
        ("corrected texts", model, done.snapshot),
        ("corrected texts, refit", refitted, done.snapshot),
    ):
        ranker = RewardRanker.of(fitted, reward_inputs(texts, encoder))
        yield "ranking", f"test NDCG@10, {name}", ndcg(query_ranks(ranker, queries), k=10)


def _drawn(judge: ReasonJudge) -> DrawnJudge:
    return DrawnJudge(judge.model, judge.encoder, judge.histories, judge.config)


def figures_of(seed: int, *, steps: int, windows: int) -> Iterator[Figure]:
    world = toy_world(seed=seed)
    warm = warm_policy(world, seed=seed)
    run = AlignmentRun.of(world, seed=seed, steps=steps)
    yield from run.figures("warm start", warm, TEMPERATURES)
    aligned, report = run.aligned(warm, reward="true")
    yield from alignment_figures(run, "aligned", aligned, report)
    for reward in ("drawn", "majority"):
        yield from alignment_figures(run, f"{reward} reward", *run.aligned(warm, reward=reward))
    yield from correction_figures(world, aligned, seed=seed, windows=windows)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=120, help="updates of alignment")
    parser.add_argument("--windows", type=int, default=75, help="windows of correction, at least")
    parser.add_argument("--out", type=Path, help="also write curec_alignment.json into this directory")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    started = time.perf_counter()
    rows: list[dict[str, object]] = []
    for seed in options.seeds:
        for case, metric, value in figures_of(seed, steps=options.steps, windows=options.windows):
            row = {"benchmark": "curec_alignment", "case": case, "seed": seed, "metric": metric}
            rows.append(row | {"value": round(value, 4)})
            print(f"{seed:<3}{case:<38}{metric:<40}{value:>9.4f}", flush=True)
    if options.out is not None:
        config = {
            "steps": options.steps,
            "windows": options.windows,
            "alignment": alignment_config(0, steps=options.steps).model_dump(mode="json"),
            "correction": correction_config(0, toy_world(), windows=options.windows).model_dump(mode="json"),
        }
        write_results(
            options.out / "curec_alignment.json",
            config=config,
            wall_time_s=time.perf_counter() - started,
            rows=rows,
            libraries=(*LIBRARIES, "transformers", "trl", "peft", "accelerate"),
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
