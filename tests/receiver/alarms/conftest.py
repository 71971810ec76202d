"""The stores over which alarms are tested."""

from collections.abc import Iterator

import pytest

from tests.receiver.stores.store_factories import STORES, MakeStore


@pytest.fixture(params=STORES)
def make_store(request, tmp_path) -> Iterator[MakeStore]:
    """Builds stores over one set of data, once for each kind of store."""
    with STORES[request.param](tmp_path, lambda: request.getfixturevalue("shared_influxd")) as make:
        yield make
