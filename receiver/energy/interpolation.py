"""From stored points to segments: the stretches of time in which a series' value is known.

- A *linear* field (meter power) runs straight between two points that are at most `max_gap_ms` apart, unless a gap is
  recorded between them.
- A *step* field (inverter power) is a mean over the interval that ends at its timestamp: it is constant backwards
  over that interval, and a stretch of time is never counted twice.

A lone linear point makes no segment: it says nothing about any stretch of time.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from receiver.energy.gaps import Gaps, GapWalk
from shared.fields import MAX_GAP_MS
from shared.units import HOUR_MS, MINUTE_MS

Point: TypeAlias = tuple[int, float]
"""UTC timestamp in milliseconds, and a value in the unit of its field."""

StepPoint: TypeAlias = tuple[int, float, float | None]
"""UTC timestamp in milliseconds, a mean, and the seconds before the timestamp that it covers (None: not stated)."""

LEARN_MS = HOUR_MS
"""Reports up to this far before and after one say how often its series reports (milliseconds)."""
_LONGEST_CADENCE_MS = HOUR_MS  # gateways report each 5 to 15 minutes; longer pauses are nights and outages
_SHORTEST_CADENCE_MS = 4 * MINUTE_MS  # the first report of a day may come sooner
_UNKNOWN_CADENCE_MS = 5 * MINUTE_MS  # of the firmware that states no interval; with 15 minutes too little is known
_FEWEST_PAUSES = 3  # fewer say nothing about a habit
_JITTER = 1.5  # a report may come this many cadences after the one before it and still follow it directly


class Segment(NamedTuple):
    """A straight line: the value at `start` is `first`, at `stop` it is `last` (times in UTC milliseconds)."""

    start: int
    stop: int
    first: float
    last: float

    def interpolate(self, time: int) -> float:
        """The value at a time inside the segment."""
        if time == self.stop:
            return self.last
        return self.first + (self.last - self.first) * ((time - self.start) / (self.stop - self.start))

    def clip(self, start: int, stop: int) -> "Segment":
        """The part between two times; the caller makes sure that there is one."""
        if start <= self.start and self.stop <= stop:
            return self
        start, stop = max(start, self.start), min(stop, self.stop)
        return Segment(start, stop, self.interpolate(start), self.interpolate(stop))


Segments: TypeAlias = Sequence[Segment]
"""Segments in the order of time that never overlap; they may leave gaps between them and jump where they meet."""


def make_linear_segments(points: Iterable[Point], max_gap_ms: int = MAX_GAP_MS, gaps: Gaps = ()) -> list[Segment]:
    """The segments of a linear field.

    Args:
        points: In strictly increasing order of time.
        max_gap_ms: Between points further apart than this (milliseconds) nothing is known.
        gaps: Recorded ones: between points on both sides of one nothing is known either.

    Raises:
        ValueError: The timestamps do not strictly increase.
    """
    segments = []
    walk = GapWalk(gaps)
    for (start, first), (stop, last) in pairwise(points):
        if stop <= start:
            raise ValueError("the timestamps of a series must strictly increase")
        if stop - start <= max_gap_ms and not walk.is_between(start, stop):
            segments.append(Segment(start, stop, first, last))
    return segments


def make_step_segments(points: Sequence[StepPoint], cadence_ms: int | None = None) -> list[Segment]:
    """The segments of a step field: each mean reaches back over its own interval, never past the point before it.

    A point that states no interval reaches back over the cadence of the points around it, which `learn_cadence_at`
    finds, at most `cadence_ms`. Reports jitter, so it reaches exactly to the point before it when that is at most half
    a cadence further away. None reaches back further than an hour, whatever it states.

    Args:
        points: In strictly increasing order of time.
        cadence_ms: The longest usual pause between two points; without it, a point that states no interval is left out.

    Raises:
        ValueError: The timestamps do not strictly increase.
    """
    segments: list[Segment] = []
    previous: int | None = None
    times = [time for time, _, _ in points]
    for index, (time, value, interval_s) in enumerate(points):
        if previous is not None and time <= previous:
            raise ValueError("the timestamps of a series must strictly increase")
        if interval_s is not None:
            reach = round(min(max(interval_s, 0.0), _LONGEST_CADENCE_MS / 1000) * 1000)  # whatever number it is
        else:
            reach = _find_reach(times, index, cadence_ms)
        start = time - reach
        if previous is not None:
            start = max(start, previous)
        if start < time:
            segments.append(Segment(start, time, value, value))
        previous = time
    return segments


def _find_reach(times: Sequence[int], index: int, longest_ms: int | None) -> int:
    """How many milliseconds before its time the mean at `index` covers, which does not say so."""
    if longest_ms is None:
        return 0
    pause = times[index] - times[index - 1] if index else None
    if pause is not None and pause <= _JITTER * _SHORTEST_CADENCE_MS:
        return pause  # whatever the cadence is
    usual = max(min(learn_cadence_at(times, index, longest_ms), longest_ms), _SHORTEST_CADENCE_MS)
    return pause if pause is not None and pause <= _JITTER * usual else usual


def learn_cadence_at(times: Sequence[int], index: int, longest_ms: int) -> int:
    """How often a series reports around one of its times, in milliseconds.

    Only what is at most `LEARN_MS` away teaches it, so it does not depend on how much was loaded. Where that is too
    little to show a habit, the shortest pause is it, and where no pause is short enough, old firmware's cadence:
    a report covers no less.

    Args:
        times: Increasing, UTC milliseconds.
        index: Of one of them.
        longest_ms: The longest cadence there is.
    """
    first = bisect_left(times, times[index] - LEARN_MS)
    near = times[first : bisect_right(times, times[index] + LEARN_MS)]
    if (learned := learn_cadence(near)) is not None:
        return learned
    pauses = [pause for before, after in pairwise(near) if (pause := after - before) <= _JITTER * longest_ms]
    return min(pauses, default=_UNKNOWN_CADENCE_MS)


def learn_cadence(timestamps: Iterable[int]) -> int | None:
    """How often a series reports, in milliseconds, from its increasing timestamps; None while too few are known.

    The lower quartile of the pauses: nights, outages and missed reports only make pauses longer, so up to three
    quarters of them may be wrong; shorter ones (a partial interval at dawn) are rare.
    """
    pauses = sorted(after - before for before, after in pairwise(timestamps) if after - before <= _LONGEST_CADENCE_MS)
    return pauses[len(pauses) // 4] if len(pauses) >= _FEWEST_PAUSES else None


def find_value(segments: Segments, time: int) -> float | None:
    """The value at a time (UTC milliseconds), or None where it is unknown.

    Where two segments meet, the earlier one has the word: a step's value holds up to and including its timestamp.
    """
    index = bisect_left(segments, time, key=lambda segment: segment.stop)
    if index == len(segments) or segments[index].start > time:
        return None
    return segments[index].interpolate(time)
