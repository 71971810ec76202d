"""Outages of the grid and generators, as events and states of a simulated gateway."""

from dataclasses import dataclass

import pytest

from tests.clocks import StoppedClock
from tests.scraper.collect.ensemble_home import find_one, open_home


@dataclass
class AheadClock(StoppedClock):
    """Its wall time is ahead of its monotonic time by so many seconds."""

    ahead_s: float = 0.0

    def now_ms(self) -> int:
        return self.ms + round(self.ahead_s * 1000)


async def test_an_outage_of_the_grid_is_one_event_with_start_and_end_over_a_restart(tmp_path):
    async with open_home(tmp_path) as battery_home:
        await battery_home.poll()
        battery_home.sim.faults.switch_on("grid-lost")
        rows = await battery_home.poll()
        began = find_one(rows, "event")
        assert (began.tags, began.fields) == ({"type": "outage"}, {"reason": "the main relay is open"})
        assert find_one(rows, "grid").fields["mode"] == "islanded"
        assert not [one for one in await battery_home.poll() if one.kind == "event"]
    async with open_home(tmp_path) as battery_home:
        battery_home.clock.advance(3600)
        ended = find_one(await battery_home.poll(), "event")
        assert (ended.tags, ended.timestamp) == (began.tags, began.timestamp)
        assert ended.fields == {"end": float(battery_home.clock.now_ms())}
        assert not [one for one in await battery_home.poll() if one.kind == "event"]


@pytest.mark.parametrize("step_s", [-7200, 7200])
async def test_an_outage_is_split_where_the_hosts_clock_steps(tmp_path, step_s):
    """It ends on the old clock and begins again on the new one: no outage ends before it begins, or lasts for hours."""
    clock = AheadClock()
    async with open_home(tmp_path, clock=clock) as battery_home:
        await battery_home.poll()
        battery_home.sim.faults.switch_on("grid-lost")
        began = find_one(await battery_home.poll(), "event")
        clock.ahead_s = step_s
        stepped = [one for one in await battery_home.poll() if one.kind == "event"]
        battery_home.sim.faults.switch_off("grid-lost")
        await battery_home.poll()
        outages = [one for one in await battery_home.scraper.list_rows("event") if one.tags["type"] == "outage"]
        ends = {one.timestamp: one.fields["end"] for one in outages if "end" in one.fields}
        assert [one.tags["type"] for one in stepped] == ["outage", "clock_step", "outage"]
        again = stepped[-1].timestamp
        assert again == clock.now_ms() - 60_000
        assert ends == {began.timestamp: began.timestamp + 60_000.0, again: again + 60_000.0}


async def test_a_generator_that_feeds_the_house_is_a_mode_of_the_grid(tmp_path):
    async with open_home(tmp_path) as battery_home:
        battery_home.sim.faults.switch_on("generator-running")
        rows = await battery_home.poll()
    assert find_one(rows, "grid").fields == {"relay": "open", "mode": "generator", "connected": 0.0}
    assert find_one(rows, "generator").fields["running"] == 1.0
    assert "a generator feeds the house" in str(find_one(rows, "event").fields["reason"])
