"""SIGKILL, full disks and failing ones: what was acknowledged is there, and the store mends itself."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from receiver.stores.base import GatewayReading, StoreUnavailableError
from receiver.stores.sqlite import SqliteStore
from shared import durable_sqlite
from shared.readings import Reading

NOON = 1_750_000_000_000
HOME = "122233334444"
PHASE_A = {"meter": "production", "phase": "a"}
BATCH = 50


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "readings.db"


def rows(count=1, first=0):
    return [GatewayReading(HOME, Reading("meter", PHASE_A, NOON + first + n, {"power": 0.5})) for n in range(count)]


async def opened(path):
    store = SqliteStore(path)
    await store.open()
    return store


async def stored(store):
    """Offsets from noon of what is stored."""
    found = await store.points(HOME, "meter", start=0, stop=2 * NOON)
    return {point.timestamp - NOON for series in found for point in series.points}


WRITE_FOR_EVER = f"""
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
    command = [sys.executable, "-c", WRITE_FOR_EVER, str(path), str(first)]
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
        store = await opened(path)
        assert await store.ready() is None
        offsets = await stored(store)
        await store.close()
        for batch in acknowledged:
            assert offsets.issuperset(range(batch * BATCH, (batch + 1) * BATCH))
        assert len(offsets) % BATCH == 0
        assert len(offsets) <= (len(acknowledged) + 4) * BATCH  # at most one unacknowledged batch for each kill
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_full_database_refuses_and_takes_the_same_rows_when_there_is_room(path):
    """SQLITE_FULL: nothing is acknowledged, nothing of the write is seen, the sentence names the remedy."""
    store = await opened(path)
    await store.write(rows(10))
    connection = store._writer._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    many = rows(2000, first=100)
    with pytest.raises(StoreUnavailableError, match="disk is full"):
        await store.write(many)
    assert await stored(store) == set(range(10))
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
    not_ready = await store.ready()
    limit(resource.RLIM_INFINITY)
    ready = await store.ready()
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
    store = await opened(path)
    assert await stored(store) == set(range((written + 1) * BATCH))
    await store.close()


async def test_a_read_only_disk_refuses_and_resumes(path):
    """Remounted read-only: loud, and fine again once a new connection may write."""
    store = await opened(path)
    await store.write(rows())
    store._writer._connection.execute("PRAGMA query_only = ON")  # the same error, SQLITE_READONLY, as the remount
    with pytest.raises(StoreUnavailableError, match="read-only: check the permissions"):
        await store.write(rows(1, first=1))
    assert await store.write(rows(1, first=1)) == {}
    await store.close()


class BrokenDisk(durable_sqlite.FileConnection):
    """Fails at chosen statements, as SQLite does when an fsync fails."""

    broken: tuple[str, ...] = ()
    seen: list[str] = []  # noqa: RUF012 (one log for all connections of a test)

    def execute(self, sql, parameters=(), /):
        self.seen.append(sql)
        if sql.startswith(self.broken):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error
        return super().execute(sql, parameters)


@pytest.fixture
def disk(monkeypatch):
    """A disk that breaks when the test says so."""
    monkeypatch.setattr(durable_sqlite, "FileConnection", BrokenDisk)
    monkeypatch.setattr(BrokenDisk, "broken", ())
    monkeypatch.setattr(BrokenDisk, "seen", [])
    return BrokenDisk


async def test_after_a_failed_fsync_the_connection_is_never_used_again(path, disk):
    """Success is not assumed; the journal is moved into the file before anything more is acknowledged."""
    store = await opened(path)
    await store.write(rows())
    poisoned = store._writer._connection
    disk.broken = ("COMMIT",)
    with pytest.raises(StoreUnavailableError, match="input/output error"):
        await store.write(rows(1, first=1))
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        poisoned.execute("SELECT 1")
    disk.broken = ()
    disk.seen.clear()
    assert await store.write(rows(1, first=1)) == {}
    statements = [sql.split("(")[0] for sql in disk.seen]
    assert statements.index("PRAGMA wal_checkpoint") < statements.index("BEGIN IMMEDIATE")
    assert await stored(store) == {0, 1}
    await store.close()


async def test_a_series_made_by_a_failed_write_is_made_again(path, disk):
    """Ids of a transaction that was undone must not be remembered: rows under them would be nobody's."""
    store = await opened(path)
    disk.broken = ("COMMIT",)
    with pytest.raises(StoreUnavailableError):
        await store.write(rows())
    disk.broken = ()
    other = GatewayReading("122233335555", Reading("meter", PHASE_A, NOON, {"power": 9.0}))
    await store.write([other])
    await store.write(rows())
    assert await stored(store) == {0}
    (latest,) = await store.latest("122233335555", "meter")
    assert latest.fields == {"power": 9.0}
    await store.close()


async def test_ready_tries_a_real_write_after_a_failed_one(path, disk):
    """A file that opens is not yet a file that can be written; nor may it wait for traffic that only readiness brings."""
    store = await opened(path)
    disk.broken = ("BEGIN", "PRAGMA user_version =")
    with pytest.raises(StoreUnavailableError):
        await store.write(rows())
    assert "input/output error" in await store.ready()
    disk.broken = ()
    assert await store.ready() is None
    await store.close()


async def test_a_failed_query_is_explained_and_the_next_one_is_answered(path, disk):
    """Readers, too, begin anew after an error."""
    store = await opened(path)
    await store.write(rows())
    disk.broken = ("SELECT",)
    with pytest.raises(StoreUnavailableError, match="input/output error"):
        await store.latest(HOME, "meter")
    disk.broken = ()
    assert len(await store.latest(HOME, "meter")) == 1
    await store.close()


async def test_a_lock_of_another_program_is_waited_for_and_then_explained(path, monkeypatch):
    """Somebody's sqlite3 shell in a transaction."""
    monkeypatch.setattr(durable_sqlite, "BUSY_SECONDS", 0.01)
    store = await opened(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match="locked by another program"):
            await store.write(rows())
    assert await store.write(rows()) == {}
    await store.close()


async def test_queries_do_not_wait_for_a_write(path):
    """WAL: a reader sees the state before the write that is under way."""
    store = await opened(path)
    await store.write(rows())
    writer = store._writer._connection
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM meter")
    assert await stored(store) == {0}
    writer.execute("ROLLBACK")
    await store.close()


async def test_closing_interrupts_a_long_query(path):
    """Shutdown does not wait for a count over years."""
    store = await opened(path)
    started = threading.Event()

    def count_for_ever(connection):
        started.set()
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        return connection.execute(numbers).fetchone()

    running = asyncio.create_task(store._readers.run(count_for_ever))
    await asyncio.to_thread(started.wait)
    await store.close()
    with pytest.raises(StoreUnavailableError, match="interrupted"):
        await running
