"""Items as sets of aspects: genre, director, cast, keywords, era, category, brand, price band, other attributes.

Everything is read from the catalogue; which columns there are is found out by their names. Interactions play no part.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from whyrec.data import schema
from whyrec.evaluation.verification.titles import spoken_title, year_in_title
from whyrec.methods.curec.offline.config import OfflineTextConfig
from whyrec.methods.curec.offline.keywords import keyword_rows

AspectKind = Literal["genre", "director", "cast", "keyword", "era", "category", "brand", "price", "attribute"]
Domain = Literal["film", "product", "item"]

_LONGEST_VALUE = 60
_KIND_OF_COLUMN: dict[str, AspectKind] = {
    "genre": "genre",
    "genres": "genre",
    "director": "director",
    "directors": "director",
    "actor": "cast",
    "actors": "cast",
    "cast": "cast",
    "stars": "cast",
    "category": "category",
    "categories": "category",
    "department": "category",
    "brand": "brand",
    "manufacturer": "brand",
    "label": "brand",
}
_TEXT_COLUMNS = ("plot", "synopsis", "overview", "summary", schema.DESCRIPTION)
_FILM_COLUMNS = ("genre", "genres", "director", "directors", "actors", "plot")
_PRODUCT_COLUMNS = ("category", "categories", "brand", "price", "department", "manufacturer")
_UNKNOWN = {"n/a", "unknown", "none", "(no genres listed)", "nan", "-", "various"}


class Aspect(NamedTuple):
    """Something that several items have in common."""

    kind: AspectKind
    value: str
    """As the catalogue spells it; ``1990s`` for an era, ``cheapest`` or ``dearest`` for a price band."""
    column: str
    """Where it was read."""


@dataclass(frozen=True, slots=True)
class AspectTable:
    """Which item has which aspects; rows are item numbers, from 1, row 0 is no item."""

    titles: tuple[str, ...]
    """As said, by item number; the first is empty."""
    aspects: tuple[Aspect, ...]
    matrix: csr_matrix
    """``[n_items + 1, n_aspects]`` of ones, columns ascending within a row."""
    years: tuple[int | None, ...]
    prices: tuple[float | None, ...]
    """What the catalogue asks for an item, by item number."""
    domain: Domain
    text_columns: tuple[str, ...]
    """Columns that keywords were read from."""

    n_items: NDArray[np.int64]
    """Items that have each aspect."""

    def of(self, item: int) -> NDArray[np.int32]:
        """Aspect numbers of an item, ascending."""
        found: NDArray[np.int32] = self.matrix.indices[self.matrix.indptr[item] : self.matrix.indptr[item + 1]]
        return found


def read_aspects(items: pl.DataFrame, *, config: OfflineTextConfig) -> AspectTable:
    """Find every item's aspects.

    Args:
        items: The catalogue in the order of item numbers: row 0 is item 1.
        config: Which aspects are common, and rare, enough.
    """
    titles = ["", *(spoken_title(title) for title in items[schema.TITLE].to_list())]
    years = [None, *_years(items)]
    prices = [None, *_prices(items)]
    text_columns = _text_columns(items)
    frames = [_values(items, column) for column in _value_columns(items, text_columns=text_columns)]
    frames += [_eras(years), _price_bands(prices)]
    carried = pl.concat(frames).unique()
    kept = _common_enough(carried, n_items=items.height, config=config)
    _, groups = _numbered(kept.filter(pl.col("kind").is_in(["genre", "category"])), n_items=items.height)
    rows, words = keyword_rows(items, columns=text_columns, groups=groups[1:], config=config)
    keywords = pl.DataFrame(
        {"row": rows, "value": words, "kind": "keyword", "column": "+".join(text_columns)}, schema=carried.schema
    )
    aspects, matrix = _numbered(pl.concat([kept, keywords]), n_items=items.height)
    n_items = np.bincount(matrix.indices, minlength=len(aspects))
    return AspectTable(
        tuple(titles), aspects, matrix, tuple(years), tuple(prices), domain_of(items.columns), text_columns, n_items
    )


def domain_of(columns: Sequence[str]) -> Domain:
    """Films, products, or just items, by the names of a catalogue's columns."""
    names = {column.casefold() for column in columns}
    if names & set(_FILM_COLUMNS):
        return "film"
    return "product" if any(name.startswith(_PRODUCT_COLUMNS) for name in names) else "item"


def _text_columns(items: pl.DataFrame) -> tuple[str, ...]:
    """The first column of prose; the title where there is none and titles describe, as those of products do."""
    by_name = {name.casefold(): name for name, kind in items.schema.items() if kind == pl.String}
    found = next((by_name[name] for name in _TEXT_COLUMNS if name in by_name), None)
    if found is not None:
        return (found,)
    return () if domain_of(items.columns) == "film" else (schema.TITLE,)


def _value_columns(items: pl.DataFrame, *, text_columns: Sequence[str]) -> list[str]:
    texts = (pl.String, pl.Categorical, pl.List(pl.String))
    left_out = (schema.ITEM, schema.TITLE, schema.DESCRIPTION, *text_columns, *_TEXT_COLUMNS)
    return [
        name
        for name, kind in items.schema.items()
        if kind in texts and name not in left_out and "year" not in name.casefold() and not _is_genre_again(name, items)
    ]


