"""Levels without a language model: described ends, labels that teach, facts, calibration, and users' histories."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from guided_films import ASPECTS, FILMS, WordCounts, at
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.methods.guided.artefacts import AspectScores
from whyrec.methods.guided.aspects import Fact, bundled_aspects
from whyrec.methods.guided.offline import OfflineConfig, OfflineScorer, item_lines, user_levels
from whyrec.methods.guided.offline.calibration import Calibration, fact_levels
from whyrec.methods.guided.offline.facts import told_levels
from whyrec.methods.guided.offline.poles import centred, pole_positions
from whyrec.methods.guided.offline.weak_labels import label_positions, likeness_to_labels, weak_labels

TENSION, ERA = ASPECTS.aspects
positions = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40)


def drawn(n: int = 400, *, seed: int = 0) -> tuple[pl.DataFrame, list[str], np.ndarray]:
    """Films that are tense or not: plots tell it by words of which the descriptions know one; genres name it of half.

    A word that no description knows, "castle" for the tense ones here, can only be learnt from labels.
    """
    rng = np.random.default_rng(seed)
    is_tense = rng.random(n) < 0.5
    plots = []
    for tense in is_tense:
        told = "killer" if tense else "calm"
        taught = "castle" if tense else "internet"
        other = "gentle" if rng.random() < 0.5 else "chase"
        plots.append(" ".join([told] * (rng.random() < 0.2) + [taught] * (rng.random() < 0.8) + [other]))
    genres = [(["Thriller"] if tense else ["Comedy"]) if rng.random() < 0.5 else ["Drama"] for tense in is_tense]
    ids = [f"f{place}" for place in range(n)]
    return pl.DataFrame({"item_id": ids, "title": ids, "genres": genres}), plots, is_tense


def log(*rows: tuple[str, str, float]) -> Dataset:
    frame = pl.DataFrame(
        {
            "user_id": [user for user, _, _ in rows],
            "item_id": [item for _, item, _ in rows],
            "timestamp": [at(days) for _, _, days in rows],
        },
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )
    return Dataset.from_frames(frame, FILMS)


def numbers(texts: Sequence[str | None]) -> list[float]:
    """What is read of the values of a column: levels of a fact from -1e7 to 1e7, brought back."""
    fact = Fact(columns=("value",), low=-1e7, high=1e7)
    levels = told_levels(pl.DataFrame({"value": texts}), ERA.model_copy(update={"fact": fact}))
    assert levels is not None
    return [round(float(level), 6) for level in -1e7 + (levels - 1) / 9 * 2e7]


def item_scores(**levels: tuple[float, float]) -> AspectScores:
    return AspectScores.of(
        "items", list(levels), np.array(list(levels.values())), aspects=ASPECTS.keys, writer="offline"
    )


def test_position_is_the_cosine_with_the_way_from_end_to_end() -> None:
    """From (0, 1) to (1, 0) the way is (1, -1) / sqrt 2."""
    items = np.array([[1.0, 0], [0, 1], [1, 1], [0, 0]])
    found = pole_positions(items, low=np.array([[0.0, 2], [0, 1]]), high=np.array([[3.0, 0]]))
    np.testing.assert_allclose(found, [math.sqrt(0.5), -math.sqrt(0.5), 0, 0], atol=1e-12)


def test_what_all_items_have_in_common_tells_none_apart() -> None:
    rows = np.array([[5.0, 1], [5, -1], [5, 0]])
    np.testing.assert_allclose(centred(rows), [[0, 1], [0, -1], [0, 0]], atol=1e-12)


def test_calm_and_tense_films_stand_where_their_plots_say() -> None:
    scores, report = OfflineScorer(ASPECTS, WordCounts()).score(FILMS)
    tension = dict(zip(scores.ids, scores.values[:, 0].tolist(), strict=True))
    assert tension["b"] == max(tension.values())
    assert tension["a"] == min(tension.values())
    assert [it.source for it in report] == ["poles", "fact"], "four films are too few for labels to teach"
    assert (report[0].n_low, report[0].n_high) == (1, 1)
    assert scores.writer == "offline"


def test_what_labels_teach_is_read_in_the_plots_of_films_without_them() -> None:
    items, plots, is_tense = drawn()
    auc = {}
    for uses_labels in (False, True):
        scorer = OfflineScorer(ASPECTS.chosen(["tension"]), WordCounts(), OfflineConfig(uses_labels=uses_labels))
        scores, (report,) = scorer.score(items, texts=plots)
        unlabelled = (items["genres"].list.first() == "Drama").to_numpy()
        auc[uses_labels] = roc_auc_score(is_tense[unlabelled], scores.values[unlabelled, 0])
        assert report.source == ("labels" if uses_labels else "poles")
    assert auc[True] > auc[False] + 0.1


def test_no_items_own_label_is_in_its_score() -> None:
    """Labels without anything to do with the texts teach nothing: an AUC of one half, not of one.

    Were a labelled item's score from a model that saw it, 60 columns of noise would find 80 labels again.
    """
    rng = np.random.default_rng(1)
    vectors = centred(rng.normal(size=(80, 60)))
    has_label = rng.random((80, 1)) < 0.5
    words = [" ".join(f"w{n}" for n in rng.choice(60, size=10)) for _ in range(80)]
    for texts in ((), words):
        found = likeness_to_labels(vectors, has_label, texts=texts)
        assert abs(roc_auc_score(has_label[:, 0], found[:, 0]) - 0.5) < 0.2


def test_words_teach_what_vectors_do_not_tell() -> None:
    """The vectors are noise; one word tells the label apart. The same words without it teach nothing."""
    rng = np.random.default_rng(2)
    vectors = centred(rng.normal(size=(120, 4)))
    has_label = np.arange(120)[:, None] % 2 == 0
    noise = [" ".join(f"w{n}" for n in rng.choice(60, size=5)) for _ in range(120)]
    told = [f"{text} dragon" if it else text for text, it in zip(noise, has_label[:, 0], strict=True)]
    auc = [
        roc_auc_score(has_label[:, 0], likeness_to_labels(vectors, has_label, texts=texts)[:, 0])
        for texts in ((), noise, told)
    ]
    assert max(auc[:2]) < 0.7
    assert auc[2] > 0.8
    assert (likeness_to_labels(vectors, has_label, texts=["alone"] + [""] * 119) != 0).any(), "no word stands in two"


def test_every_label_of_an_end_weighs_alike() -> None:
    likeness = np.array([[1.0, 3.0, 5.0], [0.0, 0.0, 0.0]])
    labels = [("genres", "Comedy"), ("genres", "Thriller"), ("genres", "Horror")]
    poles = {"low": ("Comedy", "Rare"), "high": ("Thriller", "Horror")}
    aspect = TENSION.model_copy(
        update={
            end: getattr(TENSION, end).model_copy(update={"labels": {"genres": values}})
            for end, values in poles.items()
        }
    )
    found = label_positions(likeness, aspect, labels)
    assert found is not None
    assert found.tolist() == [(3 + 5) / 2 - 1, 0.0]
    assert label_positions(likeness[:, 1:], aspect, labels[1:]) is None, "nothing is known of the low end"


def test_labels_by_hand() -> None:
    """Both ends, none, a path in one text, other letters' case; a column that is not there changes nothing."""
    items = pl.DataFrame({"genres": ["comedy|Thriller", "Drama", "Film > COMEDY", "Comedy Thriller", None]})
    assert weak_labels(items, TENSION).tolist() == [0, 0, -1, 0, 0]
    assert weak_labels(items.rename({"genres": "kind"}), TENSION).tolist() == [0] * 5


