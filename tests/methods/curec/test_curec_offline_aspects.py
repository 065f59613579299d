"""What catalogues of several kinds say of their items, and how a history compares with the average user's."""

import math

import numpy as np
import polars as pl
import pytest
from curec_films import FILMS
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from whyrec.data.sequences import Sequences
from whyrec.evaluation.verification.titles import quoted
from whyrec.methods.curec.offline import Aspect, OfflineTextConfig, read_aspects
from whyrec.methods.curec.offline.phrases import NOUNS, counted, how_often, phrase_of, what_share, with_article
from whyrec.methods.curec.offline.profile import Interest, aspect_counts, average_shares, log_lifts, rank_aspects

CONFIG = OfflineTextConfig(keyword_min_items=2, keyword_max_share=0.5)


def aspects_of(items: pl.DataFrame, item: int, *, config: OfflineTextConfig = CONFIG) -> set[tuple[str, str]]:
    table = read_aspects(items, config=config)
    return {(table.aspects[number].kind, table.aspects[number].value) for number in table.of(item)}


def test_films_have_genres_people_an_era_and_words_of_their_plot() -> None:
    found = aspects_of(FILMS, 1)
    assert {("genre", "Western"), ("genre", "Drama"), ("director", "John Stone"), ("era", "1960s")} <= found
    assert {("cast", "Ann Lee"), ("cast", "Bob Ray")} <= found
    assert ("director", "Kay Vale") not in aspects_of(FILMS, 12)  # of one film only


def plots() -> pl.DataFrame:
    """Four genres by turns; every second western digs for silver near Calhoun, every fifth film gets a letter."""
    genres = ["Western", "Comedy", "War", "Romance"]
    mine, letter = " slowly digs for deep silver near Calhoun", " and gets a letter"
    return pl.DataFrame(
        {
            "item_id": [f"{number:02}" for number in range(80)],
            "title": [f"Film {number}" for number in range(80)],
            "genres": [[genres[number % 4]] for number in range(80)],
            "plot": [f"Somebody{'' if number % 8 else mine}{'' if number % 5 else letter}." for number in range(80)],
        }
    )


def test_keywords_keep_to_a_genre_and_are_no_names() -> None:
    """All 10 silver mines are in the 20 westerns, 10 * 20 / 80 = 2.5 would be chance; of the 16 letters 4 are."""
    config = OfflineTextConfig(keyword_min_items=4, keyword_max_share=0.3, keywords_per_item=5)
    table = read_aspects(plots(), config=config)
    assert {aspect.value for aspect in table.aspects if aspect.kind == "keyword"} == {"deep", "digs", "silver"}
    without = read_aspects(plots().drop("genres"), config=config)
    words = {aspect.value for aspect in without.aspects if aspect.kind == "keyword"}
    assert {"silver", "letter"} <= words  # nothing to keep to
    assert not words & {"calhoun", "Calhoun", "slowly"}


def test_steps_of_a_path_carry_their_parent_where_the_name_is_not_enough() -> None:
    items = pl.DataFrame(
        {
            "item_id": ["1", "2", "3", "4"],
            "title": ["Blush", "Cream", "Shampoo", "Soap"],
            "categories": [
                "Beauty > Makeup > Face", "Beauty > Skin Care > Face", "Beauty > Hair Care", "Beauty > Makeup > Face",
            ],
        }
    )  # fmt: skip
    assert aspects_of(items, 1) == {("category", "Makeup"), ("category", "Makeup > Face")}
    assert aspects_of(items, 3) == set()  # Beauty is said of all, Hair Care of one
    assert read_aspects(items, config=CONFIG).domain == "product"


def test_prices_fall_into_quarters_and_other_columns_are_attributes() -> None:
    items = pl.DataFrame(
        {
            "item_id": list("abcdefgh"),
            "title": [f"Thing {letter}" for letter in "abcdefgh"],
            "price": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, None],
            "colour": ["red", "red", "blue", "blue", "n/a", "n/a", None, ""],
        }
    )
    assert ("price", "cheapest") in aspects_of(items, 2)  # the lower quartile of 1..7 is 2.5
    assert ("price", "dearest") in aspects_of(items, 6)  # the upper one is 5.5
    assert aspects_of(items, 4) == {("attribute", "blue")}
    assert aspects_of(items, 8) == set()


def test_a_catalogue_of_bare_titles_has_no_aspects_but_can_be_read() -> None:
    items = pl.DataFrame({"item_id": ["1", "2"], "title": ["1", "2"]})
    table = read_aspects(items, config=CONFIG)
    assert (table.aspects, table.matrix.shape, table.domain) == ((), (3, 0), "item")


def test_years_are_found_in_texts_numbers_and_titles() -> None:
    for column in (pl.Series("year", [1994, 1995]), pl.Series("year", ["1994", "1995"]), pl.Series("x", [0, 0])):
        items = pl.DataFrame({"item_id": ["1", "2"], "title": ["A (1994)", "B (1995)"], column.name: column})
        assert read_aspects(items, config=CONFIG).years == (None, 1994, 1995)


def test_shares_are_averaged_over_users_not_over_interactions() -> None:
    matrix = csr_matrix(np.array([[0, 0], [1, 0], [1, 1]], dtype=np.float32))
    histories = Sequences.of([[1, 1, 2], [2], []])
    assert average_shares(histories, matrix).tolist() == [(3 / 3 + 1 / 1) / 2, pytest.approx((1 / 3 + 1 / 1) / 2)]
    assert aspect_counts(histories, matrix).toarray().tolist() == [[3, 1], [1, 1], [0, 0]]
    assert average_shares(Sequences.of([]), matrix).tolist() == [0, 0]


