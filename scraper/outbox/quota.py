"""What happens when the disk quota is full: the oldest rows go, and the loss is recorded in the same transaction."""

import sqlite3
from collections.abc import Container

import msgspec

from scraper.outbox import losses, rows
from scraper.outbox.frames import unpack
from scraper.outbox.schema import PAGE_BYTES

DEFAULT_BYTES = 512 * 1024 * 1024
TARGET = 0.98
"""Rows go until this part of the quota is in use: one event for 2 % of the quota, not one for every commit."""
CHUNK = 100
"""Rows that are deleted between two looks at the space in use."""
SHRINK_ABOVE = 2_048
"""Free pages above which the file is given back to the disk bit by bit."""
SHRINK_PAGES = 64


class _Stamp(msgspec.Struct):
    """The one thing of a payload that the record of a loss needs."""

    timestamp: int


_stamp = msgspec.json.Decoder(_Stamp)


def count_used_bytes(connection: sqlite3.Connection) -> int:
    """Bytes of the file that hold something."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    return int(pages - free) * PAGE_BYTES


def enforce(
    connection: sqlite3.Connection, quota_bytes: int, now_ms: int, *, keep_from: int, in_flight: Container[int]
) -> int:
    """Drop the oldest rows if the file is over its quota. Must run inside a transaction.

    Args:
        connection: The outbox.
        quota_bytes: Largest size of what the file holds.
        now_ms: For the record.
        keep_from: Rows from this seq on were just committed and stay.
        in_flight: Rows on their way to the receiver: they may be stored there already, and then nothing is lost.

    Returns:
        How many rows were dropped. Loss events are never dropped.
    """
    if count_used_bytes(connection) <= quota_bytes:
        return 0
    dropped, seen, start_ms, end_ms = 0, 0, 2**62, 0
    while count_used_bytes(connection) > quota_bytes * TARGET:
        chunk = connection.execute(
            "SELECT seq, CAST(frame AS BLOB) FROM rows WHERE seq > ? AND seq < ? ORDER BY seq LIMIT ?",
            (seen, keep_from, CHUNK),
        ).fetchall()
        if not chunk:
            break
        seen = chunk[-1][0]
        droppable = []
        for seq, data in chunk:
            frame = unpack(data)
            if seq in in_flight or (frame is not None and frame.payload.startswith(losses.PREFIX)):
                continue
            droppable.append(seq)
            if frame is not None:
                stamp = _stamp.decode(frame.payload).timestamp
                start_ms, end_ms = min(start_ms, stamp), max(end_ms, stamp)
        dropped += rows.delete(connection, droppable)
    if dropped:
        start_ms, end_ms = (start_ms, end_ms) if end_ms else (now_ms, now_ms)
        losses.record(connection, losses.Loss(start_ms, end_ms, dropped, "the outbox was full"), now_ms)
    return dropped


def give_back(connection: sqlite3.Connection) -> None:
    """Return a few free pages to the disk after a backlog drained, in a transaction of its own."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    if free > SHRINK_ABOVE:
        # As a script: it frees a page at each step, and execute() takes only one of a statement without columns.
        connection.executescript(f"PRAGMA incremental_vacuum({SHRINK_PAGES})")
