"""Whichever bit of the roll-ups' journal flips: it says what it said, or it is begun again."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.ingest.journal import Contents, Journal, JournalBegunAgainError, RollupState
from shared import durable_sqlite
from shared.units import HOUR_MS, QUARTER_MS

HOUSE, SHED = "122200000001", "122200000002"
CONTENTS = Contents(
    {HOUSE: RollupState("of the site", None), SHED: RollupState("of the shed", 5 * HOUR_MS)},
    {(HOUSE, quarter * QUARTER_MS) for quarter in range(5)},
    {(HOUSE, quarter * QUARTER_MS) for quarter in range(3)},
)
NEW = (SHED, 99 * QUARTER_MS)
EMPTY = Contents({}, set())
HEAD_BITS = 800
EVERY = 8 * 8 + 1
"""Beyond the head, one bit in each eight bytes."""


@pytest.fixture
def path() -> Iterator[Path]:
    """In memory if there is such a place: each start waits for the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as directory:
        yield Path(directory) / "rollups.sqlite"


async def fill(path: Path) -> None:
    journal = Journal(path)
    for gateway, state in CONTENTS.gateways.items():
        await journal.put(gateway, state)
    await journal.add(CONTENTS.dirty)
    await journal.tell(CONTENTS.told)
    await journal.close()


async def use(path: Path) -> list[Contents]:
    """What a process finds, and what the next one finds after a change of it."""
    journal = Journal(path)
    try:
        found = [await journal.load()]
        try:
            await journal.add([NEW])
        except JournalBegunAgainError:
            found = [await journal.load()]
            await journal.add([NEW])
    finally:
        await journal.close()
    journal = Journal(path)
    try:
        return [*found, await journal.load()]
    finally:
        await journal.close()


@pytest.mark.slow
def test_no_flipped_bit_of_the_journal_tells_something_else_or_refuses_a_reading(path):
    asyncio.run(fill(path))
    original = path.read_bytes()
    bits = range(8 * len(original))
    broken = {}
    for bit in [*bits[:HEAD_BITS], *bits[HEAD_BITS::EVERY]]:
        data = bytearray(original)
        data[bit // 8] ^= 1 << bit % 8
        durable_sqlite.remove(path)
        path.write_bytes(data)
        try:
            found, afterwards = asyncio.run(use(path))
        except Exception as error:  # noqa: BLE001 (all of them are told, not the first alone)
            broken[divmod(bit, 8)] = repr(error)
            continue
        if found not in (CONTENTS, EMPTY) or afterwards != found._replace(dirty=found.dirty | {NEW}):
            broken[divmod(bit, 8)] = "it tells something else"
    assert broken == {}
