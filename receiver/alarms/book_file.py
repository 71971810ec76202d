"""The file of the alarms: its tables, how it is opened, and how a command reads it beside the running service."""

import contextlib
import sqlite3
from pathlib import Path
from typing import NamedTuple

from receiver.alarms.states import AlarmKey, AlarmState, Phase
from receiver.errors import ReceiverError
from shared import durable_sqlite
from shared.durable_sqlite import DamagedError, FileConnection, open_transaction
from shared.kept_sqlite import make_layout

FILE = "alarms.sqlite"
_LAYOUT = 2
_LOG_LIMIT_BYTES = 1024 * 1024
_STATE = """
CREATE TABLE state (
    alarm TEXT, gateway TEXT, subject TEXT, phase TEXT NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL,
    pending_since INTEGER NOT NULL, judged INTEGER NOT NULL, began INTEGER, ended INTEGER,
    said TEXT NOT NULL DEFAULT '{}',
    PRIMARY KEY (alarm, gateway, subject)
) WITHOUT ROWID
"""
_MESSAGE = """
CREATE TABLE message (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, channel TEXT NOT NULL, status TEXT NOT NULL,
    made INTEGER NOT NULL, not_before INTEGER NOT NULL, notice BLOB NOT NULL
)
"""
_JUDGED = "CREATE TABLE pass (one INTEGER PRIMARY KEY, judged INTEGER NOT NULL)"
_TABLES = (_STATE, _MESSAGE, _JUDGED)
_UPGRADE = ("ALTER TABLE state ADD COLUMN said TEXT NOT NULL DEFAULT '{}'", "PRAGMA user_version = 2")
"""From layout 1, whose reasons had no values: what was told already must not be told again."""


class BookError(ReceiverError):
    """The file of the alarms cannot be used now; the message says why and what to do."""


def read_states(connection: sqlite3.Connection) -> dict[AlarmKey, AlarmState]:
    """All states in a file. Raises sqlite3.Error."""
    rows = connection.execute("SELECT * FROM state").fetchall()
    try:
        return {AlarmKey(*row[:3]): AlarmState(Phase(row[3]), *row[4:]) for row in rows}
    except ValueError as error:
        raise DamagedError("it holds a state that was never written") from error


class Standing(NamedTuple):
    """What stands in a file: all states, and when everything was last judged (UTC milliseconds; None: never)."""

    states: dict[AlarmKey, AlarmState]
    judged: int | None


def load_standing(path: Path) -> Standing:
    """For a command beside the running service. Raises BookError."""
    if not path.exists():
        return Standing({}, None)
    try:
        with contextlib.closing(durable_sqlite.connect(path, read_only=True)) as connection:
            row = connection.execute("SELECT judged FROM pass").fetchone()
            return Standing(read_states(connection), row[0] if row else None)
    except sqlite3.Error as error:
        raise BookError(f"the file of the alarms {path} cannot be read ({error})") from error


def open_file(path: Path) -> FileConnection:
    """A durable connection; the file is made when it is missing. Raises sqlite3.Error and OSError."""
    return durable_sqlite.open_with_tables(path, _make_or_upgrade, log_limit_bytes=_LOG_LIMIT_BYTES)


def _make_or_upgrade(connection: FileConnection) -> None:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found == 1:
        with open_transaction(connection):
            for statement in _UPGRADE:
                connection.execute(statement)
    make_layout(connection, _LAYOUT, _TABLES)
