"""A 401 of the gateway: a missing right is distinguished from a lost session."""

import pytest

from scraper.errors import (
    EndpointUnavailableError,
    LoginRejectedError,
    SessionExpiredError,
)
from scraper.gateway.password import derive_installer_password
from scraper.gateway.queries import METER_READINGS, METERS
from tests.fake_http import CannedReply
from tests.scraper.gateway.fake_gateway import FakeGateway
from tests.scraper.gateway.fake_tokens import SERIAL
from tests.scraper.gateway.gateway_paths import CHECK, JUDGE


# 401: a missing right, or a lost session
async def test_a_401_on_one_endpoint_is_a_missing_right(fake, token, connected):
    """Asked once, remembered, no login made because of it; the others go on."""
    fake.refused.add(METER_READINGS)
    async with fake, connected(fake, token=lambda: token) as gateway:
        for _ in range(3):
            with pytest.raises(EndpointUnavailableError):
                await gateway.get_json(METER_READINGS)
        assert fake.list_paths().count(METER_READINGS) == 1
        assert fake.list_paths().count(CHECK) == 1
        assert await gateway.read_inverters()


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
        assert fake.list_paths() == [METERS, CHECK, METERS]


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
        assert fake.list_paths() == [METERS, CHECK, METERS, JUDGE]


async def test_a_401_on_everything_makes_one_new_login_and_then_stops(fake, token, connected, clock):
    """A revoked token: said once to need a person, not asked again for five minutes."""
    async with fake, connected(fake, token=lambda: token) as gateway:
        await gateway.read_inverters()
        fake.tokens.clear()
        fake.sessions.clear()
        with pytest.raises(SessionExpiredError):
            await gateway.read_inverters()
        with pytest.raises(LoginRejectedError):
            await gateway.read_inverters()
        fake.clear()
        for _ in range(5):
            with pytest.raises(LoginRejectedError):
                await gateway.read_inverters()
        assert fake.list_paths() == []
        fake.tokens.add(token)
        clock.advance(301)
        assert await gateway.read_inverters()


async def test_a_digest_401_on_one_endpoint_is_a_missing_right(connected):
    """D3.18.10 refuses /ivp/meters to everybody."""
    fake = FakeGateway("D3.18.10")
    fake.passwords["installer"] = derive_installer_password(SERIAL)
    fake.special[METERS] = lambda _: CannedReply(401, b"Error: 401")
    async with fake, connected(fake) as gateway:
        assert await gateway.read_meters() == []
        assert await gateway.read_inverters()
        assert METERS not in [*fake.list_paths()][fake.list_paths().index(METERS) + 1 :]
