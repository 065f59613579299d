"""Synthetic documents of realistic size for the benchmark of serving, with a mark of their version in every text."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from whyrec.serving.documents import (
    NEXT,
    Board,
    BoardEntry,
    ClaimDocument,
    Entry,
    EvidenceDocument,
    ExplanationDocument,
    HistoryPoint,
    ItemPage,
    ListSource,
    PersonalList,
    Reason,
    RecentItem,
    RunRecord,
    UserPage,
)
from whyrec.serving.store import Store

AT = datetime(2013, 11, 7, tzinfo=UTC)
MONTH = timedelta(days=30)
RUNS = (RunRecord(method="curec", directory="runs/curec", fitted_until=AT),)
LIST_DEPTH, REASON_DEPTH, BOARD_DEPTH, N_MONTHS = 50, 10, 200, 12
WORDS = "a quiet story of two sailors who lose their way between the islands and find the letters of a stranger"
BATCH = 500


def mark_of(version: int) -> str:
    return f"<mark {version}>"


def attributes_of(n: int) -> dict[str, tuple[str, ...]]:
    genres = ("Comedy", "Drama", "Thriller", "Romance", "Adventure")
    return {"genres": (genres[n % 5], genres[n % 3]), "year": (str(1950 + n % 64),), "language": ("English",)}


def title_of(n: int, mark: str) -> str:
    return f"The Film With the Number {n} {mark} ({1950 + n % 64})"


def reason(mark: str, basis: ListSource) -> Reason:
    text = (
        f"You rated nine of its kind above eight {mark}, the last of them in October; its audience grew from 120 to "
        "340 users within a month, and those whose taste is nearest to yours came back to it more often than to others."
    )
    return Reason(text=text, writer="offline", verified=True, n_claims=4, n_supported=4, basis=basis)


def entries(first: int, n: int, *, n_items: int, mark: str) -> tuple[Entry, ...]:
    """Places of a list: every item has its own title and attributes; the first have reasons."""
    why = reason(mark, "personal")
    return tuple(
        Entry.model_construct(
            rank=place + 1,
            item_id=f"tt{(first + 7 * place) % n_items:07d}",
            title=title_of((first + 7 * place) % n_items, mark),
            score=round(1 / (place + 1), 6),
            attributes=attributes_of(first + place),
            reason=why if place < REASON_DEPTH else None,
        )
        for place in range(n)
    )


def board(n_items: int, mark: str) -> Board:
    why = reason(mark, "trending")
    places = tuple(
        BoardEntry(**{**dict(entry), "reason": why}, expected=52.5, low=38.25, high=71.75, recent=tuple(range(30)))
        for entry in entries(0, min(BOARD_DEPTH, n_items), n_items=n_items, mark=mark)
    )
    return Board(window=NEXT, label="30 days", start=AT, end=AT + MONTH, method="trail", entries=places)


def lists(n_users: int, *, n_items: int, mark: str) -> Iterator[PersonalList]:
    for user in range(n_users):
        yield PersonalList.model_construct(
            user_id=f"u{user}",
            method="curec",
            source="personal",
            note=f"from the 34 items that you rated {mark}",
            entries=entries(user, LIST_DEPTH, n_items=n_items, mark=mark),
        )


def explanations(n_users: int, *, n_items: int, mark: str) -> Iterator[ExplanationDocument]:
    """One for each user: of the first place of their list."""
    text = f"{reason(mark, 'personal').text} {WORDS.capitalize()} {mark}."
    claims = tuple(
        ClaimDocument(
            kind="count", text=text[start : start + 40], start=start, end=start + 40, supported=True,
            evidence_ids=(f"month:2013-{month:02d}",), problem="",
        )
        for month, start in enumerate((0, 60, 120, 180), start=1)
    )  # fmt: skip
    evidence = tuple(
        EvidenceDocument(
            id=f"month:2013-{month:02d}", kind="count", label=f"month {month}", value=3 * month, unit="users"
        )
        for month in range(1, 9)
    )
    for user in range(n_users):
        yield ExplanationDocument.model_construct(
            item_id=f"tt{user % n_items:07d}", title=title_of(user % n_items, mark), user_id=f"u{user}",
            method="curec", rank=1, score=1.0, text=text, sections={"taste": text[:90], "trend": text[90:]},
            claims=claims, evidence=evidence, writer="offline", verified=True, drivers=(), reasons=(),
            unattended=None, aspects=(), base_push=None,
        )  # fmt: skip


def items(n_items: int, mark: str) -> Iterator[ItemPage]:
    history = tuple(
        HistoryPoint(
            id=f"month:2013-{month:02d}",
            label=f"month {month}",
            start=AT,
            end=AT + MONTH,
            users=3 * month,
            complete=True,
        )
        for month in range(1, N_MONTHS + 1)
    )
    for item in range(n_items):
        yield ItemPage.model_construct(
            item_id=f"tt{item:07d}", title=title_of(item, mark), description=f"{WORDS}. " * 3,
            attributes=attributes_of(item), first_seen=date(2013, 1, 1), total_users=234, history=history,
            forecast=None, traits=(), aspects=(), explanation=None,
        )  # fmt: skip


def users(n_users: int, *, n_items: int, mark: str) -> Iterator[UserPage]:
    for user in range(n_users):
        newest = tuple(
            RecentItem.model_construct(item_id=f"tt{item % n_items:07d}", title=title_of(item, mark), timestamp=AT)
            for item in range(user, user + 5)
        )
        yield UserPage.model_construct(
            user_id=f"u{user}", n_interactions=34, newest=newest, methods=("curec",), pattern=None, motivations=(),
            aspects=(),
        )  # fmt: skip


def batches(documents: Iterator[object]) -> Iterator[Sequence[object]]:
    while some := list(islice(documents, BATCH)):
        yield some


def publish(store: Store, *, n_users: int, n_items: int, number: int) -> int:
    """Publish a version whose texts are marked with a number; gives its id."""
    mark = mark_of(number)
    with store.publish(at=AT, dataset="synthetic", runs=RUNS) as version:
        version.add_boards([board(n_items, mark)])
        for some in batches(items(n_items, mark)):
            version.add_items(some)
        for some in batches(users(n_users, n_items=n_items, mark=mark)):
            version.add_users(some)
        for some in batches(lists(n_users, n_items=n_items, mark=mark)):
            version.add_lists(some)
        for some in batches(explanations(n_users, n_items=n_items, mark=mark)):
            version.add_explanations(some)
        return version.id
