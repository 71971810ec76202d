"""Which quarter hours of which gateway are not rolled up yet.

Every reading that is written makes its quarter hour (of UTC) dirty. The journal has the quarter before the store has
the reading, so no reading is forgotten, however the process ends. A quarter stays in the journal while readings
of it still arrive, so live data costs one small durable write each quarter hour, and nothing else but a look at a set.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Protocol

from receiver.ingest.journal import DirtyQuarter, Journal, JournalBegunAgainError, JournalError, RollupState
from receiver.ingest.marks import GatewayMarks
from receiver.sites import cloud_system
from receiver.stores.base import GatewayReading, StoreUnavailableError, Writable
from shared.problems import Rejection
from shared.units import HOUR_MS, QUARTER_MS


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


class MarkingStore:
    """A store that makes the quarter of every reading dirty that is written through it.

    Args:
        store: Where the readings go.
        journal: Where dirty quarters are kept.
        is_import: Whether nobody is to hear of the readings, so that no output goes back to their time.
        find_linked: The gateway whose roll-ups depend on the intervals of a system, too; None for none.
    """

    def __init__(
        self,
        store: Writable,
        journal: Journal,
        *,
        is_import: bool = False,
        find_linked: Callable[[str], str | None] | None = None,
    ) -> None:
        self._store = store
        self._journal = journal
        self._is_import = is_import
        self._find_linked = find_linked
        self._loaded = False
        self._loading = asyncio.Lock()
        self._in_order = asyncio.Lock()
        self.reader: JournalReader | None = None
        self.gateways: dict[str, GatewayMarks] = {}

    async def write(self, rows: Sequence[GatewayReading]) -> dict[int, Rejection]:
        """As `Store.write`. A journal that cannot be written is as bad as a store that cannot: come again later."""
        own = {(row.gateway, row.reading.timestamp // QUARTER_MS * QUARTER_MS) for row in rows}
        linked = self._list_linked(rows)
        touched = own | linked
        for gateway, quarter in touched:
            self.get_marks(gateway).writing[quarter] += 1
        try:
            async with self._in_order:  # a write that waits for the journal is not overtaken by one that need not
                await self._keep(own, told=self._is_import)
                await self._keep(linked, told=True)
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

    def _list_linked(self, rows: Sequence[GatewayReading]) -> set[DirtyQuarter]:
        """The quarters of linked gateways that depend on these intervals, each of which is of the time before it."""
        if self._find_linked is None:
            return set()
        ends = [(row.gateway, row.reading.timestamp) for row in rows if row.reading.kind == cloud_system.KIND]
        gateways = {system: self._find_linked(system) for system, _ in ends}
        return {
            (gateway, (end - 1) // QUARTER_MS * QUARTER_MS)
            for system, end in ends
            if (gateway := gateways[system]) is not None
        }

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
