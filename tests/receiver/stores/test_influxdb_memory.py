"""What the InfluxDB store remembers of its series: fewer questions, and never an answer that is not so any more."""

import asyncio
import time

import pytest

from receiver.stores.base import GatewayReading, StoreUnavailableError
from receiver.stores.influxdb import InfluxStore
from receiver.stores.influxdb.connection import InfluxConnection, InfluxUnreachableError
from receiver.stores.influxdb.known_series import FRESH_S
from receiver.stores.influxdb.two_bucket_reader import TwoBucketReader
from shared.readings import Reading
from tests.clocks import StoppedClock
from tests.influxd.server import ADMIN_TOKEN, ORG
from tests.receiver.stores.store_factories import make_buckets

HOME, NEXT_DOOR = "122233334444", "122233335555"
HOUR, DAY = 3_600_000, 86_400_000


@pytest.fixture
def buckets(shared_influxd):
    with make_buckets(shared_influxd) as names:
        yield names


@pytest.fixture
def clock():
    return StoppedClock()


@pytest.fixture
async def store(shared_influxd, buckets, clock):
    opened = InfluxStore(shared_influxd.url, ORG, ADMIN_TOKEN, *buckets, clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
async def other_store(shared_influxd, buckets):
    """Of another process."""
    opened = InfluxStore(shared_influxd.url, ORG, ADMIN_TOKEN, *buckets)
    yield opened
    await opened.close()


@pytest.fixture
def asked(monkeypatch):
    """The statements that were sent, as they are sent."""
    statements: list[str] = []
    send = InfluxConnection.send

    def note_and_send(self, method, path, **rest):
        statements.extend(value for name, value in rest.get("form", ()) if name == "q")
        return send(self, method, path, **rest)

    monkeypatch.setattr(InfluxConnection, "send", note_and_send)
    return statements


@pytest.fixture
def now():
    return time.time_ns() // 1_000_000


def make_inverter(timestamp, serial, gateway=HOME, **fields):
    return GatewayReading(gateway, Reading("inverter", {"inverter": serial}, timestamp, fields or {"power": 1.0}))


async def read_inverters(store, gateway=HOME):
    return {latest.tags["inverter"]: latest.timestamp for latest in await store.read_latest(gateway, "inverter")}


async def test_a_new_series_is_seen_at_once(store, asked, now):
    """Though it was remembered that there is none, and the index is not asked again."""
    assert await read_inverters(store) == {}
    await store.write([make_inverter(now, "a")])
    assert await read_inverters(store) == {"a": now}
    await store.write([make_inverter(now, "b")])
    assert await read_inverters(store) == {"a": now, "b": now}
    points = await store.read_points(HOME, "inverter", start=now, stop=now + 1)
    assert [entry.series.get_tag("inverter") for entry in points] == ["a", "b"]
    assert sum(statement.startswith("SHOW SERIES") for statement in asked) == 2, "once for each bucket"


async def test_nothing_is_asked_about_a_kind_without_series(store, asked, now):
    await store.write([make_inverter(now, "a")])
    await read_inverters(store)
    asked.clear()
    assert await store.read_latest(HOME, "battery") == []
    assert await store.read_points(HOME, "storage", start=0, stop=now, neighbours=True) == []
    assert asked == []


async def test_silent_series_are_found_by_one_question_each_time_but_the_first(store, asked, now):
    """Since when is remembered: neither the last hour nor the whole history is searched again."""
    fields = {"power": 2.0, "max_power": 300.0}
    rows = [make_inverter(now - 40 * DAY, "a", **fields), make_inverter(now - 40 * DAY - 90_000, "a", interval=300.0)]
    await store.write(rows)
    (first,) = await store.read_latest(HOME, "inverter")
    asked.clear()
    (again,) = await store.read_latest(HOME, "inverter")
    assert first == again
    assert again.fields == {"power": 2.0, "max_power": 300.0, "interval": 300.0}
    assert len(asked) == 1
    await store.write([make_inverter(now, "a", power=3.0)])
    (awake,) = await store.read_latest(HOME, "inverter")
    assert (awake.timestamp, awake.fields) == (now, {"power": 3.0})


async def test_a_late_reading_hides_no_newer_one(store, now):
    await store.write([make_inverter(now, "a"), make_inverter(now - 1000, "b")])
    await store.write([make_inverter(now - 2 * DAY, "a"), make_inverter(now - 3 * DAY, "b")])
    assert await read_inverters(store) == {"a": now, "b": now - 1000}


async def test_what_another_process_writes_is_seen_when_the_memory_is_old(store, other_store, clock, now):
    """A newer reading of a series that is known at once, for the answers come from the database."""
    await store.write([make_inverter(now - DAY, "a")])
    assert await read_inverters(store) == {"a": now - DAY}
    await other_store.write([make_inverter(now, "a"), make_inverter(now - HOUR * 5, "b"), make_inverter(now, "c")])
    assert (await read_inverters(store))["a"] == now
    clock.advance(FRESH_S)
    assert await read_inverters(store) == {"a": now, "b": now - HOUR * 5, "c": now}


async def test_a_removal_is_seen_at_once_and_what_is_written_after_it(store, now):
    await store.write([make_inverter(now, "a"), make_inverter(now, "b")])
    assert await read_inverters(store) == {"a": now, "b": now}
    await store.remove(HOME, "inverter", start=0, stop=now + 1)
    assert await read_inverters(store) == {}
    assert await store.read_summary(HOME) is None
    await store.write([make_inverter(now - 5000, "b")])
    assert await read_inverters(store) == {"b": now - 5000}
    assert (await store.read_summary(HOME)).last_timestamp == now - 5000


async def test_a_write_of_which_nobody_knows_what_became_makes_it_ask_again(store, other_store, monkeypatch, now):
    """It may have been stored, as here."""
    await store.write([make_inverter(now, "a")])
    assert await read_inverters(store) == {"a": now}
    await other_store.write([make_inverter(now, "b")])
    with monkeypatch.context() as broken:
        broken.setattr(InfluxConnection, "write", fail_to_write)
        with pytest.raises(StoreUnavailableError):
            await store.write([make_inverter(now, "b")])
    assert await read_inverters(store) == {"a": now, "b": now}


def fail_to_write(*_):
    raise InfluxUnreachableError("http://influxdb", "ReadTimeoutError")


async def test_what_is_written_while_the_index_answers_is_not_lost(store, monkeypatch, now):
    await store.write([make_inverter(now, "a")])
    answered, go_on = asyncio.Event(), asyncio.Event()
    list_all_series = TwoBucketReader.list_all_series

    async def answer_late(self, *arguments):
        found = await list_all_series(self, *arguments)
        answered.set()
        await go_on.wait()
        return found

    monkeypatch.setattr(TwoBucketReader, "list_all_series", answer_late)
    first = asyncio.create_task(read_inverters(store))
    await answered.wait()
    await store.write([make_inverter(now, "b")])
    second = asyncio.create_task(read_inverters(store))
    await asyncio.sleep(0)
    go_on.set()
    assert await first == await second == {"a": now, "b": now}


async def test_the_list_of_gateways_follows_every_write(store, asked, now):
    """With new gateways, new series and new times, and without a question."""
    await store.write([make_inverter(now - HOUR * 30, "a")])
    (home,) = await store.list_gateways()
    assert (home.last_timestamp, home.series) == (now - HOUR * 30, {"inverter": 1})
    asked.clear()
    await store.write([make_inverter(now - 1000, "b"), make_inverter(now - 5000, "a")])
    (home,) = await store.list_gateways()
    assert (home.last_timestamp, home.series) == (now - 1000, {"inverter": 2})
    assert await store.read_summary(HOME) == home
    assert asked == []
    await store.write([make_inverter(now - DAY, "c", NEXT_DOOR)])
    assert [entry.gateway for entry in await store.list_gateways()] == [HOME, NEXT_DOOR]
    assert (await store.read_summary(NEXT_DOOR)).last_timestamp == now - DAY


async def test_a_refused_reading_makes_no_series(store, now):
    """Its field has another type than the readings that are stored."""
    await store.write([make_inverter(now, "a")])
    assert await read_inverters(store) == {"a": now}
    assert await store.write([make_inverter(now, "b", power="much"), make_inverter(now, "c")])
    assert await read_inverters(store) == {"a": now, "c": now}
    assert (await store.read_summary(HOME)).series == {"inverter": 2}
