"""Absent endpoints, outages and odd replies are distinguished, and the gateway is spared."""

import asyncio
import contextlib

import pytest

from scraper.errors import (
    BadReplyError,
    EndpointUnavailableError,
    GatewayError,
    GatewayUnreachableError,
    LoginRejectedError,
)
from scraper.gateway.password import derive_installer_password
from scraper.gateway.queries import DEVICE_DATA, METER_READINGS, METERS
from scraper.gateway.stream import PATH as STREAM
from tests.clocks import GATEWAY_NOW_S
from tests.fake_http import CannedReply
from tests.scraper.gateway.fake_gateway import FakeGateway, make_inverters
from tests.scraper.gateway.fake_tokens import SERIAL, make_token
from tests.scraper.gateway.gateway_paths import CHECK, JUDGE


# Absence, outages, odd replies
@pytest.mark.parametrize("status", [404, 301])
async def test_an_absent_endpoint_is_asked_less_and_less_often(fake, token, connected, clock, status):
    """A redirect leads to an error page. Gateways refuse single paths for minutes after a start."""
    fake.special[DEVICE_DATA] = lambda _: CannedReply(status, b"", (("Location", "https://localhost/home"),))
    async with fake, connected(fake, token=lambda: token) as gateway:
        asked = []
        for minute in range(150):
            before = fake.list_paths().count(DEVICE_DATA)
            assert await gateway.read_inverters()
            asked += [minute] * (fake.list_paths().count(DEVICE_DATA) - before)
            clock.advance(60)
        assert asked == [0, 1, 6, 21, 81, 141]
        assert fake.list_paths().count(CHECK) == 1
        del fake.special[DEVICE_DATA]
        fake.answers[DEVICE_DATA] = b"{}"
        clock.advance(3600)
        for _ in range(3):
            assert await gateway.read_inverters()
        assert fake.list_paths().count(DEVICE_DATA) == 6 + 3


async def test_after_an_outage_everything_is_asked_at_once(fake, token, connected, clock):
    """The gateway may have started again, and with it what it refused before."""
    async with fake, connected(fake, token=lambda: token) as gateway:
        assert await gateway.read_inverters()
        await fake.https.stop()
        with pytest.raises(GatewayUnreachableError):
            await gateway.read_inverters()
        with pytest.raises(GatewayUnreachableError):
            await gateway.read_inverters()
        await fake.https.start()
        asked = fake.list_paths().count(DEVICE_DATA)
        assert await gateway.read_inverters()
        assert fake.list_paths().count(DEVICE_DATA) == asked + 1


async def test_meters_that_must_be_there_are_asked_for_every_ten_seconds_at_first(fake, token, connected, clock):
    fake.special[METERS] = lambda _: CannedReply(404, b"")
    async with fake, connected(fake, token=lambda: token) as gateway:
        for _ in range(12):
            assert await gateway.read_meters() == []
            assert gateway.misses_meters
            clock.advance(5)
        assert fake.list_paths().count(METERS) == 6
        del fake.special[METERS]
        fake.answers[METERS] = b'[{"eid": 1, "state": "enabled", "measurementType": "production"}]'
        assert await gateway.read_meters()
        assert not gateway.misses_meters


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
        assert fake.list_paths() == ["/info", METERS]


async def test_an_outage_makes_no_login(fake, token, connected):
    """Around 23:00 the gateway is away for minutes: `/info` first when it is back, then one question at a time."""
    async with fake, connected(fake, token=lambda: token) as gateway:
        await gateway.read_inverters()
        await fake.https.stop()
        await fake.http.stop()
        for _ in range(3):
            with pytest.raises(GatewayUnreachableError):
                await gateway.read_inverters()
        await fake.start()
        fake.clear()
        assert await gateway.read_inverters()
        assert CHECK not in fake.list_paths()
        assert fake.list_paths()[0] == "/info"
        assert gateway.state.login_blocked is None
        assert fake.https.most_in_flight == 1


