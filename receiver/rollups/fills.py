"""Keeps the stored quarter hours of energy true to the linked system of the cloud. Reads and writes.

The rules are `fill` and `filled_rows`. Nothing is written beside the roll-ups but events, which stand with the system.
"""

import asyncio
from collections.abc import Sequence

from receiver.energy.balance import QUANTITIES
from receiver.rollups.filled_rows import FilledRows, Shapes, find_reach, keep_filled, make_filled_rows
from receiver.rollups.imports import ImportedEnergies, read_later_ends, read_quarters
from receiver.rollups.interval_reading import read_intervals
from receiver.rollups.intervals import SOURCES, add_by_quarter, list_intervals
from receiver.rollups.misfits import EVENT_TYPE, INTRO, make_misfit_events, withdraw_misfit
from receiver.rollups.replace import EventsMade, replace_rows, store_events
from receiver.rollups.series import LONGEST_GAP_MS
from receiver.rollups.taken_over import list_gaps
from receiver.sites.model import Site
from receiver.stores.base import Point, SeriesPoints, Store
from shared.readings import Reading
from shared.units import QUARTER_MS

_QUARTERS = "energy_15m"
_MADE = EventsMade(EVENT_TYPE, INTRO, withdraw_misfit)


class CloudFills:
    """Gives the cloud's energies to quarter hours that were not measured, of gateways with a linked system.

    Args:
        store: Where readings and roll-ups are.
        imports: What was imported goes before what the cloud says.
    """

    def __init__(self, store: Store, imports: ImportedEnergies) -> None:
        self._store = store
        self._imports = imports

    async def keep(self, gateway: str, rows: Sequence[Reading], site: Site, start: int, stop: int) -> Sequence[Reading]:
        """Computed quarter hours of [start, stop) (UTC milliseconds), with what was filled into those that are alike.

        Raises:
            StoreUnavailableError: Ask again later.
        """
        if site.cloud is None:
            return rows
        return keep_filled(rows, await read_quarters(self._store, gateway, start, stop))

    async def apply(self, gateway: str, site: Site, start: int, stop: int) -> tuple[int, int]:
        """Judge every quarter hour again of [start, stop) (UTC milliseconds), and every gap that reaches into it.

        Returns:
            The time whose quarter hours may have changed, that one included (UTC milliseconds).

        Raises:
            StoreUnavailableError: Some of it may be done; doing it again ends the same.
        """
        if site.cloud is None:
            return start, stop
        ends = await read_later_ends(self._store, gateway, stop)
        near = await self._store.read_points(
            gateway, _QUARTERS, fields=("unallocated_since",), start=start - LONGEST_GAP_MS, stop=stop + LONGEST_GAP_MS
        )
        gaps = list_gaps([*(point for one in near for point in one.points), *ends])
        first, last = find_reach(gaps, start, stop)
        stored = await read_quarters(self._store, gateway, first, last)
        beyond = [point for point in ends if point.timestamp >= last]
        imported = await self._imports.read_windows(gateway, first, last)
        intervals = await read_intervals(self._store, site.cloud, first, last)

        def make() -> FilledRows:
            return make_filled_rows(stored, beyond, _make_shapes(intervals), imported, first, last)

        made = await asyncio.to_thread(make)
        await replace_rows(self._store, gateway, _QUARTERS, made.rows, start=first, stop=last)
        events = make_misfit_events(made.misfits)
        await store_events(self._store, site.cloud, events, _MADE, start=first, stop=last)
        changed = _list_changed(stored, made.rows)
        return min([start, *changed]), max([stop, *(time + QUARTER_MS for time in changed)])


def _make_shapes(intervals: Sequence[SeriesPoints]) -> Shapes:
    quarters = {source: add_by_quarter(found) for source, found in list_intervals(intervals).items()}
    return {name: [quarters[source] for source in SOURCES[name] if source in quarters] for name in QUANTITIES}


def _list_changed(stored: Sequence[Point], rows: Sequence[Reading]) -> list[int]:
    before = {point.timestamp: point.fields for point in stored}
    after = {row.timestamp: row.fields for row in rows}
    return [time for time in before.keys() | after.keys() if before.get(time) != after.get(time)]
