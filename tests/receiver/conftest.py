"""The running receiver that most tests of this side use."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.receiver.service import Service, start


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    """A receiver on its own port, with its own store."""
    async with start(tmp_path / "state") as running:
        yield running
