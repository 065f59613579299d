import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.explanations import GENRES, claim_on, told
from whyrec.errors import InvalidDataError
from whyrec.evaluation.explanation_features import FeatureSpace
from whyrec.evaluation.explanations import (
    evidence_cited,
    explanation_figures,
    explanation_rows,
    feature_coverage,
    feature_matching,
    pairwise_overlaps,
    plain_text,
    sentences_of,
    unique_sentence_ratio,
    writer_counts,
)
from whyrec.evaluation.rolling import ROW_SCHEMA
from whyrec.evaluation.significance import bootstrap_mean
from whyrec.interfaces import Explanation

sets_of_features = st.lists(st.frozensets(st.sampled_from("abcde")), min_size=3, max_size=12)


def western(n: int, *, supported: bool = True, writer: str = "offline") -> Explanation:
    text = f"A western that drew {n} users. People like it."
    claims = [
        claim_on(text, "western", rests_on=["attribute:genres"]),
        claim_on(text, str(n), kind="number", supported=supported),
    ]
    return told(text, claims=claims, writer=writer).explanation


SPACE = FeatureSpace.of(
    pl.DataFrame({"item_id": ["i1", "i2"], "title": ["Heat", "Up"], "genres": [["Western", "Drama"], ["Comedy"]]})
)


def test_figures_of_three_texts_by_hand() -> None:
    """Sentences: "A western that drew 7 users." twice, "... 8 users." once, "People like it." three times: 3 of 6."""
    texts = [western(7), western(7, supported=False), western(8, writer="tiny@abc")]
    figures = explanation_figures(texts, features=SPACE, n_resamples=200)
    assert {name: round(figure.value, 6) for name, figure in figures.items()} == {
        "verified": round(2 / 3, 6),
        "claims": 2.0,
        "evidence_cited": 1 / 2,
        "words": 9.0,
        "reading_ease": pytest.approx(206.835 - 1.015 * 9 / 2 - 84.6 * 12 / 9, abs=1e-6),
        "USR": 3 / 6,
        "USR[frame]": round(2 / 6, 6),
        "FMR": 1.0,
        "DIV": 1.0,
        "FCR": 1 / 5,
        "FCR[explained]": 1 / 2,
    }
    assert figures["verified"].low == 0
    assert figures["verified"].high == 1
    assert figures["FCR"].low is None
    assert {figure.n for figure in figures.values()} == {3}
    assert writer_counts(texts) == {"offline": 2, "tiny@abc": 1}


def test_without_a_catalogue_or_evidence_or_words_the_rest_is_measured() -> None:
    bare = told("", evidence=[]).explanation
    assert explanation_figures([bare], n_resamples=10).keys() == {"verified", "claims", "words"}
    assert explanation_figures([bare, western(7)], n_resamples=10)["evidence_cited"].n == 1


def test_no_explanations_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="explanations: expected at least one, got none"):
        explanation_figures([])


def test_rows_have_the_common_shape() -> None:
    texts = [western(7), western(8, writer="tiny")]
    figures = explanation_figures(texts, n_resamples=10, seed=3)
    rows = explanation_rows(figures, method="trail", dataset="films", writers=writer_counts(texts), seed=3)
    assert rows.schema == ROW_SCHEMA
    assert rows["metric"].to_list() == list(figures)
    assert set(rows["writer"]) == {"offline, tiny"}
    assert set(rows["seed"]) == {3}


def test_evidence_counts_once_however_often_it_is_cited() -> None:
    text = "A western drama."
    claims = [claim_on(text, word, rests_on=["attribute:genres", "elsewhere"]) for word in ("western", "drama")]
    assert evidence_cited(told(text, claims=claims).explanation) == 1 / 2
    assert evidence_cited(told(text, claims=claims, evidence=[GENRES]).explanation) == 1
    assert evidence_cited(told(text, evidence=[]).explanation) is None


def test_tags_of_sections_are_no_words() -> None:
    text = "[Trend] It rose.\n[Feature]: A [Trend] western."
    explanation = told(text, sections={"Trend": "It rose.", "Feature": "A [Trend] western."}).explanation
    assert plain_text(explanation) == "It rose.\nA [Trend] western."
    assert plain_text(told(text).explanation) == text


