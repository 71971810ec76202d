"""A stream that is silent for a while: polls stand in for it only where it does not deliver that time after all."""

import pytest

from scraper.gateway.stream import Burst
from tests.clocks import GATEWAY_NOW_S
from tests.scraper.running_scraper import run_at_home
from tests.scraper.scripted import make_line, make_values, run_scripted_scraper

NET = "net-consumption"


@pytest.fixture
async def scripted(tmp_path):
    async with run_scripted_scraper(tmp_path) as ready:
        await ready.record_burst(100)
        ready.health.stream_connected = True
        yield ready


async def poll(scripted, seconds, power):
    """A poll so many seconds later."""
    scripted.clock.advance(seconds)
    at_s = GATEWAY_NOW_S + round(scripted.clock.elapsed)
    scripted.gateway.answers["meters"] = [[make_values(power, at_s=at_s)]]
    await scripted.samples.ask_meters()


async def list_powers(scripted):
    """Seconds since the first sample, and power."""
    rows = [row for row in await scripted.list_rows("meter") if "power" in row.fields]
    return [((row.timestamp - rows[0].timestamp) / 1000, row.fields["power"]) for row in rows]


async def test_events_that_were_held_back_are_dated_as_measured_and_no_poll_beside_them_is_stored(scripted):
    assert not scripted.samples.polls_values
    scripted.clock.advance(6)
    assert scripted.samples.polls_values, "it has been silent for longer than usual"
    await poll(scripted, 0, 5000)
    scripted.clock.advance(2)
    powers = [1000.0 * second for second in range(1, 9)]
    await scripted.samples.record_burst(Burst(scripted.clock.now_ms(), [make_line(power) for power in powers]))
    assert await list_powers(scripted) == [
        (0, 100.0), *((pytest.approx(second, abs=0.02), 1000.0 * second) for second in range(1, 9)),
    ]  # fmt: skip
    assert not scripted.samples.polls_values
    assert len(await scripted.list_rows("meter_energy")) == 1, "counters come from polls alone"


async def test_polls_stand_in_where_the_stream_ends_instead(scripted):
    for seconds, power in ((6, 2000), (5, 4000), (5, 8000)):
        await poll(scripted, seconds, power)
    assert len(await list_powers(scripted)) == 1
    scripted.clock.advance(2)
    scripted.health.stream_connected = False
    await scripted.samples.note_stop("the meter stream ended")
    assert [power for _, power in await list_powers(scripted)] == [100, 2000, 4000, 8000]
    times = [round(time) for time, _ in await list_powers(scripted)]
    assert times == [0, 6, 11, 16]
    (gap,) = await scripted.list_events("gap")
    assert gap.timestamp == (await scripted.list_rows("meter"))[-1].timestamp
    await scripted.samples.note_stop("again")
    assert len(await list_powers(scripted)) == 4, "none is stored twice"


async def test_polls_of_before_the_events_that_came_are_stored_too(scripted):
    """The stream lost the time before them."""
    for seconds, power in ((6, 2000), (5, 4000)):
        await poll(scripted, seconds, power)
    scripted.clock.advance(1)
    await scripted.record_burst(7000, 8000, 9000)
    found = [(round(time), power) for time, power in await list_powers(scripted)]
    assert found == [(0, 100), (6, 2000), (10, 7000), (11, 8000), (12, 9000)]


async def test_a_stream_that_buffers_is_not_silent_between_its_bursts(scripted):
    """Early firmware 7 sends 22 events every 22 seconds."""
    await scripted.record_burst(*range(22))
    scripted.clock.advance(30)
    assert not scripted.samples.polls_values


async def test_a_stream_that_breathes_gives_every_value_once(tmp_path, logs):
    """Events are held back for 12 seconds, in which the meters are polled; what is stored is what was streamed."""
    async with run_at_home(tmp_path, logs) as at_home, at_home.run_scraper(dead_band=0.0):
        await at_home.wait_for_points("meter", 20, meter=NET, phase="a")
        streaming = at_home.clock.now_ms()
        polls = count_polls(at_home)
        for _ in range(3):
            at_home.sim.faults.switch_on("stream-hold", events=12)
            await at_home.clock.sleep(13)
            at_home.sim.faults.switch_off("stream-hold")
            await at_home.clock.sleep(10)
        assert count_polls(at_home) - polls >= 3, "polls were asked meanwhile"
        await at_home.wait_for_points("meter", 80, meter=NET, phase="a")
        streamed = {event.values[NET]["ph-a"]["p"] for event in at_home.sim.ledger.list_kind("stream")}
        found = [point for point in await at_home.read_points("meter", meter=NET, phase="a") if "power" in point.fields]
        found = [point for point in found if point.timestamp > streaming]
        assert {point.fields["power"] for point in found} <= streamed
        times = [point.timestamp for point in found]
        assert len(times) == len(set(times)) <= len(at_home.sim.ledger.list_kind("stream"))
        assert not await at_home.read_events("gap")


def count_polls(at_home):
    """How often the readings of the meters were asked."""
    return sum(one.values["path"] == "/ivp/meters/readings" for one in at_home.sim.ledger.list_kind("request"))


async def test_a_stream_that_ends_in_silence_has_polls_in_its_place(tmp_path, logs):
    """It takes half a minute to be sure that it has ended: that time is known all the same."""
    async with run_at_home(tmp_path, logs) as at_home, at_home.run_scraper():
        await at_home.wait_for_line("the meter stream delivers")
        await at_home.clock.sleep(10)
        at_home.sim.faults.switch_on("stream-stall")
        began = at_home.clock.now_ms()
        await at_home.wait_for_line("the meter stream ended")
        (gap, *_) = await at_home.wait_for_points("event", what=lambda event: "end" in event.fields, type="gap")
        assert gap.timestamp - began > 5_000, "what was polled in the silence is stored"
