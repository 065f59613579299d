"""Stage A: samples that keep the cut-off, gated rewards, and the mechanics of tuning by rewards."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st
from policy_world import GENRES, HISTORIES, ITEMS, N_ITEMS, TEMPLATE, grpo, history, policy

from whyrec.data.item_lines import ItemText
from whyrec.errors import InvalidConfigError, InvalidDataError, TrainingError
from whyrec.llm.base import Message
from whyrec.llm.local.grpo import GrpoReport
from whyrec.llm.local.grpo_trainer import RewardTrainer, trl_arguments
from whyrec.llm.local.policy import Policy, open_policy
from whyrec.llm.local.policy_config import GrpoConfig
from whyrec.llm.local.rollouts import Asked, Output
from whyrec.llm.lora import LoraSettings
from whyrec.llm.structured import Regex
from whyrec.methods.curec.alignment import (
    Alignment,
    AlignmentSample,
    alignment_reward,
    alignment_samples,
    held_out_samples,
)
from whyrec.methods.curec.equations import grpo_objective
from whyrec.methods.curec.grpo import tune_policy
from whyrec.methods.curec.histories import Interaction, UserHistory
from whyrec.methods.curec.policy_config import AlignmentConfig

CONFIG = AlignmentConfig(n_candidates=5)
LABELS = ["title1", "title2", "title3"]


def weights(tuned: Policy) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tuned.model.named_parameters()}


def are_equal(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


# Samples


@given(seed=st.integers(0, 10_000))
def test_a_sample_holds_its_target_among_items_that_the_user_never_took(seed: int) -> None:
    for sample in alignment_samples(HISTORIES, ITEMS, n=7, config=CONFIG, seed=seed):
        taken = HISTORIES[sample.target.user_id]
        assert len(set(sample.candidates)) == 5
        assert set(sample.candidates) & set(taken.item_ids) == {sample.target.item_id}
        assert sample.candidates[sample.position] == sample.target.item_id


def test_a_history_ends_strictly_before_its_target() -> None:
    at_once = UserHistory(
        "u", ("i0", "i1", "i2"), (HISTORIES["u0"].timestamps[0],) * 2 + HISTORIES["u0"].timestamps[1:2]
    )
    (sample,) = alignment_samples({"u": at_once}, ITEMS, n=1, config=CONFIG, seed=0)
    # Of two items of one moment neither is the other's past: only the third has something before it.
    assert (sample.target.item_id, sample.history.item_ids) == ("i2", ("i0", "i1"))


def test_a_planted_later_item_is_refused() -> None:
    taken = HISTORIES["u0"]
    target = Interaction("u0", taken.item_ids[1], taken.timestamps[1])
    AlignmentSample(target, taken.first(1), taken.item_ids)
    with pytest.raises(InvalidDataError, match="expected a history that ends before, got one until 2020-01-01T01:00"):
        AlignmentSample(target, taken.first(2), taken.item_ids)


def test_the_same_seed_draws_the_same_samples_and_another_others() -> None:
    drawn = [alignment_samples(HISTORIES, ITEMS, n=9, config=CONFIG, seed=seed) for seed in (3, 3, 4)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_every_target_comes_once_before_any_comes_again() -> None:
    samples = alignment_samples(HISTORIES, ITEMS, n=36, config=CONFIG, seed=1)
    counts = {target: sum(sample.target == target for sample in samples) for target in {s.target for s in samples}}
    assert set(counts.values()) == {36 // (6 * 3)}


def test_half_of_the_wrong_candidates_are_drawn_by_popularity() -> None:
    # Ten others took i11 and nobody i4 to i10, so that every popular draw is i11.
    fans = {f"fan{n}": history(f"fan{n}", [0, 11]) for n in range(10)}
    users = fans | {"u": history("u", [0, 1, 2, 3])}
    config = CONFIG.model_copy(update={"n_candidates": 3})
    samples = [s for s in alignment_samples(users, ITEMS, n=13, config=config, seed=0) if s.target.user_id == "u"]
    assert all("i11" in sample.candidates for sample in samples)
    even = config.model_copy(update={"popular_share": 0.0})
    samples = [s for s in alignment_samples(users, ITEMS, n=13, config=even, seed=0) if s.target.user_id == "u"]
    assert not all("i11" in sample.candidates for sample in samples)


def test_items_of_which_nothing_is_known_are_no_candidates() -> None:
    items = ITEMS | {f"nothing{n}": ItemText(f"nothing{n}", "") for n in range(50)}
    samples = alignment_samples(HISTORIES, items, n=20, config=CONFIG, seed=0)
    assert not any(item_id.startswith("nothing") for sample in samples for item_id in sample.candidates)


def test_held_out_targets_are_not_among_the_wrong_candidates_of_their_own_list() -> None:
    target = Interaction("u0", "i1", HISTORIES["u5"].timestamps[-1])
    (sample,) = held_out_samples(HISTORIES, [target], items=ITEMS, config=CONFIG, seed=0)
    assert sample.candidates.count("i1") == 1
    assert sample.history == HISTORIES["u0"]


def test_a_user_who_took_nearly_all_is_named() -> None:
    taken = {"u": history("u", list(range(N_ITEMS - 2)))}
    with pytest.raises(InvalidConfigError, match="at most 3 for a user who took all but so many items, got 5"):
        alignment_samples(taken, ITEMS, n=1, config=CONFIG, seed=0)


def test_users_with_one_item_teach_nothing() -> None:
    with pytest.raises(InvalidDataError, match="with 1 before them, got none"):
        alignment_samples({"u": history("u", [0])}, ITEMS, n=1, config=CONFIG, seed=0)


# Rewards


@pytest.mark.parametrize(
    ("output", "reward"),
    [
        ("<think>war</think><answer>title2</answer>", 0.2 + 0.2 + 1.0),
        ("<think>war</think>\n<answer> title2 </answer>", 0.2 + 0.2 + 1.0),
        ("<think>war</think><answer>title1</answer>", 0.2 + 0.2),
        ("<think>war</think><answer>title9</answer>", 0.2),
        ("<answer>title2</answer>", 0.0),  # right, but not in the form
        ("<think>war</think><answer>title2</answer> title1", 0.0),
        ("", 0.0),
    ],
)
def test_each_part_of_the_reward_counts_only_with_the_one_before(output: str, reward: float) -> None:
    assert alignment_reward(output, labels=LABELS, position=1, config=CONFIG) == pytest.approx(reward)


# Mechanics


def asking(_: int) -> Asked:
    return Asked((Message("user", "took war title0 choose"),), Regex(r"(war|space|music)"))


def titles(questions: list[int], outputs: list[Output]) -> list[float]:
    return [float(output.text.count("title")) for output in outputs]


def tuned(start: Policy, *, n: int = 6, config: GrpoConfig | None = None, **options: object) -> GrpoReport:
    settings = {"ask": asking, "reward": titles, "config": config or grpo()} | options
    return tune_policy(start, n_questions=n, **settings)  # type: ignore[arg-type]


def test_what_is_rewarded_is_written_more_often() -> None:
    report = tuned(policy(), n=60)
    assert report.reward(26, 30) > report.reward(1, 5) + 1
    assert [step.step for step in report.steps] == list(range(1, 31))


def test_equal_rewards_teach_nothing() -> None:
    start = policy()
    before = weights(start)
    report = tuned(start, reward=lambda questions, outputs: [0.7] * len(outputs))
    assert are_equal(weights(start), before)
    assert {step.idle_share for step in report.steps} == {1.0}


def test_nearly_equal_rewards_teach_nothing_either() -> None:
    def noisy(questions: list[int], outputs: list[Output]) -> list[float]:
        return [0.7 + 1e-5 * place for place in range(len(outputs))]

    start = policy()
    before = weights(start)
    tuned(start, reward=noisy)
    assert are_equal(weights(start), before)
    tuned(start, reward=noisy, config=grpo(least_std=0.0))
    assert not are_equal(weights(start), before)


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing` is deprecated:FutureWarning")
def test_the_loss_is_the_papers_objective(tmp_path: Path) -> None:
    """TRL's loss against CURec Eq. (3) on outputs of one token, where sum and mean over tokens are the same."""
    start, config = policy(), grpo(kl_weight=0.0)
    rewards = torch.tensor([[1.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.0, 3.0]])
    trainer = RewardTrainer(
        model=start.model,
        reward_funcs=[lambda **_: []],
        args=trl_arguments(config, tmp_path, n_steps=1, device=torch.device("cpu")),
        train_dataset=Dataset.from_dict({"prompt": [""], "question": [0]}),
        processing_class=start.tokenizer,
    )
    prompts = torch.tensor(start.encode(["took war"] * 8))
    answers = torch.arange(8)[:, None] + 5
    advantages = ((rewards - rewards.mean(dim=1, keepdim=True)) / rewards.std(dim=1, keepdim=True)).flatten()
    start.model.train()
    trainer.current_gradient_accumulation_steps = 1
    loss = trainer._compute_loss(
        start.model,
        {
            "prompt_ids": prompts,
            "prompt_mask": torch.ones_like(prompts),
            "completion_ids": answers,
            "completion_mask": torch.ones_like(answers),
            "advantages": advantages,
            "num_items_in_batch": torch.tensor(8),
        },
    )
    (theirs,) = torch.autograd.grad(loss, [start.model.get_input_embeddings().weight])
    logits = start.model(input_ids=torch.cat([prompts, answers], dim=1)).logits[:, -2]
    logp = logits.log_softmax(dim=-1).gather(1, answers).view(2, 4)
    ours = grpo_objective(logp, logp.detach(), logp.detach(), advantages=advantages.view(2, 4))
    (expected,) = torch.autograd.grad(-ours, [start.model.get_input_embeddings().weight])
    torch.testing.assert_close(theirs, expected, rtol=1e-4, atol=1e-6)


