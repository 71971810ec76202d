"""An outbox for tests, readings to put into it, and what a kill leaves behind."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from scraper.outbox import Outbox, OutboxRow
from shared.durable_sqlite import name_shm, name_wal
from shared.readings import Reading
from shared.wire import MAX_BYTES, decode_reading

NOW = 1_718_000_000_000


def open_outbox(path: Path, *, quota_bytes: int = 512 * 1024 * 1024, exclusive: bool = True) -> Outbox:
    """The outbox at `path` with a clock that moves a second at every look."""
    seconds = itertools.count()
    return Outbox.open(path, now_ms=lambda: NOW + next(seconds) * 1000, quota_bytes=quota_bytes, exclusive=exclusive)


def make_readings(first: int, count: int = 1) -> list[Reading]:
    """`count` readings that can be told apart."""
    return [
        Reading("meter", {"meter": "production", "phase": "a"}, NOW + n, {"power": float(n), "voltage": 230.0})
        for n in range(first, first + count)
    ]


def list_rows(outbox: Outbox) -> list[OutboxRow]:
    """All rows that wait, oldest first."""
    return outbox.read_oldest(10**6, 10**9)


def decode(rows: Iterable[OutboxRow]) -> list[Reading]:
    return [decode_reading(row.payload) for row in rows]


def list_numbers(outbox: Outbox) -> list[int]:
    """Which of `readings` wait, without the events."""
    return [reading.timestamp - NOW for reading in decode(list_rows(outbox)) if reading.kind == "meter"]


def list_losses(outbox: Outbox) -> list[Reading]:
    """The loss events that wait."""
    return [reading for reading in decode(list_rows(outbox)) if reading.tags.get("type") == "loss"]


def drain(outbox: Outbox) -> Iterator[OutboxRow]:
    """Settle everything, oldest first, and give each row."""
    while batch := outbox.read_oldest(500, MAX_BYTES):
        outbox.settle([row.seq for row in batch], {})
        yield from batch


def kill(outbox: Outbox, path: Path) -> None:
    """Leave the files as a SIGKILL would at this moment, and the lock free."""
    kept = {part: part.read_bytes() for part in (path, name_wal(path)) if part.exists()}
    outbox.close()
    name_shm(path).unlink(missing_ok=True)
    name_wal(path).unlink(missing_ok=True)
    for part, data in kept.items():
        part.write_bytes(data)
