"""What the catalogue says of each item, as numbers: words of title, description and attributes; year; other numbers.

Item texts count as known from the start, as they are when a shop adds a product; nothing here reads the log.
"""

import re
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from whyrec.data import schema

_PATH = " > "
_MAX_LABEL_VALUES = 0.5
"""A text column is a label (brand, country) when its distinct values are at most this share of the items."""


@dataclass(frozen=True, eq=False)
class CatalogueVectors:
    """Rows follow the sorted item ids."""

    text: sparse.csr_matrix
    """TF-IDF of words and labels, rows of length 1, shape (n_items, n_terms)."""
    labels: sparse.csr_matrix
    """Each item's labels with equal weights that sum to 1, shape (n_items, n_labels)."""
    label_sizes: NDArray[np.float64]
    """Items per label, at least 1."""
    year: NDArray[np.float64]
    """Release year, NaN where unknown."""


def catalogue_vectors(items: pl.DataFrame) -> CatalogueVectors:
    """Read every column of a catalogue by its type: lists and ``a > b`` paths are labels, free text is words.

    Args:
        items: ``item_id, title`` and any attributes.
    """
    ordered = items.sort(schema.ITEM)
    # The id rides along because a frame without columns would have no rows either.
    names = _label_columns(ordered)
    labels = [_row_labels(row, names) for row in ordered.select(schema.ITEM, *names).to_dicts()]
    free = [name for name in (schema.TITLE, schema.DESCRIPTION) if name in ordered.columns]
    words = ordered.select(pl.concat_str([pl.col(name).fill_null("") for name in free], separator=" ")).to_series()
    return CatalogueVectors(
        text=_tf_idf(words.to_list(), labels),
        labels=(matrix := _label_matrix(labels)),
        label_sizes=np.maximum(np.asarray((matrix > 0).sum(axis=0), dtype=np.float64).ravel(), 1.0),
        year=_release_year(ordered),
    )


def _label_columns(items: pl.DataFrame) -> list[str]:
    names = []
    for name, dtype in items.schema.items():
        if name in (schema.ITEM, schema.TITLE, schema.DESCRIPTION):
            continue
        if dtype == pl.List(pl.String):
            names.append(name)
        elif dtype == pl.String:
            values = items[name].drop_nulls()
            is_path = bool(values.len()) and values.str.contains(_PATH, literal=True).mean() > 0.5  # type: ignore[operator]
            if is_path or values.n_unique() <= _MAX_LABEL_VALUES * values.len():
                names.append(name)
    return names


def _row_labels(row: dict[str, object], names: list[str]) -> list[str]:
    labels: list[str] = []
    for name in names:
        value = row[name]
        parts = value if isinstance(value, list) else str(value).split(_PATH) if value else []
        labels.extend(f"{name}={part}" for part in parts if part)
    return labels


def _tf_idf(words: list[str], labels: list[list[str]]) -> sparse.csr_matrix:
    terms = [re.findall(r"\w+", text.lower()) + row for text, row in zip(words, labels, strict=True)]
    vectorizer = TfidfVectorizer(analyzer=lambda row: row, min_df=2, sublinear_tf=True, dtype=np.float32)
    try:
        return vectorizer.fit_transform(terms).tocsr()
    except ValueError:  # no term stands in two items: the catalogue has no text to compare
        return sparse.csr_matrix((len(terms), 1), dtype=np.float32)


def _label_matrix(labels: list[list[str]]) -> sparse.csr_matrix:
    index = {label: column for column, label in enumerate(sorted({label for row in labels for label in row}))}
    rows = [position for position, row in enumerate(labels) for _ in row]
    columns = [index[label] for row in labels for label in row]
    weights = [1 / len(row) for row in labels for _ in row]
    return sparse.csr_matrix((weights, (rows, columns)), shape=(len(labels), max(len(index), 1)))


def _release_year(items: pl.DataFrame) -> NDArray[np.float64]:
    for name in ("year", "release_year", "released"):
        if name in items.columns and items.schema[name].is_numeric():
            years = items[name].cast(pl.Float64).to_numpy()
            return np.where((years >= 1800) & (years <= 2200), years, np.nan)
    return np.full(items.height, np.nan)