def test_a_label_may_hold_a_comma_or_be_a_whole_path() -> None:
    items = pl.DataFrame({"categories": ["Beauty > Hair Care > Creams, Gels & Lotions", "Beauty > Makeup"]})
    pole = TENSION.low.model_copy(update={"labels": {"categories": ("Creams, Gels & Lotions", "Beauty > Makeup")}})
    assert weak_labels(items, TENSION.model_copy(update={"low": pole})).tolist() == [-1, -1]


def test_years_answer_for_themselves_and_texts_where_they_are_missing() -> None:
    """(1965 - 1930) / 70 of 9 points above 1 is 5.5; 1900 is before the scale."""
    scores, _ = OfflineScorer(ASPECTS, WordCounts()).score(FILMS)
    assert scores.values[:3, 1].tolist() == [5.5, 10, 1]
    assert 1 <= scores.values[3, 1] <= 10


def test_facts_are_read_from_numbers_and_texts() -> None:
    fact = Fact(columns=("missing", "price"), low=1, high=100, logarithmic=True)
    aspect = ERA.model_copy(update={"fact": fact})
    found = told_levels(pl.DataFrame({"price": ["$10.00", "1,000 USD", "free", None, "0.5"]}), aspect)
    assert found is not None
    np.testing.assert_allclose(found, [5.5, 10, math.nan, math.nan, 1])
    assert told_levels(pl.DataFrame({"cost": [1.0]}), aspect) is None
    np.testing.assert_allclose(
        fact_levels(np.array([0.0, 2.5, 10]), Fact(columns=("x",), low=10, high=0)), [10, 7.75, 1]
    )


