"""Phases that had a power are no unused inputs when they show nothing but zeros, over real sockets and in events."""

import json

import pytest

from scraper.gateway.meter_list import SEEN_S, MeterList
from scraper.gateway.parse.meters import ConfiguredMeter
from scraper.gateway.parse.phases import MeterValues
from scraper.gateway.parse.stream import parse_event
from simulator.server import Simulator
from tests.clocks import StoppedClock
from tests.scraper.gateway.test_simulated_gateways import open_gateway

READINGS = "/ivp/meters/readings"


def select(values, meter):
    """The values of one meter by phase."""
    return {one.phase: one.values for one in values if one.meter == meter}


@pytest.mark.parametrize("meter", ["production", "storage"])
async def test_a_meter_of_which_every_phase_is_zero_is_silent_in_that_poll(tmp_path, meter):
    clock = StoppedClock()
    async with Simulator("battery", late_morning=True) as sim, open_gateway(sim, tmp_path, clock=clock) as gateway:
        await gateway.connect()
        before = select(await gateway.read_meter_readings(), meter)
        assert all("power" in values for values in before.values())
        sim.faults.switch_on("meter-zeros", meter=meter)
        assert select(await gateway.read_meter_readings(), meter) == {phase: {} for phase in before}
        clock.advance(SEEN_S + 1)  # a transformer that was taken off does not leave the sum unknown for good
        await gateway.read_meter_readings()
        assert select(await gateway.read_meter_readings(), meter) == {}


async def test_a_meter_that_is_zero_from_the_first_poll_on_has_no_phases(tmp_path):
    async with Simulator("battery", late_morning=True) as sim, open_gateway(sim, tmp_path) as gateway:
        await gateway.connect()
        sim.faults.switch_on("meter-zeros", meter="storage")
        assert select(await gateway.read_meter_readings(), "storage") == {}


@pytest.mark.parametrize("phase_count", [0, 1])
def test_a_phase_of_a_stream_is_silent_whether_or_not_the_number_of_phases_is_stated(phase_count):
    meters = MeterList(StoppedClock())
    meters.note_answer([ConfiguredMeter(1, "production", True, phase_count, "", ())], metered=True)
    event = {"production": {"ph-a": dict.fromkeys("pqsvi", 0.0) | {"pf": 0.0, "f": 0.0}}}
    line = json.dumps(event).encode()
    assert parse_event(line, meters.known) == []
    meters.note_values([MeterValues("production", "a", 1, {"power": 5.0, "voltage": 230.0}, {})])
    assert parse_event(line, meters.known) == [MeterValues("production", "a", None, {}, {})]
