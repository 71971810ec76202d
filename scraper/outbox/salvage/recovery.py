"""A damaged outbox is moved aside and what is sound in it goes on in a new file, with a new id.

Kill-safe at every step: the new file is built beside the old one and gets the name `.salvaged` only when it is whole;
from then on `finish` (which runs at every start) completes the exchange. Until then nothing happened.
"""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from scraper.outbox import digest, losses, memory, schema
from scraper.outbox import rows as rows_of
from scraper.outbox.frames import FrameKind, RowFrame, pack
from scraper.outbox.salvage.image import find_frames, is_head_sound, is_log_whole
from scraper.outbox.witness import Witness
from shared import durable_sqlite
from shared.files import sync_directory

KEPT_FILES = 3
"""Damaged files that are kept beside the outbox; a dying disk must not fill itself with them."""
SEQ_JUMP = 1 << 20
"""New numbers start this far above the highest one found, so that a verdict still on its way hits no new row."""


class _DamagedState(NamedTuple):
    """What the damaged file still says about itself by SQL; none of it is checked by a sum."""

    id: str
    next_seq: int
    lost_rows: int
    loss_stamps: list[int]


class SalvageResult(NamedTuple):
    """What came out: sound rows (queued and dead letters) and how many are gone, None if that is not known."""

    rows: int
    lost: int | None


def salvage(path: Path, now_ms: int, witness: Witness | None = None) -> SalvageResult:
    """Replace the damaged outbox at `path` (close it first), of which `witness` tells what it held.

    Raises OSError and sqlite3.Error (disk full).
    """
    building = path.with_name(path.name + ".new")
    with closing(schema.create(building)) as connection:
        with durable_sqlite.open_transaction(connection):
            result = _fill(connection, path, now_ms, witness)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    building.replace(name_salvaged(path))
    finish(path, now_ms)
    return result


