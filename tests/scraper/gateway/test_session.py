"""The gateway client as a whole: rights and sessions told apart, updates survived, the gateway spared."""

import asyncio
import contextlib
import json

import pytest

from scraper.errors import (
    BadReplyError,
    EndpointUnavailableError,
    GatewayError,
    GatewayUnreachableError,
    LoginRejectedError,
    SessionExpiredError,
)
from scraper.gateway.password import installer_password
from scraper.gateway.queries import DEVICE_DATA, ENERGY, METER_READINGS, METERS, PRODUCTION, PRODUCTION_V1
from tests.scraper.gateway.fake import NOW_S, SERIAL, CannedReply, FakeGateway, inverters, make_token, raw

CHECK = "/auth/check_jwt"
JUDGE = "/api/v1/production/inverters"


@pytest.fixture
def token():
    return make_token()


@pytest.fixture
def fake(token):
    gateway = FakeGateway()
    gateway.tokens.add(token)
    return gateway


# 401: a missing right, or a lost session


async def test_a_401_on_one_endpoint_is_a_missing_right(fake, token, connected):
    """Asked once, remembered, no login made because of it; the others go on."""
    fake.refused.add(METER_READINGS)
    async with fake, connected(fake, token=lambda: token) as gateway:
        for _ in range(3):
            with pytest.raises(EndpointUnavailableError):
                await gateway.get_json(METER_READINGS)
        assert fake.paths().count(METER_READINGS) == 1
        assert fake.paths().count(CHECK) == 1
        assert await gateway.inverters()


async def test_a_403_is_like_a_401(fake, token, connected):
    """As mature clients treat it."""
    fake.special["/ivp/x"] = lambda _: CannedReply(403)
    async with fake, connected(fake, token=lambda: token) as gateway:
        with pytest.raises(EndpointUnavailableError):
            await gateway.get_json("/ivp/x")


async def test_a_lapsed_session_is_renewed_once_and_unnoticed(fake, token, connected):
    """Same token, new cookie, the question asked again."""
    async with fake, connected(fake, token=lambda: token) as gateway:
        await gateway.get_json(METERS)
        fake.sessions.clear()
        fake.clear()
        assert await gateway.get_json(METERS) == []
        assert fake.paths() == [METERS, CHECK, METERS]


async def test_a_lapsed_session_is_no_missing_right(fake, token, connected):
    """The first question after the lapse goes to an endpoint that was never asked before."""
    fake.answers["/ivp/new"] = b"{}"
    async with fake, connected(fake, token=lambda: token) as gateway:
        await gateway.connect()
        fake.sessions.clear()
        assert await gateway.get_json("/ivp/new") == {}


async def test_a_right_that_is_taken_away_is_noticed(fake, token, connected):
    """It worked, the session is fine, it no longer works: one renewal, then absent."""
    async with fake, connected(fake, token=lambda: token) as gateway:
        await gateway.get_json(METERS)
        fake.refused.add(METERS)
        fake.clear()
        with pytest.raises(EndpointUnavailableError):
            await gateway.get_json(METERS)
        assert fake.paths() == [METERS, CHECK, METERS, JUDGE]


async def test_a_401_on_everything_makes_one_new_login_and_then_stops(fake, token, connected, clock):
    """A revoked token: said once to need a person, not asked again for five minutes."""
    async with fake, connected(fake, token=lambda: token) as gateway:
        await gateway.inverters()
        fake.tokens.clear()
        fake.sessions.clear()
        with pytest.raises(SessionExpiredError):
            await gateway.inverters()
        with pytest.raises(LoginRejectedError):
            await gateway.inverters()
        fake.clear()
        for _ in range(5):
            with pytest.raises(LoginRejectedError):
                await gateway.inverters()
        assert fake.paths() == []
        fake.tokens.add(token)
        clock.advance(301)
        assert await gateway.inverters()


async def test_a_digest_401_on_one_endpoint_is_a_missing_right(connected):
    """D3.18.10 refuses /ivp/meters to everybody."""
    fake = FakeGateway("D3.18.10")
    fake.passwords["installer"] = installer_password(SERIAL)
    fake.special[METERS] = lambda _: CannedReply(401, b"Error: 401")
    async with fake, connected(fake) as gateway:
        assert await gateway.meters() == []
        assert await gateway.inverters()
        assert METERS not in [*fake.paths()][fake.paths().index(METERS) + 1 :]


# Absence, outages, odd replies


