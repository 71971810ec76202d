"""Stamps by the host's clock. A step of that clock is on record before anything is stamped by the new time."""

from collections.abc import Sequence

from scraper.collect.memory import DurableMemory
from scraper.collect.recorder import Recorder
from scraper.delta.host_clock import HostStep, StepRecord
from scraper.delta.stamps import StampClock, StampState
from shared.clock import Clock


class HostTime:
    """Stamps samples, and follows the host's clock where it is set.

    Args:
        recorder: Where steps go.
        memory: What must outlive the process: the newest stamp, the steps.
        clock: The host's.
    """

    def __init__(self, recorder: Recorder, memory: DurableMemory, clock: Clock) -> None:
        self._recorder = recorder
        self._memory = memory
        self._clock = clock
        self._stamps = StampClock(memory.stamps)
        self._steps: list[HostStep] = []

    @property
    def state(self) -> StampState:
        """The epoch of the clock, and the newest stamp: what must outlive the process."""
        return self._stamps.state

    async def make_stamps(self, arrival_ms: int, count: int) -> list[int]:
        """Stamps for samples that arrived together. They cannot have come later than now, if the clock was set back."""
        await self.notice_step()
        return self._stamps.make_stamps(min(arrival_ms, self._clock.now_ms()), count)

    async def make_beside(self, arrival_ms: int) -> list[int]:
        """The stamp of one sample of series that the stream does not carry, as `StampClock.make_beside`."""
        await self.notice_step()
        return self._stamps.make_beside(min(arrival_ms, self._clock.now_ms()))

    async def notice_step(self) -> None:
        """Look whether the host's clock stepped; if so, record it before anything is stamped by the new time."""
        step = self._stamps.observe(self._clock.now_ms(), self._clock.monotonic())
        if step is not None:
            self._steps.append(step)
        while self._steps:
            first = self._steps.pop(0)
            if not await self._recorder.record_step(first, self._stamps.state):
                self._steps.insert(0, first)  # again with the next sample
                return

    async def list_known_steps(self) -> Sequence[StepRecord]:
        """The steps of the host's clock up to now."""
        await self.notice_step()
        return self._memory.state.steps
