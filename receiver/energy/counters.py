"""Energy from lifetime counters (Wh) over windows.

What a counter can say and what it cannot:

- Only increases are energy, and only such as are possible (`receiver.energy.plausible`). A decrease or a jump is a
  reset: it is marked, gives no energy, and its time is not covered. The one exception is the 32-bit wrap (2^32 J) of
  inverters and of their total, which is undone where that is plausible.
- Between two readings at most `max_gap_ms` apart the increase is shared evenly over the time between them.
- Over a longer gap the counter still knows HOW MUCH, but not WHEN. If the gap lies in one window, its energy belongs
  to that window beyond doubt and is counted there. If it spans a boundary, the shares are unknown: the energy stands
  as `unallocated_wh` in the window in which the gap ends, and in no window's `wh`. So the `wh` and `unallocated_wh` of
  all windows together are always the counter's increase. A gap that sticks out of the whole range is left out.
- A recorded gap, during which nobody asked the gateway, is as a longer one, however short it is. A counter that is not
  asked together with what the gap is recorded of may have been read inside: then the step that has most of the gap is.
- A long gap is covered only if the counter did not move: then certainly nothing flowed (every night of an inverter).
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from receiver.energy.gaps import Gaps, GapWalk
from receiver.energy.interpolation import Point
from receiver.energy.plausible import Possible, compute_increase_wh
from receiver.energy.windows import check_boundaries
from shared.fields import BREATH_MS, MAX_GAP_MS


class CounterEnergy(NamedTuple):
    """What a counter says of one window.

    Attributes:
        start: First millisecond of the window (UTC).
        stop: End of the window, not part of it (UTC milliseconds).
        wh: Energy that flowed in this window for certain, at least 0; None where the counter says nothing.
        unallocated_wh: Energy of gaps that end in this window and began before it: it flowed here or earlier.
        coverage: The share of the window, 0 to 1, in which it is known WHEN the energy flowed.
        resets: Steps ending in this window in which the counter fell or jumped; they gave no energy.
        gap_since: Where the gap began (UTC milliseconds) that began before this window and ends in it, whether or not
            the counter moved; None for none. There can be only one.
    """

    start: int
    stop: int
    wh: float | None
    unallocated_wh: float
    coverage: float
    resets: int
    gap_since: int | None = None


def compute_counter_energy(
    points: Iterable[Point],
    start: int,
    stop: int,
    max_gap_ms: int = MAX_GAP_MS,
    possible: Possible | None = None,
    *,
    wraps: bool = False,
) -> CounterEnergy:
    """The energy of a counter in [start, stop); see `compute_counter_windows`."""
    return compute_counter_windows(points, (start, stop), max_gap_ms, possible=possible, wraps=wraps)[0]


def compute_counter_windows(
    points: Iterable[Point],
    boundaries: Sequence[int],
    max_gap_ms: int = MAX_GAP_MS,
    gaps: Gaps = (),
    possible: Possible | None = None,
    *,
    asked_apart: bool = False,
    wraps: bool = False,
) -> list[CounterEnergy]:
    """The energy of a counter in each window between neighbouring boundaries.

    For full coverage `points` should reach one reading beyond both ends of the range.

    Args:
        points: UTC milliseconds and Wh, in strictly increasing order of time.
        boundaries: UTC milliseconds, at least two, strictly increasing.
        max_gap_ms: The longest step (milliseconds) that is shared evenly. Give inverters about twice their cadence.
        gaps: Recorded ones: a step over one that is longer than `BREATH_MS` is not shared evenly, however short it is.
        possible: The most energy between two readings, where more is known of it than that it is not absurd.
        asked_apart: Whether the counter is not read together with what the gaps are recorded of.
        wraps: Whether it may begin again at 0 after 2^32 J.

    Raises:
        ValueError: Timestamps or boundaries are not in order.
    """
    check_boundaries(boundaries)
    windows = [_CounterWindow(start, stop) for start, stop in pairwise(boundaries)]
    walk = GapWalk([gap for gap in gaps if gap[1] - gap[0] > BREATH_MS])
    is_cut = walk.is_mostly_between if asked_apart else walk.is_between
    first = 0  # the window in which the current step begins, or the first one
    for before, after in pairwise(points):
        if after[0] <= before[0]:
            raise ValueError("the timestamps of a counter must strictly increase")
        while first < len(windows) and windows[first].stop <= before[0]:
            first += 1
        if first == len(windows):
            break
        if after[0] > windows[0].start:
            is_long = after[0] - before[0] > max_gap_ms or is_cut(before[0], after[0])
            wh = compute_increase_wh(before, after, possible, wraps=wraps)
            _allocate(windows, first, before, after, wh, is_long=is_long)
    return [window.answer() for window in windows]


class _CounterWindow:
    """One window while it is filled."""

    def __init__(self, start: int, stop: int) -> None:
        self.start, self.stop = start, stop
        self.wh: float | None = None
        self.unallocated_wh = 0.0
        self.covered_ms = 0
        self.resets = 0
        self.gap_since: int | None = None

    def add(self, wh: float, covered_ms: int) -> None:
        self.wh = (self.wh or 0.0) + wh
        self.covered_ms += covered_ms

    def answer(self) -> CounterEnergy:
        coverage = self.covered_ms / (self.stop - self.start)
        return CounterEnergy(self.start, self.stop, self.wh, self.unallocated_wh, coverage, self.resets, self.gap_since)


def _allocate(
    windows: list[_CounterWindow], first: int, before: Point, after: Point, wh: float | None, *, is_long: bool
) -> None:
    """Give the energy between two readings to the windows it touches, the first of which is `windows[first]`."""
    start, stop = before[0], after[0]
    beyond = first + 1
    while beyond < len(windows) and windows[beyond].start < stop:
        beyond += 1
    touched = windows[first:beyond]
    sticks_out = start < windows[0].start or stop > windows[-1].stop
    if is_long and len(touched) > 1 and not sticks_out:
        touched[-1].gap_since = start
    if wh is None:
        touched[-1].resets += stop <= windows[-1].stop  # a reset beyond the range is not ours to report
    elif not is_long or wh == 0:
        for window in touched:
            inside = min(stop, window.stop) - max(start, window.start)
            window.add(wh * inside / (stop - start), inside)
    elif not sticks_out and len(touched) == 1:
        touched[0].add(wh, 0)
    elif not sticks_out:
        touched[-1].unallocated_wh += wh
