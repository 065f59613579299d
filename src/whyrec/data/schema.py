"""Column names and types of a dataset, in one place."""

import polars as pl

USER = "user_id"
ITEM = "item_id"
TIMESTAMP = "timestamp"
RATING = "rating"
REVIEW = "review"
TITLE = "title"
DESCRIPTION = "description"

TIMESTAMP_TYPE = pl.Datetime("us", "UTC")

REQUIRED_INTERACTIONS = {USER: pl.String(), ITEM: pl.String(), TIMESTAMP: TIMESTAMP_TYPE}
REQUIRED_ITEMS = {ITEM: pl.String(), TITLE: pl.String()}

FORMAT_VERSION = 1
"""Version of the directory layout; readers refuse a higher one."""
