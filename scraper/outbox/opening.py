"""Opens the outbox file: in any state of it, a sound connection comes back and what was lost is on record."""

import contextlib
import sqlite3
from pathlib import Path

import structlog

from scraper.errors import OutboxError, OutboxUnavailableError, OutboxVersionError
from scraper.outbox import dead_letters, losses, rows, schema
from scraper.outbox.disk_errors import is_damage, make_outbox_error
from scraper.outbox.salvage.image import is_head_sound, is_log_whole
from scraper.outbox.salvage.recovery import finish, salvage
from scraper.outbox.witness import Witness, count_lost
from shared import durable_sqlite
from shared.durable_sqlite import DamagedError, name_wal, open_transaction
from shared.files import sync_directory

log = structlog.get_logger()


def open_exclusive(path: Path, now_ms: int, witness: Witness | None, *, again: bool = False) -> sqlite3.Connection:
    """Open the outbox for the running scraper, which holds the lock: make, migrate or salvage it as needed.

    Args:
        path: The file.
        now_ms: UTC, milliseconds since 1970.
        witness: What it held when it was last used, if that is known.
        again: This process had it open and closed it after an error, so a missing log proves nothing.

    Raises:
        OutboxUnavailableError: The disk does not let it be opened.
        OutboxVersionError: A newer release wrote it.
    """
    try:
        finish(path, now_ms)
        if not path.exists():
            if witness is None and not name_wal(path).exists():
                _make(path)
            else:
                repair(path, now_ms, "the file itself is gone", witness)
        return _open_or_salvage(path, now_ms, witness, again=again)
    except (sqlite3.Error, OSError) as error:
        raise make_outbox_error(path, error) from error


def open_beside(path: Path) -> sqlite3.Connection:
    """Open an existing outbox for a command that works beside the scraper: nothing is made, migrated or salvaged.

    Raises OutboxError with what to do instead.
    """
    if not path.exists():
        raise OutboxError(f"there is no outbox at {path} yet: start envoy-scraper run once")
    try:
        if not is_head_sound(path):
            raise DamagedError("its head was altered")
        connection = schema.connect(path)
        try:
            version = schema.read_schema_version(connection)
            connection.execute("SELECT id FROM state").fetchone()
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, OSError) as error:
        is_damaged = isinstance(error, sqlite3.Error) and is_damage(error)
        raise (make_damage_error(path) if is_damaged else make_outbox_error(path, error)) from error
    if version != len(schema.MIGRATIONS):
        connection.close()
        raise OutboxVersionError(f"the outbox at {path} is of another version of envoy-relay: use the one that runs")
    return connection


def make_damage_error(path: Path) -> OutboxUnavailableError:
    """The error for people when a command beside the scraper meets damage."""
    return OutboxUnavailableError(_DAMAGED.format(path))


def repair(path: Path, now_ms: int, reason: object, witness: Witness | None) -> None:
    """Salvage the closed outbox and say so. Raises OSError and sqlite3.Error."""
    result = salvage(path, now_ms, witness)
    log.error("outbox was damaged; it was moved aside and what is sound goes on", reason=str(reason), rows=result.rows,
              lost=result.lost)  # fmt: skip


_DAMAGED = "the outbox at {} is damaged: start (or restart) envoy-scraper run, which salvages it"


def _make(path: Path) -> None:
    """A new outbox under its name only once it is whole, so that an empty file there is damage."""
    building = path.with_name(path.name + ".new")
    schema.create(building).close()
    building.replace(path)
    sync_directory(path.parent)


def _open_or_salvage(path: Path, now_ms: int, witness: Witness | None, *, again: bool) -> sqlite3.Connection:
    log_is_missing = not again and not name_wal(path).exists()
    try:
        if not (is_head_sound(path) and (is_log_whole(path) or _has_all(path, witness))):
            raise DamagedError("it was cut short or altered")
        return _open_sound(path, now_ms, witness, log_is_missing=log_is_missing)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        repair(path, now_ms, error, witness)
    return _open_sound(path, now_ms, None, log_is_missing=False)


def _has_all(path: Path, witness: Witness | None) -> bool:
    """Whether the sound beginning of a broken log has every acknowledged commit: a power cut tore the one after it."""
    if witness is None:
        return False
    try:
        with contextlib.closing(durable_sqlite.connect(path, read_only=True)) as connection:
            found = schema.read_witness(connection)
    except sqlite3.Error:
        return False
    return found.id == witness.id and found.next_seq >= witness.next_seq


def _open_sound(path: Path, now_ms: int, witness: Witness | None, *, log_is_missing: bool) -> sqlite3.Connection:
    connection = schema.connect(path)
    try:
        schema.migrate(connection)
        schema.verify(connection)
        _begin_run(connection, path, now_ms, witness, log_is_missing=log_is_missing)
    except BaseException:
        connection.close()
        raise
    return connection


def _begin_run(
    connection: sqlite3.Connection, path: Path, now_ms: int, witness: Witness | None, *, log_is_missing: bool
) -> None:
    """Mark the file as in use; give it a new id if it is a copy, or lacks commits that its log held."""
    (was_running, inode) = connection.execute("SELECT running, inode FROM state").fetchone()
    found = schema.read_witness(connection)
    here = path.stat().st_ino
    known = witness if witness is not None and witness.id == found.id else None
    fell_back = known.next_seq > found.next_seq if known else bool(was_running and log_is_missing)
    with open_transaction(connection):
        if fell_back or inode not in (0, here):
            next_seq = max(found.next_seq, known.next_seq if known else 0)
            connection.execute("UPDATE state SET id = ?, next_seq = ?", (schema.make_id(), next_seq))
        if fell_back:
            lost = count_lost(known, found.next_seq, found.held) if known else None
            _record_log_loss(connection, lost, now_ms, "deleted" if log_is_missing else "cut short")
        dead_letters.drop_damaged(connection, now_ms)
        connection.execute("UPDATE state SET running = 1, inode = ?", (here,))
    # The mark must be in the file itself, else it would vanish together with the log.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _record_log_loss(connection: sqlite3.Connection, lost: int | None, now_ms: int, what: str) -> None:
    reason = f"the write-ahead log of the outbox was {what}"
    log.error("the outbox lacks what its log held; it goes on under a new id", reason=reason, lost=lost)
    if lost == 0:
        return
    last = rows.find_end_ms(connection, last=True)
    start_ms = now_ms if last is None else min(last, now_ms)
    losses.record(connection, losses.Loss(start_ms, now_ms, lost, reason), now_ms)


def end_run(connection: sqlite3.Connection) -> None:
    """Mark the file as closed in good order, so that a missing log means nothing at the next start."""
    connection.execute("UPDATE state SET running = 0")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
