"""What the roll-up job must not forget: which quarter hours are still to be rolled up. One small SQLite file.

- `add` is durable when it returns; the other changes may be lost in a power cut, which costs work and nothing else.
- It also knows of which quarter hours the outputs have heard all: after a crash they are told of the others.
- It is disposable. A file that is lost, damaged or of another version is replaced by an empty one at once, whichever
  call meets it (the old file is put aside), and a gateway that it does not know is computed from its oldest reading on.
- After any failure the connection is gone, and the next call opens the file again.
"""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast
from zlib import crc32

import structlog

from shared import durable_sqlite
from shared.durable_sqlite import (
    DamagedError,
    FileConnection,
    NotDurableError,
    SqliteProblem,
    classify_error,
    list_made_objects,
    list_objects,
    open_transaction,
)
from shared.kept_sqlite import KeptFile

_T = TypeVar("_T")
_Statement: TypeAlias = tuple[str, Sequence[tuple[object, ...]]]
"""And a row of values for each time that it is executed."""
_log = structlog.get_logger()

_LAYOUT = 3
_LAYOUT_WITHOUT_TOLD = 2
_LOG_LIMIT_BYTES = 4 * 1024 * 1024
_GATEWAY = """
CREATE TABLE gateway (
    gateway TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, backfill_until INTEGER, checksum INTEGER NOT NULL
) WITHOUT ROWID
"""
_DIRTY = """
CREATE TABLE dirty (
    gateway TEXT, quarter INTEGER, checksum INTEGER NOT NULL, PRIMARY KEY (gateway, quarter)
) WITHOUT ROWID
"""
_TOLD = """
CREATE TABLE told (
    gateway TEXT, quarter INTEGER, checksum INTEGER NOT NULL, PRIMARY KEY (gateway, quarter)
) WITHOUT ROWID
"""
_TABLES = (_GATEWAY, _DIRTY, _TOLD)
_SELECT_STATES = "SELECT gateway, fingerprint, backfill_until, checksum FROM gateway"
_SELECT_DIRTY = "SELECT gateway, quarter, checksum FROM dirty"
_SELECT_TOLD = "SELECT gateway, quarter, checksum FROM told"
_ADD = "INSERT OR IGNORE INTO dirty VALUES (?, ?, ?)"
_TELL = "INSERT OR REPLACE INTO told VALUES (?, ?, ?)"
_TELL_IF_NEW = (
    "INSERT OR IGNORE INTO told SELECT ?1, ?2, ?3 "
    "WHERE NOT EXISTS (SELECT 1 FROM dirty WHERE gateway = ?1 AND quarter = ?2)"
)
_UNTELL = "DELETE FROM told WHERE gateway = ? AND quarter = ?"
_REMOVE = "DELETE FROM dirty WHERE gateway = ? AND quarter = ?"

DirtyQuarter = tuple[str, int]
"""Serial of a gateway, and a quarter hour: its start, milliseconds since 1970."""


class JournalError(Exception):
    """The journal cannot be used now; the message says why and what to do."""


class JournalBegunAgainError(JournalError):
    """The journal was damaged or gone and is begun again: load it, and make the same change again."""


class RollupState(NamedTuple):
    """What was rolled up of one gateway.

    Attributes:
        fingerprint: Of the site and of the arithmetic that its rows were computed with.
        backfill_until: Everything before this time is still to be computed (milliseconds since 1970); None: all is.
    """

    fingerprint: str
    backfill_until: int | None


class Contents(NamedTuple):
    """All that the journal holds.

    Attributes:
        gateways: What was rolled up.
        dirty: Quarter hours that are still to be rolled up, or still get live readings.
        told: Those of them of whose readings the outputs need not be told any more.
    """

    gateways: dict[str, RollupState]
    dirty: set[DirtyQuarter]
    told: Collection[DirtyQuarter] = frozenset()


