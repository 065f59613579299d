"""A world in which the words of items tell hidden levels, and users prefer levels that their histories show.

Every item has a word for its level on each of three aspects. Nobody tells a language model what the words mean, nor
that they belong to aspects: it can only find out that scores which follow them help to say what a user takes next.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from whyrec.llm.base import Message
from whyrec.llm.local.policy import Policy
from whyrec.llm.local.policy_config import ScratchConfig
from whyrec.llm.local.tiny_policy import tiny_policy, warm_up
from whyrec.methods.guided.answers import answer_text
from whyrec.methods.guided.artefacts import AspectScores
from whyrec.methods.guided.aspects import LEVELS, AspectSet
from whyrec.methods.guided.normalising import Normalisation
from whyrec.methods.guided.prompts import Messages
from whyrec.methods.guided.tuning_tasks import LikingTask, NextItemTask, for_tuning

WORDS = {
    "tension": ("calm", "gentle", "tense", "deadly"),
    "pace": ("slow", "steady", "brisk", "fast"),
    "magic": ("plain", "odd", "eerie", "enchanted"),
}
WORD_LEVELS = (1, 4, 7, 10)
"""What the words of an aspect stand for, in their order."""
N_HISTORY, N_CANDIDATES = 5, 5
STRENGTH = 4.0
"""Of preferences, in log-odds per product of unit deviation."""
SCRATCH = ScratchConfig(width=64, layers=2, heads=4, context=64)


def toy_aspects() -> AspectSet:
    """One scale for each kind of word."""
    poles = {key: [{"means": word, "descriptions": (word,) * 3} for word in (w[0], w[-1])] for key, w in WORDS.items()}
    aspects = [
        {"key": key, "name": key, "meaning": f"Its {key}.", "low": low, "high": high}
        for key, (low, high) in poles.items()
    ]
    return AspectSet.model_validate({"domain": "tales", "thing": "tale", "aspect": aspects})


@dataclass(frozen=True, eq=False)
class ToyUsers:
    """What is asked of some users, and what they took next."""

    prompts: dict[str, Messages]
    preferred: NDArray[np.float64]
    """Hidden."""
    candidates: NDArray[np.int64]
    target: NDArray[np.int64]

    def shuffled(self, seed: int) -> "ToyUsers":
        """The control: every user's next item is another user's."""
        order = np.random.default_rng(seed).permutation(len(self.target))
        return ToyUsers(self.prompts, self.preferred[order], self.candidates[order], self.target[order])


@dataclass(frozen=True, eq=False)
class ToyWorld:
    """Items and who took what."""

    aspects: AspectSet
    normalisation: Normalisation
    items: torch.Tensor
    """Their columns."""
    levels: NDArray[np.float64]
    """Of the items."""
    training: ToyUsers
    test: ToyUsers

    def task(self, users: ToyUsers) -> NextItemTask:
        """To find what users took among others; the base system knows nothing."""
        return NextItemTask(
            self.normalisation,
            self.items,
            candidates=torch.from_numpy(users.candidates),
            base_scores=torch.zeros(users.candidates.shape),
            targets=torch.from_numpy(users.target),
        )

    def liking(self, users: ToyUsers) -> LikingTask:
        """To tell what users took from what they did not."""
        is_liked = torch.arange(N_CANDIDATES) == torch.from_numpy(users.target)[:, None]
        return LikingTask(
            self.normalisation,
            self.items,
            pairs=torch.from_numpy(users.candidates),
            is_liked=is_liked,
            is_pair=torch.ones_like(is_liked),
        )

    def oracle(self, users: ToyUsers) -> float:
        """Mean log-likelihood of what users took, by the rule that they chose by."""
        odds = utilities(users.preferred, self.levels)[np.arange(len(users.target))[:, None], users.candidates]
        logp = torch.from_numpy(odds).log_softmax(dim=1)
        return float(logp[torch.arange(len(logp)), torch.from_numpy(users.target)].mean())


def toy_world(*, n_training: int = 1000, n_test: int = 200, seed: int = 0) -> ToyWorld:
    """Draw a world."""
    rng = np.random.default_rng(seed)
    aspects = toy_aspects()
    words = np.stack(np.meshgrid(*[range(len(WORD_LEVELS))] * len(WORDS), indexing="ij"), axis=-1).reshape(-1, 3)
    levels = np.array(WORD_LEVELS, dtype=np.float64)[words]
    ids = pl.Series("item_id", [f"i{n}" for n in range(len(levels))])
    scores = AspectScores.of("items", ids, levels, aspects=aspects.keys, writer="toy")
    learned = Normalisation.learn(scores, ids, is_training=np.ones(len(ids), dtype=bool), embedding_dim=8)
    normalisation = for_tuning(learned, strength=STRENGTH)
    names = [" ".join(WORDS[key][word] for key, word in zip(WORDS, row, strict=True)) for row in words.tolist()]
    users = [_users(n, names, levels, rng=rng) for n in (n_training, n_test)]
    return ToyWorld(aspects, normalisation, normalisation.columns(scores, ids), levels, *users)


def utilities(preferred: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much users like items, in log-odds."""
    middle, spread = np.mean(WORD_LEVELS), np.std(WORD_LEVELS)
    found: NDArray[np.float64] = (
        STRENGTH * ((preferred - middle) / spread) @ ((levels - middle) / spread).T / np.sqrt(levels.shape[1])
    )
    return found


def _users(n: int, names: list[str], levels: NDArray[np.float64], *, rng: np.random.Generator) -> ToyUsers:
    preferred = rng.choice(np.array(WORD_LEVELS, dtype=np.float64), size=(n, levels.shape[1]))
    odds = utilities(preferred, levels)
    prompts, candidates, targets = {}, [], []
    for user in range(n):
        chances = np.exp(odds[user]) / np.exp(odds[user]).sum()
        history = rng.choice(len(names), size=N_HISTORY, p=chances)
        offered = rng.choice(np.setdiff1d(np.arange(len(names)), history), size=N_CANDIDATES, replace=False)
        taken = np.exp(odds[user, offered]) / np.exp(odds[user, offered]).sum()
        candidates.append(offered)
        targets.append(rng.choice(N_CANDIDATES, p=taken))
        text = "\n".join(f"- {names[item]}" for item in history)
        prompts[f"u{user}"] = (Message("user", f"{text}\nrate"),)
    return ToyUsers(prompts, preferred, np.array(candidates), np.array(targets))


def warm_policy(world: ToyWorld, *, seed: int, steps: int = 100) -> Policy:
    """Make a model that answers in the form that is asked for, with numbers out of a hat."""
    rng = np.random.default_rng(seed + 100)
    n_aspects = len(world.aspects.keys)
    prompts = [f"{messages[0].content}\n\n" for messages in world.training.prompts.values()]
    answers = [answer_text(world.aspects, (level,) * n_aspects) for level in LEVELS]
    policy = tiny_policy([*prompts, *answers], config=SCRATCH, seed=seed)
    pairs = []
    for _ in range(4000):
        scores = tuple(rng.integers(LEVELS[0], LEVELS[-1] + 1, size=n_aspects).tolist())
        pairs.append((prompts[rng.integers(len(prompts))], answer_text(world.aspects, scores)))
    warm_up(policy, pairs, steps=steps, batch_size=32, learning_rate=3e-3, seed=seed)
    return policy
