"""Small histories, patterns and reasons for the tests of CURec's texts: users u0.., items i0.., times in hours."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import strategies as st

from whyrec.methods.curec.artefacts import Pattern, Reason
from whyrec.methods.curec.histories import UserHistory

START = datetime(2020, 1, 1, tzinfo=UTC)
ITEM_IDS = pl.Series("item_id", [f"i{n}" for n in range(4)])


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def micros(hours: int) -> int:
    return round(START.timestamp() + 3600 * hours) * 1_000_000


def history(user_id: str, *taken: tuple[str, float]) -> UserHistory:
    return UserHistory(user_id, tuple(item_id for item_id, _ in taken), tuple(at(hours) for _, hours in taken))


def hours_history(hours: Sequence[float], *, user_id: str = "u0") -> UserHistory:
    return history(user_id, *((f"i{n % 4}", hour) for n, hour in enumerate(hours)))


def pattern(user_id: str, hours: float, *, n_items: int = 1, version: int = 0, text: str = "- war") -> Pattern:
    return Pattern(user_id, n_items, at(hours), text, writer="test", version=version)


def reason(
    item_id: str, user_id: str, hours: float, *, version: int = 0, text: str = "War.", writer: str = "test"
) -> Reason:
    return Reason(item_id, user_id, at(hours), text, writer=writer, version=version)


# Few users, items and hours, so that ties, repetitions and own reasons are the rule.
_users, _items, _hours, _versions = (
    st.sampled_from(["u0", "u1", "u2"]),
    st.sampled_from(ITEM_IDS.to_list()),
    st.integers(0, 5),
    st.integers(0, 2),
)
patterns = st.lists(
    st.builds(
        lambda user_id, hours, n, version: pattern(
            user_id, hours, n_items=n, version=version, text=f"- {user_id} {hours} {n} {version}"
        ),
        _users,
        _hours,
        st.integers(1, 3),
        _versions,
    ),
    max_size=25,
    unique_by=lambda it: (it.user_id, it.until, it.n_items, it.version),
)
reasons = st.lists(
    st.builds(
        lambda item_id, user_id, hours, version, writer: reason(
            item_id,
            user_id,
            hours,
            version=version,
            writer=writer,
            text=f"{item_id} {user_id} {hours} {version} {writer}",
        ),
        _items,
        _users,
        _hours,
        _versions,
        st.sampled_from(["offline", "model"]),
    ),
    max_size=40,
    unique_by=lambda it: (it.item_id, it.user_id, it.timestamp, it.version, it.writer),
)
