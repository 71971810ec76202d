"""What strangers may do with connections: trailers, bodies that drip, crowds, and no file descriptors left."""

import asyncio
import contextlib
import errno
import gzip
import ipaddress
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from receiver.http.connections import ConnectionRegister, count_places, report_exhaustion
from receiver.http.protocol import MAX_HEAD, MAX_HEADERS, BoundedProtocol
from receiver.ingest.limits import Limits
from tests.connections import connect
from tests.receiver.service import (
    GATEWAY,
    READ_SECRET,
    Service,
    make_batch,
    make_ingest_claims,
    make_meter,
    make_read_claims,
    sign,
    start,
)

BODY = make_batch(make_meter())
POST = f"POST /api/v1/gateways/{GATEWAY}/batches HTTP/1.1\r\nHost: x\r\n".encode()
JSON = b"Content-Type: application/json\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


def make_chunks(data: bytes, *trailers: bytes) -> bytes:
    """A chunked body, with trailers."""
    return b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(data), data, b"".join(line + b"\r\n" for line in trailers))


async def talk(port: int, *data: bytes, seconds: float = 5.0) -> bytes:
    """What the receiver answers to raw bytes until it closes, or until nothing came for the time given."""
    answer = b""
    async with connect(port) as (reader, writer):
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            async with asyncio.timeout(seconds):
                for piece in data:
                    writer.write(piece)
                    await writer.drain()
                while piece := await reader.read(65536):
                    answer += piece
    return answer


async def drip(writer: asyncio.StreamWriter, piece: bytes, *, every_s: float = 0.02) -> None:
    """Send a piece again and again until the connection is gone."""
    with contextlib.suppress(ConnectionError):
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(every_s)


async def is_closed(port: int, head: bytes, piece: bytes) -> bool:
    """Whether the receiver closes a connection on which a piece drips behind a head."""
    async with connect(port) as (reader, writer):
        writer.write(head)
        dripping = asyncio.create_task(drip(writer, piece))
        try:
            async with asyncio.timeout(5):
                with contextlib.suppress(ConnectionResetError):
                    while await reader.read(65536):
                        pass
            return True
        except TimeoutError:
            return False
        finally:
            dripping.cancel()


async def test_a_token_in_a_trailer_lets_nobody_in(service: Service):
    token = sign(make_ingest_claims(service.clock.ms)).encode()
    answer = await talk(
        service.port, POST + JSON + CHUNKED + make_chunks(BODY, b"Authorization: Bearer " + token), seconds=1
    )
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert await service.receiver.store.count() == 0


async def test_trailers_of_a_good_request_are_dropped(service: Service):
    """The body is stored as if they were not there, and the connection goes on."""
    token = sign(make_ingest_claims(service.clock.ms)).encode()
    head = POST + JSON + b"Authorization: Bearer " + token + b"\r\n" + CHUNKED
    answer = await talk(service.port, head + make_chunks(BODY, b"Content-Encoding: gzip", b"X-Note: a"), seconds=1)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert await service.receiver.store.count() == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_address_in_a_trailer_is_believed_of_nobody(tmp_path: Path, method: str):
    """Not even of the trusted proxy, which passes the trailers of its clients on."""
    network = ipaddress.ip_network("10.0.0.0/8")
    async with start(tmp_path, open_live=(network,), trusted_proxies=("127.0.0.1",)) as service:
        await service.send(make_meter())
        head = f"{method} /api/v1/gateways/{GATEWAY}/live HTTP/1.1\r\nHost: x\r\n".encode()
        forged = head + CHUNKED + make_chunks(b"x", b"X-Forwarded-For: 10.1.2.3")
        assert b"text/event-stream" not in await talk(service.port, forged, seconds=1)
        honest = head.replace(b"POST", b"GET") + b"X-Forwarded-For: 10.1.2.3\r\n\r\n"
        assert b"text/event-stream" in await talk(service.port, honest, seconds=1)


@pytest.mark.parametrize(
    "endless",
    [b"X: " + b"x" * 4096, b"x" * 65536, b"a: b\r\n" * 10],
    ids=["one field", "no end", "many fields"],
)
async def test_endless_trailers_lose_the_connection(service: Service, endless: bytes):
    """Before they cost memory: no more is taken than of a head."""
    token = sign(make_ingest_claims(service.clock.ms)).encode()
    sent = 0
    async with connect(service.port) as (reader, writer):
        writer.write(POST + JSON + b"Authorization: Bearer " + token + b"\r\n" + CHUNKED + b"1\r\n{\r\n0\r\nX: ")
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(10):
                while sent < 20 * MAX_HEAD + 1_000_000:
                    writer.write(endless)
                    await writer.drain()
                    sent += len(endless)
                    await asyncio.sleep(0)
                    if reader.at_eof():
                        break
    assert sent < 20 * MAX_HEAD + 1_000_000
    assert (await service.post(BODY)).status_code == 200


async def test_more_trailers_than_a_head_has_fields_are_refused(service: Service):
    trailers = (b"a: b",) * (MAX_HEADERS + 1)
    token = sign(make_ingest_claims(service.clock.ms)).encode()
    head = POST + JSON + b"Authorization: Bearer " + token + b"\r\n" + CHUNKED
    answer = await talk(service.port, head + make_chunks(BODY, *trailers), seconds=1)
    assert not answer.startswith(b"HTTP/1.1 200 ")