@pytest.mark.parametrize("status", [404, 301])
async def test_an_absent_endpoint_is_asked_once_in_four_hours(fake, token, connected, clock, status):
    """A redirect leads to an error page; after four hours the firmware may have changed."""
    fake.special[DEVICE_DATA] = lambda _: CannedReply(status, b"", (("Location", "https://localhost/home"),))
    async with fake, connected(fake, token=lambda: token) as gateway:
        for _ in range(5):
            assert await gateway.inverters()
            clock.advance(60)
        assert fake.paths().count(DEVICE_DATA) == 1
        clock.advance(4 * 3600)
        assert await gateway.inverters()
        assert fake.paths().count(DEVICE_DATA) == 2
        assert fake.paths().count("/info") == 2
        assert fake.paths().count(CHECK) == 1


@pytest.mark.parametrize("status", [404, 500, 502, 503, 429])
async def test_a_restart_is_no_absence(fake, token, connected, status):
    """What used to work is asked again, after a look at who is there; no login is made for it."""
    async with fake, connected(fake, token=lambda: token) as gateway:
        await gateway.get_json(METERS)
        fake.special[METERS] = lambda _: CannedReply(status, b"<html>Bad Gateway</html>")
        with pytest.raises(GatewayUnreachableError):
            await gateway.get_json(METERS)
        del fake.special[METERS]
        fake.clear()
        assert await gateway.get_json(METERS) == []
        assert fake.paths() == ["/info", METERS]


async def test_an_outage_makes_no_login(fake, token, connected):
    """Around 23:00 the gateway is away for minutes: `/info` first when it is back, then one question at a time."""
    async with fake, connected(fake, token=lambda: token) as gateway:
        await gateway.inverters()
        await fake.https.stop()
        await fake.http.stop()
        for _ in range(3):
            with pytest.raises(GatewayUnreachableError):
                await gateway.inverters()
        await fake.start()
        fake.clear()
        assert await gateway.inverters()
        assert CHECK not in fake.paths()
        assert fake.paths()[0] == "/info"
        assert gateway.state.login_blocked is None
        assert fake.https.most_in_flight == 1


@pytest.mark.parametrize("body", [b"<html>login</html>", b"", b"[1, 2", b'{"a": 1, "a": 2}', b"[" * 100_000])
async def test_what_is_not_json_is_never_data(fake, token, connected, body):
    """A page with status 200, truncation, nonsense: an error of this poll, the next one is asked again."""
    async with fake, connected(fake, token=lambda: token) as gateway:
        await gateway.connect()
        fake.answers[JUDGE] = body
        with pytest.raises(BadReplyError):
            await gateway.inverters()
        fake.answers[JUDGE] = inverters()
        assert await gateway.inverters()


async def test_concurrent_questions_make_one_login(fake, token, connected):
    """Everybody waits for the same connection."""
    async with fake, connected(fake, token=lambda: token) as gateway:
        await asyncio.gather(*(gateway.inverters() for _ in range(4)), gateway.meters())
        assert fake.paths().count(CHECK) == 1
        assert fake.https.most_in_flight == 1


# Firmware


async def test_a_firmware_update_between_two_polls(connected, token):
    """Digest over http becomes a token over https; what was absent is asked for anew."""
    fake = FakeGateway("D5.0.62")
    fake.passwords["installer"] = installer_password(SERIAL)
    fake.tokens.add(token)
    async with fake, connected(fake, token=lambda: token) as gateway:
        assert await gateway.inverters()
        assert gateway.identity is not None
        assert gateway.identity.scheme == "http"
        await fake.update("D7.6.175")
        fake.answers[DEVICE_DATA] = b"{}"
        read = None
        for _ in range(2):
            with contextlib.suppress(GatewayUnreachableError):
                read = await gateway.inverters()
        assert read
        assert (gateway.identity.scheme, gateway.identity.firmware) == ("https", "D7.6.175")
        assert fake.paths().count(DEVICE_DATA) == 2


async def test_an_update_of_a_token_gateway_drops_what_was_known(fake, token, connected, clock):
    """Another firmware may have other endpoints; sessions are gone."""
    async with fake, connected(fake, token=lambda: token) as gateway:
        await gateway.inverters()
        await fake.update("D8.3.5433")
        for _ in range(2):
            with contextlib.suppress(GatewayError):
                await gateway.inverters()
        assert gateway.identity is not None
        assert gateway.identity.firmware == "D8.3.5433"
        assert fake.paths().count(DEVICE_DATA) == 2


async def test_an_update_to_a_firmware_without_a_token_blocks_the_login(connected):
    """A person has to get a token; the message says how."""
    fake = FakeGateway("D5.0.62")
    fake.passwords["installer"] = installer_password(SERIAL)
    async with fake, connected(fake) as gateway:
        await gateway.inverters()
        await fake.update("D7.6.175")
        with pytest.raises(GatewayUnreachableError):
            await gateway.inverters()
        with pytest.raises(LoginRejectedError, match="entrez"):
            await gateway.inverters()


