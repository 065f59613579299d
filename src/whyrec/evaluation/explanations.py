"""How good a set of explanations is, without a judge: checked, resting on evidence, distinct, of the item, readable.

USR, DIV, FMR and FCR are PETER's (Li, Zhang and Chen, Personalized Transformer for Explainable Recommendation, 2021);
that paper has one sentence and one feature a text, so what stands for them where there are more is said below.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from whyrec.errors import InvalidDataError
from whyrec.evaluation.explanation_features import Feature, FeatureSpace
from whyrec.evaluation.readability import flesch_reading_ease, word_count
from whyrec.evaluation.rolling import ROW_SCHEMA
from whyrec.evaluation.significance import Interval, bootstrap_mean, bootstrap_statistic, ratio_of
from whyrec.evaluation.verification.mentions import split_sentences
from whyrec.interfaces import Explanation

PROTOCOL = "explanations"
MASK = "□"
"""What stands for a checked claim in a sentence's frame."""

_BLANKS = re.compile(rf"{MASK}(?:[\s\d.,%]*{MASK})*|\d[\d.,]*%?")


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure over a set of explanations."""

    value: float
    n: int
    """Explanations that it is over."""
    low: float | None = None
    """Of its 95% bootstrap interval over explanations; None where resampling says nothing."""
    high: float | None = None


def explanation_figures(
    explanations: Sequence[Explanation],
    *,
    features: FeatureSpace | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Figure]:
    """Measure a set of explanations.

    Args:
        explanations: At least one.
        features: Of the catalogue; None leaves out what needs it.
        n_resamples: Of the bootstrap.
        seed: Fixes the resamples.

    Returns:
        By name, each a mean over explanations unless said otherwise:

        - ``verified``: 1 if at least one claim was found and all are borne out.
        - ``claims``: number of checked claims.
        - ``evidence_cited``: share of its evidence that its claims rest on; of explanations with evidence.
        - ``words``, and ``reading_ease`` by Flesch's formula.
        - ``USR``: distinct sentences over all sentences, see ``unique_sentence_ratio``; ``USR[frame]`` the same after
          checked claims and numbers are blanked out, so that filling one frame with other names makes it no new one.
        - ``FMR``, ``DIV``, ``FCR`` and ``FCR[explained]``: see ``feature_matching``, ``pairwise_overlaps`` (DIV: less
          is better) and ``feature_coverage``; the last over the features of the explained items alone.

    Raises:
        InvalidDataError: If there are no explanations.
    """
    if not explanations:
        raise InvalidDataError("explanations: expected at least one, got none. Check what was written.")
    per_text = {
        name: bootstrap_mean(column, n_resamples=n_resamples, seed=seed) for name, column in _columns(explanations)
    }
    figures = {name: _figure(interval) for name, interval in per_text.items()}
    for name, is_masked in (("USR", False), ("USR[frame]", True)):
        sentences = [sentences_of(explanation, masked=is_masked) for explanation in explanations]
        if any(sentences):
            figures[name] = _figure(unique_sentence_ratio(sentences, n_resamples=n_resamples, seed=seed))
    if features is not None:
        figures |= _feature_figures(explanations, features, n_resamples=n_resamples, seed=seed)
    return figures


def explanation_rows(
    figures: Mapping[str, Figure],
    *,
    method: str,
    dataset: str,
    writers: Mapping[str, int],
    protocol: str = PROTOCOL,
    seed: int = 0,
) -> pl.DataFrame:
    """Figures as the rows that all evaluation shares.

    Args:
        figures: From ``explanation_figures``.
        method: Whose explanations.
        dataset: On what.
        writers: From ``writer_counts``.
        protocol: How the figures came about.
        seed: Of the bootstrap.

    Returns:
        Columns of ``ROW_SCHEMA``.
    """
    who = ", ".join(writers)
    rows = [
        (method, dataset, protocol, name, figure.value, figure.low, figure.high, figure.n, seed, who)
        for name, figure in figures.items()
    ]
    return pl.DataFrame(rows, schema=ROW_SCHEMA, orient="row")


def writer_counts(explanations: Sequence[Explanation]) -> dict[str, int]:
    """How many explanations each writer wrote, the most first."""
    return dict(Counter(explanation.writer for explanation in explanations).most_common())


def plain_text(explanation: Explanation) -> str:
    """The text without the tags in brackets that begin its sections."""
    return _untagged(explanation.text, explanation.sections)


def sentences_of(explanation: Explanation, *, masked: bool = False) -> list[str]:
    """The sentences of an explanation, white space evened out.

    Args:
        explanation: What was told.
        masked: Blank out checked claims and numbers: what is left is the frame that the writer filled.
    """
    text = explanation.text
    if masked:
        letters = list(text)
        for claim in explanation.verdict.claims:
            letters[claim.start : claim.end] = MASK * (claim.end - claim.start)
        text = "".join(letters)
    bare = _untagged(text, explanation.sections)
    sentences = [" ".join(bare[stretch.start : stretch.end].split()) for stretch in split_sentences(bare)]
    return [_BLANKS.sub(MASK, sentence) if masked else sentence for sentence in sentences if sentence]


def evidence_cited(explanation: Explanation) -> float | None:
    """The share of an explanation's evidence that at least one of its claims rests on; None without evidence."""
    known = {evidence.id for evidence in explanation.evidence}
    cited = {name for claim in explanation.verdict.claims for name in claim.evidence_ids}
    return len(known & cited) / len(known) if known else None


