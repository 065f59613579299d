"""Stage C: windows of training interactions, rewards from the past alone, and a walk that can be killed."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from policy_world import HISTORIES, ITEMS, N_ITEMS, START, TEMPLATE, grpo, history, policy

from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.llm.base import SamplingConfig
from whyrec.llm.local.grpo import GrpoReport
from whyrec.llm.local.policy import Policy
from whyrec.llm.local.rollouts import Output
from whyrec.llm.local.tiny_policy import warm_up
from whyrec.llm.training_runs import mark_complete
from whyrec.methods.curec.artefacts import Pattern, Reason
from whyrec.methods.curec.base_encoder import new_encoder
from whyrec.methods.curec.config import BaseConfig, RewardModelConfig
from whyrec.methods.curec.correction import (
    Correction,
    CorrectionReport,
    correction_windows,
    require_training_only,
)
from whyrec.methods.curec.equations import difference_reward
from whyrec.methods.curec.histories import Interaction, UserHistory, interactions_of
from whyrec.methods.curec.patterns import PatternBook
from whyrec.methods.curec.policy_config import CorrectionConfig
from whyrec.methods.curec.prompts import Messages
from whyrec.methods.curec.reason_rewards import ReasonJudge, likelihood_difference
from whyrec.methods.curec.reasons import ReasonRequest, ReasonStore, reason_requests
from whyrec.methods.curec.reward_inputs import TimedSequences
from whyrec.methods.curec.reward_model import RewardModel
from whyrec.methods.curec.reward_ranking import RewardRanker
from whyrec.methods.curec.texts import Texts

WORDS = ("war", "space", "music", "good", "title0", "because")


@dataclass(frozen=True)
class WordEncoder:
    """Which of a few words a text holds."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([[float(word in text) for word in WORDS] for text in texts], dtype=np.float32)


def config(**settings: object) -> CorrectionConfig:
    small = {"n_users": None, "targets_per_user": 2, "n_negatives": 3, "negative_pool": 6}
    tuning = grpo(scale="batch", checkpoint_steps=1, learning_rate=1e-3)
    return CorrectionConfig.model_validate({**small, "grpo": tuning, **settings})


