"""SIGKILL and full disks: what was acknowledged is there."""

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from receiver.stores.base import StoreUnavailableError
from tests.receiver.stores.sqlite_rows import HOME, NOON, PHASE_A, make_rows, open_store, read_stored

BATCH = 50


WRITE_WITHOUT_END = f"""
import asyncio, itertools, sys
from pathlib import Path
from receiver.stores.base import GatewayReading
from receiver.stores.sqlite import SqliteStore
from shared.readings import Reading

async def main():
    store = SqliteStore(Path(sys.argv[1]))
    await store.open()
    for batch in itertools.count(int(sys.argv[2])):
        stamps = range({NOON} + batch * {BATCH}, {NOON} + (batch + 1) * {BATCH})
        rows = [GatewayReading("{HOME}", Reading("meter", {PHASE_A}, stamp, {{"power": 0.5}})) for stamp in stamps]
        assert await store.write(rows) == {{}}
        print(batch, flush=True)

asyncio.run(main())
"""


def write_and_kill(path, *, first, wanted):
    """Start a writer at batch `first`, kill it once it has acknowledged `wanted`; the batches that it acknowledged."""
    command = [sys.executable, "-c", WRITE_WITHOUT_END, str(path), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(wanted)]
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.readlines()  # acknowledged between our reading and the kill
    return {int(line) for line in lines if line.endswith("\n")}


async def test_every_acknowledged_reading_survives_sigkill(path):
    """A real process, killed while it writes, again and again on one file; each batch is there whole or not at all."""
    acknowledged: set[int] = set()
    for wanted in (1, 7, 40, 200):
        acknowledged |= write_and_kill(path, first=1000 * wanted, wanted=wanted)
        store = await open_store(path)
        assert await store.check_ready() is None
        offsets = await read_stored(store)
        await store.close()
        for batch in acknowledged:
            assert offsets.issuperset(range(batch * BATCH, (batch + 1) * BATCH))
        assert len(offsets) % BATCH == 0
        assert len(offsets) <= (len(acknowledged) + 4) * BATCH  # at most one unacknowledged batch for each kill
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_full_database_refuses_and_takes_the_same_rows_when_there_is_room(path):
    """SQLITE_FULL: nothing is acknowledged, nothing of the write is seen, the sentence names the remedy."""
    store = await open_store(path)
    await store.write(make_rows(10))
    connection = store._writer._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    many = make_rows(2000, first=100)
    with pytest.raises(StoreUnavailableError, match="disk is full"):
        await store.write(many)
    assert await read_stored(store) == set(range(10))
    assert await store.write(many) == {}
    assert await store.count() == 2010
    await store.close()


FILL_THE_DISK = f"""
import asyncio, json, resource, sys
from pathlib import Path
from receiver.stores.base import GatewayReading, StoreUnavailableError
from receiver.stores.sqlite import SqliteStore
from shared.readings import Reading

def batch(number):
    stamps = range({NOON} + number * {BATCH}, {NOON} + (number + 1) * {BATCH})
    return [GatewayReading("{HOME}", Reading("meter", {PHASE_A}, stamp, {{"power": 0.5}})) for stamp in stamps]

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def main():
    store = SqliteStore(Path(sys.argv[1]))
    await store.open()
    limit(int(sys.argv[2]))
    number, failures = 0, []
    while len(failures) < 3:
        try:
            await store.write(batch(number))
            number += 1
        except StoreUnavailableError as error:
            failures.append(str(error))
    not_ready = await store.check_ready()
    limit(resource.RLIM_INFINITY)
    ready = await store.check_ready()
    await store.write(batch(number))
    await store.close()
    print(json.dumps([number, failures, not_ready, ready]))

asyncio.run(main())
"""


def fill_the_disk(path, size):
    """Batches written, the failures met, and readiness with and without the limit."""
    command = [sys.executable, "-c", FILL_THE_DISK, str(path), str(size)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize("size", [48 * 1024, 64 * 1024, 300 * 1024, 5 * 1024 * 1024])
async def test_a_file_that_may_not_grow_loses_nothing_acknowledged(path, size):
    """A real write error of the operating system, in the journal or in its checkpoint; it resumes by itself."""
    written, failures, not_ready, ready = fill_the_disk(path, size)
    assert all("disk" in failure for failure in failures)
    assert not_ready is None or "disk" in not_ready
    assert ready is None
    store = await open_store(path)
    assert await read_stored(store) == set(range((written + 1) * BATCH))
    await store.close()


async def test_a_read_only_disk_refuses_and_resumes(path):
    """Remounted read-only: loud, and fine again once a new connection may write."""
    store = await open_store(path)
    await store.write(make_rows())
    store._writer._connection.execute("PRAGMA query_only = ON")  # the same error, SQLITE_READONLY, as the remount
    with pytest.raises(StoreUnavailableError, match="read-only: check the permissions"):
        await store.write(make_rows(1, first=1))
    assert await store.write(make_rows(1, first=1)) == {}
    await store.close()
