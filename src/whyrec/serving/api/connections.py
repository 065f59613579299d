"""Connections that are slow, endless or idle when the server stops: what uvicorn leaves open.

uvicorn closes a connection that is idle between two requests, and nothing else: one that never ends its headers, or
never reads its answer, would stay for ever. And when it stops, it closes idle connections at once, also those whose
next request is on its way; here they have a last call.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_TOO_LONG = "Request head is too long."


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol with limits of time and size; patient to a point."""

    head_timeout_s = 10.0
    """From connecting, or from the first byte of a later request, to the end of its headers."""
    write_timeout_s = 30.0
    """How long a client may read nothing of an answer that waits for it."""
    largest_head_bytes = 32 * 1024
    """Of request line and headers."""
    last_call_s = 1.0
    """How long idle connections are kept when the server stops."""

    _head_timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None
    _in_head = True
    _head_bytes = 0
    _is_last_call = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(self.head_timeout_s, self._close)

    def data_received(self, data: bytes) -> None:
        """Read on, and look how long the head has become."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self.largest_head_bytes and not self.transport.is_closing():
                self.send_400_response(_TOO_LONG)
            elif self._head_timer is None:
                self._head_timer = self.loop.call_later(self.head_timeout_s, self._close)
        elif self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def on_message_begin(self) -> None:
        """Note that a head begins."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        """Note that a head is read; on the last call its answer is the last one."""
        super().on_headers_complete()
        self._in_head = False
        if self._is_last_call and self.cycle is not None:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """Note that nothing is being read."""
        super().on_message_complete()
        self._head_bytes = 0

    def pause_writing(self) -> None:
        """Begin to wait for a client that does not read."""
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self.write_timeout_s, self._abort)

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        for timer in (self._head_timer, self._write_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close after the answer that is being made, or after a last call."""
        self._is_last_call = True
        if self.cycle is None or self.cycle.response_complete:
            self.loop.call_later(self.last_call_s, self._close_if_idle)
        else:
            self.cycle.keep_alive = False

    def _close_if_idle(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self._close()

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

    def _abort(self) -> None:
        self.transport.abort()