def unique_sentence_ratio(sentences: Sequence[Sequence[str]], *, n_resamples: int = 2000, seed: int = 0) -> Interval:
    """Distinct sentences over all sentences of a set (USR); {a, b}, {a}: 2/3.

    Each occurrence adds 1/(how often its sentence occurs). The interval redraws explanations with what each adds held:
    counted anew, every resample would look more alike than the set, because it holds some explanations twice.

    Args:
        sentences: Of each explanation.
        n_resamples: Of the bootstrap.
        seed: Fixes the resamples.

    Raises:
        InvalidDataError: If there is no sentence.
    """
    counts = Counter(sentence for told in sentences for sentence in told)
    parts = np.array([[sum(1 / counts[it] for it in told), len(told)] for told in sentences if told], dtype=np.float64)
    if not len(parts):
        raise InvalidDataError("USR: expected at least one sentence, got none. Leave empty explanations out.")
    return bootstrap_statistic([parts], statistic=ratio_of(0, 1), n_resamples=n_resamples, seed=seed)


def feature_matching(named: Sequence[Collection[Feature]], own: Sequence[Collection[Feature]]) -> NDArray[np.float64]:
    """Whether each text names a feature of its own item; their mean is FMR.

    PETER asks for the one feature that the user's review speaks of. Without reviews any feature of the item's entry
    will do. NaN for an item without features.

    Args:
        named: Features in each text.
        own: Features of the item that it is about.
    """
    pairs = zip(named, own, strict=True)
    return np.array([float(not set(a).isdisjoint(b)) if b else np.nan for a, b in pairs], dtype=np.float64)


def pairwise_overlaps(named: Sequence[Collection[Feature]]) -> NDArray[np.float64]:
    """Jackknife values of DIV: their mean is the mean number of features that two texts share; {a, b}, {b}, {c}: 1/3.

    PETER's DIV; less is better. A mean over pairs is a U-statistic: what one text adds counts in all its pairs, so that
    its jackknife values, and not its mean overlaps, have the variance that a bootstrap of means must see.

    Args:
        named: Features in each of at least three texts.

    Raises:
        InvalidDataError: If there are fewer.
    """
    n = len(named)
    if n < 3:
        raise InvalidDataError(f"DIV: expected at least 3 explanations, got {n}. Explain more.")
    counts = Counter(feature for features in named for feature in set(features))
    shared = np.array([sum(counts[it] - 1 for it in set(features)) for features in named], dtype=np.float64)
    pairs = shared.sum() / (n * (n - 1))
    without = (n * (n - 1) * pairs - 2 * shared) / ((n - 1) * (n - 2))
    values: NDArray[np.float64] = n * pairs - (n - 1) * without
    return values


def feature_coverage(named: Sequence[Collection[Feature]], known: Collection[Feature]) -> float | None:
    """Distinct features that some text names over all there are (FCR); None if there are none.

    It grows with the number of texts, so only sets of equal size compare; it has no interval for the same reason.
    """
    return len(set(known) & set().union(*named)) / len(set(known)) if known else None


def _untagged(text: str, sections: Iterable[str]) -> str:
    names = "|".join(re.escape(name) for name in sections)
    return re.sub(rf"^\[(?:{names})\]:?\s*", "", text, flags=re.MULTILINE) if names else text


def _columns(explanations: Sequence[Explanation]) -> list[tuple[str, NDArray[np.float64]]]:
    """One value per explanation; NaN where it has none."""
    told = [(plain_text(explanation), len(sentences_of(explanation))) for explanation in explanations]
    columns: dict[str, list[float | None]] = {
        "verified": [float(explanation.verdict.verified) for explanation in explanations],
        "claims": [float(len(explanation.verdict.claims)) for explanation in explanations],
        "evidence_cited": [evidence_cited(explanation) for explanation in explanations],
        "words": [float(word_count(text)) for text, _ in told],
        "reading_ease": [flesch_reading_ease(text, n_sentences=n) for text, n in told],
    }
    arrays = [(name, np.array(values, dtype=np.float64)) for name, values in columns.items()]
    return [(name, values) for name, values in arrays if not np.isnan(values).all()]


def _feature_figures(
    explanations: Sequence[Explanation], space: FeatureSpace, *, n_resamples: int, seed: int
) -> dict[str, Figure]:
    named = [space.named_in(plain_text(explanation), about=explanation.item_id) for explanation in explanations]
    own = [space.of_items.get(explanation.item_id, frozenset()) for explanation in explanations]
    figures = {}
    matching = feature_matching(named, own)
    if not np.isnan(matching).all():
        figures["FMR"] = _figure(bootstrap_mean(matching, n_resamples=n_resamples, seed=seed))
    if len(named) > 2:
        figures["DIV"] = _figure(bootstrap_mean(pairwise_overlaps(named), n_resamples=n_resamples, seed=seed))
    for name, known in (("FCR", space.features), ("FCR[explained]", frozenset[Feature]().union(*own))):
        share = feature_coverage(named, known)
        if share is not None:
            figures[name] = Figure(share, len(named))
    return figures


def _figure(interval: Interval) -> Figure:
    return Figure(interval.value, interval.n, interval.low, interval.high)
