"""Asks the store about minutes of series that the density limit has forgotten: only then, and one after the other."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

import structlog

from receiver.ingest.density import DensityLimit
from receiver.stores.base import Store, StoreDamagedError
from shared.readings import Reading, Series
from shared.units import HOUR_MS, MINUTE_MS

_log = structlog.get_logger()


class DensityRecall:
    """Brings back what was counted. Live values and backlogs in order are never in doubt, and ask nothing.

    Args:
        store: What has the rows.
        density: What has forgotten some.
    """

    def __init__(self, store: Store, density: DensityLimit) -> None:
        self._store = store
        self._density = density
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def load(self, gateway: str, series: Sequence[Series], readings: Sequence[Reading]) -> None:
        """Let the density limit know the minutes of a batch again. Raises StoreUnavailableError.

        The caller takes the batch before it waits for anything else: nothing is forgotten in between.
        """
        rows = [(one, reading.timestamp) for one, reading in zip(series, readings, strict=True)]
        if not self._density.find_doubtful(gateway, rows):
            return
        async with self._locks[gateway]:
            doubtful = self._density.find_doubtful(gateway, rows)
            stamps = {(one, hour): await self._read_stamps(gateway, one, hour) for one, hour in doubtful}
            minutes: defaultdict[tuple[Series, int], set[int]] = defaultdict(set)
            for one, stamp in rows:
                minutes[one, stamp // HOUR_MS].add(stamp // MINUTE_MS)
            for (one, hour), found in stamps.items():
                self._density.restore(gateway, one, sorted(minutes[one, hour]), found)

    async def _read_stamps(self, gateway: str, series: Series, hour: int) -> list[int]:
        try:
            found = await self._store.read_points(
                gateway, series.kind, tags=dict(series.tags), start=hour * HOUR_MS, stop=(hour + 1) * HOUR_MS
            )
        except StoreDamagedError as error:
            _log.error("an hour of a gateway cannot be counted", gateway=gateway, kind=series.kind, reason=str(error))
            return []
        return [point.timestamp for one in found if one.series == series for point in one.points]
