"""Files whose commits survive a power cut."""

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from receiver.alarms import book_file
from receiver.ingest import journal
from receiver.stores.sqlite import files
from scraper.outbox import schema
from shared import durable_sqlite
from shared.durable_sqlite import DamagedError, NotDurableError, SqliteProblem, classify_error


def open_store(path: Path) -> sqlite3.Connection:
    """As the receiver's store opens it for writing."""
    files.create(path)
    return files.connect_writer(path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a %23 directory?" / "file.sqlite"


@pytest.fixture
def file(path):
    """An empty file."""
    path.parent.mkdir(0o700)
    durable_sqlite.create(path)
    return path


@pytest.mark.parametrize("opened", [schema.create, open_store, journal.open_file, book_file.open_file])
def test_each_file_of_ours_survives_a_power_cut(path: Path, opened: Callable[[Path], sqlite3.Connection]):
    path.parent.mkdir(0o700)
    with closing(opened(path)) as connection:
        names = ("journal_mode", "synchronous", "fullfsync", "checkpoint_fullfsync")
        found = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names}
        assert found == {"journal_mode": "wal", "synchronous": 2, "fullfsync": 1, "checkpoint_fullfsync": 1}
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (1000 * durable_sqlite.BUSY_SECONDS,)
        assert connection.execute("PRAGMA journal_size_limit").fetchone()[0] >= 2**20
        connection.execute("BEGIN IMMEDIATE")  # SQLite makes the log and its index
        assert {one.stat().st_mode & 0o777 for one in path.parent.iterdir()} == {0o600}


@pytest.mark.parametrize(
    "pragma", [f"PRAGMA {name}" for name in ("journal_mode", "synchronous", "fullfsync", "checkpoint_fullfsync")]
)
def test_a_setting_that_sqlite_ignores_is_found(file, monkeypatch, pragma):
    class Deaf(durable_sqlite.FileConnection):
        def execute(self, sql, *args):
            return super().execute("SELECT 'odd'" if sql.startswith(pragma) else sql, *args)

    monkeypatch.setattr(durable_sqlite, "FileConnection", Deaf)
    with closing(durable_sqlite.connect(file)) as connection, pytest.raises(NotDurableError, match="is odd where"):
        durable_sqlite.make_durable(connection, log_limit_bytes=2**20)


def test_a_file_is_made_once_and_never_by_connecting(file):
    with pytest.raises(FileExistsError):
        durable_sqlite.create(file)
    durable_sqlite.remove(file)
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        durable_sqlite.connect(file).execute("SELECT 1")
    assert not file.exists()


def test_settings_stand_before_the_first_page(path):
    path.parent.mkdir()
    durable_sqlite.create(path, "page_size = 8192", "auto_vacuum = INCREMENTAL")
    with closing(durable_sqlite.connect(path)) as connection:
        assert connection.execute("PRAGMA page_size").fetchone() == (8192,)
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)


def test_a_connection_knows_whether_its_file_is_still_in_place(file):
    with closing(durable_sqlite.connect(file)) as connection:
        assert connection.is_in_place(file)
        file.rename(file.with_name("aside"))
        assert not connection.is_in_place(file)
        durable_sqlite.create(file)
        assert not connection.is_in_place(file)


def test_a_transaction_is_whole_or_nothing(file):
    with closing(durable_sqlite.connect(file)) as connection:
        with durable_sqlite.open_transaction(connection):
            connection.execute("CREATE TABLE one (value)")
        with suppress(KeyError), durable_sqlite.open_transaction(connection):
            connection.execute("INSERT INTO one VALUES (1)")
            raise KeyError
        assert not connection.in_transaction
        assert connection.execute("SELECT count(*) FROM one").fetchone() == (0,)


def test_damage_is_told_from_other_problems(file):
    file.write_bytes(b"no database" * 1000)
    with closing(durable_sqlite.connect(file)) as connection, pytest.raises(sqlite3.DatabaseError) as broken:
        durable_sqlite.check(connection)
    assert durable_sqlite.is_damage(broken.value)
    assert durable_sqlite.is_damage(DamagedError("its counts are wrong"))
    assert not durable_sqlite.is_damage(sqlite3.OperationalError("no code"))
    assert not durable_sqlite.is_damage(OSError("no database error"))
    assert not durable_sqlite.is_damage(None)


def test_an_extended_code_means_what_its_primary_code_means():
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    assert classify_error(error) is SqliteProblem.DISK


def replace_bytes(file: Path, old: bytes, new: bytes) -> None:
    """Alter every copy of some bytes in the file."""
    data = file.read_bytes()
    assert old in data
    file.write_bytes(data.replace(old, new))


@pytest.fixture
def worded(file):
    """A file with a table, two columns and a text."""
    with closing(durable_sqlite.connect(file)) as connection:
        connection.execute("CREATE TABLE quarters (gateway TEXT UNIQUE, start)")
        connection.execute("INSERT INTO quarters VALUES ('serial', 1)")
    return file


_COPY = "INSERT INTO quarters SELECT * FROM quarters"

UNDECODABLE: dict[str, tuple[bytes, bytes, Callable[[sqlite3.Connection], object]]] = {
    "a text": (b"serial", b"ser\xe9al", lambda c: c.execute("SELECT gateway FROM quarters").fetchall()),
    "the name of a column": (b"start)", b"st\xe1rt)", lambda c: c.execute("SELECT * FROM quarters")),
    "a name of the schema": (b"TABLE quarters", b"TABLE qu\xe1rters", lambda c: c.execute("SELECT 1 FROM quarters")),
    "a constraint": (b"gateway TEXT", b"gat\xe5way TEXT", lambda c: c.execute(_COPY)),
    "a constraint, many": (b"gateway TEXT", b"gat\xe5way TEXT", lambda c: c.executemany(_COPY, [()])),
    "a constraint, a script": (b"gateway TEXT", b"gat\xe5way TEXT", lambda c: c.executescript(_COPY)),
}
"""Bytes in the file, what becomes of them, and a statement that meets them."""


@pytest.mark.parametrize(("old", "new", "meet"), UNDECODABLE.values(), ids=UNDECODABLE.keys())
def test_text_that_is_no_utf_8_is_damage_and_never_another_error(worded, old, new, meet):
    """Python raises UnicodeDecodeError, or an error without a code, past handlers that ask for SQLite's codes."""
    replace_bytes(worded, old, new)
    with closing(durable_sqlite.connect(worded)) as connection, pytest.raises(sqlite3.Error) as broken:
        meet(connection)
    assert durable_sqlite.is_damage(broken.value)
