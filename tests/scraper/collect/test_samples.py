"""Stamps, dedupe, drift and silence: what becomes of the gateway's answers."""

import pytest

from scraper.collect.memory import MemoryChange
from scraper.errors import WrongGatewayError
from scraper.gateway.stream import Burst
from shared.fields import MAX_TEXT
from shared.readings import Reading
from tests.clocks import GATEWAY_NOW_S
from tests.scraper.scripted import NOW_MS, identity, line, meter, parts, values


@pytest.fixture
async def inner(tmp_path):
    async with parts(tmp_path) as ready:
        yield ready


def stamps(readings: list[Reading]) -> list[int]:
    return sorted({reading.timestamp for reading in readings})


async def test_a_burst_is_spaced_back_by_the_period_of_the_stream(inner):
    inner.clock.advance(60)
    await inner.burst(100, 200, 300, 400)
    arrival = inner.clock.now_ms()
    assert stamps(await inner.rows("meter")) == [arrival - 3000, arrival - 2000, arrival - 1000, arrival]


async def test_stamps_strictly_increase_when_bursts_and_polls_crowd(inner):
    inner.gateway.answers["meters"] = [[values(1.0, at_s=GATEWAY_NOW_S + i, delivered=i * 1e6)] for i in range(3)]
    given: list[int] = []
    for power in (100, 900, 100):
        await inner.burst(power, power * 2)
        await inner.samples.meters()
    given = [reading.timestamp for reading in await inner.rows("meter") if reading.fields.get("power")]
    assert given == sorted(given)
    assert len(stamps(await inner.rows("meter"))) >= 6


async def test_an_hours_step_back_of_the_hosts_clock_is_an_event_and_reuses_no_stamp(inner):
    await inner.burst(100)
    before = stamps(await inner.rows("meter"))
    inner.clock.wall_ms -= 3_600_000
    await inner.burst(500)
    (step,) = await inner.events("clock_step")
    assert "stepped back by 3600 s" in str(step.fields["reason"])
    inner.clock.advance(3600)
    await inner.burst(900)
    after = stamps(await inner.rows("meter"))
    assert len(after) == 3, "nothing was overwritten"
    assert before[0] in after
    assert min(after) < NOW_MS - 3_500_000, "new samples carry the new time at once"


async def test_a_step_is_noticed_in_a_minute_without_samples_too(inner):
    await inner.burst(100)
    inner.clock.wall_ms -= 3_600_000
    await inner.samples.minute()
    assert len(await inner.events("clock_step")) == 1


async def test_a_poll_whose_own_time_has_not_moved_is_no_reading(inner):
    inner.gateway.answers["meters"] = [[values(100)], [values(200)], [values(300, at_s=GATEWAY_NOW_S + 5)]]
    for _ in range(3):
        inner.clock.advance(5)
        await inner.samples.meters()
    assert [reading.fields["power"] for reading in await inner.rows("meter")] == [100, 300]


async def test_a_poll_that_could_not_be_committed_counts_when_it_comes_again(inner):
    inner.gateway.answers["meters"] = [[values(100)]]
    inner.outbox.full = True
    await inner.samples.meters()
    inner.outbox.full = False
    inner.clock.advance(5)
    await inner.samples.meters()
    assert [reading.fields["power"] for reading in await inner.rows("meter")] == [100]


async def test_counters_come_once_a_minute_and_while_a_stream_delivers_values_come_from_it_alone(inner):
    inner.health.stream_connected = True
    inner.gateway.answers["meters"] = [
        [values(5000, at_s=GATEWAY_NOW_S + i, delivered=1000.0 + i)] for i in range(0, 180, 10)
    ]
    for _ in range(18):
        inner.clock.advance(10)
        await inner.samples.meters()
    assert await inner.rows("meter") == []
    assert len(await inner.rows("meter_energy")) == 3


async def test_a_meter_that_the_stream_does_not_carry_is_polled_beside_it(inner):
    """The stream knows no storage; without its values nobody could tell the load of a house with a battery."""
    inner.gateway.known_meters = [meter(), meter("storage"), meter("backfeed", enabled=False)]
    inner.health.stream_connected = True
    polled = [values(5000), values(700)._replace(meter="storage"), values(9)._replace(meter="backfeed")]
    inner.gateway.answers["meters"] = [polled]
    assert not inner.samples.polls_values, "until the stream has said which meters it carries"
    await inner.burst(100)
    assert inner.samples.polls_values
    await inner.samples.meters()
    told = {reading.tags["meter"]: reading.fields["power"] for reading in await inner.rows("meter")}
    assert told == {"production": 100, "storage": 700}


