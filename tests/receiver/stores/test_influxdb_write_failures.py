"""InfluxDB stopped, killed, full, frozen, its token revoked, its bucket gone.

Nothing acknowledged is lost, the message says what to do, and writing goes on by itself when the cause is gone.
"""

import asyncio
import os
import resource
import signal
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from receiver.stores.base import GatewayReading, StoreUnavailableError
from receiver.stores.influxdb import InfluxStore
from shared.problems import Rejection
from shared.readings import Reading
from shared.units import DAY_MS
from tests.influxd.server import ADMIN_TOKEN, ORG
from tests.receiver.stores.influx_server import BUCKET, LIVE_BUCKET, InfluxTestServer

NOON = 1_750_000_000_000
HOME = "122233334444"
PHASE_A = {"meter": "production", "phase": "a"}


@pytest.fixture
def server(tmp_path):
    with InfluxTestServer.run(tmp_path) as server:
        yield server


@asynccontextmanager
async def open_store(server, *, token=ADMIN_TOKEN, timeout_s=30.0):
    store = InfluxStore(server.influxd.url, ORG, token, BUCKET, LIVE_BUCKET, timeout_s=timeout_s)
    await store.open()
    yield store
    await store.close()


def make_rows(count=2, first=0):
    """Rows of both buckets."""
    of_meter = [GatewayReading(HOME, Reading("meter", PHASE_A, NOON + first + n, {"power": 0.5})) for n in range(count)]
    return [*of_meter, GatewayReading(HOME, Reading("inverter", {"inverter": "1"}, NOON + first, {"power": 1.5}))]


def read_stored_offsets(server, kind="meter"):
    """Offsets from noon of what is stored."""
    bucket = LIVE_BUCKET if kind == "meter" else BUCKET
    return sorted(timestamp - NOON for _, timestamp, _ in server.read_points(bucket, kind))


async def check_refusal(store, *, seen_beforehand=True):
    """The message of a write that fails; the log and the readiness have it too, and none has a secret."""
    with capture_logs() as logs:
        with pytest.raises(StoreUnavailableError) as caught:
            await store.write(make_rows())
        with pytest.raises(StoreUnavailableError):
            await store.write(make_rows())
    assert [log["log_level"] for log in logs] == ["error"], "one line for one trouble, however often it is met"
    trouble = await store.check_ready()
    assert (trouble is not None) is seen_beforehand
    texts = [str(caught.value), repr(caught.value.__cause__), repr(logs), str(trouble)]
    assert not any("canary" in text or "power=" in text for text in texts)
    return str(caught.value)


async def assert_works_again(server, store):
    with capture_logs() as logs:
        assert await store.write(make_rows()) == {}
    assert [log["log_level"] for log in logs] == ["info"]
    assert await store.check_ready() is None
    assert read_stored_offsets(server) == [0, 1]
    assert read_stored_offsets(server, "inverter") == [0]


async def test_a_stopped_server(server):
    async with open_store(server) as store:
        assert await store.write(make_rows()) == {}
        server.influxd.stop()
        assert "cannot be reached (nothing listens at that port): start it" in await check_refusal(store)
        server.influxd.start()
        await assert_works_again(server, store)


async def test_a_server_killed_in_the_middle_of_writes_has_all_that_it_acknowledged(server):
    """SIGKILL: the answer came after the log was on the disk. What was not acknowledged is written again."""
    async with open_store(server) as store:
        acknowledged, enough = [], asyncio.Event()

        async def write_until_it_fails(writer):
            for batch in range(10_000):
                first = (writer * 10_000 + batch) * 50
                try:
                    assert await store.write(make_rows(50, first)) == {}
                except StoreUnavailableError:
                    return first
                acknowledged.append(first)
                if len(acknowledged) >= 40:
                    enough.set()
            raise AssertionError("the server was never killed")

        writers = [asyncio.create_task(write_until_it_fails(writer)) for writer in range(4)]
        await enough.wait()
        await asyncio.to_thread(server.influxd.kill)
        failed = await asyncio.gather(*writers)
        server.influxd.start()
        expected = {first + n for first in acknowledged for n in range(50)}
        assert expected <= set(read_stored_offsets(server))
        for first in failed:
            assert await store.write(make_rows(50, first)) == {}
        assert set(read_stored_offsets(server)) == expected | {first + n for first in failed for n in range(50)}


