"""What every test shares."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from shared import local_settings
from tests.influxd.server import Influxd, run_influxd

os.environ["TZ"] = "UTC"  # sites without a zone lie in that of the machine, and machines differ

# How long an example takes is the machine's affair: a busy one must not fail a test that is right.
settings.register_profile("without-deadline", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("without-deadline")


@pytest.fixture(scope="session", autouse=True)
def no_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whoever runs the tests may have run `make run` as the same user: its choice must not reach them."""
    nowhere = str(tmp_path_factory.mktemp("no-installation"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_settings, "_STATE_DIRECTORIES", dict.fromkeys(local_settings._STATE_DIRECTORIES, nowhere))
        yield


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the services do."""
    return "asyncio"


@pytest.fixture(scope="session")
def shared_influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """One real InfluxDB for all tests that only need buckets of their own on it; it is not theirs to stop."""
    with run_influxd(tmp_path_factory.mktemp("influxd")) as server:
        yield server
