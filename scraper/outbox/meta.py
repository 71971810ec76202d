"""Small values beside the queue that outlive the process. SQL inside the caller's transaction."""

import sqlite3

import msgspec

from scraper.outbox.frames import FrameKind, RowFrame, pack, unpack


class _MetaEntry(msgspec.Struct, frozen=True):
    """The key is inside, so that salvage finds it."""

    key: str
    value: str


_decoder = msgspec.json.Decoder(_MetaEntry)


def get(connection: sqlite3.Connection, key: str) -> str | None:
    """The value; None if there is none or its checksum is wrong."""
    found = connection.execute("SELECT frame FROM meta WHERE key = ?", (key,)).fetchone()
    frame = unpack(found[0]) if found else None
    return _decoder.decode(frame.payload).value if frame else None


def put(connection: sqlite3.Connection, key: str, value: str, now_ms: int) -> None:
    """Keep the value (at most about 3 kB; ValueError beyond)."""
    data = pack(FrameKind.META, 0, now_ms, msgspec.json.encode(_MetaEntry(key, value)))
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, data))


def restore(connection: sqlite3.Connection, frame: RowFrame) -> None:
    """Salvage: put a frame from a damaged file into this one."""
    entry = _decoder.decode(frame.payload)
    put(connection, entry.key, entry.value, frame.committed_ms)
