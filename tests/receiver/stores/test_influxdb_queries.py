"""How the InfluxDB store finds things, where that is not the same for every store."""

import time

import pytest

from receiver.stores.base import GatewayReading
from receiver.stores.influxdb import InfluxStore, queries
from receiver.stores.influxdb.client import InfluxClient
from receiver.stores.influxdb.two_bucket_reader import TwoBucketReader
from shared.readings import Reading
from tests.influxd.server import ADMIN_TOKEN, ORG
from tests.receiver.stores.store_factories import make_buckets

HOME, NEXT_DOOR = "122233334444", "122233335555"
HOUR, DAY = 3_600_000, 86_400_000
MANY = 60
"""More series than one condition names."""


@pytest.fixture
def buckets(shared_influxd):
    with make_buckets(shared_influxd) as names:
        yield names


@pytest.fixture
async def store(shared_influxd, buckets):
    opened = InfluxStore(shared_influxd.url, ORG, ADMIN_TOKEN, *buckets)
    yield opened
    await opened.close()


@pytest.fixture
async def reader(shared_influxd, buckets):
    client = InfluxClient(shared_influxd.url, ORG, ADMIN_TOKEN)
    yield TwoBucketReader(client, *buckets)
    await client.aclose()


@pytest.fixture
def now():
    """The time of the server: queries look first where its clock points."""
    return time.time_ns() // 1_000_000


def make_inverter(timestamp, serial, gateway=HOME, **fields):
    return GatewayReading(gateway, Reading("inverter", {"inverter": serial}, timestamp, fields or {"power": 1.0}))


async def test_latest_finds_every_series_however_old_it_is(store, now):
    """Those of the last hour, those of last night, those that died years ago, and one whose clock is ahead."""
    ages = {"a": -600_000, "b": 60_000, "c": 20 * HOUR, "d": 40 * DAY, "e": 5 * 365 * DAY, "f": 30 * 365 * DAY}
    rows = [make_inverter(now - age - back, serial) for serial, age in ages.items() for back in (0, 1000, HOUR, DAY)]
    await store.write(rows)
    found = {latest.tags["inverter"]: latest.timestamp for latest in await store.read_latest(HOME, "inverter")}
    assert found == {serial: now - age for serial, age in ages.items()}


async def test_latest_completes_each_series_from_its_own_last_minutes(store, now):
    """Series of different age stand side by side, and none takes a field from before its own reach."""
    await store.write([
        make_inverter(now, "a", power=1.0),
        make_inverter(now - 120_000, "a", max_power=300.0),
        make_inverter(now - 120_001, "a", interval=300.0),
        make_inverter(now - 90_000, "b", power=2.0),
        make_inverter(now - 200_000, "b", max_power=200.0),
        make_inverter(now - 50 * DAY, "c", power=3.0),
        make_inverter(now - 50 * DAY - 1, "c", max_power=100.0),
    ])  # fmt: skip
    assert [latest.fields for latest in await store.read_latest(HOME, "inverter")] == [
        {"power": 1.0, "max_power": 300.0},
        {"power": 2.0, "max_power": 200.0},
        {"power": 3.0, "max_power": 100.0},
    ]


async def test_many_series_are_found_as_few_are(store, now):
    """More than one condition names, silent for long, with a neighbour far before and far after the window."""
    serials = [f"{n:04}" for n in range(MANY)]
    await store.write([make_inverter(now - days * DAY, serial) for serial in serials for days in (80, 200)])
    assert [latest.timestamp for latest in await store.read_latest(HOME, "inverter")] == [now - 80 * DAY] * MANY
    start = now - 150 * DAY
    found = await store.read_points(HOME, "inverter", start=start, stop=start + HOUR, neighbours=True)
    assert [series.series.tags[0][1] for series in found] == serials
    for series in found:
        assert [point.timestamp for point in series.points] == [now - 200 * DAY, now - 80 * DAY]


