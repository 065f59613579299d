"""Item vectors to start the encoder of histories from: who is taken together with whom, before any gradient.

A table that is drawn at random takes dozens of passes until it tells films of one kind from those of another; one that
is decomposed from co-occurrences begins with that.
"""

import numpy as np
import torch
from jaxtyping import Float
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from torch import Tensor

from whyrec.data.sequences import Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.embedding import ItemTable

_STD = 0.1
"""Of the vectors; chosen on validation items of the bundled data among 0.1 and 0.2."""
_ITERATIONS = 4


def start_from_cooccurrence(encoder: SequenceEncoder, sequences: Sequences, *, seed: int) -> None:
    """Overwrite an untrained encoder's item vectors by those of ``cooccurrence_vectors``.

    Items that were taken together with none keep theirs, and so do columns beyond the number of items.

    Args:
        encoder: As ``base_encoder.new_encoder`` made it.
        sequences: Training items only.
        seed: Of the decomposition.
    """
    table = encoder.items
    assert isinstance(table, ItemTable), "encoders of histories have a table of items"
    found = cooccurrence_vectors(
        sequences.select(np.arange(len(sequences)), newest=encoder.max_history),
        n_items=encoder.n_items,
        dim=table.embedding_dim,
        seed=seed,
    )
    vectors = torch.from_numpy(found)
    with torch.no_grad():
        rows: Tensor = table.trainable[1:, : vectors.shape[1]]
        rows.copy_(torch.where(vectors.any(dim=1, keepdim=True), vectors.to(rows), rows))


def cooccurrence_vectors(sequences: Sequences, *, n_items: int, dim: int, seed: int) -> Float[np.ndarray, "I D"]:
    """Decompose how much more often two items stand in one history than chance has it.

    Positive pointwise mutual information of pairs within a history, of which long ones count no more than short ones,
    reduced by a truncated singular value decomposition.

    Args:
        sequences: Histories.
        n_items: Size of the catalogue.
        dim: Columns; fewer where there are not more items than that.
        seed: Of the decomposition.

    Returns:
        Float32, zeros for an item that was taken together with none.
    """
    columns = min(dim, n_items - 1)
    lengths = np.maximum(sequences.lengths, 1)
    weights = (1 / np.sqrt(lengths))[sequences.users]
    taken = csr_matrix((weights, (sequences.users, sequences.items - 1)), shape=(len(sequences), n_items))
    pairs = (taken.T @ taken).tocoo()
    apart = pairs.row != pairs.col
    row, col, count = pairs.row[apart], pairs.col[apart], pairs.data[apart]
    if not len(count) or columns < 1:
        return np.zeros((n_items, max(columns, 0)), dtype=np.float32)
    total = np.bincount(row, weights=count, minlength=n_items)
    information = np.log(count * total.sum() / (total[row] * total[col]))
    is_more = information > 0
    table = csr_matrix((information[is_more], (row[is_more], col[is_more])), shape=(n_items, n_items))
    svd = TruncatedSVD(columns, n_iter=_ITERATIONS, random_state=seed)
    found = svd.fit_transform(table) / np.sqrt(np.maximum(svd.singular_values_, 1e-9))
    spread = found[found.any(axis=1)].std()
    scaled: Float[np.ndarray, "I D"] = (found * (_STD / max(float(spread), 1e-9))).astype(np.float32)
    return scaled
