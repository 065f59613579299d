"""True explanations over real films, and falsehoods planted in them, for ``verification.py`` and the tests.

True texts come from two sources that share no sentence: whyrec's offline writer, and the paraphrases, which use
other date styles, spelled-out and rounded numbers, percentages and ratios. Planting works on the bare text with
patterns of its own; it never asks the verifier what it can see. Forecasts and drivers are made up from the item's own
facts (seeded): what is verified is the text, not the forecaster.
"""

import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from verification_paraphrases import MONTHS, paraphrase
from whyrec.data.dataset import Dataset
from whyrec.data.facts import ItemFacts, item_facts
from whyrec.data.windows import Window, WindowLength
from whyrec.evaluation.verification import Vocabulary, verify_explanation
from whyrec.interfaces import Driver, ForecastPoint
from whyrec.methods.trail.writer import write_explanation

KINDS = ("number", "month", "direction", "peak", "attribute", "title")
SOURCES = ("writer", "paraphrase")
CUTOFFS = (
    datetime(2013, 6, 1, tzinfo=UTC),
    datetime(2013, 8, 13, tzinfo=UTC),
    datetime(2013, 10, 8, tzinfo=UTC),
    datetime(2013, 11, 1, tzinfo=UTC),
)


@dataclass(frozen=True)
class Case:
    """One item at one cut-off, with what a forecaster would hand over."""

    facts: ItemFacts
    forecast: ForecastPoint
    drivers: tuple[Driver, ...]


@dataclass(frozen=True)
class Planted:
    """A true text with one falsehood in it."""

    case: Case
    kind: str
    text: str
    true_text: str
    said: str
    """What stands at ``start`` now."""
    start: int


def make_cases(data: Dataset, *, n: int, seed: int, cutoffs: Sequence[datetime] = CUTOFFS) -> list[Case]:
    """Draw items of every sort (never seen, new, sparse, long-running, spiking) at several cut-offs."""
    rng = random.Random(seed)
    cases: list[Case] = []
    for index, cutoff in enumerate(cutoffs):
        share = n // len(cutoffs) + (index < n % len(cutoffs))
        ids = _draw_items(data, cutoff=cutoff, n=share, rng=rng)
        window = WindowLength(None if cutoff.day == 1 else 30).following(cutoff)
        facts = item_facts(data, item_ids=ids, cutoff=cutoff)
        cases += [made_up_case(facts[item_id], window=window, seed=seed) for item_id in ids]
    return cases


def _draw_items(data: Dataset, *, cutoff: datetime, n: int, rng: random.Random) -> list[str]:
    counted = (
        data.before(cutoff)
        .group_by("item_id")
        .agg(
            pl.len().alias("total"),
            pl.col("timestamp").min().alias("first"),
            (pl.col("timestamp") >= cutoff - pl.duration(days=7)).sum().alias("week"),
            (pl.col("timestamp") >= cutoff - pl.duration(days=30)).sum().alias("thirty"),
        )
        .sort("item_id")
        .collect()
    )
    is_new = pl.col("first") >= cutoff - pl.duration(days=30)
    strata = [
        sorted(set(data.items["item_id"].to_list()) - set(counted["item_id"].to_list())),
        counted.filter(is_new & (pl.col("total") >= 3))["item_id"].to_list(),
        counted.filter(~is_new & (pl.col("total") >= 40))["item_id"].to_list(),
        counted.filter(~is_new & (pl.col("total") >= 10))["item_id"].to_list(),
        counted.filter((pl.col("week") * 2 >= pl.col("thirty")) & (pl.col("thirty") >= 4))["item_id"].to_list(),
        counted["item_id"].to_list(),
    ]
    weights = (1, 2, 3, 2, 1, 1)
    drawn: dict[str, None] = {}
    while len(drawn) < n:
        drawn[rng.choice(rng.choices(strata, weights=weights)[0])] = None
    return list(drawn)


