"""The outbox file: how it is opened, made, migrated and checked. What is asserted here is what durability rests on."""

import itertools
import re
import secrets
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from scraper.errors import OutboxVersionError
from scraper.outbox import digest
from scraper.outbox.witness import Witness
from shared import durable_sqlite
from shared.durable_sqlite import DamagedError, list_made_objects, list_objects, open_transaction

PAGE_BYTES = 4096
"""Page size of the file; salvage relies on it."""
_LOG_LIMIT_BYTES = 4 * 1024 * 1024

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # `rows` and `dead_letters` are kept counts: COUNT(*) over a month of backlog is too slow for every second.
        """CREATE TABLE state (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            version INTEGER NOT NULL,
            id TEXT NOT NULL,
            inode INTEGER NOT NULL DEFAULT 0,
            running INTEGER NOT NULL DEFAULT 0,
            next_seq INTEGER NOT NULL DEFAULT 1,
            rows INTEGER NOT NULL DEFAULT 0,
            dead_letters INTEGER NOT NULL DEFAULT 0,
            lost_rows INTEGER NOT NULL DEFAULT 0
        )""",
        "CREATE TABLE rows (seq INTEGER PRIMARY KEY, frame BLOB NOT NULL)",
        "CREATE TABLE dead_letters (seq INTEGER PRIMARY KEY, frame BLOB NOT NULL)",
        "CREATE TABLE losses (timestamp INTEGER PRIMARY KEY)",
        "CREATE TABLE memory (one INTEGER PRIMARY KEY CHECK (one = 1), frame BLOB NOT NULL)",
        "INSERT INTO state (one, version, id) VALUES (1, 0, '')",
    ),
    (
        "ALTER TABLE state ADD COLUMN digest INTEGER NOT NULL DEFAULT 0",
        f"UPDATE state SET digest = {digest.COMPUTED}",  # noqa: S608 (a constant)
    ),
)
"""The steps from each schema version to the next; add to the end, never change one that was released."""

ABSURD = 1 << 60
"""No count and no number of the outbox comes near this; a damaged one may."""
_ID = re.compile(r"[0-9a-f]{32}")


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, which must exist, with every setting that durability rests on. Raises sqlite3.Error."""
    connection = durable_sqlite.connect(path)
    try:
        connection.execute("PRAGMA cache_size = -512")
        connection.execute("PRAGMA secure_delete = ON")  # else salvage would find what was settled long ago
        durable_sqlite.make_durable(connection, log_limit_bytes=_LOG_LIMIT_BYTES)
    except BaseException:
        connection.close()
        raise
    return connection


def create(path: Path, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> sqlite3.Connection:
    """Make a new, empty outbox with a new id at `path` and open it; what lies there is overwritten.

    Make it beside its final place and rename it: a file at that place is then always whole.
    """
    durable_sqlite.remove(path)
    durable_sqlite.create(path, f"page_size = {PAGE_BYTES}", "auto_vacuum = INCREMENTAL")
    connection = connect(path)
    migrate(connection, migrations)
    connection.execute("UPDATE state SET id = ?", (make_id(),))
    return connection


def migrate(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Bring the file to the newest schema in one transaction: a kill leaves the old one or the new one.

    Raises OutboxVersionError if a newer release wrote the file, DamagedError if its version is in doubt.
    """
    version = read_schema_version(connection)
    if version > len(migrations):
        raise OutboxVersionError(
            f"the outbox was written by a newer envoy-relay (schema {version}; this one knows {len(migrations)}): "
            "install that version again, or move the file away to start afresh"
        )
    if version == len(migrations):
        return
    with open_transaction(connection):
        for statements in migrations[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute("UPDATE state SET version = ?", (len(migrations),))
        connection.execute(f"PRAGMA user_version = {len(migrations)}")


def read_schema_version(connection: sqlite3.Connection) -> int:
    """The schema version of the file. Raises DamagedError if its two witnesses disagree (a flipped bit)."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'state'").fetchone()[0]
    recorded = connection.execute("SELECT version FROM state").fetchone() if tables else (0,)
    if recorded != (version,):
        raise DamagedError("its version is in doubt")
    return int(version)


def verify(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Read the whole file once. Raises DamagedError or another sqlite3.Error if anything in it is not sound.

    Single rows with a wrong checksum are found when they are read.
    """
    right = list_made_objects(tuple(itertools.chain.from_iterable(migrations)))
    if list_objects(connection) != right:
        raise DamagedError("its tables are not as they were made")
    durable_sqlite.check(connection)
    kept = connection.execute("SELECT id, rows, dead_letters, next_seq, lost_rows, digest FROM state").fetchone()
    rows, dead = (connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("rows", "dead_letters"))  # noqa: S608 (constants)
    (found,) = connection.execute(f"SELECT {digest.COMPUTED}").fetchone()
    highest = connection.execute("SELECT max(coalesce((SELECT max(seq) FROM rows), 0), "
                                 "coalesce((SELECT max(seq) FROM dead_letters), 0))").fetchone()[0]  # fmt: skip
    sound = (
        kept is not None
        and all(isinstance(number, int) and 0 <= number < ABSURD for number in kept[1:])
        and (kept[1], kept[2], kept[5]) == (rows, dead, found)
        and kept[3] > highest
        and is_id(kept[0])
    )
    if not sound:
        raise DamagedError("its counts are wrong")


def read_witness(connection: sqlite3.Connection) -> Witness:
    """What the outbox holds now, for its witness."""
    return Witness(*connection.execute("SELECT id, next_seq, rows + dead_letters, digest FROM state").fetchone())


def is_id(text: object) -> bool:
    """Whether this is an id as `make_id` makes them."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def make_id() -> str:
    """A random 128-bit id, hexadecimal."""
    return secrets.token_hex(16)
