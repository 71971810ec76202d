"""Pretend households for the roll-up job, and what their roll-ups must be: those of a computation from scratch."""

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from receiver.rollups.catch_up import catch_up
from receiver.rollups.job import Rollups
from receiver.sites.model import NO_SITE, Site
from receiver.stores.base import GatewayReading, Store
from receiver.stores.kinds import DERIVED
from receiver.stores.sqlite import SqliteStore
from shared.fields import KINDS
from shared.readings import Reading, Series
from tests.clocks import SetClock

HOUSE, SHED = "122200000001", "122200000002"
HOUR = 3_600_000
QUARTER = 900_000
MINUTE = 60_000
MIDNIGHT = 1_743_289_200_000
"""Midnight in Berlin before the night in which the clocks went forward, 30 March 2025."""
COMPUTED = [kind for kind in DERIVED if kind != "delivery"]
FAR = 10**14
Rows = dict[tuple[str, Series, int], dict[str, float | str]]


class Sites:
    """A sites file that tests change."""

    def __init__(self, **sites: Site) -> None:
        self.sites: dict[str, Site] = {}

    def get_site(self, serial: str) -> Site:
        return self.sites.get(serial, NO_SITE)


def make_house(
    start: int, stop: int, gateway: str = HOUSE, *, step: int = 30_000, storage: bool = False, seed: int = 1
) -> list[GatewayReading]:
    """Readings of [start, stop): two phases, three inverters, counters, in the order of their times.

    The value at a time depends on nothing but the time, so two stretches fit together.
    """
    meters = ["production", "net-consumption", *(["storage"] if storage else [])]
    rows: list[Reading] = []
    for time in range(-(-start // step) * step, stop, step):
        for number, meter in enumerate(meters):
            for phase in "ab":
                power = _make_power(time, meter, phase, seed)
                fields: dict[str, float | str] = {"power": power, "voltage": 230.0 + power / 1000}
                tags = {"meter": meter, "phase": phase}
                rows.append(Reading("meter", tags, time + number, fields))
                if time % MINUTE == 0:
                    hours = (time - MIDNIGHT) / HOUR + 1e5
                    rate = 700.0 + 100 * number
                    counters: dict[str, float | str] = {"delivered": rate * hours, "received": 50.0 * hours}
                    rows.append(Reading("meter_energy", tags, time + number, counters))
    for index in range(3):
        serial = f"4821000000{index}"
        for time in range(start // 300_000 * 300_000 + index * 7_000, stop, 300_000):
            if time >= start:
                power = max(0.0, 200 + 50 * math.sin(time / 5e6 + index)) if index < 2 else 150.0
                rows.append(Reading("inverter", {"inverter": serial}, time, {"power": power, "interval": 300.0}))
    for time in range(-(-start // 300_000) * 300_000, stop, 300_000):
        energy = 2000.0 * ((time - MIDNIGHT) / HOUR + 1e5)
        rows.append(Reading("production", {"source": "pdm"}, time, {"power": 2000.0, "energy_lifetime": energy}))
    return [GatewayReading(gateway, row) for row in sorted(rows, key=lambda row: row.timestamp)]


def _make_power(time: int, meter: str, phase: str, seed: int) -> float:
    noise = random.Random(f"{time} {meter} {phase} {seed}").uniform(-300, 300)
    return {"production": 1000.0, "net-consumption": 0.0, "storage": 200.0}[meter] + noise


def cut_into_batches(rows: Sequence[GatewayReading], size: int = 500) -> Iterable[Sequence[GatewayReading]]:
    return (rows[first : first + size] for first in range(0, len(rows), size))


async def read_derived(store: Store, gateways: Iterable[str] = (HOUSE, SHED)) -> dict[str, Rows]:
    """Every computed row in a store, by gateway."""
    return {
        gateway: {
            (kind, series, point.timestamp): point.fields
            for kind in COMPUTED
            for series, points in await store.read_points(gateway, kind, start=0, stop=FAR)
            for point in points
        }
        for gateway in gateways
    }


async def take_steps(steps: Iterable[str], job: Rollups, make_job: Callable[[], Rollups], clock: SetClock) -> Rollups:
    """Passes of the job, quarter hours of waiting, and restarts; the job that runs afterwards."""
    for step in steps:
        if step == "pass":
            await job.run_once(seconds=60)
        elif step == "wait":
            clock.ms += QUARTER
        else:
            await job.close()
            job = make_job()
    return job


async def compute_from_scratch(store: Store, sites: Sites, clock: SetClock, folder: Path) -> dict[str, Rows]:
    """What a receiver computes that finds these readings at its first start."""
    fresh = SqliteStore(folder / "scratch.sqlite")
    await fresh.open()
    try:
        for gateway in (HOUSE, SHED):
            for kind in KINDS:
                for series, points in await store.read_points(gateway, kind, start=0, stop=FAR):
                    rows = [Reading(kind, dict(series.tags), *point) for point in points]
                    await fresh.write([GatewayReading(gateway, row) for row in rows])
        await catch_up(fresh, site_of=sites.get_site, clock=clock, state_dir=folder)
        return await read_derived(fresh)
    finally:
        await fresh.close()


def find_differences(left: Mapping[str, Rows], right: Mapping[str, Rows]) -> list[str]:
    """Sentences about rows that are not the same; empty if all are, bit for bit."""
    return [
        f"{gateway} {key}: {left[gateway].get(key)} != {right[gateway].get(key)}"
        for gateway in sorted(left)
        for key in sorted(left[gateway].keys() | right[gateway].keys())
        if left[gateway].get(key) != right[gateway].get(key)
    ]


def make_reading(gateway: str, timestamp: int) -> GatewayReading:
    fields: dict[str, float | str] = {"power": 100.0, "interval": 300.0}
    return GatewayReading(gateway, Reading("inverter", {"inverter": "1"}, timestamp, fields))
