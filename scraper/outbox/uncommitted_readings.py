"""Readings that could not be committed while the disk took nothing: each counts once, and none that comes after all.

A series proposes its newest reading again until that is committed: the last report of an inverter, the held-back sample
of a meter. So a reading is lost once its series goes on without it, or falls silent. Pure.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from shared.readings import Reading, Series
from shared.units import HOUR_MS

SILENT_MS = HOUR_MS
"""A series that says nothing for so long while the disk works will not propose its last reading again."""


class LostReadings(NamedTuple):
    """How many are lost for good, and the times of the first and the last of them (milliseconds since 1970)."""

    rows: int
    start_ms: int
    end_ms: int


NONE_LOST = LostReadings(0, 2**62, 0)


class UncommittedReadings(NamedTuple):
    """What could not be committed so far.

    Attributes:
        lost: Gone for good, and not on record yet.
        waiting: What may still come: by series the timestamps, each with the time of the last attempt.
    """

    lost: LostReadings = NONE_LOST
    waiting: Mapping[Series, Mapping[int, int]] = {}

    def add(self, readings: Iterable[Reading], now_ms: int) -> "UncommittedReadings":
        """These failed just now."""
        tried = _group_by_series(readings)
        passed = self._pass_by(tried)
        waiting = {series: dict(stamps) for series, stamps in passed.waiting.items()}
        for series, stamps in tried.items():
            waiting.setdefault(series, {}).update(dict.fromkeys(stamps, now_ms))
        return passed._replace(waiting=waiting)

    def follow(self, readings: Iterable[Reading], now_ms: int) -> "UncommittedReadings":
        """These are committed, so the disk works."""
        if not self.waiting:
            return self
        tried = _group_by_series(readings)
        passed = self._pass_by(tried)
        lost, waiting = passed.lost, {}
        for series, stamps in passed.waiting.items():
            left = {stamp: at for stamp, at in stamps.items() if stamp not in tried.get(series, ())}
            silent = [stamp for stamp, at in left.items() if now_ms - at >= SILENT_MS]
            lost = _lose(lost, silent)
            if rest := {stamp: at for stamp, at in left.items() if stamp not in silent}:
                waiting[series] = rest
        return UncommittedReadings(lost, waiting)

    def give_up(self) -> "UncommittedReadings":
        """Nothing comes any more."""
        return UncommittedReadings(_lose(self.lost, [stamp for stamps in self.waiting.values() for stamp in stamps]))

    def _pass_by(self, tried: Mapping[Series, set[int]]) -> "UncommittedReadings":
        """What is older than what its series proposes now, and not proposed with it, is lost."""
        lost, waiting = self.lost, {}
        for series, stamps in self.waiting.items():
            now = tried.get(series, set())
            gone = [stamp for stamp in stamps if now and stamp not in now and stamp < max(now)]
            lost = _lose(lost, gone)
            if rest := {stamp: at for stamp, at in stamps.items() if stamp not in gone}:
                waiting[series] = rest
        return UncommittedReadings(lost, waiting)


def _lose(lost: LostReadings, stamps: list[int]) -> LostReadings:
    return LostReadings(lost.rows + len(stamps), min(lost.start_ms, *stamps, 2**62), max(lost.end_ms, *stamps, 0))


def _group_by_series(readings: Iterable[Reading]) -> dict[Series, set[int]]:
    found: dict[Series, set[int]] = {}
    for reading in readings:
        found.setdefault(reading.series, set()).add(reading.timestamp)
    return found
