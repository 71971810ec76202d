"""A real uplink over a real outbox file and real sockets, against a receiver whose every answer the test writes."""

import asyncio
import contextlib
import gzip
import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scraper.outbox.thread import OutboxThread
from scraper.uplink.sender import Sender
from scraper.uplink.signer import HouseholdSecret, Key, Signer
from scraper.uplink.uplink import Uplink
from shared.clock import SystemClock
from shared.problems import CONTENT_TYPE
from shared.readings import Reading
from tests.clocks import NOW_MS, SteppedClock
from tests.fake_http import CannedReply, FakeRequest, FakeServer, Raw

SERIAL = "122300001234"
SECRET = "canary-secret-7c1e94b05ad8f36229be014d7a"


@dataclass
class PostedBatch:
    """A post as the receiver sees it."""

    body: dict[str, Any]
    token: str

    @property
    def seqs(self) -> list[int]:
        return [row["seq"] for row in self.body["rows"]]


def make_verdict(batch: PostedBatch, rejected: dict[int, str] | None = None, **more: Any) -> CannedReply:
    refused = rejected or {}
    document = {
        "batch": batch.body["batch"],
        "accepted": len(batch.seqs) - len(refused),
        "rejected": [{"seq": seq, "code": code} for seq, code in refused.items()],
        **more,
    }
    return CannedReply(200, json.dumps(document).encode(), (("Content-Type", "application/json"),))


def make_problem(code: str, status: int, *headers: tuple[str, str]) -> CannedReply:
    document = {"type": f"urn:envoy-relay:problem:{code}", "status": status, "code": code}
    return CannedReply(status, json.dumps(document).encode(), (("Content-Type", CONTENT_TYPE), *headers))


Reply = Callable[[PostedBatch], CannedReply | Raw]


@dataclass
class UplinkBench:
    """The uplink and what it talks to.

    Attributes:
        reply: Answers the next posts; accepts everything unless a test says otherwise.
        batches: Every post, in order.
    """

    uplink: Uplink
    outbox: OutboxThread
    server: FakeServer
    clock: SteppedClock
    reply: Reply = make_verdict
    batches: list[PostedBatch] = field(default_factory=list)

    def answer(self, request: FakeRequest) -> CannedReply | Raw:
        token = request.headers["authorization"].removeprefix("Bearer ")
        self.batches.append(PostedBatch(json.loads(gzip.decompress(request.body)), token))
        return self.reply(self.batches[-1])

    async def add(self, count: int, **fields: Any) -> None:
        """Commit readings, one a second."""
        values = fields or {"power": 1.0}
        await self.outbox.append(
            [Reading("meter", {"meter": "production", "phase": "a"}, NOW_MS + i * 1000, values) for i in range(count)]
        )

    async def count_waiting(self) -> int:
        return (await self.outbox.read_stats()).rows

    async def count_dead(self) -> int:
        return (await self.outbox.read_stats()).dead_letters

    @contextlib.asynccontextmanager
    async def run_uplink(self) -> AsyncIterator["asyncio.Task[None]"]:
        """The uplink at work."""
        task = asyncio.create_task(self.uplink.run())
        try:
            yield task
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@contextlib.asynccontextmanager
async def open_bench(folder: Path, *, clock: SteppedClock | None = None, url: str | None = None, serial: str = SERIAL,
                 key: Key | None = None, receiver: str | None = None) -> AsyncIterator[UplinkBench]:  # fmt: skip
    """Everything but the running uplink; `url` is that of a real receiver, if one takes the place of the server."""
    clock = clock or SteppedClock()
    outbox = OutboxThread()
    await outbox.open(folder / "outbox.sqlite", quota_bytes=64 * 1024 * 1024, clock=SystemClock())
    server = FakeServer(lambda request: bench.answer(request), "http")  # noqa: PLW0108 (the bench is made below)
    await server.start()
    sender = Sender(url or f"http://127.0.0.1:{server.port}", serial, None)
    signer = Signer(key or HouseholdSecret(SECRET), serial, receiver=receiver)
    uplink = Uplink(outbox, sender, signer, clock, interval_s=10, rng=random.Random(1))
    bench = UplinkBench(uplink, outbox, server, clock)
    try:
        yield bench
    finally:
        await sender.aclose()
        await server.aclose()
        await outbox.close()
