"""An import: rows of a file into the store, written as what scrapers send, never over what is there."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from receiver.imports.formats.summary import IMPORTED, MEASURED, STORED, ImportedRow, ImportSummary, Skipped
from receiver.stores.base import GatewayReading, Store, Writable
from shared.readings import FieldValue, Reading, Series
from shared.units import DAY_MS

_ROWS_AT_ONCE = 5_000
"""Rows that are compared with the store and written together: what an import holds in memory."""

_Known = dict[tuple[Series, int], dict[str, FieldValue]]
"""Fields by identity."""


class ImportJudge(Protocol):
    """Says what of readings may be taken besides what their identity says."""

    async def judge(self, piece: Sequence[Reading], summary: ImportSummary) -> list[Reading]:
        """What may be taken; the rest is counted. Raises StoreUnavailableError."""
        ...


class Importer:
    """Takes readings of one gateway into the store.

    Args:
        gateway: Its serial.
        store: What is there.
        target: Where new readings go, so that their roll-ups follow; None: a dry run writes nothing.
        judge: Looks at readings first; None where what is stored at the same time says everything.
    """

    def __init__(self, gateway: str, store: Store, target: Writable | None, judge: ImportJudge | None = None) -> None:
        self._gateway = gateway
        self._store = store
        self._target = target
        self._judge = judge
        self.summary = ImportSummary()

    async def take(self, rows: Iterable[ImportedRow]) -> None:
        """Take all rows. Every piece that was written is durable; the same import again goes on with the rest.

        Raises:
            StoreUnavailableError: The store does not take or show readings now.
        """
        readings = self._count_readings(rows)
        while piece := list(itertools.islice(readings, _ROWS_AT_ONCE)):
            await self._take_piece(piece)

    def _count_readings(self, rows: Iterable[ImportedRow]) -> Iterator[Reading]:
        for row in rows:
            self.summary.rows += 1
            if isinstance(row, Skipped):
                self.summary.skip(row)
            else:
                yield row

    async def _take_piece(self, piece: Sequence[Reading]) -> None:
        if self._judge is not None:
            piece = await self._judge.judge(piece, self.summary)
        known = await self._read_known(piece)
        new = []
        for reading in piece:
            fields = known.setdefault((reading.series, reading.timestamp), {})
            missing = {name: value for name, value in reading.fields.items() if name not in fields}
            if missing:
                new.append(Reading(reading.kind, reading.tags, reading.timestamp, missing))
                fields.update(missing)  # the first of two rows for one time is taken
            else:
                is_same = all(fields[name] == value for name, value in reading.fields.items())
                other = IMPORTED if reading.kind == "imported_energy" else MEASURED
                self.summary.skipped[STORED if is_same else other] += 1
        refused = {}
        if new and self._target is not None:
            refused = await self._target.write([GatewayReading(self._gateway, reading) for reading in new])
        for index, reading in enumerate(new):
            if index in refused:
                self.summary.skipped[f"refused by the store ({refused[index]})"] += 1
            else:
                self.summary.take(reading.timestamp)

    async def _read_known(self, piece: Sequence[Reading]) -> _Known:
        """What is stored at the times of these readings: each series is asked day by day, for days it has there."""
        times: dict[tuple[Series, int], list[int]] = {}
        for reading in piece:
            times.setdefault((reading.series, reading.timestamp // DAY_MS), []).append(reading.timestamp)
        found: _Known = {}
        for (series, _), of_day in sorted(times.items()):
            for one in await self._store.read_points(
                self._gateway, series.kind, tags=dict(series.tags), start=min(of_day), stop=max(of_day) + 1
            ):
                for point in one.points:
                    found[one.series, point.timestamp] = dict(point.fields)
        return found
