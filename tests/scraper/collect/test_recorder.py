"""State advances only with its commit; a full disk is counted, survived and recorded."""

import pytest

from scraper.collect.memory import MemoryChange, MemoryState
from scraper.delta.stamps import EPOCHS
from shared.readings import Reading
from tests.scraper.scripted import NOW_MS, make_identity, run_scripted_scraper


@pytest.fixture
async def scripted(tmp_path):
    async with run_scripted_scraper(tmp_path) as ready:
        yield ready


def make_inverter(power: float = 1.0, at_ms: int = NOW_MS) -> Reading:
    return Reading("inverter", {"inverter": "1"}, at_ms, {"power": power})


async def test_what_is_not_new_is_not_committed_again(scripted):
    assert await scripted.recorder.record([make_inverter()])
    assert await scripted.recorder.record([make_inverter()])
    assert len(await scripted.list_rows()) == 1
    assert scripted.recorder.rows_committed == 1


async def test_a_reading_that_could_not_be_committed_is_proposed_again(scripted, logs):
    scripted.outbox.full = True
    assert not await scripted.recorder.record([make_inverter()])
    assert not await scripted.recorder.record([make_inverter()])
    scripted.outbox.full = False
    assert await scripted.recorder.record([make_inverter()])
    assert await scripted.list_rows("inverter") == [make_inverter()]
    assert [line["event"] for line in logs if line["log_level"] == "error"] == [
        "readings cannot be stored; polling goes on and the loss is counted"
    ]
    assert logs[-1]["event"] == "outbox takes readings again"
    assert (await scripted.outbox.read_stats()).lost_rows == 0, "it came after all"
    assert await scripted.list_events("loss") == []


async def test_what_a_full_disk_cost_becomes_a_recorded_loss(scripted):
    scripted.outbox.full = True
    for second in range(5):
        scripted.clock.advance(1)
        await scripted.recorder.record([Reading("gateway", {}, NOW_MS + second, {"outbox_rows": 1.0})])
    assert (await scripted.outbox.read_stats()).lost_rows == 4, "the last of a series may still come"
    scripted.outbox.full = False
    await scripted.recorder.record([Reading("gateway", {}, NOW_MS + 5, {"outbox_rows": 1.0})])
    (loss,) = await scripted.list_events("loss")
    assert loss.fields["rows"] == 5
    assert (loss.timestamp, loss.fields["end"]) == (NOW_MS, NOW_MS + 4)
    assert (await scripted.outbox.read_stats()).lost_rows == 5


async def test_memory_changes_with_its_readings_or_not_at_all(tmp_path):
    async with run_scripted_scraper(tmp_path) as scripted:
        scripted.outbox.full = True
        assert not await scripted.recorder.record([make_inverter()], MemoryChange(newest_stamp_ms=5))
        assert not await scripted.recorder.keep(MemoryChange(serial="1"))
        assert (scripted.memory.state.newest_stamp_ms, scripted.memory.state.serial) == (0, "")
        scripted.outbox.full = False
        assert await scripted.recorder.record([make_inverter()], MemoryChange(newest_stamp_ms=5))
        assert await scripted.recorder.keep(MemoryChange(serial="1"))
    async with run_scripted_scraper(tmp_path) as again:
        assert (again.memory.state.newest_stamp_ms, again.memory.state.serial) == (5, "1")


async def test_a_step_of_the_gateways_clock_and_the_correction_are_one_commit(tmp_path):
    """Else a restart would give the same reports other identities."""
    year_s = 365 * 86_400
    async with run_scripted_scraper(tmp_path) as scripted:
        ahead = scripted.gateway.identity = make_identity(clock_offset_s=float(year_s))
        scripted.outbox.full = True
        await scripted.samples.note_identity(ahead)
        assert scripted.memory.state.clock_correction_ms == 0
        scripted.outbox.full = False
        await scripted.samples.note_identity(ahead)
        await scripted.samples.note_identity(ahead)
        assert len(await scripted.list_events("clock_step")) == 1
        scripted.gateway.answers["inverters"] = [[make_inverter(at_ms=NOW_MS + year_s * 1000)]]
        await scripted.samples.ask_inverters()
    async with run_scripted_scraper(tmp_path) as again:
        assert again.memory.state.clock_correction_ms == year_s * 1000
        assert (await again.list_rows("inverter"))[0].timestamp == NOW_MS


async def test_a_gap_opens_with_what_was_held_back_and_closes_with_the_first_sample(tmp_path):
    async with run_scripted_scraper(tmp_path) as scripted:
        await scripted.record_burst(100)
        scripted.clock.advance(1)
        await scripted.record_burst(101)  # within the band: held back
        before = await scripted.list_rows("meter")
        await scripted.samples.note_stop("the meter stream ended")
        await scripted.samples.note_stop("the gateway is unreachable")
        (gap,) = await scripted.list_events("gap")
        held = (await scripted.list_rows("meter"))[len(before) :]
        assert [reading.fields["power"] for reading in held] == [101]
        assert (gap.timestamp, gap.fields) == (held[0].timestamp, {"reason": "the meter stream ended"})
    async with run_scripted_scraper(tmp_path, clock=scripted.clock) as later:
        assert later.recorder.gap_is_open, "an open gap outlives the process"
        later.clock.advance(30)
        await later.record_burst(50, 51, 52)
        _, closed = await later.list_events("gap")
        first = (await later.list_rows("meter"))[-1]
        assert (closed.timestamp, closed.fields) == (gap.timestamp, {"end": float(later.clock.now_ms() - 2000)})
        assert first.fields.keys() > {"power", "voltage"}, "a series begins again with a snapshot"
        assert not later.recorder.gap_is_open


async def test_a_gap_that_could_not_be_closed_stays_open(scripted):
    await scripted.record_burst(100)
    await scripted.samples.note_stop("the meter stream ended")
    scripted.outbox.full = True
    scripted.clock.advance(10)
    await scripted.record_burst(100)
    assert scripted.recorder.gap_is_open
    scripted.outbox.full = False
    scripted.clock.advance(1)
    await scripted.record_burst(100)
    assert not scripted.recorder.gap_is_open
    assert (await scripted.list_events("gap"))[-1].fields == {"end": float(scripted.clock.now_ms() // EPOCHS * EPOCHS)}


async def test_after_a_kill_the_last_committed_sample_is_known_exactly(tmp_path):
    async with run_scripted_scraper(tmp_path) as scripted:
        await scripted.record_burst(100)
        scripted.clock.advance(1)
        await scripted.record_burst(500)
        last = (await scripted.list_rows("meter"))[-1].timestamp
    async with run_scripted_scraper(tmp_path) as again:
        assert again.memory.last_sample_ms == last == again.memory.state.newest_stamp_ms


def test_every_value_of_the_memory_can_change():
    assert MemoryChange.__struct_fields__ == MemoryState.__struct_fields__
