"""Stored minutes and hours of meters in place of their readings, where the answer is the same. Pure.

They stand in

- for the mean, min, max or integral of `power` of kind `meter`, each series by itself (not sums of series);
- where the boundaries of all windows are whole UTC minutes or hours, as with every `1h` and longer in most time zones;
- for the time whose readings, and those of the quarter hours beside it, the roll-ups have all seen.

Then min and max are the very same, and mean and integral differ by no more than the rounding of their last digits.
The rest of the time comes from the readings, also inside of one window.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from receiver.calendar.windows import Range
from receiver.energy.means import Summary
from receiver.queries.question import Aggregate, WindowedQuestion
from receiver.stores.base import Point
from shared.units import HOUR_MS, MINUTE_MS

FIELDS: Final = ("coverage", "power", "power_min", "power_max")
"""What is read of each minute or hour."""


class StoredWindows(NamedTuple):
    """Which stored windows stand in, and how long they are (milliseconds)."""

    kind: str
    length_ms: int


_FROM_COARSE_TO_FINE = (StoredWindows("meter_1h", HOUR_MS), StoredWindows("meter_1m", MINUTE_MS))


def choose(
    question: WindowedQuestion, boundaries: Sequence[int], *, sums: bool, minutes_from: int
) -> StoredWindows | None:
    """The coarsest stored windows that stand in for readings, or None.

    Args:
        question: What is asked.
        boundaries: Of its windows, UTC milliseconds.
        sums: Whether a group has several series.
        minutes_from: The oldest minutes that are kept (UTC milliseconds).
    """
    if sums or question.kind != "meter" or question.field != "power" or question.aggregate is Aggregate.LAST:
        return None
    return next(
        (
            windows
            for windows in _FROM_COARSE_TO_FINE
            if not any(boundary % windows.length_ms for boundary in boundaries)
            and (windows.length_ms == HOUR_MS or boundaries[0] >= minutes_from)
        ),
        None,
    )


def split_settled(
    whole: Range, unsettled: Iterable[tuple[int, int]], length_ms: int
) -> tuple[list[Range], list[Range]]:
    """Which time is settled, and which is not, both in whole windows and in order.

    Args:
        whole: From and to whole windows.
        unsettled: In order, without overlap; what is outside of `whole` does not count.
        length_ms: Of a window.
    """
    settled, rest = [], []
    time = whole.start
    for start, stop in unsettled:
        first = max(time, start // length_ms * length_ms)
        last = min(whole.stop, -(-stop // length_ms) * length_ms)
        if last <= first:
            continue
        if first > time:
            settled.append(Range(time, first))
        rest.append(Range(first, last))
        time = last
    if time < whole.stop:
        settled.append(Range(time, whole.stop))
    return settled, rest


def summarise_rows(rows: Iterable[Point], length_ms: int) -> list[Summary]:
    """Stored minutes or hours as what they are summaries of."""
    found = []
    for time, fields in rows:
        numbers = [value for name in FIELDS if isinstance(value := fields.get(name), float)]
        if len(numbers) == len(FIELDS):  # a row without power has none of the last three
            coverage, mean, low, high = numbers
            found.append(Summary(time, time + length_ms, coverage, mean, low, high, None))
    return found


def merge(finer: Sequence[Summary], boundaries: Sequence[int]) -> list[Summary]:
    """One summary for each window between neighbouring boundaries, from those of finer windows.

    Args:
        finer: In any order, each inside one window.
        boundaries: UTC milliseconds.
    """
    inside: list[list[Summary]] = [[] for _ in boundaries[1:]]
    for window in finer:
        if window.mean is not None:
            inside[bisect_right(boundaries, window.start) - 1].append(window)
    return [_merge(found, start, stop) for found, (start, stop) in zip(inside, pairwise(boundaries), strict=True)]


def _merge(finer: Sequence[Summary], start: int, stop: int) -> Summary:
    if not finer:
        return Summary(start, stop, 0.0, None, None, None, None)
    if len(finer) == 1 and (finer[0].start, finer[0].stop) == (start, stop):
        return finer[0]
    known = [
        (window.mean, window.coverage * (window.stop - window.start)) for window in finer if window.mean is not None
    ]
    known_ms = sum(length for _, length in known)
    return Summary(
        start,
        stop,
        known_ms / (stop - start),
        sum(mean * length for mean, length in known) / known_ms,
        min(window.minimum for window in finer if window.minimum is not None),
        max(window.maximum for window in finer if window.maximum is not None),
        max(finer, key=lambda window: window.start).last,
    )
