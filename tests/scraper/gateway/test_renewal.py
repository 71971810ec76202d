"""Tokens renewed in the background: in time, rarely, and never at the cost of the one that works."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest

from scraper.errors import CloudRefusedError, CloudUnavailableError, ScraperSettingError
from scraper.gateway.cloud import CloudLogin
from scraper.gateway.tokens import TokenCache, parse_token
from shared.units import DAY_S
from tests.clocks import GATEWAY_NOW_S
from tests.scraper.gateway.fake_gateway import FakeGateway
from tests.scraper.gateway.fake_tokens import SERIAL, make_token

CHECK = "/auth/check_jwt"
HALF_DAY_S = 43200


@pytest.fixture
def account(monkeypatch):
    """The cloud as a list of what it gives next; after that it cannot be reached."""

    class RenewableAccount:
        def __init__(self) -> None:
            self.gives: list[str | Exception] = []
            self.asked = 0

    state = RenewableAccount()

    async def fetch_token(_cloud, _username, _password, _serial):
        state.asked += 1
        given = state.gives.pop(0) if state.gives else CloudUnavailableError("cannot be reached")
        if isinstance(given, Exception):
            raise given
        return parse_token(given)

    monkeypatch.setattr(CloudLogin, "fetch_token", fetch_token)
    return state


@asynccontextmanager
async def maintain(gateway):
    """The renewal runs as it does in the scraper; the clock of these tests does not wait."""
    task = asyncio.create_task(gateway.maintain())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def wait_until(condition):
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 (what changes is deep inside the client, and has no event)
            await asyncio.sleep(0)


def make_installer_token(mark: str, issued_s: int = GATEWAY_NOW_S) -> str:
    return make_token(role="installer", issued_s=issued_s, lifetime_s=HALF_DAY_S, mark=mark)


async def test_an_installer_token_is_renewed_in_its_last_hour(connected, account, clock, tmp_path):
    """Fetched once, proved, used and kept; the role's endpoints stay as they were."""
    fake, old = FakeGateway(), make_installer_token("old")
    new = make_installer_token("new", GATEWAY_NOW_S + HALF_DAY_S - 3000)
    fake.tokens.update({old, new})
    account.gives = [new]
    async with fake, connected(fake, token=lambda: old, cloud_credentials=lambda: ("user", "password")) as gateway:
        await gateway.connect()
        async with maintain(gateway):
            await wait_until(lambda: gateway.identity.token_expires_s == parse_token(new).expires_s)
        left = parse_token(old).expires_s - clock.now_ms() / 1000
        assert 0 < left <= 3600
        assert account.asked == 1
        assert await gateway.read_inverters()
        assert fake.requests[-1].headers["authorization"] == f"Bearer {new}"
    assert TokenCache(tmp_path).load(SERIAL) == parse_token(new)


async def test_an_owner_token_is_renewed_a_month_before_its_end_and_tried_daily(connected, account, clock):
    """While the cloud is away the old one stays, and the account is asked once a day."""
    fake = FakeGateway()
    old = make_token(lifetime_s=30 * DAY_S, mark="old")
    new = make_token(lifetime_s=500 * DAY_S, mark="new")
    fake.tokens.update({old, new})
    account.gives = [CloudUnavailableError("away"), CloudRefusedError("no"), CloudUnavailableError("away"), new]
    async with fake, connected(fake, token=lambda: old, cloud_credentials=lambda: ("user", "password")) as gateway:
        await gateway.connect()
        async with maintain(gateway):
            await wait_until(lambda: account.asked == 2)
            assert gateway.state.cloud_problem == "no"
            await wait_until(lambda: gateway.identity.token_expires_s == parse_token(new).expires_s)
        assert account.asked == 4
        assert 3 * DAY_S <= clock.now_ms() / 1000 - GATEWAY_NOW_S < 4 * DAY_S
        assert gateway.state.cloud_problem is None


async def test_a_refused_successor_changes_nothing(connected, account):
    """The old one stays in use; the refused one is not shown again and again."""
    fake, old = FakeGateway(), make_installer_token("old")
    fake.tokens.add(old)
    account.gives = [make_installer_token("refused", GATEWAY_NOW_S + HALF_DAY_S - 3000)]
    async with fake, connected(fake, token=lambda: old, cloud_credentials=lambda: ("user", "password")) as gateway:
        await gateway.connect()
        async with maintain(gateway):
            await wait_until(lambda: account.asked == 3)
        assert gateway.identity.token_expires_s == parse_token(old).expires_s
        assert fake.list_paths().count(CHECK) == 2
        assert await gateway.read_inverters()


async def test_a_longer_lived_token_is_adopted_from_its_file(connected):
    """Pasted while the scraper runs; no account is needed."""
    fake, old, new = FakeGateway(), make_token(mark="old"), make_token(lifetime_s=700 * DAY_S, mark="new")
    fake.tokens.update({old, new})
    pasted = [old]
    async with fake, connected(fake, token=lambda: pasted[0]) as gateway:
        await gateway.connect()
        pasted[0] = new
        async with maintain(gateway):
            await wait_until(lambda: gateway.identity.token_expires_s == parse_token(new).expires_s)


async def test_a_token_file_that_is_gone_does_not_end_the_renewal(connected):
    """Somebody is replacing it."""
    fake, old, new = FakeGateway(), make_token(mark="old"), make_token(lifetime_s=700 * DAY_S, mark="new")
    fake.tokens.update({old, new})
    steps = [old, old, ScraperSettingError("ENVOY_TOKEN_FILE: /x cannot be read"), new]
    shown = []

    def read_token():
        step = steps[0] if len(steps) == 1 else steps.pop(0)
        shown.append(step)
        if isinstance(step, Exception):
            raise step
        return step

    async with fake, connected(fake, token=read_token) as gateway:
        await gateway.connect()
        async with maintain(gateway):
            await wait_until(lambda: gateway.identity.token_expires_s == parse_token(new).expires_s)
    assert any(isinstance(step, ScraperSettingError) for step in shown)


async def test_trouble_does_not_end_the_renewal(connected, account):
    """The gateway is away when the new token is to be tried: later, then."""
    fake, old = FakeGateway(), make_installer_token("old")
    new = make_installer_token("new", GATEWAY_NOW_S + HALF_DAY_S - 3000)
    fake.tokens.update({old, new})
    account.gives = [new, new]
    async with fake, connected(fake, token=lambda: old, cloud_credentials=lambda: ("user", "password")) as gateway:
        await gateway.connect()
        await fake.https.stop()
        async with maintain(gateway):
            await wait_until(lambda: account.asked == 1)
            await fake.start()
            await wait_until(lambda: gateway.identity.token_expires_s == parse_token(new).expires_s)
