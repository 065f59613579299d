"""Moments as a database keeps them: microseconds since 1970, the same everywhere."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def to_number(moment: datetime) -> int:
    """Microseconds from 1970 to an aware moment."""
    return (moment - _EPOCH) // _MICROSECOND


def to_moment(number: int) -> datetime:
    """The moment, in UTC."""
    return _EPOCH + number * _MICROSECOND
