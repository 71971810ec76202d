"""What the gateway tests share."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog

from scraper.gateway.cloud import CloudLogin
from scraper.gateway.session import GatewaySession
from scraper.gateway.tokens import parse_token
from tests.clocks import InstantClock
from tests.scraper.gateway.fake_gateway import FakeGateway
from tests.scraper.gateway.fake_tokens import make_token


@pytest.fixture
def clock() -> InstantClock:
    """A clock that the test turns."""
    return InstantClock()


@pytest.fixture
def connected(tmp_path, clock):
    """Opens a client of a fake gateway, which is closed in the end: an async context manager."""

    @asynccontextmanager
    async def open_gateway(fake: FakeGateway, **options: Any) -> AsyncIterator[GatewaySession]:
        gateway = GatewaySession(fake.make_options(tmp_path, **options), clock)
        try:
            yield gateway
        finally:
            await gateway.aclose()

    return open_gateway


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[Any]]:
    """What was logged meanwhile."""
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture
def token() -> str:
    """A token that the fake gateway takes."""
    return make_token()


@pytest.fixture
def fake(token) -> FakeGateway:
    """A gateway with token login; start it with `async with`."""
    gateway = FakeGateway()
    gateway.tokens.add(token)
    return gateway


@pytest.fixture
def account(monkeypatch):
    """The cloud as a list of what it gives next: tokens or errors; `asked` counts."""

    class AccountPage:
        gives: list[str | Exception] = []  # noqa: RUF012 (replaced by each test)
        asked = 0

        async def fetch_token(self, username, password, serial):
            AccountPage.asked += 1
            given = AccountPage.gives.pop(0)
            if isinstance(given, Exception):
                raise given
            return parse_token(given)

    monkeypatch.setattr(CloudLogin, "fetch_token", AccountPage.fetch_token)
    return AccountPage
