"""What an error of SQLite means for the outbox."""

import sqlite3
from pathlib import Path

from scraper.errors import OutboxUnavailableError

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_ERROR,
                     sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_FORMAT})  # fmt: skip
"""The file is not what we wrote: our own SQL is right, so a broken constraint or a missing table is damage too."""
_TRUSTED = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
"""The connection is sound after these; after any other it is opened anew and the file is checked."""


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file must be salvaged."""
    return _primary(error) in _DAMAGE


def keeps_connection(error: sqlite3.Error) -> bool:
    """Whether the connection may be used again. Not after an I/O error: what a failed fsync wrote is unknown."""
    return _primary(error) in _TRUSTED


def unavailable(path: Path, error: sqlite3.Error | OSError) -> OutboxUnavailableError:
    """The error for people."""
    code = _primary(error) if isinstance(error, sqlite3.Error) else None
    where = path.parent
    if code == sqlite3.SQLITE_FULL:
        return OutboxUnavailableError(f"the disk with {where} is full: free some space; readings are lost until then")
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return OutboxUnavailableError(f"{path} is busy: another envoy-scraper command is working on it; trying again")
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM} or isinstance(error, OSError):
        return OutboxUnavailableError(
            f"cannot write in {where} ({error}): make it writable for this user, or choose another with ENVOY_STATE_DIR"
        )
    return OutboxUnavailableError(f"the disk with {where} has a fault ({error}): check the disk; trying again")


def _primary(error: sqlite3.Error) -> int:
    """The primary result code; extended codes carry more in their upper bytes."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
