"""Where the contract suite finds its stores: each place builds any number of stores over the same data."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from receiver.stores.base import Store
from receiver.stores.influxdb import InfluxStore
from receiver.stores.sqlite import SqliteStore
from tests.influxd.server import ADMIN_TOKEN, ORG, Influxd

MakeStore = Callable[[], Store]
"""A new store object, not yet open, over the data that its siblings have written."""
GetInfluxd = Callable[[], Influxd]
"""The InfluxDB server of the test session, which starts when it is first asked for."""

_numbers = itertools.count(1)


@contextmanager
def use_sqlite(directory: Path, _: GetInfluxd) -> Iterator[MakeStore]:
    """A SQLite file of its own."""
    yield lambda: SqliteStore(directory / "state" / "readings.db")


@contextmanager
def use_influxdb(_: Path, get_influxd: GetInfluxd) -> Iterator[MakeStore]:
    """Two buckets of its own."""
    server = get_influxd()
    with make_buckets(server) as (bucket, live_bucket):
        yield lambda: InfluxStore(server.url, ORG, ADMIN_TOKEN, bucket, live_bucket)


@contextmanager
def make_buckets(server: Influxd) -> Iterator[tuple[str, str]]:
    """The names of two new buckets, which are gone afterwards."""
    number = next(_numbers)
    names = f"envoy-{number}", f"envoy-live-{number}"
    ids = [server.make_bucket(name) for name in names]
    yield names
    for bucket in ids:
        server.call("DELETE", f"/api/v2/buckets/{bucket}")


STORES: dict[str, Callable[[Path, GetInfluxd], AbstractContextManager[MakeStore]]] = {
    "sqlite": use_sqlite,
    "influxdb": use_influxdb,
}
"""Every store that must keep the contract. Each begins empty."""
