"""From samples to committed rows: delta detection, then the outbox, then the delta state and the memory.

Guarantees:

- Delta state and memory advance only after the commit of the rows they belong to, so a row that could not be committed
  is proposed again by the next sample, as far as it is still known then.
- One commit at a time. What depends on the state (whether a gap opens or closes, and where) is decided when its turn
  has come.
- A commit that was begun comes to its end, also if the task that asked for it is cancelled: no row is committed that
  the memory does not know.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeVar

import msgspec
import structlog

from scraper.collect import gaps
from scraper.collect.memory import NO_CHANGE, DurableMemory, MemoryChange
from scraper.delta import gateway_clock
from scraper.delta.host_clock import HostStep, StepRecord, add_step, mark_step
from scraper.delta.stamps import StampState
from scraper.delta.tracker import Delta, Tracker
from scraper.errors import OutboxUnavailableError
from scraper.outbox.thread import OutboxThread
from shared.clock import Clock
from shared.readings import Reading

log = structlog.get_logger()

ResultT = TypeVar("ResultT")


class HeardSpan(NamedTuple):
    """When samples came that show the gateway's finest data to arrive.

    Attributes:
        first_ms: The first of them.
        last_ms: The last of them.
        silence_ms: A pause before the first that is longer than this is a gap.
    """

    first_ms: int
    last_ms: int
    silence_ms: int


class Recorder:
    """The one way into the outbox. A disk that cannot be written is counted and logged here, and raises nothing.

    Args:
        tracker: Holds the delta state of every series.
        outbox: Counts the rows that could not be committed.
        memory: Commits rows, together with values that change with them. Loaded.
        clock: Time.

    Attributes:
        rows_committed: Since start.
        last_sample_ms: When the finest data that this gateway gives last came: its meters, else its inverters.
    """

    def __init__(self, tracker: Tracker, outbox: OutboxThread, memory: DurableMemory, clock: Clock) -> None:
        self._tracker = tracker
        self._outbox = outbox
        self._memory = memory
        self._clock = clock
        self._lock = asyncio.Lock()
        self._failing_since_ms: int | None = None
        self.rows_committed = 0
        self.last_sample_ms = memory.last_sample_ms or clock.now_ms()
        self._has_heard = bool(memory.last_sample_ms)

    @property
    def gap_is_open(self) -> bool:
        """Whether samples are missing now."""
        return self._memory.state.gap_start_ms is not None

    async def record(
        self, samples: Sequence[Reading], change: MemoryChange = NO_CHANGE, *, heard: HeardSpan | None = None
    ) -> bool:
        """Commit what is new in `samples`, in one transaction, together with a change of the memory.

        Args:
            samples: From the gateway, or an event.
            change: Not written if nothing is new.
            heard: When they came, if they end the open gap, or a pause that nobody noticed.

        Returns:
            False if it could not be committed.
        """
        return await self._take_turn(functools.partial(self._record, samples, change, heard))

    async def shift_reports(self, step: Reading, by_ms: int, change: MemoryChange) -> None:
        """Commit a step of the gateway's clock together with the correction in `change`.

        Known report dates move with it (`by_ms`: old minus new correction), so that identities stay stable.
        """
        await self._take_turn(functools.partial(self._shift_reports, step, by_ms, change))

    async def record_step(self, step: HostStep, stamps: StampState) -> bool:
        """Commit a step of the host's clock, and all that moves with it; False if that failed."""
        return await self._take_turn(functools.partial(self._record_step, step, stamps))

    async def keep(self, change: MemoryChange) -> bool:
        """Commit a change of the memory by itself; False if that failed."""
        return await self._take_turn(functools.partial(self._keep, change))

    async def hold(self) -> None:
        """Store the held-back samples; the next sample of every series is a full snapshot."""
        await self._take_turn(functools.partial(self._hold, gaps.NO_GAP_CHANGE))

    async def open_gap(self, reason: str, *, silent_ms: int = 0) -> None:
        """Samples stopped: store what was held back and open the gap, unless one is open.

        `silent_ms`: do nothing if a sample came within this time (milliseconds).
        """
        await self._take_turn(functools.partial(self._open_gap, reason, silent_ms))

    async def _take_turn(self, work: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """Do `work` while nobody else commits; a caller that is cancelled waits until it is done."""

        async def do_alone() -> ResultT:
            async with self._lock:
                return await work()

        task = asyncio.create_task(do_alone())
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task})
            raise

    async def _record(self, samples: Sequence[Reading], change: MemoryChange, heard: HeardSpan | None) -> bool:
        if heard is not None and self.gap_is_open:
            events, closed = gaps.close_gap(self._memory.state, heard.first_ms)
            samples = (*samples, *events)
            change = msgspec.structs.replace(change, gap_start_ms=closed.gap_start_ms)
        elif heard is not None and self._has_heard and heard.first_ms - self.last_sample_ms > heard.silence_ms:
            samples = (*samples, gaps.mark_pause(self.last_sample_ms, heard.first_ms))
        committed = await self._commit(self._tracker.propose(samples), change)
        if committed and heard is not None:
            self.last_sample_ms = heard.last_ms
            self._has_heard = True
        return committed

    async def _shift_reports(self, step: Reading, by_ms: int, change: MemoryChange) -> None:
        if await self._commit(self._tracker.propose([step]), change):
            self._tracker.shift_reports(by_ms)

    async def _record_step(self, step: HostStep, stamps: StampState) -> bool:
        state = self._memory.state
        (ended, _), (begun, opened) = gaps.split_gap(state, step)
        restored, cut_off, outage = gaps.split_outage(state, step)
        try:
            following = await self._outbox.read_next_seq()
        except OutboxUnavailableError as error:
            await self._note_failure([], error)
            return False
        correction_ms = state.clock_correction_ms
        if step.known and correction_ms:  # the gateway's clock did not step: it is as far from ours as ours moved
            correction_ms, _ = gateway_clock.measure(correction_ms, step.old_ms + correction_ms, step.new_ms)
        held = self._tracker.flush()  # stamped before the step, like everything that is committed before it
        before = (*held.rows, *ended, *restored)
        change = MemoryChange(
            epoch=stamps.epoch,
            newest_stamp_ms=stamps.newest_ms,
            clock_correction_ms=correction_ms,
            gap_start_ms=opened.gap_start_ms,
            outage_start_ms=outage.outage_start_ms,
            steps=add_step(state.steps, StepRecord(following + len(before), step.by_ms if step.known else None)),
        )
        if not await self._commit(held._replace(rows=(*before, mark_step(step), *begun, *cut_off)), change):
            return False
        self._tracker.reset()
        self._tracker.shift_reports(state.clock_correction_ms - correction_ms)
        self.last_sample_ms = min(self.last_sample_ms + step.by_ms, step.new_ms)
        return True

    async def _keep(self, change: MemoryChange) -> bool:
        try:
            await self._memory.commit([], change)
        except OutboxUnavailableError as error:
            await self._note_failure([], error)
            return False
        return True

    async def _hold(self, gap: gaps.GapChange) -> None:
        events, change = gap
        held = self._tracker.flush()
        await self._commit(held._replace(rows=(*held.rows, *events)), change)
        self._tracker.reset()

    async def _open_gap(self, reason: str, silent_ms: int) -> None:
        now_ms = self._clock.now_ms()
        if silent_ms and now_ms - self.last_sample_ms <= silent_ms:
            return
        await self._hold(gaps.open_gap(self._memory.state, self.last_sample_ms, now_ms, reason))

    async def _commit(self, proposal: Delta, change: MemoryChange) -> bool:
        if proposal.rows:
            try:
                await self._memory.commit(proposal.rows, change)
            except OutboxUnavailableError as error:
                await self._note_failure(proposal.rows, error)
                return False
            self.rows_committed += len(proposal.rows)
            if self._failing_since_ms is not None:
                log.info("outbox takes readings again")
                self._failing_since_ms = None
        self._tracker.accept(proposal)
        return True

    async def _note_failure(self, rows: Sequence[Reading], error: OutboxUnavailableError) -> None:
        if self._failing_since_ms is None:
            self._failing_since_ms = self._clock.now_ms()
            log.error("readings cannot be stored; polling goes on and the loss is counted", reason=str(error))
        await self._outbox.note_uncommitted(rows)
