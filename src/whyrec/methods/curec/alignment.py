"""Stage A of CURec: a language model learns to recommend, by rewards for choosing what the user took (CURec §4.2).

A sample asks which of some shuffled candidates comes next. Targets are training interactions, a history ends strictly
before its target, and wrong candidates are items that the user never took in training.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyrec.data.item_lines import ItemText
from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.llm.base import Prompt, SamplingConfig
from whyrec.llm.local.grpo import GrpoReport
from whyrec.llm.local.policy import Policy
from whyrec.llm.local.rollouts import Asked, Output
from whyrec.methods.curec.answers import choice_schema, parse_choice
from whyrec.methods.curec.grpo import fitted_prompt, tune_policy
from whyrec.methods.curec.histories import Interaction, UserHistory, interactions_of
from whyrec.methods.curec.policy_config import AlignmentConfig
from whyrec.methods.curec.prompts import PromptTemplate


@dataclass(frozen=True, slots=True)
class AlignmentSample:
    """A choice to be made, and which was."""

    target: Interaction
    history: UserHistory
    """Of the same user, strictly before."""
    candidates: tuple[str, ...]
    """Item ids in random order, the target's among them."""

    def __post_init__(self) -> None:
        last = self.history.until
        if last is not None and last >= self.target.timestamp:
            raise InvalidDataError(
                f"alignment, user {self.target.user_id!r} at {self.target.timestamp.isoformat()}: expected a history "
                f"that ends before, got one until {last.isoformat()}. Cut it with before()."
            )

    @property
    def position(self) -> int:
        """Of the target among the candidates, from 0."""
        return self.candidates.index(self.target.item_id)


