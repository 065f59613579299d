"""Tables of a store, the same in SQLite and PostgreSQL.

Documents are large beside their keys. A table that SQLite clusters by key (``WITHOUT ROWID``) keeps few of them on an
inner page and was slower to write and read than an index beside the rows, so only tables of short rows are made so.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

FORMAT = 1
"""Of the tables; a store that says a higher number was written by a later whyrec."""
LONGEST_KEY = 200
"""Characters of an id, a window, a method or an idempotency key."""

BUILDING, PUBLISHED, REMOVED = "building", "published", "removed"

_metadata = MetaData()
# Byte order, so that a prefix is a range of keys whatever the database's language.
_KEY = String().with_variant(String(collation="C"), "postgresql")
_NUMBER = BigInteger().with_variant(Integer, "sqlite")

settings = Table(
    "whyrec_settings",
    _metadata,
    Column("name", _KEY, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""The format of the tables, the store's own id, and the key that erased users are hashed with."""

versions = Table(
    "whyrec_versions",
    _metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=False),
    Column("state", _KEY, nullable=False),
    Column("parent", _NUMBER, nullable=True),
    Column("taken_until", _NUMBER, nullable=False),
    Column("started", _NUMBER, nullable=False),
    Column("record", LargeBinary, nullable=True),
)
"""Every version that ever was; what is removed keeps its row, so that no id is used twice.

``parent`` was current when this one was published; ``taken_until`` is the last interaction that it knows; ``started``
counts microseconds since 1970; ``record`` is a ``VersionRecord`` once it is published.
"""

pointer = Table(
    "whyrec_current",
    _metadata,
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("version", _NUMBER, ForeignKey(versions.c.id), nullable=False),
)
"""At most one row: the version that is served."""


def _version() -> Column[int]:
    return Column("version", _NUMBER, primary_key=True, autoincrement=False)


def _key(name: str) -> Column[str]:
    return Column(name, _KEY, primary_key=True)


def _place() -> Column[int]:
    return Column("place", Integer, primary_key=True, autoincrement=False)


def _document() -> Column[bytes]:
    return Column("document", LargeBinary, nullable=False)


boards = Table("whyrec_boards", _metadata, _version(), _key("window"), _document())
lists = Table(
    "whyrec_lists",
    _metadata,
    _version(),
    _key("user_id"),
    _place(),
    Column("method", _KEY, nullable=False),
    _document(),
)
"""``place`` orders a user's lists: that of the method in the order of preference, from 0."""
explanations = Table(
    "whyrec_explanations",
    _metadata,
    _version(),
    _key("user_id"),
    _key("item_id"),
    _place(),
    Column("method", _KEY, nullable=False),
    _document(),
)
"""``user_id`` is empty for an explanation that is the same for everybody."""
items = Table(
    "whyrec_items",
    _metadata,
    _version(),
    _key("item_id"),
    _document(),
)
users = Table("whyrec_users", _metadata, _version(), _key("user_id"), _document())

titles = Table(
    "whyrec_titles",
    _metadata,
    _version(),
    _key("item_id"),
    Column("title", Text, nullable=False),
    Column("folded", _KEY, nullable=False),
    Column("users", _NUMBER, nullable=False),
    sqlite_with_rowid=False,
)
title_words = Table("whyrec_title_words", _metadata, _version(), _key("word"), _key("item_id"), sqlite_with_rowid=False)

batches = Table(
    "whyrec_batches",
    _metadata,
    Column("key", _KEY, primary_key=True),
    Column("digest", _KEY, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("received", _NUMBER, nullable=False),
)
"""Batches of interactions by idempotency key; ``digest`` tells whether a repetition says the same."""

interactions = Table(
    "whyrec_interactions",
    _metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("user_id", _KEY, nullable=False),
    Column("item_id", _KEY, nullable=False),
    Column("timestamp", _NUMBER, nullable=False),
    Column("rating", Float(53), nullable=True),
    Column("received", _NUMBER, nullable=False),
    sqlite_autoincrement=True,
)
"""Taken in, in the order of arrival; times in microseconds since 1970."""
Index("whyrec_interactions_of_user", interactions.c.user_id, interactions.c.number)

erasures = Table(
    "whyrec_erasures",
    _metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("hash", _KEY, nullable=False, unique=True),
    Column("erased", _NUMBER, nullable=False),
    sqlite_autoincrement=True,
)
"""Who was erased, known only by a keyed hash."""

backups = Table(
    "whyrec_backups",
    _metadata,
    Column("path", Text, primary_key=True),
    Column("made", _NUMBER, nullable=False),
)
"""Copies of this store, whose manifests learn of every later erasure."""

VERSIONED = (boards, lists, explanations, items, users, titles, title_words)
"""Tables whose rows belong to a version."""
OF_USERS = (lists, explanations, users)
"""Those whose rows may speak of one user."""


def create_tables(connection: object) -> None:
    """Create what is not there; within the transaction of the connection."""
    _metadata.create_all(connection)  # type: ignore[arg-type]