def test_a_frame_is_what_is_left_without_claims_and_numbers() -> None:
    text = "Drama, western and crime of 2013 drew 1,204 users, 80% of them  twice."
    claims = [claim_on(text, word) for word in ("Drama", "western", "crime")]
    (frame,) = sentences_of(told(text, claims=claims).explanation, masked=True)
    assert frame == "□ and □ of □ drew □ users, □ of them twice."


def test_unique_sentence_ratio_by_hand() -> None:
    assert unique_sentence_ratio([["a", "b"], ["a"]], n_resamples=10).value == 2 / 3
    assert unique_sentence_ratio([["a"], ["b"], []], n_resamples=10).value == 1
    with pytest.raises(InvalidDataError, match="USR: expected at least one sentence"):
        unique_sentence_ratio([[]])


def test_overlaps_by_hand() -> None:
    """{a, b}, {b}, {c} share 1, 0 and 0 features; {a, b} twice and {b}: 2, 1 and 1."""
    assert pairwise_overlaps([{"a", "b"}, {"b"}, {"c"}]).mean() == pytest.approx(1 / 3)
    assert pairwise_overlaps([{"a", "b"}, {"a", "b"}, {"b"}]).mean() == pytest.approx(4 / 3)
    with pytest.raises(InvalidDataError, match="DIV: expected at least 3 explanations, got 2"):
        pairwise_overlaps([{"a"}, {"b"}])


def test_matching_and_coverage_by_hand() -> None:
    matching = feature_matching([{"a"}, {"b"}, {"c"}], [{"a", "x"}, {"x"}, set()])
    assert matching[:2].tolist() == [1, 0]
    assert np.isnan(matching[2])
    assert feature_coverage([{"a"}, {"a", "b", "other"}], {"a", "b", "c", "d"}) == 2 / 4
    assert feature_coverage([{"a"}], set()) is None


@given(sets_of_features)
def test_div_is_the_mean_over_all_pairs(named: list[frozenset[str]]) -> None:
    pairs = [len(a & b) for i, a in enumerate(named) for b in named[:i]]
    assert pairwise_overlaps(named).mean() == pytest.approx(sum(pairs) / len(pairs))


@given(sets_of_features)
def test_each_jackknife_value_is_that_of_leaving_one_out(named: list[frozenset[str]]) -> None:
    if len(named) > 3:
        n, whole = len(named), pairwise_overlaps(named).mean()
        without = np.array([pairwise_overlaps(named[:i] + named[i + 1 :]).mean() for i in range(n)])
        np.testing.assert_allclose(pairwise_overlaps(named), n * whole - (n - 1) * without, atol=1e-9)


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=4), min_size=1, max_size=8))
def test_unique_sentence_ratio_counts_each_sentence_once(sentences: list[list[str]]) -> None:
    every = [sentence for told_ in sentences for sentence in told_]
    interval = unique_sentence_ratio(sentences, n_resamples=50)
    assert interval.value == pytest.approx(len(set(every)) / len(every))
    assert 0 < interval.low <= interval.high <= 1 + 1e-12


@given(sets_of_features, st.frozensets(st.sampled_from("abcde"), min_size=1))
def test_more_texts_never_cover_less(named: list[frozenset[str]], known: frozenset[str]) -> None:
    shares = [feature_coverage(named[:n], known) for n in range(1, len(named) + 1)]
    assert shares == sorted(shares, key=lambda share: share or 0.0)
    assert all(share is not None and 0 <= share <= 1 for share in shares)


def test_an_interval_of_div_covers_the_truth_about_as_often_as_it_says_and_that_of_mean_overlaps_does_not() -> None:
    """Texts name each of four features by a coin: two share one feature on average. 40 texts are few: 93%, not 95%."""
    rng, n_trials = np.random.default_rng(0), 1000
    covered = np.zeros(2)
    for trial in range(n_trials):
        named = [
            {name for name, is_named in zip("abcd", coins, strict=True) if is_named}
            for coins in rng.random((40, 4)) < 0.5
        ]
        jackknife = pairwise_overlaps(named)
        mean_overlaps = (jackknife * (38 / 39) + jackknife.mean() * (40 / 39)) / 2
        for place, values in enumerate((jackknife, mean_overlaps)):
            interval = bootstrap_mean(values, n_resamples=200, seed=trial)
            covered[place] += interval.low <= 1 <= interval.high
    assert 0.90 < covered[0] / n_trials < 0.97
    assert covered[1] / n_trials < 0.75
