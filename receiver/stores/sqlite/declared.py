"""Whether the tables of the file are as some version of this program made them.

A flipped bit in a name of the schema is still SQL: the column would be missing, be added again, and what it held be
hidden. So the schema is compared with the dictionary before anything is read or added.
"""

import re
import sqlite3
from collections.abc import Collection
from pathlib import Path

from receiver.stores.kinds import STORED
from receiver.stores.sqlite.schema import SERIES, write_column, write_table
from shared.durable_sqlite import DamagedError, Object, list_made_objects, list_objects

_VERSIONS = slice(18, 20)
"""Where the head says which programs may write and read the file."""
_COLUMN = re.compile(r'"(\w+)" (?:REAL|TEXT)')
_HEAD = {"encoding": "UTF-8", "auto_vacuum": 0}
"""Settings in the head of the file, as every store has them."""


def verify_schema(connection: sqlite3.Connection) -> None:
    """Raise DamagedError, or another sqlite3.Error, if the tables are not as they were made.

    Tables and columns may be missing, as in a file of an earlier version. There may be others beside those of the
    dictionary, of a later version or made by people.
    """
    for setting, right in _HEAD.items():
        if connection.execute(f"PRAGMA {setting}").fetchone() != (right,):
            raise DamagedError(f"its {setting} is not that of a store")
    found = list_objects(connection)
    series = list_made_objects((SERIES,))
    kinds = [name for name in STORED if _is_spoken_of(name, found) and not _is_right_table(name, found)]
    if kinds or (found and not set(series) <= set(found)):
        raise DamagedError("its tables are not as they were made")


def verify_head(path: Path) -> None:
    """Raise DamagedError if SQLite takes the file for one of later times, which it does not write. Raises OSError.

    Only for commands: to close the file here ends the locks that connections of the same process hold on it.
    """
    with path.open("rb") as file:
        head = file.read(_VERSIONS.stop)
    if not set(head[_VERSIONS]) <= {1, 2}:
        raise DamagedError("its head was altered")


def _is_spoken_of(kind: str, found: Collection[Object]) -> bool:
    """Whether there is a table of this kind, or was before a name in the schema was damaged: it stands there twice."""
    return any(name == kind or (sql or "").startswith(f'CREATE TABLE "{kind}" ') for _, name, _, sql in found)


def _is_right_table(kind: str, found: Collection[Object]) -> bool:
    statement = next((sql for type_, name, table, sql in found if (type_, name, table) == ("table", kind, kind)), None)
    columns = dict.fromkeys(match[0] for match in _COLUMN.finditer(statement or ""))
    names = {column.split('"')[1] for column in columns}
    declared = STORED[kind].fields.keys()
    return (
        statement == write_table(kind, columns)
        and all(write_column(kind, name) in columns for name in names & declared)
        # A later version has all of the fields and more, an earlier one has fewer and no other: this is neither.
        and (names <= declared or names >= declared)
    )