@pytest.mark.parametrize("body", [b"<html>login</html>", b"[1, 2", b'{"a": 1, "a": 2}', b"[" * 100_000])
async def test_what_is_not_json_is_never_data(fake, token, connected, body):
    """A page with status 200, truncation, nonsense: an error of this poll, the next one is asked again."""
    async with fake, connected(fake, token=lambda: token) as gateway:
        await gateway.connect()
        fake.answers[JUDGE] = body
        with pytest.raises(BadReplyError):
            await gateway.read_inverters()
        fake.answers[JUDGE] = make_inverters()
        assert await gateway.read_inverters()


async def test_concurrent_questions_make_one_login(fake, token, connected):
    """Everybody waits for the same connection."""
    async with fake, connected(fake, token=lambda: token) as gateway:
        await asyncio.gather(*(gateway.read_inverters() for _ in range(4)), gateway.read_meters())
        assert fake.list_paths().count(CHECK) == 1
        assert fake.https.most_in_flight == 1


# Firmware
async def test_a_firmware_update_between_two_polls(connected, token):
    """Digest over http becomes a token over https; what was absent is asked for again."""
    fake = FakeGateway("D5.0.62")
    fake.passwords["installer"] = derive_installer_password(SERIAL)
    fake.tokens.add(token)
    async with fake, connected(fake, token=lambda: token) as gateway:
        assert await gateway.read_inverters()
        assert gateway.identity is not None
        assert gateway.identity.scheme == "http"
        await fake.update("D7.6.175")
        fake.answers[DEVICE_DATA] = b"{}"
        read = None
        for _ in range(2):
            with contextlib.suppress(GatewayUnreachableError):
                read = await gateway.read_inverters()
        assert read
        assert (gateway.identity.scheme, gateway.identity.firmware) == ("https", "D7.6.175")
        assert fake.list_paths().count(DEVICE_DATA) == 2


async def test_an_update_of_a_token_gateway_drops_what_was_known(fake, token, connected, clock):
    """Another firmware may have other endpoints; sessions are gone."""
    async with fake, connected(fake, token=lambda: token) as gateway:
        await gateway.read_inverters()
        await fake.update("D8.3.5433")
        for _ in range(2):
            with contextlib.suppress(GatewayError):
                await gateway.read_inverters()
        assert gateway.identity is not None
        assert gateway.identity.firmware == "D8.3.5433"
        assert fake.list_paths().count(DEVICE_DATA) == 2


async def test_an_update_to_a_firmware_without_a_token_blocks_the_login(connected):
    """A person has to get a token; the message says how."""
    fake = FakeGateway("D5.0.62")
    fake.passwords["installer"] = derive_installer_password(SERIAL)
    async with fake, connected(fake) as gateway:
        await gateway.read_inverters()
        await fake.update("D7.6.175")
        with pytest.raises(GatewayUnreachableError):
            await gateway.read_inverters()
        with pytest.raises(LoginRejectedError, match="entrez"):
            await gateway.read_inverters()


@pytest.mark.parametrize(
    ("time_s", "offset"), [(GATEWAY_NOW_S, 0.5), (GATEWAY_NOW_S + 86400, 86400.5), (0, 0.5 - GATEWAY_NOW_S)]
)
async def test_the_gateways_clock_is_measured(fake, token, connected, time_s, offset):
    """A year ahead, or in 1970: the offset is reported, and nothing else depends on it."""
    fake.time_s = time_s
    async with fake, connected(fake, token=lambda: token) as gateway:
        assert (await gateway.connect()).clock_offset_s == offset


async def test_what_worked_and_is_refused_for_minutes_is_gone_until_it_answers(fake, token, connected, clock):
    """An outage at first, asked whenever its turn comes; then as rarely as what was never there."""
    fake.imeter = "false"
    async with fake, connected(fake, token=lambda: token) as gateway:
        await gateway.get_json(METERS)
        fake.special[METERS] = lambda _: CannedReply(404, b"")
        outcomes, asked = [], []
        for minute in range(100):
            before = fake.list_paths().count(METERS)
            with pytest.raises((GatewayUnreachableError, EndpointUnavailableError)) as caught:
                await gateway.get_json(METERS)
            outcomes.append(caught.type)
            asked += [minute] * (fake.list_paths().count(METERS) - before)
            clock.advance(60)
        assert outcomes == [GatewayUnreachableError] * 6 + [EndpointUnavailableError] * 94
        assert asked == [0, 1, 2, 3, 4, 5, 6, 7, 12, 27, 87]
        assert gateway.meters_are_gone
        del fake.special[METERS]
        clock.advance(3600)
        await gateway.get_json(METERS)
        assert not gateway.meters_are_gone
        fake.special[METERS] = lambda _: CannedReply(404, b"")
        with pytest.raises(GatewayUnreachableError):
            await gateway.get_json(METERS)


