"""Keeps the stored quarter hours of energy true to what was imported. Reads and writes; the rules are `taken_over`."""

import asyncio
from collections.abc import Sequence

from receiver.rollups.replace import replace_rows
from receiver.rollups.taken_over import (
    COUNTED_KINDS,
    LONGEST_WINDOW_MS,
    ImportedWindow,
    keep_taken_over,
    list_gaps,
    list_windows,
    make_rows,
)
from receiver.sites.model import Site
from receiver.stores.base import Point, Store
from shared.readings import Reading
from shared.units import DAY_MS, QUARTER_MS

IMPORTED = "imported_energy"
_QUARTERS = "energy_15m"
_PIECE_MS = 10 * DAY_MS
"""Quarter hours of no more than this are in memory at once."""


class ImportedEnergies:
    """Gives imported energies to the quarter hours of which nothing was measured.

    Args:
        store: Where imports, readings and roll-ups are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, gateway: str, rows: Sequence[Reading], site: Site, start: int, stop: int) -> Sequence[Reading]:
        """Computed quarter hours of [start, stop) (UTC milliseconds) with what imports gave to the stored ones.

        Raises:
            StoreUnavailableError: Ask again later.
        """
        if not await self.read_windows(gateway, start, stop):
            return rows
        return keep_taken_over(rows, await read_quarters(self._store, gateway, start, stop), site)

    async def apply(self, gateway: str, site: Site, start: int, stop: int) -> tuple[int, int]:
        """Judge every window again that reaches into [start, stop) or lies in a gap that ends there.

        Returns:
            The time whose quarter hours may have changed, that one included (UTC milliseconds).

        Raises:
            StoreUnavailableError: Some of it may be done; doing it again ends the same.
        """
        ends = await self._store.read_points(gateway, _QUARTERS, fields=("unallocated_since",), start=start, stop=stop)
        gaps = [int(since) for _, points in ends for point in points for since in point.fields.values() if since]
        windows = await self.read_windows(gateway, min([start, *gaps]), stop)
        for run in split_into_runs(windows):
            await self._judge(gateway, run, site)
        return min([start, *(window.start for window in windows)]), max([stop, *(window.stop for window in windows)])

    async def withdraw(self, gateway: str, windows: Sequence[ImportedWindow], site: Site) -> None:
        """Take what these windows gave out of the stored quarter hours, whether or not it was judged yet.

        Raises:
            StoreUnavailableError: Some of it may be done; doing it again ends the same.
        """
        start, stop = windows[0].start, windows[-1].stop
        stored = await read_quarters(self._store, gateway, start, stop)
        rows = await asyncio.to_thread(make_rows, (), stored, (), site)
        await replace_rows(self._store, gateway, _QUARTERS, rows, start=start, stop=stop)

    async def read_windows(self, gateway: str, start: int, stop: int) -> list[ImportedWindow]:
        """The windows that reach into [start, stop) (UTC milliseconds). Raises StoreUnavailableError."""
        found = await self._store.read_points(gateway, IMPORTED, start=start - 2 * LONGEST_WINDOW_MS, stop=stop)
        return [window for window in list_windows(found) if window.stop > start]

    async def read_around(self, gateway: str, start: int, stop: int) -> tuple[list[Point], list[tuple[int, int]]]:
        """What says whether windows in [start, stop) were measured: stored quarter hours, and gaps with an energy.

        Raises:
            StoreUnavailableError: Ask again later.
        """
        stored = await read_quarters(self._store, gateway, start, stop)
        return stored, list_gaps([*stored, *await read_later_ends(self._store, gateway, stop)])

    async def _judge(self, gateway: str, windows: Sequence[ImportedWindow], site: Site) -> None:
        start, stop = windows[0].start, windows[-1].stop
        stored, gaps = await self.read_around(gateway, start, stop)
        rows = await asyncio.to_thread(make_rows, windows, stored, gaps, site)
        await replace_rows(self._store, gateway, _QUARTERS, rows, start=start, stop=stop)


async def read_quarters(store: Store, gateway: str, start: int, stop: int) -> list[Point]:
    """The stored quarter hours of energy of [start, stop) (UTC milliseconds). Raises StoreUnavailableError."""
    found = await store.read_points(gateway, _QUARTERS, start=start, stop=stop)
    return [*found[0].points] if found else []


async def read_later_ends(store: Store, gateway: str, stop: int) -> list[Point]:
    """The stored quarter hours in which gaps end that reach beyond `stop` (UTC milliseconds), and maybe others.

    The energy of such a gap stands where its counter was read again.

    Raises:
        StoreUnavailableError: Ask again later.
    """
    later: set[int] = set()
    for kind in COUNTED_KINDS:
        found = await store.read_points(gateway, kind, start=stop, stop=stop, neighbours=True)
        later |= {time for _, points in found for time, _ in points if time >= stop}
    return [
        point
        for quarter in sorted({(time - 1) // QUARTER_MS * QUARTER_MS for time in later})
        for point in await read_quarters(store, gateway, quarter, quarter + 1)
    ]


def split_into_runs(windows: Sequence[ImportedWindow]) -> list[list[ImportedWindow]]:
    """The windows, which are in the order of time, in groups over which `read_around` may be asked at once."""
    runs: list[list[ImportedWindow]] = []
    for window in windows:
        if runs and window.stop - runs[-1][0].start <= _PIECE_MS:
            runs[-1].append(window)
        else:
            runs.append([window])
    return runs
