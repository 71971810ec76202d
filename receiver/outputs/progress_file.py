"""How far durable outputs are, on disk: one small SQLite file, on a thread of its own.

- What is kept is durable when the call returns. A cursor that is older than the truth costs a repetition and no more.
- A damaged file is put aside; outputs then begin a day back, and the log says how to send more again.
- A command of the console writes its wishes into the same file, and the running service takes them from it.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import structlog

from receiver.errors import ReceiverError
from receiver.outputs.progress import LateSpan, OutputProgress
from shared import durable_sqlite
from shared.durable_sqlite import FileConnection, is_damage, open_transaction
from shared.kept_sqlite import KeptFile, make_layout

_T = TypeVar("_T")
_log = structlog.get_logger()

FILE = "outputs.sqlite"
"""Its name in the state directory."""
_LAYOUT = 4
_LOG_LIMIT_BYTES = 1024 * 1024
_PROGRESS = """
CREATE TABLE progress (
    output TEXT, gateway TEXT, sent_until INTEGER NOT NULL, last_success INTEGER, put_aside INTEGER NOT NULL,
    is_silent INTEGER NOT NULL, PRIMARY KEY (output, gateway)
) WITHOUT ROWID
"""
_LATE = """
CREATE TABLE late (
    output TEXT, gateway TEXT, minute INTEGER, kinds TEXT NOT NULL, PRIMARY KEY (output, gateway, minute)
) WITHOUT ROWID
"""
_SPAN = """
CREATE TABLE span (
    output TEXT, gateway TEXT, start INTEGER NOT NULL, stop INTEGER NOT NULL, PRIMARY KEY (output, gateway)
) WITHOUT ROWID
"""
_NEWEST = """
CREATE TABLE newest (
    output TEXT, gateway TEXT, name TEXT, timestamp INTEGER NOT NULL, PRIMARY KEY (output, gateway, name)
) WITHOUT ROWID
"""
_WISH = "CREATE TABLE wish (number INTEGER PRIMARY KEY, output TEXT NOT NULL, gateway TEXT NOT NULL, since INTEGER)"
_TABLES = (_PROGRESS, _LATE, _WISH, _SPAN, _NEWEST)
_MISSING = {2: (_SPAN, _NEWEST), 3: (_NEWEST,)}
"""By layout of an earlier version, the tables that it lacks."""


class ProgressError(ReceiverError):
    """The file cannot be used now; the message says why and what to do."""


class OutputWish(NamedTuple):
    """What a person wants of an output.

    Attributes:
        output: Its name.
        gateway: Serial; empty for every gateway.
        since: Deliver everything since then again (milliseconds since 1970); None: let the target forget the gateway.
    """

    output: str
    gateway: str
    since: int | None


class ProgressFile:
    """The file.

    Args:
        path: It is made when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = KeptFile(path, open_file)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outputs")
        self.was_damaged = False

    async def load(self, output: str) -> dict[str, OutputProgress]:
        """What is known of an output, by gateway. Raises ProgressError; a damaged file is replaced by an empty one."""
        return await self._call(lambda: self._load(output))

    async def keep(self, output: str, progresses: Sequence[OutputProgress], granted: Collection[int] = ()) -> None:
        """Keep how far an output is with some gateways, and take away wishes that are in it. Raises ProgressError."""

        def put(connection: sqlite3.Connection) -> None:
            _put(connection, output, progresses)
            connection.executemany("DELETE FROM wish WHERE number = ?", [(number,) for number in granted])

        await self._call(lambda: self._write(put))

    async def read_wishes(self, output: str) -> dict[int, OutputWish]:
        """What people want of an output, by number, until `keep` takes them away. Raises ProgressError."""

        def read(connection: sqlite3.Connection) -> dict[int, OutputWish]:
            query = "SELECT number, output, gateway, since FROM wish WHERE output = ? ORDER BY number"
            return {row[0]: OutputWish(*row[1:]) for row in connection.execute(query, (output,))}

        return await self._call(lambda: self._write(read))

    async def close(self) -> None:
        """Let go of the file. No call may follow."""
        await self._call(self._file.close)
        self._thread.shutdown()

    async def _call(self, call: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _load(self, output: str) -> dict[str, OutputProgress]:
        try:
            with self._use_connection() as connection:
                durable_sqlite.check(connection)
                return read_progresses(connection, output)
        except ProgressError as error:
            if not is_damage(error.__cause__):
                raise
            _log.warning(
                "the file of the outputs begins empty; `envoy-receiver outputs resend` sends what may be missing there",
                reason=str(error),
            )
            self.was_damaged = True
            self._put_aside()
        with self._use_connection() as connection:
            return read_progresses(connection, output)

    def _write(self, write: Callable[[sqlite3.Connection], _T]) -> _T:
        with self._use_connection() as connection, open_transaction(connection):
            return write(connection)

    @contextlib.contextmanager
    def _use_connection(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._file.use() as connection:
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise _make_error(self._path, error) from error

    def _put_aside(self) -> None:
        try:
            self._file.put_aside()
        except OSError as error:
            raise ProgressError(f"the damaged file {self._path} cannot be put aside ({error}): delete it") from error


def open_file(path: Path) -> FileConnection:
    """A durable connection; the file is made when it is missing. Raises sqlite3.Error and OSError."""
    return durable_sqlite.open_with_tables(path, _make_tables, log_limit_bytes=_LOG_LIMIT_BYTES)


def read_progresses(connection: sqlite3.Connection, output: str) -> dict[str, OutputProgress]:
    """What a file knows of an output, by gateway. Raises sqlite3.Error."""
    rows = connection.execute(
        "SELECT gateway, sent_until, last_success, put_aside, is_silent FROM progress WHERE output = ?", (output,)
    )
    found = {
        gateway: OutputProgress(
            gateway, sent_until, last_success=last_success, put_aside=put_aside, is_silent=bool(is_silent)
        )
        for gateway, sent_until, last_success, put_aside, is_silent in rows
    }
    missing = _MISSING.get(_read_layout(connection), ())  # a command may look before the service starts again
    if _NEWEST not in missing:
        for gateway, name, timestamp in connection.execute(
            "SELECT gateway, name, timestamp FROM newest WHERE output = ?", (output,)
        ):
            if gateway in found:
                found[gateway].newest[name] = timestamp
    if _SPAN not in missing:
        for gateway, *span in connection.execute("SELECT gateway, start, stop FROM span WHERE output = ?", (output,)):
            if gateway in found:
                found[gateway].late_span = LateSpan(*span)
    for gateway, minute, kinds in connection.execute(
        "SELECT gateway, minute, kinds FROM late WHERE output = ?", (output,)
    ):
        if gateway in found:
            found[gateway].mark(minute, frozenset(kinds.split()))
    return found


def load_standing(path: Path) -> list[tuple[str, OutputProgress]]:
    """Every output with every gateway, for a command beside the running service. Raises ProgressError."""
    if not path.exists():
        return []
    try:
        with contextlib.closing(durable_sqlite.connect(path, read_only=True)) as connection:
            outputs = connection.execute("SELECT DISTINCT output FROM progress ORDER BY output").fetchall()
            return [
                (output, progress)
                for (output,) in outputs
                for _, progress in sorted(read_progresses(connection, output).items())
            ]
    except sqlite3.Error as error:
        raise _make_error(path, error) from error


def leave_wish(path: Path, wish: OutputWish) -> None:
    """Leave a wish for the running service. Raises ProgressError."""
    try:
        with contextlib.closing(open_file(path)) as connection, open_transaction(connection):
            connection.execute("INSERT INTO wish (output, gateway, since) VALUES (?, ?, ?)", wish)
    except (sqlite3.Error, OSError) as error:
        raise _make_error(path, error) from error


def _make_tables(connection: FileConnection) -> None:
    if missing := _MISSING.get(_read_layout(connection)):  # else an update would forget how far every output is
        with open_transaction(connection):
            for table in missing:
                connection.execute(table)
            connection.execute(f"PRAGMA user_version = {_LAYOUT}")
    make_layout(connection, _LAYOUT, _TABLES)


def _read_layout(connection: sqlite3.Connection) -> int:
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    return int(layout)


def _make_error(path: Path, error: Exception) -> ProgressError:
    return ProgressError(
        f"the file of the outputs {path} cannot be used ({error}): check the disk, its space and the permissions"
    )


def _put(connection: sqlite3.Connection, output: str, progresses: Sequence[OutputProgress]) -> None:
    for one in progresses:
        row = (output, one.gateway, one.sent_until, one.last_success, one.put_aside, one.is_silent)
        connection.execute("INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?, ?, ?)", row)
        connection.execute("DELETE FROM late WHERE output = ? AND gateway = ?", (output, one.gateway))
        connection.executemany(
            "INSERT INTO late VALUES (?, ?, ?, ?)",
            [(output, one.gateway, minute, " ".join(sorted(kinds))) for minute, kinds in one.list_late().items()],
        )
        connection.execute("DELETE FROM newest WHERE output = ? AND gateway = ?", (output, one.gateway))
        connection.executemany(
            "INSERT INTO newest VALUES (?, ?, ?, ?)",
            [(output, one.gateway, name, timestamp) for name, timestamp in one.newest.items()],
        )
        connection.execute("DELETE FROM span WHERE output = ? AND gateway = ?", (output, one.gateway))
        if one.late_span is not None:
            connection.execute("INSERT INTO span VALUES (?, ?, ?, ?)", (output, one.gateway, *one.late_span))
