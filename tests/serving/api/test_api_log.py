"""The server's log: what repeats is told seldom, and nothing is lost without a word."""

import logging

import pytest

from whyrec.serving.api.log import Seldom


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture, clock: Clock) -> logging.Logger:
    log = logging.Logger("told")
    log.addFilter(Seldom(1.0, clock=clock))
    log.addHandler(caplog.handler)
    return log


def test_what_repeats_is_told_once_a_second_and_counted(
    told: logging.Logger, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(1001):
        told.warning("store: %s", "away")
    told.warning("store: %s", "full")
    clock.now = 1.0
    told.warning("store: %s", "away")
    told.warning("store: %s", "full")
    assert caplog.messages == [
        "store: away",
        "store: full",
        "store: away (and 1,000 times more since it was told)",
        "store: full",
    ]


def test_a_defect_is_the_same_wherever_requests_meet_it(told: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    for path, error in (("/a", KeyError("x")), ("/b", KeyError("x")), ("/c", KeyError("y"))):
        told.error("unexpected failure at %s", path, exc_info=error)
    assert caplog.messages == ["unexpected failure at /a", "unexpected failure at /c"]


def test_memory_is_bounded(told: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    (seldom,) = told.filters
    assert isinstance(seldom, Seldom)
    for n in range(1000):
        told.warning("%s", n)
    assert len(caplog.messages) == 1000
    assert len(seldom._told) <= 64
