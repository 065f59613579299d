"""A fitted ranking as named arrays, and back."""

from collections.abc import Mapping

import numpy as np
from scipy import sparse

from whyrec.methods.mllm3rec.config import RankerConfig
from whyrec.methods.mllm3rec.item_words import ItemWords
from whyrec.methods.mllm3rec.motives import MotiveScale
from whyrec.methods.mllm3rec.ranker import PARTS, ItemContents, OfflineRanker, Stage
from whyrec.methods.mllm3rec.schema import MotivationSchema
from whyrec.methods.mllm3rec.taken_together import Crowd
from whyrec.methods.mllm3rec.text_head import TextHead
from whyrec.methods.mllm3rec.text_space import TextSpace

_SCALE = ("described", "directions", "mean", "deviation")
_HEAD = ("cosines", "from_user", "to_item", "linear")


def fitted_arrays(space: TextSpace, scale: MotiveScale, ranker: OfflineRanker) -> dict[str, np.ndarray]:
    """All that a fit learned, but for the schema of motivations and the test of them."""
    contents, head, crowd = ranker.stage.contents, ranker.stage.head, ranker.stage.crowd
    return {
        "space.mean": space.mean,
        "space.directions": space.directions,
        **{f"scale.{name}": getattr(scale, name) for name in _SCALE},
        "points": contents.points,
        "motives": contents.motives,
        **_sparse_arrays("words", contents.words.by_item),
        "words.inverse_frequency": contents.words.inverse_frequency,
        "words.txt": np.frombuffer(" ".join(contents.words.vocabulary).encode(), dtype=np.uint8),
        **{f"head.{name}": getattr(head, name) for name in _HEAD},
        **_sparse_arrays("crowd", crowd.together),
        "crowd.ever": crowd.ever,
        "crowd.recent": crowd.recent,
        "weights": np.array([ranker.weights[name] for name in PARTS]),
        "weights.alone": np.array([ranker.alone[name] for name in PARTS]),
    }


def fitted_parts(
    arrays: Mapping[str, np.ndarray], *, motivations: MotivationSchema, config: RankerConfig
) -> tuple[TextSpace, MotiveScale, OfflineRanker]:
    """What ``fitted_arrays`` was given.

    Args:
        arrays: From it.
        motivations: Whose scale it is.
        config: Of the ranking, as it was fitted.
    """
    n_items, vocabulary = len(arrays["points"]), arrays["words.txt"].tobytes().decode().split()
    words = ItemWords(
        tuple(vocabulary), arrays["words.inverse_frequency"], _sparse(arrays, "words", (n_items, len(vocabulary)))
    )
    crowd = Crowd(
        _sparse(arrays, "crowd", (n_items, n_items)),
        arrays["crowd.ever"],
        arrays["crowd.recent"],
        config.half_life,
        config.newest,
    )
    head = TextHead(*(arrays[f"head.{name}"] for name in _HEAD))
    contents = ItemContents(arrays["points"], words, arrays["motives"])
    stage = Stage(contents, head, crowd, config.head.newest, config.head.half_life)
    weights, alone = (dict(zip(PARTS, arrays[it].tolist(), strict=True)) for it in ("weights", "weights.alone"))
    space = TextSpace(arrays["space.mean"], arrays["space.directions"])
    scale = MotiveScale(motivations, *(arrays[f"scale.{name}"] for name in _SCALE))
    return space, scale, OfflineRanker(stage, weights, alone)


def _sparse_arrays(name: str, matrix: sparse.csr_array) -> dict[str, np.ndarray]:
    return {
        f"{name}.values": matrix.data.astype(np.float32),
        f"{name}.columns": matrix.indices.astype(np.int64),
        f"{name}.offsets": matrix.indptr.astype(np.int64),
    }


def _sparse(arrays: Mapping[str, np.ndarray], name: str, shape: tuple[int, int]) -> sparse.csr_array:
    return sparse.csr_array(tuple(arrays[f"{name}.{part}"] for part in ("values", "columns", "offsets")), shape=shape)
