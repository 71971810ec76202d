"""How dense the readings of one series may be: one a second, and a short burst beyond that in each hour.

It is the time that readings are stamped with that counts, not the time at which they come: a backlog passes however
fast it drains. What passed once passes again: a batch that is sent a second time gets the verdict of the first.

What was counted is remembered for so many minutes of series, and is lost at a restart. Who comes back to a minute after
that may fill it once more, so density costs as many readings elsewhere.
"""

from array import array
from bisect import bisect_left
from typing import TypeVar

from shared.readings import Series
from shared.units import HOUR_MS, MINUTE_MS, SECOND_MS

PER_MINUTE = MINUTE_MS // SECOND_MS
BURST = 300
"""Readings of one series that each hour may hold beyond one a second: jitter, a clock set back by some minutes."""
_REMEMBERED = 20_000

_K = TypeVar("_K")
_V = TypeVar("_V")
_Key = tuple[str, Series, int]


class DensityLimit:
    """Counts the stamps of every series of every gateway.

    Args:
        remembered: Minutes of series that are kept in mind, of all gateways together.
    """

    def __init__(self, *, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._minutes: dict[_Key, array[int]] = {}
        """Stamps in the minute, milliseconds after its start, in order."""
        self._bursts: dict[_Key, int] = {}

    def take(self, gateway: str, series: Series, timestamp: int) -> bool:
        """Whether a reading with this stamp (milliseconds since 1970) may be stored; it counts from now on."""
        minute, offset = divmod(timestamp, MINUTE_MS)
        key = (gateway, series, minute)
        stamps = self._minutes.get(key)
        if stamps is None:
            stamps = self._minutes[key] = array("H")
            _forget_oldest(self._minutes, self._remembered)
        place = bisect_left(stamps, offset)
        if place < len(stamps) and stamps[place] == offset:
            return True
        if len(stamps) >= PER_MINUTE and not self._take_from_burst(gateway, series, timestamp // HOUR_MS):
            return False
        stamps.insert(place, offset)
        return True

    def _take_from_burst(self, gateway: str, series: Series, hour: int) -> bool:
        key = (gateway, series, hour)
        taken = self._bursts.get(key, 0)
        if taken >= BURST:
            return False
        self._bursts[key] = taken + 1
        _forget_oldest(self._bursts, self._remembered)
        return True


def _forget_oldest(known: dict[_K, _V], most: int) -> None:
    if len(known) > most:
        del known[next(iter(known))]
