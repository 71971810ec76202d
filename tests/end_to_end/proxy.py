"""A network between scraper and receiver that the test commands: it cuts, swallows, lies, and remembers everything."""

import asyncio
import contextlib
import gzip
import json
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, NamedTuple, Self

_HTML = b"<html><body><h1>%b</h1></body></html>"


class Mishap(Enum):
    """What happens to one request."""

    NONE = auto()
    REFUSE = auto()
    """The connection is closed without an answer; the receiver hears nothing."""
    CUT_REQUEST = auto()
    """The receiver gets half of the request, then the line is dead."""
    CUT_ANSWER = auto()
    """The receiver stored and answered; the scraper gets half of the answer."""
    LOSE_ANSWER = auto()
    """The receiver stored and answered; the scraper gets nothing, and the connection is closed."""
    SWALLOW_REQUEST = auto()
    """A black hole: the request goes nowhere, and the connection stays open."""
    SWALLOW_ANSWER = auto()
    """A black hole on the way back."""
    SERVER_ERROR = auto()
    UNAVAILABLE = auto()
    PORTAL = auto()
    """A captive portal: 200 and a web page."""
    PORTAL_JSON = auto()
    """200 and JSON that is not a verdict."""
    OLD_VERDICT = auto()
    """The receiver's answer to an earlier batch."""
    REPEAT = auto()
    """The receiver gets the request twice."""
    KILL_RECEIVER = auto()
    """The receiver dies with the whole request in its hands."""
    KILL_SCRAPER = auto()
    """The scraper dies with its verdict on the way."""


_SILENT = frozenset({Mishap.SWALLOW_REQUEST, Mishap.SWALLOW_ANSWER})


class PostedRow(NamedTuple):
    """One row of a request that arrived whole at the proxy, whatever happened to it then."""

    outbox: str
    seq: int
    reading: str
    """Canonical JSON."""


class FaultyProxy:
    """Listens on a port of its own.

    Attributes:
        port: Where the scraper posts.
        target: The receiver's port; None while it is down.
        plan: Says what happens to the next request.
        kill: What KILL_RECEIVER and KILL_SCRAPER do.
        posted: All rows seen, without repetitions.
        requests: How many whole requests were seen.
        tokens: Every bearer token seen.
        answers: Every answer of the receiver, raw.
        problems: Contradictions in what the scraper sent.
    """

    def __init__(self) -> None:
        self.port = 0
        self.target: int | None = None
        self.plan: Callable[[], Mishap] = lambda: Mishap.NONE
        self.kill: dict[Mishap, Callable[[], None]] = {}
        self.posted: dict[tuple[str, int], PostedRow] = {}
        self.requests = 0
        self.happened: dict[Mishap, int] = {}
        self.tokens: set[str] = set()
        self.answers: list[bytes] = []
        self.problems: list[str] = []
        self._last_verdict = b""
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                while await self._serve_request(reader, writer):
                    pass
        finally:
            await _close(writer)

    async def _serve_request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; False ends the connection."""
        head = await reader.readuntil(b"\r\n\r\n")
        request = head + await reader.readexactly(_find_length(head))
        self._witness(head, request[len(head) :])
        mishap = self.plan()
        self.happened[mishap] = self.happened.get(mishap, 0) + 1
        answer = await self._answer(mishap, request)
        if mishap in _SILENT:
            await reader.read()  # until the scraper gives up or dies
        if answer is None or mishap in _SILENT:
            return False
        if mishap is Mishap.KILL_SCRAPER:
            self.kill[mishap]()
        writer.write(answer[: len(answer) // 2] if mishap is Mishap.CUT_ANSWER else answer)
        await writer.drain()
        return mishap is not Mishap.CUT_ANSWER

    async def _answer(self, mishap: Mishap, request: bytes) -> bytes | None:
        """What the scraper is to get; None for nothing."""
        match mishap:
            case Mishap.REFUSE | Mishap.SWALLOW_REQUEST:
                return None
            case Mishap.CUT_REQUEST:
                await self._send_half(request)
                return None
            case Mishap.LOSE_ANSWER:
                await self._forward(request)
                return None
            case Mishap.REPEAT:
                await self._forward(request)
            case Mishap.KILL_RECEIVER:
                return await self._forward(request, after_sending=self.kill[mishap])
        return _make_foreign_answer(mishap, self._last_verdict) or await self._forward(request)

    async def _forward(self, request: bytes, after_sending: Callable[[], None] | None = None) -> bytes | None:
        """The receiver's answer, or None if it gave none."""
        if self.target is None:
            return None
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            return None
        try:
            writer.write(request)
            await writer.drain()
            if after_sending is not None:
                after_sending()
            head = await reader.readuntil(b"\r\n\r\n")
            answer = head + await reader.readexactly(_find_length(head))
        except (OSError, asyncio.IncompleteReadError):
            return None
        finally:
            await _close(writer)
        self.answers.append(answer)
        if head.startswith(b"HTTP/1.1 200"):
            self._last_verdict = answer
        return answer

    async def _send_half(self, request: bytes) -> None:
        if self.target is None:
            return
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self.target)
            writer.write(request[: len(request) // 2])
            await writer.drain()
            await _close(writer)

    def _witness(self, head: bytes, body: bytes) -> None:
        self.requests += 1
        self.tokens.add(_parse_headers(head)["authorization"].removeprefix("Bearer "))
        batch = json.loads(gzip.decompress(body))
        for row in batch["rows"]:
            seen = PostedRow(batch["outbox"], row["seq"], json.dumps(row["reading"], sort_keys=True))
            before = self.posted.setdefault((seen.outbox, seen.seq), seen)
            if before != seen:
                self.problems.append(f"row {seen.seq} was first {before.reading} and later {seen.reading}")


def _make_foreign_answer(mishap: Mishap, verdict: bytes) -> bytes | None:
    """The answer of somebody who is not the receiver; None where the receiver is asked."""
    match mishap:
        case Mishap.SERVER_ERROR:
            return _make_page(b"500 Internal Server Error", b"text/html", _HTML % b"500")
        case Mishap.UNAVAILABLE:
            return _make_page(b"503 Service Unavailable", b"text/html", _HTML % b"503", b"Retry-After: 1\r\n")
        case Mishap.PORTAL:
            return _make_page(b"200 OK", b"text/html", _HTML % b"Welcome to the hotel")
        case Mishap.PORTAL_JSON:
            return _make_page(b"200 OK", b"application/json", b'{"status":"ok","accepted":500}')
        case Mishap.OLD_VERDICT:
            return verdict or _make_page(b"200 OK", b"application/json", b"{}")
    return None


def _make_page(status: bytes, content_type: bytes, body: bytes, more: bytes = b"") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n%b\r\n%b" % (
        status,
        content_type,
        len(body),
        more,
        body,
    )


def _parse_headers(head: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:] if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _find_length(head: bytes) -> int:
    return int(_parse_headers(head)["content-length"])


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def decode(posted: PostedRow) -> dict[str, Any]:
    """The reading of a row."""
    reading: dict[str, Any] = json.loads(posted.reading)
    return reading
