"""The queue itself: SQL for rows, inside the caller's transaction.

Frames are read as `CAST(frame AS BLOB)`, the same bytes whatever type a flipped bit gave the column: whether a frame is
sound, its checksum says.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scraper.outbox import digest
from scraper.outbox.frames import FrameKind, pack, unpack

ROW_OVERHEAD = 40
"""Bytes that a row adds to a batch besides its payload: `{"seq":N,"reading":},` with N up to 19 digits."""
BATCH_OVERHEAD = 192
"""Bytes of a batch without rows: version and the two ids."""


class OutboxRow(NamedTuple):
    """One committed reading.

    Attributes:
        seq: Its place in the queue.
        payload: JSON of the reading, as `shared.wire.encode_reading` made it.
        committed_ms: When it was committed, milliseconds since 1970.
    """

    seq: int
    payload: bytes
    committed_ms: int


def insert(connection: sqlite3.Connection, payloads: Sequence[bytes], now_ms: int) -> int:
    """Queue the payloads. Returns the seq of the first."""
    # Own numbers instead of AUTOINCREMENT: the frame needs them, and its extra table would cost a page at every commit.
    count = len(payloads)
    ((following,),) = connection.execute(
        "UPDATE state SET next_seq = next_seq + ?, rows = rows + ? RETURNING next_seq", (count, count)
    ).fetchall()
    first = int(following) - count
    connection.executemany(
        "INSERT INTO rows VALUES (?, ?)",
        [(seq, pack(FrameKind.ROW, seq, now_ms, payload)) for seq, payload in enumerate(payloads, first)],
    )
    digest.include(connection, range(first, first + count))
    return first


def read_next_seq(connection: sqlite3.Connection) -> int:
    """The number that the next row will have."""
    ((following,),) = connection.execute("SELECT next_seq FROM state").fetchall()
    return int(following)


def delete(connection: sqlite3.Connection, seqs: Iterable[int]) -> int:
    """Remove rows; unknown numbers are ignored. Returns how many were there."""
    deleted = [seq for seq in seqs if connection.execute("DELETE FROM rows WHERE seq = ?", (seq,)).rowcount]
    if deleted:
        connection.execute("UPDATE state SET rows = rows - ?", (len(deleted),))
        digest.exclude(connection, deleted)
    return len(deleted)


class RowPage(NamedTuple):
    """What was read: sound rows in the order of the query, and the numbers of rows with a wrong checksum."""

    rows: list[OutboxRow]
    damaged: list[int]


def read_newest(connection: sqlite3.Connection, max_rows: int, max_bytes: int, after: int) -> RowPage:
    """The newest rows above `after` that fit, newest first."""
    query = "SELECT seq, CAST(frame AS BLOB) FROM rows WHERE seq > ? ORDER BY seq DESC LIMIT ?"
    return _read(connection.execute(query, (after, max_rows)), max_bytes)


def read_oldest(connection: sqlite3.Connection, max_rows: int, max_bytes: int, before: int | None) -> RowPage:
    """The oldest rows below `before` that fit, oldest first."""
    query = "SELECT seq, CAST(frame AS BLOB) FROM rows WHERE seq < ? ORDER BY seq LIMIT ?"
    return _read(connection.execute(query, (2**63 - 1 if before is None else before, max_rows)), max_bytes)


def _read(cursor: sqlite3.Cursor, max_bytes: int) -> RowPage:
    page = RowPage([], [])
    room = max_bytes - BATCH_OVERHEAD
    for seq, data in cursor:
        frame = unpack(data)
        if frame is None:
            page.damaged.append(seq)
            continue
        room -= len(frame.payload) + ROW_OVERHEAD
        if room < 0 and page.rows:  # a single row always goes, else it would block the queue permanently
            break
        page.rows.append(OutboxRow(seq, frame.payload, frame.committed_ms))
    cursor.close()
    return page


def find_end_ms(connection: sqlite3.Connection, *, last: bool) -> int | None:
    """When the first or the last row of the queue was committed; None without rows."""
    query = f"SELECT CAST(frame AS BLOB) FROM rows ORDER BY seq {'DESC' if last else 'ASC'} LIMIT 1"  # noqa: S608 (two constants)
    found = connection.execute(query).fetchone()
    frame = unpack(found[0]) if found else None
    return frame.committed_ms if frame else None
