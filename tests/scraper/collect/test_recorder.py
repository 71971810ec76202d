"""State advances only with its commit; a full disk is counted, survived and recorded."""

import pytest

from scraper.collect.memory import MemoryChange, MemoryState
from scraper.delta.stamps import EPOCHS
from shared.readings import Reading
from tests.scraper.scripted import NOW_MS, identity, parts


@pytest.fixture
async def inner(tmp_path):
    async with parts(tmp_path) as ready:
        yield ready


def inverter(power: float = 1.0, at_ms: int = NOW_MS) -> Reading:
    return Reading("inverter", {"inverter": "1"}, at_ms, {"power": power})


async def test_what_is_not_new_is_not_committed_again(inner):
    assert await inner.recorder.record([inverter()])
    assert await inner.recorder.record([inverter()])
    assert len(await inner.rows()) == 1
    assert inner.recorder.rows_committed == 1


async def test_a_reading_that_could_not_be_committed_is_proposed_again(inner, logs):
    inner.outbox.full = True
    assert not await inner.recorder.record([inverter()])
    assert not await inner.recorder.record([inverter()])
    inner.outbox.full = False
    assert await inner.recorder.record([inverter()])
    assert await inner.rows("inverter") == [inverter()]
    assert [line["event"] for line in logs if line["log_level"] == "error"] == [
        "readings cannot be stored; polling goes on and the loss is counted"
    ]
    assert logs[-1]["event"] == "outbox takes readings again"


async def test_what_a_full_disk_cost_becomes_a_recorded_loss(inner):
    inner.outbox.full = True
    for second in range(5):
        inner.clock.advance(1)
        await inner.recorder.record([Reading("gateway", {}, NOW_MS + second, {"outbox_rows": 1.0})])
    assert (await inner.outbox.stats()).lost_rows == 5
    inner.outbox.full = False
    await inner.recorder.record([inverter()])
    (loss,) = await inner.events("loss")
    assert loss.fields["rows"] == 5
    assert loss.timestamp == NOW_MS + 1000
    assert (await inner.outbox.stats()).lost_rows == 5


async def test_memory_changes_with_its_readings_or_not_at_all(tmp_path):
    async with parts(tmp_path) as inner:
        inner.outbox.full = True
        assert not await inner.recorder.record([inverter()], MemoryChange(newest_stamp_ms=5))
        assert not await inner.recorder.keep(MemoryChange(serial="1"))
        assert (inner.memory.state.newest_stamp_ms, inner.memory.state.serial) == (0, "")
        inner.outbox.full = False
        assert await inner.recorder.record([inverter()], MemoryChange(newest_stamp_ms=5))
        assert await inner.recorder.keep(MemoryChange(serial="1"))
    async with parts(tmp_path) as again:
        assert (again.memory.state.newest_stamp_ms, again.memory.state.serial) == (5, "1")


async def test_a_step_of_the_gateways_clock_and_the_correction_are_one_commit(tmp_path):
    """Else a restart would give the same reports other identities."""
    year_s = 365 * 86_400
    async with parts(tmp_path) as inner:
        ahead = identity(clock_offset_s=float(year_s))
        inner.outbox.full = True
        await inner.samples.identified(ahead)
        assert inner.memory.state.clock_correction_ms == 0
        inner.outbox.full = False
        await inner.samples.identified(ahead)
        await inner.samples.identified(ahead)
        assert len(await inner.events("clock_step")) == 1
        inner.gateway.answers["inverters"] = [[inverter(at_ms=NOW_MS + year_s * 1000)]]
        await inner.samples.inverters()
    async with parts(tmp_path) as again:
        assert again.memory.state.clock_correction_ms == year_s * 1000
        assert (await again.rows("inverter"))[0].timestamp == NOW_MS


async def test_a_gap_opens_with_what_was_held_back_and_closes_with_the_first_sample(tmp_path):
    async with parts(tmp_path) as inner:
        await inner.burst(100)
        inner.clock.advance(1)
        await inner.burst(101)  # within the band: held back
        before = await inner.rows("meter")
        await inner.samples.stopped("the meter stream ended")
        await inner.samples.stopped("the gateway is unreachable")
        (gap,) = await inner.events("gap")
        held = (await inner.rows("meter"))[len(before) :]
        assert [reading.fields["power"] for reading in held] == [101]
        assert (gap.timestamp, gap.fields) == (held[0].timestamp, {"reason": "the meter stream ended"})
    async with parts(tmp_path, clock=inner.clock) as later:
        assert later.gaps.is_open, "an open gap outlives the process"
        later.clock.advance(30)
        await later.burst(50, 51, 52)
        _, closed = await later.events("gap")
        first = (await later.rows("meter"))[-1]
        assert (closed.timestamp, closed.fields) == (gap.timestamp, {"end": float(later.clock.now_ms() - 2000)})
        assert first.fields.keys() > {"power", "voltage"}, "a series begins again with a snapshot"
        assert not later.gaps.is_open


async def test_a_gap_that_could_not_be_closed_stays_open(inner):
    await inner.burst(100)
    await inner.samples.stopped("the meter stream ended")
    inner.outbox.full = True
    inner.clock.advance(10)
    await inner.burst(100)
    assert inner.gaps.is_open
    inner.outbox.full = False
    inner.clock.advance(1)
    await inner.burst(100)
    assert not inner.gaps.is_open
    assert (await inner.events("gap"))[-1].fields == {"end": float(inner.clock.now_ms() // EPOCHS * EPOCHS)}


async def test_after_a_kill_the_last_committed_sample_is_known_exactly(tmp_path):
    async with parts(tmp_path) as inner:
        await inner.burst(100)
        inner.clock.advance(1)
        await inner.burst(500)
        last = (await inner.rows("meter"))[-1].timestamp
    async with parts(tmp_path) as again:
        assert again.memory.last_sample_ms == last == again.memory.state.newest_stamp_ms


def test_every_value_of_the_memory_can_change():
    assert MemoryChange.__struct_fields__ == MemoryState.__struct_fields__