@pytest.mark.parametrize(
    ("texts", "minutes"),
    [
        (["136", "136 min", "2h 16m", "2H16", "2:16:00", "02:16", "PT2H16M", "2 hours and 16 minutes"], 136),
        (["1 h 36 min", "1:36", "about 1 hour, 36 minutes"], 96),
        (["1.5 hours", "1,5 h", "PT90M", "90m"], 90),
        (["3 hats", "3"], 3),
    ],
)
def test_lengths_are_read_in_minutes(texts: list[str], minutes: float) -> None:
    assert numbers(texts) == [minutes] * len(texts)


@pytest.mark.parametrize(
    ("texts", "number"),
    [
        (["1999", "(1999)", "Dec-1999", "1999-05-01 00:00:00", "1999-2003"], 1999),
        (["1,299.00", "1.299,00 €", "1 299,00", "1'299.00", "1,299", "$1,299, new", "EUR1.299,00"], 1299),
        (["12,99", "12.99", "$12.99 - $15.99", "EUR 12,99"], 12.99),
        (["$.99", "0,99"], 0.99),
        (["USD-20", "Rs.20", "20"], 20),
        (["1.299"], 1.299),
        (["1.299.000"], 1_299_000),
        (["-5"], -5),
    ],
)
def test_years_and_prices_are_read_as_they_are_written(texts: list[str], number: float) -> None:
    assert numbers(texts) == [number] * len(texts)


def test_what_cannot_be_read_is_unknown() -> None:
    assert np.isnan(numbers(["free", "-", "", None, "12,34,567.00", "2000,2003", "1.5.1999"])).all()


@given(values=positions, shape=st.sampled_from(["rank", "logistic"]))
def test_calibration_keeps_the_order_and_the_scale(values: list[float], shape: str) -> None:
    array = np.array(values)
    levels = Calibration.learn(array, shape=shape).levels_of(array)  # type: ignore[arg-type]
    assert ((levels >= 1) & (levels <= 10)).all()
    order = np.argsort(array, kind="stable")
    assert (np.diff(levels[order]) >= -1e-9).all()


def test_levels_by_rank_by_hand() -> None:
    """Ranks .5, 2 and 2 (in the middle of two), 3.5 of 4; between two items in between; beyond all, as the last."""
    found = Calibration.learn(np.array([7.0, 1, 3, 3]))
    np.testing.assert_allclose(
        found.levels_of(np.array([1, 3, 7, 5, 99.0])), 1 + 9 * np.array([0.5, 2, 3.5, 2.75, 3.5]) / 4
    )
    assert Calibration.learn(np.array([2.0, 2])).levels_of(np.array([2.0, 5])).tolist() == [5.5, 5.5]


def test_one_item_is_no_catalogue() -> None:
    with pytest.raises(InvalidDataError, match="expected at least 2 items to compare, got 1"):
        OfflineScorer(ASPECTS, WordCounts()).score(FILMS.head(1))