def finish(path: Path, now_ms: int) -> None:
    """Complete an exchange that a kill interrupted: the damaged files aside, the new one in place. Raises OSError."""
    if not name_salvaged(path).exists():
        return
    stamp = datetime.fromtimestamp(max(now_ms, 0) / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    # The log goes first: SQLite would replay it into any file that stands at `path`.
    for file_of in (durable_sqlite.name_wal, lambda database: database):
        if file_of(path).exists():
            file_of(path).replace(file_of(aside))
    durable_sqlite.name_shm(path).unlink(missing_ok=True)
    name_salvaged(path).replace(path)
    sync_directory(path.parent)
    for old in sorted(path.parent.glob(f"{path.name}.damaged-*[0-9]Z"))[:-KEPT_FILES]:
        durable_sqlite.remove(old)


def _fill(connection: sqlite3.Connection, path: Path, now_ms: int, witness: Witness | None) -> SalvageResult:
    """Copy every sound frame and record what is missing."""
    known = _read_state(path)
    if known and witness and schema.is_id(known.id) and known.id != witness.id:
        witness = None  # it is of another file
    live = _put_frames(connection, path, are_live=True)
    stale = 0
    if not (is_all := _has_all(connection, witness)):
        # A stale copy of what no cell holds may be of a lost row, or of a settled one, which is then sent once more.
        stale = _put_frames(connection, path, are_live=False)
        is_all = _has_all(connection, witness)
    highest = _count_state(connection)
    next_seq = max(highest, known.next_seq if known else 0, witness.next_seq if witness else 0) + SEQ_JUMP
    connection.execute("UPDATE state SET next_seq = ?, lost_rows = ?", (next_seq, known.lost_rows if known else 0))
    if known:
        connection.executemany("INSERT OR IGNORE INTO losses VALUES (?)", [(stamp,) for stamp in known.loss_stamps])
    is_log_complete = is_log_whole(path) and not (known and witness and known.next_seq < witness.next_seq)
    lost = 0 if is_all else None
    if lost is None and witness and witness.certain and is_log_complete and not stale and live <= witness.held:
        lost = witness.held - live
    if lost != 0:
        oldest = rows_of.find_end_ms(connection, last=False)
        start_ms = now_ms if oldest is None else min(oldest, now_ms)
        losses.record(connection, losses.Loss(start_ms, now_ms, lost, "the outbox file was damaged"), now_ms)
    return SalvageResult(live + stale, lost)


def _put_frames(connection: sqlite3.Connection, path: Path, *, are_live: bool) -> int:
    """Copy all cells, or all stale copies, of numbers that are not there yet; how many rows and dead letters."""
    frames = (frame for frame, is_live in find_frames(path) if is_live is are_live)
    return sum(_put(connection, frame) for frame in frames if not _is_there(connection, frame))


def _has_all(connection: sqlite3.Connection, witness: Witness | None) -> bool:
    """Whether it is known that all rows and dead letters were found that were there; settled ones may be among them."""
    if witness is None or not witness.certain:
        return False
    _count_state(connection)
    found = schema.read_witness(connection)
    if (found.held, found.digest) == (witness.held, witness.digest):
        return True
    query = "SELECT seq FROM rows UNION ALL SELECT seq FROM dead_letters ORDER BY seq"
    return digest.is_digest_without_a_run([seq for (seq,) in connection.execute(query)], witness.held, witness.digest)


def _count_state(connection: sqlite3.Connection) -> int:
    """Bring the kept counts up to what was copied; the highest number of it."""
    connection.execute(
        "UPDATE state SET rows = (SELECT count(*) FROM rows), dead_letters = (SELECT count(*) FROM dead_letters),"  # noqa: S608
        f" digest = {digest.COMPUTED}"
    )
    query = "SELECT coalesce(max(seq), 0) FROM (SELECT seq FROM rows UNION ALL SELECT seq FROM dead_letters)"
    return int(connection.execute(query).fetchone()[0])


def _is_there(connection: sqlite3.Connection, frame: RowFrame) -> bool:
    if frame.kind is FrameKind.MEMORY:
        return memory.get(connection) is not None
    query = "SELECT 1 FROM rows WHERE seq = ?1 UNION ALL SELECT 1 FROM dead_letters WHERE seq = ?1"
    return connection.execute(query, (frame.seq,)).fetchone() is not None


def _put(connection: sqlite3.Connection, frame: RowFrame) -> int:
    """Copy a frame; how many rows and dead letters that makes."""
    data = pack(*frame)
    match frame.kind:
        case FrameKind.ROW:
            return connection.execute("INSERT INTO rows VALUES (?, ?)", (frame.seq, data)).rowcount
        case FrameKind.DEAD_LETTER:
            return connection.execute("INSERT INTO dead_letters VALUES (?, ?)", (frame.seq, data)).rowcount
        case FrameKind.MEMORY:
            memory.restore(connection, frame)
    return 0


def _read_state(path: Path) -> _DamagedState | None:
    """What the damaged file still says about itself; None if it says nothing that can be believed."""
    try:
        if not is_head_sound(path):  # SQLite deletes the log of an empty file
            return None
        with closing(durable_sqlite.connect(path, read_only=True)) as connection:
            outbox_id, next_seq, lost_rows = connection.execute("SELECT id, next_seq, lost_rows FROM state").fetchone()
            stamps = [stamp for (stamp,) in connection.execute("SELECT timestamp FROM losses").fetchall()]
        numbers = (next_seq, lost_rows, *stamps)
        if not all(isinstance(number, int) and 0 <= number < schema.ABSURD for number in numbers):
            return None
    except (sqlite3.Error, FileNotFoundError, TypeError, ValueError, OverflowError):
        return None
    return _DamagedState(str(outbox_id), next_seq, lost_rows, stamps)


def name_salvaged(path: Path) -> Path:
    """The name of a whole new file that waits to take the place of the outbox."""
    return path.with_name(path.name + ".salvaged")
