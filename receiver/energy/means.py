"""Time-weighted mean, lowest, highest and last value over windows.

Never plain means of stored points: a series stored by exception has many points where it moves and few where it
rests, so a plain mean would be wrong wherever something happens.
"""

from collections.abc import Sequence
from typing import NamedTuple

from receiver.energy.coverage import measure_covered_ms, measure_share
from receiver.energy.interpolation import Segment, Segments
from receiver.energy.windows import cut_by_window


class Summary(NamedTuple):
    """What is known of a series in one window; every value is in the unit of the series.

    Attributes:
        start: First millisecond of the window (UTC).
        stop: End of the window, not part of it (UTC milliseconds).
        coverage: The known share of the window, 0 to 1. All values speak of that share alone.
        mean: Time-weighted mean; None where coverage is 0, and so are the others.
        minimum: Lowest value of the interpolated line.
        maximum: Highest value of the interpolated line.
        last: The latest known value in the window.
    """

    start: int
    stop: int
    coverage: float
    mean: float | None
    minimum: float | None
    maximum: float | None
    last: float | None


def summarise(segments: Segments, start: int, stop: int) -> Summary:
    """The summary of the window [start, stop) (UTC milliseconds). Raises ValueError if the window is empty."""
    return summarise_windows(segments, (start, stop))[0]


def summarise_windows(segments: Segments, boundaries: Sequence[int]) -> list[Summary]:
    """One summary for each window between boundaries (UTC milliseconds). Raises ValueError for bad ones."""
    return [_summarise_window(start, stop, inside) for start, stop, inside in cut_by_window(segments, boundaries)]


def compute_area(inside: Segments) -> float:
    """The integral of segments over time, in the unit of the series times milliseconds."""
    return sum((segment.first + segment.last) * (segment.stop - segment.start) for segment in inside) / 2


def _summarise_window(start: int, stop: int, inside: list[Segment]) -> Summary:
    if not inside:
        return Summary(start, stop, 0.0, None, None, None, None)
    firsts, lasts = [segment.first for segment in inside], [segment.last for segment in inside]
    return Summary(
        start,
        stop,
        measure_share(inside, start, stop),
        compute_area(inside) / measure_covered_ms(inside),
        min(*firsts, *lasts),
        max(*firsts, *lasts),
        lasts[-1],
    )
