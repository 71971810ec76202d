"""What is dirty, and that nothing which was written is ever forgotten."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.ingest.journal import Journal, RollupState
from receiver.ingest.marking import MarkingStore
from receiver.ingest.marks import GatewayMarks, list_stretches
from receiver.stores.base import GatewayReading, StoreUnavailableError
from shared.readings import Reading
from shared.units import HOUR_MS, QUARTER_MS

HOUSE = "122200000001"
NOON = 1_750_000_500_000 // QUARTER_MS * QUARTER_MS


def make_reading(timestamp: int, gateway: str = HOUSE) -> GatewayReading:
    return GatewayReading(gateway, Reading("inverter", {"inverter": "1"}, timestamp, {"power": 1.0}))


class WaitingStore:
    """A store whose writes wait until they may go on, or fail."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.error: Exception | None = None

    async def write(self, rows):
        self.begun.set()
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        return {}


@pytest.fixture
async def journal(tmp_path):
    opened = Journal(tmp_path / "rollups.sqlite")
    yield opened
    await opened.close()


@pytest.fixture
def held():
    return WaitingStore()


async def test_the_journal_has_the_quarter_before_the_store_has_the_reading(journal, held):
    """A kill between the two costs a computation, never a roll-up."""
    store = MarkingStore(held, journal)
    write = asyncio.create_task(store.write([make_reading(NOON + 5), make_reading(NOON - 1)]))
    await held.begun.wait()
    assert (await journal.load()).dirty == {(HOUSE, NOON), (HOUSE, NOON - QUARTER_MS)}
    held.go_on.set()
    assert await write == {}
    assert store.get_marks(HOUSE).fresh == {NOON, NOON - QUARTER_MS}


async def test_a_quarter_that_is_being_written_is_not_settled(journal, held):
    """The job is done with it just before a late reading of it is stored."""
    store = MarkingStore(held, journal)
    await store.load()
    write = asyncio.create_task(store.write([make_reading(NOON)]))
    await held.begun.wait()
    await store.settle(NOON + HOUR_MS)
    assert (await journal.load()).dirty == {(HOUSE, NOON)}
    held.go_on.set()
    await write
    store.get_marks(HOUSE).fresh.clear()
    await store.settle(NOON + 2 * QUARTER_MS - 1)
    assert (await journal.load()).dirty == {(HOUSE, NOON)}, "live readings still come"
    await store.settle(NOON + 2 * QUARTER_MS)
    assert (await journal.load()).dirty == set()


async def test_a_write_that_fails_is_dirty_too(journal, held):
    """Nothing, something or all of it may be stored."""
    store = MarkingStore(held, journal)
    held.error = StoreUnavailableError("no")
    held.go_on.set()
    with pytest.raises(StoreUnavailableError):
        await store.write([make_reading(NOON)])
    assert store.get_marks(HOUSE).fresh == {NOON}


async def test_nothing_settles_while_hours_wait(journal, held):
    """The hour that a reading belongs to may lie in another quarter than the reading."""
    marks = GatewayMarks(in_journal={NOON}, hours_due={NOON + HOUR_MS})
    assert marks.list_settled(NOON + HOUR_MS) == set()
    marks.hours_due.clear()
    assert marks.list_settled(NOON + HOUR_MS) == {NOON}


async def test_after_a_restart_everything_in_the_journal_is_dirty(tmp_path, journal, held):
    held.go_on.set()
    store = MarkingStore(held, journal)
    await store.write([make_reading(NOON)])
    await store.put(HOUSE, RollupState("site", None))
    store.get_marks(HOUSE).fresh.clear()
    restarted = MarkingStore(held, journal)
    await restarted.load()
    assert restarted.get_marks(HOUSE).fresh == {NOON}
    assert restarted.get_marks(HOUSE).state == RollupState("site", None)


class UnsettledReader:
    """Hears after each start of which quarters it may have missed something."""

    def __init__(self) -> None:
        self.heard: set[tuple[str, int]] = set()

    def mark_unsettled(self, quarters):
        self.heard |= set(quarters)

    async def find_unkept(self, _):
        return ()


