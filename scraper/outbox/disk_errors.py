"""What an error of SQLite means for the outbox."""

import errno
import sqlite3
from pathlib import Path

from scraper.errors import OutboxUnavailableError
from shared import durable_sqlite
from shared.durable_sqlite import NotDurableError, SqliteProblem, classify_error, get_primary_code

_OUR_SQL_FAILS = frozenset({
    sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_FORMAT
})  # fmt: skip
"""The file is not what we wrote: our own SQL is right, so a broken constraint or a missing table is damage too."""


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file must be salvaged."""
    return durable_sqlite.is_damage(error) or get_primary_code(error) in _OUR_SQL_FAILS


def can_keep_connection(error: sqlite3.Error) -> bool:
    """Whether the connection may be used again. Not after an I/O error: what a failed fsync wrote is unknown."""
    return classify_error(error) in {SqliteProblem.FULL, SqliteProblem.BUSY}


def make_outbox_error(path: Path, error: sqlite3.Error | OSError) -> OutboxUnavailableError:
    """The error for people."""
    where = path.parent
    if isinstance(error, NotDurableError):
        return OutboxUnavailableError(
            f"the file system of {where} cannot keep a write-ahead log ({error}): move ENVOY_STATE_DIR to a local disk"
        )
    match _read_problem(error):
        case SqliteProblem.FULL:
            sentence = f"the disk with {where} is full: free some space; readings are lost until then"
        case SqliteProblem.BUSY:
            sentence = f"{path} is busy: another envoy-scraper command is working on it; trying again"
        case SqliteProblem.READ_ONLY | SqliteProblem.CANNOT_OPEN:
            sentence = (
                f"cannot write in {where} ({error}): make it writable for this user, or choose another with "
                "ENVOY_STATE_DIR"
            )
        case _:
            sentence = f"the disk with {where} has failed ({error}): check the disk; trying again"
    return OutboxUnavailableError(sentence)


def _read_problem(error: sqlite3.Error | OSError) -> SqliteProblem:
    if isinstance(error, sqlite3.Error):
        return classify_error(error)
    return SqliteProblem.FULL if error.errno in _FULL else SqliteProblem.READ_ONLY
