"""Stage C of CURec: walk through training interactions in time order, and let a frozen reward model correct the writer.

In every window the language model writes several reasons for each interaction and is tuned once by what they are worth
(CURec Eqs. 12-13); as it is then, it writes the new pattern and the reason that join the others (Eqs. 14-15). A run
that is killed goes on from the last window whose checkpoint is complete: what was written after it is written again.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from whyrec.data import schema
from whyrec.data.item_lines import ItemText
from whyrec.errors import InvalidDataError
from whyrec.llm.base import SamplingConfig
from whyrec.llm.local.grpo import GrpoReport
from whyrec.llm.local.policy import Policy
from whyrec.llm.local.rollouts import Asked, Output
from whyrec.llm.training_runs import last_complete, require_same_run, step_of
from whyrec.methods.curec.answers import parse_reason, reason_schema
from whyrec.methods.curec.artefacts import Pattern, Reason
from whyrec.methods.curec.grpo import fitted_prompt, tune_policy
from whyrec.methods.curec.histories import Interaction, UserHistory, interactions_of
from whyrec.methods.curec.model_writers import UPDATE_SAMPLING, LanguageModelUpdateWriter
from whyrec.methods.curec.patterns import PatternBook
from whyrec.methods.curec.policy_config import CorrectionConfig
from whyrec.methods.curec.prompts import Messages, PromptTemplate
from whyrec.methods.curec.reason_rewards import ReasonJudge
from whyrec.methods.curec.reasons import ReasonRequest, ReasonStore, reason_requests
from whyrec.methods.curec.reward_inputs import RewardInputs
from whyrec.methods.curec.text_vectors import TextEncoder
from whyrec.methods.curec.texts import Texts
from whyrec.runtime.atomic import atomic_directory

_WINDOWS, _RUN = "windows", "correction.json"
_PATTERNS, _REASONS = "patterns.parquet", "reasons.parquet"

Check = Callable[[Interaction, str], bool]
"""Says whether the facts bear a reason out."""


@dataclass(frozen=True)
class CorrectionReport:
    """What a correction did."""

    tuning: GrpoReport
    snapshot: Texts
    """The texts at its end: those at its beginning, and the new ones behind them."""
    failures: Counter[str] = field(default_factory=Counter)
    """Updates that were refused, by cause; those users keep their patterns, those interactions their reasons."""

    def inputs(self, encoder: TextEncoder) -> RewardInputs:
        """What a reward model reads of the corrected texts: the same one as it is, or one that is trained anew (C14).

        Args:
            encoder: The one that the model's texts were embedded with.
        """
        patterns, reasons = self.snapshot.patterns, self.snapshot.reasons
        times = reasons.frame[schema.TIMESTAMP].dt.epoch("us").to_numpy()
        return RewardInputs(patterns, patterns.vectors(encoder), reasons, reasons.vectors(encoder), times)


def correction_windows(histories: Mapping[str, UserHistory], config: CorrectionConfig) -> list[list[Interaction]]:
    """Choose interactions and cut them into windows of equal size, in time order.

    Of each drawn user, the last moments with something strictly before them are taken, and of several interactions of
    one moment the first. The oldest ones that fill no window are left out.

    Args:
        histories: Training interactions by user_id (C4).
        config: How many users, how many interactions of each, and how many in a window.

    Raises:
        InvalidDataError: If there are not enough interactions for one window.
    """
    rng = np.random.default_rng(config.grpo.seed)
    names = sorted(histories)
    n = len(names) if config.n_users is None else min(config.n_users, len(names))
    drawn = [names[place] for place in np.sort(rng.choice(len(names), size=n, replace=False)).tolist()]
    chosen = [moment for name in drawn for moment in _moments(histories[name])[-config.targets_per_user :]]
    ordered = sorted(chosen, key=lambda target: (target.timestamp, target.user_id))
    size = config.grpo.prompts_per_step
    if len(ordered) < size:
        raise InvalidDataError(
            f"correction: expected at least {size} training interactions with something before them, got "
            f"{len(ordered)}. Give more data, or lower prompts_per_step."
        )
    kept = ordered[len(ordered) % size :]
    return [kept[start : start + size] for start in range(0, len(kept), size)]


def require_training_only(histories: Mapping[str, UserHistory], held_out: pl.DataFrame) -> None:
    """Refuse histories with held-out interactions (C4).

    Args:
        histories: What is walked through.
        held_out: Columns ``user_id, item_id``, and ``timestamp`` where users take items again and again.

    Raises:
        InvalidDataError: Naming the first.
    """
    rows = pl.DataFrame(
        list(interactions_of(histories)),
        schema={schema.USER: pl.String(), schema.ITEM: pl.String(), schema.TIMESTAMP: schema.TIMESTAMP_TYPE},
        orient="row",
    )
    found = rows.join(held_out, on=[schema.USER, schema.ITEM], how="inner", suffix="_held_out")
    if schema.TIMESTAMP in held_out.columns:
        found = found.filter(pl.col(schema.TIMESTAMP) >= pl.col(f"{schema.TIMESTAMP}_held_out"))
    if found.height:
        raise InvalidDataError(
            f"correction: expected training interactions alone, got {found.height:,} that are held out, first for user "
            f"{found[schema.USER][0]!r} and item {found[schema.ITEM][0]!r}. Cut the histories before them."
        )


@dataclass
class Correction:
    """A policy, the reward model that corrects it, and the texts as they grow."""

    policy: Policy
    judge: ReasonJudge
    items: Mapping[str, ItemText]
    """The catalogue in words."""
    template: PromptTemplate
    config: CorrectionConfig
    is_true: Check | None = None
    """Reasons that it denies are worth no more than malformed ones; None trusts them all."""
    update_sampling: SamplingConfig = UPDATE_SAMPLING

    def correct(self, start: Texts, *, checkpoints: Path, held_out: pl.DataFrame | None = None) -> CorrectionReport:
        """Tune the policy in place, window after window.

        Args:
            start: Patterns and reasons of training interactions, as the policy wrote them at first.
            checkpoints: Where states are kept; a run that finds some goes on. Give policy and texts as they were at
                the beginning then too.
            held_out: Interactions that must not be among those walked through, nor have reasons.

        Raises:
            InvalidDataError: If there are too few interactions, or held-out ones among them.
            InvalidConfigError: If the states are of a run with other settings.
            PromptTooLongError: If a prompt cannot be made short enough.
            TrainingError: If a reward is not a number.
        """
        if held_out is not None:
            require_training_only(self.judge.histories, held_out)
            start.reasons.require_none_about(held_out)
        windows = correction_windows(self.judge.histories, self.config) * self.config.passes
        said = {"config": self.config.model_dump(mode="json"), "last": str(windows[-1][-1])}
        require_same_run(checkpoints / _RUN, said)
        walk = _Walk(self, windows, start, parts=checkpoints / _WINDOWS, version=_next_version(start))
        done = last_complete(checkpoints)
        walk.resume(0 if done is None else step_of(done))
        tuning = tune_policy(
            self.policy,
            n_questions=sum(map(len, windows)),
            ask=walk.ask,
            reward=walk.rewards,
            config=self.config.grpo,
            checkpoints=checkpoints,
            after_step=walk.update,
        )
        return CorrectionReport(tuning, walk.snapshot, walk.failures)

    def reason_prompt(self, request: ReasonRequest) -> Messages:
        """How the policy is asked for a reason (prompt_reason).

        Raises:
            PromptTooLongError: If it cannot be made short enough.
        """
        target = self.items[request.interaction.item_id]
        history = [self.items[item_id] for item_id in request.history.item_ids]
        pattern = None if request.pattern is None else request.pattern.text
        return fitted_prompt(
            self.policy,
            lambda template: template.reason(target, pattern=pattern, history=history),
            template=self.template,
            max_output_tokens=self.config.grpo.max_output_tokens,
        )

    def rewards(
        self, targets: Sequence[Interaction], groups: Sequence[Sequence[Output]], *, snapshot: Texts
    ) -> list[list[float]]:
        """What outputs are worth to their targets: the judge's reward where they are reasons and true.

        Args:
            targets: Interactions to be explained.
            groups: The same number of outputs for each.
            snapshot: Which patterns and reasons there are.
        """
        parsed = [
            [self._accepted(target, output) for output in group] for target, group in zip(targets, groups, strict=True)
        ]
        # What is refused is judged as any text, so that groups keep their size; its reward is put over.
        texts = [[text or _REFUSED for text in group] for group in parsed]
        judged = self.judge.rewards(targets, texts, snapshot=snapshot).tolist()
        return [
            [self.config.malformed_reward if text is None else reward for text, reward in zip(*pair, strict=True)]
            for pair in zip(parsed, judged, strict=True)
        ]

    def _accepted(self, target: Interaction, output: Output) -> str | None:
        text = None if output.is_cut else parse_reason(output.text).text
        return None if text is not None and self.is_true is not None and not self.is_true(target, text) else text


_REFUSED = "no reason"


class _Walk:
    """Where a correction stands."""

    def __init__(
        self,
        correction: Correction,
        windows: Sequence[Sequence[Interaction]],
        start: Texts,
        *,
        parts: Path,
        version: int,
    ) -> None:
        self.snapshot = start
        self.failures: Counter[str] = Counter()
        self._correction, self._windows, self._parts, self._version = correction, windows, parts, version
        self._size = len(windows[0])

    def ask(self, question: int) -> Asked:
        """The reason prompt of an interaction, from the texts as they stand."""
        (request,) = self._requests([self._target(question)])
        return Asked(self._correction.reason_prompt(request), reason_schema())

    def rewards(self, questions: Sequence[int], outputs: Sequence[Output]) -> list[float]:
        """Rewards of a window's outputs, which come group by group."""
        size = self._correction.config.grpo.group_size
        targets = [self._target(question) for question in questions[::size]]
        groups = [outputs[start : start + size] for start in range(0, len(outputs), size)]
        judged = self._correction.rewards(targets, groups, snapshot=self.snapshot)
        return [reward for group in judged for reward in group]

    def update(self, step: int) -> None:
        """Let the policy, as it is after a window, write what joins the texts."""
        correction = self._correction
        version = self._version + (step - 1) // (len(self._windows) // correction.config.passes)
        writer = LanguageModelUpdateWriter(
            correction.policy.asked(revision=f"window-{step}"),
            correction.items,
            correction.template,
            sampling=correction.update_sampling,
            is_forced=correction.config.grpo.is_forced,
            failures=self.failures,
        )
        updates = writer.write_updates(self._requests(self._windows[step - 1]))
        patterns = [replace(pattern, version=version) for pattern, _ in updates]
        self._keep(step, patterns, [replace(reason, version=version) for _, reason in updates])

    def resume(self, n_windows: int) -> None:
        """Read the texts of the windows that are done; what later ones left is removed and will be written again."""
        for part in sorted(self._parts.glob("[0-9]*")):
            if int(part.name) > n_windows:
                shutil.rmtree(part)
        for step in range(1, n_windows + 1):
            part = self._parts / f"{step:06d}"
            book = PatternBook.read(part / _PATTERNS)
            store = ReasonStore.read(part / _REASONS, item_ids=self.snapshot.reasons.item_ids)
            self._grow(book.patterns(), store.reasons())

    def _keep(self, step: int, patterns: Sequence[Pattern], reasons: Sequence[Reason]) -> None:
        with atomic_directory(self._parts / f"{step:06d}") as partial:
            PatternBook.of(patterns).write(partial / _PATTERNS)
            ReasonStore.of(reasons, item_ids=self.snapshot.reasons.item_ids).write(partial / _REASONS)
        self._grow(patterns, reasons)

    def _grow(self, patterns: Sequence[Pattern], reasons: Sequence[Reason]) -> None:
        self.snapshot = Texts(self.snapshot.patterns.append(patterns), self.snapshot.reasons.append(reasons))

    def _target(self, question: int) -> Interaction:
        return self._windows[question // self._size][question % self._size]

    def _requests(self, targets: Sequence[Interaction]) -> list[ReasonRequest]:
        return list(
            reason_requests(targets, histories=self._correction.judge.histories, patterns=self.snapshot.patterns)
        )


def _moments(history: UserHistory) -> list[Interaction]:
    """The first interaction of every moment but the first."""
    firsts = dict(zip(reversed(history.timestamps), reversed(history.item_ids), strict=True))
    return [
        Interaction(history.user_id, firsts[moment], moment)
        for moment in sorted(firsts)
        if moment > history.timestamps[0]
    ]


def _next_version(start: Texts) -> int:
    versions = [frame["version"].max() for frame in (start.patterns.frame, start.reasons.frame) if frame.height]
    return 1 + max((int(version) for version in versions if isinstance(version, int)), default=0)
