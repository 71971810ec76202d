"""A copy of the file while it is in use, and the way back."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from receiver.stores.base import StoreUnavailableError
from receiver.stores.sqlite.declared import verify_head, verify_schema
from receiver.stores.sqlite.files import connect_reader, explain
from shared.durable_sqlite import DamagedError, check, connect
from shared.files import PRIVATE_FILE, make_private_directory, sync_directory


def copy_to(path: Path, target: Path) -> None:
    """Copy the store `path` to the new file `target`: everything that was committed, of one moment, and checked.

    The receiver may go on writing meanwhile. Raises StoreUnavailableError.
    """
    try:
        verify_head(path)
        with closing(connect_reader(path)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)  # all pages in one step: a single transaction that keeps no writer waiting
            check(copy, keys=True)
    except DamagedError as error:
        raise StoreUnavailableError(f"the store {path} is damaged: what was copied of it is no backup") from error
    except (sqlite3.Error, OSError) as error:
        raise explain(path, error) from error


def is_empty(copy: Path) -> bool:
    """Whether a copy holds no series at all. Raises StoreUnavailableError."""
    try:
        with closing(connect(copy, immutable=True)) as connection:
            return bool(connection.execute("SELECT NOT EXISTS (SELECT 1 FROM series)").fetchone()[0])
    except sqlite3.Error as error:
        raise explain(copy, error) from error


def check_copy(copy: Path) -> None:
    """Raises StoreUnavailableError for a copy that is damaged or missing."""
    try:
        verify_head(copy)
        with closing(connect(copy, immutable=True)) as connection:
            verify_schema(connection)
            check(connection, keys=True)
    except (sqlite3.Error, UnicodeDecodeError, OSError) as error:
        raise StoreUnavailableError("the copy of the store is damaged") from error


def put_in_place(copy: Path, path: Path) -> None:
    """Let a copy (on the same file system) become the store `path`, which must not exist. Raises OSError."""
    make_private_directory(path.parent)
    copy.chmod(PRIVATE_FILE)
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    os.link(copy, path)  # unlike a rename, it never replaces a file
    sync_directory(path.parent)
