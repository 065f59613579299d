import polars as pl
import pytest

from whyrec.evaluation.explanation_features import FeatureSpace

ITEMS = pl.DataFrame(
    {
        "item_id": ["i1", "i2", "i3"],
        "title": ["Heat (1995)", "Matrix, The (1999)", None],
        "genres": [["Crime", "Science Fiction"], ["Science"], None],
        "maker": ["Acme > Toys", "Al", None],
        "description": ["A crime story", "A long talk of toys", "western"],
        "year": [1995, 1999, 2001],
    }
)
SPACE = FeatureSpace.of(ITEMS, traits={"i2": ["Easy to clean"]})


def test_features_are_values_and_traits_but_neither_prose_nor_numbers_nor_scraps() -> None:
    assert SPACE.of_items == {
        "i1": {"crime", "science fiction", "acme", "toys"},
        "i2": {"science", "easy to clean"},
        "i3": frozenset(),
    }
    assert SPACE.features == {"crime", "science fiction", "acme", "toys", "science", "easy to clean"} | {
        "“heat”",
        "“the matrix”",
    }


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("A CRIME film", {"crime"}),
        ("science fiction, of all sciences", {"science fiction", "science"}),
        ("Science-fiction", {"science fiction"}),
        ("it is easy to clean", {"easy to clean"}),
        ("criminal", set()),
        ("like “The Matrix”", {"“the matrix”"}),
        ('like "Matrix, The (1999)" and Heat', {"“the matrix”"}),
        ("what he calls “crime”", {"crime"}),
        ("", set()),
    ],
)
def test_what_a_text_names(text: str, named: set[str]) -> None:
    assert SPACE.named_in(text) == named


def test_an_items_own_title_does_not_count() -> None:
    assert SPACE.named_in("“Heat” follows “The Matrix”", about="i1") == {"“the matrix”"}
    assert SPACE.named_in("“Heat” follows “The Matrix”", about="unknown") == {"“heat”", "“the matrix”"}


def test_words_of_a_title_name_no_values() -> None:
    space = FeatureSpace.of(ITEMS.with_columns(title=pl.lit("True Crime")))
    assert space.named_in("“True Crime” is a toy") == {"“true crime”"}
    assert space.named_in("true crime") == {"crime"}
