"""Cutting segments at the edges of windows."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from receiver.energy.interpolation import Segment, Segments


def check_edges(edges: Sequence[int]) -> None:
    """Raise ValueError unless `edges` (UTC milliseconds) are at least two and strictly increase."""
    if len(edges) < 2 or any(stop <= start for start, stop in pairwise(edges)):
        raise ValueError("windows need at least two edges in strictly increasing order")


def cut_by_window(segments: Segments, edges: Sequence[int]) -> Iterator[tuple[int, int, list[Segment]]]:
    """Each window [start, stop) between neighbouring edges with the parts of the segments inside it.

    Raises:
        ValueError: Fewer than two edges, or not in order.
    """
    check_edges(edges)
    index = 0
    for start, stop in pairwise(edges):
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
