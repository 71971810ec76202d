"""A year of one house in two stores, made in minutes: one day computed by the real parts, and that day again and again.

Yesterday and today come from the simulated house through the scraper's parsers and delta detection, and are rolled up
by the receiver's own job. Every earlier day is yesterday with other timestamps: its readings, and its rows of minutes,
quarter hours and panels, with counters that go down by what the day counted. Hours, days, weeks, months and years of
energy are the real sums of those quarter hours. Before the last `dense_days`, counters are thinned to one reading each
quarter hour, and there are neither raw meter readings nor minutes.
"""

import asyncio
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from receiver.calendar.windows import find_finer_kind
from receiver.rollups.energy_windows import make_energy_rows
from receiver.rollups.job import Rollups
from receiver.sites.load import parse
from receiver.stores.base import GatewayReading, Point, SeriesPoints, Store, Writable
from receiver.stores.kinds import ENERGY_KINDS, STORED
from shared.clock import SystemClock
from shared.fields import Interpolation
from shared.readings import FieldValue, Reading
from shared.units import DAY_MS, DAY_S, HOUR_S, MINUTE_S
from simulator.house import find_late_morning_offset
from simulator.house.profiles import PROFILES as HOUSES
from simulator.profiles import find_profile
from standalone import history
from standalone.site import make_sites_file

PROFILE = "firmware-8"
SEED = 7
_BATCH = 5_000
_DENSE = frozenset({"meter", "meter_1m", "site_1m"})
_THINNED = {"meter_energy": 15}
_SUMMED = frozenset(ENERGY_KINDS[1:])


class YearStore(NamedTuple):
    """One store and the state directory of its receiver."""

    store: Store
    state: Path


class Year:
    """The data that is stored.

    Args:
        days: Before today.
        dense_days: How many of them have raw meter readings and minutes.

    Attributes:
        gateway: Serial.
        sites: The sites file, YAML.
        site: The same, read.
        written: Rows, of both stores together.
    """

    def __init__(self, *, days: int, dense_days: int) -> None:
        now = int(time.time())
        profile = find_profile(PROFILE)
        offset = round(find_late_morning_offset(HOUSES[profile.house], now, SEED))
        house = history.HouseSettings(PROFILE, SEED, now + offset - 3 * DAY_S, offset)
        self._past = history.Past(house, far=history.NEAR)
        # Live readings come every second; the receiver reads those of the last quarter hours themselves.
        self._live = history.Past(house, near=history.Density(meters_s=1, counters_s=60))
        self._firmware = profile.firmware
        self._days, self._dense_days = days, dense_days
        self.gateway = profile.serial
        self.sites = make_sites_file(history.HouseSettings(PROFILE, SEED, 0.0, offset), now)
        self.site = parse(self.sites.encode())[self.gateway]
        self.midnight = self.site.list_windows("energy_1d", now * 1000, now * 1000 + 1)[0]
        self.written = 0

    async def fill(self, first: YearStore, second: YearStore) -> None:
        """Write everything into both stores, up to now."""
        since = int(time.time()) - HOUR_S
        await self._roll_up(first, self._past, self.midnight // 1000 - DAY_S, since)
        shutil.copytree(first.state, second.state, dirs_exist_ok=True)
        for kind in STORED:
            found = await first.store.read_points(self.gateway, kind, start=0, stop=since * 1000)
            await self._write(_list_readings(found), second.store)
        template = {kind: await self._read_yesterday(first.store, kind) for kind in STORED if kind not in _SUMMED}
        for day in range(1, self._days):
            await self._write(_move(template, day, dense=day < self._dense_days), first.store, second.store)
        await self._sum_energies(first.store, second.store)
        for year_store in (first, second):
            await self._roll_up(year_store, self._live, since, int(time.time()))

    async def _roll_up(self, year_store: YearStore, past: history.Past, start_s: int, stop_s: int) -> None:
        """Store what a scraper would have sent, and let the job compute from it."""
        rollups = Rollups(
            year_store.store, site_of=lambda _: self.site, clock=SystemClock(), state_dir=year_store.state
        )
        try:
            for piece in past.make_pieces(start_s, stop_s):
                await self._write(piece, rollups.store)
            await self._write(self._make_statuses(start_s, stop_s), rollups.store)
            await rollups.catch_up()
        finally:
            await rollups.close()

    def _make_statuses(self, start_s: int, stop_s: int) -> list[Reading]:
        fields: dict[str, FieldValue] = {
            "firmware": self._firmware, "role": "owner", "version": "0.1.0", "token_expires_in": 1.7e7,
            "poll_seconds": 0.4, "stream_connected": 1.0, "outbox_rows": 12.0, "clock_offset": 0.4,
        }  # fmt: skip
        return [Reading("gateway", {}, second * 1000, fields) for second in range(start_s, stop_s, MINUTE_S)]

    async def _read_yesterday(self, store: Store, kind: str) -> list[SeriesPoints]:
        return await store.read_points(self.gateway, kind, start=self.midnight - DAY_MS, stop=self.midnight)

    async def _sum_energies(self, *stores: Store) -> None:
        stop = int(time.time() * 1000)
        for kind in ENERGY_KINDS[1:]:
            boundaries = self.site.list_windows(kind, self.midnight - self._days * DAY_MS, stop)
            found = await stores[0].read_points(
                self.gateway, find_finer_kind(kind), start=boundaries[0], stop=boundaries[-1]
            )
            await self._write(make_energy_rows(kind, found[0].points, self.site, boundaries), *stores)

    async def _write(self, readings: Iterable[Reading], *stores: Writable) -> None:
        waiting = iter(readings)
        while rows := [GatewayReading(self.gateway, reading) for reading in islice(waiting, _BATCH)]:
            if any(await asyncio.gather(*(store.write(rows) for store in stores))):
                raise RuntimeError("a store refused readings")
            self.written += len(rows) * len(stores)


def _list_readings(found: Iterable[SeriesPoints]) -> Iterator[Reading]:
    for series, points in found:
        tags = dict(series.tags)
        for point in points:
            yield Reading(series.kind, tags, point.timestamp, point.fields)


def _move(template: Mapping[str, Sequence[SeriesPoints]], days: int, *, dense: bool) -> Iterator[Reading]:
    """Yesterday so many days earlier."""
    for kind, found in template.items():
        if kind in _DENSE and not dense:
            continue
        for series, points in found:
            tags, counted = dict(series.tags), _compute_increases(kind, points)
            for timestamp, fields in points[:: 1 if dense else _THINNED.get(kind, 1)]:
                moved: dict[str, FieldValue] = {
                    name: value - days * counted.get(name, 0.0) if isinstance(value, float) else value
                    for name, value in fields.items()
                }
                yield Reading(kind, tags, timestamp - days * DAY_MS, moved)


def _compute_increases(kind: str, points: Sequence[Point]) -> dict[str, float]:
    """The increase of each counter of a series on that day. Times in fields move by a day, as if they were counters."""
    counted: dict[str, float] = {}
    for name, field in STORED[kind].fields.items():
        values = [value for _, fields in points if isinstance(value := fields.get(name), float)]
        if field.unit == "ms" and values:
            counted[name] = DAY_MS
        elif field.interpolation is Interpolation.COUNTER and values:
            counted[name] = values[-1] - values[0]
    return counted
