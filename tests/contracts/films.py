"""A corner of the bundled films, and settings with which every method is fitted on it in a second."""

from datetime import UTC, datetime

import polars as pl

from whyrec.data.bundled import bundled_dataset
from whyrec.data.dataset import Dataset

AT = datetime(2013, 10, 1, tzinfo=UTC)
N_ITEMS, N_USERS = 80, 60
FITS: dict[str, dict[str, object]] = {
    "curec": {
        "base": {"embedding_dim": 16, "n_layers": 1, "n_heads": 1, "max_history": 12, "dropout": 0.0},
        "base_training": {"epochs": 2, "batch_size": 20, "learning_rate": 0.02, "threads": 1},
        "model": {"n_heads": 2, "hidden": (8, 8), "max_reasons": 3},
        "training": {"epochs": 1, "n_negatives": 8, "n_in_batch": 4},
        "texts": {"check": False},
        "text_dim": 8,
        "reranked": 6,
        "validation_users": 10,
        "device": "cpu",
    },
    "guided": {
        "base_columns": 20,
        "n_layers": 1,
        "max_history": 12,
        "training": {"epochs": 2, "batch_size": 20, "learning_rate": 0.02, "threads": 1},
        "validation_users": 0,
        "device": "cpu",
    },
    "mllm3rec": {"ranker": {"head": {"epochs": 2, "rank": 4}, "dimensions": 8}, "device": "cpu"},
    "trail": {"rounds": 5, "training_cutoffs": 4, "validation_cutoffs": 1, "bags": 1},
}


def some_films() -> Dataset:
    """The films that most took, and some of the people who took many of these; the log goes on after ``AT``."""
    data = bundled_dataset()
    log = data.interactions.collect()
    items = log.group_by("item_id").len().sort("len", "item_id", descending=[True, False]).head(N_ITEMS)["item_id"]
    log = log.filter(pl.col("item_id").is_in(items.implode()))
    early = log.filter(pl.col("timestamp") < AT)
    users = early.group_by("user_id").len().filter(pl.col("len") >= 8).sort("user_id").head(N_USERS)["user_id"]
    kept = log.filter(pl.col("user_id").is_in(users.implode()))
    catalogue = data.items.filter(pl.col("item_id").is_in(items.implode()))
    return Dataset.from_frames(kept, catalogue, name="some films")
