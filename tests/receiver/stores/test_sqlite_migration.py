"""New versions of the SQLite file: columns and tables are added, whole or not at all."""

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from receiver.stores.base import GatewayReading, StoreUnavailableError
from receiver.stores.sqlite.copying import copy_to
from receiver.stores.sqlite.examination import find_damage
from shared.fields import KINDS
from shared.readings import Reading
from tests.receiver.stores.test_sqlite_files import HOME, NOON, PHASE_A, fill_store, open_store, read_timestamps


def make_older(path):
    """Make of a file what an older dictionary, without some fields and a kind, would have made."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE meter DROP COLUMN frequency")
        connection.execute("ALTER TABLE meter DROP COLUMN power_factor")
        connection.execute("ALTER TABLE gateway DROP COLUMN version")
        connection.execute("DROP TABLE production")


def read_columns(path):
    with closing(sqlite3.connect(path)) as connection:
        return {
            kind: {row[1] for row in connection.execute(f'PRAGMA table_info("{kind}")')} - {"series", "timestamp"}
            for kind in KINDS
        }


NEW = {name: set(kind.fields) for name, kind in KINDS.items()}


OLD = NEW | {
    "meter": NEW["meter"] - {"frequency", "power_factor"},
    "gateway": NEW["gateway"] - {"version"},
    "production": set(),
}


async def test_new_fields_and_kinds_of_the_dictionary_become_columns_and_tables(path):
    """An upgrade needs no step by hand and keeps what there was."""
    await fill_store(path, 3)
    make_older(path)
    assert read_columns(path) == OLD
    store = await open_store(path)
    new = [
        GatewayReading(HOME, Reading("meter", PHASE_A, NOON, {"frequency": 50.0})),
        GatewayReading(HOME, Reading("production", {"source": "inverters"}, NOON, {"power": 1.0})),
    ]
    assert await store.write(new) == {}
    (series,) = await store.read_points(HOME, "meter", start=0, stop=2 * NOON)
    assert series.points[0].fields == {"power": 0.5, "frequency": 50.0}
    assert len(series.points) == 3
    await store.close()
    assert read_columns(path) == NEW


MIGRATE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from receiver.stores.sqlite import schema
from shared import durable_sqlite

statements = int(sys.argv[2])

def trace(sql):
    global statements
    if statements == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    statements -= 1

connection = durable_sqlite.connect(Path(sys.argv[1]))
connection.set_trace_callback(trace)
schema.migrate(connection)
"""


def migrate_and_die(path, statements):
    """Migrate in a process that kills itself before its statement number `statements`; whether it got to the end."""
    command = [sys.executable, "-c", MIGRATE_AND_DIE, str(path), str(statements)]
    return subprocess.run(command, check=False).returncode == 0


async def test_a_kill_at_any_statement_of_a_migration_leaves_the_old_layout_or_the_new(path):
    """Never neither, and the readings are there either way."""
    layouts = []
    for statements in range(60):
        path.unlink(missing_ok=True)
        await fill_store(path, 3)
        make_older(path)
        finished = migrate_and_die(path, statements)
        layouts.append(read_columns(path))
        assert layouts[-1] in (OLD, NEW)
        assert await read_timestamps(path) == [NOON, NOON + 1, NOON + 2]
        if finished:
            break
    assert layouts[0] == OLD
    assert layouts[-1] == NEW
    assert len(layouts) > 5


def rename_column(path, old, new):
    """As a flipped bit in the schema does it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"ALTER TABLE meter RENAME COLUMN {old} TO {new}")


def add_what_nobody_knows(path):
    """What a later version adds, and what people make for themselves."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            'ALTER TABLE meter ADD COLUMN "of_later" REAL; CREATE INDEX mine ON meter (timestamp);'
            "CREATE VIEW also_mine AS SELECT power FROM meter"
        )


async def test_a_column_with_another_name_is_damage_and_never_added_again(path):
    await fill_store(path, 3)
    rename_column(path, "power", "pover")
    store = await open_store(path)
    assert "is damaged" in str(await store.check_ready())
    assert "is damaged" in str(find_damage(path))
    with pytest.raises(StoreUnavailableError, match="is damaged"):
        await store.read_points(HOME, "meter", start=0, stop=2 * NOON)
    with pytest.raises(StoreUnavailableError, match="is damaged"):
        copy_to(path, path.with_name("copy"))
    await store.close()
    rename_column(path, "pover", "power")
    assert await read_timestamps(path) == [NOON, NOON + 1, NOON + 2]


async def test_files_of_earlier_and_of_later_versions_are_sound(path):
    """And those that were brought up to date twice."""
    await fill_store(path, 3)
    make_older(path)
    for _ in range(2):
        assert await read_timestamps(path) == [NOON, NOON + 1, NOON + 2]
        assert find_damage(path) is None
    add_what_nobody_knows(path)
    assert await read_timestamps(path) == [NOON, NOON + 1, NOON + 2]
    assert find_damage(path) is None
