"""A small published world for tests of the API: 30 items, three users with lists, a mark in every text."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from starlette.testclient import TestClient
from whyrec.serving.store import Store

from whyrec.serving.documents import (
    Board,
    BoardEntry,
    Entry,
    EvidenceDocument,
    ExplanationDocument,
    ItemPage,
    ListSource,
    PersonalList,
    Reason,
    RecentItem,
    RunRecord,
    UserPage,
)

Connect = Callable[..., TestClient]
"""Makes a client of an API with settings other than the defaults."""

N_ITEMS = 30
WEEK = timedelta(days=7)
AT = datetime(2013, 11, 7, tzinfo=UTC)
RUNS = tuple(RunRecord(method=name, directory=f"runs/{name}", fitted_until=AT) for name in ("curec", "guided"))
HOSTILE = 'Quote " {"rank":1,"item_id":"x"}, "entries":[ <script>alert(1)</script> \u202e\u200b'
ODD_ID = "a/b c?d%2F#é"


def genres_of(n: int) -> tuple[str, ...]:
    """Even items are comedies, every third is a drama."""
    return tuple(name for name, divisor in (("Comedy", 2), ("Drama", 3)) if n % divisor == 0)


def title_of(n: int, mark: str) -> str:
    return f"Film {n} {mark}"


def entry(n: int, *, rank: int, mark: str, basis: ListSource = "personal", has_reason: bool = True) -> Entry:
    reason = Reason(text=f"Because of {mark}.", writer="offline", verified=True, n_claims=1, n_supported=1, basis=basis)
    return Entry(
        rank=rank,
        item_id=f"i{n}",
        title=title_of(n, mark),
        score=1 / rank,
        attributes={"genres": genres_of(n), "rank": ("1", "2")},
        reason=reason if has_reason else None,
    )


def board(window: str, mark: str) -> Board:
    entries = tuple(
        BoardEntry(
            **dict(entry(n, rank=n + 1, mark=mark, basis="trending")), expected=9.0, low=4.0, high=12.0, recent=(1, 2)
        )
        for n in range(N_ITEMS)
    )
    return Board(window=window, label="a week", start=AT, end=AT + WEEK, method="trail", entries=entries)


def personal(user_id: str, items: list[int], *, mark: str, method: str = "curec") -> PersonalList:
    entries = tuple(entry(n, rank=rank, mark=mark, has_reason=rank <= 10) for rank, n in enumerate(items, start=1))
    return PersonalList(user_id=user_id, method=method, source="personal", note=f"from {mark}", entries=entries)


def explanation(item_id: str, user_id: str | None, mark: str, method: str = "curec") -> ExplanationDocument:
    return ExplanationDocument(
        item_id=item_id,
        title="Film",
        user_id=user_id,
        method=method,
        rank=1,
        score=0.5,
        text=f"Because of {mark}.",
        sections={},
        claims=(),
        evidence=(EvidenceDocument(id="e", kind="count", label="users", value=3, unit="users"),),
        writer="offline",
        verified=True,
    )


def item_page(item_id: str, title: str) -> ItemPage:
    return ItemPage(
        item_id=item_id,
        title=title,
        description="",
        attributes={},
        first_seen=date(2013, 1, 1),
        total_users=3,
        history=(),
        forecast=None,
        traits=(),
        aspects=(),
        explanation=None,
    )


def user_page(user_id: str) -> UserPage:
    return UserPage(
        user_id=user_id,
        n_interactions=1,
        newest=(RecentItem(item_id="i29", title="Film 29", timestamp=AT),),
        methods=("curec",),
        pattern=None,
        motivations=(),
        aspects=(),
    )


def publish(store: Store, mark: str = "one", *, extra_title: str = HOSTILE) -> int:
    """Publish the world; ``mark`` stands in every title, reason and note."""
    with store.publish(at=AT, dataset="world", runs=list(RUNS)) as version:
        version.add_boards([board("next", mark), board("7d", mark)])
        version.add_lists(
            [
                personal("ann", list(range(20)), mark=mark),
                personal("ann", list(range(19, -1, -1)), mark=mark, method="guided"),
                personal("bob", [3, 5], mark=mark),
                personal(ODD_ID, list(range(10)), mark=mark),
            ]
        )
        version.add_explanations([explanation("i0", None, mark, "trail"), explanation("i1", "ann", mark)])
        titles = {f"i{n}": title_of(n, mark) for n in range(N_ITEMS)} | {ODD_ID: extra_title}
        version.add_items([item_page(item_id, title) for item_id, title in titles.items()])
        version.add_users([user_page(name) for name in ("ann", "bob", ODD_ID)])
        return version.id
