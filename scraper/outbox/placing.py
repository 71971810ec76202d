"""The files of an open outbox in their place: whether they are, and how they come back when somebody deleted them."""

import contextlib
import sqlite3
from pathlib import Path

import structlog

from scraper.outbox.salvage.recovery import name_salvaged
from shared import durable_sqlite
from shared.durable_sqlite import name_shm, name_wal
from shared.files import sync_directory

log = structlog.get_logger()

FileIds = tuple[tuple[int, int] | None, ...]
"""Device and inode of the file, its log and the index of that; None for one that is missing."""


def read_file_ids(path: Path) -> FileIds:
    """What lies at the place of the outbox now."""
    return tuple(_read_file_id(file) for file in (path, name_wal(path), name_shm(path)))


def write_copy(connection: sqlite3.Connection, path: Path) -> None:
    """Write what an open outbox holds to where the next start finds it; what then lies at its place is moved aside.

    A kill before the copy is whole costs what the deletion would have cost; after it, nothing.
    Raises OSError and sqlite3.Error.
    """
    log.error("the files of the outbox were deleted or replaced while it is in use; it is written there again")
    building = path.with_name(path.name + ".new")
    durable_sqlite.remove(building)
    durable_sqlite.create(building)
    with contextlib.closing(durable_sqlite.connect(building)) as copy:
        connection.backup(copy)
    building.replace(name_salvaged(path))
    sync_directory(path.parent)


def _read_file_id(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
