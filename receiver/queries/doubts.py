"""Meters that cannot be right: what the readings of the last hour say against each other."""

import asyncio
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from receiver.energy.site import PRODUCTION
from receiver.sites.corrections import correct_series
from receiver.sites.model import Site
from receiver.stores.base import SeriesPoints, Store
from shared.agreement import differ_by_half
from shared.units import MINUTE_MS, QUARTER_MS

QUARTERS = 4
"""An hour of quarter hours: clouds come and go, and reports lag."""
_FEWEST_MINUTES = QUARTERS * QUARTER_MS // MINUTE_MS * 3 // 4


class DoubtedPowers(NamedTuple):
    """Mean powers of the last whole hour that cannot both be right, W.

    Attributes:
        measured: By the production meter.
        reported: By the inverters together.
    """

    measured: float
    reported: float

    def __str__(self) -> str:
        """A sentence for people, with the remedy."""
        return (
            f"For an hour the production meter has shown {self.measured:.0f} W and the inverters together "
            f"{self.reported:.0f} W. If no transformer is fitted there, give the meter production 'role: ignore' in "
            "the sites file."
        )


async def read_doubts(store: Store, gateway: str, site: Site, now_ms: int) -> list[DoubtedPowers]:
    """What speaks against the meters of a gateway; empty where nothing does.

    Args:
        store: Where roll-ups are.
        gateway: Its serial.
        site: Roles and signs of meters: an ignored one is not doubted.
        now_ms: UTC milliseconds.

    Raises:
        StoreUnavailableError: Ask again later.
    """
    powers = await read_hour_powers(store, gateway, site, now_ms)
    return [DoubtedPowers(*powers)] if powers is not None and differ_by_half(*powers) else []


async def read_hour_powers(store: Store, gateway: str, site: Site, now_ms: int) -> tuple[float, float] | None:
    """Mean powers (W) of the last whole hour: by the production meter, and by the inverters; None if one is unknown.

    Args and errors as `read_doubts`.
    """
    stop = now_ms // QUARTER_MS * QUARTER_MS
    start = stop - QUARTERS * QUARTER_MS
    # With the coverage also rows of those come that belong to the site, and of which no power is known.
    panels, minutes = await asyncio.gather(
        store.read_points(gateway, "panel_15m", fields=("power", "coverage"), start=start, stop=stop),
        store.read_points(gateway, "meter_1m", fields=("power", "coverage"), start=start, stop=stop),
    )
    measured, reported = find_meter_power(correct_series(minutes, site)), find_inverter_power(panels)
    if measured is None or reported is None:
        return None
    # Of a part of the inverters only is known that all together make at least as much.
    return None if reported < measured and _has_silent(panels) else (measured, reported)


def _has_silent(panels: Sequence[SeriesPoints]) -> bool:
    """Whether an inverter said nothing of its power in some quarter hour."""
    return any("power" not in fields for series in panels for _, fields in series.points)


def find_meter_power(minutes: Sequence[SeriesPoints]) -> float | None:
    """Mean power (W) of the production meter from its minutes; None where much of the hour is missing."""
    phases = [
        [power for _, fields in series.points if isinstance(power := fields.get("power"), float)]
        for series in minutes
        if series.series.get_tag("meter") == PRODUCTION
    ]
    if not phases or any(len(phase) < _FEWEST_MINUTES for phase in phases):
        return None
    return sum(fmean(phase) for phase in phases)


def find_inverter_power(panels: Sequence[SeriesPoints]) -> float | None:
    """Mean power (W) of all inverters together from their quarter hours; None where a quarter hour has none."""
    sums: dict[int, float] = {}
    for series in panels:
        for time, fields in series.points:
            if isinstance(power := fields.get("power"), float):
                sums[time] = sums.get(time, 0.0) + power
    return fmean(sums.values()) if len(sums) == QUARTERS else None
