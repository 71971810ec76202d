"""The one value beside the queue that outlives the process. SQL inside the caller's transaction."""

import sqlite3

from scraper.outbox.frames import FrameKind, RowFrame, pack, unpack


def get(connection: sqlite3.Connection) -> bytes | None:
    """The value; None if there is none or its checksum is wrong."""
    found = connection.execute("SELECT CAST(frame AS BLOB) FROM memory").fetchone()
    frame = unpack(found[0]) if found else None
    return frame.payload if frame else None


def put(connection: sqlite3.Connection, value: bytes, now_ms: int) -> None:
    """Replace the value (JSON of at most 3,500 bytes; ValueError beyond)."""
    connection.execute("INSERT OR REPLACE INTO memory VALUES (1, ?)", (pack(FrameKind.MEMORY, 0, now_ms, value),))


def restore(connection: sqlite3.Connection, frame: RowFrame) -> None:
    """Salvage: put a frame from a damaged file into this one."""
    put(connection, frame.payload, frame.committed_ms)