async def test_counters_alone_end_no_gap(tmp_path):
    """Where polls may not stand in for the stream."""
    async with parts(tmp_path, poll_meters=False) as inner:
        await inner.burst(100)
        await inner.samples.stopped("the meter stream ended")
        inner.gateway.answers["meters"] = [[values(100)]]
        inner.clock.advance(60)
        await inner.samples.meters()
        assert inner.gaps.is_open
        assert await inner.rows("meter_energy")


async def test_unreadable_events_are_counted_and_the_others_of_their_burst_kept(inner):
    lines = [line(100), b"data: {garbage", line(900)]
    assert await inner.samples.burst(Burst(inner.clock.now_ms(), lines))
    assert len(stamps(await inner.rows("meter"))) == 2
    assert not await inner.samples.burst(Burst(inner.clock.now_ms(), [b"data: {"]))
    await inner.samples.inverters()
    assert inner.health.refused_fields == 2


async def test_a_name_that_firmware_adds_or_drops_is_one_event_however_often_it_comes(inner):
    event = line(100).replace(b'{"production"', b'{"novelty": {}, "production"')
    for _ in range(3):
        inner.clock.advance(1)
        await inner.samples.burst(Burst(inner.clock.now_ms(), [event]))
        await inner.samples.inverters()
    (schema,) = await inner.events("schema")
    assert "novelty" in str(schema.fields["reason"])
    assert schema.fields["rows"] == 1


async def test_a_schema_event_is_never_longer_than_the_receiver_takes_and_waits_for_its_commit(inner):
    for index in range(80):
        inner.samples._notes.add_unknown(f"endpoint.{'x' * 60}{index}")
    inner.outbox.full = True
    await inner.samples.inverters()
    inner.outbox.full = False
    await inner.samples.inverters()
    (schema,) = await inner.events("schema")
    assert len(str(schema.fields["reason"])) <= MAX_TEXT


async def test_silence_of_the_meters_opens_a_gap_even_if_everything_seems_connected(inner):
    await inner.burst(100)
    last = (await inner.rows("meter"))[-1].timestamp
    inner.health.stream_connected = True
    inner.clock.advance(119)
    await inner.samples.minute()
    assert not inner.gaps.is_open
    inner.clock.advance(2)
    await inner.samples.minute()
    await inner.samples.minute()
    (gap,) = await inner.events("gap")
    assert (gap.timestamp, gap.fields["reason"]) == (last, "no sample came")


async def test_without_meters_the_inverters_tell_of_gaps(inner):
    inner.gateway.known_meters = [meter(enabled=False)]
    await inner.samples.inverters()
    await inner.samples.minute()
    heard = inner.samples.last_sample_ms
    assert inner.memory.state.last_poll_ms == heard == NOW_MS
    await inner.samples.stopped("the gateway is unreachable")
    inner.clock.advance(600)
    inner.gateway.answers["inverters"] = [[Reading("inverter", {"inverter": "1"}, NOW_MS, {"power": 1.0})]]
    await inner.samples.inverters()
    opened, closed = await inner.events("gap")
    assert (opened.timestamp, closed.fields["end"]) == (heard, float(NOW_MS + 600_000))


async def test_another_gateways_readings_never_mix_with_those_that_wait(inner):
    await inner.recorder.keep(MemoryChange(serial="122012345678"))
    await inner.samples.identified(identity())
    with pytest.raises(WrongGatewayError, match="delivers for gateway 122012345678: restart it"):
        await inner.samples.identified(identity(serial="122099999999"))


async def test_a_sum_that_carries_our_own_time_is_not_corrected_by_the_gateways_clock(inner):
    await inner.samples.identified(identity(clock_offset_s=86_400.0))
    inner.gateway.answers["production"] = [
        Reading("production", {"source": "pdm"}, NOW_MS, {"power": 1.0}),
        Reading("production", {"source": "inverters"}, NOW_MS + 86_400_000, {"power": 1.0}),
    ]
    await inner.samples.production()
    await inner.samples.production()
    assert [reading.timestamp for reading in await inner.rows("production")] == [NOW_MS, NOW_MS]
