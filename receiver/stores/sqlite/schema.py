"""The tables: one wide table per kind, its columns the fields of the dictionary, and one table of series.

The primary key (series, timestamp) without a rowid keeps the points of one series side by side, so a query over time
reads one run of pages and an identity can exist only once. A column that is NULL is a field that the reading left out.

A later version of the dictionary adds columns and tables, never changes or drops one. All of it happens in one
transaction: a kill leaves the old layout or the new one.
"""

import sqlite3
from collections.abc import Iterable

from receiver.stores.base import StoreUnavailableError
from receiver.stores.kinds import STORED
from shared.durable_sqlite import open_transaction

APPLICATION_ID = 0x656E7679
"""Marks a SQLite file as ours ("envy"), so that a wrong path in a setting harms nobody's database."""
LAYOUT = 1
"""Version of what the dictionary does not decide; the file keeps it as `user_version`."""

_TYPE_NAMES = {float: "REAL", str: "TEXT"}

SERIES = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY,
    gateway TEXT NOT NULL,
    kind TEXT NOT NULL,
    tags TEXT NOT NULL,
    UNIQUE (gateway, kind, tags)
)
"""


def refuse_foreign(connection: sqlite3.Connection) -> None:
    """Look before anything is changed.

    Raises:
        StoreUnavailableError: The file belongs to another program, or to a newer version of this one.
        sqlite3.Error: The database failed.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise StoreUnavailableError(
            "the store's file is a database of another program; it was not touched: check the path in RECEIVER_STORE"
        )
    if _read_layout(connection) > LAYOUT:
        raise StoreUnavailableError(
            "the store's file was written by a newer version of envoy-receiver; it was not touched: run that version"
        )


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a file to this version's layout, in one transaction. Writes nothing if it is there already."""
    with open_transaction(connection):
        for statement in _list_missing(connection):
            connection.execute(statement)


def _read_layout(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _list_missing(connection: sqlite3.Connection) -> list[str]:
    """The statements that this file still needs."""
    layout = _read_layout(connection)
    statements = [] if layout == LAYOUT else [SERIES, f"PRAGMA application_id = {APPLICATION_ID}"]
    for name, kind in STORED.items():
        have = {row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')}
        columns = {field: write_column(name, field) for field in kind.fields}
        if not have:
            statements.append(write_table(name, columns.values()))
        else:
            added = [column for field, column in columns.items() if field not in have]
            statements += [f'ALTER TABLE "{name}" ADD COLUMN {column}' for column in added]
    if layout != LAYOUT:
        statements.append(f"PRAGMA user_version = {LAYOUT}")
    return statements


def write_table(kind: str, columns: Iterable[str]) -> str:
    """Makes the table of a kind; its columns as they are written in SQL. A file's schema keeps this text as it is."""
    return (
        f'CREATE TABLE "{kind}" (series INTEGER NOT NULL, timestamp INTEGER NOT NULL, '
        f"{', '.join(columns)}, PRIMARY KEY (series, timestamp)) WITHOUT ROWID"
    )


def write_column(kind: str, field: str) -> str:
    """The column of a field."""
    return f'"{field}" {_TYPE_NAMES[STORED[kind].fields[field].type]}'


def write_upsert(kind: str, rows: int) -> str:
    """Stores so many readings of a kind: each is series, timestamp, then every field of the dictionary, NULL if absent.

    Full width always, not one statement per set of fields: it keeps the order of the rows within a write (the last one
    wins). OR ROLLBACK says that a failure ends the whole transaction, as it does for the writer anyway; a statement
    that might have to be undone alone would keep a journal of its own, which costs more than its rows.
    """
    fields = [f'"{name}"' for name in STORED[kind].fields]
    merged = ", ".join(f"{field} = coalesce(excluded.{field}, {field})" for field in fields)
    values = ", ".join([f"({', '.join('?' * (2 + len(fields)))})"] * rows)
    return (
        f'INSERT OR ROLLBACK INTO "{kind}" (series, timestamp, {", ".join(fields)}) VALUES {values} '  # noqa: S608 (names of the dictionary, never input)
        f"ON CONFLICT (series, timestamp) DO UPDATE SET {merged}"
    )