def _is_genre_again(name: str, items: pl.DataFrame) -> bool:
    """A second list of genres, of another source, would only contradict the first."""
    return name.casefold().startswith("genre") and name.casefold() not in _KIND_OF_COLUMN and "genres" in items.columns


def _values(items: pl.DataFrame, column: str) -> pl.DataFrame:
    """One row per item and value: ``row, value, kind, column``."""
    kind: AspectKind = _KIND_OF_COLUMN.get(column.casefold(), "attribute")
    frame = items.select(pl.int_range(1, pl.len() + 1).alias("row"), pl.col(column).alias("value")).drop_nulls()
    if isinstance(frame.schema["value"], pl.List):
        frame = frame.explode("value", empty_as_null=True).drop_nulls()
    frame = frame.with_columns(pl.col("value").cast(pl.String))
    if kind == "category":
        frame = _path_steps(frame)
    else:
        listed = kind in ("genre", "director", "cast")
        separator = r"\s*\|\s*|,\s+" if listed else r"\s*\|\s*"
        split = pl.col("value").map_elements(lambda text: re.split(separator, text), return_dtype=pl.List(pl.String))
        frame = frame.with_columns(split).explode("value", empty_as_null=True)
    return frame.select(
        pl.col("row").cast(pl.Int64),
        pl.col("value").str.strip_chars(),
        pl.lit(kind).alias("kind"),
        pl.lit(column).alias("column"),
    ).filter(
        pl.col("value").str.len_chars().is_between(2, _LONGEST_VALUE),
        ~pl.col("value").str.to_lowercase().is_in(_UNKNOWN),
        pl.col("value").str.contains(r"\p{L}"),
    )


def _path_steps(frame: pl.DataFrame) -> pl.DataFrame:
    """Each step of a path by its name; with its parent's before it where the name alone could be another's."""
    found = []
    for row, value in frame.iter_rows():
        steps = [step.strip() for step in re.split(r" > |\|", value)]
        found += [(row, parent, step) for parent, step in zip(["", *steps], steps, strict=False)]
    steps_frame = pl.DataFrame(found, schema={"row": pl.Int64, "parent": pl.String, "step": pl.String}, orient="row")
    is_ambiguous = (pl.col("parent").n_unique().over("step") > 1) & (pl.col("parent") != "")
    named = pl.when(is_ambiguous).then(pl.concat_str("parent", pl.lit(" > "), "step")).otherwise("step")
    return steps_frame.select("row", named.alias("value"))


def _years(items: pl.DataFrame) -> Iterator[int | None]:
    column = next((name for name in items.columns if "year" in name.casefold()), None)
    told = [None] * items.height if column is None else items[column].cast(pl.String).to_list()
    for year, title in zip(told, items[schema.TITLE].to_list(), strict=True):
        plain = re.fullmatch(r"((?:18|19|20)\d\d)(?:\.0)?", year or "")
        yield int(plain[1]) if plain else year_in_title(title)


def _prices(items: pl.DataFrame) -> Iterator[float | None]:
    column = next(
        (name for name, kind in items.schema.items() if "price" in name.casefold() and kind.is_numeric()), None
    )
    yield from [None] * items.height if column is None else items[column].cast(pl.Float64).to_list()


def _frame(rows: list[int], values: list[str], *, kind: AspectKind, column: str) -> pl.DataFrame:
    texts = {"value": pl.String, "kind": pl.String, "column": pl.String}
    n = len(rows)
    return pl.DataFrame(
        {"row": rows, "value": values, "kind": [kind] * n, "column": [column] * n}, schema={"row": pl.Int64, **texts}
    )


def _eras(years: Sequence[int | None]) -> pl.DataFrame:
    known = [(row, f"{year // 10 * 10}s") for row, year in enumerate(years) if year is not None]
    return _frame([row for row, _ in known], [value for _, value in known], kind="era", column="year")


def _price_bands(prices: Sequence[float | None]) -> pl.DataFrame:
    known = [(row, price) for row, price in enumerate(prices) if price is not None]
    if not known:
        return _frame([], [], kind="price", column="price")
    low, high = np.quantile([price for _, price in known], [0.25, 0.75])
    bands = [(row, "cheapest") for row, price in known if price <= low]
    bands += [(row, "dearest") for row, price in known if price > high]
    return _frame([row for row, _ in bands], [value for _, value in bands], kind="price", column="price")


def _common_enough(carried: pl.DataFrame, *, n_items: int, config: OfflineTextConfig) -> pl.DataFrame:
    key = ["kind", "value", "column"]
    n_having = pl.len().over(key)
    return carried.filter(n_having >= config.min_items, n_having <= config.max_item_share * n_items)


def _numbered(carried: pl.DataFrame, *, n_items: int) -> tuple[tuple[Aspect, ...], csr_matrix]:
    key = ["kind", "value", "column"]
    numbers = carried.select(key).unique().sort(key).with_row_index("aspect")
    pairs = carried.join(numbers, on=key).select("row", "aspect").unique().sort("row", "aspect")
    ones = np.ones(pairs.height, dtype=np.float32)
    places = (pairs["row"].to_numpy(), pairs["aspect"].to_numpy())
    matrix = csr_matrix((ones, places), shape=(n_items + 1, numbers.height))
    matrix.sort_indices()
    aspects = tuple(Aspect(kind, value, column) for _, kind, value, column in numbers.iter_rows())
    return aspects, matrix
