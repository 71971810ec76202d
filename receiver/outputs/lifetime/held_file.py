"""The lifetime totals that were given last, on disk: one small SQLite file, on a thread of its own.

What is kept is durable when the call returns. A damaged file is put aside, and the totals begin at what the store says.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias, TypeVar

import structlog

from receiver.outputs.lifetime.totals import GivenTotal
from receiver.stores.base import StoreUnavailableError
from shared import durable_sqlite
from shared.durable_sqlite import FileConnection, is_damage, open_transaction
from shared.kept_sqlite import KeptFile, make_layout

_T = TypeVar("_T")
_log = structlog.get_logger()

FILE = "lifetime.sqlite"
"""Its name in the state directory."""
HeldTotals: TypeAlias = dict[tuple[str, str], GivenTotal]
"""By the serial of a panel (empty: the site) and the quantity."""
_LAYOUT = 1
_LOG_LIMIT_BYTES = 1024 * 1024
_HELD = """
CREATE TABLE held (
    gateway TEXT, inverter TEXT, quantity TEXT, source TEXT NOT NULL, shift REAL NOT NULL, wh REAL NOT NULL,
    PRIMARY KEY (gateway, inverter, quantity)
) WITHOUT ROWID
"""


class HeldFile:
    """The file.

    Args:
        path: It is made when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = KeptFile(path, _open)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lifetime")

    async def load(self, gateway: str) -> HeldTotals:
        """What was given of a gateway. Raises StoreUnavailableError."""
        return await self._call(lambda: self._load(gateway))

    async def keep(self, gateway: str, totals: Mapping[tuple[str, str], GivenTotal]) -> None:
        """Keep what is about to be given. Raises StoreUnavailableError."""
        rows = [(gateway, inverter, quantity, *held) for (inverter, quantity), held in totals.items()]
        insert = "INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?, ?, ?)"
        await self._call(lambda: self._write(lambda connection: connection.executemany(insert, rows)))

    async def forget(self, gateway: str) -> None:
        """Forget a gateway: its totals begin at what the store says. Raises StoreUnavailableError."""
        delete = "DELETE FROM held WHERE gateway = ?"
        await self._call(lambda: self._write(lambda connection: connection.execute(delete, (gateway,))))

    async def close(self) -> None:
        """Let go of the file. No call may follow."""
        await self._call(self._file.close)
        self._thread.shutdown()

    async def _call(self, call: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _load(self, gateway: str) -> HeldTotals:
        try:
            return self._read(gateway)
        except StoreUnavailableError as error:
            if not is_damage(error.__cause__):
                raise
            _log.warning("the file of the lifetime totals begins empty", reason=str(error))
        try:
            self._file.put_aside()
        except OSError as error:
            raise _make_error(self._path, error) from error
        return self._read(gateway)

    def _read(self, gateway: str) -> HeldTotals:
        with self._use_connection() as connection:
            query = "SELECT inverter, quantity, source, shift, wh FROM held WHERE gateway = ?"
            return {(row[0], row[1]): GivenTotal(*row[2:]) for row in connection.execute(query, (gateway,))}

    def _write(self, write: Callable[[sqlite3.Connection], object]) -> None:
        with self._use_connection() as connection, open_transaction(connection):
            write(connection)

    @contextlib.contextmanager
    def _use_connection(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._file.use() as connection:
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise _make_error(self._path, error) from error


def _make_error(path: Path, error: Exception) -> StoreUnavailableError:
    return StoreUnavailableError(
        f"the file of the lifetime totals {path} cannot be used ({error}): check the disk and the permissions"
    )


def _open(path: Path) -> FileConnection:
    return durable_sqlite.open_with_tables(
        path, lambda connection: make_layout(connection, _LAYOUT, (_HELD,)), log_limit_bytes=_LOG_LIMIT_BYTES
    )
