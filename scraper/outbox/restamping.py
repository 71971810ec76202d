"""Rows that a wrong clock stamped get the right time: under new numbers, with an event. SQL inside a transaction."""

import sqlite3
from collections.abc import Callable

from scraper.events import make_event
from scraper.outbox import rows
from scraper.outbox.frames import unpack
from scraper.outbox.rows import OutboxRow
from shared.wire import encode_reading

MoveRow = Callable[[OutboxRow], bytes | None]
"""The new JSON of a row's reading; None for a row that stays."""

_PAGE_ROWS = 1_000
_REASON = "readings that the clock of the scraper's host had stamped wrong were given the right time"


def restamp(connection: sqlite3.Connection, move: MoveRow, now_ms: int) -> frozenset[int]:
    """Move what `move` says. Returns the numbers that are gone.

    A verdict that is on its way for an old number then finds nothing, and cannot settle the new row.
    """
    end, last = rows.read_next_seq(connection), 0
    gone: list[int] = []
    query = "SELECT seq, frame FROM rows WHERE seq > ? AND seq < ? ORDER BY seq LIMIT ?"
    while page := connection.execute(query, (last, end, _PAGE_ROWS)).fetchall():
        last = page[-1][0]
        moved = {}
        for seq, data in page:
            frame = unpack(data)  # a damaged row is found and recorded when it is next read
            payload = move(OutboxRow(seq, frame.payload, frame.committed_ms)) if frame else None
            if payload is not None:
                moved[seq] = payload
        if moved:
            rows.delete(connection, moved)
            rows.insert(connection, list(moved.values()), now_ms)
            gone += moved
    if gone:
        event = make_event("restamp", now_ms, _REASON, rows=len(gone))
        rows.insert(connection, [encode_reading(event)], now_ms)
    return frozenset(gone)