def test_a_lift_is_smoothed_towards_the_average() -> None:
    [weight] = log_lifts(np.array([4.0]), lengths=np.array([10.0]), shares=np.array([0.1]), prior=10)
    assert weight == pytest.approx(math.log(((4 + 10 * 0.1) / (10 + 10)) / 0.1))


@given(n=st.integers(1, 60), share=st.floats(0.01, 0.99), prior=st.floats(0.1, 50))
def test_more_interactions_weigh_more_and_the_average_weighs_nothing(n: int, share: float, prior: float) -> None:
    counts = np.arange(n + 1, dtype=np.float64)
    weights = log_lifts(counts, lengths=np.full(n + 1, float(n)), shares=np.full(n + 1, share), prior=prior)
    assert (np.diff(weights) > 0).all()
    assert log_lifts(np.array([share * n]), lengths=np.array([float(n)]), shares=np.array([share]), prior=prior)[
        0
    ] == pytest.approx(0, abs=1e-9)


def test_the_best_aspects_of_each_row_come_first() -> None:
    counts = csr_matrix(np.array([[5, 1, 2], [0, 0, 0], [0, 3, 1]], dtype=np.float32))
    ranked = rank_aspects(
        counts, lengths=np.array([5, 0, 3]), shares=np.array([0.9, 0.01, 0.1]), salience=np.ones(3), prior=1, at_most=2
    )
    # log(1.01 / 6 / .01) * sqrt(1) = 2.8; log(2.1 / 6 / .1) * sqrt(2) = 1.8; log(5.9 / 6 / .9) * sqrt(5) = 0.2
    assert [interest.aspect for interest in ranked.row(0, n=5, shares=np.full(3, 0.1))] == [1, 2]
    assert ranked.row(1, n=0, shares=np.full(3, 0.1)) == []
    assert [interest.count for interest in ranked.row(2, n=3, shares=np.full(3, 0.1))] == [3, 1]


@pytest.mark.parametrize(
    ("noun", "said"),
    [
        ("western", "a western"), ("adventure film", "an adventure film"), ("1949 thriller", "a 1949 thriller"),
        ("1895 film", "an 1895 film"), ("IMAX film", "an IMAX film"), ("unusual film", "an unusual film"),
        ("historical film", "a historical film"),
    ],
)  # fmt: skip
def test_articles(noun: str, said: str) -> None:
    assert with_article(noun) == said


@pytest.mark.parametrize(
    ("count", "n", "total", "said"),
    [
        (3, 10, 10, "three of the ten films so far"), (14, 50, 80, "14 of the last 50 films"),
        (2, 2, 2, "both films so far"), (1, 1, 1, "the only film so far"), (4, 4, 4, "all four films so far"),
        (50, 50, 51, "all of the last 50 films"), (0, 12, 12, "none of the twelve films so far"),
        (1, 1, 7, "the last film"),
    ],
)  # fmt: skip
def test_counts(count: int, n: int, total: int, said: str) -> None:
    assert counted(count, n=n, total=total, nouns=NOUNS["film"]) == said


@pytest.mark.parametrize(
    ("count", "share", "often", "part"),
    [
        (5, 0.4, "more often than usual", "a larger share than usual"),  # 1.25 times
        (5, 0.1, "more than four times as often as usual", "more than four times the usual share"),  # 5, not above 5
        (5, 0.09, "more than five times as often as usual", "more than five times the usual share"),
        (5, 0.2, "more than twice as often as usual", "more than twice the usual share"),  # 2.5 times
        (5, 0.01, "far more often than usual", "a far larger share than usual"),
    ],
)
def test_ratios_are_never_overstated(count: int, share: float, often: str, part: str) -> None:
    interest = Interest(aspect=0, count=count, n=10, share=share, weight=1.0)
    assert how_often(interest, reference="usual") == often
    assert what_share(interest, reference="usual") == part


def test_phrases_of_every_kind_read_as_english() -> None:
    table = read_aspects(FILMS, config=CONFIG)
    phrases = {(aspect.kind, aspect.value): phrase_of(aspect, table) for aspect in table.aspects}
    assert phrases["genre", "Sci-Fi"].many == "science fiction films"
    assert phrases["genre", "War"].is_one == "is a war film"
    assert phrases["director", "John Stone"][:2] == ("films by John Stone", "was directed by John Stone")
    assert phrases["cast", "Ann Lee"].is_one == "has Ann Lee in its cast"
    assert phrases["era", "1960s"].many == "films of the 1960s"
    assert phrase_of(Aspect("keyword", "mine", "plot"), table).many == "films with “mine” in the plot"


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("tags", "has “Douro” among its tags"),
        ("glass", "has “Douro” as its glass"),
        ("stock_status", "has “Douro” as its stock status"),
        ("rated", "has “Douro” as its certificate"),
    ],
)
def test_columns_with_a_name_in_the_plural_hold_several_values(column: str, words: str) -> None:
    assert phrase_of(Aspect("attribute", "Douro", column), read_aspects(FILMS, config=CONFIG)).is_one == words


def test_long_titles_are_cut_at_a_word() -> None:
    assert quoted("Short", longest=10) == "“Short”"
    assert quoted("A rather long title, really", longest=20) == "“A rather long…”"
