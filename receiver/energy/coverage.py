"""How much of a window is known."""

from collections.abc import Sequence

from receiver.energy.interpolation import Segment, Segments
from receiver.energy.windows import cut_by_window


def measure_covered_ms(segments: Segments) -> int:
    """The time that segments cover, in milliseconds."""
    return sum(segment.stop - segment.start for segment in segments)


def measure_coverage(segments: Segments, start: int, stop: int) -> float:
    """The known share, 0 to 1, of the window [start, stop) (UTC milliseconds). Raises ValueError if it is empty."""
    return measure_window_coverage(segments, (start, stop))[0]


def measure_window_coverage(segments: Segments, boundaries: Sequence[int]) -> list[float]:
    """The known share, 0 to 1, of each window between neighbouring boundaries (UTC milliseconds)."""
    return [measure_share(inside, start, stop) for start, stop, inside in cut_by_window(segments, boundaries)]


def measure_share(inside: list[Segment], start: int, stop: int) -> float:
    """The share, 0 to 1, of [start, stop) that segments already cut to that window cover."""
    return measure_covered_ms(inside) / (stop - start)
