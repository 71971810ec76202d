"""A hundred thousand raw requests on real sockets: no answer is a failure of ours, and none leaves anything behind."""

import asyncio
import contextlib
import os
import random
import re
from collections import Counter
from pathlib import Path

import pytest
import structlog

from receiver.ingest.limits import Limits
from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.connections import drop
from tests.receiver.http.raw_requests import READER, SENDER, make_request
from tests.receiver.service import READ_SECRET, SECRET, Service, make_inverter, make_meter, start

SEED = 20_261_128
REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "100000"))
AT_ONCE = 64
PATIENCE_S = 0.05
"""An answer that takes longer is not waited for: many requests have no end, and so no answer."""
COOKIE = re.compile(rb"set-cookie: [^\r]*")
"""A session gives the reader's own token back, in a cookie."""
STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3}) ")
PHASE = {"meter": "net-consumption", "phase": "a"}
SECRETS = (READER, SENDER, SECRET, READ_SECRET)


class Client:
    """One connection after another; one is used again as long as its answers are whole."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def exchange(self, request: bytes) -> bytes:
        """What the receiver answers to one request, as far as it answers at once."""
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        answer, whole = b"", False
        self._writer.write(request)
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(PATIENCE_S):
                while not whole and (piece := await self._reader.read(65_536)):
                    answer += piece
                    whole = is_whole(answer)
        if not whole or b"connection: close" in answer or answer.count(b"HTTP/1.1 ") != 1:
            await self.aclose()
        return answer

    async def aclose(self) -> None:
        """Let go of the connection."""
        if self._writer is not None:
            await drop(self._writer)
        self._reader = self._writer = None


def is_whole(answer: bytes) -> bool:
    """Whether the first answer has ended."""
    head, separator, body = answer.partition(b"\r\n\r\n")
    if match := re.search(rb"content-length: ([0-9]+)", head):
        return len(body) >= int(match[1])
    return bool(separator) and body.endswith(b"0\r\n\r\n")


async def fuzz(service: Service, seed: int, count: int) -> Counter[int]:
    """Statuses of the answers to requests made of a seed."""
    statuses: Counter[int] = Counter()
    rng = random.Random(seed)
    async with contextlib.aclosing(Client(service.port)) as client:
        for number in range(count):
            request = make_request(rng)
            answer = await client.exchange(request)
            for status in map(int, STATUS.findall(answer)):
                statuses[status] += 1
                assert status < 500, f"seed {seed}, request {number}: {request!r} -> {answer[:300]!r}"
            assert not any(secret in COOKIE.sub(b"", answer) for secret in SECRETS), (
                f"seed {seed}, request {number}: {request!r}"
            )
    return statuses


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_no_raw_request_finds_a_failure_of_ours(tmp_path: Path):
    """Each task has a seed of its own, so that one failure can be made again alone."""
    unlimited = Limits(gateway_rate=1e9, address_rate=1e9, posts=AT_ONCE)
    with structlog.testing.capture_logs() as lines:
        async with start(tmp_path, limits=unlimited) as service:
            await service.send(
                Reading("meter_energy", PHASE, NOW_MS, {"delivered": 5.0, "received": 1.0}),
                Reading("meter_energy", PHASE, NOW_MS - 60_000, {"delivered": 4.0}),
                make_meter(),
                make_meter(phase="b"),
                make_inverter("482100000001"),
            )
            found = await asyncio.gather(*(fuzz(service, SEED + task, REQUESTS // AT_ONCE) for task in range(AT_ONCE)))
            assert (await service.send(make_meter())).accepted == 1
    statuses = sum(found, Counter())
    assert {200, 400, 401, 404, 422} <= statuses.keys()
    assert not [line for line in lines if line["event"] == "request failed"]
