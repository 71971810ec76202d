"""What the tests of ingest share."""

import pytest

from tests.receiver.ingest.slow_store import SlowStore


@pytest.fixture
async def slow():
    return SlowStore()
