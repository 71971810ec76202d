"""The bench that the uplink's tests work at."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scraper.uplink.uplink_bench import UplinkBench, open_bench


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[UplinkBench]:
    """An uplink with an empty outbox and a receiver that accepts everything."""
    async with open_bench(tmp_path / "edge") as ready:
        yield ready
