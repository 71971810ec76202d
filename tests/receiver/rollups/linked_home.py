"""Readings of a pretend gateway with a production meter, whose system is also read through the cloud."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from receiver.rollups.job import Rollups
from receiver.sites.model import Site
from receiver.stores.base import GatewayReading, Point, Store
from shared.fields import KINDS
from shared.readings import Reading
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.receiver.rollups.cloud_system import MIDNIGHT, SYSTEM, make_inv

HOME = "122300001234"
LINKED = Site(cloud=SYSTEM)
TEN, ONE = MIDNIGHT + 10 * HOUR_MS, MIDNIGHT + 13 * HOUR_MS
OUTAGE_WH = [100.0, 200.0, 300.0, 350.0, 400.0, 450.0, 500.0, 450.0, 400.0, 400.0, 350.0, 250.0]
"""What the cloud says of the quarter hours of an outage from ten to one: 4,150 Wh."""
COUNTED_WH = 4213.0
"""What the counter says of it."""


def make_counter(times: Iterable[int], count: Callable[[int], float], gateway: str = HOME) -> list[GatewayReading]:
    """Readings of the production meter's lifetime counter (Wh) at some times."""
    tags = {"meter": "production", "phase": "a"}
    return [
        GatewayReading(gateway, Reading("meter_energy", tags, time, {"delivered": count(time), "received": 0.0}))
        for time in times
    ]


def count_with_outage(time: int) -> float:
    """1,200 W before ten and from one on, and `COUNTED_WH` between."""
    hours = (min(time, TEN) - MIDNIGHT + max(time - ONE, 0)) / HOUR_MS
    return 1e6 + 1200.0 * hours + (COUNTED_WH if time >= ONE else 0.0)


def make_day_with_outage() -> list[GatewayReading]:
    """From nine to ten, and from one to two, a reading a minute."""
    times = [*range(TEN - HOUR_MS, TEN + 1, MINUTE_MS), *range(ONE, ONE + HOUR_MS + 1, MINUTE_MS)]
    return make_counter(times, count_with_outage)


def make_cloud(start: int, energies: Sequence[float], *, revision: int = 0) -> list[GatewayReading]:
    """Intervals of five minutes, three of each quarter hour's energy."""
    return make_inv(start, [wh / 3 for wh in energies for _ in range(3)], revision=revision)


async def roll(job: Rollups, rows: Sequence[GatewayReading]) -> None:
    """Let readings come in, and roll up all of them."""
    await job.store.write(rows)
    await job.catch_up()


async def read_home(store: Store, kind: str = "energy_15m", gateway: str = HOME) -> list[Point]:
    """The stored rows of a week around `MIDNIGHT`."""
    found = await store.read_points(gateway, kind, start=MIDNIGHT - 3 * DAY_MS, stop=MIDNIGHT + 4 * DAY_MS)
    return [*found[0].points] if found else []


async def read_measured(store: Store, gateway: str = HOME) -> list[tuple[str, object, list[Point]]]:
    """All that scrapers sent of a gateway."""
    return [
        (kind, series, points)
        for kind in KINDS
        for series, points in await store.read_points(gateway, kind, start=0, stop=10**14)
    ]


async def read_fields(store: Store, kind: str = "energy_15m") -> dict[int, dict[str, Any]]:
    """The fields of the stored rows of the gateway, by start."""
    return {row.timestamp: row.fields for row in await read_home(store, kind)}


def select_between(rows: Mapping[int, dict[str, Any]], start: int, stop: int) -> dict[int, dict[str, Any]]:
    """Those of [start, stop)."""
    return {time: fields for time, fields in rows.items() if start <= time < stop}
