"""From samples to committed rows: delta detection, then the outbox, then the delta state and the memory.

Guarantee: delta state and memory advance only after the commit of the rows they belong to, so a row that could not be
committed is proposed again by the next sample, as far as it is still known then.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import structlog

from scraper.collect.memory import NO_CHANGE, DurableMemory, MemoryChange
from scraper.delta.tracker import Delta, Tracker
from scraper.errors import OutboxUnavailableError
from scraper.outbox.thread import OutboxThread
from shared.clock import Clock
from shared.readings import Reading

log = structlog.get_logger()


class Recorder:
    """The one way into the outbox. A disk that cannot be written is counted and logged here, and raises nothing.

    Args:
        tracker: Holds the delta state of every series.
        outbox: Counts the rows that could not be committed.
        memory: Commits rows, together with values that change with them.
        clock: Time.

    Attributes:
        rows_committed: Since start.
    """

    def __init__(self, tracker: Tracker, outbox: OutboxThread, memory: DurableMemory, clock: Clock) -> None:
        self._tracker = tracker
        self._outbox = outbox
        self._memory = memory
        self._clock = clock
        self._lock = asyncio.Lock()
        self._failing_since_ms: int | None = None
        self.rows_committed = 0

    async def record(self, samples: Sequence[Reading], change: MemoryChange = NO_CHANGE) -> bool:
        """Commit what is new in `samples`, in one transaction, together with a change of the memory.

        Returns:
            False if it could not be committed. The change is not written if nothing is new.
        """
        async with self._lock:
            return await self._commit(self._tracker.propose(samples), change)

    async def shift_reports(self, step: Reading, by_ms: int, change: MemoryChange) -> None:
        """Commit a step of the gateway's clock together with the correction in `change`.

        Known report dates move with it (`by_ms`: old minus new correction), so that identities stay stable.
        """
        async with self._lock:
            if await self._commit(self._tracker.propose([step]), change):
                self._tracker.shift_reports(by_ms)

    async def keep(self, change: MemoryChange) -> bool:
        """Commit a change of the memory by itself; False if that failed."""
        async with self._lock:
            try:
                await self._memory.commit([], change)
            except OutboxUnavailableError as error:
                await self._failed([], error)
                return False
            return True

    async def hold(self, *events: Reading, change: MemoryChange = NO_CHANGE) -> None:
        """Store the held-back samples and `events`; the next sample of every series is a full snapshot."""
        async with self._lock:
            held = self._tracker.flush()
            await self._commit(held._replace(rows=(*held.rows, *events)), change)
            self._tracker.reset()

    @contextlib.asynccontextmanager
    async def between_commits(self) -> AsyncIterator[None]:
        """No commit is under way in this context: a task that is cancelled here leaves no row that the memory lacks."""
        async with self._lock:
            yield

    async def _commit(self, proposal: Delta, change: MemoryChange) -> bool:
        if proposal.rows:
            try:
                await self._memory.commit(proposal.rows, change)
            except OutboxUnavailableError as error:
                await self._failed(proposal.rows, error)
                return False
            self.rows_committed += len(proposal.rows)
            if self._failing_since_ms is not None:
                log.info("outbox takes readings again")
                self._failing_since_ms = None
        self._tracker.accept(proposal)
        return True

    async def _failed(self, rows: Sequence[Reading], error: OutboxUnavailableError) -> None:
        if self._failing_since_ms is None:
            self._failing_since_ms = self._clock.now_ms()
            log.error("readings cannot be stored; polling goes on and the loss is counted", reason=str(error))
        await self._outbox.note_uncommitted(rows)
