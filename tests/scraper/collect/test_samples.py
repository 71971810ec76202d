"""Stamps, dedupe, drift and silence: what becomes of the gateway's answers."""

import itertools

import pytest

from scraper.collect.memory import MemoryChange
from scraper.errors import WrongGatewayError
from scraper.gateway.stream import Burst
from shared.fields import MAX_TEXT
from shared.readings import Reading
from tests.clocks import GATEWAY_NOW_S
from tests.scraper.scripted import NOW_MS, make_identity, make_line, make_meter, make_values, run_scripted_scraper


@pytest.fixture
async def scripted(tmp_path):
    async with run_scripted_scraper(tmp_path) as ready:
        yield ready


def list_stamps(readings: list[Reading]) -> list[int]:
    return sorted({reading.timestamp for reading in readings})


async def test_a_burst_is_spaced_back_by_the_period_of_the_stream(scripted):
    scripted.clock.advance(60)
    await scripted.record_burst(100, 200, 300, 400)
    arrival = scripted.clock.now_ms()
    assert list_stamps(await scripted.list_rows("meter")) == [arrival - 3000, arrival - 2000, arrival - 1000, arrival]


async def test_a_phase_that_drops_out_is_stored_as_such_by_the_poll_that_sees_it(scripted):
    alive, gone = ({"power": 100.0, "frequency": 50.0}, {"frequency": 50.0})
    scripted.gateway.answers["meters"] = [
        [make_values(at_s=GATEWAY_NOW_S + 5 * index)._replace(values=values)]
        for index, values in enumerate([alive, alive, gone])
    ]
    for _ in range(3):
        await scripted.samples.ask_meters()
        scripted.clock.advance(5)
    assert (await scripted.list_rows("meter"))[-1].fields == gone | {"measured": 0.0}


async def test_a_phase_of_which_nothing_at_all_is_known_is_stored_as_such(scripted):
    scripted.gateway.answers["meters"] = [[make_values()._replace(values={})]]
    await scripted.samples.ask_meters()
    assert [row.fields for row in await scripted.list_rows("meter")] == [{"measured": 0.0}]


async def test_stamps_strictly_increase_when_bursts_and_polls_crowd(scripted):
    scripted.gateway.answers["meters"] = [
        [make_values(1.0, at_s=GATEWAY_NOW_S + i, delivered=i * 1e6)] for i in range(3)
    ]
    given: list[int] = []
    for power in (100, 900, 100):
        await scripted.record_burst(power, power * 2)
        await scripted.samples.ask_meters()
    given = [reading.timestamp for reading in await scripted.list_rows("meter") if reading.fields.get("power")]
    assert given == sorted(given)
    assert len(list_stamps(await scripted.list_rows("meter"))) >= 6


async def test_an_hours_step_back_of_the_hosts_clock_is_an_event_and_reuses_no_stamp(scripted):
    await scripted.record_burst(100)
    before = list_stamps(await scripted.list_rows("meter"))
    scripted.clock.wall_ms -= 3_600_000
    await scripted.record_burst(500)
    (step,) = await scripted.list_events("clock_step")
    assert "stepped back by 60 minutes" in str(step.fields["reason"])
    scripted.clock.advance(3600)
    await scripted.record_burst(900)
    after = list_stamps(await scripted.list_rows("meter"))
    assert len(after) == 3, "nothing was overwritten"
    assert before[0] in after
    assert min(after) < NOW_MS - 3_500_000, "new samples carry the new time at once"


async def test_a_step_is_noticed_in_a_minute_without_samples_too(scripted):
    await scripted.record_burst(100)
    scripted.clock.wall_ms -= 3_600_000
    await scripted.samples.tick()
    assert len(await scripted.list_events("clock_step")) == 1