def made_up_case(facts: ItemFacts, *, window: Window, seed: int) -> Case:
    """Give an item a plausible forecast and plausible drivers, from its own facts and a seed."""
    rng = random.Random(f"{seed}:{facts.item_id}:{facts.cutoff}")
    week, thirty = facts.recent[7], facts.recent[30]
    expected = (0.5 * thirty + 1.5 * week) * rng.uniform(0.7, 1.3) + rng.uniform(0.2, 4)
    forecast = ForecastPoint(
        item_id=facts.item_id,
        window=window,
        rank=rng.randint(1, 40) if expected > 30 else rng.randint(41, 3000),
        expected=expected,
        low=expected * rng.uniform(0.4, 0.8),
        high=expected * rng.uniform(1.2, 2.2) + 1,
    )
    recency = (week / 7 + 0.1) / (thirty / 30 + 0.1) - 1
    effects = {
        ("recency", "the last seven days"): recency,
        ("growth", "the growth from month to month"): rng.uniform(-0.3, 0.4),
        ("level", "the total audience"): min(facts.total_users / 100 - 0.3, 4.0),
        ("age", "the time since release"): rng.uniform(-0.5, 0.2),
        ("season", "the season"): rng.uniform(-0.08, 0.08),
        ("catalogue", "the catalogue entry"): rng.uniform(-0.25, 0.3),
    }
    drivers = tuple(Driver(name, label, effect) for (name, label), effect in effects.items())
    return Case(facts, forecast, drivers)


def true_text(case: Case, *, source: str, seed: int) -> str:
    """Write a true explanation, by the offline writer or by the paraphrases."""
    if source == "writer":
        return write_explanation(case.facts, case.forecast, case.drivers, seed=seed).text
    return paraphrase(case.facts, case.forecast, case.drivers, seed=seed)


# --- planting ---

_NUMBER = re.compile(r"(?<![\w,.\-/–])\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w,.\-/])\d+(?:\.\d+)?(?![\w-])")
_YEAR = re.compile(r"(?:18|19|20)\d\d")
_MONTH_NAME = re.compile(
    rf"\b(?P<name>{'|'.join(MONTHS)}|{'|'.join(m[:3] for m in MONTHS if m != 'May')})\b(?: (?P<year>(?:19|20)\d\d))?"
)
_ISO_MONTH = re.compile(r"(?<![\d-])(?P<year>20\d\d)-(?P<month>\d\d)(?![\d-])")
_OPPOSITES = {
    "rose": "fell",
    "fell": "rose",
    "grew": "shrank",
    "shrank": "grew",
    "climbed": "declined",
    "declined": "climbed",
    "rising": "falling",
    "fading": "rising",
    "falling": "rising",
    "jumped": "dropped",
    "dropped": "jumped",
    "surged": "sank",
    "sank": "surged",
    "slipped": "climbed",
    "up": "down",
    "down": "up",
    "increased": "decreased",
    "decreased": "increased",
    "more": "fewer",
    "fewer": "more",
    "increasing": "decreasing",
    "waning": "growing",
    "slowing": "accelerating",
    "accelerating": "slowing",
    "easing": "rising",
    "climbing": "declining",
    "doubled": "halved",
    "above": "below",
    "below": "above",
    "lifted": "lowered",
    "raised": "cut",
    "lowered": "raised",
    "reduced": "lifted",
    "adds": "takes",
}
_DIRECTION = re.compile(rf"\b(?:{'|'.join(_OPPOSITES)})\b")
_PEAK_WORD = re.compile(r"\b(?:peak\w*|best month|high point|busiest month)\b")


def plant(case: Case, text: str, *, kind: str, names: "Names", rng: random.Random) -> Planted | None:
    """Put one falsehood of a kind into a true text; None where the text offers no place for it."""
    planters: dict[str, Callable[..., list[tuple[int, int, str]]]] = {
        "number": _wrong_numbers,
        "month": _wrong_months,
        "direction": _wrong_directions,
        "peak": _wrong_peaks,
        "attribute": _wrong_attributes,
        "title": _wrong_titles,
    }
    options = planters[kind](case, text, names=names, rng=rng)
    if not options:
        return None
    start, end, said = rng.choice(options)
    return Planted(case, kind, text[:start] + said + text[end:], text, said, start)


