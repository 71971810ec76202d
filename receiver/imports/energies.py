"""Which imported energies may be taken: those of windows of which nothing was measured, and that overlap no other."""

from collections.abc import Mapping, Sequence

from receiver.imports.formats.summary import ImportSummary, Skipped
from receiver.rollups.imports import IMPORTED, ImportedEnergies, split_into_runs
from receiver.rollups.taken_over import LONGEST_WINDOW_MS, find_measured, list_windows, take_out
from receiver.stores.base import Point, SeriesPoints, Store
from shared.readings import FieldValue, Reading

_OVERLAPPING = "a window that overlaps another one that was imported"
_MEASURED = "energies of a time in which they were measured, which stay"


class EnergyJudge:
    """Looks at readings of `imported_energy` before they are written; roll-ups look again, whatever comes later.

    Args:
        gateway: Serial.
        store: What is there.
    """

    def __init__(self, gateway: str, store: Store) -> None:
        self._gateway = gateway
        self._store = store
        self._energies = ImportedEnergies(store)

    async def judge(self, piece: Sequence[Reading], summary: ImportSummary) -> list[Reading]:
        """What may be taken, in the order of time, without what was measured; the rest is counted."""
        readings = {reading.timestamp: reading for reading in reversed(piece)}  # the first of two for one time
        for _ in range(len(piece) - len(readings)):
            summary.skip(Skipped(_OVERLAPPING))
        apart = await self._find_apart([readings[start] for start in sorted(readings)], summary)
        windows = list_windows([_make_series(reading) for reading in apart])
        measured: dict[int, frozenset[str]] = {}
        for run in split_into_runs(windows):
            stored, gaps = await self._energies.read_around(self._gateway, run[0].start, run[-1].stop)
            quarters = take_out(stored)
            measured |= {window.start: frozenset(find_measured(window, quarters, gaps)) for window in run}
        found = [_leave_out(reading, measured.get(reading.timestamp, frozenset()), summary) for reading in apart]
        return [reading for reading in found if reading is not None]

    async def _find_apart(self, readings: Sequence[Reading], summary: ImportSummary) -> list[Reading]:
        """Those that are stored already, or overlap neither a stored one nor one before them."""
        if not readings:
            return []
        start, stop = readings[0].timestamp, readings[-1].timestamp
        found = await self._store.read_points(
            self._gateway, IMPORTED, start=start - LONGEST_WINDOW_MS, stop=stop + LONGEST_WINDOW_MS
        )
        stored = {point.timestamp: _find_stop(point.timestamp, point.fields) for one in found for point in one.points}
        same = {
            (one.series.get_tag("source"), point.timestamp): point.fields.get("duration")
            for one in found
            for point in one.points
        }
        bounds = sorted(stored.items())
        apart, latest_stop, index, before = [], 0, 0, 0
        for reading in readings:
            begin, end = reading.timestamp, _find_stop(reading.timestamp, reading.fields)
            while index < len(bounds) and bounds[index][0] < begin:
                before = max(before, bounds[index][1])
                index += 1
            is_same = same.get((reading.tags["source"], begin)) == reading.fields["duration"]
            is_free = begin >= before and (index == len(bounds) or bounds[index][0] >= end)
            if is_same or (is_free and begin >= latest_stop):
                apart.append(reading)
                latest_stop = max(latest_stop, end)
            else:
                summary.skip(Skipped(_OVERLAPPING))
        return apart


def _leave_out(reading: Reading, names: frozenset[str], summary: ImportSummary) -> Reading | None:
    """The reading without quantities that were measured; None where nothing is left."""
    fields = {name: value for name, value in reading.fields.items() if name not in names}
    if fields.keys() == {"duration"}:
        summary.skip(Skipped(_MEASURED))
        return None
    if names:
        summary.remarks[f"{', '.join(sorted(names))}: measured in that time"] += 1
    return Reading(reading.kind, reading.tags, reading.timestamp, fields)


def _find_stop(start: int, fields: Mapping[str, FieldValue]) -> int:
    seconds = fields.get("duration")
    return start + (round(seconds * 1000) if isinstance(seconds, float) else 0)


def _make_series(reading: Reading) -> SeriesPoints:
    return SeriesPoints(reading.series, [Point(reading.timestamp, dict(reading.fields))])