async def test_a_poll_whose_own_time_has_not_moved_is_no_reading(scripted):
    scripted.gateway.answers["meters"] = [
        [make_values(100)],
        [make_values(200)],
        [make_values(300, at_s=GATEWAY_NOW_S + 5)],
    ]
    for _ in range(3):
        scripted.clock.advance(5)
        await scripted.samples.ask_meters()
    assert [reading.fields["power"] for reading in await scripted.list_rows("meter")] == [100, 300]


async def test_a_poll_that_could_not_be_committed_counts_when_it_comes_again(scripted):
    scripted.gateway.answers["meters"] = [[make_values(100)]]
    scripted.outbox.full = True
    await scripted.samples.ask_meters()
    scripted.outbox.full = False
    scripted.clock.advance(5)
    await scripted.samples.ask_meters()
    assert [reading.fields["power"] for reading in await scripted.list_rows("meter")] == [100]


async def test_counters_come_once_a_minute_and_while_a_stream_delivers_values_come_from_it_alone(scripted):
    scripted.health.stream_connected = True
    scripted.gateway.answers["meters"] = [
        [make_values(5000, at_s=GATEWAY_NOW_S + i, delivered=1000.0 + i)] for i in range(0, 180, 10)
    ]
    for _ in range(18):
        scripted.clock.advance(10)
        await scripted.samples.ask_meters()
    assert await scripted.list_rows("meter") == []
    assert len(await scripted.list_rows("meter_energy")) == 3


async def test_a_meter_that_the_stream_does_not_carry_is_polled_beside_it(scripted):
    """The stream knows no storage; without its values nobody could tell the load of a house with a battery."""
    scripted.gateway.known_meters = [make_meter(), make_meter("storage"), make_meter("backfeed", enabled=False)]
    scripted.health.stream_connected = True
    polled = [make_values(5000), make_values(700)._replace(meter="storage"), make_values(9)._replace(meter="backfeed")]
    scripted.gateway.answers["meters"] = [polled]
    assert not scripted.samples.polls_values, "until the stream has said which meters it carries"
    await scripted.record_burst(100)
    assert scripted.samples.polls_values
    await scripted.samples.ask_meters()
    powers = {reading.tags["meter"]: reading.fields["power"] for reading in await scripted.list_rows("meter")}
    assert powers == {"production": 100, "storage": 700}


async def test_counters_alone_end_no_gap(tmp_path):
    """Where polls may not stand in for the stream."""
    async with run_scripted_scraper(tmp_path, poll_meters=False) as scripted:
        await scripted.record_burst(100)
        await scripted.samples.note_stop("the meter stream ended")
        scripted.gateway.answers["meters"] = [[make_values(100)]]
        scripted.clock.advance(60)
        await scripted.samples.ask_meters()
        assert scripted.recorder.gap_is_open
        assert await scripted.list_rows("meter_energy")


async def test_unreadable_events_are_counted_and_the_others_of_their_burst_kept(scripted):
    lines = [make_line(100), b"data: {garbage", make_line(900)]
    assert await scripted.samples.record_burst(Burst(scripted.clock.now_ms(), lines))
    assert len(list_stamps(await scripted.list_rows("meter"))) == 2
    assert not await scripted.samples.record_burst(Burst(scripted.clock.now_ms(), [b"data: {"]))
    await scripted.samples.ask_inverters()
    assert scripted.health.refused_fields == 2


async def test_a_name_that_firmware_adds_or_drops_is_one_event_however_often_it_comes(scripted):
    event = make_line(100).replace(b'{"production"', b'{"novelty": {}, "production"')
    for _ in range(3):
        scripted.clock.advance(1)
        await scripted.samples.record_burst(Burst(scripted.clock.now_ms(), [event]))
        await scripted.samples.ask_inverters()
    (schema,) = await scripted.list_events("schema")
    assert "novelty" in str(schema.fields["reason"])
    assert schema.fields["rows"] == 1


