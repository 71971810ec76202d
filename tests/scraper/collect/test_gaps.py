"""A gap is closed once, begins at the newest sample, and never ends before it begins."""

import asyncio
import contextlib

import pytest

from scraper.collect.memory import MemoryChange
from scraper.outbox.thread import OutboxThread
from scraper.service.startup import mark_start
from shared.units import HOUR_S
from tests.clocks import GATEWAY_NOW_S
from tests.scraper.scripted import NOW_MS, make_values, run_scripted_scraper


@pytest.fixture
async def scripted(tmp_path):
    async with run_scripted_scraper(tmp_path) as ready:
        yield ready


class SlowCommit:
    """Commits of the outbox come to their end when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.committed, self.go_on = asyncio.Event(), asyncio.Event()
        append = OutboxThread.append

        async def append_slowly(outbox, readings, **memory):
            await append(outbox, readings, **memory)
            self.committed.set()
            await self.go_on.wait()

        monkeypatch.setattr(OutboxThread, "append", append_slowly)


async def test_a_burst_and_a_poll_during_a_commit_close_a_gap_once(scripted, monkeypatch):
    await scripted.record_burst(100)
    await scripted.samples.note_stop("the meter stream ended")
    scripted.clock.advance(10)
    scripted.gateway.answers["meters"] = [[make_values(200, at_s=GATEWAY_NOW_S + 10)]]
    slow = SlowCommit(monkeypatch)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(scripted.samples.record_certificate_change())
        await slow.committed.wait()
        tasks.create_task(scripted.record_burst(300))
        tasks.create_task(scripted.samples.ask_meters())
        await asyncio.sleep(0.01)
        scripted.clock.advance(5)
        tasks.create_task(scripted.record_burst(400))
        await asyncio.sleep(0.01)
        slow.go_on.set()
    closed = [gap.fields["end"] for gap in await scripted.list_events("gap") if "end" in gap.fields]
    assert closed == [float(NOW_MS + 10_000)]


async def test_a_gap_that_two_see_opens_once_and_begins_at_the_newest_sample(scripted, monkeypatch):
    slow = SlowCommit(monkeypatch)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(scripted.record_burst(100))
        await slow.committed.wait()
        tasks.create_task(scripted.samples.note_stop("the meter stream ended"))
        tasks.create_task(scripted.samples.note_stop("the gateway is unreachable"))
        await asyncio.sleep(0.01)
        slow.go_on.set()
    (gap,) = await scripted.list_events("gap")
    assert gap.timestamp == max(reading.timestamp for reading in await scripted.list_rows("meter"))


async def test_a_task_that_is_cancelled_during_a_commit_leaves_no_row_that_the_gap_forgets(scripted, monkeypatch):
    await scripted.record_burst(100)
    scripted.clock.advance(30)
    slow = SlowCommit(monkeypatch)
    burst = asyncio.create_task(scripted.record_burst(500))
    await slow.committed.wait()
    burst.cancel()
    await asyncio.sleep(0.01)
    slow.go_on.set()
    with contextlib.suppress(asyncio.CancelledError):
        await burst
    await scripted.samples.note_stop("the scraper failed")
    (gap,) = await scripted.list_events("gap")
    assert gap.timestamp == max(reading.timestamp for reading in await scripted.list_rows("meter")) == NOW_MS + 30_000
    assert scripted.memory.state.newest_stamp_ms == gap.timestamp


async def test_a_sample_that_came_meanwhile_ends_the_silence(scripted, monkeypatch):
    await scripted.record_burst(100)
    scripted.clock.advance(121)
    slow = SlowCommit(monkeypatch)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(scripted.record_burst(500))
        await slow.committed.wait()
        tasks.create_task(scripted.samples.tick())
        await asyncio.sleep(0.01)
        slow.go_on.set()
    (pause,) = await scripted.list_events("gap")
    assert "end" in pause.fields
    assert not scripted.recorder.gap_is_open


@pytest.mark.parametrize("orderly", [False, True])
async def test_a_clock_that_was_set_back_before_the_start_ends_no_gap_before_it_begins(tmp_path, orderly):
    async with run_scripted_scraper(tmp_path) as before:
        await before.record_burst(100)
        if orderly:
            await before.samples.note_stop("the scraper was stopped")
    before.clock.wall_ms -= HOUR_S * 1000
    async with run_scripted_scraper(tmp_path, clock=before.clock) as later:
        await mark_start(later.recorder, later.memory, later.clock)
        later.clock.advance(5)
        await later.record_burst(100)
        closed = (await later.list_events("gap"))[-1]
        assert float(closed.fields["end"]) >= closed.timestamp
        if not orderly:
            assert closed.timestamp <= later.clock.now_ms()
        (step,) = await later.list_events("clock_step")
        assert (step.timestamp, step.fields["end"]) == (NOW_MS - HOUR_S * 1000 + 5000, NOW_MS)


@pytest.mark.parametrize("step_s", [-HOUR_S, HOUR_S])
async def test_no_gap_lies_across_a_step_of_the_clock(scripted, step_s):
    await scripted.record_burst(100)
    await scripted.samples.note_stop("the meter stream ended")
    scripted.clock.advance(100)
    old_ms = scripted.clock.now_ms()
    scripted.clock.wall_ms += step_s * 1000
    new_ms = scripted.clock.now_ms()
    await scripted.samples.tick()
    scripted.clock.advance(100)
    await scripted.record_burst(100)
    last = max(reading.timestamp for reading in (await scripted.list_rows("meter"))[-1:])
    gaps = [(gap.timestamp, gap.fields.get("end")) for gap in await scripted.list_events("gap")]
    assert gaps == [(NOW_MS, None), (NOW_MS, old_ms), (new_ms, None), (new_ms, last)]


async def test_a_step_forward_alone_is_no_silence(scripted):
    await scripted.record_burst(100)
    scripted.clock.wall_ms += HOUR_S * 1000
    await scripted.samples.tick()
    assert await scripted.list_events("gap") == []


async def test_the_correction_of_the_gateways_clock_moves_with_the_hosts(scripted):
    """Else every report between the step and the next look at the gateway's clock would be off by the step."""
    scripted.clock.wall_ms += HOUR_S * 1000
    await scripted.record_burst(100)
    await scripted.recorder.keep(MemoryChange(clock_correction_ms=-HOUR_S * 1000))
    scripted.clock.wall_ms -= HOUR_S * 1000
    await scripted.samples.tick()
    assert scripted.memory.state.clock_correction_ms == 0