def reward_model(variant: str = "full") -> RewardModel:
    """Untrained, its gate open: what it reads changes what it says."""
    shape = BaseConfig(embedding_dim=8, n_layers=1, n_heads=2, max_history=8, dropout=0.0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        settings = {"variant": variant, "max_reasons": 3, "n_heads": 2, "hidden": (32, 16), "dropout": 0.0}
        model = RewardModel(
            new_encoder(N_ITEMS, shape), RewardModelConfig.model_validate(settings), text_dim=len(WORDS)
        )
    torch.nn.init.constant_(model.gate, 3.0)
    return model.requires_grad_(False)


def at(hours: float, user: str = "u0", item: str = "i3") -> Interaction:
    return Interaction(user, item, START + timedelta(hours=hours))


def reason(interaction: Interaction, text: str = "because of war") -> Reason:
    return Reason(interaction.item_id, interaction.user_id, interaction.timestamp, text, "pen")


def snapshot(reasons: Sequence[Reason], patterns: Sequence[Pattern] = ()) -> Texts:
    users = pl.Series("user_id", list(HISTORIES))
    store = ReasonStore.of(reasons, item_ids=pl.Series("item_id", list(ITEMS)), user_ids=users)
    return Texts(PatternBook.of(patterns, user_ids=users), store)


FIRST = [
    reason(target, f"because of {word}") for target, word in zip(interactions_of(HISTORIES), WORDS * 4, strict=True)
]
PATTERNS = [
    Pattern(user, 1, taken.timestamps[0], f"- {ITEMS[taken.item_ids[0]].attributes['genre']}", "pen")
    for user, taken in HISTORIES.items()
]


def judge(**settings: object) -> ReasonJudge:
    return ReasonJudge(reward_model(), WordEncoder(), HISTORIES, config(**settings))


# Windows


@given(per_user=st.integers(1, 4), size=st.integers(1, 5), n_users=st.integers(1, 6))
def test_windows_are_of_one_size_and_in_time_order(per_user: int, size: int, n_users: int) -> None:
    settings = config(targets_per_user=per_user, n_users=n_users, grpo=grpo(prompts_per_step=size))
    n_targets = n_users * min(per_user, 3)
    if n_targets < size:
        with pytest.raises(InvalidDataError, match=f"at least {size} training interactions"):
            correction_windows(HISTORIES, settings)
        return
    windows = correction_windows(HISTORIES, settings)
    targets = [target for window in windows for target in window]
    assert {len(window) for window in windows} == {size}
    assert len(targets) == n_targets - n_targets % size
    assert [target.timestamp for target in targets] == sorted(target.timestamp for target in targets)
    assert all(len(HISTORIES[target.user_id].before(target.timestamp)) for target in targets)


def test_the_oldest_are_left_out_and_a_moment_counts_once() -> None:
    hour = timedelta(hours=1)
    times = (START, START + hour, START + hour, START + 2 * hour, START + 3 * hour)
    users = {"u": UserHistory("u", ("i0", "i1", "i2", "i3", "i4"), times)}
    windows = correction_windows(users, config(targets_per_user=9, grpo=grpo(prompts_per_step=2)))
    # The first moment has nothing before it; of i1 and i2 the first stands for both, and is left out as the oldest.
    assert windows == [[Interaction("u", "i3", START + 2 * hour), Interaction("u", "i4", START + 3 * hour)]]


def held_out(*targets: Interaction) -> pl.DataFrame:
    return pl.DataFrame(list(targets), schema=["user_id", "item_id", "timestamp"], orient="row")


def test_a_planted_held_out_interaction_is_refused() -> None:
    taken = HISTORIES["u2"]
    planted = Interaction("u2", taken.item_ids[-1], taken.timestamps[-1])
    require_training_only(HISTORIES | {"u2": taken.first(3)}, held_out(planted))
    with pytest.raises(
        InvalidDataError, match=f"got 1 that are held out, first for user 'u2' and item '{planted.item_id}'"
    ):
        require_training_only(HISTORIES, held_out(planted))
    with pytest.raises(InvalidDataError, match="got 1 that are held out"):
        require_training_only(HISTORIES, held_out(planted).drop("timestamp"))


def test_an_item_that_is_taken_again_later_may_be_held_out_then() -> None:
    taken = HISTORIES["u2"]
    later = Interaction("u2", taken.item_ids[0], taken.timestamps[-1] + timedelta(days=1))
    require_training_only(HISTORIES, held_out(later))


def test_correction_checks_histories_and_store(tmp_path: Path) -> None:
    taken = HISTORIES["u2"]
    planted = Interaction("u2", taken.item_ids[-1], taken.timestamps[-1])
    walk = correction(replace(judge(), histories=HISTORIES | {"u2": taken.first(3)}))
    with pytest.raises(InvalidDataError, match="expected none about held-out interactions"):
        walk.correct(snapshot(FIRST, PATTERNS), checkpoints=tmp_path, held_out=held_out(planted))
    with pytest.raises(InvalidDataError, match="got 1 that are held out"):
        correction(judge()).correct(snapshot([]), checkpoints=tmp_path, held_out=held_out(planted))


# Rewards


def test_likelihood_difference_is_that_of_two_log_probabilities() -> None:
    """The target scores 0 beside others of 0 and 0; with a reason it scores ln 2 or stays at 0.

    Its probability goes from 1/3 to 2/4, or stays: ln(1/2) - ln(1/3) = ln(3/2), or 0.
    """
    found = likelihood_difference(
        torch.tensor([[2.0, 1.0]]).log(), torch.tensor([0.0]), others_without=torch.tensor([[0.0, 0.0]])
    )
    torch.testing.assert_close(found, torch.tensor([[1.5, 1.0]]).log())


TARGET = Interaction("u5", HISTORIES["u5"].item_ids[-1], HISTORIES["u5"].timestamps[-1])
GROUP = [["because of war", "because it is good", "title0"]]


def ranked(start: Texts, planted: Sequence[Reason] = ()) -> torch.Tensor:
    """The whole catalogue as the model ranks it for the target's user, what was taken at minus infinity."""
    texts = Texts(start.patterns, start.reasons.append(planted))
    numbers = {item_id: n for n, item_id in enumerate(ITEMS, start=1)}
    queries = TimedSequences.of(HISTORIES, item_numbers=numbers).last_items()
    ranker = RewardRanker.of(reward_model(), CorrectionReport(GrpoReport(), texts).inputs(WordEncoder()))
    (scores,) = [scores for _, scores in ranker.score_blocks(queries.select(np.array([5])), rerank=None)]
    return scores[0]


def planted_by_another(text: str, *item_ids: str) -> list[Reason]:
    """The newest reason of each item, somebody else's."""
    earlier = TARGET.timestamp - timedelta(microseconds=1)
    return [reason(Interaction("u1", item_id, earlier), text) for item_id in item_ids]


def test_a_reason_is_worth_what_ranking_makes_of_it_in_the_store() -> None:
    """Both rewards with all others as negatives, against scores of a store in which the reason really stands."""
    start = snapshot(FIRST, PATTERNS)
    others = [item_id for item_id in ITEMS if item_id not in HISTORIES["u5"].item_ids]
    everything = {"n_negatives": len(others), "negative_pool": N_ITEMS}
    likelihood = judge(**everything).rewards([TARGET], GROUP, snapshot=start)[0]
    difference = judge(**everything, reward="difference").rewards([TARGET], GROUP, snapshot=start)[0]
    own = list(ITEMS).index(TARGET.item_id)
    rows = [list(ITEMS).index(item_id) for item_id in others]
    without = ranked(start)
    for place, text in enumerate(GROUP[0]):
        alone = ranked(start, planted_by_another(text, TARGET.item_id))
        likelier = alone.log_softmax(0)[own] - without.log_softmax(0)[own]
        torch.testing.assert_close(likelihood[place], likelier, rtol=1e-3, atol=1e-6)
        everywhere = ranked(start, planted_by_another(text, TARGET.item_id, *others)) - without
        gain = everywhere[own] - everywhere[rows].mean()
        torch.testing.assert_close(difference[place], gain, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("reward", ["likelihood", "difference"])
def test_rewards_do_not_depend_on_who_else_is_judged(reward: str) -> None:
    start = snapshot(FIRST, PATTERNS)
    other = Interaction("u4", HISTORIES["u4"].item_ids[-1], HISTORIES["u4"].timestamps[-1])
    found = judge(reward=reward).rewards([TARGET], GROUP, snapshot=start)
    assert len(set(found[0].tolist())) == 3
    both = judge(reward=reward).rewards([other, TARGET], GROUP * 2, snapshot=start)
    torch.testing.assert_close(both[1:], found)


@pytest.mark.parametrize("reward", ["likelihood", "difference"])
@pytest.mark.parametrize(
    ("planted", "is_seen"),
    [
        (Interaction("u1", TARGET.item_id, TARGET.timestamp - timedelta(minutes=1)), True),
        (Interaction("u1", TARGET.item_id, TARGET.timestamp), False),  # of the same moment
        (Interaction("u1", TARGET.item_id, TARGET.timestamp + timedelta(days=1)), False),
        (Interaction("u5", TARGET.item_id, TARGET.timestamp - timedelta(minutes=1)), False),  # the user's own (C1)
    ],
)
def test_only_earlier_reasons_of_others_are_read(planted: Interaction, is_seen: bool, reward: str) -> None:
    start = snapshot(FIRST, PATTERNS)
    grown = Texts(start.patterns, start.reasons.append([reason(planted, "music is good")]))
    before, after = (judge(reward=reward).rewards([TARGET], GROUP, snapshot=texts) for texts in (start, grown))
    assert torch.equal(before, after) == (not is_seen)


@pytest.mark.parametrize(("hours", "is_seen"), [(-1, True), (0, False), (1, False)])
def test_only_earlier_patterns_are_read(hours: int, is_seen: bool) -> None:
    start = snapshot(FIRST, PATTERNS)
    planted = Pattern("u5", 9, TARGET.timestamp + timedelta(hours=hours), "- music, space and title0", "pen")
    grown = Texts(start.patterns.append([planted]), start.reasons)
    before, after = (judge().rewards([TARGET], GROUP, snapshot=texts) for texts in (start, grown))
    assert torch.equal(before, after) == (not is_seen)


def test_later_items_of_the_history_are_not_read() -> None:
    start = snapshot(FIRST, PATTERNS)
    earlier = Interaction("u5", HISTORIES["u5"].item_ids[1], HISTORIES["u5"].timestamps[1])
    # All but what the user took, so that which others there are does not depend on it.
    settings = config(negative_pool=N_ITEMS, n_negatives=N_ITEMS - 4)
    found = ReasonJudge(reward_model(), WordEncoder(), HISTORIES, settings).rewards([earlier], GROUP, snapshot=start)
    moved = UserHistory(
        "u5", (*HISTORIES["u5"].item_ids[:2], *HISTORIES["u5"].item_ids[:1:-1]), HISTORIES["u5"].timestamps
    )
    planted = ReasonJudge(reward_model(), WordEncoder(), HISTORIES | {"u5": moved}, settings)
    torch.testing.assert_close(planted.rewards([earlier], GROUP, snapshot=start), found)
    shorter = UserHistory("u5", HISTORIES["u5"].item_ids[1:], HISTORIES["u5"].timestamps[1:])
    without = ReasonJudge(reward_model(), WordEncoder(), HISTORIES | {"u5": shorter}, config())
    assert not torch.equal(without.rewards([earlier], GROUP, snapshot=start), found)


def test_an_item_without_reasons_and_a_user_without_pattern_are_judged() -> None:
    found = judge().rewards([TARGET], GROUP, snapshot=snapshot([]))
    assert torch.isfinite(found).all()
    assert len(set(found[0].tolist())) == 3


def test_a_reason_alone_is_not_judged_by_the_list() -> None:
    start = snapshot(FIRST, PATTERNS)
    earlier = Interaction("u1", TARGET.item_id, TARGET.timestamp - timedelta(minutes=1))
    grown = Texts(start.patterns, start.reasons.append([reason(earlier, "music is good")]))
    alone = [judge(alone_weight=1.0).rewards([TARGET], GROUP, snapshot=texts) for texts in (start, grown)]
    assert torch.equal(*alone)
    half = judge(alone_weight=0.5).rewards([TARGET], GROUP, snapshot=grown)
    among = judge().rewards([TARGET], GROUP, snapshot=grown)
    torch.testing.assert_close(half, (among + alone[1]) / 2)


def test_a_model_that_reads_no_reasons_is_refused() -> None:
    with pytest.raises(InvalidConfigError, match="expected a reward model that reads reasons, got variant 'none'"):
        ReasonJudge(reward_model("none"), WordEncoder(), HISTORIES, config())


def test_a_user_who_took_nearly_all_is_named() -> None:
    users = {"u": history("u", list(range(N_ITEMS - 2)))}
    target = Interaction("u", "i3", users["u"].timestamps[3])
    with pytest.raises(InvalidConfigError, match="expected at most 2 for user 'u'"):
        ReasonJudge(reward_model(), WordEncoder(), users, config()).rewards([target], GROUP, snapshot=snapshot([]))


def test_a_reason_that_any_item_could_have_earns_nothing_by_difference() -> None:
    """Where a model adds what it reads and no more, own and others' gains cancel: the reason why it must interact."""
    gain = torch.tensor([[0.7, -0.2]])
    without, others = torch.tensor([1.0]), torch.tensor([[0.5, 2.0]])
    found = difference_reward(
        without[:, None] + gain,
        without,
        others_with=others[:, None] + gain[:, :, None],
        others_without=others,
    )
    torch.testing.assert_close(found, torch.zeros(1, 2))


# Outputs


def correction(judging: ReasonJudge, **options: object) -> Correction:
    settings = {"update_sampling": SamplingConfig(max_tokens=8)} | options
    return Correction(policy(), judging, ITEMS, TEMPLATE, judging.config, **settings)  # type: ignore[arg-type]


def test_what_is_no_reason_earns_less_than_any() -> None:
    outputs = [
        Output("because of war"),
        Output(""),
        Output("..."),
        Output("war " * 61),
        Output("because of war", is_cut=True),
        Output("<answer> because of war"),
    ]
    (found,) = correction(judge()).rewards([TARGET], [outputs], snapshot=snapshot(FIRST, PATTERNS))
    assert found[1:] == [-1.0] * 5
    assert found[0] > -1.0


def test_untrue_reasons_earn_no_more_than_none() -> None:
    walk = correction(judge(), is_true=lambda target, text: "war" not in text)
    outputs = [Output("because of war"), Output("because of space")]
    (found,) = walk.rewards([TARGET], [outputs], snapshot=snapshot(FIRST, PATTERNS))
    (trusting,) = correction(judge()).rewards([TARGET], [outputs], snapshot=snapshot(FIRST, PATTERNS))
    assert found == [-1.0, trusting[1]]


# The walk


UPDATE = '{"pattern": ["war"], "reason": "because"}'


@pytest.fixture(scope="module")
def writer() -> Policy:
    """A policy that answers reason prompts with a word or two and every update prompt with the same update."""
    made = policy()
    requests = reason_requests(
        interactions_of(HISTORIES), histories=HISTORIES, patterns=snapshot([], PATTERNS).patterns
    )
    asking = correction(judge())
    pairs = []
    for place, request in enumerate(requests):
        pattern = None if request.pattern is None else request.pattern.text
        update = TEMPLATE.update(ITEMS[request.interaction.item_id], pattern=pattern)
        pairs.append((made.text(update), UPDATE))
        pairs.append((made.text(asking.reason_prompt(request)), (" good", " because it is good", " war")[place % 3]))
    warm_up(made, pairs, steps=120, batch_size=16, learning_rate=2e-2, seed=0)
    return made


def walk_of(writer: Policy, settings: CorrectionConfig) -> Correction:
    judging = ReasonJudge(reward_model(), WordEncoder(), HISTORIES, settings)
    return replace(correction(judging), policy=copy.deepcopy(writer), update_sampling=SamplingConfig(max_tokens=32))


def weights(tuned: Policy) -> list[torch.Tensor]:
    return [tensor.detach().clone() for tensor in tuned.model.parameters()]


def frames(report: CorrectionReport) -> list[pl.DataFrame]:
    return [report.snapshot.patterns.frame, report.snapshot.reasons.frame]


def test_every_window_tunes_once_and_writes_what_joins_the_texts(writer: Policy, tmp_path: Path) -> None:
    start, walk = snapshot(FIRST, PATTERNS), walk_of(writer, config())
    windows = correction_windows(HISTORIES, walk.config)
    report = walk.correct(start, checkpoints=tmp_path)
    assert len(report.tuning.steps) == len(windows) == 6 * 2 // 2
    assert not report.failures
    written = report.snapshot.reasons.reasons()[len(FIRST) :]
    assert [(r.user_id, r.item_id, r.timestamp) for r in written] == [target for window in windows for target in window]
    assert {(r.text, r.version) for r in written} == {("because", 1)}
    assert [r.writer for r in written[::2]] == [f"scratch@window-{n}" for n in range(1, 7)]
    patterns = report.snapshot.patterns.patterns()[len(PATTERNS) :]
    assert {(p.text, p.version) for p in patterns} == {("- war", 1)}
    # They may be read only after the interactions that they rest on.
    assert [p.until for p in patterns] == [r.timestamp for r in written]
    assert [p.n_items for p in patterns[-2:]] == [len(HISTORIES[p.user_id].before(p.until)) + 1 for p in patterns[-2:]]
    assert report.snapshot.reasons.reasons()[: len(FIRST)] == FIRST


def test_a_second_pass_writes_higher_versions(writer: Policy, tmp_path: Path) -> None:
    walk = walk_of(writer, config(passes=2, grpo=grpo(prompts_per_step=4, outputs_at_once=16, learning_rate=1e-3)))
    report = walk.correct(snapshot(FIRST, PATTERNS), checkpoints=tmp_path)
    assert len(report.tuning.steps) == 2 * (6 * 2 // 4)
    assert [r.version for r in report.snapshot.reasons.reasons()[len(FIRST) :]] == [1] * 12 + [2] * 12


def test_later_windows_are_asked_with_the_patterns_of_earlier_ones(writer: Policy, tmp_path: Path) -> None:
    settings = config(targets_per_user=3)
    walk, prompts = walk_of(writer, settings), []

    def noted(request: ReasonRequest) -> Messages:
        prompts.append((request.interaction, request.pattern))
        return Correction.reason_prompt(walk, request)

    walk.reason_prompt = noted  # type: ignore[method-assign]
    report = walk.correct(snapshot(FIRST, PATTERNS), checkpoints=tmp_path)
    versions = {(target.user_id, target.timestamp): pattern.version for target, pattern in prompts if pattern}
    for user, taken in HISTORIES.items():
        windows = [
            n for n, window in enumerate(correction_windows(HISTORIES, settings)) for t in window if t[0] == user
        ]
        expected = [0] + [1 if windows[n] > windows[n - 1] else None for n in (1, 2)]
        found = [versions[user, moment] for moment in taken.timestamps[1:]]
        assert all(is_it == should for is_it, should in zip(found, expected, strict=True) if should is not None)
    assert all(pattern.until < target.timestamp for target, pattern in prompts if pattern)
    assert len(report.tuning.steps) == 9


class KilledError(Exception):
    """Stands for what ends a process."""


@pytest.mark.parametrize("moment", ["in the reward", "after the texts"])
def test_a_killed_walk_redoes_its_window_and_doubles_nothing(
    moment: str, writer: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = walk_of(writer, config())
    expected = whole.correct(snapshot(FIRST, PATTERNS), checkpoints=tmp_path / "whole")
    killed = walk_of(writer, config())
    calls = [0]

    def rewards(*arguments: object, **options: object) -> list[list[float]]:
        calls[0] += 1
        if calls[0] == 4 and moment == "in the reward":
            raise KilledError
        return Correction.rewards(killed, *arguments, **options)  # type: ignore[arg-type]

    def no_checkpoint(directory: Path, step: int) -> None:
        if step == 4:
            raise KilledError
        mark_complete(directory, step)

    killed.rewards = rewards  # type: ignore[method-assign]
    with monkeypatch.context() as patched:
        if moment == "after the texts":
            patched.setattr("whyrec.llm.training_runs.mark_complete", no_checkpoint)
        with pytest.raises(KilledError):
            killed.correct(snapshot(FIRST, PATTERNS), checkpoints=tmp_path / "states")
    left = {path.name for path in (tmp_path / "states" / "windows").iterdir()}
    assert left == {f"{n:06d}" for n in range(1, 4 if moment == "in the reward" else 5)}
    resumed = walk_of(writer, config())
    report = resumed.correct(snapshot(FIRST, PATTERNS), checkpoints=tmp_path / "states")
    assert all(map(pl.DataFrame.equals, frames(report), frames(expected)))
    assert all(map(torch.equal, weights(resumed.policy), weights(whole.policy)))
    assert [step.reward for step in report.tuning.steps] == [step.reward for step in expected.tuning.steps]


def test_a_walk_that_is_done_is_read_and_not_walked_again(writer: Policy, tmp_path: Path) -> None:
    first = walk_of(writer, config())
    expected = first.correct(snapshot(FIRST, PATTERNS), checkpoints=tmp_path)
    again = walk_of(writer, config())
    again.rewards = None  # type: ignore[assignment, method-assign]
    report = again.correct(snapshot(FIRST, PATTERNS), checkpoints=tmp_path)
    assert all(map(pl.DataFrame.equals, frames(report), frames(expected)))
    assert all(map(torch.equal, weights(again.policy), weights(first.policy)))


def test_states_of_another_walk_are_refused(writer: Policy, tmp_path: Path) -> None:
    walk_of(writer, config()).correct(snapshot(FIRST, PATTERNS), checkpoints=tmp_path)
    with pytest.raises(InvalidConfigError, match="got those of one with other settings or data"):
        walk_of(writer, config(n_negatives=2)).correct(snapshot(FIRST, PATTERNS), checkpoints=tmp_path)


def test_updates_that_are_none_leave_the_texts_as_they_are(tmp_path: Path) -> None:
    start, walk = snapshot(FIRST, PATTERNS), correction(judge())
    report = walk.correct(start, checkpoints=tmp_path)
    assert sum(report.failures.values()) == 12
    assert len(report.snapshot.reasons) == len(FIRST)
    assert len(report.snapshot.patterns) == len(PATTERNS)


def test_what_a_reward_model_reads_of_corrected_texts() -> None:
    """C14: for the model as it is, and for one that is trained anew."""
    start = snapshot(FIRST, PATTERNS)
    newer = [replace(one, text="music", version=1) for one in FIRST[:2]]
    grown = Texts(start.patterns, start.reasons.append(newer))
    inputs = CorrectionReport(GrpoReport(), grown).inputs(WordEncoder())
    assert len(inputs.reason_times) == len(FIRST) + 2
    target = FIRST[0]
    item = grown.reasons.item_rows([target.item_id])
    later = int((target.timestamp - START) / timedelta(microseconds=1)) + int(START.timestamp() * 1e6) + 1
    rows = inputs.reasons_before(item, at=later, users=grown.reasons.user_rows(["u3"]), k=1)
    assert grown.reasons.frame["text"][int(rows[0, 0])] == "music"
