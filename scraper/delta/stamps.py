"""Stamps for what carries none of its own: meter samples, and polls of them.

- Stamps of one clock strictly increase. Events that arrive in one burst are spaced back by the stream's period.
- A step of the host's clock (wall time against monotonic time) is noticed once; what was stamped keeps its stamp
  (`scraper.delta.host_clock` has the exception). After a step back the clock runs a second time over hours that hold
  data already: the last digit of every stamp counts these steps, so that no new stamp can hit an old one and nothing is
  overwritten.
"""

from collections.abc import Mapping
from typing import NamedTuple

from scraper.delta.host_clock import RESOLUTION_MS, HostStep
from shared.readings import Series
from shared.units import SECOND_MS

STEP_MS = 2 * SECOND_MS
"""A jump of wall time against monotonic time that is a step, not the slewing of NTP (at most 30 ms in a minute)."""
PERIOD_MS = SECOND_MS
"""Time between two events of the gateway's meter stream."""
EPOCHS = RESOLUTION_MS
"""Stamps have a resolution of this many milliseconds; what remains of the division is the epoch."""


class StampState(NamedTuple):
    """What must outlive the process: the epoch (steps back so far, modulo `EPOCHS`) and the newest stamp given."""

    epoch: int = 0
    newest_ms: int = 0


class StampClock:
    """Gives strictly increasing stamps for one set of series (all meters of one gateway)."""

    def __init__(self, state: StampState = StampState()) -> None:  # noqa: B008 (immutable)
        self._epoch = state.epoch % EPOCHS
        self._newest_ms = state.newest_ms
        self._newest_beside_ms = state.newest_ms
        self._wall_minus_monotonic_ms: float | None = None

    @property
    def state(self) -> StampState:
        """To be persisted about once a minute, and given to the next `StampClock`."""
        return StampState(self._epoch, max(self._newest_ms, self._newest_beside_ms))

    def observe(self, wall_ms: int, monotonic_s: float) -> HostStep | None:
        """Compare the host's two clocks; call before `make_stamps`, at least once a minute.

        Args:
            wall_ms: UTC, milliseconds since 1970.
            monotonic_s: Seconds of the monotonic clock, read at the same moment.

        Returns:
            The step to record if the wall clock stepped since the last call (or since the last process, backwards),
            else None.
        """
        difference = wall_ms - monotonic_s * 1000
        before, self._wall_minus_monotonic_ms = self._wall_minus_monotonic_ms, difference
        # Across a restart only a step back is visible: a jump forward is the time without a process.
        step_ms = min(0, wall_ms - self.state.newest_ms) if before is None else round(difference - before)
        if abs(step_ms) < STEP_MS:
            return None
        if step_ms < 0:
            self._epoch = (self._epoch + 1) % EPOCHS
            self._newest_ms = self._newest_beside_ms = 0
        return HostStep(wall_ms - step_ms, wall_ms, known=before is not None)

    def make_stamps(self, arrival_ms: int, count: int = 1) -> list[int]:
        """Stamps for `count` samples that arrived together at `arrival_ms`, oldest first."""
        spaced = space_back(arrival_ms // EPOCHS, count, PERIOD_MS // EPOCHS, not_before=self._newest_ms // EPOCHS + 1)
        stamps = [slot * EPOCHS + self._epoch for slot in spaced]
        if stamps:
            self._newest_ms = stamps[-1]
        return stamps

    def make_beside(self, arrival_ms: int) -> list[int]:
        """The stamp of a sample of series that no burst carries: later bursts may still reach back before it."""
        slot = max(arrival_ms // EPOCHS, self._newest_beside_ms // EPOCHS + 1)
        self._newest_beside_ms = slot * EPOCHS + self._epoch
        return [self._newest_beside_ms]


def space_back(arrival_ms: int, count: int, period_ms: int = PERIOD_MS, *, not_before: int = 0) -> list[int]:
    """Strictly increasing stamps for a burst: the last one at its arrival, the others a period apart before it.

    Where the room since `not_before` (the earliest stamp allowed) is too short they are spread evenly over it; where
    there is none at all they follow each other as closely as they can, the last ones later than the arrival.
    """
    if count <= 0:
        return []
    if count == 1:
        return [max(arrival_ms, not_before)]
    room = max(arrival_ms - not_before, count - 1)
    step = min(period_ms, room / (count - 1))
    last = max(arrival_ms, not_before + count - 1)
    return [last - int((count - 1 - index) * step) for index in range(count)]


def has_moved(state: Mapping[Series, int], series: Series, timestamp_s: int) -> bool:
    """Whether a poll is a new reading: its own timestamp (seconds) moved since the one in `state`, in any direction.

    0 means that the meter has no reading. Keep the timestamp in `state` once the reading is committed.
    """
    return timestamp_s > 0 and state.get(series) != timestamp_s
