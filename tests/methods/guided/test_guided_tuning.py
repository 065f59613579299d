"""Tuning of the scoring model: reading with a gradient, tasks, advantages, alarm, and runs that may be killed."""

import copy
import importlib
import math
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset as Rows
from guided_films import ASPECTS, FILMS
from hypothesis import given
from hypothesis import strategies as st

from llm.tiny_model import build_tiny_model
from whyrec.data.item_lines import item_texts
from whyrec.errors import InvalidConfigError, InvalidDataError, PromptTooLongError, TrainingError
from whyrec.llm.base import Message, Prompt
from whyrec.llm.local import LocalBackend
from whyrec.llm.local.forward import RowModel
from whyrec.llm.local.grpo_trainer import RewardTrainer, trl_arguments
from whyrec.llm.local.policy import Policy, open_policy
from whyrec.llm.local.policy_config import GrpoConfig
from whyrec.llm.local.rollouts import Graded, Output
from whyrec.llm.local.slots import read_slots
from whyrec.llm.lora import LoraSettings
from whyrec.methods.guided import tuning_rewards
from whyrec.methods.guided.answers import answer_text, begun_answer, score_spans
from whyrec.methods.guided.aspects import LEVELS
from whyrec.methods.guided.normalising import Normalisation
from whyrec.methods.guided.prompts import item_prompt
from whyrec.methods.guided.scoring import expected_levels, slot_probabilities
from whyrec.methods.guided.tuning import ExpectedReport, level_backend, level_finder, opened, tune_expected, written
from whyrec.methods.guided.tuning_alarm import Alarm
from whyrec.methods.guided.tuning_config import ExpectedConfig, RewardedConfig
from whyrec.methods.guided.tuning_rewards import READ, scaled, slot_advantages, surprise, token_slots, tune_rewarded
from whyrec.methods.guided.tuning_tasks import LikingTask, NextItemTask, for_tuning

# The benchmark's world is not part of the package.
sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
toy: ModuleType = importlib.import_module("guided_toy_world")

WORLD: Any = toy.toy_world(n_training=12, n_test=4, seed=5)
PROMPTS = WORLD.training.prompts
UNIT = Normalisation(("a", "b"), mean=(5.0, 5.0), std=(2.0, 2.0), scale=1.0)
"""Levels 7 and 3 are 1 and -1."""


def small_policy(*, steps: int = 30) -> Policy:
    policy: Policy = toy.warm_policy(WORLD, seed=5, steps=steps)
    return policy


@pytest.fixture(scope="module")
def warm() -> Policy:
    return small_policy()


@pytest.fixture(scope="module")
def base(warm: Policy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("policies") / "base"
    warm.save(path)
    return path


def adapted(base: Path, *, adapter: Path | None = None) -> Policy:
    lora = LoraSettings(rank=2, dropout=0.1)
    return open_policy(base, rendering="plain", lora=lora, adapter=adapter, device="cpu")


def weights(policy: Policy) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in policy.model.state_dict().items()}


