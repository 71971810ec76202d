"""What the scraper's tests share."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    """What is logged meanwhile, as dictionaries."""
    with structlog.testing.capture_logs() as lines:
        yield lines