async def test_a_full_disk(server):
    """The kernel refuses it any larger file, as a full disk would. InfluxDB itself asks for a restart after that."""
    async with open_store(server) as store:
        assert await store.write(make_rows(1)) == {}
        process = server.influxd.process.pid
        resource.prlimit(process, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        assert "space on its disk" in await check_refusal(store, seen_beforehand=False)
        server.influxd.stop()
        server.influxd.start()
        assert read_stored_offsets(server) == [0]
        await assert_works_again(server, store)


async def test_a_server_that_never_answers(server):
    """Frozen: the connection stands and nothing comes. The deadline ends it."""
    async with open_store(server, timeout_s=3.0) as store:
        assert await store.write(make_rows()) == {}
        os.kill(server.influxd.process.pid, signal.SIGSTOP)
        assert "does not answer within 3 s" in await check_refusal(store)
        os.kill(server.influxd.process.pid, signal.SIGCONT)
        await asyncio.to_thread(server.influxd.call, "GET", "/api/v2/buckets")  # it is awake again
        await assert_works_again(server, store)


async def test_a_revoked_token(server):
    identity, token = server.make_token(write=True)
    async with open_store(server, token=token) as store:
        server.influxd.call("PATCH", f"/api/v2/authorizations/{identity}", {"status": "inactive"})
        message = await check_refusal(store)
        assert "INFLUXDB_V2_TOKEN" in message
        assert token not in message
        server.influxd.call("PATCH", f"/api/v2/authorizations/{identity}", {"status": "active"})
        await assert_works_again(server, store)


async def test_a_token_that_may_not_write(server):
    _, token = server.make_token(write=False)
    async with open_store(server, token=token) as store:
        message = await check_refusal(store)
        assert "no right" in message
        assert "INFLUXDB_V2_TOKEN" in message


async def test_a_deleted_bucket(server):
    """One of the two is enough to refuse a write that needs both; what the other one takes harms nobody."""
    async with open_store(server) as store:
        server.delete_bucket(LIVE_BUCKET)
        message = await check_refusal(store)
        assert f'"{LIVE_BUCKET}"' in message
        assert "RECEIVER_LIVE_BUCKET" in message
        server.influxd.make_bucket(LIVE_BUCKET)
        await assert_works_again(server, store)


async def test_rows_that_contradict_the_types_of_the_database_are_found_one_by_one(server):
    """Somebody else wrote text where numbers belong: InfluxDB drops a part of the write and does not say which."""
    server.post(BUCKET, b'inverter,gateway=x,inverter=y rssi="strong" %d' % NOON)
    readings = [Reading("inverter", {"inverter": str(n)}, NOON + n, {"power": 1.0}) for n in range(40)]
    for bad in (3, 4, 17, 39):
        readings[bad].fields["rssi"] = 5.0
    async with open_store(server) as store:
        refused = await store.write([GatewayReading(HOME, reading) for reading in readings])
    assert refused == dict.fromkeys([3, 4, 17, 39], Rejection.STORE_REFUSED)
    assert read_stored_offsets(server, "inverter") == sorted([0, *(n for n in range(40) if n not in refused)])


async def test_a_write_without_one_good_row_is_over_at_once(server):
    server.post(BUCKET, b'inverter,gateway=x,inverter=y rssi="strong" %d' % NOON)
    readings = [Reading("inverter", {"inverter": str(n)}, NOON + n, {"rssi": 1.0}) for n in range(500)]
    async with open_store(server) as store:
        refused = await store.write([GatewayReading(HOME, reading) for reading in readings])
    assert refused == dict.fromkeys(range(500), Rejection.STORE_REFUSED)


async def test_rows_older_than_the_bucket_keeps_say_so(server):
    server.delete_bucket(BUCKET)
    server.influxd.make_bucket(BUCKET, days=30)
    now = server.now_ms()
    stamps = [now, now - 31 * DAY_MS, now - DAY_MS, now - 400 * DAY_MS]
    readings = [Reading("inverter", {"inverter": "1"}, stamp, {"power": 1.0}) for stamp in stamps]
    async with open_store(server) as store:
        refused = await store.write([GatewayReading(HOME, reading) for reading in readings])
    assert refused == {1: Rejection.TOO_OLD, 3: Rejection.TOO_OLD}
    assert len(read_stored_offsets(server, "inverter")) == 2


async def test_a_row_that_the_database_cannot_read_costs_no_other_row(server):
    """One such line and InfluxDB stores nothing of a write: here a name beyond the 64 KiB of its keys."""
    readings = [Reading("inverter", {"inverter": str(n)}, NOON + n, {"power": 1.0}) for n in range(20)]
    readings[7] = Reading("inverter", {"inverter": "7" * 70_000}, NOON, {"power": 1.0})
    async with open_store(server) as store:
        refused = await store.write([GatewayReading(HOME, reading) for reading in readings])
    assert refused == {7: Rejection.STORE_REFUSED}
    assert read_stored_offsets(server, "inverter") == [n for n in range(20) if n != 7]


async def test_of_rows_with_one_identity_the_last_one_wins_also_where_others_are_refused(server):
    """In one write, field by field, and through all the halving."""
    server.post(BUCKET, b'inverter,gateway=x,inverter=y rssi="strong" %d' % NOON)
    values: list[dict[str, float | str]] = [
        {"power": float(n)} if n % 2 else {"max_power": float(n)} for n in range(30)
    ]
    values[11] = {"rssi": 1.0}
    readings = [Reading("inverter", {"inverter": "1"}, NOON, fields) for fields in values]
    async with open_store(server) as store:
        assert await store.write([GatewayReading(HOME, reading) for reading in readings]) == {
            11: Rejection.STORE_REFUSED
        }
        (found,) = await store.read_points(HOME, "inverter", start=NOON, stop=NOON + 1)
    assert [point.fields for point in found.points] == [{"power": 29.0, "max_power": 28.0}]
