"""Vectors of texts from their words alone: latent semantic analysis, where a sentence encoder would take hours.

A processor's core encodes some dozens of texts a second with a sentence encoder, and ten thousand this way. Titles in
quotation marks count as one word each, so that a reason also says which films it likens its own to. What is learned,
is learned from the texts that it is fitted on; give it texts of training interactions only.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer
from sklearn.preprocessing import normalize

from whyrec.errors import InvalidDataError

_WORD = re.compile(r"[“\"][^”\"]+[”\"]|[^\W\d_][\w'’-]*|\d{4}s?")
_FITTED_ON = 100_000
"""Texts: more of them change the directions very little."""
_EMBEDDED_AT_ONCE = 1 << 14


@dataclass(frozen=True, eq=False)
class LatentEncoder:
    """Turns texts into vectors of length 1, as ``Embedder`` does; a text without a known word has zeros."""

    words: tuple[str, ...]
    weights: Float[np.ndarray, " V"]
    """Inverse document frequency of each word."""
    directions: Float[np.ndarray, "V D"]

    @classmethod
    def fit(cls, texts: Sequence[str], *, dim: int = 128, max_words: int = 20_000, seed: int = 0) -> Self:
        """Learn words and directions.

        Args:
            texts: Such as all reasons and patterns of training interactions.
            dim: Columns of the vectors; fewer if there are not as many words.
            max_words: The most frequent words that count.
            seed: Of the draw of texts and of the decomposition.

        Raises:
            InvalidDataError: If the texts have fewer than two words between them.
        """
        rng = np.random.default_rng(seed)
        n = min(_FITTED_ON, len(texts))
        chosen = [texts[place] for place in np.sort(rng.choice(len(texts), size=n, replace=False)).tolist()]
        vectorizer = TfidfVectorizer(analyzer=words_of, max_features=max_words, sublinear_tf=True, dtype=np.float32)
        try:
            counted = vectorizer.fit_transform(chosen)
        except ValueError:
            counted = csr_matrix((0, 0))
        if counted.shape[1] < 2:
            raise InvalidDataError(
                f"vectors of words: expected two different words in {len(texts):,} texts, got {counted.shape[1]}. "
                "Give more texts."
            )
        columns = min(dim, counted.shape[1] - 1)
        svd = TruncatedSVD(columns, n_iter=3, random_state=seed).fit(counted)
        words = tuple(str(word) for word in vectorizer.get_feature_names_out())
        return cls(words, vectorizer.idf_.astype(np.float32), svd.components_.T.astype(np.float32))

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text, float32 [N, D]."""
        vectorizer = TfidfVectorizer(
            analyzer=words_of, vocabulary=list(self.words), sublinear_tf=True, dtype=np.float32
        )
        vectorizer.idf_ = self.weights
        found = np.zeros((len(texts), self.directions.shape[1]), dtype=np.float32)
        for start in range(0, len(texts), _EMBEDDED_AT_ONCE):
            some = texts[start : start + _EMBEDDED_AT_ONCE]
            found[start : start + len(some)] = normalize(vectorizer.transform(some) @ self.directions)
        return found


def words_of(text: str) -> list[str]:
    """Words, quoted titles and years of a text, in lower case, without those that stand in every text."""
    return [word for word in _WORD.findall(text.casefold()) if word not in ENGLISH_STOP_WORDS]
