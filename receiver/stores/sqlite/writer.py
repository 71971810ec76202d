"""The one connection that writes. Synchronous; lives on one thread.

After any failure the connection is gone and the next call opens a new one: what SQLite holds in memory after a failed
write or fsync is not to be believed.
"""

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec

from receiver.stores.base import GatewayReading, StoreUnavailableError
from receiver.stores.gate import refusal
from receiver.stores.sqlite import files
from receiver.stores.sqlite.schema import LAYOUT, upsert_statement
from shared.fields import KINDS
from shared.problems import Rejection

_SeriesKey = tuple[str, str, tuple[str, ...]]  # gateway, kind, tag values in the dictionary's order
_SQL = {kind: upsert_statement(kind) for kind in KINDS}
_FIELDS = {name: tuple(kind.fields) for name, kind in KINDS.items()}


class Writer:
    """Writes readings to one file.

    Args:
        path: The SQLite file; made at the first successful opening if it is missing, never after.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: files.FileConnection | None = None
        self._was_open = False
        self._failed = False
        self._series: dict[_SeriesKey, int] = {}

    def write(self, rows: Sequence[GatewayReading]) -> dict[int, Rejection]:
        """As `Store.write`."""
        refused: dict[int, Rejection] = {}
        good: list[GatewayReading] = []
        for index, row in enumerate(rows):
            if (reason := refusal(row.reading)) is None:
                good.append(row)
            else:
                refused[index] = reason
        if good:
            self._durably(good)
        return refused

    def ready(self) -> str | None:
        """As `Store.ready`. After a failed write it tries a real one, for reopening alone cannot see a full disk."""
        try:
            connection = self._open()
            if self._failed:
                connection.execute(f"PRAGMA user_version = {LAYOUT}")
                self._failed = False
        except (sqlite3.Error, OSError, StoreUnavailableError) as error:
            self._drop()
            return str(files.explain(self._path, error))
        return None

    def close(self) -> None:
        """Let go of the file; SQLite moves its journal into it."""
        self._drop()

    def _durably(self, rows: Sequence[GatewayReading]) -> None:
        try:
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            for kind, values in self._values_by_kind(connection, rows).items():
                connection.executemany(_SQL[kind], values)
            connection.execute("COMMIT")
        except BaseException as error:
            self._drop()
            self._failed = True
            if isinstance(error, (sqlite3.Error, OSError, StoreUnavailableError)):
                raise files.explain(self._path, error) from error
            raise
        self._failed = False

    def _values_by_kind(
        self, connection: sqlite3.Connection, rows: Sequence[GatewayReading]
    ) -> dict[str, list[tuple[object, ...]]]:
        """What `upsert_statement` takes. Order is kept within a kind, which is all that an identity can feel."""
        values: dict[str, list[tuple[object, ...]]] = {}
        for gateway, reading in rows:
            series = self._series_id(connection, gateway, reading.kind, reading.tags)
            fields = map(reading.fields.get, _FIELDS[reading.kind])
            values.setdefault(reading.kind, []).append((series, reading.timestamp, *fields))
        return values

    def _series_id(self, connection: sqlite3.Connection, gateway: str, kind: str, tags: dict[str, str]) -> int:
        key = (gateway, kind, tuple(map(tags.__getitem__, KINDS[kind].tags)))
        known = self._series.get(key)
        if known is not None:
            return known
        row = (gateway, kind, msgspec.json.encode(tags, order="sorted").decode())
        connection.execute("INSERT INTO series (gateway, kind, tags) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row)
        found = connection.execute("SELECT id FROM series WHERE (gateway, kind, tags) = (?, ?, ?)", row).fetchone()
        self._series[key] = int(found[0])
        return self._series[key]

    def _open(self) -> files.FileConnection:
        if self._connection is not None and not self._connection.is_in_place(self._path):
            self._drop()
        if self._connection is None:
            if self._was_open and not self._path.exists():
                raise StoreUnavailableError(f"the store {self._path} is gone: put it back, or restart to begin anew")
            files.create(self._path)
            self._connection = files.connect_writer(self._path)
            self._was_open = True
        return self._connection

    def _drop(self) -> None:
        """Close, which undoes an open transaction, and forget the series ids that it may have made."""
        self._series.clear()
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