class KilledError(Exception):
    """Stands for what ends a process."""


def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    config = grpo(checkpoint_steps=2)
    whole = policy()
    expected = tuned(whole, n=12, config=config)

    def kill(step: int) -> None:
        if step == 5:
            raise KilledError

    with pytest.raises(KilledError):
        tuned(policy(), n=12, config=config, checkpoints=tmp_path, after_step=kill)
    resumed, seen = policy(), []
    report = tuned(resumed, n=12, config=config, checkpoints=tmp_path, after_step=seen.append)
    assert seen == [5, 6]
    assert [step.reward for step in report.steps] == [step.reward for step in expected.steps]
    assert are_equal(weights(resumed), weights(whole))


def test_states_of_another_run_are_refused(tmp_path: Path) -> None:
    tuned(policy(), checkpoints=tmp_path)
    with pytest.raises(InvalidConfigError, match="got those of one with other settings or data"):
        tuned(policy(), checkpoints=tmp_path, config=grpo(learning_rate=0.5))


def test_forced_outputs_have_the_form_that_an_untrained_model_misses() -> None:
    said: dict[bool, list[str]] = {True: [], False: []}
    for is_forced, texts in said.items():

        def reward(questions: list[int], outputs: list[Output], texts: list[str] = texts) -> list[float]:
            texts += [output.text for output in outputs]
            return [0.0] * len(outputs)

        tuned(policy(), reward=reward, config=grpo(is_forced=is_forced))
    assert set(said[True]) <= set(GENRES)
    assert not set(said[False]) <= set(GENRES)


