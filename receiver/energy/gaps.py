"""Stretches of time without samples: recorded ones, inside which nothing is known, however short they are."""

from collections.abc import Iterable, Sequence
from itertools import islice, takewhile
from typing import TypeAlias

Gaps: TypeAlias = Sequence[tuple[int, int]]
"""Start and end of each in UTC milliseconds, in the order of time, without overlap."""


def merge_gaps(gaps: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Gaps in any order, some of which may overlap, as `Gaps`."""
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(gaps):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
        elif start < stop:
            merged.append((start, stop))
    return merged


class GapWalk:
    """Goes through gaps beside the points of a series, in the order of time."""

    def __init__(self, gaps: Gaps) -> None:
        self._gaps = gaps
        self._next = 0

    def is_between(self, start: int, stop: int) -> bool:
        """Whether a part of a gap is between two instants, the first of which is not before that of the last call."""
        while self._next < len(self._gaps) and self._gaps[self._next][1] <= start:
            self._next += 1
        return self._next < len(self._gaps) and self._gaps[self._next][0] < stop

    def is_mostly_between(self, start: int, stop: int) -> bool:
        """Whether most of a gap is between two instants; likewise. Of the readings around a gap only two have that."""
        while self._next < len(self._gaps) and self._gaps[self._next][1] <= start:
            self._next += 1
        near = takewhile(lambda gap: gap[0] < stop, islice(self._gaps, self._next, None))
        return any(2 * (min(last, stop) - max(first, start)) > last - first for first, last in near)
