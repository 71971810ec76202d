"""What the roll-up job must not forget: which quarter hours are still to be rolled up. One small SQLite file.

- `add` is durable when it returns; the other changes may be lost in a power cut, which costs work and nothing else.
- It is disposable. A file that is lost, damaged or of another version is replaced by an empty one (the old file is put
  aside), and a gateway that it does not know is computed from its oldest reading on.
- After any failure the connection is gone, and the next call opens the file again.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import structlog

from shared import durable_sqlite
from shared.durable_sqlite import DamagedError, FileConnection, is_damage, transaction
from shared.files import make_private_directory

_T = TypeVar("_T")
_log = structlog.get_logger()

_LAYOUT = 1
_LOG_LIMIT_BYTES = 4 * 1024 * 1024
_TABLES = (
    "CREATE TABLE gateway (gateway TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, backfill_until INTEGER) WITHOUT ROWID",
    "CREATE TABLE dirty (gateway TEXT, quarter INTEGER, PRIMARY KEY (gateway, quarter)) WITHOUT ROWID",
    f"PRAGMA user_version = {_LAYOUT}",
)

DirtyQuarter = tuple[str, int]
"""Serial of a gateway, and a quarter hour: its start, milliseconds since 1970."""


class JournalError(Exception):
    """The journal cannot be used now; the message says why and what to do."""


class RollupState(NamedTuple):
    """What was rolled up of one gateway.

    Attributes:
        fingerprint: Of the site and of the arithmetic that its rows were computed with.
        backfill_until: Everything before this time is still to be computed (milliseconds since 1970); None: all is.
    """

    fingerprint: str
    backfill_until: int | None


class Contents(NamedTuple):
    """All that the journal holds."""

    gateways: dict[str, RollupState]
    dirty: set[DirtyQuarter]


class Journal:
    """The file, on a thread of its own.

    Args:
        path: The file; it is made when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: FileConnection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rollup-journal")

    async def load(self) -> Contents:
        """All of it. Raises JournalError, never for a damaged file: an empty one replaces it."""
        return await self._call(self._load)

    async def add(self, dirty: Collection[DirtyQuarter]) -> None:
        """Note quarter hours, durably. Raises JournalError."""
        rows = list(dirty)
        await self._call(lambda: self._change("INSERT OR IGNORE INTO dirty VALUES (?, ?)", rows))

    async def remove(self, dirty: Collection[DirtyQuarter]) -> None:
        """Forget quarter hours that are rolled up. Raises JournalError."""
        rows = list(dirty)
        await self._call(lambda: self._change("DELETE FROM dirty WHERE gateway = ? AND quarter = ?", rows))

    async def put(self, gateway: str, known: RollupState) -> None:
        """Note how far a gateway is. Raises JournalError."""
        await self._call(lambda: self._change("INSERT OR REPLACE INTO gateway VALUES (?, ?, ?)", [(gateway, *known)]))

    async def close(self) -> None:
        """Let go of the file. No call may follow."""
        await self._call(self._drop)
        self._thread.shutdown()

    async def _call(self, call: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _load(self) -> Contents:
        try:
            return self._read()
        except JournalError as error:
            if not is_damage(error.__cause__):
                raise
            self._put_aside(str(error))
            return self._read()

    def _read(self) -> Contents:
        with self._connected() as connection:
            durable_sqlite.check(connection)
            gateways = {row[0]: RollupState(*row[1:]) for row in connection.execute("SELECT * FROM gateway")}
            return Contents(gateways, set(connection.execute("SELECT gateway, quarter FROM dirty")))

    def _change(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        with self._connected() as connection, transaction(connection):
            connection.executemany(statement, rows)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            if self._connection is None:
                self._connection = _open(self._path)
            elif not self._connection.is_in_place(self._path):  # SQLite would go on writing into the deleted file
                raise FileNotFoundError("it is gone")  # noqa: TRY301 (it ends as every other failure does)
            yield self._connection
        except (sqlite3.Error, OSError) as error:
            self._drop()
            raise JournalError(
                f"the journal of the roll-ups {self._path} cannot be used ({error}): check the disk, its space and "
                "the permissions; the file may be deleted, then everything is computed again"
            ) from error
        except BaseException:
            self._drop()
            raise

    def _put_aside(self, why: str) -> None:
        """Keep what is there under another name, for people, and make room."""
        aside = self._path.with_name(f"{self._path.name}.damaged")
        _log.warning("the journal of the roll-ups starts empty; all roll-ups are computed again", reason=why)
        try:
            self._path.replace(aside)
            durable_sqlite.remove(self._path)  # its log and the index of that
        except OSError as error:
            raise JournalError(f"the damaged journal {self._path} cannot be put aside ({error}): delete it") from error

    def _drop(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def _open(path: Path) -> FileConnection:
    if not path.exists():
        make_private_directory(path.parent)
        durable_sqlite.create(path)
    connection = durable_sqlite.connect(path)
    try:
        durable_sqlite.make_durable(connection, log_limit_bytes=_LOG_LIMIT_BYTES)
        _make_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_tables(connection: sqlite3.Connection) -> None:
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if layout == _LAYOUT:
        return
    if tables:
        raise DamagedError("it is of another version or of another program")
    with transaction(connection):
        for statement in _TABLES:
            connection.execute(statement)
