"""Running totals that can be asked for at any minute, forwards and backwards from where they start."""

from collections.abc import Callable, Sequence
from operator import add, sub

_HOUR = 60


class Totals:
    """Sums of per-minute values since a fixed minute, remembered hour by hour.

    The first question about a distant time costs every minute in between; later ones at most an hour of them.

    Args:
        start: The minute (epoch seconds / 60) at which all totals are 0.
        width: Number of values of a minute.
        of_minute: The values of one minute; the same minute must always give the same values.
    """

    def __init__(self, start: int, width: int, of_minute: Callable[[int], Sequence[float]]) -> None:
        self._start = start
        self._of_minute = of_minute
        self._after = [[0.0] * width]
        self._before = [[0.0] * width]

    def sum_until(self, minute: int) -> list[float]:
        """Return the sums over the minutes from the start up to, not including, this one; negative before the start."""
        hours, _ = divmod(minute - self._start, _HOUR)
        while len(self._after) <= hours:
            first = self._start + (len(self._after) - 1) * _HOUR
            self._after.append(self._add_minutes(self._after[-1], first, first + _HOUR))
        while len(self._before) <= -hours:
            first = self._start - len(self._before) * _HOUR
            hour = self._add_minutes([0.0] * len(self._before[-1]), first, first + _HOUR)
            self._before.append(list(map(sub, self._before[-1], hour)))
        whole = self._after[hours] if hours >= 0 else self._before[-hours]
        return self._add_minutes(whole, self._start + hours * _HOUR, minute)

    def _add_minutes(self, sums: list[float], first: int, last: int) -> list[float]:
        sums = list(sums)
        for minute in range(first, last):
            sums = list(map(add, sums, self._of_minute(minute)))
        return sums
