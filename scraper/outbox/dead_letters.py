"""Readings that the receiver refused: kept with their code, bounded. SQL inside the caller's transaction."""

import sqlite3
from collections.abc import Iterable, Mapping

import msgspec

from scraper.outbox import digest, losses, rows
from scraper.outbox.frames import FrameKind, pack, unpack

LIMIT = 10_000
"""Dead letters that are kept; beyond it the oldest go, on record."""


class DeadLetter(msgspec.Struct, frozen=True):
    """One refused reading.

    Attributes:
        seq: The place it had in the queue.
        code: Why it was refused (a `shared.problems.Rejection`, or the receiver's own word).
        rejected_ms: When, milliseconds since 1970.
        reading: JSON of the reading.
    """

    seq: int
    code: str
    rejected_ms: int
    reading: msgspec.Raw


_decoder = msgspec.json.Decoder(DeadLetter)


def insert(connection: sqlite3.Connection, rejected: Mapping[int, str], now_ms: int, *, limit: int = LIMIT) -> None:
    """Move rows from the queue to the dead letters. Unknown numbers are ignored."""
    moved: list[int] = []
    for seq, code in rejected.items():
        found = connection.execute("SELECT CAST(frame AS BLOB) FROM rows WHERE seq = ?", (seq,)).fetchone()
        frame = unpack(found[0]) if found else None
        if frame is None:  # unknown, or damaged: found and recorded when it is next read
            continue
        letter = DeadLetter(seq, code[:100], now_ms, msgspec.Raw(frame.payload))
        data = pack(FrameKind.DEAD_LETTER, seq, frame.committed_ms, msgspec.json.encode(letter))
        connection.execute("INSERT INTO dead_letters VALUES (?, ?)", (seq, data))
        moved.append(seq)
        rows.delete(connection, (seq,))
    if moved:
        connection.execute("UPDATE state SET dead_letters = dead_letters + ?", (len(moved),))
        digest.include(connection, moved)
        _drop_oldest(connection, now_ms, limit)


def drop_damaged(connection: sqlite3.Connection, now_ms: int) -> None:
    """Delete dead letters with a wrong checksum, and record that they are lost."""
    letters = connection.execute("SELECT seq, CAST(frame AS BLOB) FROM dead_letters ORDER BY seq")
    damaged: list[int] = []
    times: list[int] = []
    for seq, data in letters:
        frame = unpack(data)
        if frame is None:
            damaged.append(seq)
        else:
            times.append(frame.committed_ms)
    if damaged:
        _delete(connection, damaged)
        start_ms, end_ms = (min(times), max(times)) if times else (now_ms, now_ms)
        losses.record(connection, losses.Loss(start_ms, end_ms, len(damaged), "dead letters were damaged"), now_ms)


def _drop_oldest(connection: sqlite3.Connection, now_ms: int, limit: int) -> None:
    """Drop the oldest dead letters beyond the limit and record that."""
    (count,) = connection.execute("SELECT dead_letters FROM state").fetchone()
    if count <= limit:
        return
    query = "SELECT seq, CAST(frame AS BLOB) FROM dead_letters ORDER BY seq LIMIT ?"
    oldest = connection.execute(query, (count - limit,)).fetchall()
    frames = [frame for _, data in oldest if (frame := unpack(data))]
    stamps = [frame.committed_ms for frame in frames] or [now_ms]
    _delete(connection, [seq for seq, _ in oldest])
    losses.record(connection, losses.Loss(min(stamps), max(stamps), len(oldest), "too many dead letters"), now_ms)


def read_newest(connection: sqlite3.Connection, limit: int) -> list[DeadLetter]:
    """The newest dead letters, oldest of them first; damaged ones are left out."""
    found = connection.execute(
        "SELECT CAST(frame AS BLOB) FROM dead_letters ORDER BY seq DESC LIMIT ?", (limit,)
    ).fetchall()
    return [_decoder.decode(frame.payload) for (data,) in reversed(found) if (frame := unpack(data))]


def read_one(connection: sqlite3.Connection, seq: int) -> DeadLetter | None:
    """The dead letter with this number."""
    found = connection.execute("SELECT CAST(frame AS BLOB) FROM dead_letters WHERE seq = ?", (seq,)).fetchone()
    frame = unpack(found[0]) if found else None
    return _decoder.decode(frame.payload) if frame else None


def replay(connection: sqlite3.Connection, seqs: Iterable[int] | None, now_ms: int) -> int:
    """Put dead letters (None: all) back into the queue under new numbers. Returns how many were there."""
    if seqs is None:
        seqs = [seq for (seq,) in connection.execute("SELECT seq FROM dead_letters ORDER BY seq").fetchall()]
    letters = [letter for seq in seqs if (letter := read_one(connection, seq))]
    if letters:
        rows.insert(connection, [bytes(letter.reading) for letter in letters], now_ms)
        _delete(connection, [letter.seq for letter in letters])
    return len(letters)


def _delete(connection: sqlite3.Connection, seqs: list[int]) -> None:
    connection.executemany("DELETE FROM dead_letters WHERE seq = ?", [(seq,) for seq in seqs])
    connection.execute("UPDATE state SET dead_letters = dead_letters - ?", (len(seqs),))
    digest.exclude(connection, seqs)
