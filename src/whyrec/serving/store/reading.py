"""Documents by key, as they were published."""

from sqlalchemy import bindparam, select

from whyrec.serving.documents import Match
from whyrec.serving.store.database import Database
from whyrec.serving.store.schema import boards, explanations, items, lists, users
from whyrec.serving.store.titles import MOST_SOUGHT, folded_words, matching, sought

_BOARD = select(boards.c.document).where(
    boards.c.version == bindparam("version"), boards.c.window == bindparam("window")
)
_ITEM = select(items.c.document).where(items.c.version == bindparam("version"), items.c.item_id == bindparam("item_id"))
_USER = select(users.c.document).where(users.c.version == bindparam("version"), users.c.user_id == bindparam("user_id"))
_LIST = (
    select(lists.c.document)
    .where(lists.c.version == bindparam("version"), lists.c.user_id == bindparam("user_id"))
    .order_by(lists.c.place)
    .limit(1)
)
_LIST_BY = _LIST.where(lists.c.method == bindparam("method"))
_EXPLANATION = (
    select(explanations.c.document)
    .where(
        explanations.c.version == bindparam("version"),
        explanations.c.user_id == bindparam("user_id"),
        explanations.c.item_id == bindparam("item_id"),
    )
    .order_by(explanations.c.place)
    .limit(1)
)
_EXPLANATION_BY = _EXPLANATION.where(explanations.c.method == bindparam("method"))


class Reading:
    """Reads documents; each is one query by key."""

    def __init__(self, database: Database) -> None:
        self._rows = database.rows

    def board(self, version: int, window: str) -> bytes | None:
        """A ``Board``."""
        return _only(self._rows(_BOARD, version=version, window=window))

    def list_of(self, version: int, user_id: str, method: str | None) -> bytes | None:
        """A ``PersonalList``."""
        if method is None:
            return _only(self._rows(_LIST, version=version, user_id=user_id))
        return _only(self._rows(_LIST_BY, version=version, user_id=user_id, method=method))

    def explanation(self, version: int, item_id: str, *, user_id: str | None, method: str | None) -> bytes | None:
        """An ``ExplanationDocument``."""
        user = user_id or ""
        if method is None:
            return _only(self._rows(_EXPLANATION, version=version, user_id=user, item_id=item_id))
        return _only(self._rows(_EXPLANATION_BY, version=version, user_id=user, item_id=item_id, method=method))

    def item(self, version: int, item_id: str) -> bytes | None:
        """An ``ItemPage``."""
        return _only(self._rows(_ITEM, version=version, item_id=item_id))

    def user(self, version: int, user_id: str) -> bytes | None:
        """A ``UserPage``."""
        return _only(self._rows(_USER, version=version, user_id=user_id))

    def search(self, version: int, words: str, *, limit: int, offset: int) -> list[Match]:
        """Titles in which every one of the words begins a word."""
        wanted = folded_words(words)[:MOST_SOUGHT]
        if not wanted:
            return []
        found = self._rows(matching(len(wanted)), version=version, limit=limit, offset=offset, **sought(wanted))
        return [Match(item_id=item_id, title=title) for item_id, title in found]


def _only(rows: list[tuple[bytes]]) -> bytes | None:
    return rows[0][0] if rows else None
