"""What every test shares."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.influxd.server import Influxd, run_influxd

os.environ["TZ"] = "UTC"  # sites without a zone lie in that of the machine, and machines differ

# How long an example takes is the machine's affair: a busy one must not fail a test that is right.
settings.register_profile("without-deadline", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("without-deadline")


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as the services do."""
    return "asyncio"


@pytest.fixture(scope="session")
def shared_influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """One real InfluxDB for all tests that only need buckets of their own on it; it is not theirs to stop."""
    with run_influxd(tmp_path_factory.mktemp("influxd")) as server:
        yield server
