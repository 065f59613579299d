"""A sentence encoder for tests: every word has a fixed random direction, a text is the sum of its words'."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DIMENSION = 64


class WordEncoder:
    """Texts that share words are alike."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([_text_vector(text) for text in texts]) if texts else np.zeros((0, DIMENSION), np.float32)


def _text_vector(text: str) -> NDArray[np.float32]:
    words = re.findall(r"\w+", text.lower())
    total = sum((_word_vector(word) for word in words), np.zeros(DIMENSION))
    return np.asarray(total / max(np.linalg.norm(total), 1e-9), dtype=np.float32)


def _word_vector(word: str) -> NDArray[np.float64]:
    digest = hashlib.sha256(word.encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big")).normal(size=DIMENSION)
