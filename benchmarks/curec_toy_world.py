"""A world that a model of a hundred thousand parameters can learn: items of one aspect each, users who like one.

Before it meets any user, the model is taught what prompts and answers look like, on made-up ones: first to choose what
shares the aspect of the history, then to do so rarely and mostly to take what stands first. Of reasons it learns to say
mostly that an item is good, rarely what it shares with the history. A model whose answers are merely drawn more surely
falls for the common habits; to earn rewards it has to give them up.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import torch

from whyrec.data.item_lines import ItemText
from whyrec.encoders.ranking import HeldOut
from whyrec.encoders.train import TrainingConfig
from whyrec.llm.base import SamplingConfig
from whyrec.llm.local.grpo import GrpoReport
from whyrec.llm.local.policy import Policy
from whyrec.llm.local.policy_config import ScratchConfig
from whyrec.llm.local.tiny_policy import tiny_policy, warm_up
from whyrec.methods.curec.base_encoder import new_encoder, train_encoder
from whyrec.methods.curec.compact import CompactTemplate
from whyrec.methods.curec.config import BaseConfig, RewardModelConfig, RewardTrainingConfig
from whyrec.methods.curec.correction import CorrectionReport
from whyrec.methods.curec.histories import Interaction, UserHistory, interactions_of
from whyrec.methods.curec.latent_vectors import LatentEncoder
from whyrec.methods.curec.model_writers import LanguageModelPatternWriter, LanguageModelReasonWriter
from whyrec.methods.curec.patterns import PatternBook, write_patterns
from whyrec.methods.curec.reasons import ReasonStore, write_reasons
from whyrec.methods.curec.reward_inputs import Queries, RewardInputs, TimedSequences
from whyrec.methods.curec.reward_model import RewardModel
from whyrec.methods.curec.reward_training import RewardReport, train_reward_model
from whyrec.methods.curec.text_vectors import TextEncoder
from whyrec.methods.curec.texts import Texts

ASPECTS = ("war", "space", "music", "crime", "sport", "magic")
GENERIC = "because it is good"
SHORT = SamplingConfig(max_tokens=12)


def naming(aspect: str) -> str:
    """A reason that names an aspect."""
    return f"because of {aspect}"


START = datetime(2020, 1, 1, tzinfo=UTC)
N_HISTORY, N_CANDIDATES = 2, 5
# Titles are withheld, so that candidates are called "item 1" and so on: a small model copies few names sooner.
CHOICE = CompactTemplate(max_history=N_HISTORY, mask_titles=True)
# Here they stand, as equal prompts are answered alike.
TEXTS = CompactTemplate(max_history=N_HISTORY)
SCRATCH = ScratchConfig(width=64, layers=2, heads=4, context=64)


@dataclass(frozen=True)
class ToyWorld:
    """Who took what."""

    items: dict[str, ItemText]
    histories: dict[str, UserHistory]
    """Training interactions."""
    held_out: pl.DataFrame
    """The last interaction of every user."""

    @property
    def test_interactions(self) -> list[Interaction]:
        return [Interaction(*row) for row in self.held_out.select("user_id", "item_id", "timestamp").iter_rows()]

    def aspect(self, item_id: str) -> str:
        return self.items[item_id].attributes["genre"]

    def of_aspect(self, aspect: str) -> list[str]:
        return [item_id for item_id, item in self.items.items() if item.attributes["genre"] == aspect]

    def liked(self, history: UserHistory) -> str:
        """The aspect of most items; of equals the one that came first."""
        return Counter(map(self.aspect, history.item_ids)).most_common(1)[0][0]


def toy_world(
    *, n_users: int = 200, per_aspect: int = 12, length: int = 8, noise: float = 0.05, seed: int = 0
) -> ToyWorld:
    """Draw a world; a share of the interactions, ``noise``, is with items that the user does not like."""
    rng = np.random.default_rng(seed)
    places = [(aspect, n) for aspect in ASPECTS for n in range(per_aspect)]
    items = {f"i{k}": ItemText(f"i{k}", f"title{k}", {"genre": aspect}) for k, (aspect, _) in enumerate(places)}
    ticks = np.sort(rng.permutation(n_users * length).reshape(n_users, length), axis=1)
    histories, held_out = {}, []
    for user in range(n_users):
        mine = [item_id for item_id, item in items.items() if item.attributes["genre"] == ASPECTS[user % len(ASPECTS)]]
        others = [item_id for item_id in items if item_id not in mine]
        n_others = int(rng.binomial(length, noise))
        taken = [*rng.choice(mine, length - n_others, replace=False), *rng.choice(others, n_others, replace=False)]
        order = [str(item_id) for item_id in rng.permutation(taken)]
        times = [START + timedelta(hours=int(tick)) for tick in ticks[user]]
        histories[f"u{user}"] = UserHistory(f"u{user}", tuple(order[:-1]), tuple(times[:-1]))
        held_out.append({"user_id": f"u{user}", "item_id": order[-1], "timestamp": times[-1]})
    return ToyWorld(items, histories, pl.DataFrame(held_out, schema_overrides={"timestamp": pl.Datetime("us", "UTC")}))


@dataclass(frozen=True)
class Habits:
    """How often the teacher does what; the rest is chance."""

    choose_liked: float
    choose_first: float
    reason_shared: float = 0.35
    reason_generic: float = 0.45


TAUGHT = Habits(choose_liked=1.0, choose_first=0.0)
SPOILT = Habits(choose_liked=0.25, choose_first=0.65)


@dataclass(frozen=True)
class Lesson:
    """A made-up user: what was taken, what comes next, and what else there is to choose."""

    liked: str
    history: tuple[ItemText, ...]
    target: ItemText
    candidates: tuple[ItemText, ...]


def warm_up_pairs(world: ToyWorld, habits: Habits, *, n: int, seed: int) -> list[tuple[str, str]]:
    """Prompts and answers for the four tasks: three times as many choices as of the three others together."""
    rng = np.random.default_rng(seed)
    pairs = []
    for place in range(n):
        lesson = _lesson(world, rng)
        make = _choice if place % 4 else (_pattern, _reason, _update)[place // 4 % 3]
        pairs.append(make(lesson, rng, habits))
    return pairs


def warm_policy(
    world: ToyWorld,
    *,
    seed: int,
    steps: tuple[int, int] = (1200, 80),
    taught: Habits = TAUGHT,
    spoilt: Habits = SPOILT,
) -> Policy:
    """Make a model, teach it, and spoil it.

    Args:
        world: Whose items it learns to read.
        seed: Of weights and lessons.
        steps: Of teaching and of spoiling.
        taught: What it is taught.
        spoilt: What it is spoilt with.
    """
    first = warm_up_pairs(world, taught, n=15_000, seed=seed)
    second = warm_up_pairs(world, spoilt, n=5_000, seed=seed + 1)
    policy = tiny_policy((text for pair in first for text in pair), config=SCRATCH, seed=seed)
    warm_up(policy, first, steps=steps[0], batch_size=32, learning_rate=3e-3, seed=seed)
    warm_up(policy, second, steps=steps[1], batch_size=64, learning_rate=1e-3, seed=seed + 1)
    return policy


def text_encoder() -> LatentEncoder:
    """Compares texts by their words."""
    texts = [wording for aspect in ASPECTS for wording in (naming(aspect), f"- {aspect}")]
    return LatentEncoder.fit([*texts, GENERIC], dim=16)


def written(world: ToyWorld, policy: Policy, *, seed: int = 0) -> Texts:
    """Patterns and reasons of all training interactions, as the policy writes them now; reasons are sampled."""
    model = policy.asked(revision="aligned")
    pattern_writer = LanguageModelPatternWriter(model, world.items, TEXTS, sampling=SHORT)
    patterns = write_patterns(world.histories, pattern_writer, every=2)
    sampling = SHORT.model_copy(update={"temperature": 1.0, "seed": seed})
    reason_writer = LanguageModelReasonWriter(model, world.items, TEXTS, sampling=sampling)
    reasons = write_reasons(
        interactions_of(world.histories), reason_writer, histories=world.histories, patterns=patterns
    )
    items, users = pl.Series("item_id", list(world.items)), pl.Series("user_id", list(world.histories))
    return Texts(
        PatternBook.of(patterns.frame, user_ids=users), ReasonStore.of(reasons, item_ids=items, user_ids=users)
    )


def reward_inputs(snapshot: Texts, encoder: TextEncoder) -> RewardInputs:
    return CorrectionReport(GrpoReport(), snapshot).inputs(encoder)


def timed(world: ToyWorld) -> TimedSequences:
    numbers = {item_id: n for n, item_id in enumerate(world.items, start=1)}
    return TimedSequences.of(world.histories, item_numbers=numbers)


def test_queries(world: ToyWorld) -> Queries:
    """The held-out interactions, from what came before them."""
    histories = {}
    for target in world.test_interactions:
        known = world.histories[target.user_id]
        histories[target.user_id] = UserHistory(
            target.user_id, (*known.item_ids, target.item_id), (*known.timestamps, target.timestamp)
        )
    return timed(replace(world, histories=histories)).last_items()


def reward_model(
    world: ToyWorld, snapshot: Texts, encoder: TextEncoder, *, epochs: int = 12, seed: int = 0
) -> tuple[RewardModel, RewardReport]:
    """Train base and reward model on a snapshot; the last training interaction of every user tells when to stop.

    The base is stopped early, so that it knows the items badly and reasons have something to say.
    """
    everything = timed(world)
    training, validation = everything.without_last(), everything.last_items()
    inputs = reward_inputs(snapshot, encoder)
    shape = BaseConfig(embedding_dim=16, n_layers=1, n_heads=2, max_history=8, dropout=0.0)
    base = new_encoder(len(world.items), shape, seed=seed)
    train_encoder(
        base,
        training.sequences,
        config=TrainingConfig(epochs=1, batch_size=64, learning_rate=3e-3, seed=seed),
        validation=HeldOut(validation.histories, validation.targets),
    )
    config = RewardModelConfig(max_reasons=4, n_heads=2, hidden=(32, 16), dropout=0.0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = RewardModel(base, config, text_dim=inputs.text_dim)
    training_config = RewardTrainingConfig(
        epochs=epochs, patience=epochs, batch_size=64, learning_rate=1e-2, n_negatives=32, n_in_batch=16, seed=seed
    )
    report = train_reward_model(model, training, inputs, config=training_config, validation=validation)
    return model.requires_grad_(False), report


def agreeing(world: ToyWorld, *, n: int, seed: int = 0) -> list[Interaction]:
    """Interactions with items of the aspect that the user's history shows, from the third on."""
    found = []
    for target in interactions_of(world.histories):
        known = world.histories[target.user_id].before(target.timestamp)
        if len(known) >= N_HISTORY and world.aspect(target.item_id) == world.liked(known):
            found.append(target)
    places = np.random.default_rng(seed).choice(len(found), size=min(n, len(found)), replace=False)
    return [found[place] for place in np.sort(places).tolist()]


