"""The settings of an import."""

from collections.abc import Mapping
from typing import Literal

from whyrec.data.ordering import Duplicates
from whyrec.data.read import Format
from whyrec.data.timestamps import Unit
from whyrec.runtime.strict_model import StrictModel


class ImportConfig(StrictModel):
    """How to read a log and its catalogue, and what to do with rows that break a rule."""

    format: Format = "auto"
    """Of the log; auto goes by the file's suffix."""
    delimiter: str | None = None
    """Between the log's columns, if it is text; None sniffs it."""
    columns: tuple[str, ...] | None = None
    """Names of the log's columns, if it is text without a header line."""
    mapping: Mapping[str, str] = {}
    """Column of the log by field (user_id, item_id, timestamp, rating, review)."""
    keep: str | None = None
    """A condition on a column of the log, such as "Quantity > 0"; other rows are left out, and counted."""
    items_delimiter: str | None = None
    """Like delimiter, of the catalogue."""
    items_columns: tuple[str, ...] | None = None
    """Like columns, of the catalogue."""
    items_mapping: Mapping[str, str] = {}
    """Column of the catalogue by field (item_id, title, description)."""
    list_columns: Mapping[str, str] = {}
    """Separator by catalogue column, for columns with several values in one text, such as genres."""
    users_mapping: Mapping[str, str] = {}
    """Column of the users' table by field (user_id)."""
    timestamp_unit: Unit = "auto"
    """Of timestamps that are numbers; auto reads seconds, and refuses what that puts outside 1970 to 2100."""
    timezone: str | None = None
    """IANA name for timestamps without an offset; None means UTC."""
    on_bad_rows: Literal["raise", "quarantine"] = "raise"
    """Refuse the file at the first bad row, or set bad rows aside in rejected.parquet."""
    unknown_items: Literal["reject", "add"] = "reject"
    """Treat interactions with items outside the catalogue as bad rows, or add the items, titled by their id."""
    duplicates: Duplicates = "first"
    """Which of the rows with equal user, item and timestamp stays, by their order in the file."""
    one_per_pair: Literal["first", "last"] | None = None
    """Keep only each user's first or last event with an item; None keeps repeats at different times."""