def alignment_samples(
    histories: Mapping[str, UserHistory], items: Mapping[str, ItemText], *, n: int, config: AlignmentConfig, seed: int
) -> list[AlignmentSample]:
    """Draw targets from training interactions, and wrong candidates for each.

    Args:
        histories: Training interactions by user_id.
        items: The catalogue in words; items of which it says nothing are no candidates.
        n: How many; a target comes again only when all have come.
        config: How many candidates, and how they are drawn.
        seed: Of targets, candidates and order.

    Raises:
        InvalidDataError: If no interaction has enough before it.
        InvalidConfigError: If the catalogue has too few items that a user did not take.
    """
    rng = np.random.default_rng(seed)
    targets = [
        interaction
        for interaction in interactions_of(histories)
        if items[interaction.item_id].is_known
        and len(histories[interaction.user_id].before(interaction.timestamp)) >= config.min_history
    ]
    if not targets:
        raise InvalidDataError(
            f"alignment: expected training interactions with {config.min_history} before them, got none. Check data "
            "and cut-off."
        )
    rounds = -(-n // len(targets))
    order = np.concatenate([rng.permutation(len(targets)) for _ in range(rounds)])[:n]
    urn = _Urn.of(histories, items)
    return [
        _sample(targets[place], histories[targets[place].user_id], urn=urn, config=config, rng=rng)
        for place in order.tolist()
    ]


def held_out_samples(
    histories: Mapping[str, UserHistory],
    targets: Sequence[Interaction],
    *,
    items: Mapping[str, ItemText],
    config: AlignmentConfig,
    seed: int,
) -> list[AlignmentSample]:
    """Put held-out interactions among wrong candidates, to ask a model that has not been trained on them.

    Args:
        histories: Training interactions by user_id, all of them before the targets.
        targets: One sample is made of each.
        items: The catalogue in words.
        config: How many candidates, and how they are drawn.
        seed: Of candidates and order.

    Raises:
        InvalidConfigError: If the catalogue has too few items that a user did not take.
    """
    rng = np.random.default_rng(seed)
    urn = _Urn.of(histories, items)
    return [_sample(target, histories[target.user_id], urn=urn, config=config, rng=rng) for target in targets]


def _sample(
    target: Interaction, history: UserHistory, *, urn: "_Urn", config: AlignmentConfig, rng: np.random.Generator
) -> AlignmentSample:
    wrong = urn.draw(frozenset((*history.item_ids, target.item_id)), config=config, rng=rng)
    shuffled = rng.permutation([target.item_id, *wrong]).tolist()
    return AlignmentSample(target, history.before(target.timestamp), tuple(shuffled))


def alignment_reward(output: str, *, labels: Sequence[str], position: int, config: AlignmentConfig) -> float:
    """Reward an output for its form, for naming a candidate, and for naming the right one; each only with the former.

    Args:
        output: What the model wrote.
        labels: What the candidates are called.
        position: Of the right one.
        config: What each is worth.
    """
    choice = parse_choice(output, labels)
    if choice.answer is None:
        return 0.0
    if choice.position is None:
        return config.format_reward
    is_right = choice.position == position
    return config.format_reward + config.legality_reward + config.correctness_reward * is_right


@dataclass(frozen=True)
class Alignment:
    """Samples put to a policy: what is asked, and what answers are worth."""

    policy: Policy
    samples: Sequence[AlignmentSample]
    items: Mapping[str, ItemText]
    template: PromptTemplate
    config: AlignmentConfig

    def ask(self, question: int) -> Asked:
        """The prompt of a sample.

        Raises:
            PromptTooLongError: If it cannot be made short enough.
        """
        sample = self.samples[question]
        history = [self.items[item_id] for item_id in sample.history.item_ids]
        candidates = [self.items[item_id] for item_id in sample.candidates]
        messages = fitted_prompt(
            self.policy,
            lambda template: template.recommendation(history, candidates=candidates),
            template=self.template,
            max_output_tokens=self.config.grpo.max_output_tokens,
        )
        return Asked(messages, choice_schema(self.labels(question), longest_thought=self.config.longest_thought))

    def labels(self, question: int) -> list[str]:
        """What the candidates of a sample are called."""
        return self.template.labels([self.items[item_id] for item_id in self.samples[question].candidates])

    def rewards(self, questions: Sequence[int], outputs: Sequence[Output]) -> list[float]:
        """What outputs are worth, each to its question."""
        return [
            alignment_reward(
                output.text,
                labels=self.labels(question),
                position=self.samples[question].position,
                config=self.config,
            )
            for question, output in zip(questions, outputs, strict=True)
        ]

    def align(self, *, checkpoints: Path | None = None) -> GrpoReport:
        """Tune the policy in place: the samples in order, ``prompts_per_step`` in every update.

        Args:
            checkpoints: Where states are kept; a run that finds some goes on.

        Raises:
            InvalidConfigError: If there are fewer samples than one update needs.
            PromptTooLongError: If a prompt cannot be made short enough.
        """
        return tune_policy(
            self.policy,
            n_questions=min(len(self.samples), self.config.steps * self.config.grpo.prompts_per_step),
            ask=self.ask,
            reward=self.rewards,
            config=self.config.grpo,
            checkpoints=checkpoints,
        )

    def judged(self, *, temperature: float = 0.0, seed: int = 0) -> "ChoiceScores":
        """How well the policy chooses now, one answer to each sample.

        Args:
            temperature: 0 takes the likeliest tokens: the answers that it would give in use.
            seed: Of the draws above 0.
        """
        sampling = SamplingConfig(temperature=temperature, max_tokens=self.config.grpo.max_output_tokens, seed=seed)
        prompts = [Prompt(self.ask(question).messages, sample=question) for question in range(len(self.samples))]
        answers = self.policy.asked().complete(prompts, sampling=sampling)
        choices = [parse_choice(answer.text, self.labels(n)) for n, answer in enumerate(answers)]
        rewards = self.rewards(range(len(answers)), [Output(answer.text) for answer in answers])
        return ChoiceScores(
            in_form=float(np.mean([choice.answer is not None for choice in choices])),
            legal=float(np.mean([choice.position is not None for choice in choices])),
            correct=float(
                np.mean([c.position == sample.position for c, sample in zip(choices, self.samples, strict=True)])
            ),
            reward=float(np.mean(rewards)),
        )


@dataclass(frozen=True, slots=True)
class ChoiceScores:
    """Shares of answers."""

    in_form: float
    legal: float
    """In form, and naming a candidate."""
    correct: float
    """Legal, and right."""
    reward: float
    """On average."""


@dataclass(frozen=True, eq=False)
class _Urn:
    """Items to draw wrong candidates from."""

    item_ids: tuple[str, ...]
    popularity: NDArray[np.float64]
    """Share of all training interactions."""

    @classmethod
    def of(cls, histories: Mapping[str, UserHistory], items: Mapping[str, ItemText]) -> "_Urn":
        known = tuple(item_id for item_id, text in items.items() if text.is_known)
        counts = dict.fromkeys(known, 0)
        for interaction in interactions_of(histories):
            if interaction.item_id in counts:
                counts[interaction.item_id] += 1
        numbers = np.array(list(counts.values()), dtype=np.float64)
        return cls(known, numbers / max(numbers.sum(), 1))

    def draw(self, without: frozenset[str], *, config: AlignmentConfig, rng: np.random.Generator) -> list[str]:
        """Draw different items, the popular ones first."""
        n = config.n_candidates - 1
        allowed = np.array([item_id not in without for item_id in self.item_ids])
        if allowed.sum() < n:
            raise InvalidConfigError(
                f"n_candidates: expected at most {int(allowed.sum()) + 1} for a user who took all but so many items, "
                f"got {config.n_candidates}. Lower it."
            )
        weights = np.where(allowed, self.popularity, 0.0)
        n_popular = min(round(n * config.popular_share), int(np.count_nonzero(weights)))
        popular = np.zeros(0, dtype=np.int64)
        if n_popular:
            popular = rng.choice(len(weights), size=n_popular, replace=False, p=weights / weights.sum())
        allowed[popular] = False
        others = rng.choice(np.flatnonzero(allowed), size=n - n_popular, replace=False)
        return [self.item_ids[place] for place in (*popular.tolist(), *others.tolist())]
