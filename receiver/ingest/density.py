"""How dense the readings of one series may be: one a second, and a short burst beyond that in each hour.

It is the time that readings are stamped with that counts, not the time at which they come: a backlog passes however
fast it drains. What passed once passes again: a batch that is sent a second time gets the verdict of the first.

What was counted is remembered for so many minutes of series of each gateway. Of what was forgotten the bounds are kept:
a minute within them is in doubt, and what the store has of it is counted (`receiver.ingest.recall`) before it takes
more. What is remembered exceeds what all posts of a gateway that are under way hold (`receiver.ingest.limits`), so what
is forgotten is in the store. All is forgotten at a restart, which no sender can bring about.
"""

import itertools
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from shared.readings import Series
from shared.units import HOUR_MS, MINUTE_MS, SECOND_MS

PER_MINUTE = MINUTE_MS // SECOND_MS
BURST = 300
"""Readings of one series that each hour may hold beyond one a second: jitter, a clock set back by some minutes."""
_REMEMBERED = 10_000
_MINUTES = HOUR_MS // MINUTE_MS
_SPANS = 4
"""Spans of time that were forgotten, of each series: a backlog and live values make two."""


class DensityLimit:
    """Counts the stamps of every series of every gateway.

    Args:
        remembered: Minutes of series that are kept in mind, of each gateway: one cannot make another one's forgotten.
    """

    def __init__(self, *, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._gateways: dict[str, _Counts] = {}

    def take(self, gateway: str, series: Series, timestamp: int) -> bool:
        """Whether a reading with this stamp (milliseconds since 1970) may be stored; it counts from now on."""
        return self._get(gateway).take(series, timestamp)

    def find_doubtful(self, gateway: str, rows: Iterable[tuple[Series, int]]) -> set[tuple[Series, int]]:
        """Series and hours (since 1970) of rows (series and stamp) whose minutes may have been forgotten."""
        counts = self._get(gateway)
        return {(series, stamp // HOUR_MS) for series, stamp in rows if counts.is_doubtful(series, stamp // MINUTE_MS)}

    def restore(self, gateway: str, series: Series, minutes: Iterable[int], stamps: Sequence[int]) -> None:
        """Count again what the store has of forgotten minutes of one hour.

        Args:
            gateway: Its serial.
            series: Whose minutes.
            minutes: Minutes (since 1970) that are in doubt.
            stamps: All stamps of the hour that the store has, ascending.
        """
        self._get(gateway).restore(series, minutes, stamps)

    def _get(self, gateway: str) -> "_Counts":
        counts = self._gateways.get(gateway)
        if counts is None:
            counts = self._gateways[gateway] = _Counts(self._remembered)
        return counts


class _Counts:
    """What is remembered of one gateway."""

    def __init__(self, remembered: int) -> None:
        self._remembered = remembered
        self.minutes: dict[tuple[Series, int], array[int]] = {}
        """Stamps in the minute, milliseconds after its start, in order."""
        self.bursts: dict[tuple[Series, int], int] = {}
        self._forgotten: dict[Series, list[tuple[int, int]]] = {}
        """Spans of minutes, both ends in."""

    def take(self, series: Series, timestamp: int) -> bool:
        minute, offset = divmod(timestamp, MINUTE_MS)
        stamps = self.minutes.get((series, minute))
        if stamps is None:
            stamps = self._remember(series, minute, array("H"))
        place = bisect_left(stamps, offset)
        if place < len(stamps) and stamps[place] == offset:
            return True
        if len(stamps) >= PER_MINUTE and not self._take_from_burst(series, timestamp // HOUR_MS):
            return False
        stamps.insert(place, offset)
        return True

    def is_doubtful(self, series: Series, minute: int) -> bool:
        if (series, minute) in self.minutes:
            return False
        return any(first <= minute <= last for first, last in self._forgotten.get(series, ()))

    def restore(self, series: Series, minutes: Iterable[int], stamps: Sequence[int]) -> None:
        hour: dict[int, array[int]] = {}
        for stamp in stamps:
            minute, offset = divmod(stamp, MINUTE_MS)
            hour.setdefault(minute, array("H")).append(offset)
        for minute in minutes:
            if (series, minute) not in self.minutes:
                self._remember(series, minute, hour.get(minute, array("H")))
        taken = sum(max(0, len(offsets) - PER_MINUTE) for offsets in hour.values())
        if stamps and taken:
            key = (series, stamps[0] // HOUR_MS)
            self._set_burst(key, max(taken, self.bursts.get(key, 0)))

    def _remember(self, series: Series, minute: int, stamps: "array[int]") -> "array[int]":
        self.minutes[series, minute] = stamps
        if len(self.minutes) > self._remembered:
            oldest = next(iter(self.minutes))
            del self.minutes[oldest]
            self._note_forgotten(oldest[0], oldest[1], oldest[1])
        return stamps

    def _take_from_burst(self, series: Series, hour: int) -> bool:
        taken = self.bursts.get((series, hour), 0)
        if taken >= BURST:
            return False
        self._set_burst((series, hour), taken + 1)
        return True

    def _set_burst(self, key: tuple[Series, int], taken: int) -> None:
        self.bursts[key] = taken
        if len(self.bursts) > self._remembered:
            series, hour = oldest = next(iter(self.bursts))
            del self.bursts[oldest]
            first = hour * _MINUTES
            for minute in range(first, first + _MINUTES):  # without its burst no minute of the hour is known
                self.minutes.pop((series, minute), None)
            self._note_forgotten(series, first, first + _MINUTES - 1)

    def _note_forgotten(self, series: Series, first: int, last: int) -> None:
        """Add a span; those that meet are joined, and of too many the two with the shortest time between."""
        spans = self._forgotten.get(series, [])
        if spans and spans[-1][1] + 1 == first:  # live values: the most frequent case by far
            spans[-1] = (spans[-1][0], last)
            return
        spans = sorted([*spans, (first, last)])
        gaps = [after[0] - before[1] for before, after in itertools.pairwise(spans)]
        while gaps and (min(gaps) <= 1 or len(spans) > _SPANS):
            place = gaps.index(min(gaps))
            spans[place : place + 2] = [(spans[place][0], max(spans[place][1], spans[place + 1][1]))]
            gaps = [after[0] - before[1] for before, after in itertools.pairwise(spans)]
        self._forgotten[series] = spans
