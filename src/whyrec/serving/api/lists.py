"""Endpoints of lists: what is trending, and what is recommended to a user."""

from collections.abc import Mapping, Sequence

from fastapi import Request, Response

from whyrec.serving.api.answers import digest, tagged
from whyrec.serving.api.cutting import Parsed, StoredList, matching, page, written
from whyrec.serving.api.errors import ApiError, not_found, shown
from whyrec.serving.api.parameters import Filters, ListQuery, TrendingQuery, id_of, query_of
from whyrec.serving.api.served import Served
from whyrec.serving.documents import NEXT, ListSource, VersionRecord

FEWEST_PERSONAL = 5
"""A personal list with fewer places than that, after filtering, is filled up with what is trending."""

COLD_NOTE = "no history yet: what is trending"
NONE_LEFT_NOTE = "nothing of the personal list is left: what is trending"
BLENDED_NOTE = "{note}; few are left, so what is trending follows"

_OF_BOARDS_ONLY = ("expected", "low", "high", "recent")


def trending(served: Served, request: Request) -> Response:
    """What is trending in a window."""
    query = query_of(request, TrendingQuery)
    version = served.version()
    board = served.board(version, query.window)
    if board is None:
        windows = ", ".join(version.windows)
        raise ApiError(404, f"parameter 'window': expected one of {windows}, got {shown(query.window)}. Choose one.")
    if query.is_plain:
        body = board.cut(offset=query.offset, k=query.k, version=version.id)
    else:
        left = matching(board.entries, attributes=query.wanted(), exclude=frozenset(query.exclude))
        body = _page(board.fields, left, query, version=version)
    return tagged(request, body, version=version.id)


def recommendations(served: Served, request: Request) -> Response:
    """What is recommended to a user: a personal list, filled up with what is trending, or what is trending."""
    user_id, query = id_of(request, "user_id"), query_of(request, ListQuery)
    version = served.version()
    known = [run.method for run in version.runs]
    if query.method is not None and query.method not in known:
        raise ApiError(
            404, f"parameter 'method': expected one of {', '.join(known)}, got {shown(query.method)}. Choose one."
        )
    document = served.store.list_of(version.id, user_id, query.method)
    taken = served.store.taken_by(user_id)
    if document is not None and query.is_plain and not taken:
        personal = StoredList(document)
        if len(personal) >= FEWEST_PERSONAL:
            body = personal.cut(offset=query.offset, k=query.k, version=version.id)
            return tagged(request, body, version=version.id, state="personal", is_personal=True)
    body, source = _filtered(served, document, query, version=version, user_id=user_id, taken=taken)
    state = f"{source}-{digest(*sorted(taken))}" if taken else source
    return tagged(request, body, version=version.id, state=state, is_personal=True)


def _filtered(
    served: Served,
    document: bytes | None,
    query: ListQuery,
    *,
    version: VersionRecord,
    user_id: str,
    taken: Sequence[str],
) -> tuple[bytes, ListSource]:
    exclude, wanted = frozenset((*query.exclude, *taken)), query.wanted()
    stored = None if document is None else StoredList(document)
    left = [] if stored is None else matching(stored.entries, attributes=wanted, exclude=exclude)
    fields = {} if stored is None else stored.fields
    source: ListSource = "personal"
    if len(left) < FEWEST_PERSONAL:
        had = exclude.union(entry["item_id"] for entry in left)
        method, filling = _filling(served, version, attributes=wanted, exclude=had)
        source = "blended" if left else "trending"
        fields = _said_of(fields, source, user_id=user_id, method=method)
        left = [*left, *filling]
    return _page(fields, left, query, version=version), source


def _filling(
    served: Served, version: VersionRecord, *, attributes: Mapping[str, set[str]], exclude: frozenset[str]
) -> tuple[str, list[Parsed]]:
    """What is trending, as places of a personal list, and by what method."""
    board = served.board(version, NEXT)
    if board is None:
        raise not_found(f"board {NEXT!r}", do="Publish a version with one.")
    entries = matching(board.entries, attributes=attributes, exclude=exclude)
    method: str = board.fields["method"]
    return method, [{name: value for name, value in entry.items() if name not in _OF_BOARDS_ONLY} for entry in entries]


def _said_of(fields: Parsed, source: ListSource, *, user_id: str, method: str) -> Parsed:
    if source == "blended":
        return {**fields, "source": source, "note": BLENDED_NOTE.format(note=fields["note"])}
    note = NONE_LEFT_NOTE if fields else COLD_NOTE
    return {"user_id": user_id, "method": method, "source": source, "note": note}


def _page(fields: Parsed, entries: Sequence[Parsed], query: Filters, *, version: VersionRecord) -> bytes:
    places = page(entries, offset=query.offset, k=query.k)
    return written(fields, places, version=version.id, total=len(entries))
