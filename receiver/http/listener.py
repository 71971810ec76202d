"""The listening side: uvicorn with bounds on request heads, and a start and stop without signal handlers."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from receiver.errors import ReceiverSettingError
from receiver.http.gathering import GatheringTransport

MAX_HEAD = 32 * 1024
"""Bytes of a request's line and headers, at most."""
MAX_HEADERS = 100
HEAD_SECONDS = 10.0
"""A request whose head takes longer loses its connection."""
MAX_CONNECTIONS = 2_000
_GRACE_S = 10


class BoundedHeads(HttpToolsProtocol):
    """uvicorn's protocol, which on httptools has neither a limit for headers nor a deadline for their arrival."""

    head_seconds = HEAD_SECONDS
    _in_head = True
    _head_bytes = 0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The first request has to begin soon."""
        super().connection_made(GatheringTransport(transport, self.loop))  # type: ignore[arg-type]  # as good as one
        self.access_log = False  # whatever logging is set up: addresses may hold a token that somebody put there
        # Without this the second piece of a long answer waits 40 ms for the delayed acknowledgement of the first;
        # asyncio sets it only on sockets that say IPPROTO_TCP, and ours do not.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._await_head()

    def on_message_begin(self) -> None:
        """A request begins, perhaps another one on the same connection."""
        super().on_message_begin()
        self._await_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Raises ValueError for too many headers; uvicorn answers 400 and closes."""
        super().on_header(name, value)
        if len(self.headers) > MAX_HEADERS:
            raise ValueError("too many headers")

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._in_head = False
        self._cancel_deadline()
        if sum(len(name) + len(value) for name, value in self.headers) + len(self.url) > MAX_HEAD:
            raise ValueError("head too large")
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Count what comes before a head is complete."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("Request head too large.")

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._cancel_deadline()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._cancel_deadline()
        self._in_head, self._head_bytes = True, 0
        self._deadline = self.loop.call_later(self.head_seconds, self.transport.close)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _UvicornServer(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the composition root."""
        yield


class HttpListener:
    """Serves an application on one port.

    Args:
        app: The application.
        host: Address to listen on.
        port: Port; 0 chooses one (see `port` after `start`).
        trusted_proxies: Addresses whose X-Forwarded-For and -Proto are believed; nobody else's are.
    """

    def __init__(self, app: ASGIApp, *, host: str, port: int, trusted_proxies: Sequence[str] = ()) -> None:
        self.host = host
        self.port = port
        self._server = _UvicornServer(
            uvicorn.Config(
                app,
                http=BoundedHeads,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=True,  # a refused scraper sets its clock by it
                proxy_headers=bool(trusted_proxies),
                forwarded_allow_ips=list(trusted_proxies),
                limit_concurrency=MAX_CONNECTIONS,
                timeout_keep_alive=75,  # longer than a scraper's usual interval, so that connections are reused
                timeout_graceful_shutdown=_GRACE_S,
            )
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen and serve. Raises SettingError if the address is in use or not ours."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            listening = socket.create_server((self.host, self.port), family=family, backlog=1024)
        except OSError as error:
            raise ReceiverSettingError(
                f"cannot listen on {self.host} port {self.port} ({error.strerror}): stop what uses it, or set "
                "RECEIVER_HOST and RECEIVER_PORT"
            ) from error
        self.port = listening.getsockname()[1]
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]), name="listener")

    async def wait(self) -> None:
        """Return when serving has ended."""
        if self._task is not None:
            await asyncio.wait([self._task])  # unlike a plain await, it does not end the serving if we are cancelled
            self._task.result()

    async def stop(self) -> None:
        """Let requests under way finish (at most ten seconds), then close every connection."""
        self._server.should_exit = True
        await self.wait()