@dataclass(frozen=True)
class Names:
    """Titles and genres of the catalogue, to plant from, beside the verifier's own index of them."""

    titles: tuple[str, ...]
    genres: tuple[str, ...]
    vocabulary: Vocabulary

    @classmethod
    def of(cls, data: Dataset) -> "Names":
        """Read them off a catalogue."""
        genres = data.items["genres"].explode(empty_as_null=True).drop_nulls().unique().sort().to_list()
        return cls(tuple(data.items["title"].to_list()), tuple(genres), Vocabulary.of(data.items))


def _title_hits(case: Case, text: str) -> list[re.Match[str]]:
    return list(re.finditer(rf"(?<!\w){re.escape(case.facts.title)}(?!\w)", text))


def _outside_title(case: Case, text: str, start: int) -> bool:
    return not any(hit.start() <= start < hit.end() for hit in _title_hits(case, text))


def _wrong_numbers(case: Case, text: str, *, names: Names, rng: random.Random) -> list[tuple[int, int, str]]:
    options = []
    for hit in _NUMBER.finditer(text):
        is_date = _YEAR.fullmatch(hit[0]) or re.match(rf" (?:{'|'.join(MONTHS)})", text[hit.end() :])
        if is_date or not _outside_title(case, text, hit.start()):
            continue
        value = float(hit[0].replace(",", ""))
        by = rng.uniform(0.1, 0.6) * value
        if "." in hit[0]:
            wrong = f"{value + max(by, 0.3):,.1f}"
        else:
            off = max(2, round(by + 0.5))
            wrong = f"{value - off if rng.random() < 0.5 and value > off else value + off:,.0f}"
        options.append((hit.start(), hit.end(), wrong))
    return options


