"""Long, endless, slow and packed bodies: bounded in size, in time and in memory."""

import asyncio
import contextlib
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from receiver.errors import RefusedError
from receiver.ingest import body
from receiver.ingest.limits import Limits
from shared import wire
from tests.clocks import NOW_MS
from tests.receiver.ingest.bodies import encode
from tests.receiver.service import (
    GATEWAY,
    Service,
    assert_problem,
    make_batch,
    make_ingest_claims,
    make_meter,
    sign,
    start,
)

PATH = f"/api/v1/gateways/{GATEWAY}/batches"


def make_good_headers() -> dict[str, str]:
    return {"authorization": f"Bearer {sign(make_ingest_claims())}", "content-type": "application/json"}


async def make_chunks(count: int) -> AsyncIterator[bytes]:
    """A body of unknown length, in pieces of 64 KiB."""
    for _ in range(count):
        yield b" " * 65_536


async def test_too_many_rows_are_too_large(service: Service):
    readings = [make_meter(NOW_MS - index) for index in range(wire.MAX_ROWS + 1)]
    assert_problem(await service.post(make_batch(*readings)), 413, "too-large")


async def test_a_long_body_is_refused_by_its_header(service: Service):
    assert_problem(await service.post(b" " * (body.MAX_PACKED + 1)), 413, "too-large")


async def test_a_long_body_without_a_length_is_refused_while_it_comes(service: Service):
    answer = await service.client.post(PATH, content=make_chunks(10), headers=make_good_headers())
    assert_problem(answer, 413, "too-large")


async def test_an_endless_body_loses_its_connection(service: Service):
    with contextlib.suppress(httpx.TransportError):
        answer = await service.client.post(PATH, content=make_chunks(10**9), headers=make_good_headers())
        assert_problem(answer, 413, "too-large")
    assert service.read_metric("receiver_problems_total", code="too-large") == 1


async def test_a_body_that_drips_is_too_large_for_its_connection(tmp_path: Path):
    """The scraper halves the batch on this answer, which is what a slow line needs."""
    async with start(tmp_path, limits=Limits(body_seconds=0.05)) as service:
        answered = asyncio.Event()

        async def send_and_stall():
            yield b'{"version":1,'
            await answered.wait()

        posting = asyncio.create_task(service.client.post(PATH, content=send_and_stall(), headers=make_good_headers()))
        while not service.read_metric("receiver_problems_total", code="too-large"):
            await service.client.get("/healthz")
        answered.set()
        assert_problem(await posting, 413, "too-large")


PACKED = gzip.compress(encode())


BAD_GZIP = {
    "not gzip": encode(),
    "truncated": PACKED[:-9],
    "without its checksum": PACKED[:-8],
    "wrong checksum": PACKED[:-8] + bytes(8),
    "two members": PACKED + PACKED,
    "trailing garbage": PACKED + b"x",
    "nested": gzip.compress(PACKED),
    "raw deflate": zlib.compress(encode()),
    "empty": b"",
}


@pytest.mark.parametrize("name", BAD_GZIP)
async def test_gzip_must_be_one_whole_member(service: Service, name: str):
    assert_problem(await service.post(BAD_GZIP[name], headers={"content-encoding": "gzip"}), 400, "malformed")


async def test_a_gzip_bomb_is_too_large(service: Service):
    bomb = gzip.compress(bytes(200 * 1024 * 1024), compresslevel=9)
    assert len(bomb) < body.MAX_PACKED
    assert_problem(await service.post(bomb, headers={"content-encoding": "gzip"}), 413, "too-large")


def test_a_gzip_bomb_takes_no_memory():
    """Two hundred megabytes unpack to a refusal within a few megabytes."""
    bomb = gzip.compress(bytes(200 * 1024 * 1024), compresslevel=9)
    tracemalloc.start()
    try:
        with pytest.raises(RefusedError):
            body.unpack(bomb)
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()
