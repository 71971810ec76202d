"""A household of round numbers, as readings: what its energy must be can be worked out by hand."""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from shared.readings import Reading
from tests.receiver.service import GATEWAY, Service

BERLIN = "Europe/Berlin"
HOUR = 3_600_000
STEP = 120_000
"""Between two readings: as long as lines may be."""
RATES = {"production": (1000.0, 0.0), "net-consumption": (300.0, 100.0), "storage": (50.0, 250.0)}
"""Wh an hour that each meter delivers and receives, both at once: counters of a minute do."""
SITES = f"""
"{GATEWAY}":
  name: Home
  time_zone: {BERLIN}
  billing_day: 15
  tariffs:
    - valid_from: "2020-01-01"
      rates: 0.5
      feed_in: 0.25
  panels:
    "482100000001": {{name: East 1, array: East, row: 1, column: 1, tilt: 30, rated_watts: 400}}
    "482100000002": {{name: East 2, array: East, row: 1, column: 2}}
    "482100000009": {{name: Shed, array: West}}
"""


def to_ms(text: str, zone: str = BERLIN) -> int:
    """Local time, e.g. 2025-03-30T12:00, in UTC milliseconds."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def make_counters(
    start: int, stop: int, *, meters: Iterable[str] = ("production", "net-consumption"), base: float = 1e6
) -> Iterator[Reading]:
    """The lifetime counters of one phase of some meters, which grow by `RATES`, with both ends."""
    for time in range(start, stop + 1, STEP):
        hours = (time - to_ms("2025-01-01T00:00")) / HOUR
        for meter in meters:
            delivered, received = RATES[meter]
            fields: dict[str, float | str] = {
                "delivered": base + delivered * hours,
                "received": base + received * hours,
            }
            yield Reading("meter_energy", {"meter": meter, "phase": "a"}, time, fields)


def make_reports(inverter: str, start: int, stop: int, power: float) -> Iterator[Reading]:
    """An inverter that reports every five minutes that it gave the same power, from `start` to `stop`."""
    for time in range(start + 300_000, stop + 1, 300_000):
        fields: dict[str, float | str] = {"power": power, "max_power": 300.0, "interval": 300.0}
        yield Reading("inverter", {"inverter": inverter}, time, fields)


async def fill(service: Service, readings: Iterable[Reading], *, now: int) -> None:
    """Send readings, the clock standing at `now`, and roll them up."""
    service.clock.ms = now
    rows = list(readings)
    for first in range(0, len(rows), 500):
        verdict = await service.send(*rows[first : first + 500])
        assert verdict.rejected == []
    await service.receiver.rollups.catch_up()


def write_sites_file(folder: Path, text: str = SITES) -> Path:
    """A sites file with that text."""
    path = folder / "sites.yaml"
    path.write_text(text)
    return path


async def ask_all(service: Service, *paths: str) -> list[Any]:
    """What a gateway's routes answer, as JSON."""
    found = await asyncio.gather(*(service.get(f"/api/v1/gateways/{GATEWAY}{path}") for path in paths))
    assert [answer.status_code for answer in found] == [200] * len(paths), [answer.text for answer in found]
    return [answer.json() for answer in found]