def differing(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> set[str]:
    assert first.keys() == second.keys()
    return {name for name in first if not torch.equal(first[name], second[name])}


# Reading


def bpe_policy(directory: Path) -> Policy:
    """Its tokenizer cuts numbers into digits, so that 1 is the beginning of 10."""
    return open_policy(build_tiny_model(directory, steps=0), lora=None, device="cpu")


def test_one_pass_reads_what_is_read_number_by_number(tmp_path: Path) -> None:
    policy = bpe_policy(tmp_path / "tiny")
    with torch.no_grad():  # so that a 0 is likely enough after a 1
        policy.model.get_output_embeddings().weight[policy.tokenizer.convert_tokens_to_ids("0")] *= 40
    assert len(policy.tokenizer("10", add_special_tokens=False).input_ids) == 2
    items = item_texts(FILMS)
    prompts = [item_prompt(ASPECTS, items[item].line(max_chars=200)) for item in "abcd"]
    likely = slot_probabilities(level_backend(policy), [Prompt(messages) for messages in prompts], aspects=ASPECTS)
    levels = np.rint(expected_levels(likely)).astype(int).tolist()
    answers = [
        written(policy.text(opened(messages)), tuple(row), aspects=ASPECTS)
        for messages, row in zip(prompts, levels, strict=True)
    ]
    with torch.no_grad():
        readings = read_slots(RowModel(policy.model), level_finder(policy).rows(answers))
    np.testing.assert_allclose(readings.probabilities.numpy(), likely, atol=1e-4)
    assert (likely[..., 9] > 0.01).any(), "else 10 would be lost unseen"


def test_a_pass_keeps_its_gradient(warm: Policy) -> None:
    """By finite differences at one weight of the table."""
    policy = copy.deepcopy(warm)
    policy.model.double()
    prompt = policy.text(opened(PROMPTS["u0"]))
    rows = level_finder(policy).rows([written(prompt, (1, 10, 5), aspects=WORLD.aspects)])
    table = policy.model.get_input_embeddings().weight
    token = rows[0].tokens[3]

    def mean() -> torch.Tensor:
        readings = read_slots(RowModel(policy.model), rows)
        return (readings.probabilities @ torch.tensor(LEVELS, dtype=torch.float32)).sum()

    (gradient,) = torch.autograd.grad(mean(), [table])
    step = 1e-3
    with torch.no_grad():
        table[token, 0] += step
        above = mean()
        table[token, 0] -= 2 * step
        below = mean()
    assert float(gradient[token, 0]) == pytest.approx(float(above - below) / (2 * step), rel=0.02)
    assert abs(float(gradient[token, 0])) > 1e-4


def test_the_form_of_an_answer_is_all_but_its_numbers(warm: Policy) -> None:
    rows = level_finder(warm).rows(
        [written(warm.text(opened(PROMPTS[user])), levels, aspects=WORLD.aspects) for user, levels in
         (("u0", (1, 10, 5)), ("u1", (2, 2, 2)))]
    )  # fmt: skip
    with torch.no_grad():
        readings = read_slots(RowModel(warm.model), rows)
    for tokens, is_form, levels in zip(readings.answers, readings.is_form, ((1, 10, 5), (2, 2, 2)), strict=True):
        said = warm.tokenizer.decode(tokens[~is_form])
        assert said.split() == [str(level) for level in levels]
        form = warm.tokenizer.decode(tokens[is_form], skip_special_tokens=True)
        assert form.split() == ["tension:", "pace:", "magic:"]
        assert tokens[-1] == warm.tokenizer.eos_token_id
        assert is_form[-1]
    assert (readings.choice_logp <= 0).all()


@given(st.lists(st.sampled_from(LEVELS), min_size=2, max_size=2))
def test_an_answer_begins_as_what_is_asked_at_its_numbers(levels: list[int]) -> None:
    answer = answer_text(ASPECTS, (levels[0], levels[1]))
    for place in range(2):
        begun = begun_answer(ASPECTS, levels[:place])
        assert answer.startswith(f"{begun}{levels[place]}")
    assert [answer[start:end] for start, end in score_spans(f"<think>1</think>{answer}"[16:], ASPECTS)] == [
        str(level) for level in levels
    ]
    thought = f"<think>tension level: 1</think>\n{answer}"
    assert [thought[start:end] for start, end in score_spans(thought, ASPECTS)] == [str(level) for level in levels]


# Tasks


def next_item(**settings: Any) -> NextItemTask:
    found = {
        "candidates": torch.tensor([[0, 1], [1, 0]]),
        "base_scores": torch.tensor([[0.0, 1.0], [0.0, 0.0]]),
        "targets": torch.tensor([0, 0]),
    }
    return NextItemTask(UNIT, torch.tensor([[1.0, 0.0], [0.0, 1.0]]), **{**found, **settings})


def test_next_items_by_hand() -> None:
    """User 0 at (7, 5): products 1 and 0, base 0 and 1: log 2. User 1 at (5, 9): item 1 first, 2 and 0."""
    found = next_item()(torch.tensor([[7.0, 5], [5, 9]]), torch.tensor([0, 1]))
    assert found.tolist() == pytest.approx([math.log(2), math.log(1 + math.exp(-2))])
    both = next_item(targets=torch.tensor([[0.5, 0.5], [1, 0]]))
    assert float(both(torch.tensor([[7.0, 5]]), torch.tensor([0]))) == pytest.approx(math.log(2))


def test_an_improvement_is_over_scores_that_say_nothing() -> None:
    """User 0 without scores: log(1 + e)."""
    gain = next_item().improvement(torch.tensor([[7.0, 5], [5, 5]]), torch.tensor([0, 0]))
    assert gain.tolist() == pytest.approx([math.log(1 + math.e) - math.log(2), 0], abs=1e-6)


def test_likings_by_hand() -> None:
    """User 0 at (7, 5): products 1 of a liked and 0 of a disliked item; the empty cell counts for nothing."""
    pairs = torch.tensor([[0, 1, 1], [0, 0, 0]])
    is_liked = torch.tensor([[True, False, True], [False] * 3])
    is_pair = torch.tensor([[True, True, False], [True] * 3])
    task = LikingTask(UNIT, torch.tensor([[1.0, 0.0], [0.0, 1.0]]), pairs=pairs, is_liked=is_liked, is_pair=is_pair)
    loss = task(torch.tensor([[7.0, 5]]), torch.tensor([0]))
    assert loss.item() == pytest.approx((math.log(1 + math.exp(-1)) + math.log(2)) / 2)
    assert {name for name, _ in task.named_parameters()} == {"slope", "offset"}
    with pytest.raises(InvalidDataError, match="user 1: expected a judged item at least, got none"):
        LikingTask(UNIT, torch.eye(2), pairs=pairs, is_liked=is_liked, is_pair=torch.tensor([[True] * 3, [False] * 3]))


def test_data_of_different_users_are_refused() -> None:
    with pytest.raises(InvalidDataError, match=r"of \(2, 2\) users and candidates, got \(1, 2\)"):
        next_item(base_scores=torch.zeros(1, 2))


def test_products_deviate_by_the_strength() -> None:
    rng = torch.Generator().manual_seed(0)
    unit = torch.randn(2, 20_000, 12, generator=rng)
    scale = for_tuning(Normalisation(("x",) * 12, (0.0,) * 12, (1.0,) * 12, scale=0.01, weight=3), strength=2.0).scale
    assert float(((unit[0] * scale) * (unit[1] * scale)).sum(dim=1).std()) == pytest.approx(2, rel=0.03)
    with pytest.raises(InvalidConfigError, match="a strength above 0, got 0"):
        for_tuning(UNIT, strength=0)


# Advantages


def test_a_score_is_due_what_it_changed() -> None:
    """Rewards are of aspect a alone for a user whose candidates differ in nothing else: b is due nothing."""
    task = next_item(candidates=torch.tensor([[0, 1], [0, 1]]), base_scores=torch.zeros(2, 2))
    task.items = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    levels = torch.tensor([[[7.0, 1], [3, 10], [5, 5]]])
    found = slot_advantages(levels, torch.tensor([0]), task)
    # The mean of a is 5: log-likelihoods of 2, -2 and 0 by products 1, -1 and 0, less log 1/2; then centred.
    rewards = [-math.log(1 + math.exp(-2)), -math.log(1 + math.exp(2)), -math.log(2)]
    due = [reward + math.log(2) for reward in rewards]
    centred = [it - sum(due) / 3 for it in due]
    np.testing.assert_allclose(found[0, :, 0], centred, atol=1e-6)
    np.testing.assert_allclose(found[0, :, 1], 0, atol=1e-6)


def rewarded(**settings: Any) -> RewardedConfig:
    sizes = {"group_size": 4, "prompts_per_step": 3, "outputs_at_once": 12, "max_output_tokens": 16}
    grpo = {**sizes, "is_forced": True, "kl_weight": 0.0, "scale": "batch", "learning_rate": 1e-3}
    chosen = GrpoConfig.model_validate(grpo | settings.pop("grpo", {}))
    return RewardedConfig.model_validate({"epochs": 1, "grpo": chosen, **settings})


def rewarding_of(policy: Policy, config: RewardedConfig) -> Any:
    task = WORLD.task(WORLD.training)
    return tuning_rewards._Rewarding(policy, list(PROMPTS.values()), task, WORLD.aspects, config)


def test_advantages_are_scaled_and_groups_that_hardly_differ_teach_nothing() -> None:
    raw = torch.tensor([[[3.0], [-3.0]], [[1.0], [-1.0]]])
    apart = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    size = math.sqrt((9 + 9 + 1 + 1) / 4)
    np.testing.assert_allclose(scaled(raw, apart, config=rewarded()).flatten(), [3 / size, -3 / size, 0, 0])
    by_group = scaled(raw, torch.tensor([[1.0, 0.0], [1.0, 0]]), config=rewarded(grpo={"scale": "group"}))
    assert by_group.flatten().tolist() == [1, -1, 1, -1]
    assert scaled(0 * raw, apart, config=rewarded()).abs().max() == 0


def test_surprise_leads_to_entropy() -> None:
    """Averaged over draws, it times the gradient of their log-likelihood is the gradient of the entropy."""
    logits = torch.randn(10, generator=torch.Generator().manual_seed(0)).requires_grad_()
    p = logits.softmax(dim=0)
    (expected,) = torch.autograd.grad(-(p * p.log()).sum(), [logits], retain_graph=True)
    values = surprise(p.detach().expand(10, 1, 10), torch.arange(1, 11)[:, None].float()).flatten()
    (found,) = torch.autograd.grad((p.detach() * values * p.log()).sum(), [logits])
    torch.testing.assert_close(found, expected)
    assert float((p.detach() * values).sum()) == pytest.approx(0, abs=1e-6)


def test_tokens_belong_to_scores(tmp_path: Path, warm: Policy) -> None:
    """Where digits are tokens, what follows a 1 tells it from 10 and belongs to it."""
    digits = bpe_policy(tmp_path / "tiny").tokenizer
    text = answer_text(WORLD.aspects, (10, 1, 7))
    for tokenizer in (digits, warm.tokenizer):
        tokens = tokenizer(text, add_special_tokens=False).input_ids
        slots = token_slots(tokenizer, text, tokens, aspects=WORLD.aspects)
        said = {
            slot: tokenizer.decode([token for token, own in zip(tokens, slots, strict=True) if own == slot])
            for slot in range(3)
        }
        assert {slot: part.strip(" ") for slot, part in said.items()} == {0: "10", 1: "1\n", 2: "7"}


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing` is deprecated:FutureWarning")
def test_trls_loss_is_eq7_by_samples(tmp_path: Path, warm: Policy) -> None:
    """Advantages of tokens give: minus the sum over scores of advantage times logp, plus lambda times the form's."""
    policy = copy.deepcopy(warm)
    config = rewarded(format_weight=0.7, entropy_weight=0.0)
    rewarding = rewarding_of(policy, config)
    scores = [(1, 5, 9), (2, 2, 2), (10, 3, 4), (7, 7, 7)]
    texts = [answer_text(WORLD.aspects, it) for it in scores]
    tokens = [[*policy.tokenizer(text).input_ids, policy.tokenizer.eos_token_id] for text in texts]
    questions = [0] * 4
    outputs = [Output(text) for text in texts]
    rewards = torch.tensor(rewarding.rewards(questions, outputs))
    credit = rewarding.credit(Graded(questions, outputs, tokens, rewards))
    prompt = policy.encode([policy.text(opened(list(PROMPTS.values())[rewarding.order[0]]))])
    prompts, answers = torch.tensor(prompt * 4), torch.tensor(tokens)
    trainer = RewardTrainer(
        model=policy.model,
        reward_funcs=[lambda **_: []],
        args=trl_arguments(config.grpo, tmp_path, n_steps=1, device=torch.device("cpu")),
        train_dataset=Rows.from_dict({"prompt": [""], "question": [0]}),
        processing_class=policy.tokenizer,
    )
    trainer.current_gradient_accumulation_steps = 1
    policy.model.train()
    loss = trainer._compute_loss(
        policy.model,
        {
            "prompt_ids": prompts,
            "prompt_mask": torch.ones_like(prompts),
            "completion_ids": answers,
            "completion_mask": torch.ones_like(answers),
            "advantages": credit.advantages,
            "num_items_in_batch": torch.tensor(4),
        },
    )
    table = policy.model.get_input_embeddings().weight
    (theirs,) = torch.autograd.grad(loss, [table])
    logits = policy.model(input_ids=torch.cat([prompts, answers], dim=1)).logits[:, prompts.shape[1] - 1 : -1]
    logp = logits.log_softmax(dim=-1).gather(2, answers[:, :, None]).squeeze(2)
    levels = torch.tensor([scores], dtype=torch.float32)
    raw = slot_advantages(levels, torch.tensor([rewarding.order[0]]), rewarding.task)
    (due,) = scaled(raw, rewards[None], config=config)
    slots = [
        token_slots(policy.tokenizer, text, row, aspects=WORLD.aspects) for text, row in zip(texts, tokens, strict=True)
    ]
    parts = []
    for row in range(4):
        n_form = sum(slot is None for slot in slots[row])
        of_scores = sum(due[row, slot] * logp[row, at] for at, slot in enumerate(slots[row]) if slot is not None)
        parts.append(-of_scores - 0.7 / n_form * logp[row].sum())
    (ours,) = torch.autograd.grad(torch.stack(parts).mean(), [table])
    torch.testing.assert_close(theirs, ours, rtol=1e-4, atol=1e-6)
    assert ours.abs().max() > 1e-3


def test_answers_that_cannot_be_read_follow_the_rule_for_lambda(warm: Policy) -> None:
    config = rewarded(unread_weight=2.0, missing_weight=0.25, unread_reward=-5.0)
    rewarding = rewarding_of(warm, config)
    fives, six = (answer_text(WORLD.aspects, it) for it in ((5, 5, 5), (6, 5, 5)))
    texts = [fives, "tension: 5\npace: 5", "calm calm", six]
    tokens = [warm.tokenizer(text).input_ids for text in texts]
    outputs = [Output(text, is_cut=place == 3) for place, text in enumerate(texts)]
    rewards = torch.tensor(rewarding.rewards([0] * 4, outputs))
    assert rewards[1:].tolist() == [-5.0] * 3
    credit = rewarding.credit(Graded([0] * 4, outputs, tokens, rewards))
    below = float(rewards[1] - rewards.mean())
    assert below < 0
    for row, weight in ((1, 2.0), (2, 0.25), (3, 2.0)):
        n = len(tokens[row])
        assert credit.advantages[row, :n].tolist() == pytest.approx([weight * below] * n)
        assert (credit.advantages[row, n:] == 0).all()
    assert credit.told[READ] == 0.25


# Alarm


def test_the_alarm_is_withdrawn_when_scores_tell_users_apart_again() -> None:
    flat, spread = np.full((10, 1), 7.0), np.arange(1, 11, dtype=float)[:, None]
    alarm = Alarm(("pace",))
    alarm.look(flat, step=1)
    alarm.look(flat, step=2)
    assert alarm.raised == {
        "pace": "since update 1; pace: 100% of scores are nearest to 7, entropy 0.00, deviation 0.00 points"
    }
    alarm.look(spread, step=3)
    assert alarm.raised == {}


def test_a_collapse_stops_a_run_that_wants_it_but_not_one_that_begins_flat() -> None:
    flat, spread = np.full((10, 1), 7.0), np.arange(1, 11, dtype=float)[:, None]
    alarm = Alarm(("pace",), stops=True)
    alarm.look(flat, step=1)
    alarm.look(spread, step=2)
    with pytest.raises(TrainingError, match="update 3: expected scores that tell users apart, got pace: 100%"):
        alarm.look(flat, step=3)


# Runs


class KilledError(Exception):
    """Stands for what ends a process."""


def expected(policy: Policy, *, task: Any = None, prompts: Any = None, **options: Any) -> ExpectedReport:
    config = {"epochs": 2, "batch_size": 4, "rows_at_once": 2, "learning_rate": 1e-2, "checkpoint_steps": 2}
    chosen = ExpectedConfig.model_validate(config | options.pop("config", {}))
    task = WORLD.task(WORLD.training) if task is None else task
    return tune_expected(policy, prompts or PROMPTS, task, aspects=WORLD.aspects, config=chosen, **options)


def test_an_adapter_is_tuned_by_means_saved_and_opened_and_its_base_stays(base: Path, tmp_path: Path) -> None:
    policy = adapted(base)
    before = weights(policy)
    report = expected(policy, config={"epochs": 6})
    changed = differing(before, weights(policy))
    assert changed
    assert all("lora_" in name for name in changed)
    first, last = report.steps[:3], report.steps[-3:]
    assert sum(step.task_loss for step in last) < sum(step.task_loss for step in first)
    policy.save(tmp_path / "adapter")
    again = adapted(base, adapter=tmp_path / "adapter")
    asked = [Prompt(messages) for messages in PROMPTS.values()]
    found = [slot_probabilities(level_backend(it), asked, aspects=WORLD.aspects) for it in (policy, again)]
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)


def test_a_killed_run_by_means_goes_on_as_if_nothing_had_happened(base: Path, tmp_path: Path) -> None:
    """With dropout, and a task that learns too."""
    whole, task = adapted(base), WORLD.liking(WORLD.training)
    start = weights(whole)
    report = expected(whole, task=task)

    def kill(step: int) -> None:
        if step == 5:
            raise KilledError

    def begun() -> Policy:
        policy = adapted(base)
        policy.model.load_state_dict(start)
        return policy

    with pytest.raises(KilledError):
        expected(begun(), task=WORLD.liking(WORLD.training), checkpoints=tmp_path, after_step=kill)
    resumed, other, seen = begun(), WORLD.liking(WORLD.training), []
    again = expected(resumed, task=other, checkpoints=tmp_path, after_step=seen.append)
    assert seen == [5, 6]
    assert again.steps == report.steps
    assert differing(weights(resumed), weights(whole)) == set()
    assert other.slope.item() == task.slope.item() != 1
    assert expected(begun(), task=WORLD.liking(WORLD.training), checkpoints=tmp_path).steps == report.steps


def test_states_of_other_data_are_refused(warm: Policy, tmp_path: Path) -> None:
    expected(copy.deepcopy(warm), config={"epochs": 1}, checkpoints=tmp_path)
    task = WORLD.task(WORLD.training.shuffled(0))
    with pytest.raises(InvalidConfigError, match="got those of one with other settings or data"):
        expected(copy.deepcopy(warm), task=task, config={"epochs": 1}, checkpoints=tmp_path)


def test_what_does_not_belong_together_is_refused(warm: Policy) -> None:
    with pytest.raises(InvalidConfigError, match="expected prompts of 4 users about tension, pace, magic, got 12"):
        expected(warm, task=WORLD.task(WORLD.test))
    long = {user: (Message("user", " calm" * 60),) for user in PROMPTS}
    with pytest.raises(PromptTooLongError, match=r"expected at most \d+ tokens"):
        expected(warm, prompts=long)


def test_a_loss_that_is_no_number_is_named(warm: Policy) -> None:
    task = WORLD.task(WORLD.training)
    task.items = torch.full_like(task.items, math.nan)
    with pytest.raises(TrainingError, match=r"update 1: expected finite losses, got \[nan"):
        expected(copy.deepcopy(warm), task=task)


def test_an_adapter_is_tuned_by_rewards_and_a_killed_run_goes_on(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = rewarded(grpo={"checkpoint_steps": 2})
    whole = adapted(base)
    start = weights(whole)
    report = tune_rewarded(whole, PROMPTS, WORLD.task(WORLD.training), aspects=WORLD.aspects, config=config)
    changed = differing(start, weights(whole))
    assert changed
    assert all("lora_" in name for name in changed)
    assert [step.told[READ] for step in report.tuning.steps] == [1.0] * 4

    def begun() -> Policy:
        policy = adapted(base)
        policy.model.load_state_dict(start)
        return policy

    original = tuning_rewards._Rewarding.credit

    def kill(self: Any, graded: Graded) -> Any:
        if graded.questions[0] == 9:
            raise KilledError
        return original(self, graded)

    monkeypatch.setattr(tuning_rewards._Rewarding, "credit", kill)
    task = WORLD.task(WORLD.training)
    with pytest.raises(KilledError):
        tune_rewarded(begun(), PROMPTS, task, aspects=WORLD.aspects, config=config, checkpoints=tmp_path)
    monkeypatch.setattr(tuning_rewards._Rewarding, "credit", original)
    resumed = begun()
    again = tune_rewarded(resumed, PROMPTS, task, aspects=WORLD.aspects, config=config, checkpoints=tmp_path)
    assert [step.reward for step in again.tuning.steps] == [step.reward for step in report.tuning.steps]
    assert differing(weights(resumed), weights(whole)) == set()


def test_equal_users_and_scores_are_given_the_alarm_through_rewards(warm: Policy) -> None:
    """A model that is made to say one thing: scores of all answers are the same."""
    policy = copy.deepcopy(warm)
    with torch.no_grad():
        policy.model.get_input_embeddings().weight[policy.tokenizer.convert_tokens_to_ids(" 7")] *= 40
    config = rewarded(grpo={"learning_rate": 1e-9})
    report = tune_rewarded(policy, PROMPTS, WORLD.task(WORLD.training), aspects=WORLD.aspects, config=config)
    assert set(report.alarms) == set(WORLD.aspects.keys)
    assert isinstance(level_backend(policy), LocalBackend)