async def start_over(journal, held) -> tuple[MarkingStore, set[tuple[str, int]]]:
    """What the next process does, and of which quarters its outputs are told."""
    store = MarkingStore(held, journal)
    store.reader = UnsettledReader()
    await store.load()
    return store, store.reader.heard


async def test_outputs_are_told_of_a_quarter_after_a_kill_and_not_after_an_orderly_end(journal, held):
    held.go_on.set()
    store, _ = await start_over(journal, held)
    await store.write([make_reading(NOON)])
    store, told = await start_over(journal, held)
    assert told == {(HOUSE, NOON)}
    await store.note_told()
    store, told = await start_over(journal, held)
    assert not told
    assert store.get_marks(HOUSE).fresh == {NOON}, "it is still to be rolled up"
    await store.write([make_reading(NOON + 1)])
    store, told = await start_over(journal, held)
    assert told == {(HOUSE, NOON)}, "a kill after more was written"


async def test_outputs_are_never_told_of_what_was_imported(journal, held):
    """But of what a process wrote that was killed before the import."""
    held.go_on.set()
    store, _ = await start_over(journal, held)
    await store.write([make_reading(NOON)])
    past = MarkingStore(held, journal, is_import=True)
    await past.write([make_reading(NOON + 1), make_reading(NOON - HOUR_MS)])
    await past.write([make_reading(NOON - 2 * HOUR_MS)])
    store, told = await start_over(journal, held)
    assert told == {(HOUSE, NOON)}
    assert store.get_marks(HOUSE).fresh == {NOON, NOON - HOUR_MS, NOON - 2 * HOUR_MS}
    await store.fail(HOUSE, [NOON - HOUR_MS, NOON - 3 * HOUR_MS])
    _, told = await start_over(journal, held)
    assert told == {(HOUSE, NOON)}


async def test_a_journal_that_is_lost_at_work_is_written_again_and_refuses_nothing(tmp_path, journal, held):
    """What waits is in the new one, and the gateway is one that nothing is known of."""
    held.go_on.set()
    store = MarkingStore(held, journal)
    await store.write([make_reading(NOON)])
    await store.put(HOUSE, RollupState("site", None))
    (tmp_path / "rollups.sqlite").unlink()
    await store.write([make_reading(NOON + HOUR_MS)])
    assert (await journal.load()).dirty == {(HOUSE, NOON), (HOUSE, NOON + HOUR_MS)}
    assert store.get_marks(HOUSE).state is None


def test_pieces_come_newest_first_and_never_cross_a_border():
    assert list_stretches([], unit_ms=QUARTER_MS, most_ms=HOUR_MS) == []
    day = 20 * 24 * HOUR_MS
    dirty = [day + quarter * QUARTER_MS for quarter in (3, 4, 5, 9)]
    assert list_stretches(dirty, unit_ms=QUARTER_MS, most_ms=HOUR_MS) == [
        (day + 9 * QUARTER_MS, day + 10 * QUARTER_MS),
        (day + 4 * QUARTER_MS, day + 6 * QUARTER_MS),
        (day + 3 * QUARTER_MS, day + 4 * QUARTER_MS),
    ]
    assert list_stretches(dirty, unit_ms=HOUR_MS, most_ms=3 * HOUR_MS) == [(day, day + 3 * HOUR_MS)]


@given(st.sets(st.integers(-50, 50)))
def test_pieces_are_exactly_the_quarters(numbers):
    quarters = {number * QUARTER_MS for number in numbers}
    pieces = list_stretches(quarters, unit_ms=QUARTER_MS, most_ms=HOUR_MS)
    assert pieces == sorted(pieces, reverse=True)
    assert [start for piece in pieces for start in range(*piece, QUARTER_MS)].__len__() == len(quarters)
    assert {start for piece in pieces for start in range(*piece, QUARTER_MS)} == quarters
    assert all(stop - start <= HOUR_MS for start, stop in pieces)
