"""Receivers over each kind of store, for what must be the same over all of them."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.receiver import over_influxdb, service
from tests.receiver.service import Service
from tests.receiver.stores.store_factories import STORES, make_buckets

StartOver = Callable[..., AbstractAsyncContextManager[Service]]
"""Starts a receiver over the store of that name (a key of `STORES`), with changes to its settings."""


def make_start_over(request: pytest.FixtureRequest, folder: Path) -> StartOver:
    """Receivers over stores of their own; InfluxDB starts only for who asks for it."""

    @contextlib.asynccontextmanager
    async def start(store: str, **changes: Any) -> AsyncIterator[Service]:
        with contextlib.ExitStack() as buckets:
            if store == "influxdb":
                server = request.getfixturevalue("shared_influxd")
                made = buckets.enter_context(make_buckets(server))
                changes = {**over_influxdb.make_influxdb_settings(server, made, folder), **changes}
            async with service.start(folder / store, **changes) as running:
                yield running

    return start


@pytest.fixture
def start_over(request: pytest.FixtureRequest, tmp_path: Path) -> StartOver:
    """Starts receivers for one test."""
    return make_start_over(request, tmp_path)


@pytest.fixture(scope="module")
def start_over_once(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> StartOver:
    """Starts receivers for tests of one file that change nothing."""
    return make_start_over(request, tmp_path_factory.mktemp("stores"))


@pytest.fixture(params=STORES)
async def service_on_each_store(request: pytest.FixtureRequest, start_over: StartOver) -> AsyncIterator[Service]:
    """A receiver, once over each kind of store."""
    async with start_over(request.param) as running:
        yield running
