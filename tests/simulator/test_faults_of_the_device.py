"""Faults of the device itself: its clock, its counters, its inverters, its identity, its firmware."""

import asyncio
import re

import httpx
import pytest

from simulator.server import Simulator
from tests.simulator.reading import make_clock, open_reader

READINGS = "/ivp/meters/readings"
INVERTERS = "/api/v1/production/inverters"
DEVICE_DATA = "/ivp/pdm/device_data"
INVENTORY = "/ivp/ensemble/inventory"


@pytest.fixture
def time():
    return make_clock()


@pytest.fixture
async def sim(time):
    async with Simulator("firmware-8", clock=time, late_morning=True) as simulator:
        yield simulator


async def _read_json(sim, path):
    async with open_reader(sim) as client:
        response = await client.get(path)
        assert response.status_code == 200
        return response.json()


async def test_late_morning_moves_the_sun_and_not_the_stamps(sim, time):
    """Inverters produce, and every stamp is of the present."""
    entries = await _read_json(sim, INVERTERS)
    assert sum(entry["lastReportWatts"] for entry in entries) > 1000
    assert all(time.now() - 1000 < entry["lastReportDate"] <= time.now() for entry in entries)
    assert all(meter["timestamp"] == int(time.now()) for meter in await _read_json(sim, READINGS))


@pytest.mark.parametrize(("parameters", "expected"), [({"by": 31_536_000}, 31_536_000), ({"by": -300}, -300)])
async def test_a_wrong_clock_shifts_everything_the_device_stamps(sim, time, parameters, expected):
    sim.faults.switch_on("clock-off", **parameters)
    async with open_reader(sim) as client:
        info = (await client.get("/info")).text
    shown = re.search(r"<time>(\d+)</time>", info)
    assert shown is not None
    assert int(shown[1]) == int(time.now()) + expected
    dates = [report.report_date - expected for report in sim.device.list_reports()]
    assert all(time.now() - 1000 < date <= time.now() for date in dates)


async def test_a_clock_of_1970_stands_still(sim):
    sim.faults.switch_on("clock-off", at=120)
    assert sim.device.read_second() == 120
    async with open_reader(sim) as client:
        assert "<time>120</time>" in (await client.get("/info")).text


async def test_frozen_dates_repeat_the_same_reports(sim, time):
    sim.faults.switch_on("frozen-dates")
    before = await _read_json(sim, INVERTERS)
    time.advance(3600)
    assert await _read_json(sim, INVERTERS) == before
    sim.faults.switch_off("frozen-dates")
    assert await _read_json(sim, INVERTERS) != before


async def test_frozen_readings_repeat_timestamp_and_values(sim, time):
    sim.faults.switch_on("frozen-readings")
    before = await _read_json(sim, READINGS)
    time.advance(30)
    assert await _read_json(sim, READINGS) == before


async def test_ghosts_have_the_date_0(sim):
    sim.faults.switch_on("ghosts", count=3)
    assert sum(entry["lastReportDate"] == 0 for entry in await _read_json(sim, INVERTERS)) == 3


async def test_more_devices_than_the_limit_are_counted_but_not_listed(sim):
    """device_data shows 50 of 60 inverters and two meters; the plain list shows all."""
    sim.faults.switch_on("fifty-devices", count=60)
    data = await _read_json(sim, DEVICE_DATA)
    assert (data["deviceCount"], data["deviceDataLimit"]) == (62, 50)
    assert len(data) == 52
    assert len({entry["serialNumber"] for entry in await _read_json(sim, INVERTERS)}) == 60


async def test_removed_devices_have_no_reading(sim):
    sim.faults.switch_on("removed-devices", count=2)
    data = await _read_json(sim, DEVICE_DATA)
    removed = [device for device in data.values() if isinstance(device, dict) and not device["active"]]
    assert len(removed) == 2
    assert all(device["modGone"] and device["channels"][0]["lastReading"] == {} for device in removed)


async def test_mod_gone_marks_every_inverter(sim):
    sim.faults.switch_on("mod-gone")
    data = await _read_json(sim, DEVICE_DATA)
    assert all(device["modGone"] for device in data.values() if isinstance(device, dict))


async def test_negative_meter_power_wraps_to_unsigned(sim):
    """At late morning the house exports: in device_data that is a number just below 2**32."""
    data = await _read_json(sim, DEVICE_DATA)
    plain = [channel["watts"]["now"] for channel in data["704643584"]["channels"]]
    sim.faults.switch_on("unsigned-wrap")
    wrapped = [channel["watts"]["now"] for channel in (await _read_json(sim, DEVICE_DATA))["704643584"]["channels"]]
    assert min(plain) < 0
    assert wrapped == [watts % 2**32 for watts in plain]


