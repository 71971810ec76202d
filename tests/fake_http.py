"""Fake HTTP servers on real sockets: a programmable one in the event loop, and a way to run any other in a thread.

`FakeServer` keeps every byte that it receives. Tests whose client blocks give a `socketserver` to `run_in_thread`, with
a `FakeHandler` if it speaks HTTP.
"""

import asyncio
import contextlib
import socket
import socketserver
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple, TypeAlias

import h11

from tests.certificates import SelfSignedCertificate, make_server_context


class FakeRequest(NamedTuple):
    """One request; header names in lower case."""

    scheme: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class CannedReply(NamedTuple):
    """One well-formed reply."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


Raw: TypeAlias = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Writes whatever it likes; then the connection is closed."""
Handler: TypeAlias = Callable[[FakeRequest], CannedReply | Raw]


class FakeServer:
    """Serves one handler on one port of 127.0.0.1, with TLS if it has a certificate."""

    def __init__(self, handler: Handler, scheme: str, certificate: SelfSignedCertificate | None = None) -> None:
        self.handler = handler
        self.scheme = scheme
        self.received = bytearray()
        self.requests: list[FakeRequest] = []
        self.connections = 0
        self.most_in_flight = 0
        self._in_flight = 0
        self.context: ssl.SSLContext | None = None
        if certificate is not None:
            self.show(certificate)
        self._socket = _reserve_port(0)
        self.port = self._socket.getsockname()[1]
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def show(self, certificate: SelfSignedCertificate) -> None:
        """Show this certificate from the next start on."""
        self.context = make_server_context(certificate)

    async def start(self) -> None:
        """Accept connections."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, sock=self._socket, ssl=self.context)

    async def stop(self) -> None:
        """Refuse connections and cut those that are open; may be started again on the same port."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._socket = _reserve_port(self.port)

    async def aclose(self) -> None:
        """Stop for good."""
        await self.stop()
        self._socket.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            await self._converse(reader, writer)
        except (ConnectionError, ssl.SSLError, h11.RemoteProtocolError, asyncio.CancelledError):
            pass  # the client or the test is done with it
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        while (request := await self._read_request(connection, reader)) is not None:
            self.requests.append(request)
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
            try:
                answer = self.handler(request)
                if not isinstance(answer, CannedReply):
                    await answer(writer)
                    return
                writer.write(_encode(connection, answer))
                await writer.drain()
            finally:
                self._in_flight -= 1
            if connection.our_state is h11.MUST_CLOSE:
                return
            connection.start_next_cycle()

    async def _read_request(self, connection: h11.Connection, reader: asyncio.StreamReader) -> FakeRequest | None:
        head, body = None, b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                data = await reader.read(65536)
                self.received += data
                connection.receive_data(data)
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                headers = {name.decode(): value.decode() for name, value in head.headers}
                return FakeRequest(self.scheme, head.method.decode(), head.target.decode(), headers, body)
            else:
                return None


def _reserve_port(port: int) -> socket.socket:
    """Bound but not listening: connections are refused, and nobody else gets the port."""
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", port))
    return reserved


def _encode(connection: h11.Connection, answer: CannedReply) -> bytes:
    headers = [("Content-Length", str(len(answer.body))), *answer.headers]
    parts = [
        connection.send(h11.Response(status_code=answer.status, headers=headers)),
        connection.send(h11.Data(data=answer.body)),
        connection.send(h11.EndOfMessage()),
    ]
    return b"".join(part or b"" for part in parts)


def make_raw(
    *pieces: bytes,
    after: Callable[[], Awaitable[object]] | None = None,
    then: Callable[[], Awaitable[object]] | None = None,
) -> Raw:
    """Wait for `after`, write these bytes piece by piece, then wait for `then` before the connection is closed."""

    async def write(writer: asyncio.StreamWriter) -> None:
        if after is not None:
            await after()
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        if then is not None:
            await then()

    return write


async def wait_without_end() -> None:
    """Hang."""
    await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def run_server(handler: Handler, certificate: SelfSignedCertificate | None = None) -> AsyncIterator[FakeServer]:
    """A bare server."""
    server = FakeServer(handler, "https" if certificate else "http", certificate)
    await server.start()
    try:
        yield server
    finally:
        await server.aclose()


class FakeHandler(BaseHTTPRequestHandler):
    """Keeps connections open, and prints nothing: tests look at what arrived."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: two would wait for each other's acknowledgement
    disable_nagle_algorithm = True

    def answer(self, body: bytes) -> None:
        """Answer a request that has this body."""
        raise NotImplementedError

    def do_GET(self) -> None:
        self.answer(b"")

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name in the base class)
        """Say nothing."""


@contextlib.contextmanager
def run_in_thread(server: socketserver.TCPServer) -> Iterator[int]:
    """The port of a server that serves in a thread of its own as long as the context lasts, and is closed then."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
