"""Opens the outbox file: in any state of it, a sound connection comes back and what was lost is on record."""

import sqlite3
from pathlib import Path

import structlog

from scraper.errors import OutboxError, OutboxUnavailableError, OutboxVersionError
from scraper.outbox import losses, rows, schema
from scraper.outbox.disk_errors import is_damage, unavailable
from scraper.outbox.salvage.image import is_whole
from scraper.outbox.salvage.recovery import finish, salvage
from shared.durable_sqlite import DamagedError, transaction, wal_of
from shared.files import sync_directory

log = structlog.get_logger()


def open_exclusive(path: Path, now_ms: int, *, again: bool = False) -> sqlite3.Connection:
    """Open the outbox for the running scraper, which holds the lock: make, migrate or salvage it as needed.

    `again`: this process had it open and closed it after an error, so a missing log proves nothing.
    Raises OutboxUnavailableError (disk) and OutboxVersionError.
    """
    try:
        finish(path, now_ms)
        if not path.exists():
            _make(path)
        return _open_or_salvage(path, now_ms, again=again)
    except (sqlite3.Error, OSError) as error:
        raise unavailable(path, error) from error


def open_beside(path: Path) -> sqlite3.Connection:
    """Open an existing outbox for a command that works beside the scraper: nothing is made, migrated or salvaged.

    Raises OutboxError with what to do instead.
    """
    if not path.exists():
        raise OutboxError(f"there is no outbox at {path} yet: start envoy-scraper run once")
    try:
        connection = schema.connect(path)
        try:
            version = schema.schema_version(connection)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise (damaged_beside(path) if is_damage(error) else unavailable(path, error)) from error
    if version != len(schema.MIGRATIONS):
        connection.close()
        raise OutboxVersionError(f"the outbox at {path} is of another version of envoy-relay: use the one that runs")
    return connection


def damaged_beside(path: Path) -> OutboxUnavailableError:
    """The error for people when a command beside the scraper meets damage."""
    return OutboxUnavailableError(_DAMAGED.format(path))


def repair(path: Path, now_ms: int, reason: object) -> None:
    """Salvage the closed outbox and say so. Raises OSError and sqlite3.Error."""
    result = salvage(path, now_ms)
    log.error("outbox was damaged; it was moved aside and what is sound goes on", reason=str(reason), rows=result.rows,
              lost=result.lost)  # fmt: skip


_DAMAGED = "the outbox at {} is damaged: start (or restart) envoy-scraper run, which salvages it"


def _make(path: Path) -> None:
    """A new outbox under its name only once it is whole, so that an empty file there is damage."""
    building = path.with_name(path.name + ".new")
    schema.create(building).close()
    building.replace(path)
    sync_directory(path.parent)


def _open_or_salvage(path: Path, now_ms: int, *, again: bool) -> sqlite3.Connection:
    log_is_missing = not again and not wal_of(path).exists()
    try:
        if not is_whole(path):
            raise DamagedError("it was cut short or altered")
        return _open_sound(path, now_ms, log_is_missing=log_is_missing)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        repair(path, now_ms, error)
    return _open_sound(path, now_ms, log_is_missing=False)


def _open_sound(path: Path, now_ms: int, *, log_is_missing: bool) -> sqlite3.Connection:
    connection = schema.connect(path)
    try:
        schema.migrate(connection)
        schema.verify(connection)
        _begin_run(connection, path, now_ms, log_is_missing=log_is_missing)
    except BaseException:
        connection.close()
        raise
    return connection


def _begin_run(connection: sqlite3.Connection, path: Path, now_ms: int, *, log_is_missing: bool) -> None:
    """Mark the file as in use; give it a new id if it is a copy, or if its log was deleted after a crash."""
    (was_running, inode) = connection.execute("SELECT running, inode FROM state").fetchone()
    here = path.stat().st_ino
    log_was_deleted = was_running and log_is_missing
    with transaction(connection):
        if log_was_deleted or inode not in (0, here):
            connection.execute("UPDATE state SET id = ?", (schema.new_id(),))
        if log_was_deleted:
            last = rows.end_ms(connection, last=True)
            start_ms = now_ms if last is None else min(last, now_ms)
            loss = losses.Loss(start_ms, now_ms, None, "the write-ahead log of the outbox was deleted")
            losses.record(connection, loss, now_ms)
            log.error("the write-ahead log of the outbox was deleted; what it held is lost")
        connection.execute("UPDATE state SET running = 1, inode = ?", (here,))
    # The mark must be in the file itself, else it would vanish together with the log.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def end_run(connection: sqlite3.Connection) -> None:
    """Mark the file as closed in good order, so that a missing log means nothing at the next start."""
    connection.execute("UPDATE state SET running = 0")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
