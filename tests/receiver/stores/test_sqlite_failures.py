"""A disk that fails, locks of other programs, long queries: the store explains itself and mends itself."""

import asyncio
import sqlite3
import threading
from contextlib import closing

import pytest

from receiver.stores.base import GatewayReading, StoreUnavailableError
from shared import durable_sqlite
from shared.readings import Reading
from tests.receiver.stores.sqlite_rows import HOME, NOON, PHASE_A, make_rows, open_store, read_stored


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
    store = await open_store(path)
    await store.write(make_rows())
    poisoned = store._writer._connection
    disk.broken = ("COMMIT",)
    with pytest.raises(StoreUnavailableError, match="input/output error"):
        await store.write(make_rows(1, first=1))
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        poisoned.execute("SELECT 1")
    disk.broken = ()
    disk.seen.clear()
    assert await store.write(make_rows(1, first=1)) == {}
    statements = [sql.split("(")[0] for sql in disk.seen]
    assert statements.index("PRAGMA wal_checkpoint") < statements.index("BEGIN IMMEDIATE")
    assert await read_stored(store) == {0, 1}
    await store.close()


async def test_a_series_made_by_a_failed_write_is_made_again(path, disk):
    """Ids of a transaction that was undone must not be remembered: rows under them would be nobody's."""
    store = await open_store(path)
    disk.broken = ("COMMIT",)
    with pytest.raises(StoreUnavailableError):
        await store.write(make_rows())
    disk.broken = ()
    other = GatewayReading("122233335555", Reading("meter", PHASE_A, NOON, {"power": 9.0}))
    await store.write([other])
    await store.write(make_rows())
    assert await read_stored(store) == {0}
    (latest,) = await store.read_latest("122233335555", "meter")
    assert latest.fields == {"power": 9.0}
    await store.close()


async def test_ready_tries_a_real_write_after_a_failed_one(path, disk):
    """A file that opens is not yet a file that can be written; nor may it wait for traffic that only readiness brings."""
    store = await open_store(path)
    disk.broken = ("BEGIN", "PRAGMA user_version =")
    with pytest.raises(StoreUnavailableError):
        await store.write(make_rows())
    assert "input/output error" in await store.check_ready()
    disk.broken = ()
    assert await store.check_ready() is None
    await store.close()


async def test_a_failed_query_is_explained_and_the_next_one_is_answered(path, disk):
    """Readers begin again after an error, too."""
    store = await open_store(path)
    await store.write(make_rows())
    disk.broken = ("SELECT",)
    with pytest.raises(StoreUnavailableError, match="input/output error"):
        await store.read_latest(HOME, "meter")
    disk.broken = ()
    assert len(await store.read_latest(HOME, "meter")) == 1
    await store.close()


async def test_a_lock_of_another_program_is_waited_for_and_then_explained(path, monkeypatch):
    """Somebody's sqlite3 shell in a transaction."""
    monkeypatch.setattr(durable_sqlite, "BUSY_SECONDS", 0.01)
    store = await open_store(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match="locked by another program"):
            await store.write(make_rows())
    assert await store.write(make_rows()) == {}
    await store.close()


async def test_queries_do_not_wait_for_a_write(path):
    """WAL: a reader sees the state before the write that is under way."""
    store = await open_store(path)
    await store.write(make_rows())
    writer = store._writer._connection
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM meter")
    assert await read_stored(store) == {0}
    writer.execute("ROLLBACK")
    await store.close()


async def test_closing_interrupts_a_long_query(path):
    """Shutdown does not wait for a count over years."""
    store = await open_store(path)
    started = threading.Event()

    def count_without_end(connection):
        started.set()
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        return connection.execute(numbers).fetchone()

    running = asyncio.create_task(store._readers.run(count_without_end))
    await asyncio.to_thread(started.wait)
    await store.close()
    with pytest.raises(StoreUnavailableError, match="interrupted"):
        await running