async def test_counters_start_again_from_zero(sim, time):
    before = (await _read_json(sim, READINGS))[0]["actEnergyDlvd"]
    sim.faults.switch_on("counter-reset")
    time.advance(60)
    after = (await _read_json(sim, READINGS))[0]["actEnergyDlvd"]
    assert before > 100_000
    assert 0 < after < 1000


async def test_inverter_lifetimes_wrap(sim):
    sim.faults.switch_on("counter-wrap", at=1000)
    data = await _read_json(sim, DEVICE_DATA)
    lifetimes = [
        device["channels"][0]["lifetime"]["joulesProduced"]
        for device in data.values()
        if isinstance(device, dict) and device["devName"] == "pcu"
    ]
    assert all(0 <= joules < 3_600_000 for joules in lifetimes)


async def test_net_confusion_repeats_the_net_values_as_totals(sim):
    sim.faults.switch_on("net-confusion")
    used, net = (await _read_json(sim, "/production.json?details=1"))["consumption"]
    for section, source in ((used, net), *zip(used["lines"], net["lines"], strict=True)):
        assert (section["wNow"], section["whLifetime"]) == (source["wNow"], source["whLifetime"])


async def test_a_booting_device_has_no_inverters_and_no_production(sim):
    sim.faults.switch_on("booting")
    assert await _read_json(sim, INVERTERS) == []
    assert set((await _read_json(sim, "/api/v1/production")).values()) == {0}


async def test_device_data_agrees_with_itself_and_with_the_list(sim):
    """watts.now is the interval's energy over its length, dates are those of the list, two meters are counted."""
    listed = {entry["serialNumber"]: entry for entry in await _read_json(sim, INVERTERS)}
    data = await _read_json(sim, DEVICE_DATA)
    inverters = [device for device in data.values() if isinstance(device, dict) and device["devName"] == "pcu"]
    assert data["deviceCount"] == len(listed) + 2
    for device in inverters:
        channel = device["channels"][0]
        last = channel["lastReading"]
        assert channel["watts"]["now"] == listed[device["sn"]]["lastReportWatts"]
        assert channel["watts"]["now"] == pytest.approx(last["joulesProduced"] / last["duration"], abs=0.51)
        assert last["endDate"] == listed[device["sn"]]["lastReportDate"]


async def test_a_report_says_the_same_of_itself_until_the_next_one(sim, time):
    """Also the energy of today: a reader that was restarted must not find another value under the same date."""
    before = await _read_json(sim, DEVICE_DATA)
    time.advance(30)
    after = await _read_json(sim, DEVICE_DATA)
    inverters = [eid for eid, device in before.items() if isinstance(device, dict) and device["devName"] == "pcu"]
    same = [eid for eid in inverters if before[eid]["channels"][0]["created"] == after[eid]["channels"][0]["created"]]
    assert len(same) > len(inverters) // 2
    assert [before[eid] for eid in same] == [after[eid] for eid in same]


async def test_the_unknown_zero_meter_appears_with_8_3(time):
    async with Simulator("firmware-8.3", clock=time) as sim:
        known = {meter["eid"] for meter in await _read_json(sim, "/ivp/meters")}
        unknown = [entry for entry in await _read_json(sim, READINGS) if entry["eid"] not in known]
    assert [entry["activePower"] for entry in unknown] == [0.0]


async def test_8_3_adds_up_power_factors_and_shows_a_zero_third_line(time):
    async with Simulator("firmware-8.3", house="split-phase", clock=time, late_morning=True) as sim:
        production = (await _read_json(sim, READINGS))[0]
        lines = (await _read_json(sim, "/production.json?details=1"))["production"][1]["lines"]
    factors = [channel["pwrFactor"] for channel in production["channels"][:2]]
    assert production["pwrFactor"] == pytest.approx(sum(factors), abs=0.002)
    assert len(lines) == 3
    assert set(lines[2].values()) == {0.0}


@pytest.mark.parametrize(("house", "used"), [("three-phase", 3), ("split-phase", 2), ("single-phase", 1)])
async def test_readings_always_have_three_channels_and_a_summed_voltage(time, house, used):
    async with Simulator("firmware-8", house=house, clock=time) as sim:
        for meter in await _read_json(sim, READINGS):
            volts = [channel["voltage"] for channel in meter["channels"]]
            assert len(volts) == 3
            assert all(volt > 100 for volt in volts[:used])
            assert all(volt < 13 for volt in volts[used:])
            assert meter["voltage"] == pytest.approx(sum(volts[:used]), abs=0.01)


