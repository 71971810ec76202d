"""Stored points for one question, in pieces that fit into the rows it holds, however dense the readings are."""

from bisect import bisect_left
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from receiver.calendar.windows import Range
from receiver.queries import budget
from receiver.queries.question import SeriesQuestion
from receiver.queries.refusals import make_refusal
from receiver.queries.source import QuestionSource
from receiver.sites.model import Site
from receiver.stores.base import Point
from shared.readings import Tags

PointsByTags: TypeAlias = Mapping[Tags, Sequence[Point]]


@dataclass(frozen=True, kw_only=True)
class PieceReader:
    """Reads what one question is about.

    Attributes:
        source: Where it is.
        question: What is asked.
        site: Corrections of meters.
        series: How many series that concerns.
        most: Rows that may be in memory at once.
    """

    source: QuestionSource
    question: SeriesQuestion
    site: Site
    series: int
    most: int

    async def read_windows(
        self, boundaries: Sequence[int], *, together: bool = False
    ) -> AsyncIterator[tuple[Sequence[int], PointsByTags]]:
        """Runs of windows and the points of each with their neighbours, in the order of time.

        Args:
            boundaries: Of all windows, UTC milliseconds.
            together: All windows at once.

        Raises:
            RefusedError: One window has too many readings.
            StoreUnavailableError: Ask again later.
        """
        waiting = [boundaries] if together else self._split(boundaries)
        while waiting:
            piece = waiting.pop()
            points, known_until = await self._read(piece)
            if known_until is None:
                yield piece, points
            elif together or len(piece) == 2:
                raise make_refusal(
                    "every",
                    "is too long for so many readings: choose shorter windows, a shorter range or fewer series",
                )
            else:
                middle = len(piece) // 2
                waiting += [piece[middle:], piece[: middle + 1]]

    async def read_stretches(self, boundaries: Sequence[int]) -> AsyncIterator[tuple[Sequence[int], PointsByTags]]:
        """As `read_windows`, with windows cut finer where they are too long or too dense to be read at once.

        For fields that are known between two points from these alone.
        """
        waiting = self._split(self._refine(boundaries))
        while waiting:
            piece = waiting.pop()
            points, known_until = await self._read(piece)
            if known_until is not None:
                cut = bisect_left(piece, known_until)
                waiting.append([known_until, *piece[cut + (piece[cut] == known_until) :]])
                piece = [*piece[:cut], known_until]
            yield piece, points

    def _split(self, boundaries: Sequence[int]) -> list[Sequence[int]]:
        """Runs that are probably small enough, the last one first."""
        most = self.most * 3 // 4  # some are denser than the pace of a busy house
        return [*budget.split_into_pieces(self.question.kind, boundaries, self.series, most=most)][::-1]

    def _refine(self, boundaries: Sequence[int]) -> list[int]:
        longest = max(self.most // 2 * budget.find_spacing_ms(self.question.kind) // self.series, 1)
        return sorted({*boundaries, *_cut(boundaries, longest)})

    async def _read(self, boundaries: Sequence[int]) -> tuple[PointsByTags, int | None]:
        """The points between the first boundary and the last; the time of the last one before which none is missing.

        That time is None where none is missing at all.
        """
        asked = Range(boundaries[0], boundaries[-1])
        most = max(self.most // self.series, 2)
        found = await self.source.read_points(self.question, self.site, asked, neighbours=True, most=most)
        cut_short = (_find_last_of_many(points, asked, most) for points in found.values())
        return found, min((time for time in cut_short if time is not None), default=None)


def _cut(boundaries: Sequence[int], longest: int) -> Iterator[int]:
    """Instants between boundaries that are further apart than `longest` (milliseconds)."""
    for start, stop in pairwise(boundaries):
        yield from range(start + longest, stop, longest)


def _find_last_of_many(points: Sequence[Point], asked: Range, most: int) -> int | None:
    """The time of the last point in a range where there are `most` of them, so that there may be more."""
    first = bisect_left(points, asked.start, key=lambda point: point.timestamp)
    beyond = bisect_left(points, asked.stop, lo=first, key=lambda point: point.timestamp)
    return points[beyond - 1].timestamp if beyond - first >= most else None
