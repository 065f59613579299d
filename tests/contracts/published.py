"""Documents with little in them, and a version of them."""

from collections.abc import Iterable
from datetime import UTC, datetime

from whyrec.serving.documents import (
    Board,
    ExplanationDocument,
    ItemPage,
    NewInteraction,
    PersonalList,
    RunRecord,
    UserPage,
    VersionRecord,
)
from whyrec.serving.store import Store

AT = datetime(2026, 1, 1, tzinfo=UTC)
RUNS = (
    RunRecord(method="curec", directory="runs/curec", fitted_until=AT),
    RunRecord(method="guided", directory="runs/guided", fitted_until=AT),
)


def board(window: str = "next", *, label: str = "") -> Board:
    return Board(window=window, label=label, start=AT, end=AT, method="trail", entries=())


def personal(user_id: str, method: str = "curec", *, note: str = "") -> PersonalList:
    return PersonalList(user_id=user_id, method=method, source="personal", note=note, entries=())


def explanation(
    item_id: str, user_id: str | None = None, method: str = "curec", *, text: str = "", verified: bool = True
) -> ExplanationDocument:
    return ExplanationDocument(
        item_id=item_id,
        title=item_id,
        user_id=user_id,
        method=method,
        rank=1,
        score=1.0,
        text=text,
        sections={},
        claims=(),
        evidence=(),
        writer="offline",
        verified=verified,
    )


def item(item_id: str, title: str = "", *, users: int = 0, description: str = "") -> ItemPage:
    return ItemPage(
        item_id=item_id,
        title=title or item_id,
        description=description,
        attributes={},
        first_seen=None,
        total_users=users,
        history=(),
        forecast=None,
        traits=(),
        aspects=(),
        explanation=None,
    )


def user(user_id: str, *, n: int = 0) -> UserPage:
    return UserPage(user_id=user_id, n_interactions=n, newest=(), methods=(), pattern=None, motivations=(), aspects=())


def taken(user_id: str, item_id: str, *, at: datetime = AT, rating: float | None = None) -> NewInteraction:
    return NewInteraction(user_id=user_id, item_id=item_id, timestamp=at, rating=rating)


def publish(store: Store, *, label: str = "", user_ids: Iterable[str] = ("u1",), taken_until: int = 0) -> VersionRecord:
    """Publish a board, an item and for each user a page, two lists and an explanation; all say the label."""
    with store.publish(at=AT, dataset=label or "data", runs=RUNS, taken_until=taken_until) as version:
        version.add_boards([board(label=label)])
        version.add_items([item("i1", "Star Wars", description=label)])
        for user_id in user_ids:
            version.add_users([user(user_id)])
            version.add_lists([personal(user_id, note=label), personal(user_id, "guided", note=label)])
            version.add_explanations([explanation("i1", user_id, text=label)])
    current = store.current()
    assert current is not None
    return current
