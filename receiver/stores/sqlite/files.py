"""The file on disk: how it comes to be, connections to it, and what its errors mean for people.

The file is somebody's history. It is made once, complete and under a temporary name, and linked into place; from then
on an empty, damaged or vanished file is reported and never replaced.
"""

import os
import secrets
import sqlite3
from pathlib import Path

from receiver.stores.base import StoreUnavailableError
from receiver.stores.sqlite.schema import migrate, refuse_foreign
from shared.files import PRIVATE_FILE, make_private_directory

_BUSY_SECONDS = 5.0
_FULL = 2  # how `PRAGMA synchronous` says FULL
_WAL_LIMIT_BYTES = 64 * 1024 * 1024


class FileConnection(sqlite3.Connection):
    """A connection that knows which file it has open."""

    file_id: tuple[int, int] | None = None

    def is_in_place(self, path: Path) -> bool:
        """Whether `path` still is the file that this connection has open; a deleted file would swallow every write."""
        return self.file_id == _file_id(path)


def create(path: Path) -> None:
    """Make the file with its tables, mode 0600; a file that exists is left alone. Raises OSError and sqlite3.Error."""
    if path.exists():
        return
    make_private_directory(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE))
    try:
        connection = _connect(temporary)
        try:
            migrate(connection)
        finally:
            connection.close()
        os.link(temporary, path)  # unlike a rename, it never replaces a file
    finally:
        temporary.unlink(missing_ok=True)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def connect_writer(path: Path) -> FileConnection:
    """The connection that writes: durable at each commit, the layout up to date. Raises as `explain` understands."""
    if path.stat().st_size == 0:
        raise StoreUnavailableError(
            f"the store {path} is empty, which a store never is: restore it from a backup, or delete it to begin anew"
        )
    connection = _connect(path)
    try:
        refuse_foreign(connection)
        _make_durable(connection, path)
        _empty_journal(connection, path)
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_durable(connection: sqlite3.Connection, path: Path) -> None:
    """Make each commit reach the disk before it returns; asserted, for SQLite ignores a pragma that it cannot obey."""
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # macOS: an fsync that reaches the platter; nothing elsewhere
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
    (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
    if (mode, synchronous) != ("wal", _FULL):
        raise StoreUnavailableError(
            f"the store {path} cannot be kept safe from a power cut (journal {mode}, synchronous {synchronous}): "
            "keep it on a local file system"
        )


def _empty_journal(connection: sqlite3.Connection, path: Path) -> None:
    """Move the journal into the file.

    After a failed fsync the journal may hold frames that are only in memory, and whatever is appended behind them would
    be lost with them in a power cut. This ends that before anything more is acknowledged.
    """
    (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise StoreUnavailableError(f"the store {path} is held by another program or a long query; it is tried again")


def connect_reader(path: Path) -> FileConnection:
    """A connection that only reads. May move between threads, one at a time."""
    connection = _connect(path)
    try:
        connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def explain(path: Path, error: sqlite3.Error | OSError | StoreUnavailableError) -> StoreUnavailableError:
    """The same as a sentence for people: what is wrong, and what to do."""
    if isinstance(error, StoreUnavailableError):
        return error
    if isinstance(error, OSError):
        return StoreUnavailableError(f"the store {path} cannot be used: {error.strerror or error}")
    name = getattr(error, "sqlite_errorname", "")
    for prefix, sentence in _SENTENCES.items():
        if name.startswith(prefix):
            return StoreUnavailableError(f"the store {path} {sentence}")
    return StoreUnavailableError(f"the store {path} failed: {error}")


def is_damage(error: BaseException) -> bool:
    """Whether SQLite says that the file itself is broken, which no retry mends."""
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


_DAMAGED = (
    "is damaged or not a SQLite database. It holds your history, so it is never replaced: stop the receiver, keep a "
    "copy, then restore a backup or salvage it with: sqlite3 FILE .recover"
)
_SENTENCES = {
    "SQLITE_FULL": "cannot grow: the disk is full. Free some space; the scrapers keep their readings meanwhile",
    "SQLITE_READONLY": "is read-only: check the permissions of the file and its directory, and how the disk is mounted",
    "SQLITE_CANTOPEN": "cannot be opened: check that its directory exists and belongs to the user of the receiver",
    "SQLITE_IOERR": "met an input/output error: check the disk, its free space and its quota",
    "SQLITE_CORRUPT": _DAMAGED,
    "SQLITE_NOTADB": _DAMAGED,
    "SQLITE_BUSY": "is locked by another program: close it",
}


def _connect(path: Path) -> FileConnection:
    """An existing file only (mode=rw): SQLite would silently make an empty one where a history is missing."""
    file_id = _file_id(path)
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,  # transactions are begun and ended where the code says so
        check_same_thread=False,
        factory=FileConnection,
    )
    connection.file_id = file_id
    return connection


def _file_id(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
