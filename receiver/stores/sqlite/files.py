"""The file on disk: how it comes to be, connections to it, and what its errors mean for people.

The file is somebody's history. It is made once, complete and under a temporary name, and linked into place; from then
on an empty, damaged or vanished file is reported and never replaced.
"""

import contextlib
import os
import secrets
import sqlite3
from pathlib import Path

from receiver.stores.base import StoreDamagedError, StoreUnavailableError
from receiver.stores.sqlite.declared import verify_schema
from receiver.stores.sqlite.schema import migrate, refuse_foreign
from shared import durable_sqlite
from shared.durable_sqlite import (
    DamagedError,
    FileConnection,
    NotDurableError,
    SqliteProblem,
    classify_error,
    connect,
    make_durable,
)
from shared.files import make_private_directory, sync_directory

_LOG_LIMIT_BYTES = 64 * 1024 * 1024


def create(path: Path) -> None:
    """Make the file with its tables, mode 0600; a file that exists is left alone. Raises OSError and sqlite3.Error."""
    if path.exists():
        return
    make_private_directory(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        durable_sqlite.create(temporary)
        with contextlib.closing(connect(temporary)) as connection:
            migrate(connection)
        os.link(temporary, path)  # unlike a rename, it never replaces a file
    finally:
        durable_sqlite.remove(temporary)
    sync_directory(path.parent)


def connect_writer(path: Path) -> FileConnection:
    """The connection that writes: durable at each commit, the layout up to date. Raises as `explain` understands."""
    if path.stat().st_size == 0:
        raise StoreUnavailableError(
            f"the store {path} is empty, which a store never is: restore it from a backup, or delete it to start empty"
        )
    connection = connect(path)
    try:
        refuse_foreign(connection)
        verify_schema(connection)
        make_durable(connection, log_limit_bytes=_LOG_LIMIT_BYTES)
        _flush_journal(connection, path)
        _verify_length(connection, path)
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _flush_journal(connection: sqlite3.Connection, path: Path) -> None:
    """Move the journal into the file.

    After a failed fsync the journal may hold frames that are only in memory, and whatever is appended behind them would
    be lost with them in a power cut. This ends that before anything more is acknowledged.
    """
    (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise StoreUnavailableError(f"the store {path} is held by another program or a long query; it is tried again")


def _verify_length(connection: sqlite3.Connection, path: Path) -> None:
    """Raise DamagedError if the head tells of fewer pages than there are: SQLite would write over the others."""
    length = path.stat().st_size  # first: it may grow meanwhile
    (pages,), (page_bytes,) = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
    if length > pages * page_bytes:
        raise DamagedError("it is longer than it says")


def connect_reader(path: Path) -> FileConnection:
    """A connection that only reads. May move between threads, one at a time."""
    connection = connect(path)
    try:
        connection.execute("PRAGMA query_only = ON")
        verify_schema(connection)
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
    if isinstance(error, NotDurableError):
        return StoreUnavailableError(
            f"the store {path} cannot be kept safe from a power cut ({error}): keep it on a local file system"
        )
    problem = classify_error(error)
    if problem is SqliteProblem.DAMAGED:
        return StoreDamagedError(f"the store {path} {_DAMAGED}")
    return StoreUnavailableError(f"the store {path} {_SENTENCES.get(problem, f'failed: {error}')}")


class DamageNote:
    """What is wrong with the file itself, once a call met it: it holds until another file is in its place.

    For several threads: a note is one assignment.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._noted: tuple[FileConnection, str] | None = None

    def note(self, connection: FileConnection | None, explained: StoreUnavailableError) -> None:
        """Note what a call met, if that is damage."""
        if connection is not None and isinstance(explained, StoreDamagedError):
            self._noted = (connection, str(explained))

    def find(self) -> str | None:
        """The sentence that was noted of the file in place, or None."""
        noted = self._noted
        if noted is None or not noted[0].is_in_place(self._path):
            return None
        return noted[1]


_DAMAGED = (
    "is damaged or not a SQLite database. It holds your history, so it is never replaced: stop the receiver, keep a "
    "copy, then restore a backup or salvage it with: sqlite3 FILE .recover"
)
_SENTENCES = {
    SqliteProblem.FULL: "cannot grow: the disk is full. Free some space; the scrapers keep their readings meanwhile",
    SqliteProblem.READ_ONLY: "is read-only: check the permissions of the file and its directory, and how the disk is "
    "mounted; if these are right, run `envoy-receiver check`",
    SqliteProblem.CANNOT_OPEN: "cannot be opened: check that its directory exists and belongs to the user of the "
    "receiver",
    SqliteProblem.DISK: "met an input/output error: check the disk, its free space and its quota",
    SqliteProblem.BUSY: "is locked by another program: close it",
}