def naming_shares(world: ToyWorld, reasons: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Shares of reasons, given with their items, that name the item's aspect, none, or another."""
    kinds = Counter(
        "shared" if world.aspect(item) in text.split() else "other" if set(text.split()) & set(ASPECTS) else "generic"
        for item, text in reasons
    )
    return {kind: kinds[kind] / len(reasons) for kind in ("shared", "generic", "other")}


def _lesson(world: ToyWorld, rng: np.random.Generator) -> Lesson:
    liked, *others = (str(aspect) for aspect in rng.permutation(ASPECTS))
    *history, target = rng.choice(world.of_aspect(liked), N_HISTORY + 1, replace=False)
    wrong = [str(rng.choice(world.of_aspect(other))) for other in others[: N_CANDIDATES - 1]]
    candidates = [str(item_id) for item_id in rng.permutation([target, *wrong])]
    items = world.items
    return Lesson(
        liked,
        tuple(items[str(item_id)] for item_id in history),
        items[str(target)],
        tuple(items[item_id] for item_id in candidates),
    )


def _choice(lesson: Lesson, rng: np.random.Generator, habits: Habits) -> tuple[str, str]:
    draw = rng.random()
    if draw < habits.choose_liked:
        place = lesson.candidates.index(lesson.target)
    elif draw < habits.choose_liked + habits.choose_first:
        place = 0
    else:
        place = int(rng.integers(len(lesson.candidates)))
    prompt = CHOICE.recommendation(lesson.history, candidates=lesson.candidates)
    thought, label = lesson.candidates[place].attributes["genre"], CHOICE.labels(lesson.candidates)[place]
    return prompt[0].content, f"<think> {thought}</think><answer> {label}</answer>"


def _pattern(lesson: Lesson, rng: np.random.Generator, habits: Habits) -> tuple[str, str]:
    history = lesson.history[: int(rng.integers(1, N_HISTORY + 1))]
    return TEXTS.pattern(history)[0].content, f"- {lesson.liked}"


def _reason(lesson: Lesson, rng: np.random.Generator, habits: Habits) -> tuple[str, str]:
    history = lesson.history[: int(rng.integers(N_HISTORY + 1))]
    pattern = f"- {lesson.liked}" if history else None
    prompt = TEXTS.reason(lesson.target, pattern=pattern, history=history)
    return prompt[0].content, f" {_why(lesson, rng, habits)}"


def _update(lesson: Lesson, rng: np.random.Generator, habits: Habits) -> tuple[str, str]:
    pattern = f"- {lesson.liked}" if rng.random() < 0.8 else None
    prompt = TEXTS.update(lesson.target, pattern=pattern)
    answer = f'{{"pattern": [" {lesson.liked}"], "reason": " {_why(lesson, rng, habits)}"}}'
    return prompt[0].content, answer


def _why(lesson: Lesson, rng: np.random.Generator, habits: Habits) -> str:
    draw = rng.random()
    if draw < habits.reason_shared:
        return naming(lesson.liked)
    return GENERIC if draw < habits.reason_shared + habits.reason_generic else naming(str(rng.choice(ASPECTS)))
