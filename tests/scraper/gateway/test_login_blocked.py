"""Refused logins: said once, never a loop, resumed when there is something new to try."""

import pytest

from scraper.errors import (
    CloudRefusedError,
    LoginRejectedError,
    ScraperSettingError,
)
from scraper.gateway.tokens import TokenCache, parse_token
from shared.units import DAY_S
from tests.clocks import GATEWAY_NOW_S
from tests.scraper.gateway.fake_gateway import FakeGateway
from tests.scraper.gateway.fake_tokens import SERIAL, make_credentials, make_token
from tests.scraper.gateway.test_login import CHECK


async def test_an_expired_token_is_replaced_from_the_account(connected, account, tmp_path):
    """Once, kept, and used."""
    fake, new = FakeGateway(), make_token(mark="new")
    fake.tokens.add(new)
    account.gives, account.asked = [new], 0
    expired = make_token(issued_s=GATEWAY_NOW_S - 2 * DAY_S, lifetime_s=DAY_S)
    async with fake, connected(fake, token=lambda: expired, cloud_credentials=make_credentials) as gateway:
        assert (await gateway.connect()).token_expires_s == parse_token(new).expires_s
    assert TokenCache(tmp_path).load(SERIAL) == parse_token(new)


async def test_a_refused_fresh_token_ends_the_attempt(connected, account, clock):
    """One fetch, then stop and say so; the account is not asked again for five minutes."""
    account.gives, account.asked = [make_token(mark=str(number)) for number in range(5)], 0
    async with FakeGateway() as fake, connected(fake, cloud_credentials=make_credentials) as gateway:
        for _ in range(4):
            with pytest.raises(LoginRejectedError, match="fresh from the Enphase account"):
                await gateway.connect()
        assert account.asked == 1
        assert fake.list_paths().count(CHECK) == 1
        clock.advance(301)
        with pytest.raises(LoginRejectedError):
            await gateway.connect()
        assert account.asked == 2


async def test_refused_credentials_are_not_tried_again_for_an_hour(connected, account, clock):
    """Accounts get locked; changed credentials are tried at once."""
    fake, new = FakeGateway(), make_token()
    fake.tokens.add(new)
    account.gives, account.asked = [CloudRefusedError("the account login was refused"), new], 0
    current = [("owner@example.com", "old")]
    async with fake, connected(fake, cloud_credentials=lambda: current[0]) as gateway:
        for _ in range(10):
            with pytest.raises(LoginRejectedError, match="the account login was refused"):
                await gateway.connect()
            clock.advance(330)
        assert account.asked == 1
        current[0] = ("owner@example.com", "new")
        assert (await gateway.connect()).role == "owner"


async def test_a_blocked_login_resumes_when_the_token_changes(connected):
    """A token pasted into the file works at the next call; nothing was asked in between."""
    fake, good = FakeGateway(), make_token(mark="good")
    fake.tokens.add(good)
    pasted = [make_token(mark="bad")]
    async with fake, connected(fake, token=lambda: pasted[0]) as gateway:
        with pytest.raises(LoginRejectedError):
            await gateway.connect()
        asked = len(fake.requests)
        for _ in range(5):
            with pytest.raises(LoginRejectedError):
                await gateway.read_inverters()
        assert len(fake.requests) == asked
        pasted[0] = good
        assert await gateway.read_inverters()
        assert gateway.state.login_blocked is None


async def test_a_missing_secret_file_blocks_the_login_only(connected):
    """Somebody is replacing it; the process goes on."""

    def fail() -> str:
        raise ScraperSettingError("ENVOY_TOKEN_FILE: /x cannot be read (No such file)")

    async with FakeGateway() as fake, connected(fake, token=fail) as gateway:
        with pytest.raises(LoginRejectedError, match="ENVOY_TOKEN_FILE"):
            await gateway.connect()
