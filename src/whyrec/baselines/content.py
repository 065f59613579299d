"""Recommenders that read the catalogue and nothing else: words in common (BM25), and nearness of text embeddings.

Who had what is not learned from; a history is only a list of texts. Items that nobody has had yet can be found.
"""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from scipy import sparse

from whyrec.baselines.neighbours import sparse_arrays, sparse_from
from whyrec.baselines.scoring import Vectors, vector_blocks, vote_blocks
from whyrec.baselines.weighting import ColumnWeights, recency_weights, user_item_counts
from whyrec.data import schema
from whyrec.data.sequences import Histories, Sequences
from whyrec.data.whole_texts import whole_texts
from whyrec.llm.embed import Embedder
from whyrec.llm.embedding_model import PACKAGED_MODEL
from whyrec.recommending.base import ScoreBlock, ScoringRecommender, TrainingData
from whyrec.runtime.strict_model import StrictModel

_WORDS = r"(?u)\w+"


class ContentConfig(StrictModel):
    """Settings of both."""

    half_life: float | None = Field(default=10.0, gt=0)
    """An item counts half of one that stands so many places later in the history; None: all alike. Chosen."""


class Bm25Recommender(ScoringRecommender):
    """The texts of a history are the query, the texts of all items are the documents (Robertson et al. 1994).

    The query's words count as often as they occur, less in older items.
    """

    Config: ClassVar[type[BaseModel]] = ContentConfig
    config: ContentConfig
    words_: sparse.csr_array
    """Items by words, counted."""

    def learn(self, training: TrainingData) -> None:
        """Count the words of every item."""
        # Loads slowly: not on import of this module.
        from sklearn.feature_extraction.text import CountVectorizer

        texts = whole_texts(training.data.items.sort(schema.ITEM))
        if not any(character.isalnum() for text in texts for character in text):
            self._take(sparse.csr_array((len(texts), 1), dtype=np.float32))
            return
        counter = CountVectorizer(token_pattern=_WORDS, dtype=np.float32)
        self._take(sparse.csr_array(counter.fit_transform(texts)))

    def score_blocks(self, histories: Histories, rows: NDArray[np.int64]) -> Iterator[ScoreBlock]:
        """Look every row's words up."""

        def votes(sequences: Sequences) -> sparse.csr_array:
            weights = recency_weights(sequences, half_life=self.config.half_life)
            had = user_item_counts(sequences, n_items=len(self.item_ids_), values=weights)
            return (had @ self.words_) @ self._documents

        return vote_blocks(histories, rows, votes=votes, popularity=self.popularity_)

    def arrays(self) -> dict[str, np.ndarray]:
        """The counts; which word is which is of no use any more."""
        return {**sparse_arrays(self.words_), "n_words": np.array([self.words_.shape[1]])}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take the counts back."""
        self._take(sparse_from(arrays, shape=(len(self.item_ids_), int(arrays["n_words"][0]))))

    def _take(self, words: sparse.csr_array) -> None:
        words.sort_indices()
        self.words_ = words
        self._documents = ColumnWeights.learn(words, "bm25").weigh(words).T.tocsr()


class TextKnnConfig(ContentConfig):
    """Settings of text neighbours."""

    model: str = PACKAGED_MODEL
    """A sentence-transformers model; by default the MiniLM that comes as a package and needs no network."""
    device: str = "auto"
    """Where texts are embedded; auto takes a GPU if there is one."""


class TextKnnRecommender(ScoringRecommender):
    """Items whose text is nearest to the mean of the history's texts, by the cosine of their embeddings."""

    Config: ClassVar[type[BaseModel]] = TextKnnConfig
    config: TextKnnConfig
    vectors_: Vectors

    def learn(self, training: TrainingData) -> None:
        """Embed every item's text."""
        texts = whole_texts(training.data.items.sort(schema.ITEM))
        with Embedder.open(self.config.model, device=self.config.device) as embedder:
            self.vectors_ = embedder.embed(texts, normalize=True)

    def score_blocks(self, histories: Histories, rows: NDArray[np.int64]) -> Iterator[ScoreBlock]:
        """Compare the mean of each row's vectors, newer ones weighing more, with all items'."""
        sequences = histories.sequences.select(rows)
        weights = recency_weights(sequences, half_life=self.config.half_life)
        had = user_item_counts(sequences, n_items=len(self.item_ids_), values=weights)
        # A sparse product with a dense matrix runs row by row, as the other sparse products do.
        summed = np.asarray(had @ self.vectors_, dtype=np.float32)
        lengths = np.sqrt(np.einsum("ud,ud->u", summed, summed))[:, None]
        return vector_blocks(rows, user_vectors=summed / np.maximum(lengths, 1e-12), item_vectors=self.vectors_)

    def arrays(self) -> dict[str, np.ndarray]:
        """The items' vectors."""
        return {"vectors": self.vectors_}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take them back; the model is not needed any more."""
        self.vectors_ = arrays["vectors"]