@pytest.mark.parametrize(("time_s", "offset"), [(NOW_S, 0.5), (NOW_S + 86400, 86400.5), (0, 0.5 - NOW_S)])
async def test_the_gateways_clock_is_measured(fake, token, connected, time_s, offset):
    """A year ahead, or in 1970: the offset is told, nothing else depends on it."""
    fake.time_s = time_s
    async with fake, connected(fake, token=lambda: token) as gateway:
        assert (await gateway.connect()).clock_offset_s == offset


# What is asked


async def test_the_richer_endpoint_adds_to_the_list(fake, token, connected):
    """Joined by serial and report date; the list is asked first."""
    channel = {"lastReading": {"endDate": NOW_S - 60, "duration": 900, "channelTemp": 38}}
    device = {"devName": "pcu", "sn": "122012345600", "active": True, "modGone": False, "channels": [channel]}
    fake.answers[DEVICE_DATA] = json.dumps({"deviceCount": 1, "deviceDataLimit": 50, "1": device}).encode()
    async with fake, connected(fake, token=lambda: token) as gateway:
        (inverter,) = await gateway.inverters()
        assert inverter.fields["power"] == 143
        assert inverter.fields["temperature"] == 38
        assert fake.paths()[-2:] == [JUDGE, DEVICE_DATA]


@pytest.mark.parametrize(
    "trouble", [CannedReply(200, b"<html>"), CannedReply(503), CannedReply(401), raw(b"HTTP/1.1 200 OK\r\n")]
)
async def test_no_inverter_is_lost_to_the_richer_endpoint(fake, token, connected, trouble):
    """Whatever ails it."""
    fake.special[DEVICE_DATA] = lambda _: trouble
    async with fake, connected(fake, token=lambda: token) as gateway:
        for _ in range(2):
            assert len(await gateway.inverters()) == 1


async def test_fifty_devices_are_read_from_the_complete_list(fake, token, connected):
    """At its limit the richer endpoint leaves some out without a word."""
    fake.answers[JUDGE] = inverters(*range(NOW_S - 60, NOW_S))
    fake.answers[DEVICE_DATA] = b'{"deviceCount": 60, "deviceDataLimit": 50}'
    async with fake, connected(fake, token=lambda: token) as gateway:
        assert len(await gateway.inverters()) == 60


async def test_meters_are_asked_every_five_minutes(fake, token, connected, clock):
    """And readings are not asked at all without an enabled meter."""
    async with fake, connected(fake, token=lambda: token) as gateway:
        unasked = gateway.known_meters
        assert unasked is None
        for _ in range(6):
            assert await gateway.meter_readings() == []
            clock.advance(60)
        assert gateway.known_meters == []
        assert fake.paths().count(METERS) == 2
        assert METER_READINGS not in fake.paths()


METER = b"""[{"eid": 1, "state": "enabled", "measurementType": "production", "phaseMode": "single", "phaseCount": 1}]"""


async def test_meter_readings_join_the_meters(fake, token, connected):
    """And a measured production needs no sum."""
    fake.answers[METERS] = METER
    fake.answers[METER_READINGS] = (
        b'[{"eid": 1, "timestamp": 1718213300, "channels": [{"eid": 2, "timestamp": 1718213300, "activePower": 488.9, '
        b'"voltage": 235.2, "actEnergyDlvd": 10.5}]}]'
    )
    async with fake, connected(fake, token=lambda: token) as gateway:
        (phase,) = await gateway.meter_readings()
        assert (phase.meter, phase.phase, phase.timestamp_s) == ("production", "a", 1718213300)
        assert dict(phase.values)["power"] == 488.9
        assert await gateway.production() is None


async def test_production_comes_from_the_cheapest_endpoint_there_is(fake, token, connected):
    """`/ivp/pdm/energy`, else the slow page, else v1; absent ones are not asked again."""
    totals = b'{"wattHoursToday": 2900, "wattHoursSevenDays": 15195, "wattHoursLifetime": 8485676, "wattsNow": 887}'
    fake.firmware = "D7.6.175"
    fake.answers[PRODUCTION_V1] = totals
    async with fake, connected(fake, token=lambda: token) as gateway:
        for _ in range(2):
            reading = await gateway.production()
            assert reading is not None
            assert (reading.tags["source"], reading.fields["power"]) == ("api", 887)
        assert [fake.paths().count(path) for path in (ENERGY, PRODUCTION, PRODUCTION_V1)] == [1, 1, 2]
    fake = FakeGateway()
    fake.tokens.add(token)
    fake.answers[ENERGY] = b'{"production": {"pcu": ' + totals + b"}}"
    async with fake, connected(fake, token=lambda: token) as gateway:
        reading = await gateway.production()
        assert reading is not None
        assert reading.tags["source"] == "pdm"
        assert PRODUCTION not in fake.paths()
