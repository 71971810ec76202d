"""The HTTP protocol of one connection: uvicorn's, with bounds that httptools and uvicorn lack.

- A head has at most 32 KiB and 100 fields, and arrives within ten seconds.
- Trailers are dropped before anything reads headers: no header is believed that stands behind a body. They, and the
  overhead of chunks, are bounded like a head.
- A request that is answered before it has ended (a refusal) loses its connection soon, however slowly its body drips.
- Few requests wait behind one that is not answered yet; who sends more at once loses the connection.
- The register of connections decides who may have one at all.
- Bytes that are no request count as one of their address, and are answered as strictly as requests are.
"""

import asyncio
import socket
from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from receiver.errors import RefusedError
from receiver.http.connections import ConnectionRegister
from receiver.http.gathering import GatheringTransport
from receiver.http.headers import STRICT_HEADERS
from receiver.http.rates import RateLimit

MAX_HEAD = 32 * 1024
"""Bytes of a request's line and headers, at most; likewise of what follows or frames a body."""
MAX_HEADERS = 100
HEAD_SECONDS = 10.0
"""A request whose head takes longer loses its connection."""
MAX_QUEUED = 8
"""Requests that may wait behind an unanswered one. uvicorn stops reading only after the piece that it has, and one of
256 KiB holds ten thousand; no client that we know sends a second one before it has the first answer."""
LINGER_SECONDS = 2.0
"""A request that was answered before it had ended may take this long to end."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection.

    Args:
        register: Decides whether the connection may stay.
        per_address: How often one address may ask, in vain too.
        uvicorn: What uvicorn gives each of its protocols.
    """

    head_seconds = HEAD_SECONDS
    linger_seconds = LINGER_SECONDS

    def __init__(self, register: ConnectionRegister, per_address: RateLimit, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._register = register
        self._per_address = per_address
        self._in_head = True
        self._frame_bytes = 0
        self._trailers = 0
        self._arriving: RequestResponseCycle | None = None
        self._answering: RequestResponseCycle | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The first request has to begin soon."""
        super().connection_made(GatheringTransport(transport, self.loop))  # type: ignore[arg-type]  # as good as one
        self.access_log = False  # whatever logging is set up: addresses may hold a token that somebody put there
        if not self._register.admit(self, self.client[0] if self.client else ""):
            self.transport.close()
            return
        # Without this the second piece of a long answer waits 40 ms for the delayed acknowledgement of the first;
        # asyncio sets it only on sockets that say IPPROTO_TCP, and ours do not.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more, and nobody is left to hear the answers of what is queued."""
        self._register.remove(self)
        self.pipeline.clear()
        if self._answering is not None:
            self._answering.disconnected = True  # uvicorn tells the last request alone, which may be a queued one
            self._answering.message_event.set()
        self._cancel_deadline()
        super().connection_lost(exc)

    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def is_arriving(self) -> bool:
        """Whether the body of the last request has not ended."""
        return self._arriving is not None

    def drop(self) -> None:
        """Close the connection; what waits to be written is written."""
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Count what is no body, and wait no longer than `head_seconds` for the request that it begins."""
        self._frame_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._frame_bytes > MAX_HEAD or self._trailers > MAX_HEADERS:
            self._refuse("Request head too large.")
        elif self._deadline is None and self._arriving is None and self.is_idle():
            self._await_head()  # line ends before a request begin none, and no keep-alive time-out runs any more

    def on_message_begin(self) -> None:
        """A request begins, perhaps another one on the same connection."""
        super().on_message_begin()
        self._trailers = 0
        self._register.use(self)
        self._await_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Raises ValueError for too many headers; uvicorn answers 400 and closes."""
        if not self._in_head:
            self._trailers += 1
            return
        super().on_header(name, value)
        if len(self.headers) > MAX_HEADERS:
            raise ValueError("too many headers")

    def on_headers_complete(self) -> None:
        """The head is there. Raises ValueError for one that is too large or one too many."""
        self._in_head = False
        self._frame_bytes = 0
        self._cancel_deadline()
        if sum(len(name) + len(value) for name, value in self.headers) + len(self.url) > MAX_HEAD:
            raise ValueError("head too large")
        if len(self.pipeline) >= MAX_QUEUED:
            self.transport.abort()  # not close, which waits for a peer that may read nothing
            raise ValueError("too many requests at once")  # nothing more of the piece is parsed
        super().on_headers_complete()
        self._arriving = self.cycle

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        """A piece of the body; frames between pieces are bounded, the body itself by who reads it."""
        self._frame_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has ended."""
        super().on_message_complete()
        self._arriving = None
        self._cancel_deadline()

    def on_response_complete(self) -> None:
        """What is left of a request that is answered already has a little time."""
        super().on_response_complete()
        if self._arriving is not None and self._arriving.response_complete and not self.transport.is_closing():
            self._cancel_deadline()
            self._deadline = self.loop.call_later(self.linger_seconds, self.transport.close)

    def send_400_response(self, msg: str) -> None:
        """Close, and say why unless the address has asked too often. Nothing breaks into an answer that is begun."""
        if self.transport.is_closing():
            return
        unanswered = self.cycle if self._arriving is None and not self.is_idle() else self._arriving
        if not self._may_ask() or (unanswered is not None and unanswered.response_started):
            self.transport.close()
        elif unanswered is not None and unanswered is not self._arriving:
            unanswered.keep_alive = False  # a whole request stands before these bytes: its answer is the last one
            self.flow.pause_reading()
        else:
            self._answer_400(msg)

    def _refuse(self, reason: str) -> None:
        """Close; say why where no other answer is begun or owed on this connection."""
        owed = self.cycle if self._in_head else None
        begun = self.cycle is not None and self.cycle.response_started and not self._in_head
        if not self._may_ask() or begun or (owed is not None and not owed.response_complete):
            self.transport.close()
        else:
            self._answer_400(reason)

    def _may_ask(self) -> bool:
        try:
            self._per_address.spend(self.client[0] if self.client else "")
        except RefusedError:
            return False
        return True

    def _answer_400(self, text: str) -> None:
        headers = {
            **dict(self.server_state.default_headers),
            **STRICT_HEADERS,
            b"content-type": b"text/plain; charset=utf-8",
            b"content-length": b"%d" % len(text),
            b"connection": b"close",
        }
        lines = b"".join(b"%b: %b\r\n" % field for field in headers.items())
        self.transport.write(STATUS_LINE[400] + lines + b"\r\n" + text.encode("ascii"))
        self.transport.close()

    def _await_head(self) -> None:
        self._cancel_deadline()
        self._in_head, self._frame_bytes = True, 0
        self._deadline = self.loop.call_later(self.head_seconds, self.transport.close)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
