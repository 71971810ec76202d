"""Gaps as readings: an `event` of type `gap` opens when samples stop and gets its `end` when they come back.

The open gap is kept beside the outbox, in the transactions of its readings: one that an orderly stop opened is closed
by the next start, and a start after a kill opens one at the last committed sample.
"""

from scraper.collect.memory import DurableMemory, MemoryChange
from scraper.collect.recorder import Recorder
from scraper.events import make_event
from shared.readings import Reading


class Gaps:
    """At most one gap is open at a time.

    Args:
        recorder: Where events go.
        memory: Where the open gap is kept.
    """

    def __init__(self, recorder: Recorder, memory: DurableMemory) -> None:
        self._recorder = recorder
        self._memory = memory

    @property
    def is_open(self) -> bool:
        """Whether samples are missing now."""
        return self._memory.state.gap_start_ms is not None

    async def open(self, start_ms: int, reason: str) -> None:
        """Samples stopped at `start_ms`: store what was held back and open the gap (unless one is open)."""
        if self.is_open:
            await self._recorder.hold()
        else:
            await self._recorder.hold(make_event("gap", start_ms, reason), change=MemoryChange(gap_start_ms=start_ms))

    def closing(self, end_ms: int) -> list[Reading]:
        """The end of the open gap; record it with the sample at `end_ms` and with `gap_start_ms=None` in the memory."""
        start_ms = self._memory.state.gap_start_ms
        return [] if start_ms is None else [make_event("gap", start_ms, end_ms=end_ms)]
