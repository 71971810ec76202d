"""The stores under test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from receiver.stores.base import Store
from tests.receiver.stores.store_factories import STORES, MakeStore


@pytest.fixture(params=STORES)
def make_store(request, tmp_path) -> Iterator[MakeStore]:
    """Builds stores over one set of data, once for each kind of store."""
    with STORES[request.param](tmp_path, lambda: request.getfixturevalue("shared_influxd")) as make:
        yield make


@pytest.fixture
async def store(make_store) -> AsyncIterator[Store]:
    """An open, empty store."""
    opened = make_store()
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a SQLite store has its file; its directory does not exist yet."""
    return tmp_path / "state" / "readings.db"
