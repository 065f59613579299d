"""A small published world for tests of the web page: films with histories, people with lists, and oddities."""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from whyrec.serving.documents import (
    AspectBar,
    AttendedReasonDocument,
    Board,
    BoardEntry,
    ClaimDocument,
    DriverDocument,
    Entry,
    EvidenceDocument,
    ExplanationDocument,
    Forecast,
    HistoryPoint,
    ItemPage,
    ListSource,
    Pattern,
    PersonalList,
    Reason,
    RecentItem,
    RunRecord,
    TraitDocument,
    UserPage,
)
from whyrec.serving.store import Store

AT = datetime(2013, 11, 7, tzinfo=UTC)
MONTH = timedelta(days=30)
N_ITEMS = 45
ODD_ID = "a/b c?d%2F#é"
HOSTILE_TITLE = (
    '<img src=x onerror="document.title=1"><script>document.title=2</script> \u202egnp.exe\u200b\u0007 & "so" '
)
LONG_WORD = "Llanfair" * 40
LONG_TEXT = "A very long description. " * 4000
RUNS = tuple(
    RunRecord(method=name, directory=f"runs/{name}", fitted_until=AT) for name in ("curec", "guided", "mllm3rec")
)
WORDS = ("Gravity", "Captain Phillips", "Prisoners", "Rush", "The Lost Harbour", "Ночной дозор", "سكر بنات", "🎬 Reel")
ASPECTS = ("tension", "humour", "story complexity", "emotional depth", "visual splendour", "romance")
TEXT = (
    "🎬 It was watched by 95 users in October 2013, after 12 in September 2013, and it is a drama. "
    "It won nine prizes. We expect 60 users."
)


def title_of(n: int) -> str:
    return f"{WORDS[n]} ({2006 + n})" if n < len(WORDS) else f"Film {n} ({1980 + n % 30})"


def genres_of(n: int) -> tuple[str, ...]:
    return tuple(name for name, divisor in (("Comedy", 2), ("Drama", 3), ("Film-Noir", 7)) if n % divisor == 0)


def reason(text: str, *, basis: ListSource = "personal", claims: int = 2, held: int = 2) -> Reason:
    return Reason(
        text=text, writer="offline", verified=0 < claims == held, n_claims=claims, n_supported=held, basis=basis
    )


def board(window: str) -> Board:
    is_forecast = window == "next"
    entries = []
    for n in range(N_ITEMS):
        expected = 60.0 * math.exp(-n / 12)
        claims = (2, 1) if n == 2 else (0, 0) if n == 3 else (2, 2)
        entries.append(
            BoardEntry(
                rank=n + 1,
                item_id=f"i{n}",
                title=title_of(n),
                score=expected,
                attributes={"genres": genres_of(n), "year": (str(1980 + n % 30),)},
                reason=reason(
                    f"Watched by {95 - n} users in October 2013 after {12 + n} in September.",
                    basis="trending",
                    claims=claims[0],
                    held=claims[1],
                )
                if n < 30
                else None,
                expected=expected if is_forecast else float(round(expected)),
                low=expected * 0.6 if is_forecast else None,
                high=expected * 1.5 if is_forecast else None,
                recent=tuple(int(8 + 6 * math.sin(day / 3 + n) + day / 4) for day in range(30)),
            )
        )
    odd = {"item_id": ODD_ID, "title": HOSTILE_TITLE, "rank": N_ITEMS + 1, "attributes": {"<b>x": ("</b>\u202e",)}}
    entries.append(entries[-1].model_copy(update=odd))
    label = "the 30 days from 7 November 2013" if is_forecast else f"the last {window[:-1]} days"
    return Board(
        window=window,
        label=label,
        start=AT,
        end=AT + MONTH,
        method="trail" if is_forecast else "counts",
        entries=tuple(entries),
    )


def claim(words: str, evidence: str, *, problem: str = "") -> ClaimDocument:
    """Counted in characters, as everything in Python is."""
    start = TEXT.index(words)
    return ClaimDocument(
        kind="number",
        text=words,
        start=start,
        end=start + len(words),
        supported=not problem,
        evidence_ids=(evidence,) if evidence else (),
        problem=problem,
    )


