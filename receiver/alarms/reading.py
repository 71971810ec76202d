"""Asks the store what the judgement needs, with the functions of the page and the API, and as rarely as will do.

What moves within minutes is asked each time; what rests on hours and days is asked again after `SLOW_MS`. Nothing here
counts as somebody who looks: a scraper is not asked to post sooner.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from receiver.alarms import limits
from receiver.alarms.facts import (
    Backlog,
    DiskFacts,
    GatewayFacts,
    PanelQuarters,
    PanelRatios,
    PhaseVoltage,
    PowersOfAnHour,
)
from receiver.alarms.panel_facts import list_panel_quarters, list_panel_ratios
from receiver.queries.doubts import read_hour_powers
from receiver.queries.open_gap import find_open_gap
from receiver.rollups.series import read_number
from receiver.sites.model import Site
from receiver.sites.storage import KINDS_OF_STORAGE, describe_storage
from receiver.stores.base import GatewaySummary, Latest, SeriesPoints, Store
from shared.units import DAY_MS, MINUTE_MS

SLOW_MS = 5 * MINUTE_MS
"""Facts that rest on hours and days are this old at most (milliseconds)."""
_DAYS = 5
"""Whole days that are looked at for weak panels: enough that two of them were bright, and not too old."""


class _SlowFacts(NamedTuple):
    """What is not asked each time."""

    read: int
    lost: float | None
    quarters: Sequence[PanelQuarters]
    ratios: Sequence[PanelRatios]
    highest: Mapping[str, float]
    powers: PowersOfAnHour | None


class FactsReader:
    """Reads the facts of gateways.

    Args:
        store: Where they are.
        site_of: What the owner says of a gateway, by serial.
    """

    def __init__(self, store: Store, site_of: Callable[[str], Site]) -> None:
        self._store = store
        self._site_of = site_of
        self._summaries: list[GatewaySummary] = []
        self._listed: int | None = None
        self._slow: dict[str, _SlowFacts] = {}

    async def list_gateways(self, now_ms: int) -> list[GatewaySummary]:
        """Every gateway with readings. Raises StoreUnavailableError."""
        if self._listed is None or not 0 <= now_ms - self._listed < SLOW_MS:
            self._summaries = await self._store.list_gateways()
            self._listed = now_ms
            self._slow = {one.gateway: self._slow[one.gateway] for one in self._summaries if one.gateway in self._slow}
        return self._summaries

    async def read(self, summary: GatewaySummary, now_ms: int) -> GatewayFacts:
        """What is known of one gateway now. Raises StoreUnavailableError."""
        gateway, site = summary.gateway, self._site_of(summary.gateway)
        slow = await self._read_slow(gateway, site, now_ms)
        status = await self._store.read_latest(gateway, "gateway")
        storage = [await self._read_latest(summary, kind) for kind in KINDS_OF_STORAGE]
        return GatewayFacts(
            gateway=gateway,
            now_ms=now_ms,
            site=site,
            status=status[0] if status else None,
            open_gap_since=find_open_gap(await self._store.read_latest(gateway, "event")),
            backlog=await self._read_backlog(gateway, now_ms),
            lost=slow.lost,
            quarters=slow.quarters,
            ratios=slow.ratios,
            voltages=await self._read_voltages(gateway, slow.highest, now_ms),
            powers=slow.powers,
            batteries=await self._read_latest(summary, "battery"),
            grid_mode=describe_storage(storage, now_ms).grid_mode,
        )

    async def _read_latest(self, summary: GatewaySummary, kind: str) -> list[Latest]:
        """Nothing is asked about batteries and grid where there are none."""
        return await self._store.read_latest(summary.gateway, kind) if summary.series.get(kind) else []

    async def _read_slow(self, gateway: str, site: Site, now_ms: int) -> _SlowFacts:
        known = self._slow.get(gateway)
        if known is not None and 0 <= now_ms - known.read < SLOW_MS:
            return known
        midnight = site.list_windows("energy_1d", now_ms, now_ms + 1)[0]
        quarters = await self._store.read_points(
            gateway, "panel_15m", fields=("dead", "peers"), start=now_ms - limits.PANEL_LOOK_S * 1000, stop=now_ms
        )
        days = await self._store.read_points(
            gateway, "panel_1d", fields=("ratio", "peers"), start=midnight - _DAYS * DAY_MS, stop=midnight
        )
        hours = await self._store.read_points(
            gateway, "meter_1h", fields=("voltage",), start=now_ms - limits.VOLTAGE_LOOK_S * 1000, stop=now_ms + 1
        )
        reports = await self._store.read_points(
            gateway, "gateway", fields=("lost_rows",), start=now_ms - limits.LOSSES_S * 1000, stop=now_ms + 1
        )
        powers = await read_hour_powers(self._store, gateway, site, now_ms)
        found = _SlowFacts(
            read=now_ms,
            lost=_sum_increases(_list_numbers(reports, "lost_rows")),
            quarters=list_panel_quarters(quarters),
            ratios=list_panel_ratios(days),
            highest={phase: max(volts) for phase, volts in _group_by_phase(hours).items()},
            powers=None if powers is None else PowersOfAnHour(*powers),
        )
        self._slow[gateway] = found
        return found

    async def _read_backlog(self, gateway: str, now_ms: int) -> Backlog | None:
        first, last = (now_ms - seconds * 1000 for seconds in limits.BACKLOG_BEFORE_S)
        before = await self._store.read_points(gateway, "gateway", fields=("outbox_rows",), start=first, stop=last + 1)
        now = await self._store.read_points(
            gateway, "gateway", fields=("outbox_rows",), start=now_ms - limits.BACKLOG_NOW_S * 1000, stop=now_ms + 1
        )
        rows_before, rows_now = _list_numbers(before, "outbox_rows"), _list_numbers(now, "outbox_rows")
        return Backlog(min(rows_now), min(rows_before)) if rows_now and rows_before else None

    async def _read_voltages(self, gateway: str, highest: Mapping[str, float], now_ms: int) -> list[PhaseVoltage]:
        if not highest:
            return []
        minutes = await self._store.read_points(
            gateway, "meter_1m", fields=("voltage",), start=now_ms - limits.VOLTAGE_NOW_S * 1000, stop=now_ms + 1
        )
        return [
            PhaseVoltage(phase, fmean(volts), highest[phase])
            for phase, volts in sorted(_group_by_phase(minutes).items())
            if phase in highest
        ]


def read_disks(directories: Mapping[str, Path]) -> list[DiskFacts]:
    """The disks of some directories, by what they are for. One that cannot be asked is left out."""
    found = []
    for purpose, path in directories.items():
        try:
            usage = shutil.disk_usage(path)
        except OSError:
            continue
        found.append(DiskFacts(purpose, usage.free, usage.total))
    return found


def _list_numbers(series: Sequence[SeriesPoints], name: str) -> list[float]:
    """The numbers of one field of a kind with one series, in order of time."""
    return [number for _, points in series for _, fields in points if (number := read_number(fields, name)) is not None]


def _sum_increases(counts: Sequence[float]) -> float | None:
    """By how much a counter rose; a fall is a new beginning. None where it was never read."""
    if not counts:
        return None
    return sum(max(0.0, later - earlier) for earlier, later in pairwise(counts))


def _group_by_phase(series: Sequence[SeriesPoints]) -> dict[str, list[float]]:
    """Voltages of all meters by phase."""
    found: dict[str, list[float]] = {}
    for one in series:
        volts = _list_numbers([one], "voltage")
        if volts:
            found.setdefault(one.series.get_tag("phase"), []).extend(volts)
    return found