async def test_a_schema_event_is_never_longer_than_the_receiver_takes_and_waits_for_its_commit(scripted):
    for index in range(80):
        scripted.samples.drift.notes.add_unknown(f"endpoint.{'x' * 60}{index}")
    scripted.outbox.full = True
    await scripted.samples.ask_inverters()
    scripted.outbox.full = False
    await scripted.samples.ask_inverters()
    (schema,) = await scripted.list_events("schema")
    assert len(str(schema.fields["reason"])) <= MAX_TEXT


async def test_silence_of_the_meters_opens_a_gap_even_if_everything_seems_connected(scripted):
    await scripted.record_burst(100)
    last = (await scripted.list_rows("meter"))[-1].timestamp
    scripted.health.stream_connected = True
    scripted.clock.advance(30)
    await scripted.samples.tick()
    assert not scripted.recorder.gap_is_open, "the stream may breathe"
    scripted.clock.advance(2)
    await scripted.samples.tick()
    await scripted.samples.tick()
    (gap,) = await scripted.list_events("gap")
    assert (gap.timestamp, gap.fields["reason"]) == (last, "no sample came")


@pytest.mark.parametrize("seconds", [31, 90, 119])
async def test_a_pause_that_nobody_saw_while_it_lasted_is_a_gap_too(scripted, seconds):
    await scripted.record_burst(100)
    await scripted.record_burst(101)
    last = scripted.clock.now_ms()
    scripted.clock.advance(seconds)
    await scripted.record_burst(300)
    (gap,) = await scripted.list_events("gap")
    assert gap.timestamp == pytest.approx(last, abs=20)
    assert gap.fields["end"] == pytest.approx(last + seconds * 1000, abs=20)
    assert [reading.fields["power"] for reading in await scripted.list_rows("meter")] == [100, 101, 300]


async def test_events_that_were_held_back_fill_the_pause(scripted):
    """Firmware 8.3.6086 holds them back for some seconds and loses none: no gap, and a second from one to the next."""
    await scripted.record_burst(100)
    scripted.clock.advance(30)
    await scripted.record_burst(*range(200, 500, 10))
    assert await scripted.list_events("gap") == []
    times = list_stamps(await scripted.list_rows("meter"))
    assert [after - before for before, after in itertools.pairwise(times)] == [1000] * 30


async def test_without_meters_the_inverters_tell_of_gaps(scripted):
    scripted.gateway.known_meters = [make_meter(enabled=False)]
    await scripted.samples.ask_inverters()
    await scripted.samples.tick()
    heard = scripted.recorder.last_sample_ms
    assert scripted.memory.state.last_poll_ms == heard == NOW_MS
    await scripted.samples.note_stop("the gateway is unreachable")
    scripted.clock.advance(600)
    scripted.gateway.answers["inverters"] = [[Reading("inverter", {"inverter": "1"}, NOW_MS, {"power": 1.0})]]
    await scripted.samples.ask_inverters()
    opened, closed = await scripted.list_events("gap")
    assert (opened.timestamp, closed.fields["end"]) == (heard, float(NOW_MS + 600_000))


async def test_another_gateways_readings_never_mix_with_those_that_wait(scripted):
    await scripted.recorder.keep(MemoryChange(serial="122012345678"))
    await scripted.samples.note_identity(make_identity())
    with pytest.raises(WrongGatewayError, match="delivers for gateway 122012345678: restart it"):
        await scripted.samples.note_identity(make_identity(serial="122099999999"))


async def test_a_sum_that_carries_our_own_time_is_not_corrected_by_the_gateways_clock(scripted):
    await scripted.samples.note_identity(make_identity(clock_offset_s=86_400.0))
    scripted.gateway.answers["production"] = [
        Reading("production", {"source": "pdm"}, NOW_MS, {"power": 1.0}),
        Reading("production", {"source": "inverters"}, NOW_MS + 86_400_000, {"power": 1.0}),
    ]
    await scripted.samples.ask_production()
    await scripted.samples.ask_production()
    assert [reading.timestamp for reading in await scripted.list_rows("production")] == [NOW_MS, NOW_MS]