class Journal:
    """The file, on a thread of its own.

    Args:
        path: The file; it is made when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = KeptFile(path, open_file)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rollup-journal")

    async def load(self) -> Contents:
        """All of it. Raises JournalError, never for a damaged file: an empty one replaces it."""
        return await self._call(self._load)

    async def add(self, dirty: Collection[DirtyQuarter], *, told: bool = False) -> None:
        """Note quarter hours, durably.

        Args:
            dirty: They.
            told: Whether nobody has to be told of what is new in them; what was to be told of them before still is.

        Raises:
            JournalError: Nothing was noted.
            JournalBegunAgainError: The file was damaged or gone.
        """
        rows = [_seal(*row) for row in dirty]
        first = (_TELL_IF_NEW, rows) if told else (_UNTELL, list(dirty))
        await self._change(first, (_ADD, rows))

    async def tell(self, quarters: Collection[DirtyQuarter]) -> None:
        """Note that nobody has to be told of what is in dirty quarter hours any more. Raises as `add`."""
        await self._change((_TELL, [_seal(*row) for row in quarters]))

    async def remove(self, dirty: Collection[DirtyQuarter]) -> None:
        """Forget quarter hours that are rolled up. Raises as `add`."""
        await self._change((_REMOVE, list(dirty)), (_UNTELL, list(dirty)))

    async def put(self, gateway: str, known: RollupState) -> None:
        """Note how far a gateway is. Raises as `add`."""
        await self._change(("INSERT OR REPLACE INTO gateway VALUES (?, ?, ?, ?)", [_seal(gateway, *known)]))

    async def close(self) -> None:
        """Let go of the file. No call may follow."""
        await self._call(self._file.close)
        self._thread.shutdown()

    async def _call(self, call: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def _change(self, *statements: _Statement) -> None:
        await self._call(lambda: self._write(statements))

    def _load(self) -> Contents:
        try:
            return self._read()
        except JournalError as error:
            self._begin_again(error)
            return self._read()

    def _read(self) -> Contents:
        with self._use_connection() as connection:
            durable_sqlite.check(connection)
            states = [_unseal(row) for row in connection.execute(_SELECT_STATES)]
            dirty, told = (
                cast("set[DirtyQuarter]", {_unseal(row) for row in connection.execute(select)})
                for select in (_SELECT_DIRTY, _SELECT_TOLD)
            )
            return Contents({gateway: RollupState(*state) for gateway, *state in states}, dirty, told & dirty)

    def _write(self, statements: Sequence[_Statement]) -> None:
        try:
            with self._use_connection() as connection, open_transaction(connection):
                for statement, rows in statements:
                    connection.executemany(statement, rows)
        except JournalError as error:
            self._begin_again(error)
            raise JournalBegunAgainError("the journal of the roll-ups was begun again") from error

    @contextlib.contextmanager
    def _use_connection(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._file.use() as connection:
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise JournalError(
                f"the journal of the roll-ups {self._path} cannot be used ({error}): check the disk, its space and "
                "the permissions; the file may be deleted, then everything is computed again"
            ) from error

    def _begin_again(self, error: JournalError) -> None:
        """Keep a broken file under another name, for people, and make room. Raises the error if the file is not it."""
        if isinstance(error.__cause__, FileNotFoundError):  # there is room already
            _log.warning("the journal of the roll-ups is gone; all that it does not know is computed again")
            return
        if not self._is_file_broken(error.__cause__):
            raise error
        _log.warning("the journal of the roll-ups starts empty; all roll-ups are computed again", reason=str(error))
        try:
            self._file.put_aside()
        except OSError as why:
            raise JournalError(f"the damaged journal {self._path} cannot be put aside ({why}): delete it") from why

    def _is_file_broken(self, cause: BaseException | None) -> bool:
        """Whether another file would do better. What our own statements meet in a file of ours is damage, too."""
        if not isinstance(cause, sqlite3.Error) or isinstance(cause, NotDurableError):
            return False
        problem = classify_error(cause)
        if problem is SqliteProblem.READ_ONLY:  # SQLite writes no file whose header names a format of later times
            return os.access(self._path, os.W_OK) and os.access(self._path.parent, os.W_OK)
        return problem in (SqliteProblem.DAMAGED, SqliteProblem.OTHER)


def open_file(path: Path) -> FileConnection:
    """A durable connection; the file is made when it is missing. Raises sqlite3.Error and OSError."""
    return durable_sqlite.open_with_tables(path, _make_tables, log_limit_bytes=_LOG_LIMIT_BYTES)


def _make_tables(connection: sqlite3.Connection) -> None:
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    found = list_objects(connection)
    if layout == _LAYOUT and found == list_made_objects(_TABLES):
        return
    missing: tuple[str, ...] = _TABLES
    if layout == _LAYOUT_WITHOUT_TOLD and found == list_made_objects((_GATEWAY, _DIRTY)):
        missing = (_TOLD,)  # else an update would compute every history again
    elif found:
        raise DamagedError("it is of another version or of another program, or its tables are not as they were made")
    with open_transaction(connection):
        for statement in (*missing, f"PRAGMA user_version = {_LAYOUT}"):
            connection.execute(statement)


def _seal(*values: object) -> tuple[object, ...]:
    """A row, with a checksum at its end: the structure of a file does not tell that a bit of a value has flipped."""
    return (*values, crc32(repr(values).encode()))


def _unseal(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row without its checksum. Raises DamagedError if that is another one."""
    if _seal(*row[:-1]) != row:
        raise DamagedError("it holds a row that was never written")
    return row[:-1]
