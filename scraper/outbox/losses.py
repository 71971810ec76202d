"""Losses on record: what the outbox gives up becomes an `event` reading of type `loss` in the same transaction."""

import sqlite3
from typing import NamedTuple

from scraper.events import make_event
from scraper.outbox import rows
from shared.wire import encode_reading

REMEMBERED = 1_000
"""Stamps of past losses that are kept, so that no two loss events share an identity."""
PREFIX = encode_reading(make_event("loss", 0)).partition(b'"timestamp"')[0]
"""How the payload of every loss event begins; the quota spares them, so that no loss is lost itself."""


class Loss(NamedTuple):
    """Readings that are gone.

    Attributes:
        start_ms: Time of the earliest of them, or since when some may be missing (milliseconds since 1970).
        end_ms: Time of the latest.
        rows: How many; None if that is not known.
        reason: Why, in a few words.
    """

    start_ms: int
    end_ms: int
    rows: int | None
    reason: str


def record(connection: sqlite3.Connection, loss: Loss, now_ms: int) -> None:
    """Queue the event and count the rows. Must run inside a transaction."""
    stamp = max(loss.start_ms, 0)
    while connection.execute("INSERT OR IGNORE INTO losses VALUES (?)", (stamp,)).rowcount == 0:
        stamp += 1
    connection.execute(
        "DELETE FROM losses WHERE timestamp <= (SELECT timestamp FROM losses ORDER BY timestamp DESC LIMIT 1 OFFSET ?)",
        (REMEMBERED,),
    )
    if loss.rows is not None:
        connection.execute("UPDATE state SET lost_rows = lost_rows + ?", (loss.rows,))
    event = make_event("loss", stamp, loss.reason, end_ms=max(loss.end_ms, stamp), rows=loss.rows)
    rows.insert(connection, [encode_reading(event)], now_ms)
