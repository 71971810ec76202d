"""Damage inside the store: it is told apart from a busy file, said in a sentence, and nobody else's rows wait for it."""

import asyncio
import re
import sqlite3
from contextlib import closing

import pytest

from receiver.ingest.group_commit import GroupCommit
from receiver.stores.base import GatewayReading, StoreDamagedError, StoreUnavailableError
from receiver.stores.sqlite import store as module
from receiver.stores.sqlite.copying import copy_to, put_in_place
from receiver.stores.sqlite.examination import find_damage
from shared.readings import Reading
from shared.units import DAY_MS, HOUR_MS
from tests.receiver.stores.sqlite_rows import HOME, NOON, PHASE_A, make_rows, open_store

SHED = "122233335555"
_PAGE = 4096


async def fill(path) -> None:
    """Two gateways with enough readings for pages of their own."""
    store = await open_store(path)
    await store.write(make_rows(5_000))
    await store.write([GatewayReading(SHED, row.reading) for row in make_rows(5_000)])
    await store.close()


def break_text(path) -> None:
    """The tags of every series are no UTF-8 any more, in the table and in its index."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE series SET tags = CAST(x'7b22ff' || substr(tags, 4) AS TEXT)")
        connection.commit()


def break_first_rows(path) -> None:
    """Zero the leaf page that the first readings of the first gateway lie in."""
    with closing(sqlite3.connect(path)) as connection:
        (first,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'meter'").fetchone()
    with path.open("r+b") as file:
        file.seek((first - 1) * _PAGE)
        root = file.read(_PAGE)
        pointer = int.from_bytes(root[12:14], "big")
        leaf = int.from_bytes(root[pointer : pointer + 4], "big")
        file.seek((leaf - 1) * _PAGE)
        file.write(bytes(_PAGE))


def break_key(path) -> None:
    """One bit of one timestamp: a query stops there, without an error, as if no later reading were stored."""
    data = path.read_bytes()
    stamp = (NOON + 1000).to_bytes(6, "big")
    at = data.index(stamp)
    path.write_bytes(data[:at] + bytes([stamp[0] ^ 0x20]) + data[at + 1 :])


async def test_a_damaged_key_is_found_by_the_doctor_and_by_a_backup(path):
    """SQLite's quick check passes it."""
    await fill(path)
    break_key(path)
    store = await open_store(path)
    assert await store.check_ready() is None
    assert len((await store.read_points(HOME, "meter", start=0, stop=2 * NOON))[0].points) < 5_000
    await store.close()
    assert "is damaged" in str(find_damage(path))
    with pytest.raises(StoreUnavailableError, match="is no backup"):
        copy_to(path, path.with_name("copy"))


async def wait_for_examination(store):
    await asyncio.wait([store._examination])


async def test_damage_that_no_query_notices_is_said_by_readiness_within_a_day(path):
    await fill(path)
    sound = path.read_bytes()
    store = await open_store(path)
    await store.expire(NOON)
    await wait_for_examination(store)
    assert await store.check_ready() is None
    await store.close()
    path.write_bytes(sound)
    break_key(path)
    store = await open_store(path)
    await store.expire(NOON)
    await wait_for_examination(store)
    assert "is damaged" in str(await store.check_ready())
    await store.close()


async def test_the_file_is_examined_once_a_day(path, monkeypatch):
    times: list[int] = []
    now_ms = NOON
    monkeypatch.setattr(module, "examine", lambda _: times.append(now_ms))
    store = await open_store(path)
    for now_ms in range(NOON, NOON + 3 * DAY_MS, HOUR_MS):
        await store.expire(now_ms)
        await wait_for_examination(store)
    assert times == [NOON, NOON + DAY_MS, NOON + 2 * DAY_MS]
    await store.close()


async def test_an_examination_does_not_keep_the_store_from_closing(path, monkeypatch):
    """As one of gigabytes."""
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    monkeypatch.setattr(module, "examine", lambda connection: connection.execute(endless).fetchone())
    store = await open_store(path)
    await store.expire(NOON)
    await asyncio.sleep(0)  # it begins
    await store.close()


async def test_text_that_is_none_is_damage_and_said_in_a_sentence(path):
    await fill(path)
    break_text(path)
    store = await open_store(path)
    assert await store.check_ready() is None
    with pytest.raises(StoreDamagedError, match=r"damaged.*\.recover"):
        await store.read_latest(HOME, "meter")
    assert "is damaged" in await store.check_ready()
    await store.close()


async def test_a_write_that_meets_damage_is_remembered_by_readiness(path):
    """A write of other rows succeeds meanwhile, and reopening notices nothing."""
    await fill(path)
    break_first_rows(path)
    store = await open_store(path)
    with pytest.raises(StoreDamagedError):
        await store.write(make_rows())
    assert await store.write(make_rows(1, first=10**9)) == {}
    assert "is damaged" in await store.check_ready()
    await store.close()


async def test_damage_under_one_gateway_keeps_no_other_one_waiting(path):
    """Requests that share a write are written alone then."""
    await fill(path)
    break_first_rows(path)
    store = await open_store(path)
    commit = GroupCommit(store)
    begun = [
        commit.write(make_rows()),
        commit.write([GatewayReading(SHED, Reading("meter", PHASE_A, NOON, {"power": 7.0}))]),
    ]
    damaged, sound = await asyncio.gather(*begun, return_exceptions=True)
    assert isinstance(damaged, StoreDamagedError)
    assert sound == {}
    await store.close()


async def test_another_file_in_its_place_is_judged_again(path):
    await fill(path)
    sound = path.read_bytes()
    break_text(path)
    store = await open_store(path)
    with pytest.raises(StoreDamagedError):
        await store.read_latest(HOME, "meter")
    restored = path.with_name("restored")
    restored.write_bytes(sound)
    for log in ("-wal", "-shm"):
        path.with_name(path.name + log).unlink(missing_ok=True)
    restored.rename(path)
    assert await store.check_ready() is None
    await store.close()


@pytest.mark.parametrize("break_file", [break_text, break_first_rows])
async def test_the_doctor_reads_all_of_it(path, break_file):
    await fill(path)
    assert find_damage(path) is None
    break_file(path)
    assert re.search("is damaged.*restore a backup or salvage", str(find_damage(path)))


async def test_a_restored_copy_never_replaces_a_store(path):
    """Whatever was looked at before: a receiver may have made one in the meantime."""
    await fill(path)
    before = path.read_bytes()
    copy = path.with_name("copy")
    copy.write_bytes(b"restored")
    with pytest.raises(FileExistsError):
        put_in_place(copy, path)
    assert path.read_bytes() == before
