"""What `check` makes of the inverters' reports, over real sockets."""

import pytest

from scraper.check.findings import Finding, Findings
from scraper.check.gateway import check_gateway
from scraper.check.inverters import check_inverters
from scraper.gateway.transport import Deadlines
from shared.clock import SystemClock
from simulator.clock import ManualClock
from simulator.server import Simulator
from tests.clocks import StoppedClock
from tests.scraper.gateway.test_simulated_gateways import open_gateway
from tests.scraper.running_scraper import make_scraper_settings

PATIENT = Deadlines(connect=10, read=20, total=30, stream_read=30)


async def check(folder, profile, **faults):
    """What is found of the roof, and what its inverters report in truth (W)."""
    found: list[Finding] = []
    async with Simulator(profile, late_morning=True) as sim, open_gateway(sim, folder) as gateway:
        for name, parameters in faults.items():
            sim.faults.switch_on(name.replace("_", "-"), **parameters)
        reports = [report.power_w for report in sim.device.list_reports()]
        roof = await check_inverters(gateway, await gateway.connect(), SystemClock(), Findings(found.append))
    return roof, reports


@pytest.mark.parametrize("profile", ["firmware-5", "firmware-7"])
async def test_the_power_of_a_roof_is_that_of_all_inverters(tmp_path, profile):
    roof, reports = await check(tmp_path, profile)
    assert roof.power == sum(reports)
    assert roof.is_whole


@pytest.mark.parametrize("profile", ["firmware-7", "firmware-8"])
async def test_an_inverter_that_is_silent_has_no_part_in_the_power_of_now(tmp_path, profile):
    """The gateway goes on listing its last report, for years."""
    roof, reports = await check(tmp_path, profile, inverters_silent={"count": 3})
    assert roof.power == pytest.approx(sum(reports[3:]), rel=0.02)
    assert not roof.is_whole


async def test_a_report_without_power_makes_that_of_the_roof_unknown(tmp_path):
    roof, _ = await check(
        tmp_path, "firmware-7", null={"path": "/api/v1/production/inverters", "field": "lastReportWatts"}
    )
    assert roof.power is None
    roof, _ = await check(tmp_path / "all", "firmware-7", inverters_silent={"count": 1000})
    assert (roof.power, roof.is_whole) == (None, False)
    assert roof.most  # by day the gateway's total says that something is made


@pytest.mark.parametrize("watts", [0, 5000])
async def test_a_good_production_meter_is_not_accused_beside_silent_inverters(tmp_path, watts):
    """Its remedy, `role: ignore`, would lose the meter."""
    found: list[Finding] = []
    async with Simulator("firmware-8", late_morning=True) as sim, open_gateway(sim, tmp_path) as gateway:
        sim.faults.switch_on("inverters-silent", count=len(sim.device.list_reports()) - 2, watts=watts)
        settings = make_scraper_settings(sim, tmp_path / "edge", "http://127.0.0.1:1", meter_source="poll")
        await check_gateway(gateway, settings, SystemClock(), Findings(found.append))
    meters = [one.text for one in found if one.step == "meters"]
    assert any(text.startswith("production: 3 phase(s)") for text in meters)
    assert not any("role: ignore" in text for text in meters)


@pytest.mark.parametrize("reversed_ct", [True, False])
async def test_what_is_sold_at_night_without_a_battery_names_the_meter_of_the_grid(tmp_path, reversed_ct):
    """No report speaks of now, and the gateway's own total says that nothing is made."""
    found: list[Finding] = []
    clock = StoppedClock(1_760_050_800_000)  # 2025-10-09 23:00 UTC
    async with (
        Simulator("firmware-8", clock=ManualClock(clock.ms / 1000)) as sim,
        open_gateway(sim, tmp_path, clock=clock, deadlines=PATIENT) as gateway,
    ):
        sim.faults.switch_on("production-ct-off")
        sim.faults.switch_on("inverters-silent", count=1000, watts=0, seconds=3 * 3600)
        if reversed_ct:
            sim.faults.switch_on("reversed-ct", meter="net-consumption")
        settings = make_scraper_settings(sim, tmp_path / "edge", "http://127.0.0.1:1", meter_source="poll")
        await check_gateway(gateway, settings, clock, Findings(found.append))
    doubts = [one.text for one in found if "no more than 0 W can be made here now" in one.text]
    assert bool(doubts) is reversed_ct