def evidence(name: str, label: str, value: str | float, unit: str = "") -> EvidenceDocument:
    return EvidenceDocument(id=name, kind="series", label=label, value=value, unit=unit)


def explanation(
    n: int, *, user_id: str | None = None, method: str = "trail", text: str = TEXT, **more: Any
) -> ExplanationDocument:
    return ExplanationDocument(
        item_id=f"i{n}",
        title=title_of(n),
        user_id=user_id,
        method=method,
        rank=n + 1,
        score=0.5,
        text=text,
        sections={"Trend": text[: text.index("It won")].strip(), "Integration": text[text.index("It won") :]},
        claims=(
            claim("95 users in October 2013", "month:2013-10"),
            claim("12 in September 2013", "month:2013-09"),
            claim("drama", "attribute:genres"),
            claim("nine prizes", "", problem="the catalogue tells of no prize"),
            claim("60 users", "forecast"),
        ),
        evidence=(
            evidence("month:2013-09", "September 2013", 12.0, "users"),
            evidence("month:2013-10", "October 2013", 95.0, "users"),
            evidence("attribute:genres", "genres", "Drama, Thriller"),
            evidence("forecast", "forecast for the 30 days from 7 November 2013", 60.0, "users"),
        ),
        writer="offline",
        verified=False,
        **more,
    )


def of_pair(n: int, user_id: str, method: str) -> ExplanationDocument:
    attended = tuple(
        AttendedReasonDocument(
            text=f"Somebody liked how quiet it is, {k} times.",
            timestamp=AT - timedelta(days=9 * k),
            writer="offline",
            verified=k != 1,
            attention=share if method == "curec" else None,
        )
        for k, share in enumerate((0.2, 0.46, 0.11), start=1)
    )
    return explanation(
        n,
        user_id=user_id,
        method=method,
        reasons=attended,
        unattended=0.23 if method == "curec" else None,
        aspects=aspects(n, pushed=True) if method == "guided" else (),
        base_push=0.41 if method == "guided" else None,
    )


def aspects(n: int, *, pushed: bool = False, whose: str = "item") -> tuple[AspectBar, ...]:
    levels = [1 + (k * 37 + n * 23 + (11 if whose == "user" else 0)) % 90 / 10 for k in range(len(ASPECTS))]
    return tuple(
        AspectBar(
            key=name.replace(" ", "_"),
            name=name,
            low="very calm" if k else "none at all",
            high="hard to bear" if not k else "a great deal",
            user_level=level if whose == "user" or pushed else None,
            item_level=level if whose == "item" else None,
            mean_level=5.5,
            push=(0.3 - k / 8) if pushed else None,
        )
        for k, (name, level) in enumerate(zip(ASPECTS, levels, strict=True))
    )


def history(n: int) -> tuple[HistoryPoint, ...]:
    points = []
    for place, month in enumerate(range(3, 12)):
        users = 95 if month == 10 else 12 if month == 9 else 5 + (place * 7 + n) % 40
        start = datetime(2013, month, 1, tzinfo=UTC)
        points.append(
            HistoryPoint(
                id=f"month:2013-{month:02d}",
                label=start.strftime("%B 2013"),
                start=start,
                end=datetime(2013, month + 1, 1, tzinfo=UTC),
                users=users,
                complete=month not in (3, 11),
            )
        )
    return tuple(points)


def item_page(n: int) -> ItemPage:
    drivers = (("recency", "the last seven days", 0.34), ("level", "all users so far", 1.5), ("age", "its age", -0.12))
    return ItemPage(
        item_id=f"i{n}",
        title=title_of(n),
        description=LONG_TEXT if n == 1 else "Two people are lost above the earth, and want to go home.",
        attributes={"genres": genres_of(n), "year": (str(1980 + n % 30),)},
        first_seen=date(2013, 3, 4),
        total_users=321,
        history=history(n),
        forecast=Forecast(start=AT, end=AT + MONTH, rank=n + 1, expected=60.0, low=38.0, high=91.0, method="trail"),
        traits=(TraitDocument(key="thrill", name="a thrill", strength=0.8, text="Edge of the seat throughout."),),
        aspects=aspects(n),
        explanation=explanation(n, drivers=[DriverDocument(id=k, label=v, effect=e) for k, v, e in drivers]),
    )


