"""From samples to committed rows: delta detection, then the outbox, then the delta state and the memory.

Guarantee: delta state and memory advance only after the commit of the rows they belong to, so a row that could not be
committed is proposed again by the next sample, as far as it is still known then.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog

from scraper.collect.memory import DurableMemory
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
        outbox: Where rows are committed.
        memory: Values that change together with rows.
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

    async def record(self, samples: Sequence[Reading], **kept: Any) -> bool:
        """Commit what is new in `samples`, in one transaction, together with changed values of the memory.

        Returns:
            False if it could not be committed. Values in `kept` are not written if nothing is new.
        """
        async with self._lock:
            return await self._commit(self._tracker.propose(samples), kept)

    async def shift_reports(self, step: Reading, by_ms: int, **kept: Any) -> None:
        """Commit a step of the gateway's clock together with the correction in `kept`.

        Known report dates move with it (`by_ms`: old minus new correction), so that identities stay stable.
        """
        async with self._lock:
            if await self._commit(self._tracker.propose([step]), kept):
                self._tracker.shift_reports(by_ms)

    async def keep(self, **kept: Any) -> bool:
        """Commit changed values of the memory by themselves; False if that failed."""
        async with self._lock:
            try:
                await self._outbox.append([], keep=self._memory.entries(**kept))
            except OutboxUnavailableError as error:
                await self._failed(0, error)
                return False
            self._memory.accept(**kept)
            return True

    async def hold(self, *events: Reading, **kept: Any) -> None:
        """Store the held-back samples and `events`; the next sample of every series is a full snapshot."""
        async with self._lock:
            held = self._tracker.flush()
            await self._commit(held._replace(rows=(*held.rows, *events)), kept)
            self._tracker.reset()

    async def _commit(self, proposal: Delta, kept: dict[str, Any]) -> bool:
        if proposal.rows:
            try:
                await self._outbox.append(proposal.rows, keep=self._memory.entries(**kept))
            except OutboxUnavailableError as error:
                await self._failed(len(proposal.rows), error)
                return False
            self._memory.accept(**kept)
            self.rows_committed += len(proposal.rows)
            if self._failing_since_ms is not None:
                log.info("outbox takes readings again")
                self._failing_since_ms = None
        self._tracker.accept(proposal)
        return True

    async def _failed(self, rows: int, error: OutboxUnavailableError) -> None:
        if self._failing_since_ms is None:
            self._failing_since_ms = self._clock.now_ms()
            log.error("readings cannot be stored; polling goes on and the loss is counted", reason=str(error))
        await self._outbox.note_uncommitted(rows, self._failing_since_ms)
