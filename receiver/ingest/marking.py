"""Which quarter hours of which gateway are not rolled up yet.

Every reading that is written makes its quarter hour (of UTC) dirty. The journal has the quarter before the store has
the reading, so no reading is forgotten, however the process ends. A quarter stays in the journal while readings
of it still arrive, so live data costs one small durable write each quarter hour, and nothing else but a look at a set.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from receiver.ingest.journal import DirtyQuarter, Journal, JournalBegunAgainError, JournalError, RollupState
from receiver.stores.base import GatewayReading, StoreUnavailableError, Writable
from shared.problems import Rejection
from shared.units import HOUR_MS, QUARTER_MS

_SETTLED_MS = 2 * QUARTER_MS
"""How long after its start a quarter is expected to get live readings: inverters report up to a quarter hour late."""


class JournalReader(Protocol):
    """Who has to hear of readings that were stored, and may have missed some when the process ended."""

    def mark_unsettled(self, quarters: Collection[DirtyQuarter]) -> None:
        """After a start: readings of these quarter hours may have been stored that nobody was told of."""
        ...

    async def find_unkept(self, forgotten: Collection[DirtyQuarter]) -> Collection[DirtyQuarter]:
        """Keep what is still to be done with quarter hours that are about to be forgotten.

        Returns:
            Those that the journal must not forget yet.
        """
        ...


@dataclass
class GatewayMarks:
    """What is to be done for one gateway. Quarters are their starts, milliseconds since 1970.

    Attributes:
        state: What the journal says of it; None: nothing, so all of it is to be computed.
        in_journal: Quarters that are in the journal.
        told: Those of them whose readings the reader of the journal has heard of.
        fresh: Quarters with readings that no roll-up has seen.
        hours_due: Quarters whose hours and days are still to follow.
        failed: Quarters that could not be computed, set aside for a while.
        writing: Quarters of writes under way, and how many.
    """

    state: RollupState | None = None
    in_journal: set[int] = field(default_factory=set)
    told: set[int] = field(default_factory=set)
    fresh: set[int] = field(default_factory=set)
    hours_due: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)
    writing: Counter[int] = field(default_factory=Counter)

    @property
    def has_history(self) -> bool:
        """Whether a history is to be computed."""
        return self.state is None or self.state.backfill_until is not None

    @property
    def waiting(self) -> set[int]:
        """Every quarter that is not fully rolled up."""
        return self.fresh | self.hours_due | self.failed

    def list_unsettled(self, start: int, stop: int) -> list[tuple[int, int]]:
        """The time in [start, stop) (UTC milliseconds) whose roll-ups may still change, in order, without overlap.

        Up to a quarter hour beside a dirty one counts too: readings of meters reach over its boundaries.
        """
        if self.state is None:
            return [(start, stop)]
        # What is being rolled up right now is in none of the sets but `in_journal`.
        dirty = sorted(self.in_journal | self.waiting | self.writing.keys())
        stretches = [(quarter - QUARTER_MS, quarter + 2 * QUARTER_MS) for quarter in dirty]
        if self.state.backfill_until is not None:
            stretches.insert(0, (start, self.state.backfill_until))
        found: list[tuple[int, int]] = []
        for first, last in sorted((max(first, start), min(last, stop)) for first, last in stretches):
            if found and first <= found[-1][1]:
                found[-1] = (found[-1][0], max(found[-1][1], last))
            elif first < last:
                found.append((first, last))
        return found

    def list_settled(self, now_ms: int) -> set[int]:
        """Quarters that the journal may forget. None while hours wait: what they are of may lie in other quarters."""
        if self.hours_due:
            return set()
        busy = self.fresh | self.failed | self.writing.keys()
        return {quarter for quarter in self.in_journal - busy if quarter + _SETTLED_MS <= now_ms}


class MarkingStore:
    """A store that makes the quarter of every reading dirty that is written through it.

    Args:
        store: Where the readings go.
        journal: Where dirty quarters are kept.
        is_import: Whether nobody is to hear of the readings, so that no output goes back to their time.
    """

    def __init__(self, store: Writable, journal: Journal, *, is_import: bool = False) -> None:
        self._store = store
        self._journal = journal
        self._is_import = is_import
        self._loaded = False
        self._loading = asyncio.Lock()
        self._in_order = asyncio.Lock()
        self.reader: JournalReader | None = None
        self.gateways: dict[str, GatewayMarks] = {}

    async def write(self, rows: Sequence[GatewayReading]) -> dict[int, Rejection]:
        """As `Store.write`. A journal that cannot be written is as bad as a store that cannot: come again later."""
        numbers = {(row.gateway, row.reading.timestamp // QUARTER_MS) for row in rows}
        touched = [(gateway, number * QUARTER_MS) for gateway, number in numbers]
        for gateway, quarter in touched:
            self.get_marks(gateway).writing[quarter] += 1
        try:
            async with self._in_order:  # a write that waits for the journal is not overtaken by one that need not
                await self._keep(touched, told=self._is_import)
            return await self._store.write(rows)
        except JournalError as error:
            raise StoreUnavailableError(str(error)) from error
        finally:  # also after a failure: some of it may be stored
            for gateway, quarter in touched:
                marks = self.get_marks(gateway)
                marks.writing[quarter] -= 1
                if not marks.writing[quarter]:
                    del marks.writing[quarter]
                marks.fresh.add(quarter)

    @property
    def is_loaded(self) -> bool:
        """Whether all that is in the journal is known here."""
        return self._loaded

    async def find_journal_problem(self) -> str | None:
        """Why the journal would refuse a write now, as a sentence; None if it would not."""
        try:
            await self.load()
        except JournalError as error:
            return str(error)
        return None

    def get_marks(self, gateway: str) -> GatewayMarks:
        """What is to be done for one gateway."""
        return self.gateways.setdefault(gateway, GatewayMarks())

    def list_unsettled(self, gateway: str, start: int, stop: int) -> list[tuple[int, int]]:
        """As `GatewayMarks.list_unsettled`, also for unknown gateways."""
        return self.gateways.get(gateway, GatewayMarks()).list_unsettled(start, stop)

    async def load(self) -> None:
        """Read the journal, unless that was done and nothing failed since. Raises JournalError."""
        async with self._loading:
            if self._loaded:
                return
            contents = await self._journal.load()
            for marks in self.gateways.values():
                marks.in_journal.clear()
                marks.told.clear()
                marks.state = None
            for gateway, state in contents.gateways.items():
                self.get_marks(gateway).state = state
            for gateway, quarter in contents.dirty:
                marks = self.get_marks(gateway)
                marks.in_journal.add(quarter)
                marks.fresh.add(quarter)
            for gateway, quarter in contents.told:
                self.get_marks(gateway).told.add(quarter)
            if self.reader is not None:
                self.reader.mark_unsettled(contents.dirty.difference(contents.told))
            lost = {
                (gateway, quarter)
                for gateway, marks in self.gateways.items()
                for quarter in (marks.waiting | marks.writing.keys()) - marks.in_journal
            }
            await self._journal.add(lost, told=self._is_import)
            for gateway, quarter in lost:
                self.get_marks(gateway).in_journal.add(quarter)
            self._loaded = True

    async def put(self, gateway: str, state: RollupState) -> None:
        """Note how far a gateway is. Raises JournalError."""
        await self._guard(self._journal.put(gateway, state))
        self.get_marks(gateway).state = state

    async def fail(self, gateway: str, quarters: Collection[int]) -> None:
        """Set quarters aside that could not be computed, and remember them. Raises JournalError."""
        marks = self.get_marks(gateway)
        marks.fresh.difference_update(quarters)
        marks.hours_due.difference_update(quarters)
        marks.failed.update(quarters)
        await self._keep({(gateway, quarter) for quarter in quarters}, told=True)

    async def take_as_history(self, gateway: str, now_ms: int) -> None:
        """Let one history stand for all quarters of a gateway that wait, where they are too many. Raises JournalError.

        What is being written meanwhile is dirty again afterwards, as always.
        """
        marks = self.get_marks(gateway)
        if marks.state is None:
            return  # all of it is to be computed anyway
        until = -(-max(now_ms, max(marks.waiting, default=0) + QUARTER_MS) // HOUR_MS) * HOUR_MS
        await self.put(gateway, marks.state._replace(backfill_until=until))
        marks.fresh = {quarter for quarter in marks.fresh if quarter >= until}
        marks.hours_due = {quarter for quarter in marks.hours_due if quarter >= until}
        dropped = marks.in_journal - marks.waiting - marks.writing.keys()
        dropped -= {quarter for _, quarter in await self._find_unkept([(gateway, quarter) for quarter in dropped])}
        dropped -= marks.waiting | marks.writing.keys()  # as they are after that wait
        marks.in_journal -= dropped
        marks.told -= dropped
        await self._guard(self._journal.remove([(gateway, quarter) for quarter in dropped]))

    async def settle(self, now_ms: int) -> None:
        """Let the journal forget what is rolled up and gets no more live readings. Raises JournalError."""
        unkept = set(await self._find_unkept(self._list_settled(now_ms)))
        settled = [quarter for quarter in self._list_settled(now_ms) if quarter not in unkept]
        for gateway, quarter in settled:
            # Now: a write that comes while we wait must note it again.
            self.gateways[gateway].in_journal.discard(quarter)
            self.gateways[gateway].told.discard(quarter)
        if settled:
            await self._guard(self._journal.remove(settled))

    async def note_told(self) -> None:
        """Note at an orderly end that the reader has kept all that it heard of. Raises JournalError."""
        if self._loaded:  # else nobody was told what the journal holds
            heard = [(name, quarter) for name, marks in self.gateways.items() for quarter in marks.in_journal]
            await self._guard(self._journal.tell(heard))

    def _list_settled(self, now_ms: int) -> list[DirtyQuarter]:
        return [
            (gateway, quarter) for gateway, marks in self.gateways.items() for quarter in marks.list_settled(now_ms)
        ]

    async def _find_unkept(self, forgotten: Collection[DirtyQuarter]) -> Collection[DirtyQuarter]:
        return () if self.reader is None or not forgotten else await self.reader.find_unkept(forgotten)

    async def _keep(self, dirty: Collection[DirtyQuarter], *, told: bool) -> None:
        """Have these in the journal, in a new one if it has to be: no reading waits for a file that is disposable."""
        try:
            await self._note(dirty, told=told)
        except JournalBegunAgainError:
            await self._note(dirty, told=told)

    async def _note(self, dirty: Collection[DirtyQuarter], *, told: bool) -> None:
        if not self._loaded:
            await self.load()
        new = []
        for gateway, quarter in dirty:
            marks = self.gateways[gateway]
            if quarter not in marks.in_journal or (quarter in marks.told and not told):
                new.append((gateway, quarter))
        if new:
            await self._guard(self._journal.add(new, told=told))
            for gateway, quarter in new:
                marks = self.gateways[gateway]
                marks.in_journal.add(quarter)
                (marks.told.add if told else marks.told.discard)(quarter)

    async def _guard(self, change: Awaitable[None]) -> None:
        """Make a change. After a failure the content of the file is unknown: it is read again before it is used."""
        try:
            await change
        except JournalError:
            self._loaded = False
            raise


def list_stretches(quarters: Iterable[int], *, unit_ms: int, most_ms: int) -> list[tuple[int, int]]:
    """The time that these quarters cover, in pieces, the newest first.

    Args:
        quarters: Their starts, milliseconds since 1970, in any order.
        unit_ms: Pieces begin and end at multiples of it (`QUARTER_MS` or `HOUR_MS`).
        most_ms: No piece is longer, and none crosses a multiple of it, so that pieces are the same however they came.

    Returns:
        Start and stop of each piece.
    """
    pieces: list[tuple[int, int]] = []
    for start in sorted({quarter // unit_ms * unit_ms for quarter in quarters}, reverse=True):
        stop = start + unit_ms
        if pieces and pieces[-1][0] == stop and stop % most_ms:
            pieces[-1] = (start, pieces[-1][1])
        else:
            pieces.append((start, stop))
    return pieces
