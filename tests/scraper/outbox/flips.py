"""An outbox of ten pages, and what must hold when one of its bits flips while no scraper runs."""

from pathlib import Path
from typing import NamedTuple

from scraper.outbox.schema import PAGE_BYTES
from shared.readings import Reading
from shared.wire import decode_reading
from tests.scraper.outbox.support import NOW, decode, drain, make_readings, open_outbox

PAGES = 10
_ROWS = 13
"""Long ones: few rows fill the pages, so that each start and each delivery is quick."""
_REFUSED = (3, 4)
AFTERWARDS = 9_999


class TenPages(NamedTuple):
    """The bytes of a closed outbox and of its lock file, and which of `readings` it holds."""

    database: bytes
    lock: bytes
    waiting: frozenset[int]
    refused: frozenset[int]


class Survivors(NamedTuple):
    """What came out of a damaged outbox.

    Attributes:
        delivered: Which of `readings`, in the order of their delivery.
        refused: Which of them lie in the dead letters.
        losses: The loss events.
    """

    delivered: list[int]
    refused: list[int]
    losses: list[Reading]


def make_ten_pages(path: Path) -> TenPages:
    """An outbox with rows, dead letters, a memory and a loss on record."""
    box = open_outbox(path)
    box.append([make_long(reading) for reading in make_readings(0, _ROWS)], memory=b'{"serial":"1"}')
    seqs = [row.seq for row in box.read_oldest(_ROWS, 10**6)]
    box.settle(seqs[5:8], {seqs[n]: "too-old" for n in _REFUSED})
    box.close()
    database = path.read_bytes()
    assert len(database) == PAGES * PAGE_BYTES
    gone = {*_REFUSED, 5, 6, 7}
    return TenPages(
        database,
        path.with_name("outbox.sqlite.lock").read_bytes(),
        frozenset(set(range(_ROWS)) - gone),
        frozenset(_REFUSED),
    )


def make_long(reading: Reading) -> Reading:
    """The same with a long text beside its values."""
    return Reading(reading.kind, reading.tags, reading.timestamp, {**reading.fields, "text": "text" * 150})


def restart_after_flip(original: TenPages, directory: Path, bit: int) -> Survivors:
    """Flip one bit, start, deliver everything, append one more and deliver that."""
    for file in directory.iterdir():
        file.unlink()
    path = directory / "outbox.sqlite"
    flipped = bytearray(original.database)
    flipped[bit // 8] ^= 1 << bit % 8
    path.write_bytes(flipped)
    path.with_name("outbox.sqlite.lock").write_bytes(original.lock)
    box = open_outbox(path)
    try:
        refused = [_read_number(letter.reading) for letter in box.read_dead_letters()]
        box.append(make_readings(AFTERWARDS))
        rows = decode(drain(box))
    finally:
        box.close()
    delivered = [reading.timestamp - NOW for reading in rows if reading.kind == "meter"]
    return Survivors(delivered, refused, [reading for reading in rows if reading.tags.get("type") == "loss"])


def find_broken_promises(original: TenPages, after: Survivors) -> list[str]:
    """What is wrong with the outcome of one flip; nothing if all is as promised."""
    delivered, refused = set(after.delivered), set(after.refused)
    missing = len(original.waiting - delivered) + len(original.refused - refused)
    counts = [int(loss.fields["rows"]) for loss in after.losses if "rows" in loss.fields]
    promises = {
        "what is appended afterwards is delivered": AFTERWARDS in delivered,
        "nothing comes out that did not go in": delivered <= original.waiting | {AFTERWARDS},
        "no dead letter appears": refused <= original.refused,
        "nothing is delivered twice": len(delivered) == len(after.delivered),
        "one bit costs one reading at most": missing <= 1,
        "a loss is on record exactly where something is lost": bool(missing) == bool(after.losses),
        "a count of lost readings is right": len(counts) < len(after.losses) or sum(counts) == missing,
    }
    return [promise for promise, is_kept in promises.items() if not is_kept]


def _read_number(reading: bytes) -> int:
    """Which of `readings` a dead letter holds."""
    return decode_reading(bytes(reading)).timestamp - NOW
