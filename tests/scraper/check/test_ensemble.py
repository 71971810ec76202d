"""What `check` says of batteries, main relay and generator, over real sockets."""

import pytest

from scraper.check.ensemble import check_ensemble
from scraper.check.findings import Finding, Findings, Level
from shared.clock import SystemClock
from simulator.server import Simulator
from tests.scraper.gateway.test_simulated_gateways import open_gateway


async def check(tmp_path, profile, **faults):
    """The findings, with the given faults on."""
    found: list[Finding] = []
    async with Simulator(profile, late_morning=True) as sim, open_gateway(sim, tmp_path) as gateway:
        for name, path in faults.items():
            sim.faults.switch_on(name.replace("_", "-"), path=path)
        await gateway.connect()
        await check_ensemble(gateway, await gateway.read_meters(), SystemClock(), Findings(found.append))
    return found


async def test_a_battery_that_reports_is_said(tmp_path):
    batteries, grid = await check(tmp_path, "battery")
    assert (batteries.level, grid.level) == (Level.OK, Level.OK)
    assert batteries.text.startswith("3, ")
    assert "% full, " in batteries.text
    assert grid.text == "the main relay is closed"


async def test_batteries_whose_power_nobody_gives_make_the_load_unknown_and_name_the_remedy(tmp_path):
    batteries, _ = await check(tmp_path, "battery", battery_silent="", no_storage_meter="")
    assert batteries.level is Level.NOTE
    assert "only 0 of them give their power now" in batteries.text
    assert "what the house uses is unknown" in batteries.text
    assert "storage meter (CT) enabled" in batteries.text


async def test_ac_batteries_are_said_to_give_no_power_of_this_moment(tmp_path):
    (batteries,) = await check(tmp_path, "battery", ac_batteries="")
    assert batteries.level is Level.NOTE
    assert "15 of them AC Batteries, which give no power of this moment" in batteries.text
    assert "enables a storage meter (CT)" in batteries.text


async def test_a_storage_meter_stands_in_for_silent_batteries(tmp_path):
    batteries, _ = await check(tmp_path, "battery", battery_silent="")
    assert batteries.level is Level.OK
    assert "their power comes from the storage meter" in batteries.text


async def test_a_missing_right_is_said_once_with_the_paths_and_what_it_means_for_the_load(tmp_path):
    """The gateway's page of devices tells that there are batteries, or that there are none."""
    missing, batteries = await check(tmp_path, "battery", unauthorised="/ivp/ensemble/", no_storage_meter="")
    assert (missing.level, batteries.level) == (Level.NOTE, Level.NOTE)
    assert "may not read /ivp/ensemble/generator, /ivp/ensemble/inventory, /ivp/ensemble/power" in missing.text
    assert "(status 401): there is a battery, its power stays unknown, and so does what the house uses" in missing.text
    assert batteries.text.startswith("3, but only 0 of them give their power now")
    (missing,) = await check(tmp_path / "none", "firmware-8", unauthorised="/ivp/ensemble/")
    assert "nothing else shows a battery, so what the house uses is counted without one" in missing.text


async def test_an_open_relay_and_a_running_generator_are_said(tmp_path):
    _, grid, generator = await check(tmp_path, "battery", generator_running="")
    assert "cut off from the grid (mode generator)" in grid.text
    assert "what the house uses is unknown until it stops" in generator.text


@pytest.mark.parametrize(("hidden", "said"), [(True, True), (False, False)])
async def test_what_comes_in_over_an_open_relay_is_said_to_make_the_load_unknown(tmp_path, hidden, said):
    """As of a generator that this login may not ask for, or that the gateway does not know."""
    found: list[Finding] = []
    async with Simulator("battery", late_morning=True) as sim, open_gateway(sim, tmp_path) as gateway:
        sim.faults.switch_on("grid-lost" if hidden else "battery-silent")
        sim.faults.switch_on("reversed-ct", meter="net-consumption")  # late in the morning it sells: now it comes in
        sim.faults.switch_on("unauthorised", path="/ivp/ensemble/generator")
        await gateway.connect()
        values = await gateway.read_meter_readings()
        assert sum(one.values["power"] for one in values if one.meter == "net-consumption") > 200
        await check_ensemble(gateway, await gateway.read_meters(), SystemClock(), Findings(found.append), values)
    texts = [one.text for one in found if one.step == "grid" and one.level is Level.NOTE]
    assert any("come in over the open relay" in text and "is unknown" in text for text in texts) is said


@pytest.mark.parametrize("profile", ["firmware-5", "firmware-7", "firmware-8"])
async def test_a_home_without_any_of_it_hears_nothing(tmp_path, profile):
    assert await check(tmp_path, profile) == []
