"""Bodies that drip behind a good token: each gateway has its share of them, and they keep no sender out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from receiver.ingest.limits import MOST_POSTS, Limits
from tests.connections import connect
from tests.receiver.service import (
    GATEWAY,
    OTHER,
    Service,
    assert_problem,
    make_batch,
    make_ingest_claims,
    make_meter,
    sign,
    start,
)

BODY = make_batch(make_meter())


def make_head(service: Service, serial: str = GATEWAY) -> bytes:
    token = sign(make_ingest_claims(service.clock.ms, serial=serial))
    lines = (
        f"POST /api/v1/gateways/{serial}/batches HTTP/1.1",
        "Host: x",
        "Content-Type: application/json",
        f"Content-Length: {len(BODY)}",
        f"Authorization: Bearer {token}",
        "Expect: 100-continue",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


@contextlib.asynccontextmanager
async def hold_bodies(
    service: Service, count: int, serial: str = GATEWAY
) -> AsyncIterator[list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]:
    """Connections with a good token and a body that has begun; the receiver waits for the rest of each."""
    async with contextlib.AsyncExitStack() as opened:
        held = []
        for _ in range(count):
            reader, writer = await opened.enter_async_context(connect(service.port))
            writer.write(make_head(service, serial))
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(BODY[:1])
            held.append((reader, writer))
        yield held


async def test_bodies_of_one_gateway_that_drip_have_their_share_and_others_get_in(tmp_path: Path):
    """One key held every place for thirty seconds, and could do so again."""
    async with start(tmp_path) as service, hold_bodies(service, MOST_POSTS) as held:
        refused = await service.post(BODY)
        assert_problem(refused, 429, "too-many-requests")
        assert refused.headers["retry-after"] == "1"
        assert (await service.post(BODY, serial=OTHER)).status_code == 200
        reader, writer = held[0]
        writer.write(BODY[1:])
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        assert (await service.post(BODY)).status_code == 200


async def test_where_no_place_is_left_the_oldest_body_makes_room(tmp_path: Path):
    """Nothing is idle then, and the newcomer was turned away."""
    async with (
        start(tmp_path, limits=Limits(connections=5)) as service,
        hold_bodies(service, 2, OTHER) as oldest,
        hold_bodies(service, 3) as newer,
    ):
        assert (await service.post(BODY)).status_code == 200
        assert await oldest[0][0].read() == b""
        for reader, writer in (oldest[1], *newer):
            writer.write(BODY[1:])
            assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
