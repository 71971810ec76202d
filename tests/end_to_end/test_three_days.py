"""Three simulated days without a receiver, then one: everything arrives, and the present does not wait for the past.

An event every ten seconds for three days, and the inverters and counters as often as ever, wait in the outbox file.
When the receiver comes, the uplink drains them over a real socket while samples keep coming: every few posts one is
committed with a post under way, which is the worst moment.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from receiver.stores.base import Store
from scraper.uplink.sender import NoAnswer, PostReply, Sender
from shared.readings import Reading
from simulator.clock import ManualClock
from simulator.house import DEFAULT_START, THREE_PHASE, House
from tests.clocks import SimulatedClock
from tests.end_to_end.hosted_receiver import SECRET, run_hosted_receiver
from tests.end_to_end.stored import find_differences, merge, read_store
from tests.end_to_end.timed_scraper import make_uplink, run_edge

DAYS_S = 3 * 86_400
STEP_S = 10
EVERY = 7
"""A live sample comes with every so manyth post."""
SOON = 2
"""Posts after which a live sample must be readable."""
AT_LEAST = 100_000
"""Readings that three days give, at least: else this would test nothing."""


class BusyLine(Sender):
    """Counts posts; `meanwhile` runs while one is under way, `arrived` when it is answered."""

    posts = 0
    meanwhile: Callable[[], Awaitable[None]]
    arrived: Callable[[], Awaitable[None]]

    async def post(self, body: bytes, token: str) -> PostReply | NoAnswer:
        self.posts += 1
        if self.posts % EVERY == 0:
            await self.meanwhile()
        answer = await super().post(body, token)
        assert isinstance(answer, PostReply)
        assert answer.status == 200
        await self.arrived()
        return answer


@pytest.mark.slow
async def test_three_days_without_a_receiver_arrive_and_live_values_do_not_wait(tmp_path: Path) -> None:
    """Count and content of the store equal what was committed; each live sample is readable within two posts."""
    clock = SimulatedClock(ManualClock(DEFAULT_START))
    async with run_edge(tmp_path / "edge", House(THREE_PHASE, seed=3), clock) as scraper:
        await scraper.stream(DAYS_S, step=STEP_S)
        backlog = (await scraper.outbox.read_stats()).rows
        assert backlog == len(scraper.outbox.witness) > AT_LEAST
        async with run_hosted_receiver(tmp_path / "receiver", scraper.serial, clock) as (receiver, url):
            line = BusyLine(url, scraper.serial, None)
            waiting: list[tuple[int, Reading]] = []
            waits: list[int] = []
            depths: list[int] = []

            async def commit_sample() -> None:
                """The newest value of every meter is committed while post number `line.posts` is under way."""
                clock.device.advance(1)
                waiting.extend(
                    (line.posts, reading) for reading in await scraper.record_live() if reading.kind == "meter"
                )
                depths.append((await scraper.outbox.read_stats()).rows)

            async def look() -> None:
                """Which of them can be read now, as any reader of the store would."""
                for began, reading in waiting[:]:
                    if await is_readable(receiver.store, scraper.serial, reading):
                        waits.append(line.posts - began)
                        waiting.remove((began, reading))

            line.meanwhile, line.arrived = commit_sample, look
            try:
                uplink = make_uplink(scraper, line, SECRET, clock)
                await uplink.drain()
            finally:
                await line.aclose()
            assert (await scraper.outbox.read_stats()).rows == 0
            assert await receiver.store.count() == len(
                merge(scraper.serial, scraper.outbox.list_committed_readings())[0]
            )
    assert waiting == []
    assert max(waits) <= SOON, waits
    assert sum(1 for depth in depths if depth > backlog // 4) > 10, "too few live samples met a backlog"
    expected, conflicts = merge(scraper.serial, scraper.outbox.list_committed_readings())
    assert conflicts == []
    assert find_differences(expected, read_store(tmp_path / "receiver" / "readings.sqlite")) == []


async def is_readable(store: Store, serial: str, reading: Reading) -> bool:
    """Whether the store's latest values are this reading's."""
    latest = await store.read_latest(serial, reading.kind)
    return any(
        one.tags == reading.tags and one.timestamp == reading.timestamp and reading.fields.items() <= one.fields.items()
        for one in latest
    )
