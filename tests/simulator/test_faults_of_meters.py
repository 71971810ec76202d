"""Faults of meters and lists: each one really is on the wire, beside values that are as they were."""

import asyncio
import json

import pytest

from simulator.server import Simulator
from tests.simulator.reading import make_clock, open_reader

READINGS = "/ivp/meters/readings"
METERS = "/ivp/meters"
INVERTERS = "/api/v1/production/inverters"


@pytest.fixture
async def sim():
    async with Simulator("battery", clock=make_clock(), late_morning=True) as simulator:
        yield simulator


async def ask(sim, path):
    async with open_reader(sim) as client:
        return (await client.get(path)).json()


async def read_channels(sim, meter):
    eid = next(one["eid"] for one in await ask(sim, METERS) if one["measurementType"] == meter)
    return next(entry["channels"] for entry in await ask(sim, READINGS) if entry["eid"] == eid)


async def test_a_phase_drops_out_for_one_reply(sim):
    before = await read_channels(sim, "storage")
    sim.faults.switch_on("phase-drops", meter="storage", phase=0, path=READINGS, times=1)
    lost, other, *_ = await read_channels(sim, "storage")
    assert {value for key, value in lost.items() if key not in ("eid", "timestamp", "freq")} == {0.0}
    assert lost["freq"] > 49
    assert other == before[1]
    assert await read_channels(sim, "storage") == before


async def test_null_in_a_phase(sim):
    sim.faults.switch_on("phase-null", meter="production", phase=1)
    first, second, *_ = await read_channels(sim, "production")
    assert second["activePower"] is None
    assert first["activePower"] > 0
    assert second["voltage"] > 200


async def test_a_production_meter_that_is_off_makes_the_total_net_and_noise(sim):
    sim.faults.switch_on("production-ct-off")
    states = {one["measurementType"]: one["state"] for one in await ask(sim, METERS)}
    assert (states["production"], states["net-consumption"]) == ("disabled", "enabled")
    sim.faults.switch_on("production-ct-absent")
    assert {channel["activePower"] for channel in (await read_channels(sim, "production"))[:3]} == {-1.0}


async def test_inverters_of_others_have_a_meter(sim):
    before = [channel["activePower"] for channel in (await read_channels(sim, "net-consumption"))[:3]]
    sim.faults.switch_on("other-production", watts=3000.0)
    assert {channel["activePower"] for channel in (await read_channels(sim, "pv3p"))[:3]} == {1000.0}
    after = [channel["activePower"] for channel in (await read_channels(sim, "net-consumption"))[:3]]
    assert after == pytest.approx([power - 1000.0 for power in before])


async def test_transformers_that_are_wired_wrongly(sim):
    before = [channel["activePower"] for channel in (await read_channels(sim, "net-consumption"))[:3]]
    sim.faults.switch_on("reversed-ct")
    assert [channel["activePower"] for channel in (await read_channels(sim, "net-consumption"))[:3]] == [
        -w for w in before
    ]
    sim.faults.switch_off("reversed-ct")
    sim.faults.switch_on("copied-channel")
    assert {channel["activePower"] for channel in (await read_channels(sim, "net-consumption"))[:3]} == {before[0]}


async def test_the_list_of_inverters_may_be_odd(sim):
    plain = await ask(sim, INVERTERS)
    sim.faults.switch_on("unsigned-watts")
    sim.faults.switch_on("serial-twice")
    odd = await ask(sim, INVERTERS)
    assert odd[0]["lastReportWatts"] == 4_294_967_292
    assert odd[-1]["serialNumber"] == odd[0]["serialNumber"]
    assert odd[1:-1] == plain[1:]


async def test_nothing_is_there_for_a_while(sim):
    sim.faults.switch_on("empty-body", path=METERS, times=1)
    sim.faults.switch_on("not-found", path=READINGS, times=1)
    async with open_reader(sim) as client:
        empty, missing = await client.get(METERS), await client.get(READINGS)
        assert (empty.status_code, empty.content, missing.status_code) == (200, b"", 404)
        assert (await client.get(METERS)).json()
        sim.faults.switch_on("lower-nan", path=READINGS, times=1)
        with pytest.raises(json.JSONDecodeError):
            json.loads((await client.get(READINGS)).content)


async def test_the_stream_loses_a_phase_and_holds_events_back():
    time = make_clock()
    async with Simulator("firmware-8", clock=time, late_morning=True) as sim:
        sim.faults.switch_on("phase-drops", meter="net-consumption", phase=1)
        sim.faults.switch_on("stream-hold", events=3)
        async with open_reader(sim, "installer") as client, client.stream("GET", "/stream/meter") as reply:
            pieces = reply.aiter_raw()
            for _ in range(5):
                await asyncio.sleep(0.05)  # the stream waits for each second by itself
                time.advance(1)
            events = [line for line in (await anext(pieces)).splitlines() if line]
            assert len(events) == 3
            event = json.loads(events[0].removeprefix(b"data: "))
            lost = event["net-consumption"]["ph-b"]
            assert (lost["p"], lost["v"], lost["f"] > 49) == (0.0, 0.0, True)
            assert event["total-consumption"]["ph-b"]["p"] == event["production"]["ph-b"]["p"]


async def test_silent_batteries_keep_their_charge_and_give_no_power(sim):
    async def read_batteries():
        inventory = await ask(sim, "/ivp/ensemble/inventory")
        return [unit for part in inventory if part["type"] == "ENCHARGE" for unit in part["devices"]]

    before = await read_batteries()
    sim.faults.switch_on("battery-silent")
    silent = await read_batteries()
    assert {unit["communicating"] for unit in before} == {True}
    assert {unit["communicating"] for unit in silent} == {False}
    assert [unit["percentFull"] for unit in silent] == [unit["percentFull"] for unit in before]
    assert (await ask(sim, "/ivp/ensemble/power"))["devices:"] == []
