"""A host whose clock is wrong for a while: nothing becomes a dead letter, and everything gets the right time."""

import asyncio
import itertools

import pytest

from scraper.outbox import Outbox
from scraper.outbox.thread import OutboxThread
from scraper.service.startup import OUTBOX_FILE
from shared.units import HOUR_MS
from tests.scraper.running_scraper import RunningScraper, run_at_home

YEAR_S = 365 * 86_400.0


async def advance(at_home: RunningScraper, seconds: float) -> None:
    await at_home.clock.sleep(seconds)


def list_dead_letters(at_home: RunningScraper) -> list[str]:
    outbox = Outbox.open(at_home.state_dir / OUTBOX_FILE, now_ms=at_home.clock.now_ms, exclusive=False)
    try:
        return [f"{letter.code} {bytes(letter.reading)!r}" for letter in outbox.read_dead_letters()]
    finally:
        outbox.close()


@pytest.mark.parametrize("ahead_s", [2 * 3600.0, 4 * YEAR_S, None], ids=["hours", "years", "1970"])
async def test_what_a_wrong_clock_stamped_gets_the_right_time_once_the_clock_is_right(tmp_path, logs, ahead_s):
    async with run_at_home(tmp_path, logs, host_ahead_s=0.0 if ahead_s is None else ahead_s) as at_home:
        began_ms = round(at_home.clock.device.now() * 1000)
        async with at_home.run_scraper():
            if ahead_s is None:  # a clock that falls back to 1970 while the scraper runs
                await at_home.wait_for_points("meter", 3)
                at_home.clock.ahead_s = -at_home.clock.device.now() + 3600
            await at_home.wait_for_line("the meter stream delivers")
            await advance(at_home, 180)
            at_home.clock.ahead_s = 0.0
            (restamp,) = await at_home.wait_for_points("event", type="restamp")
            assert restamp.fields["rows"] > 10
            await advance(at_home, 100)
        assert list_dead_letters(at_home) == []
        ended_ms = at_home.clock.now_ms()
        stamps = [point.timestamp for point in await at_home.read_points("meter", meter="production", phase="a")]
        assert stamps
        assert began_ms - 60_000 <= stamps[0]
        assert stamps[-1] <= ended_ms
        holes = [after - before for before, after in itertools.pairwise(stamps)]
        assert max(holes) <= 75_000, "the time of the wrong clock is there"
        for kind in ("inverter", "gateway", "meter_energy", "event"):
            times = [point.timestamp for point in await at_home.read_points(kind)]
            assert all(began_ms - 24 * HOUR_MS <= time <= ended_ms for time in times), kind
        assert await at_home.read_points("event", type="clock_step")
        for gap in await at_home.read_points("event", type="gap"):
            assert gap.timestamp <= gap.fields.get("end", gap.timestamp) <= ended_ms


async def test_a_failure_during_a_commit_begins_the_gap_at_what_was_committed(tmp_path, logs, monkeypatch):
    append = OutboxThread.append
    committed = asyncio.Event()

    async def append_slowly(self, readings, **memory):
        await append(self, readings, **memory)
        if any(reading.kind == "meter" for reading in readings):
            committed.set()
            await asyncio.sleep(0.2)

    async def fail_during_a_commit(self):
        await committed.wait()
        raise ZeroDivisionError

    async def run_until_it_fails(at_home: RunningScraper) -> None:
        async with at_home.run_scraper() as task:
            await at_home.wait_for_points("meter", 10)
            await at_home.wait_for_line("the meter stream delivers")
            monkeypatch.setattr(OutboxThread, "append", append_slowly)
            monkeypatch.setattr("scraper.collect.samples.Samples.tick", fail_during_a_commit)
            await asyncio.wait({task}, timeout=60)
            assert task.done()

    async with run_at_home(tmp_path, logs) as at_home:
        with pytest.raises(ExceptionGroup) as caught:
            await run_until_it_fails(at_home)
        assert caught.group_contains(ZeroDivisionError)
        monkeypatch.setattr(OutboxThread, "append", append)
        gap = (await at_home.read_points("event", type="gap"))[-1]  # a busy machine may have made others before
        assert gap.timestamp == max(point.timestamp for point in await at_home.read_points("meter"))
