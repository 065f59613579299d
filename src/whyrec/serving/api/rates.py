"""How much a client may ask for: a token bucket for each, in memory."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable


class RateLimit:
    """Buckets that fill steadily; a request takes a token.

    Buckets of clients that were not seen for longest are forgotten first, so that memory is bounded; a forgotten client
    begins with a full bucket.
    """

    def __init__(
        self, per_second: float, burst: int, *, clock: Callable[[], float] = time.monotonic, most_clients: int = 10_000
    ) -> None:
        """Start with no clients.

        Args:
            per_second: Tokens a second; 0 sets no limit.
            burst: Tokens in a full bucket.
            clock: In seconds.
            most_clients: How many buckets are kept.
        """
        self._per_second = per_second
        self._burst = float(burst)
        self._clock = clock
        self._most_clients = most_clients
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait_s(self, client: Hashable) -> int:
        """Take a token for a client.

        Returns:
            0 if there was one; otherwise after how many whole seconds there will be.
        """
        if not self._per_second:
            return 0
        now = self._clock()
        tokens, seen = self._buckets.get(client, (self._burst, now))
        tokens = min(self._burst, tokens + (now - seen) * self._per_second)
        allowed = tokens >= 1
        self._buckets[client] = (tokens - 1 if allowed else tokens, now)
        self._buckets.move_to_end(client)
        if len(self._buckets) > self._most_clients:
            self._buckets.popitem(last=False)
        return 0 if allowed else max(1, math.ceil((1 - tokens) / self._per_second))
