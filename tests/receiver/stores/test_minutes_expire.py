"""Minutes have a time of their own in every store: what is older goes bit by bit, hours and everything else stay."""

import pytest

from receiver.stores.base import GatewayReading, Store
from receiver.stores.influxdb import InfluxStore
from receiver.stores.kinds import HOURS_OF
from receiver.stores.sqlite import SqliteStore
from shared.readings import Reading
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.influxd.server import ADMIN_TOKEN, ORG
from tests.receiver.stores.store_factories import make_buckets

NOON = 1_750_000_000_000 // DAY_MS * DAY_MS + 12 * HOUR_MS
KEPT_DAYS = 3
HOME, NEXT_DOOR = "122233334444", "122233335555"
PHASE = {"meter": "production", "phase": "a"}
TAGS = {"meter_1m": PHASE, "meter_1h": PHASE, "site_1m": {}, "site_1h": {}}
RETENTION = dict.fromkeys(HOURS_OF, KEPT_DAYS * DAY_MS)


@pytest.fixture(params=["sqlite", "influxdb"])
async def store(request, tmp_path):
    """Keeps minutes for three days."""
    opened: Store
    if request.param == "sqlite":
        opened = SqliteStore(tmp_path / "state" / "readings.db", retention_ms=RETENTION)
        await opened.open()
        yield opened
        await opened.close()
        return
    server = request.getfixturevalue("shared_influxd")
    with make_buckets(server) as (bucket, live_bucket):
        opened = InfluxStore(server.url, ORG, ADMIN_TOKEN, bucket, live_bucket, retention_ms=RETENTION)
        await opened.open()
        yield opened
        await opened.close()


def make_rows(kind: str, *times: int, gateway: str = HOME) -> list[GatewayReading]:
    return [GatewayReading(gateway, Reading(kind, TAGS[kind], time, {"coverage": 1.0})) for time in times]


async def read_times(store, kind: str, gateway: str = HOME) -> list[int]:
    found = await store.read_points(gateway, kind, start=0, stop=2 * NOON)
    return [point.timestamp for series in found for point in series.points]


async def expire_all(store, now_ms: int) -> None:
    """As the roll-up job does once a minute, often enough for a year."""
    for _ in range(60):
        await store.expire(now_ms)


async def test_old_minutes_go_and_hours_stay(store):
    old = [NOON - days * DAY_MS - MINUTE_MS for days in (4, 10, 40, 365)]
    for kind, hours in HOURS_OF.items():
        await store.write(make_rows(kind, *old, NOON, NOON - 2 * DAY_MS))
        await store.write(make_rows(kind, *old, NOON, gateway=NEXT_DOOR))
        await store.write(make_rows(hours, *old, NOON))
    await expire_all(store, NOON)
    for kind, hours in HOURS_OF.items():
        assert await read_times(store, kind) == [NOON - 2 * DAY_MS, NOON]
        assert await read_times(store, kind, NEXT_DOOR) == [NOON]
        assert await read_times(store, hours) == [*sorted(old), NOON]


async def test_what_becomes_old_later_goes_with_its_day(store):
    """Within a day: InfluxDB rewrites a shard for each deletion."""
    first, second = NOON - 3 * DAY_MS + HOUR_MS, NOON - 2 * DAY_MS
    await store.write(make_rows("site_1m", first, second))
    await expire_all(store, NOON)
    assert await read_times(store, "site_1m") == [first, second]
    await expire_all(store, NOON + DAY_MS)
    assert await read_times(store, "site_1m") == [second]
    await expire_all(store, NOON + 2 * DAY_MS)
    assert await read_times(store, "site_1m") == []
