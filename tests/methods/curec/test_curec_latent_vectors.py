"""Vectors of texts from their words."""

import numpy as np
import pytest

from whyrec.errors import InvalidDataError
from whyrec.methods.curec.latent_vectors import LatentEncoder, words_of

TEXTS = [
    "A war film from the 1940s.",
    "Another war film, with soldiers.",
    "Soldiers march through a war.",
    "A romance in Paris.",
    "Love and romance in the spring.",
    "A romance about love in Paris.",
]


def test_titles_are_one_word_and_numbers_but_years_are_none() -> None:
    assert words_of('Like “Star Wars” and "Alien", 12 of the 39 date from 1979, the 1970s.') == [
        "like",
        "“star wars”",
        '"alien"',
        "date",
        "1979",
        "1970s",
    ]


def test_texts_about_the_same_are_near_each_other() -> None:
    vectors = LatentEncoder.fit(TEXTS, dim=2).embed(TEXTS)
    cosines = vectors @ vectors.T
    within = [cosines[:3, :3].min(), cosines[3:, 3:].min()]
    assert min(within) > 0.9 > 0.1 > cosines[:3, 3:].max()
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(6), abs=1e-5)


def test_a_text_s_vector_depends_on_nothing_but_itself() -> None:
    made = LatentEncoder.fit(TEXTS, dim=3)
    together = made.embed([*TEXTS, "unknown"])
    assert np.allclose(made.embed([TEXTS[4]])[0], together[4], atol=1e-6)
    assert together[-1].tolist() == [0, 0, 0]
    assert made.embed([]).shape == (0, 3)


def test_same_seed_same_directions() -> None:
    first, second = (LatentEncoder.fit(TEXTS, dim=3, seed=5).embed(TEXTS) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("texts", [[], ["the", "of"], ["war", "war"]])
def test_too_few_words_are_refused(texts: list[str]) -> None:
    with pytest.raises(InvalidDataError, match="expected two different words"):
        LatentEncoder.fit(texts)
