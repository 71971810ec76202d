"""The SQLite file itself: how it is made, kept and migrated, and that a damaged one is never replaced."""

import os
import sqlite3
import stat
from contextlib import closing

import pytest

from receiver.stores.base import GatewayReading, StoreUnavailableError
from receiver.stores.sqlite import SqliteStore, schema
from shared import durable_sqlite
from shared.readings import Reading

NOON = 1_750_000_000_000
HOME = "122233334444"
PHASE_A = {"meter": "production", "phase": "a"}


def make_rows(count=1, first=NOON):
    return [GatewayReading(HOME, Reading("meter", PHASE_A, first + n, {"power": n + 0.5})) for n in range(count)]


async def open_store(path):
    store = SqliteStore(path)
    await store.open()
    return store


async def fill_store(path, count=1):
    """A closed store with `count` readings; its journal is in the file."""
    store = await open_store(path)
    assert await store.write(make_rows(count)) == {}
    await store.close()


async def read_timestamps(path):
    store = await open_store(path)
    found = await store.read_points(HOME, "meter", start=0, stop=2 * NOON)
    await store.close()
    return [point.timestamp for series in found for point in series.points]


def read_mode(path):
    return stat.S_IMODE(path.stat().st_mode)


async def test_every_commit_is_fsynced(path):
    """What a power cut must not take: asserted on the connection that writes."""
    store = await open_store(path)
    connection = store._writer._connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert connection.execute("PRAGMA fullfsync").fetchone() == (1,)
    await store.close()


async def test_a_connection_that_cannot_be_made_durable_is_not_used(path, monkeypatch):
    """SQLite says nothing when a file system cannot do WAL: we do."""
    await fill_store(path)
    monkeypatch.setattr(durable_sqlite, "_DURABLE", (("synchronous", "FULL", 3),))
    store = await open_store(path)
    assert "cannot be kept safe from a power cut" in await store.check_ready()
    with pytest.raises(StoreUnavailableError, match="local file system"):
        await store.write(make_rows())
    await store.close()


async def test_the_file_is_private(path):
    """0600 in 0700, the journal too: where somebody was at home can be read from a power curve."""
    store = await open_store(path)
    await store.write(make_rows())
    assert read_mode(path.parent) == 0o700
    names = {file.name: read_mode(file) for file in path.parent.iterdir()}
    assert names == {"readings.db": 0o600, "readings.db-wal": 0o600, "readings.db-shm": 0o600}
    await store.close()
    assert [file.name for file in path.parent.iterdir()] == ["readings.db"]


async def test_an_empty_file_is_reported_and_not_filled(path):
    """A store is linked into place complete, so an empty file is a lost one."""
    await fill_store(path)
    path.write_bytes(b"")
    store = await open_store(path)
    assert "is empty" in await store.check_ready()
    with pytest.raises(StoreUnavailableError, match="restore it from a backup"):
        await store.write(make_rows())
    await store.close()
    assert path.read_bytes() == b""


async def test_a_file_of_garbage_is_reported_and_not_touched(path):
    """A damaged header: no write, no query and no start may replace somebody's history."""
    path.parent.mkdir()
    garbage = b"not a database" * 1000
    path.write_bytes(garbage)
    store = await open_store(path)
    assert "damaged or not a SQLite database" in await store.check_ready()
    with pytest.raises(StoreUnavailableError, match="restore a backup or salvage"):
        await store.write(make_rows())
    with pytest.raises(StoreUnavailableError, match="damaged"):
        await store.read_latest(HOME, "meter")
    await store.close()
    assert path.read_bytes() == garbage


async def test_damage_inside_the_file_is_reported_by_the_query_that_meets_it(path):
    """Then the store is not ready until a person has restarted it on a sound file."""
    await fill_store(path, 20_000)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 8192 * 4096)  # whole pages: half a page may pass for the end of a series
        file.write(bytes(40_960))
    damaged = path.read_bytes()
    store = await open_store(path)
    with pytest.raises(StoreUnavailableError, match="damaged"):
        await store.read_points(HOME, "meter", start=0, stop=2 * NOON)
    assert "salvage" in await store.check_ready()
    await store.close()
    assert path.read_bytes() == damaged


async def test_a_truncated_file_is_reported(path):
    """Half of the pages are gone: never an answer that looks whole."""
    await fill_store(path, 20_000)
    os.truncate(path, path.stat().st_size // 8192 * 4096)
    store = await open_store(path)
    with pytest.raises(StoreUnavailableError, match="damaged"):
        await store.read_points(HOME, "meter", start=0, stop=2 * NOON)
    await store.close()


async def test_another_programs_database_is_not_touched(path):
    """A wrong path in a setting."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE recipes (name)")
    before = path.read_bytes()
    store = await open_store(path)
    assert "another program" in await store.check_ready()
    with pytest.raises(StoreUnavailableError, match="RECEIVER_STORE"):
        await store.write(make_rows())
    await store.close()
    assert path.read_bytes() == before


async def test_a_file_of_a_newer_version_is_not_touched(path):
    """After a downgrade: say so, rather than guess."""
    await fill_store(path)
    with closing(sqlite3.connect(path)) as newer:
        newer.execute(f"PRAGMA user_version = {schema.LAYOUT + 1}")
    store = await open_store(path)
    assert "newer version" in await store.check_ready()
    with pytest.raises(StoreUnavailableError, match="newer version"):
        await store.write(make_rows())
    await store.close()


async def test_a_file_that_vanishes_is_missed_at_once(path):
    """An open file without a name would swallow every reading. It is not made again, and goes on when it is back."""
    store = await open_store(path)
    await store.write(make_rows())
    hidden = path.with_name("hidden")
    path.rename(hidden)
    with pytest.raises(StoreUnavailableError, match="is gone"):
        await store.write(make_rows(1, NOON + 1))
    assert "is gone" in await store.check_ready()
    assert not path.exists()
    hidden.rename(path)
    assert await store.check_ready() is None
    await store.write(make_rows(1, NOON + 1))
    assert await store.count() == 2
    await store.close()


async def test_queries_follow_a_restored_backup(path):
    """Readers notice that the file under them was replaced."""
    await fill_store(path)
    backup = path.read_bytes()
    store = await open_store(path)
    await store.write(make_rows(10))
    assert await store.count() == 10
    restored = path.with_name("restored")
    restored.write_bytes(backup)
    for journal in ("readings.db-wal", "readings.db-shm"):
        path.with_name(journal).unlink()
    restored.rename(path)
    assert await store.count() == 1
    await store.write(make_rows(2))
    assert await store.count() == 2
    await store.close()


async def test_a_directory_that_cannot_be_made_is_explained_and_tried_again(path):
    """The mount that comes late."""
    path.parent.write_text("in the way")
    store = await open_store(path)
    assert str(path) in await store.check_ready()
    with pytest.raises(StoreUnavailableError):
        await store.write(make_rows())
    path.parent.unlink()
    assert await store.write(make_rows()) == {}
    await store.close()
