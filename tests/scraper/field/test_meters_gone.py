"""Meters that gave data and are then refused: a gap at first, then gone for now, and back when they answer again."""

from typing import Any

import pytest

from scraper.check.walk import walk
from simulator.house.state import NET, PRODUCTION
from tests.scraper.running_scraper import make_scraper_settings, run_at_home, wait_until

POLLED = {"meter_source": "poll", "inverter_interval": 20.0}
METERS, READINGS, SUMS = "/ivp/meters", "/ivp/meters/readings", "/production.json"


async def find_closed_gap(at_home):
    (gap, *_) = await at_home.wait_for_points("event", what=lambda event: "end" in event.fields, type="gap")
    return gap


async def wait_for_power(at_home, what):
    async def look():
        now = await at_home.ask("power")
        return now if what(now) else None

    return await wait_until(look, lambda: "a /power as wanted")


async def read_check(at_home):
    """What the doctor says of meters."""
    found: list[Any] = []
    settings = make_scraper_settings(at_home.sim, at_home.state_dir, at_home.receiver_url)
    await walk(settings, at_home.clock, found.append)
    return " ".join(finding.text for finding in found if finding.step == "meters")


@pytest.mark.parametrize(("fault", "path"), [("not-found", METERS), ("starting", READINGS)])
async def test_sums_stand_in_for_meters_that_are_refused_after_they_worked(tmp_path, logs, fault, path):
    async with run_at_home(tmp_path, logs, "firmware-8") as at_home, at_home.run_scraper(**POLLED):
        await at_home.wait_for_points("meter", 3, meter=NET)
        at_home.sim.faults.switch_on(fault, path=path)
        last = (await at_home.read_points("meter", meter=NET))[-1].timestamp
        gap = await find_closed_gap(at_home)
        assert gap.timestamp - last < 30_000
        assert 5 * 60_000 < gap.fields["end"] - last < 15 * 60_000, "a gap at first, which does not stay open"
        sums = await at_home.wait_for_points("meter", 2, meter=NET, phase="eim")
        assert sums[0].timestamp - last > 5 * 60_000
        now = await wait_for_power(at_home, lambda now: now["load_w"] is not None)
        assert now["load_w"] == pytest.approx(now["production_w"] + now["net_w"])
        at_home.sim.faults.switch_off(fault)
        resumed = at_home.clock.now_ms()
        phases = await at_home.wait_for_points(
            "meter", what=lambda point: point.timestamp > resumed, meter=NET, phase="a"
        )
        assert phases[0].timestamp - resumed < 16 * 60_000
        await wait_for_power(at_home, lambda now: now["load_w"] is not None)
    assert at_home.list_lines("no longer gives what it gave")


async def test_inverters_stand_in_where_there_are_no_sums_either(tmp_path, logs):
    async with run_at_home(tmp_path, logs, "firmware-8") as at_home:
        async with at_home.run_scraper(**POLLED):
            await at_home.wait_for_points("meter", 3, meter=PRODUCTION)
            at_home.sim.faults.switch_on("not-found", path=METERS)
            at_home.sim.faults.switch_on("html", path=SUMS)
            await find_closed_gap(at_home)
            now = await wait_for_power(at_home, lambda now: now["production_w"] is not None)
            assert (now["net_w"], now["load_w"]) == (None, None)
            watts = sum(report.power_w for report in at_home.sim.device.list_reports())
            assert now["production_w"] == pytest.approx(watts, rel=0.2)
        assert not await at_home.read_points("meter", phase="eim")


async def test_the_doctor_says_what_stands_in_for_refused_meters(tmp_path, logs):
    async with run_at_home(tmp_path, logs, "firmware-8") as at_home:
        at_home.sim.faults.switch_on("not-found", path=METERS)
        said = await read_check(at_home)
        assert "refuses them (status 404)" in said
        assert "the sums of /production.json stand in for them, power alone (production" in said
        at_home.sim.faults.switch_on("html", path=SUMS)
        assert "inverters alone are read, and there is no house load" in await read_check(at_home)


async def test_a_stream_keeps_the_meters_that_the_list_refuses(tmp_path, logs):
    """The values come as before, so nothing stands in and no gap opens."""
    async with run_at_home(tmp_path, logs, "firmware-8") as at_home, at_home.run_scraper():
        await at_home.wait_for_line("the meter stream delivers")
        at_home.sim.faults.switch_on("not-found", path=METERS)
        await at_home.clock.sleep(11 * 60)
        last = (await at_home.read_points("meter", meter=NET, phase="a"))[-1].timestamp
        assert at_home.clock.now_ms() - last < 2 * 60_000
        assert not await at_home.read_points("event", type="gap")
        assert not await at_home.read_points("meter", phase="eim")
