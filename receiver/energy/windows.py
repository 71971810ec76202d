"""Cutting segments at the boundaries of windows."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from receiver.energy.interpolation import Segment, Segments


def check_boundaries(boundaries: Sequence[int]) -> None:
    """Raise ValueError unless `boundaries` (UTC milliseconds) are at least two and strictly increase."""
    if len(boundaries) < 2 or any(stop <= start for start, stop in pairwise(boundaries)):
        raise ValueError("windows need at least two boundaries in strictly increasing order")


def cut_by_window(segments: Segments, boundaries: Sequence[int]) -> Iterator[tuple[int, int, list[Segment]]]:
    """Each window [start, stop) between neighbouring boundaries with the parts of the segments inside it.

    Raises:
        ValueError: Fewer than two boundaries, or not in order.
    """
    check_boundaries(boundaries)
    index = 0
    for start, stop in pairwise(boundaries):
        inside = []
        while index < len(segments) and segments[index].stop <= start:
            index += 1
        while index < len(segments) and segments[index].start < stop:
            segment = segments[index]
            inside.append(segment if start <= segment.start and segment.stop <= stop else segment.clip(start, stop))
            if segment.stop > stop:
                break  # the rest of it belongs to the next window
            index += 1
        yield start, stop, inside