async def test_neighbours_that_carry_different_fields_are_each_found(store, now):
    """Nearest per field, however many readings without it stand between."""
    start = now - 100 * DAY
    await store.write([
        make_inverter(start - 50 * DAY, "a", max_power=300.0, power=0.5),
        *(make_inverter(start - n * HOUR, "a", power=float(n)) for n in range(1, 60)),
        make_inverter(start + HOUR, "a", power=5.0),
        make_inverter(start + 60 * DAY, "a", max_power=301.0, interval=300.0),
    ])  # fmt: skip
    (series,) = await store.read_points(
        HOME, "inverter", fields=["power", "max_power"], start=start, stop=start + 1000, neighbours=True
    )
    assert [(point.timestamp, point.fields) for point in series.points] == [
        (start - 50 * DAY, {"max_power": 300.0, "power": 0.5}),
        (start - HOUR, {"power": 1.0}),
        (start + HOUR, {"power": 5.0}),
        (start + 60 * DAY, {"max_power": 301.0}),
    ]


async def test_gateways_that_fell_silent_are_still_listed(store, now):
    """With the time of their last reading, of whatever kind, beside those that live."""
    meter = Reading("meter", {"meter": "production", "phase": "a"}, now - 40 * DAY, {"power": 1.0})
    await store.write(
        [make_inverter(now, "a"), GatewayReading(NEXT_DOOR, meter), make_inverter(now - 41 * DAY, "b", NEXT_DOOR)]
    )
    home, next_door = await store.list_gateways()
    assert (home.gateway, home.last_timestamp, home.series) == (HOME, now, {"inverter": 1})
    assert (next_door.last_timestamp, next_door.series) == (now - 40 * DAY, {"inverter": 1, "meter": 1})


@pytest.mark.parametrize("page_rows", [1, 2, 3, 100])
async def test_counting_loses_nothing_between_pages(store, reader, now, page_rows):
    """Several series at one time, more than fit a page, and fields that not all of them have."""
    times = [now, now, now, now + 1, now + 2, now + 2]
    rows = [
        make_inverter(stamp, f"{n}", **({"power": 1.0} if n % 2 else {"rssi": 2.0})) for n, stamp in enumerate(times)
    ]
    await store.write([*rows, make_inverter(now, "0", gateway=NEXT_DOOR)])
    assert await queries.count(reader, page_rows=page_rows) == len(times) + 1


async def test_both_names_may_be_the_same_bucket(shared_influxd, buckets, now):
    """A ready-made token is often good for one bucket only."""
    store = InfluxStore(shared_influxd.url, ORG, ADMIN_TOKEN, buckets[0], buckets[0])
    meter = Reading("meter", {"meter": "production", "phase": "a"}, now, {"power": 1.0})
    await store.write([make_inverter(now, "a"), GatewayReading(HOME, meter)])
    assert await store.check_ready() is None
    assert await store.count() == 2
    (home,) = await store.list_gateways()
    assert home.series == {"inverter": 1, "meter": 1}
    await store.close()


async def test_raw_meter_readings_have_a_bucket_of_their_own(shared_influxd, store, buckets, now):
    """The one that expires; everything else is in the other one."""
    meter = Reading("meter", {"meter": "production", "phase": "a"}, now, {"power": 1.0})
    await store.write([make_inverter(now, "a"), GatewayReading(HOME, meter)])
    held = {}
    for bucket in buckets:
        answer = shared_influxd.call("GET", "/query", db=bucket, q="SHOW MEASUREMENTS")
        held[bucket] = [value for (value,) in answer.json()["results"][0]["series"][0]["values"]]
    assert held == {buckets[0]: ["inverter"], buckets[1]: ["meter"]}


async def test_a_token_for_its_two_buckets_is_enough(shared_influxd, buckets, now):
    """To write, read and remove: the token that `envoy-receiver setup` makes can do no more."""
    organisation = shared_influxd.find_organisation()
    rights = [
        {"action": action, "resource": {"type": "buckets", "id": bucket["id"], "orgID": organisation}}
        for bucket in shared_influxd.call("GET", "/api/v2/buckets", limit="100").json()["buckets"]
        for action in ("read", "write")
        if bucket["name"] in buckets
    ]
    body = {"orgID": organisation, "permissions": rights}
    token = shared_influxd.call("POST", "/api/v2/authorizations", body).json()["token"]
    store = InfluxStore(shared_influxd.url, ORG, token, *buckets)
    assert await store.check_ready() is None
    await store.write([make_inverter(now, "a"), make_inverter(now - DAY, "a")])
    await store.remove(HOME, "inverter", start=0, stop=now)
    (series,) = await store.read_points(HOME, "inverter", start=0, stop=now + 1)
    assert [point.timestamp for point in series.points] == [now]
    assert [summary.gateway for summary in await store.list_gateways()] == [HOME]
    await store.close()
