"""The server's log: what happens at every request while something is away is told once a second.

A line is written on the event loop. Thousands a second, while a database is away, would fill disks, and stop the server
where whoever reads the log is slower than that.
"""

import logging
import time
from collections.abc import Callable

log = logging.getLogger("whyrec.serving")

EVERY_S = 1.0
_MOST_REMEMBERED = 64


class Seldom(logging.Filter):
    """Lets a message through once in a while, and then says how often it was kept back."""

    def __init__(self, every_s: float = EVERY_S, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with nothing said.

        Args:
            every_s: Seconds between two records that say the same.
            clock: In seconds.
        """
        super().__init__()
        self._every_s = every_s
        self._clock = clock
        self._told: dict[tuple[int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to tell it now; of exceptions, what they say counts and not where a request met them."""
        error = record.exc_info[1] if record.exc_info else None
        said = record.getMessage() if error is None else repr(error)
        key, now = (record.levelno, said), self._clock()
        last, n_kept_back = self._told.get(key, (float("-inf"), 0))
        if now - last < self._every_s:
            self._told[key] = last, n_kept_back + 1
            return False
        if len(self._told) >= _MOST_REMEMBERED:
            self._told.clear()
        self._told[key] = now, 0
        if n_kept_back:
            record.msg, record.args = f"{record.getMessage()} (and {n_kept_back:,} times more since it was told)", ()
        return True


log.addFilter(Seldom())