def test_an_item_of_which_nothing_is_known_has_no_scores_and_changes_none() -> None:
    """The fact of an item without a word stays, and its other levels are the mean of the items that have words."""
    silent = pl.DataFrame(
        {"item_id": ["e", "f", "g"], "title": [None, "  ", ""], "genres": [None, [], []], "year": [None, "?", "1965"]},
        schema_overrides=FILMS.select("item_id", "title", "genres", "year").schema,
    )
    before, reports = OfflineScorer(ASPECTS, WordCounts()).score(FILMS)
    after, others = OfflineScorer(ASPECTS, WordCounts()).score(pl.concat([silent, FILMS], how="diagonal"))
    assert after.ids.to_list() == ["g", "a", "b", "c", "d"]
    np.testing.assert_array_equal(after.values[1:], before.values)
    np.testing.assert_allclose(after.values[0], [before.values[:, 0].mean(), 5.5])
    assert [it.n_facts for it in (*reports, *others)] == [0, 3, 0, 4]
    with pytest.raises(InvalidDataError, match="got 1 of which there is a title or text"):
        OfflineScorer(ASPECTS, WordCounts()).score(pl.concat([silent, FILMS.head(1)], how="diagonal"))


def test_texts_that_are_given_decide_whose_there_are() -> None:
    scores, _ = OfflineScorer(ASPECTS.chosen(["tension"]), WordCounts()).score(
        FILMS, texts=["calm", "killer", " ", "nothing is known of it"]
    )
    assert scores.ids.to_list() == ["a", "b"]


def test_lines_leave_out_what_is_asked_for_and_popularity() -> None:
    items = FILMS.with_columns(pl.lit(4.5).alias("average_rating"))
    assert item_lines(items, without=["genres"])[0] == "Calm Days | year: 1965 | plot: calm gentle songs"


def test_recent_items_weigh_more() -> None:
    """Half-life one item: weights 1/4, 1/2, 1 on 1, 1 and 8 give (3/4 + 8) / (7/4) = 5."""
    items = item_scores(a=(1, 2), b=(8, 2))
    data = log(("u", "a", 1), ("u", "a", 2), ("u", "b", 3), ("v", "c", 1))
    found = user_levels(data, items, until=at(9), half_life_items=1)
    assert (found.ids.to_list(), found.side) == (["u"], "users")
    np.testing.assert_allclose(found.values, [[5, 2]])
    assert user_levels(data, items, until=at(9), half_life_items=math.inf).values[0, 0] == pytest.approx(10 / 3)


def test_planted_later_items_do_not_reach_a_users_levels() -> None:
    items = item_scores(a=(1, 2), b=(10, 2))
    early = [("u", "a", 1.0), ("u", "a", 2.0)]
    planted = log(*early, ("u", "b", 3.0), ("u", "b", 4.0))
    assert user_levels(planted, items, until=at(3)).values[0, 0] == 1
    assert user_levels(planted, items, until=at(3.5)).values[0, 0] > 1, "one that is before the cut-off counts"


def test_order_of_items_does_not_matter() -> None:
    data = log(("u", "a", 1), ("u", "b", 2), ("v", "c", 1))
    one = user_levels(data, item_scores(a=(1, 2), b=(8, 2), c=(3, 4)), until=at(9))
    other = user_levels(data, item_scores(c=(3, 4), b=(8, 2), a=(1, 2)), until=at(9))
    np.testing.assert_array_equal(one.values, other.values)


def test_wrong_settings_and_nobody_are_said() -> None:
    with pytest.raises(InvalidConfigError, match="half_life_items above 0, got 0"):
        user_levels(log(("u", "a", 1)), item_scores(a=(1, 1), b=(2, 2)), until=at(9), half_life_items=0)
    with pytest.raises(InvalidDataError, match="expected scored items before 2020-01-01"):
        user_levels(log(("u", "a", 1)), item_scores(a=(1, 1), b=(2, 2)), until=datetime(2020, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(("domain", "column"), [("movies", "genres"), ("beauty", "categories"), ("toys", "categories")])
def test_every_label_of_the_bundled_sets_is_of_one_column(domain: str, column: str) -> None:
    """An aspect whose labels are of a misspelt column would go untaught, and nobody would notice."""
    poles = [pole for it in bundled_aspects(domain).aspects for pole in (it.low, it.high)]
    assert {name for pole in poles for name in pole.labels} == {column}
