"""The time both stores take to answer, over the same history of one house.

    python -m benchmarks.queries

Thirty inverters that report every quarter of an hour by day, for DAYS days (default 400); one day of raw readings of
three phases, one a second, stored by exception (power, apparent power and current each second, all seven fields each
minute). A real InfluxDB and a SQLite file on this machine; each question is asked in turn of both, several times, and
the median is printed. The answers are compared: they must be the same.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from receiver.stores.base import GatewayReading, Store
from receiver.stores.influxdb import InfluxStore
from receiver.stores.sqlite import SqliteStore
from shared.readings import FieldValue, Reading
from tests.influxd.server import ADMIN_TOKEN, ORG, run_influxd

DAYS = int(os.environ.get("DAYS", "400"))
TURNS = 7
GATEWAY = "122300001234"
INVERTERS = [f"4821000000{n:02}" for n in range(30)]
PHASE = {"meter": "net-consumption", "phase": "a"}
SECOND, QUARTER, HOUR, DAY = 1_000, 900_000, 3_600_000, 86_400_000
WRITE_ROWS = 5_000

Question = Callable[[Store], Awaitable[object]]


def make_history(now: int) -> Iterator[GatewayReading]:
    """Everything that is stored, in the order of time for each kind."""
    random = Random(1)
    for time_ms in range(now - DAYS * DAY, now, QUARTER):
        if 6 <= time_ms % DAY // HOUR < 20 or now - time_ms <= HOUR:
            for number, serial in enumerate(INVERTERS):
                fields: dict[str, FieldValue] = {"power": float(random.randrange(300)), "max_power": 300.0}
                yield GatewayReading(
                    GATEWAY, Reading("inverter", {"inverter": serial}, time_ms + number * SECOND, fields)
                )
    for second in range(86_400):
        for phase in "abc":
            fields = {name: random.uniform(0, 3000) for name in ("power", "apparent_power", "current")}
            if second % 60 == 0:
                fields |= {"reactive_power": 10.0, "voltage": 230.1, "power_factor": 0.98, "frequency": 50.01}
            tags = {"meter": "net-consumption", "phase": phase}
            yield GatewayReading(GATEWAY, Reading("meter", tags, now - DAY + second * SECOND, fields))


def list_questions(now: int) -> dict[str, Question]:
    """The most frequent questions."""
    month = partial(read_points, kind="inverter", tags={"inverter": INVERTERS[7]}, start=now - 30 * DAY, stop=now)
    day = partial(read_points, kind="meter", tags=PHASE, start=now - DAY, stop=now)
    return {
        "latest of 30 inverters": lambda store: store.read_latest(GATEWAY, "inverter"),
        "latest of 3 phases": lambda store: store.read_latest(GATEWAY, "meter"),
        "a day of raw power of one phase": partial(day, fields=["power"], neighbours=True),
        "a day of all raw fields of one phase": day,
        "a month of one panel": partial(month, fields=["power"]),
        "a month of one panel, with neighbours": partial(month, fields=["power"], neighbours=True),
        "the gateways": list_without_first,
    }


async def read_points(store: Store, **question: Any) -> object:
    """As `Store.read_points`, of this house."""
    return await store.read_points(GATEWAY, **question)


async def list_without_first(store: Store) -> object:
    """The gateways without the time of their oldest reading, which only one store knows."""
    return [(summary.gateway, summary.last_timestamp, summary.series) for summary in await store.list_gateways()]


async def fill(store: Store, now: int) -> int:
    """Write the history; the number of its readings."""
    total, rows = 0, []
    for row in make_history(now):
        rows.append(row)
        if len(rows) == WRITE_ROWS:
            await store.write(rows)
            total, rows = total + len(rows), []
    await store.write(rows)
    return total + len(rows)


async def measure(stores: dict[str, Store], now: int) -> None:
    """Fill both, ask both, print."""
    for name, store in stores.items():
        await store.open()
        began = time.perf_counter()
        total = await fill(store, now)
        print(f"{name}: {total:,} readings written in {time.perf_counter() - began:.0f} s")
    print(f"{'milliseconds, median of ' + str(TURNS):<40}" + "".join(f"{name:>10}" for name in stores))
    for text, ask in list_questions(now).items():
        took: dict[str, list[float]] = {name: [] for name in stores}
        for _ in range(TURNS):
            answers = []
            for name, store in stores.items():
                began = time.perf_counter()
                answers.append(await ask(store))
                took[name].append((time.perf_counter() - began) * 1000)
            if answers[0] != answers[1]:
                raise SystemExit(f"{text}: the stores do not answer the same")
        print(f"{text:<40}" + "".join(f"{statistics.median(times):>10.1f}" for times in took.values()))
    for store in stores.values():
        await store.close()


def main() -> None:
    """Run it in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, run_influxd(Path(folder) / "influxd") as server:
        for name in ("envoy", "envoy_live"):
            server.make_bucket(name)
        stores: dict[str, Store] = {
            "SQLite": SqliteStore(Path(folder) / "state" / "readings.db"),
            "InfluxDB": InfluxStore(server.url, ORG, ADMIN_TOKEN, "envoy", "envoy_live"),
        }
        asyncio.run(measure(stores, time.time_ns() // 1_000_000 // QUARTER * QUARTER))


if __name__ == "__main__":
    main()
