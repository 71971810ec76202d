"""A damaged outbox is moved aside and what is sound in it goes on in a new file, with a new id.

Kill-safe at every step: the new file is built beside the old one and gets the name `.salvaged` only when it is whole;
from then on `finish` (which runs at every start) completes the exchange. Until then nothing happened.
"""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from scraper.errors import OutboxError
from scraper.outbox import losses, memory, schema
from scraper.outbox import rows as rows_of
from scraper.outbox.frames import FrameKind, RowFrame, pack
from scraper.outbox.salvage.image import frames_in, is_whole
from shared import durable_sqlite
from shared.files import sync_directory

KEPT_FILES = 3
"""Damaged files that are kept beside the outbox; a dying disk must not fill itself with them."""
SEQ_JUMP = 1 << 20
"""New numbers start this far above the highest one found, so that a verdict still on its way hits no new row."""

SMALLEST_FRAME = 64
"""Bytes that the shortest reading takes; a damaged count that the file cannot hold is not believed."""

_ABSURD = 1 << 60


class _DamagedState(NamedTuple):
    """What the damaged file still says about itself by SQL."""

    rows: int
    next_seq: int
    lost_rows: int
    loss_stamps: list[int]


class Salvaged(NamedTuple):
    """What came out: sound rows (queued and dead letters) and how many are gone, None if that is not known."""

    rows: int
    lost: int | None


def salvage(path: Path, now_ms: int) -> Salvaged:
    """Replace the damaged outbox at `path`. Close it first. Raises OSError and sqlite3.Error (disk full)."""
    building = path.with_name(path.name + ".new")
    with closing(schema.create(building)) as connection:
        with durable_sqlite.transaction(connection):
            result = _fill(connection, path, now_ms)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    building.replace(_salvaged(path))
    finish(path, now_ms)
    return result


def finish(path: Path, now_ms: int) -> None:
    """Complete an exchange that a kill interrupted: the damaged files aside, the new one in place. Raises OSError."""
    if not _salvaged(path).exists():
        return
    stamp = datetime.fromtimestamp(max(now_ms, 0) / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    # The log goes first: SQLite would replay it into any file that stands at `path`.
    for file_of in (durable_sqlite.wal_of, lambda database: database):
        if file_of(path).exists():
            file_of(path).replace(file_of(aside))
    durable_sqlite.shm_of(path).unlink(missing_ok=True)
    _salvaged(path).replace(path)
    sync_directory(path.parent)
    for old in sorted(path.parent.glob(f"{path.name}.damaged-*[0-9]Z"))[:-KEPT_FILES]:
        durable_sqlite.remove(old)


def _fill(connection: sqlite3.Connection, path: Path, now_ms: int) -> Salvaged:
    """Copy every sound frame and record what is missing."""
    whole = is_whole(path)
    for frame in frames_in(path):
        _put(connection, frame)
    known = _known(path, whole=whole)
    rows, dead, highest = connection.execute(
        "SELECT (SELECT count(*) FROM rows), (SELECT count(*) FROM dead_letters),"
        " (SELECT coalesce(max(seq), 0) FROM (SELECT seq FROM rows UNION ALL SELECT seq FROM dead_letters))"
    ).fetchone()
    connection.execute(
        "UPDATE state SET next_seq = ?, rows = ?, dead_letters = ?, lost_rows = ?",
        (max(highest, known.next_seq if known else 0) + SEQ_JUMP, rows, dead, known.lost_rows if known else 0),
    )
    if known:
        connection.executemany("INSERT OR IGNORE INTO losses VALUES (?)", [(stamp,) for stamp in known.loss_stamps])
    lost = max(0, known.rows - rows - dead) if known and whole else None
    if lost != 0:
        oldest = rows_of.end_ms(connection, last=False)
        start_ms = now_ms if oldest is None else min(oldest, now_ms)
        losses.record(connection, losses.Loss(start_ms, now_ms, lost, "the outbox file was damaged"), now_ms)
    return Salvaged(rows + dead, lost)


def _put(connection: sqlite3.Connection, frame: RowFrame) -> None:
    data = pack(*frame)
    match frame.kind:
        case FrameKind.ROW:
            connection.execute("INSERT OR IGNORE INTO rows VALUES (?, ?)", (frame.seq, data))
        case FrameKind.DEAD_LETTER:
            connection.execute("INSERT OR IGNORE INTO dead_letters VALUES (?, ?)", (frame.seq, data))
        case FrameKind.MEMORY:
            memory.restore(connection, frame)


def _known(path: Path, *, whole: bool) -> _DamagedState | None:
    """What the damaged file still says about itself; None if it says nothing that can be believed."""
    try:
        # Beside a broken log the file is only looked at: SQLite would shorten the log.
        with closing(schema.connect(path) if whole else durable_sqlite.connect(path, immutable=True)) as connection:
            rows, dead, next_seq, lost_rows = connection.execute(
                "SELECT rows, dead_letters, next_seq, lost_rows FROM state"
            ).fetchone()
            stamps = [stamp for (stamp,) in connection.execute("SELECT timestamp FROM losses").fetchall()]
        numbers = (rows, dead, next_seq, lost_rows, *stamps)
        if not all(isinstance(number, int) and 0 <= number < _ABSURD for number in numbers) or rows + dead >= next_seq:
            return None
        if (rows + dead) * SMALLEST_FRAME > _bytes_of(path):
            return None
    except (sqlite3.Error, OutboxError, TypeError, ValueError, OverflowError):
        return None
    return _DamagedState(rows + dead, next_seq, lost_rows, stamps)


def _bytes_of(path: Path) -> int:
    return sum(file.stat().st_size for file in (path, durable_sqlite.wal_of(path)) if file.exists())


def _salvaged(path: Path) -> Path:
    return path.with_name(path.name + ".salvaged")