async def test_a_path_out_of_order_for_minutes_is_gone_and_asked_all_the_same(fake, token, connected, clock):
    """502 or 503 for good, at one path: what stands in for it is used; it is asked whenever its turn comes."""
    fake.special[METERS] = lambda _: CannedReply(502, b"<html>Bad Gateway</html>")
    async with fake, connected(fake, token=lambda: token) as gateway:
        await gateway.connect()
        for _ in range(6):
            with pytest.raises(GatewayUnreachableError):
                await gateway.read_meters()
            clock.advance(60)
        assert gateway.known_meters is None
        assert await gateway.read_meters() == []
        assert gateway.meters_are_gone
        del fake.special[METERS]
        assert await gateway.read_meters() == []
        assert not gateway.meters_are_gone


async def test_signs_of_a_start_make_the_gateway_be_asked_for_everything_again(fake, token, connected, clock):
    """No endpoint tells how long it is up: 503 where it gave data tells that it has just started."""
    fake.special[DEVICE_DATA] = lambda _: CannedReply(404, b"")
    async with fake, connected(fake, token=lambda: token) as gateway:
        await gateway.get_json(METERS)
        for _ in range(30):
            await gateway.read_inverters()
            clock.advance(60)
        asked = fake.list_paths().count(DEVICE_DATA)
        fake.special[METERS] = lambda _: CannedReply(503, b"")
        with pytest.raises(GatewayUnreachableError):
            await gateway.get_json(METERS)
        for _ in range(12):
            await gateway.read_inverters()
            clock.advance(5)
        assert fake.list_paths().count(DEVICE_DATA) == asked + 6


@pytest.mark.parametrize(("role", "eager"), [("installer", 6), ("owner", 1)])
async def test_readings_and_stream_of_a_metered_gateway_are_asked_for_eagerly(connected, clock, role, eager):
    """The stream only for a login that is known to get it: owners are refused for good."""
    token = make_token(role=role)
    fake = FakeGateway()
    fake.tokens.add(token)
    fake.answers[METERS] = b'[{"eid": 1, "state": "enabled", "measurementType": "production"}]'
    for path in (METER_READINGS, STREAM):
        fake.special[path] = lambda _: CannedReply(404, b"")
    async with fake, connected(fake, token=lambda: token) as gateway:
        for _ in range(12):
            with contextlib.suppress(EndpointUnavailableError):
                await gateway.read_meter_readings()
            with contextlib.suppress(EndpointUnavailableError):
                async with contextlib.aclosing(gateway.stream_bursts()) as bursts:
                    await anext(bursts)
            clock.advance(5)
        assert fake.list_paths().count(METER_READINGS) == 6
        assert fake.list_paths().count(STREAM) == eager


async def test_meters_that_are_a_web_page_for_minutes_are_gone(fake, token, connected, clock):
    """3.x answers so where it lacks a page. It must not stop inverters from telling that the gateway is there."""
    fake.answers[METERS] = b"<html>Page Not Found</html>"
    async with fake, connected(fake, token=lambda: token) as gateway:
        for _ in range(6):
            with pytest.raises(BadReplyError):
                await gateway.read_meters()
            clock.advance(60)
        assert await gateway.read_meters() == []
        assert gateway.meters_are_gone
        fake.answers[METERS] = b"[1, 2"
        assert await gateway.read_meters() == []
        fake.answers[METERS] = b""
        assert await gateway.read_meters() == []
        assert not gateway.meters_are_gone, "an empty reply is one"
        fake.answers[METERS] = b"<html>Page Not Found</html>"
        clock.advance(400)
        with pytest.raises(BadReplyError):
            await gateway.read_meters()
