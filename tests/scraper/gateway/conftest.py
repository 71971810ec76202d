"""What the gateway tests share."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog

from scraper.gateway.session import GatewaySession
from tests.scraper.gateway.fake import FakeGateway, InstantClock


@pytest.fixture
def clock() -> InstantClock:
    """A clock that the test turns."""
    return InstantClock()


@pytest.fixture
def connected(tmp_path, clock):
    """Opens a client of a fake gateway, which is closed in the end: an async context manager."""

    @asynccontextmanager
    async def open_gateway(fake: FakeGateway, **options: Any) -> AsyncIterator[GatewaySession]:
        gateway = GatewaySession(fake.options(tmp_path, **options), clock)
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