def test_outputs_that_do_not_end_are_marked() -> None:
    marks: list[tuple[str, bool]] = []

    def reward(questions: list[int], outputs: list[Output]) -> list[float]:
        marks.extend((output.text, output.is_cut) for output in outputs)
        return [0.0] * len(outputs)

    tuned(policy(), reward=reward, config=grpo(max_output_tokens=1))
    assert {is_cut for text, is_cut in marks if text} == {True}


def test_straying_is_measured_where_it_costs(tmp_path: Path) -> None:
    start = policy()
    report = tuned(start, n=12, config=grpo(kl_weight=0.05), checkpoints=tmp_path)
    assert report.steps[0].divergence == pytest.approx(0, abs=1e-5)
    assert report.steps[-1].divergence > 1e-4
    assert math.isnan(tuned(policy()).steps[-1].divergence)


def test_an_adapter_is_tuned_and_its_base_is_not(tmp_path: Path) -> None:
    base = policy()
    base.save(tmp_path / "base")
    start = open_policy(tmp_path / "base", rendering="plain", lora=LoraSettings(rank=2, dropout=0.0), device="cpu")
    before = weights(start)
    tuned(start, n=12, config=grpo(kl_weight=0.01), checkpoints=tmp_path / "states")
    after = weights(start)
    assert after.keys() == before.keys()  # TRL's copy of the adapter is gone
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all("lora_" in name for name in changed)
    start.save(tmp_path / "adapter")
    again = open_policy(tmp_path / "base", rendering="plain", lora=None, adapter=tmp_path / "adapter", device="cpu")
    tokens = torch.tensor(start.encode(["took war title0 choose"]))
    with torch.no_grad():
        torch.testing.assert_close(again.model(input_ids=tokens).logits, start.model(input_ids=tokens).logits)
    # What was aligned can be tuned further.
    tuned(again, config=grpo(kl_weight=0.01))
    assert not are_equal(weights(again), after)


