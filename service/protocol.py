"""HTTP connections whose requests have to say soon, and briefly, what they want.

uvicorn itself sets no limit on the size of a request's head, nor on the time that it takes, so a
few clients that send nothing, or headers without end, would hold connections or fill the memory.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 << 10
"""Bytes of a request's first line and headers; a few more may be read before it is refused."""

HEAD_SECONDS = 10.0
"""Seconds for a request's head, from its first byte, or from the start of the connection."""


class BoundedProtocol(HttpToolsProtocol):
    """A connection with limits on the heads of its requests."""

    head_seconds = HEAD_SECONDS

    def __init__(self, *args: Any, **others: Any) -> None:
        super().__init__(*args, **others)
        self._in_head = True
        self._head_bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse bytes; end the connection if they go on without end."""
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self.send_400_response(f"The headers have more than {HEAD_BYTES} bytes.")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self._start_timer()

    def on_headers_complete(self) -> None:
        """The head of a request is complete."""
        self._in_head = False
        self._stop_timer()
        super().on_headers_complete()

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.head_seconds, self._expire)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        if not self.transport.is_closing():
            self.send_400_response("The headers took too long.")