def hostile_item() -> ItemPage:
    bare = {"history": (), "forecast": None, "traits": (), "aspects": (), "explanation": None, "first_seen": None}
    odd = {"item_id": ODD_ID, "title": HOSTILE_TITLE, "description": LONG_WORD, "total_users": 0, "attributes": {}}
    return item_page(0).model_copy(update=bare | odd)


def personal(user_id: str, items: Sequence[int], *, method: str) -> PersonalList:
    entries = tuple(
        Entry(
            rank=rank,
            item_id=f"i{n}",
            title=title_of(n),
            score=1 / rank,
            attributes={"genres": genres_of(n)},
            reason=reason(f"You like quiet films, and {title_of(n)} is one.") if rank <= 15 else None,
        )
        for rank, n in enumerate(items, start=1)
    )
    return PersonalList(
        user_id=user_id, method=method, source="personal", note="from the 34 items that you rated", entries=entries
    )


def user_page(user_id: str) -> UserPage:
    return UserPage(
        user_id=user_id,
        n_interactions=34,
        newest=tuple(
            RecentItem(item_id=f"i{n}", title=title_of(n), timestamp=AT - timedelta(days=n - 29)) for n in range(30, 36)
        ),
        methods=("curec", "guided"),
        pattern=Pattern(text="Quiet dramas about few people.", writer="offline", verified=True),
        motivations=(
            TraitDocument(key="calm", name="to calm down", strength=0.7, text="Chooses slow films late at night."),
            TraitDocument(key="company", name="company", strength=0.2, text=""),
        ),
        aspects=aspects(3, whose="user"),
    )


def publish(store: Store) -> None:
    with store.publish(at=AT, dataset="toy films", runs=list(RUNS)) as version:
        version.add_boards([board(window) for window in ("next", "7d", "30d")])
        lists = [personal(user, range(25), method="curec") for user in ("ann", ODD_ID)]
        version.add_lists([*lists, personal("ann", range(24, -1, -1), method="guided")])
        version.add_explanations(
            [
                *(of_pair(n, "ann", method) for method in ("curec", "guided") for n in (0, 1, 24, 23)),
                *(of_pair(n, ODD_ID, "curec") for n in (0, 1)),
            ]
        )
        version.add_items([*(item_page(n) for n in range(N_ITEMS)), hostile_item()])
        version.add_users([user_page("ann"), user_page(ODD_ID)])


class LiveDouble:
    """Answers what-ifs by counting: more of an aspect turns the list by as many places as there are tenths."""

    methods = ("guided", "mllm3rec")

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, float]] = []
        """User, aspect and amount of every what-if."""

    def aspects(self) -> Sequence[dict[str, Any]]:
        return [{"key": one.key, "name": one.name, "low": one.low, "high": one.high} for one in aspects(0)]

    def shift(self, user_id: str, aspect: str, *, amount: float, k: int) -> dict[str, Any]:
        self.asked.append((user_id, aspect, amount))
        turned = round(abs(amount) * 10)
        before = list(range(k))
        after = [*reversed(range(k, k + turned)), *before][:k] if turned else before
        entries = [
            {
                "rank": rank,
                "rank_before": before.index(n) + 1 if n in before else None,
                "item_id": f"i{n}",
                "title": title_of(n),
                "score": 1.0,
            }
            for rank, n in enumerate(after, start=1)
        ]
        left = [{"item_id": f"i{n}", "title": title_of(n)} for n in before if n not in after]
        return {
            "user_id": user_id,
            "aspect": aspect,
            "amount": amount,
            "mean_level_before": 5.5,
            "mean_level_after": 5.5 + amount,
            "entries": entries,
            "left": left,
        }

    def stated(self, words: str, *, k: int) -> Sequence[Entry]:
        return personal("", range(5, 5 + min(k, 3)), method="mllm3rec").entries if "quiet" in words else []

    def explain(self, *_: object, **__: object) -> None:
        return None

    def take_in(self, *_: object) -> None:
        """It learns nothing."""
