"""Reads the lifetime energies of a gateway, and keeps what it gives before it gives it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from receiver.energy.balance import QUANTITIES
from receiver.outputs.lifetime.held_file import HeldFile, HeldTotals
from receiver.outputs.lifetime.totals import GivenTotal, Total, find_panel_total, find_totals, hold, sum_years
from receiver.rollups.series import read_number
from receiver.sites.model import Site
from receiver.stores.base import Latest, Point, Store
from shared.clock import Clock
from shared.units import DAY_MS

_PIECE_MS = 366 * DAY_MS
_LATE_MS = 40 * DAY_MS
"""Days of panels that are older do not change while the service runs."""
_ROUND_DIGITS = 3


class LifetimeEnergies(NamedTuple):
    """What a site made, used, bought, sold, gave to its battery and took of it, ever.

    Attributes:
        energies: By quantity (`receiver.energy.balance.QUANTITIES`), Wh; None is unknown.
        panels: By serial what a panel made, Wh; None is unknown.
        timestamp: What the energies speak of (UTC milliseconds): the oldest of the counters in them, else the newest
            reading of a meter; None for none.
    """

    energies: Mapping[str, float | None]
    panels: Mapping[str, float | None]
    timestamp: int | None


class LifetimeReader:
    """Reads them; a total that was given never falls, also over restarts.

    Args:
        store: Where readings and roll-ups are.
        file: What was given.
        site_of: What the owner says of a gateway.
        clock: Until when.
    """

    def __init__(self, store: Store, file: HeldFile, site_of: Callable[[str], Site], clock: Clock) -> None:
        self._store = store
        self._file = file
        self._site_of = site_of
        self._clock = clock
        self._held: dict[str, HeldTotals] = {}
        self._days: dict[str, _PanelDays] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def read(self, gateway: str) -> LifetimeEnergies:
        """The energies of a gateway. Raises StoreUnavailableError."""
        async with self._locks.setdefault(gateway, asyncio.Lock()):
            held = self._held.get(gateway)
            if held is None:
                held = await self._file.load(gateway)
            found, newest = await self._find(gateway)
            changed = _list_changes(found, held)
            if changed:
                await self._file.keep(gateway, changed)
            held = {**held, **changed}
            self._held[gateway] = held
        given = {key: None if total.wh is None else round(held[key].wh, _ROUND_DIGITS) for key, total in found.items()}
        oldest = min(
            (total.timestamp for (serial, _), total in found.items() if not serial and total.timestamp), default=newest
        )
        return LifetimeEnergies(
            {name: given["", name] for name in QUANTITIES},
            {serial: wh for (serial, _), wh in given.items() if serial},
            oldest,
        )

    async def forget(self, gateway: str) -> None:
        """Forget what was given of a gateway. Raises StoreUnavailableError."""
        async with self._locks.setdefault(gateway, asyncio.Lock()):
            await self._file.forget(gateway)
            self._held.pop(gateway, None)

    async def close(self) -> None:
        """Let go of the file. No call may follow."""
        await self._file.close()

    async def _find(self, gateway: str) -> tuple[dict[tuple[str, str], Total], int | None]:
        """Every total as its source has it, and the newest reading of a meter."""
        kinds = ("meter_energy", "meter", "storage", "battery", "generator", "inverter")
        counters, meters, storage, batteries, generators, inverters = await asyncio.gather(
            *(self._store.read_latest(gateway, kind) for kind in kinds)
        )
        site, now = self._site_of(gateway), self._clock.now_ms()
        totals = find_totals(
            counters,
            meters,
            sum_years(await self._read_years(gateway, site, now)),
            site,
            has_battery=bool(batteries) or any(read_number(one.fields, "batteries") for one in storage),
            has_generator=bool(generators),
            now_ms=now,
        )
        found = {("", name): total for name, total in totals.items()}
        days = await self._read_panel_days(gateway, inverters, now)
        for one in inverters:
            serial = one.tags["inverter"]
            found[serial, "production"] = find_panel_total(one, days.get(serial))
        newest = max((one.timestamp for one in [*meters, *counters]), default=None)
        return found, newest

    async def _read_years(self, gateway: str, site: Site, now_ms: int) -> Sequence[Point]:
        """The stored years; none while those of another calendar are about to be replaced."""
        found = await self._store.read_points(gateway, "energy_1y", start=0, stop=now_ms + 1)
        points = found[0].points if found else []
        if not points:
            return []
        boundaries = site.list_windows("energy_1y", points[0].timestamp, now_ms + 1)
        lengths = {start: (stop - start) / 1000 for start, stop in pairwise(boundaries)}
        fit = all(read_number(fields, "duration") == lengths.get(start) for start, fields in points)
        return points if fit else []

    async def _read_panel_days(self, gateway: str, inverters: Sequence[Latest], now_ms: int) -> dict[str, float]:
        """What the panels without a counter of their own made, by their stored days."""
        if all("energy_lifetime" in one.fields for one in inverters):
            return {}
        days = self._days.get(gateway)
        if days is None:
            summary = await self._store.read_summary(gateway)
            begin = now_ms if summary is None else summary.first_timestamp or now_ms - 10 * _PIECE_MS
            days = self._days[gateway] = _PanelDays(begin - begin % DAY_MS - DAY_MS, {})
        while days.until < now_ms - _LATE_MS:
            stop = min(days.until + _PIECE_MS, now_ms - _LATE_MS)
            days = _PanelDays(stop, _add(days.energies, await self._sum_days(gateway, days.until, stop)))
            self._days[gateway] = days
        return _add(days.energies, await self._sum_days(gateway, days.until, now_ms + 1))

    async def _sum_days(self, gateway: str, start: int, stop: int) -> dict[str, float]:
        sums: dict[str, float] = {}
        for series, points in await self._store.read_points(
            gateway, "panel_1d", fields=("energy",), start=start, stop=stop
        ):
            known = [energy for _, fields in points if (energy := read_number(fields, "energy")) is not None]
            if known:
                serial = series.get_tag("inverter")
                sums[serial] = sums.get(serial, 0.0) + sum(known)
        return sums


class _PanelDays(NamedTuple):
    """What panels made on all days that begin before an instant (UTC milliseconds), Wh by serial."""

    until: int
    energies: Mapping[str, float]


def _add(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {serial: one.get(serial, 0.0) + other.get(serial, 0.0) for serial in one.keys() | other.keys()}


def _list_changes(found: Mapping[tuple[str, str], Total], held: HeldTotals) -> dict[tuple[str, str], GivenTotal]:
    """What is to be kept before it is given."""
    after = {key: hold(total, held.get(key)) for key, total in found.items()}
    return {key: new for key, new in after.items() if new is not None and new != held.get(key)}
