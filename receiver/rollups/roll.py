"""Rolling up one stretch of time of one gateway: load, compute, replace, then the coarser kinds that it touches."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise
from typing import NamedTuple

from receiver.rollups import compute
from receiver.rollups.coarser import roll_energies
from receiver.rollups.compute import RawSeries
from receiver.rollups.energy import reprice
from receiver.rollups.fills import CloudFills
from receiver.rollups.imports import ImportedEnergies
from receiver.rollups.interval_reading import find_long_ends, read_intervals
from receiver.rollups.judged import FIELDS as JUDGED_FIELDS
from receiver.rollups.judged import KINDS as JUDGING_KINDS
from receiver.rollups.judged import REACH_MS, SEEN_MS, list_judged_quarters
from receiver.rollups.jumps import find_jumps
from receiver.rollups.panel_days import make_panel_day_rows
from receiver.rollups.quarters import find_doubt, find_total_doubt
from receiver.rollups.replace import replace_rows, store_jumps
from receiver.rollups.series import REPORT_GAP_MS, REPORT_LOOK_BACK_MS, REPORT_LOOK_MS
from receiver.rollups.taken_over import select_measured
from receiver.sites.model import Site
from receiver.stores.base import SeriesPoints, Store
from shared.clock import Clock
from shared.cloud_identity import is_cloud_system
from shared.readings import Reading
from shared.units import HOUR_MS

CHUNK_MS = HOUR_MS
"""Readings of no more than this are in memory at once: at one a second, an hour of nine series are 32,000."""
_QUARTER_KINDS = ("meter_1m", "site_1m", "energy_15m", "panel_15m")
_HOUR_KINDS = ("meter_1h", "site_1h")
_REACH_MARGIN_MS = HOUR_MS
"""Readings this close to their expiry count as gone: some may go while we compute."""

Rest = Callable[[float], Awaitable[None]]
"""Takes the seconds that a piece of work took; returns when the next may begin."""


class Stretch(NamedTuple):
    """What is rolled up at once: `start` <= time < `stop`, in milliseconds since 1970 and whole quarter hours."""

    gateway: str
    start: int
    stop: int

    def widen_to_hours(self) -> "Stretch":
        """The same and the rest of the hours that it touches."""
        return self._replace(start=self.start // HOUR_MS * HOUR_MS, stop=-(-self.stop // HOUR_MS) * HOUR_MS)


class Roller:
    """Computes and stores.

    Args:
        store: Where readings are and roll-ups go.
        clock: Measures work, and says which readings may have expired.
        rest: Called between pieces of work.
    """

    def __init__(self, store: Store, clock: Clock, rest: Rest) -> None:
        self._store = store
        self._clock = clock
        self._rest = rest
        self._imports = ImportedEnergies(store)
        self._fills = CloudFills(store, self._imports)

    async def widen(self, stretch: Stretch) -> tuple[Stretch, frozenset[int]]:
        """The time whose rows may depend on readings inside `stretch`, and quarter hours far away that do.

        Raises:
            StoreUnavailableError: Ask again later.
        """
        start, stop, far, kinds = stretch.start, stretch.stop, frozenset[int](), set[str]()
        for chunk in _cut_into_chunks(stretch):
            raw = await self._load(chunk)
            kinds |= {kind for kind in JUDGING_KINDS if _has_readings(chunk, getattr(raw, kind))}
            reach = await asyncio.to_thread(compute.find_reach, raw, chunk.start, chunk.stop, self._clock.now_ms())
            start, stop, far = min(start, reach.start), max(stop, reach.stop), far | reach.far
            if raw.interval:
                far |= await find_long_ends(self._store, chunk.gateway, chunk.start, chunk.stop)
        return Stretch(stretch.gateway, start, stop), far | await self._find_judged(stretch, kinds)

    async def _find_judged(self, stretch: Stretch, kinds: AbstractSet[str]) -> frozenset[int]:
        """The quarter hours after a stretch whose steps its readings may judge: none where nothing later is known."""
        until = min(stretch.stop + REACH_MS, self._clock.now_ms())
        if not kinds or until <= stretch.stop:
            return frozenset()
        found = await self._store.read_points(
            stretch.gateway, "energy_15m", fields=JUDGED_FIELDS, start=stretch.stop, stop=until
        )
        is_total = "production" in kinds and "inverter" not in kinds
        return list_judged_quarters(found[0].points, stretch.stop if is_total else None) if found else frozenset()

    async def roll(self, stretch: Stretch, site: Site, *, hours: bool) -> bool:
        """Bring every row that lies in or spans `stretch` up to date, and return whether readings lie in it.

        Args:
            stretch: Whole hours if `hours`.
            site: What the owner says of it.
            hours: Whether the rows of hours and the days of panels are wanted too; energy always is.

        Raises:
            StoreUnavailableError: Part of it may be done; doing it again ends the same.
        """
        has_readings = False
        for chunk in _cut_into_chunks(stretch):
            began = self._clock.monotonic()
            has_readings |= await self._roll_chunk(chunk, site, hours=hours)
            await self._rest(self._clock.monotonic() - began)
        start, stop = await self._imports.apply(stretch.gateway, site, stretch.start, stretch.stop)
        start, stop = await self._fills.apply(stretch.gateway, site, start, stop)
        await roll_energies(self._store, stretch.gateway, site, start, stop)
        if hours:
            await self._roll_panel_days(stretch, site)
        return has_readings

    async def _roll_chunk(self, chunk: Stretch, site: Site, *, hours: bool) -> bool:
        raw = await self._load(chunk)
        kinds = _QUARTER_KINDS + (_HOUR_KINDS if hours else ())
        rows = await asyncio.to_thread(_make_rows, raw, site, chunk, hours=hours)
        for kind in kinds:
            if self._has_expired(kind, chunk.stop):
                continue  # a database may refuse it, or keep it longer than the rest
            of_kind: Sequence[Reading] = [row for row in rows if row.kind == kind]
            if kind == "energy_15m":
                of_kind = await self._imports.keep(chunk.gateway, of_kind, site, chunk.start, chunk.stop)
                of_kind = await self._fills.keep(chunk.gateway, of_kind, site, chunk.start, chunk.stop)
            await self._replace(chunk.gateway, kind, of_kind, site, chunk.start, chunk.stop)
        jumps = [row for row in rows if row.kind == "event"]
        await store_jumps(self._store, chunk.gateway, jumps, start=chunk.start, stop=chunk.stop)
        return _has_readings(chunk, *raw)

    def _has_expired(self, kind: str, stop: int) -> bool:
        """Whether rows of a kind that end there are older than they are kept."""
        kept_ms = self._store.retention_ms[kind]
        return kept_ms is not None and stop <= self._clock.now_ms() - kept_ms

    async def _roll_panel_days(self, stretch: Stretch, site: Site) -> None:
        boundaries = site.list_windows("panel_1d", stretch.start, stretch.stop)
        for start, stop in pairwise(boundaries):
            quarters = await self._store.read_points(stretch.gateway, "panel_15m", start=start, stop=stop)
            inverters = await self._read_inverters(stretch.gateway, start, stop)
            rows = await asyncio.to_thread(make_panel_day_rows, quarters, inverters, site, [start, stop])
            await self._replace(stretch.gateway, "panel_1d", rows, site, start, stop)

    async def _replace(
        self, gateway: str, kind: str, rows: Sequence[Reading], site: Site, start: int, stop: int
    ) -> None:
        """Replace rows; where readings have expired, stored rows stay as they are, except for their prices."""
        raw_kind = "inverter" if kind.startswith("panel") else "meter"
        kept_ms = self._store.retention_ms[raw_kind]
        if is_cloud_system(gateway):
            kept_ms = None  # its intervals are kept without limit
        have_expired = kept_ms is not None and start < self._clock.now_ms() - kept_ms + _REACH_MARGIN_MS
        if have_expired and kind == "energy_15m":
            for _, points in await self._store.read_points(gateway, kind, start=start, stop=stop):
                stored = {row.timestamp: row for row in reprice(select_measured(points), site)}
                rows = [*stored.values(), *(row for row in rows if row.timestamp not in stored)]
            have_expired = False
        await replace_rows(self._store, gateway, kind, rows, start=start, stop=stop, only_missing=have_expired)

    async def _load(self, stretch: Stretch) -> RawSeries:
        gateway, start, stop = stretch
        raw = RawSeries(
            meter=await self._read_points(gateway, "meter", start, stop),
            meter_energy=await self._read_points(gateway, "meter_energy", start, stop),
            inverter=await self._read_inverters(gateway, start, stop),
            production=await self._read_points(gateway, "production", start, stop),
            storage=await self._read_points(gateway, "storage", start, stop),
            grid=await self._read_points(gateway, "grid", start, stop),
            generator=await self._read_points(gateway, "generator", start, stop),
            event=await read_gaps(self._store, gateway, start, stop),
            battery=await self._read_points(gateway, "battery", start, stop),
            interval=await read_intervals(self._store, gateway, start, stop),
        )
        return raw._replace(
            earlier=await self._read_before(gateway, "meter_energy", compute.FIELDS["meter_energy"], find_doubt(raw)),
            earlier_totals=await self._read_before(gateway, "production", ("power",), find_total_doubt(raw)),
        )

    async def _read_before(
        self, gateway: str, kind: str, fields: Sequence[str], doubt: int | None
    ) -> Sequence[SeriesPoints]:
        """The days before a step that they are to judge; nothing where there is none."""
        if doubt is None:
            return ()
        return await self._store.read_points(gateway, kind, fields=fields, start=doubt - SEEN_MS, stop=doubt + 1)

    async def _read_inverters(self, gateway: str, start: int, stop: int) -> list[SeriesPoints]:
        return await self._read_points(gateway, "inverter", start - REPORT_LOOK_BACK_MS, stop + REPORT_LOOK_MS)

    async def _read_points(self, gateway: str, kind: str, start: int, stop: int) -> list[SeriesPoints]:
        fields = compute.FIELDS[kind]
        return await self._store.read_points(gateway, kind, fields=fields, start=start, stop=stop, neighbours=True)


async def read_gaps(store: Store, gateway: str, start: int, stop: int) -> list[SeriesPoints]:
    """The events of gaps that may lie between two readings of one series around [start, stop) (UTC milliseconds).

    One that began more than the longest pause before is between readings that nothing bridges anyway.
    """
    return await store.read_points(
        gateway,
        "event",
        tags={"type": "gap"},
        fields=compute.FIELDS["event"],
        start=start - 2 * REPORT_GAP_MS,
        stop=stop + REPORT_GAP_MS,
    )


def _has_readings(stretch: Stretch, *kinds: Sequence[SeriesPoints]) -> bool:
    return any(stretch.start <= time < stretch.stop for series in kinds for _, points in series for time, _ in points)


def _cut_into_chunks(stretch: Stretch) -> Iterator[Stretch]:
    """The newest first. Each ends where an hour does, so that hours are whole."""
    stop = stretch.stop
    while stop > stretch.start:
        start = max(stretch.start, (stop - 1) // CHUNK_MS * CHUNK_MS)
        yield Stretch(stretch.gateway, start, stop)
        stop = start


def _make_rows(raw: RawSeries, site: Site, chunk: Stretch, *, hours: bool) -> list[Reading]:
    rows = compute.make_quarter_rows(raw, site, chunk.start, chunk.stop)
    rows += find_jumps(raw, site, chunk.start, chunk.stop)
    return rows + compute.make_hour_rows(raw, site, chunk.start, chunk.stop) if hours else rows