async def test_another_gateway_at_the_address_has_its_own_serial_and_certificate(sim):
    token, fingerprint = sim.make_token(), sim.fingerprint
    sim.faults.switch_on("other-serial", serial="122000000042")
    assert sim.fingerprint != fingerprint
    async with open_reader(sim, None) as client:
        assert "<sn>122000000042</sn>" in (await client.get("/info")).text
        refused = await client.get("/auth/check_jwt", headers={"Authorization": f"Bearer {token}"})
        assert refused.status_code == 401
    sim.faults.switch_off("other-serial")
    assert sim.fingerprint == fingerprint


async def test_a_renewed_certificate_is_another_one(sim):
    fingerprint = sim.fingerprint
    sim.faults.switch_on("new-certificate")
    assert sim.fingerprint != fingerprint


async def test_an_update_from_5_to_7_changes_the_login_the_port_and_the_certificate(time):
    """Gone during the outage, then https and tokens; serial, house and counters stay."""
    async with Simulator("firmware-5", clock=time, late_morning=True) as sim:
        serial, old = sim.serial, sim.fingerprint
        before = sim.device.read_counters()
        sim.faults.switch_on("firmware", to="firmware-7", outage_s=1200)
        async with open_reader(sim, None) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get("/info")
        await _wait_until(time, lambda: sim.faults.get("firmware") is None)
        assert sim.device.profile.firmware == "D7.6.175"
        assert sim.serial == serial
        assert sim.fingerprint != old
        entries = await _read_json(sim, INVERTERS)
        assert len(entries) == len(sim.device.house_profile.panels)
        assert sim.device.read_counters().meters["production"][0] >= before.meters["production"][0]


async def test_an_update_from_7_to_8_brings_device_data(time):
    async with Simulator("firmware-7", clock=time, late_morning=True) as sim:
        async with open_reader(sim) as client:
            assert (await client.get(DEVICE_DATA)).status_code == 404
        sim.faults.switch_on("firmware", to="firmware-8", outage_s=60)
        await _wait_until(time, lambda: sim.faults.get("firmware") is None)
        assert "deviceCount" in await _read_json(sim, DEVICE_DATA)


async def test_the_nightly_restart_ends_sessions_and_passes(sim, time):
    async with open_reader(sim, None) as client:
        await client.get("/auth/check_jwt", headers={"Authorization": f"Bearer {sim.make_token()}"})
        assert (await client.get(INVERTERS)).status_code == 200
        sim.faults.switch_on("nightly-restart", outage_s=120)
        with pytest.raises(httpx.TransportError):
            await client.get(INVERTERS)
        await _wait_until(time, lambda: sim.faults.get("nightly-restart") is None)
        assert (await client.get(INVERTERS)).status_code == 401


async def _wait_until(time, is_true):
    """Move the clock on, a minute at a time, letting everybody run in between."""
    for _ in range(100):
        if is_true():
            return
        await asyncio.sleep(0)
        time.advance(60)
    raise AssertionError("it never happened")


async def test_counters_come_back_higher(sim):
    before = (await _read_json(sim, READINGS))[0]["actEnergyDlvd"]
    sim.faults.switch_on("counter-jump", by=1000)
    phases = len((await _read_json(sim, READINGS))[0]["channels"])
    after = (await _read_json(sim, READINGS))[0]["actEnergyDlvd"]
    assert 1000 * phases <= after - before < 1000 * phases + 100


async def test_the_total_of_the_inverters_wraps_beside_a_true_one():
    async with Simulator("no-ct", clock=make_clock(), late_morning=True) as sim:
        true = (await _read_json(sim, "/api/v1/production"))["wattHoursLifetime"]
        sim.faults.switch_on("total-wrap", at=1000)
        (section,) = (await _read_json(sim, "/production.json"))["production"]
        assert section["whLifetime"] == true % 1000 < true
        assert (await _read_json(sim, "/api/v1/production"))["wattHoursLifetime"] == true


async def test_batteries_are_forgotten_and_come_back(time):
    async with Simulator("battery", clock=time, late_morning=True) as simulator:
        listed = await _read_json(simulator, INVENTORY)
        simulator.faults.switch_on("batteries-forgotten")
        assert await _read_json(simulator, INVENTORY) == []
        simulator.faults.switch_off("batteries-forgotten")
        assert [each["type"] for each in await _read_json(simulator, INVENTORY)] == [each["type"] for each in listed]
        assert listed