def test_a_whole_model_is_saved_and_opened(tmp_path: Path) -> None:
    start = policy()
    start.save(tmp_path / "whole")
    again = open_policy(tmp_path / "whole", rendering="plain", lora=None, device="cpu")
    assert are_equal(weights(again), weights(start))


def test_a_tuned_model_is_as_it_was_but_for_its_weights() -> None:
    start = policy()
    tuned(start)
    assert "forward" not in start.model.__dict__  # TRL's own is taken off
    assert start.model.config.name_or_path == start.name
    assert not start.model.training


def test_a_reward_that_is_no_number_is_named() -> None:
    with pytest.raises(TrainingError, match="update 1: expected rewards that are numbers, got nan"):
        tuned(policy(), reward=lambda questions, outputs: [math.nan] * len(outputs))


def test_too_few_questions_are_refused() -> None:
    with pytest.raises(InvalidConfigError, match=r"at least prompts_per_step \(2\) questions, got 1"):
        tuned(policy(), n=1)


def test_sizes_must_divide() -> None:
    with pytest.raises(InvalidConfigError, match=r"a divisor of group_size times prompts_per_step \(8\), got 3"):
        tuned(policy(), config=grpo(outputs_at_once=3))


def test_alignment_asks_its_samples_in_order_and_judges_them() -> None:
    config = CONFIG.model_copy(update={"n_candidates": 3, "steps": 2, "grpo": grpo(max_output_tokens=8)})
    samples = alignment_samples(HISTORIES, ITEMS, n=10, config=config, seed=0)
    alignment = Alignment(policy(), samples, ITEMS, TEMPLATE, config)
    target = samples[0].position
    label = alignment.labels(0)[target]
    asked = alignment.ask(0)
    assert label in asked.messages[-1].content
    assert isinstance(asked.form, Regex)
    assert asked.form.parse(f"<think>war</think>\n<answer>{label}</answer>")
    outputs = [Output(f"<think>war</think><answer>{label}</answer>"), Output("nothing")]
    assert alignment.rewards([0, 0], outputs) == pytest.approx([1.4, 0.0])
    report = alignment.align()
    assert len(report.steps) == 2
    scores = alignment.judged()
    assert 0 <= scores.correct <= scores.legal <= scores.in_form <= 1
    assert scores.reward == pytest.approx(0.2 * scores.in_form + 0.2 * scores.legal + 1.0 * scores.correct)


def test_prompts_that_leave_no_room_are_shortened() -> None:
    config = CONFIG.model_copy(update={"n_candidates": 3, "grpo": grpo(max_output_tokens=40)})
    long = {"u": history("u", list(range(9)))}
    samples = [s for s in alignment_samples(long, ITEMS, n=8, config=config, seed=0) if len(s.history) == 8]
    alignment = Alignment(policy(), samples, ITEMS, replace(TEMPLATE, max_history=30), config)
    n_tokens = len(alignment.policy.encode([alignment.policy.text(alignment.ask(0).messages)])[0])
    assert n_tokens <= 64 - 40
    assert "title7" in alignment.ask(0).messages[0].content  # the newest item stays
