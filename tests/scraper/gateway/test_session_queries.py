"""What the gateway client asks, and how the answers of two endpoints become one."""

import json

import pytest

from scraper.gateway.queries import DEVICE_DATA, ENERGY, METER_READINGS, METERS, PRODUCTION, PRODUCTION_V1
from tests.clocks import GATEWAY_NOW_S
from tests.fake_http import CannedReply, make_raw
from tests.scraper.gateway.fake_gateway import FakeGateway, make_inverters
from tests.scraper.gateway.gateway_paths import JUDGE


# What is asked
async def test_the_richer_endpoint_adds_to_the_list(fake, token, connected):
    """Joined by serial and report date; the list is asked first."""
    channel = {"lastReading": {"endDate": GATEWAY_NOW_S - 60, "duration": 900, "channelTemp": 38}}
    device = {"devName": "pcu", "sn": "122012345600", "active": True, "modGone": False, "channels": [channel]}
    fake.answers[DEVICE_DATA] = json.dumps({"deviceCount": 1, "deviceDataLimit": 50, "1": device}).encode()
    async with fake, connected(fake, token=lambda: token) as gateway:
        (inverter,) = await gateway.read_inverters()
        assert inverter.fields["power"] == 143
        assert inverter.fields["temperature"] == 38
        assert fake.list_paths()[-2:] == [JUDGE, DEVICE_DATA]


@pytest.mark.parametrize(
    "trouble", [CannedReply(200, b"<html>"), CannedReply(503), CannedReply(401), make_raw(b"HTTP/1.1 200 OK\r\n")]
)
async def test_no_inverter_is_lost_to_the_richer_endpoint(fake, token, connected, trouble):
    """Whatever ails it."""
    fake.special[DEVICE_DATA] = lambda _: trouble
    async with fake, connected(fake, token=lambda: token) as gateway:
        for _ in range(2):
            assert len(await gateway.read_inverters()) == 1


async def test_fifty_devices_are_read_from_the_complete_list(fake, token, connected):
    """At its limit the richer endpoint leaves some out without a word."""
    fake.answers[JUDGE] = make_inverters(*range(GATEWAY_NOW_S - 60, GATEWAY_NOW_S))
    fake.answers[DEVICE_DATA] = b'{"deviceCount": 60, "deviceDataLimit": 50}'
    async with fake, connected(fake, token=lambda: token) as gateway:
        assert len(await gateway.read_inverters()) == 60


async def test_meters_are_asked_every_five_minutes(fake, token, connected, clock):
    """And readings are not asked at all without an enabled meter."""
    fake.imeter = "false"
    async with fake, connected(fake, token=lambda: token) as gateway:
        unasked = gateway.known_meters
        assert unasked is None
        for _ in range(6):
            assert await gateway.read_meter_readings() == []
            clock.advance(60)
        assert gateway.known_meters == []
        assert fake.list_paths().count(METERS) == 2
        assert METER_READINGS not in fake.list_paths()


METER = b"""[{"eid": 1, "state": "enabled", "measurementType": "production", "phaseMode": "single", "phaseCount": 1}]"""


async def test_meter_readings_join_the_meters(fake, token, connected):
    """And a measured production needs no sum."""
    fake.answers[METERS] = METER
    fake.answers[METER_READINGS] = (
        b'[{"eid": 1, "timestamp": 1718213300, "channels": [{"eid": 2, "timestamp": 1718213300, "activePower": 488.9, '
        b'"voltage": 235.2, "actEnergyDlvd": 10.5}]}]'
    )
    async with fake, connected(fake, token=lambda: token) as gateway:
        (phase,) = await gateway.read_meter_readings()
        assert (phase.meter, phase.phase, phase.timestamp_s) == ("production", "a", 1718213300)
        assert dict(phase.values)["power"] == 488.9
        assert await gateway.read_production() is None


WRAPPED = {"type": "inverters", "activeCount": 24, "readingTime": 1718213300, "wNow": 5739, "whLifetime": 351236}
TRUE_TOTAL = b'{"wattHoursToday": 2900, "wattHoursSevenDays": 15195, "wattHoursLifetime": 1544282, "wattsNow": 5739}'


async def test_a_wrapped_total_is_not_believed_while_the_path_of_the_true_one_is_only_refused_now(
    fake, token, connected, clock
):
    """At the very first poll, and at any later one: it would stand in the store once, beside the true one."""
    fake.firmware, fake.imeter = "D7.3.517", "false"
    fake.answers[PRODUCTION] = json.dumps({"production": [WRAPPED]}).encode()
    async with fake, connected(fake, token=lambda: token) as gateway:

        async def read_total():
            reading = await gateway.read_production()
            assert reading is not None
            return reading.tags["source"], reading.fields.get("energy_lifetime")

        assert await read_total() == ("inverters", None)
        clock.advance(60)
        fake.answers[PRODUCTION_V1] = TRUE_TOTAL
        assert await read_total() == ("api", 1544282.0)
        fake.answers[PRODUCTION_V1] = b""
        for _ in range(20):
            clock.advance(60)
            assert await read_total() == ("inverters", None)


async def test_where_a_gateway_never_gives_the_true_total_the_other_one_is_used(fake, token, connected, clock):
    fake.firmware, fake.imeter = "D7.3.517", "false"
    fake.answers[PRODUCTION] = json.dumps({"production": [WRAPPED]}).encode()
    async with fake, connected(fake, token=lambda: token) as gateway:
        readings = []
        for _ in range(15):
            readings.append(await gateway.read_production())
            clock.advance(60)
        assert ["energy_lifetime" in reading.fields for reading in readings if reading] == [False] * 6 + [True] * 9


async def test_production_comes_from_the_cheapest_endpoint_there_is(fake, token, connected):
    """`/ivp/pdm/energy`, else the slow page, else v1; absent ones are not asked again."""
    totals = b'{"wattHoursToday": 2900, "wattHoursSevenDays": 15195, "wattHoursLifetime": 8485676, "wattsNow": 887}'
    fake.firmware = "D7.6.175"
    fake.answers[PRODUCTION_V1] = totals
    async with fake, connected(fake, token=lambda: token) as gateway:
        for _ in range(2):
            reading = await gateway.read_production()
            assert reading is not None
            assert (reading.tags["source"], reading.fields["power"]) == ("api", 887)
        assert [fake.list_paths().count(path) for path in (ENERGY, PRODUCTION, PRODUCTION_V1)] == [1, 1, 2]
    fake = FakeGateway()
    fake.tokens.add(token)
    fake.answers[ENERGY] = b'{"production": {"pcu": ' + totals + b"}}"
    async with fake, connected(fake, token=lambda: token) as gateway:
        reading = await gateway.read_production()
        assert reading is not None
        assert reading.tags["source"] == "pdm"
        assert PRODUCTION not in fake.list_paths()