async def test_extensions_of_chunks_are_bounded(service: Service):
    head = POST + JSON + CHUNKED + b"1;" + b"x" * (2 * MAX_HEAD) + b"\r\n{\r\n0\r\n\r\n"
    assert not (await talk(service.port, head, seconds=2)).startswith(b"HTTP/1.1 200 ")
    assert (await service.post(BODY)).status_code == 200


@pytest.mark.parametrize("framing", [b"Content-Length: 5\r\n\r\n", CHUNKED])
@pytest.mark.parametrize("path", ["/api/v1/gateways", "/healthz", "/", "/nothing"])
async def test_a_question_with_a_body_is_refused(service: Service, path: str, framing: bytes):
    token = sign(make_read_claims(service.clock.ms), READ_SECRET, kid="read").encode()
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode() + b"Authorization: Bearer " + token + b"\r\n"
    answer = await talk(service.port, head + framing + b"5\r\nhello\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close" in answer.lower()


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (POST + JSON + b"Content-Length: 100000\r\n\r\n", b"x"),
        (b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", b"x"),
        (POST + JSON + CHUNKED, b"1\r\nx\r\n"),
        (b"GET /api/v1/gateways HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", b"x"),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\n"),
    ],
    ids=["unauthorised", "not found", "chunked", "question", "line ends after an answer"],
)
async def test_a_body_that_drips_behind_a_refusal_loses_its_connection(
    service: Service, monkeypatch: pytest.MonkeyPatch, head: bytes, piece: bytes
):
    monkeypatch.setattr(BoundedProtocol, "linger_seconds", 0.2)
    monkeypatch.setattr(BoundedProtocol, "head_seconds", 0.4)
    assert await is_closed(service.port, head, piece)


async def test_a_refused_body_that_ends_soon_keeps_its_connection(service: Service):
    """A scraper that is refused goes on with the same connection."""
    for _ in range(2):
        assert (await service.post(gzip.compress(BODY), token="")).status_code == 401
    pool = service.client._transport
    assert len(pool._pool.connections) == 1  # type: ignore[attr-defined]


class IdleConnection:
    """A connection of a test."""

    def __init__(self, *, idle: bool = True) -> None:
        self.idle = idle
        self.dropped = False

    def is_idle(self) -> bool:
        return self.idle

    def is_arriving(self) -> bool:
        return False

    def drop(self) -> None:
        self.dropped = True


def test_the_longest_idle_connection_makes_room():
    register = ConnectionRegister(most=3, most_of_one=9)
    busy, old, used, new = IdleConnection(idle=False), IdleConnection(), IdleConnection(), IdleConnection()
    for connection in (busy, used, old):
        assert register.admit(connection, "a")
    register.use(used)
    assert register.admit(new, "b")
    assert [one.dropped for one in (busy, old, used)] == [False, True, False]


def test_nobody_is_turned_away_for_one_who_is_not_idle():
    register = ConnectionRegister(most=1, most_of_one=9)
    assert register.admit(IdleConnection(idle=False), "a")
    assert not register.admit(IdleConnection(), "b")


def test_one_address_has_a_share_and_a_trusted_proxy_has_none():
    register = ConnectionRegister(most=10, most_of_one=2, trusted=["10.0.0.0/8", "proxy.example"])
    mine = [IdleConnection() for _ in range(3)]
    assert [register.admit(one, "192.0.2.1") for one in mine] == [True, True, False]
    assert all(register.admit(IdleConnection(), "10.1.1.1") for _ in range(5))
    register.remove(mine[0])
    register.remove(mine[2])  # it never came in
    assert register.admit(IdleConnection(), "192.0.2.1")


@contextlib.asynccontextmanager
async def open_crowd(port: int, count: int) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Connections that say nothing."""
    async with contextlib.AsyncExitStack() as opened:
        yield [(await opened.enter_async_context(connect(port)))[0] for _ in range(count)]


async def test_a_crowd_that_holds_every_place_keeps_no_sender_out(tmp_path: Path):
    async with start(tmp_path, limits=Limits(connections=20)) as service, open_crowd(service.port, 60):
        assert (await service.post(BODY)).status_code == 200


async def test_a_crowd_of_one_address_gets_its_share_only(tmp_path: Path):
    async with start(tmp_path, limits=Limits(address_connections=5)) as service, open_crowd(service.port, 8) as readers:
        ended = [await asyncio.wait_for(reader.read(), 5) for reader in readers[5:]]
        assert ended == [b"", b"", b""]
        assert not any(reader.at_eof() for reader in readers[:5])


def test_places_leave_files_for_the_service():
    assert 1 <= count_places() <= 2_000


async def test_accepts_that_fail_for_want_of_files_are_one_line():
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    report_exhaustion(loop)
    try:
        with structlog.testing.capture_logs() as lines:
            for _ in range(1000):
                loop.call_exception_handler(
                    {"message": "accept", "exception": OSError(errno.EMFILE, "Too many open files"), "socket": None}
                )
        assert [line["event"] for line in lines] == ["no new connection can be taken: raise the limit of open files"]
    finally:
        loop.set_exception_handler(before)
