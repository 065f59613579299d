"""What endpoints answer from: the store, the live models, and what is remembered of the current version."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import anyio

from whyrec.errors import StoreUnavailableError
from whyrec.serving.api.cutting import StoredList
from whyrec.serving.api.errors import ApiError
from whyrec.serving.api.metrics import Metrics
from whyrec.serving.api.settings import ApiSettings
from whyrec.serving.documents import Entry, ExplanationDocument, NewInteraction, VersionRecord

if TYPE_CHECKING:
    from whyrec.serving.store import Store

REMEMBERED_S = 0.05
"""For how long the number of the current version is not asked for again."""
_MOST_BOARDS = 16
_THREADS = 12  # fewer than the connections to PostgreSQL that a store opens
_FED_AT_ONCE = 1000
READ_WITHIN_S = 5.0
"""How long reading may wait for a database that neither answers nor refuses."""
WRITE_WITHIN_S = 30.0
"""The same for what is written, with time for others who write and for disks that are slow."""

ResultT = TypeVar("ResultT")
Shifted = dict[str, Any]  # as JSON: see the answer of /v1/users/{user_id}/what-if


class Live(Protocol):
    """Models of fitted runs that are held open."""

    @property
    def methods(self) -> tuple[str, ...]:
        """Of the open runs."""
        ...

    def aspects(self) -> Sequence[dict[str, Any]]:
        """Readable scales of the guided run, none without."""

    def shift(self, user_id: str, aspect: str, *, amount: float, k: int) -> Shifted:
        """A user's list with more or less of an aspect."""

    def stated(self, words: str, *, k: int) -> Sequence[Entry]:
        """A list for what somebody says they want."""

    def explain(self, user_id: str, item_id: str, *, method: str | None = None) -> ExplanationDocument | None:
        """The explanation of a pair, None where no open run can give it."""

    def take_in(self, interactions: Iterable[NewInteraction]) -> object:
        """Learn of new interactions."""

    def user_ids(self) -> Iterable[str]:
        """Everybody who is known."""

    def forget(self, user_ids: Iterable[str]) -> None:
        """Know nothing of some users any more."""


class Served:
    """What all endpoints share."""

    def __init__(self, store: "Store", *, live: Live | None, settings: ApiSettings, metrics: Metrics) -> None:
        self.store = store
        self.live = live
        self.settings = settings
        self.metrics = metrics
        self._current: VersionRecord | None = None
        self._asked = float("-inf")
        self._boards: OrderedDict[tuple[int, str], StoredList] = OrderedDict()
        self.reads_at_once = store.dialect == "sqlite"
        """Whether reading takes microseconds, so that a thread would take longer than the reading."""
        self._threads = anyio.CapacityLimiter(_THREADS)
        # Models are no servers: one question at a time.
        self._models = anyio.CapacityLimiter(1)
        self._fed = 0
        self._forgotten = 0

    def version(self) -> VersionRecord:
        """The published version that a request is answered from; ask once per request.

        Raises:
            ApiError: 503 if nothing is published.
        """
        now = time.monotonic()
        current = self._current
        if current is None or now - self._asked > REMEMBERED_S:
            current = self.store.current()
            if current is None:
                message = "store: expected a published version, got none. Publish one with whyrec publish."
                raise ApiError(503, message, code="not_published", retry_after_s=5)
            if self._current is None or current.id != self._current.id:
                self.metrics.version(current.id)
            self._current, self._asked = current, now
        return current

    def board(self, version: VersionRecord, window: str) -> StoredList | None:
        """A board, remembered: there are few, and everybody asks for them."""
        key = (version.id, window)
        found = self._boards.get(key)
        if found is None:
            document = self.store.board(version.id, window)
            if document is None:
                return None
            found = self._boards[key] = StoredList(document)
            while len(self._boards) > _MOST_BOARDS:
                self._boards.popitem(last=False)
        return found

    async def in_thread(self, function: Callable[..., ResultT], *arguments: object) -> ResultT:
        """Do what waits for the disk, and is not given up, beside the event loop."""
        return await anyio.to_thread.run_sync(partial(function, *arguments), limiter=self._threads)

    async def read(self, function: Callable[..., ResultT], *arguments: object) -> ResultT:
        """Do what only reads, in a thread that is given up when the database does not answer.

        Raises:
            StoreUnavailableError: If it took too long.
        """
        return await self._within(READ_WITHIN_S, partial(function, *arguments), "try again")

    async def write(self, function: Callable[..., ResultT], *arguments: object) -> ResultT:
        """Do what writes and may be repeated, in a thread that is given up when the database does not answer.

        Raises:
            StoreUnavailableError: If it took too long; then it may have been done, or be done yet.
        """
        again = "send the same again (with the same key): it may have been kept, and is not kept twice"
        return await self._within(WRITE_WITHIN_S, partial(function, *arguments), again)

    async def _within(self, seconds: float, work: Callable[[], ResultT], again: str) -> ResultT:
        try:
            with anyio.fail_after(seconds):
                return await anyio.to_thread.run_sync(work, limiter=self._threads, abandon_on_cancel=True)
        except TimeoutError as error:
            raise StoreUnavailableError(
                f"{self.store.name}: expected an answer within {seconds:g} s, got none. "
                f"Check that the database is well, and {again}."
            ) from error

    async def ask_live(self, what: str, question: Callable[[Live], ResultT]) -> ResultT:
        """Ask the live models, which first learn of what was taken in since.

        Raises:
            ApiError: 404 if none are open.
        """
        if self.live is None:
            raise ApiError(404, f"{what}: expected an open run, got none. Start with whyrec serve --run RUN.")
        return await anyio.to_thread.run_sync(self._answer, what, question, self.live, limiter=self._models)

    def _answer(self, what: str, question: Callable[[Live], ResultT], live: Live) -> ResultT:
        self._feed(live)
        started = time.perf_counter()
        try:
            return question(live)
        finally:
            self.metrics.live(what, time.perf_counter() - started)

    def _feed(self, live: Live) -> None:
        """Hand over what any worker has taken in since the last question, and whom any has erased."""
        latest = self.store.latest_erasure()
        if latest != self._forgotten:
            live.forget(self.store.is_erased(live.user_ids()))
            self._forgotten = latest
        while new := list(self.store.taken_in(self._fed, limit=_FED_AT_ONCE)):
            live.take_in([interaction for _, interaction, _ in new])
            self._fed = new[-1][0]
