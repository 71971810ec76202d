"""From samples to committed rows: delta detection, then the outbox, then the delta state.

Guarantee: delta state advances only after the commit of its rows, so a row that could not be committed is proposed
again by the next sample.
"""

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from scraper.delta.tracker import Proposal, Tracker
from scraper.errors import OutboxUnavailableError
from scraper.outbox_thread import OutboxThread
from shared.clock import Clock
from shared.readings import Reading

log = structlog.get_logger()


class Recorder:
    """The one way into the outbox.

    Args:
        tracker: Holds the delta state of every series.
        outbox: Where rows are committed.
        clock: Time.
    """

    def __init__(self, tracker: Tracker, outbox: OutboxThread, clock: Clock) -> None:
        self._tracker = tracker
        self._outbox = outbox
        self._clock = clock
        self._lock = asyncio.Lock()
        self._failing_since_ms: int | None = None

    async def record(self, samples: Sequence[Reading]) -> int:
        """Commit what is new in `samples`, in one transaction; returns how many rows that were."""
        async with self._lock:
            return await self._commit(self._tracker.propose(samples))

    async def shift_reports(self, step: Reading, by_ms: int, keep: Mapping[str, str]) -> bool:
        """Commit a step of the gateway's clock together with the correction in `keep`; False if that failed.

        Known report dates move with it (`by_ms`: old minus new correction), so that identities stay stable.
        """
        async with self._lock:
            try:
                await self._outbox.append([step], keep=keep)
            except OutboxUnavailableError as error:
                await self._failed(1, error)
                return False
            self._tracker.shift_reports(by_ms)
            return True

    async def hold(self, *events: Reading) -> None:
        """Store the held-back samples and `events`; the next sample of every series is a full snapshot."""
        async with self._lock:
            await self._commit(self._tracker.flush())
            self._tracker.reset()
            await self._commit(self._tracker.propose(events))

    async def _commit(self, proposal: Proposal) -> int:
        if not proposal.rows:
            self._tracker.accept(proposal)
            return 0
        try:
            await self._outbox.append(proposal.rows)
        except OutboxUnavailableError as error:
            await self._failed(len(proposal.rows), error)
            return 0
        self._tracker.accept(proposal)
        if self._failing_since_ms is not None:
            log.info("outbox takes readings again")
            self._failing_since_ms = None
        return len(proposal.rows)

    async def _failed(self, rows: int, error: OutboxUnavailableError) -> None:
        if self._failing_since_ms is None:
            self._failing_since_ms = self._clock.now_ms()
            log.error("readings cannot be stored; polling goes on and the loss is counted", reason=str(error))
        await self._outbox.note_uncommitted(rows, self._failing_since_ms)
