"""Requests that are sent before the answers of earlier ones were read: a few wait, more lose their connection."""

import asyncio
import contextlib
import gc
from pathlib import Path

import pytest

from receiver.http.protocol import MAX_QUEUED
from tests.connections import connect
from tests.receiver.http.test_connections import talk
from tests.receiver.service import GATEWAY, READ_SECRET, Service, make_meter, make_read_claims, sign

PIECE = 256 * 1024
"""As much as asyncio reads at once."""
CONNECTIONS = 50
MIB = 1024 * 1024
QUESTION = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def read_resident_bytes() -> int:
    """Memory of this process, in which the receiver runs."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


@pytest.mark.parametrize(
    "request_bytes",
    [b"GET / HTTP/1.1\r\n\r\n", QUESTION, b"POST /x HTTP/1.1\r\ncontent-length:0\r\n\r\n"],
    ids=["page", "probe", "unauthorised"],
)
async def test_pieces_full_of_requests_cost_no_memory_and_keep_no_reader_waiting(
    service: Service, request_bytes: bytes
):
    """Fifty connections send 256 KiB of questions each and read nothing: it was 1.6 GiB, and six seconds for others."""
    assert (await service.get("/api/v1/gateways")).status_code == 200
    before = read_resident_bytes()
    piece = request_bytes * (PIECE // len(request_bytes))
    async with contextlib.AsyncExitStack() as opened:
        crowd = [await opened.enter_async_context(connect(service.port)) for _ in range(CONNECTIONS)]
        for _, writer in crowd:
            writer.write(piece)
        assert (await service.get("/api/v1/gateways")).status_code == 200
        for reader, _ in crowd:
            with contextlib.suppress(ConnectionError):
                assert (await reader.read()).count(b"HTTP/1.1 ") <= MAX_QUEUED + 1
        assert read_resident_bytes() - before < 100 * MIB


async def test_a_few_requests_at_once_are_all_answered_and_the_connection_goes_on(service: Service):
    body = (await service.get("/healthz")).content
    both = [QUESTION * (MAX_QUEUED + 1), QUESTION]
    async with connect(service.port) as (reader, writer):
        for piece in both:
            writer.write(piece)
            for _ in range(piece.count(b"GET")):
                assert b" 200 " in await reader.readline()
                while (await reader.readline()).strip():
                    pass
                assert await reader.readexactly(len(body)) == body


async def test_one_request_too_many_ends_the_connection(service: Service):
    """Whatever was queued is not answered, and nothing of it is left."""
    slow = b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    assert (await talk(service.port, slow * (MAX_QUEUED + 2))).count(b"HTTP/1.1 ") <= MAX_QUEUED
    assert (await service.get("/api/v1/gateways")).status_code == 200


async def test_a_view_with_a_request_queued_behind_it_ends_with_its_connection(service: Service):
    """Only the queued request heard that nobody is there any more, and the view went on without limit."""
    token = sign(make_read_claims(service.clock.ms), READ_SECRET, kid="read")
    head = f"GET /api/v1/gateways/{GATEWAY}/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
    await service.send(make_meter())
    async with connect(service.port) as (reader, writer):
        writer.write(head.encode() + QUESTION)
        await reader.readuntil(b"text/event-stream")
        assert service.receiver.hub.count() == 1
    async with asyncio.timeout(5):
        while service.receiver.hub.count():  # noqa: ASYNC110 (a count has no event)
            await asyncio.sleep(0.01)
