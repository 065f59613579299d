"""The whole catalogue for one user in milliseconds: texts, what was taken together, and popularity.

The paper has no such stage: its language model reads thirty candidates. A throw-away prototype showed what ranks: the
text head, blended with the crowd's part; motivations explain and, where they prove to help, count too. The crowd's
part is switched off for items that nobody has taken: kept on, "nobody has taken it" would sink every new item. These
are ranked by texts alone, with weights of their own, at the level at which texts alone give the other items the same
odds on average as the whole score does: scores are logarithms of odds.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from whyrec.evaluation.significance import Interval, bootstrap_difference
from whyrec.methods.mllm3rec.blending import blend_weights, draw_others, first_is_hit
from whyrec.methods.mllm3rec.config import RankerConfig
from whyrec.methods.mllm3rec.item_words import ItemWords
from whyrec.methods.mllm3rec.taken_together import Crowd
from whyrec.methods.mllm3rec.text_head import TextHead, pooled_points, train_text_head
from whyrec.methods.mllm3rec.text_space import Vectors
from whyrec.methods.mllm3rec.timed_log import TimedLog

PARTS = ("text", "nearness", "words", "together", "recent", "ever", "motivations")
"""Of a score: the head, the cosine with the mean of the history, words in common with it, taken together, popularity of
late and ever, and how alike the motivations of history and item are."""
CROWD, MOTIVATIONS = ("together", "recent", "ever"), "motivations"
Lead = Literal["texts", "together", "popular"]
"""What places an item before others most."""
_LEADS: Mapping[Lead, tuple[str, ...]] = {
    "texts": ("text", "nearness", "words", "motivations"),
    "together": ("together",),
    "popular": ("recent", "ever"),
}
_HIT_AT = 5
_STATED_WEIGHT = 30.0
"""Of a cosine with somebody's own words, beside popularity: words come first, popularity orders what they leave open.
Chosen."""


@dataclass(frozen=True, slots=True, eq=False)
class ItemContents:
    """What a catalogue says of its items."""

    points: Vectors
    """Of their texts, rows of length 1, [N D]."""
    words: ItemWords
    motives: Vectors
    """How much each serves each motivation, around the catalogue's mean, [N M]."""

    def __len__(self) -> int:
        return len(self.points)

    def joined(self, more: "ItemContents", *, order: NDArray[np.int64]) -> "ItemContents":
        """With more items, whose words are rows in the same vocabulary; ``order`` as in ``OfflineRanker.grown``."""
        return ItemContents(
            np.concatenate([self.points, more.points])[order],
            self.words.grown(more.words.by_item, order=order),
            np.concatenate([self.motives, more.motives])[order],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """What was learned from one log; parts of scores before they are weighed."""

    contents: ItemContents
    head: TextHead
    crowd: Crowd
    newest: int
    half_life: float

    @classmethod
    def of(cls, log: TimedLog, contents: ItemContents, *, config: RankerConfig) -> Self:
        """Learn from a log."""
        crowd = Crowd.of(
            log,
            n_items=len(contents),
            recent_days=config.recent_days,
            shrinkage=config.shrinkage,
            half_life=config.half_life,
            newest=config.newest,
        )
        head = train_text_head(log, contents.points, config=config.head)
        return cls(contents, head, crowd, config.head.newest, config.head.half_life)

    def parts(self, history: NDArray[np.int64], items: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
        """Every part for some items, of a history of one item at least; all are places in the catalogue, from 0.

        Args:
            history: Newest last.
            items: Whom to score, [C].
        """
        asked = self.asked(history)
        points = self.contents.points[items]
        return {
            "text": points @ asked.query,
            "nearness": points @ asked.mean,
            "words": self.contents.words.shared(asked.words)[items],
            "together": self.crowd.votes(history)[items],
            "recent": self.crowd.recent[items],
            "ever": self.crowd.ever[items],
            "motivations": self.contents.motives[items] @ asked.wanted,
        }

    def asked(self, history: NDArray[np.int64]) -> "Asked":
        """What items are compared with, of a history of one item at least."""
        contents = self.contents
        prefix = (history[-self.newest :] + 1)[None]
        pooled = pooled_points(prefix, contents.points, half_life=self.half_life)[0]
        weights = np.exp2(-np.arange(len(history))[::-1] / self.half_life).astype(np.float32)
        return Asked(
            mean=pooled[: contents.points.shape[1]],
            query=self.head.query(pooled) + self.head.linear,
            words=contents.words.asked(history[-self.newest :], weights[-self.newest :]),
            wanted=(weights / weights.sum()) @ contents.motives[history],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A history as items are compared with it."""

    mean: Vectors
    """Of its points, [D]."""
    query: Vectors
    """The head's, with its linear term, [D]."""
    words: Vectors
    """Of length 1, [W]."""
    wanted: Vectors
    """Of its motivations, [M]."""


@dataclass(frozen=True, slots=True)
class MotivationTest:
    """Whether motivations add to the ranking of earlier cases, on cases that the weights have not seen."""

    hit_rate: Interval
    """HR@5 with motivations less without."""
    with_them: Mapping[str, float]
    """Weights by part."""
    without: Mapping[str, float]
    """The same with motivations left out."""
    kept: bool

    @property
    def weights(self) -> Mapping[str, float]:
        """Those that count."""
        return self.with_them if self.kept else self.without


@dataclass(frozen=True, slots=True, eq=False)
class OfflineRanker:
    """A fitted ranking."""

    stage: Stage
    weights: Mapping[str, float]
    """By part."""
    alone: Mapping[str, float]
    """By part, without the crowd's: for items that nobody has taken."""
    test: MotivationTest | None = None
    """None where there were too few earlier cases to weigh anything by, and after loading."""
    fills_in: bool = True
    """Items that nobody has taken are ranked by texts alone; False, an ablation, lets the crowd's part be nothing."""

    @classmethod
    def fit(cls, log: TimedLog, contents: ItemContents, *, config: RankerConfig) -> Self:
        """Weigh parts on earlier cases, the last items of some users, then learn from the whole log.

        Args:
            log: What may be learned from.
            contents: Of the catalogue.
            config: Settings.
        """
        rng = np.random.default_rng(config.head.seed)
        last = np.sort(rng.permutation(log.last())[: config.earlier_cases])
        whole = Stage.of(log, contents, config=config)
        if len(last) < 2:
            return cls(whole, _DEFAULT_WEIGHTS, {**_DEFAULT_WEIGHTS, **dict.fromkeys(CROWD, 0.0)})
        earlier = Stage.of(log.without(last), contents, config=config)
        # Of items that nobody had taken by then, the crowd's part is off, so they cannot say what it is worth.
        cases_of = last[earlier.crowd.is_known[log.sequences.items[last] - 1]]
        if len(cases_of) < 2:
            return cls(whole, _DEFAULT_WEIGHTS, {**_DEFAULT_WEIGHTS, **dict.fromkeys(CROWD, 0.0)})
        cases = case_parts(earlier, log, cases_of, rng=rng, n_others=config.earlier_negatives)
        test = _test_motivations(cases, choice=config.motivations)
        alone = _weights(cases, leave_out=CROWD if test.kept else (*CROWD, MOTIVATIONS))
        return cls(whole, test.weights, alone, test)

    def score(self, history: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score all items, [N].

        Args:
            history: Places in the catalogue, from 0, newest last; one at least.
        """
        if not self._has_new:
            return self._of_texts(history, [self.weights])[0] + self._of_crowd(history)
        with_crowd, alone = self._of_texts(history, [self.weights, self.alone])
        return self._with_new(with_crowd + self._of_crowd(history), alone=alone)

    def leads(self, history: NDArray[np.int64], items: NDArray[np.int64]) -> list[Lead | None]:
        """What lifts each of some items most above the catalogue's mean; None where nothing does.

        Items that nobody has taken are ranked by texts alone.

        Args:
            history: Newest last; one item at least.
            items: Places in the catalogue, [C].
        """
        lifts = self.lifts(history, items)
        lifted, is_known = np.stack(list(lifts.values()), axis=1), self.stage.crowd.is_known[items]
        names: list[Lead] = list(lifts)
        return [
            (names[by.argmax()] if by.max() > 0 else None) if known else "texts"
            for by, known in zip(lifted, is_known, strict=True)
        ]

    def lifts(self, history: NDArray[np.int64], items: NDArray[np.int64]) -> dict[Lead, NDArray[np.float32]]:
        """What each part adds to some items' scores beyond what it adds to the catalogue's on average, [C] each.

        Args:
            history: Newest last; one item at least.
            items: Places in the catalogue, [C], of items that somebody has taken.
        """
        parts = self.stage.parts(history, np.arange(len(self.stage.contents)))
        return {
            lead: np.sum([self.weights[name] * (parts[name][items] - parts[name].mean()) for name in names], axis=0)
            for lead, names in _LEADS.items()
        }

    def score_stated(self, point: Vectors, words: Vectors) -> NDArray[np.float32]:
        """Score all items for a wish in words: nearness of texts and words in common, then what is popular, [N].

        Args:
            point: Of the wish, [D].
            words: Of the wish, of length 1, [W].
        """
        contents = self.stage.contents
        near = _STATED_WEIGHT * (contents.points @ point + contents.words.shared(words))
        scores = near + self._of_crowd(np.zeros(0, dtype=np.int64))
        return self._with_new(scores, alone=near) if self._has_new else scores

    def grown(self, more: ItemContents, *, order: NDArray[np.int64]) -> "OfflineRanker":
        """The same ranking with more items, which nobody has taken.

        Args:
            more: The new items.
            order: Which item, of the old ones followed by the new ones, stands at each place, [N + A].
        """
        contents = self.stage.contents.joined(more, order=order)
        crowd = self.stage.crowd.grown(len(more), order=order)
        return replace(self, stage=replace(self.stage, contents=contents, crowd=crowd))

    @property
    def _has_new(self) -> bool:
        return self.fills_in and not self.stage.crowd.is_known.all()

    def _of_texts(
        self, history: NDArray[np.int64], weights: Sequence[Mapping[str, float]]
    ) -> list[NDArray[np.float32]]:
        """All but the crowd's part, once for each of some weights: the catalogue is gone through once."""
        contents, asked = self.stage.contents, self.stage.asked(history)
        directions = np.stack([it["text"] * asked.query + it["nearness"] * asked.mean for it in weights])
        found = list((contents.points @ directions.T.astype(np.float32)).T)
        if any(it["words"] for it in weights):
            shared = contents.words.shared(asked.words)
            found = [scores + np.float32(it["words"]) * shared for scores, it in zip(found, weights, strict=True)]
        if any(it[MOTIVATIONS] for it in weights):
            alike = contents.motives @ asked.wanted
            found = [scores + np.float32(it[MOTIVATIONS]) * alike for scores, it in zip(found, weights, strict=True)]
        return found

    def _of_crowd(self, history: NDArray[np.int64]) -> NDArray[np.float32]:
        crowd, weights = self.stage.crowd, self.weights
        values = crowd.votes(history) * np.float32(weights["together"])
        values += np.float32(weights["recent"]) * crowd.recent + np.float32(weights["ever"]) * crowd.ever
        return values

    def _with_new(self, scores: NDArray[np.float32], *, alone: NDArray[np.float32]) -> NDArray[np.float32]:
        """Items that nobody has taken by texts alone, at a level at which both ways give the others equal odds."""
        is_known = self.stage.crowd.is_known
        if not is_known.any():
            return alone
        level = _log_mean_exp(scores[is_known]) - _log_mean_exp(alone[is_known])
        return np.where(is_known, scores, alone + np.float32(level))


def _log_mean_exp(values: NDArray[np.float32]) -> float:
    highest = values.max()
    return float(highest + np.log(np.exp(values - highest).mean()))


def case_parts(
    stage: Stage, log: TimedLog, last: NDArray[np.int64], *, rng: np.random.Generator, n_others: int
) -> NDArray[np.float32]:
    """Parts of each earlier case's true item and of others: [U C P], the true one first."""
    users = log.sequences.users[last]
    had = [log.sequences.row(user).astype(np.int64) - 1 for user in users]
    others = draw_others(rng, n_items=len(stage.contents), had=had, n=n_others)
    cases = np.empty((len(last), 1 + n_others, len(PARTS)), dtype=np.float32)
    for row, interaction in enumerate(last):
        history = had[row][: log.n_before[interaction]]
        true = np.array([log.sequences.items[interaction] - 1], dtype=np.int64)
        parts = stage.parts(history, np.concatenate([true, others[row]]))
        cases[row] = np.stack([parts[name] for name in PARTS], axis=-1)
    return cases


def _weights(cases: NDArray[np.float32], *, leave_out: Collection[str]) -> dict[str, float]:
    names = [name for name in PARTS if name not in leave_out]
    found = blend_weights(cases[..., [PARTS.index(name) for name in names]])
    return {**dict.fromkeys(PARTS, 0.0), **dict(zip(names, found.tolist(), strict=True))}


def _test_motivations(cases: NDArray[np.float32], *, choice: str) -> MotivationTest:
    """Weigh with and without on either half of the cases, judge on the other."""
    left_out: dict[bool, tuple[str, ...]] = {True: (), False: (MOTIVATIONS,)}
    halves = np.array_split(np.arange(len(cases)), 2)
    hits = {is_with: np.empty(len(cases)) for is_with in left_out}
    for mine, other in (halves, halves[::-1]):
        for is_with, found in hits.items():
            weights = _weights(cases[mine], leave_out=left_out[is_with])
            scores = cases[other] @ np.array([weights[name] for name in PARTS], dtype=np.float32)
            found[other] = first_is_hit(scores, k=_HIT_AT)
    difference = bootstrap_difference(hits[True], hits[False])
    with_them, without = (_weights(cases, leave_out=left_out[it]) for it in (True, False))
    helps = difference.low > 0 and with_them[MOTIVATIONS] > 0
    return MotivationTest(difference, with_them, without, kept={"always": True, "never": False}.get(choice, helps))


_DEFAULT_WEIGHTS: Mapping[str, float] = {
    "text": 1.0,
    "nearness": 1.0,
    "words": 1.0,
    "together": 0.5,
    "recent": 0.2,
    "ever": 0.2,
    "motivations": 0.0,
}
"""Where there is nothing to weigh by."""