def _wrong_months(case: Case, text: str, *, names: Names, rng: random.Random) -> list[tuple[int, int, str]]:
    counts = {(m.window.start.year, m.window.start.month): m.users for m in case.facts.months}
    options = []
    for hit in [*_MONTH_NAME.finditer(text), *_ISO_MONTH.finditer(text)]:
        if not _outside_title(case, text, hit.start()):
            continue
        name = hit.groupdict().get("name")
        number = MONTHS.index(next(m for m in MONTHS if m.startswith(name))) + 1 if name else int(hit["month"])
        year = int(hit["year"] or 2013)
        shift = rng.choice((-3, -2, -1, 1, 2, 3))
        moved = ((year * 12 + number - 1 + shift) // 12, (year * 12 + number - 1 + shift) % 12 + 1)
        if counts.get((year, number)) == counts.get(moved, 0):
            continue
        said = f"{moved[0]}-{moved[1]:02d}"
        if name:
            long = MONTHS[moved[1] - 1]
            said = (long if len(name) > 3 or name == "May" else long[:3]) + (f" {moved[0]}" if hit["year"] else "")
        options.append((hit.start(), hit.end(), said))
    return options


def _wrong_directions(case: Case, text: str, *, names: Names, rng: random.Random) -> list[tuple[int, int, str]]:
    hits = [hit for hit in _DIRECTION.finditer(text) if _outside_title(case, text, hit.start())]
    # "More than doubled" and "more people" are no comparison by themselves.
    hits = [hit for hit in hits if hit[0] != "more" or text[hit.end() :].startswith(" than in")]
    return [(hit.start(), hit.end(), _OPPOSITES[hit[0]]) for hit in hits]


def _wrong_peaks(case: Case, text: str, *, names: Names, rng: random.Random) -> list[tuple[int, int, str]]:
    best = max((count.users for count in case.facts.months), default=0)
    lower = [count.window for count in case.facts.months if count.users < best]
    options = []
    for sentence in re.finditer(r"[^.]*\.", text):
        if not lower or not _PEAK_WORD.search(sentence[0]):
            continue
        for hit in [*_MONTH_NAME.finditer(sentence[0]), *_ISO_MONTH.finditer(sentence[0])]:
            start = rng.choice(lower).start
            name = hit.groupdict().get("name")
            said = f"{start:%Y-%m}"
            if name:
                long = MONTHS[start.month - 1]
                said = (long if len(name) > 3 or name == "May" else long[:3]) + (
                    f" {start.year}" if hit["year"] else ""
                )
            options.append((sentence.start() + hit.start(), sentence.start() + hit.end(), said))
    return options


def _wrong_attributes(case: Case, text: str, *, names: Names, rng: random.Random) -> list[tuple[int, int, str]]:
    attributes = case.facts.attributes
    genres, year = attributes.get("genres", ()), attributes.get("year")
    options = []
    for genre in genres if isinstance(genres, tuple) else ():
        other = rng.choice([name for name in names.genres if name not in genres])
        options += [
            (hit.start(), hit.end(), other if hit[0][0].isupper() else other.lower())
            for hit in re.finditer(rf"\b{re.escape(genre)}\b", text, re.IGNORECASE)
            if _outside_title(case, text, hit.start())
        ]
    if isinstance(year, float):
        for hit in re.finditer(rf"(?:in|a|is) (?P<year>{year:.0f})(?= release| film|\b(?:,| and|\.|;))", text):
            wrong = int(year) + rng.choice((-3, -2, -1, 1, 2))
            options.append((hit.start("year"), hit.end("year"), str(wrong)))
    return options


def _wrong_titles(case: Case, text: str, *, names: Names, rng: random.Random) -> list[tuple[int, int, str]]:
    other = rng.choice(names.titles)
    if other == case.facts.title:
        return []
    return [(hit.start(), hit.end(), other) for hit in _title_hits(case, text)]


# --- figures ---


@dataclass(frozen=True)
class Figures:
    """What the verifier did with the texts of one source."""

    n_true: int
    refused: tuple[tuple[Case, str], ...]
    planted: dict[str, int]
    missed: tuple[Planted, ...]
    seconds_per_text: float
    """Processor time of one verification, so that other work on the machine does not count."""

    def caught(self, kind: str) -> int:
        """Falsehoods of a kind that were caught."""
        return self.planted[kind] - sum(planted.kind == kind for planted in self.missed)


def measure(cases: Sequence[Case], *, source: str, names: Names, n_false: int, seed: int) -> Figures:
    """Verify every case's true text, then plant ``n_false`` falsehoods in texts that passed, equally many of each kind.

    A falsehood counts as caught when the text no longer passes. Texts that were refused while true take no part in
    that, so that no catch is an accident.
    """
    rng = random.Random(seed)
    texts = [(case, true_text(case, source=source, seed=seed)) for case in cases]
    started = time.process_time()
    passed = [_verified(case, text, names) for case, text in texts]
    seconds = (time.process_time() - started) / len(texts)
    good = [pair for pair, is_true in zip(texts, passed, strict=True) if is_true]
    quota = {kind: n_false // len(KINDS) + (i < n_false % len(KINDS)) for i, kind in enumerate(KINDS)}
    planted = {kind: _plant_many(good, kind=kind, n=n, names=names, rng=rng) for kind, n in quota.items()}
    return Figures(
        n_true=len(texts),
        refused=tuple(pair for pair, is_true in zip(texts, passed, strict=True) if not is_true),
        planted={kind: len(found) for kind, found in planted.items()},
        missed=tuple(p for found in planted.values() for p in found if _verified(p.case, p.text, names)),
        seconds_per_text=seconds,
    )


def _verified(case: Case, text: str, names: Names) -> bool:
    return verify_explanation(
        text, facts=case.facts, forecast=case.forecast, drivers=case.drivers, vocabulary=names.vocabulary
    ).verified


def _plant_many(
    texts: Sequence[tuple[Case, str]], *, kind: str, n: int, names: Names, rng: random.Random
) -> list[Planted]:
    """One falsehood a text, round and round over the texts in random order."""
    found: list[Planted] = []
    for _ in range(4):
        for case, text in rng.sample(texts, len(texts)):
            if len(found) == n:
                return found
            planted = plant(case, text, kind=kind, names=names, rng=rng)
            if planted is not None:
                found.append(planted)
    return found
