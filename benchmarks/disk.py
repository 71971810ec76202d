"""The space that a day of a house takes on disk, in SQLite and in InfluxDB, raw and rolled up; and a forecast of years.

    python -m benchmarks.disk [DAYS] [PROFILE]

The simulated house is read once a second through the scraper's own parsers and delta detection, stored, and rolled up
by the receiver's own job. Raw meter readings, everything else that scrapers send, the roll-ups without minutes, and the
minutes are measured one after the other. InfluxDB is left alone until it has compacted what it holds; SQLite has
emptied its journal into the file. What the scraper says of itself (a reading a minute) is not in it. The promises are
of the profile firmware-8; the exit status is 1 if one is not kept.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from receiver.rollups.catch_up import catch_up
from receiver.sites.model import Site
from receiver.stores.base import GatewayReading, Store
from receiver.stores.influxdb import InfluxStore
from receiver.stores.kinds import HOURS_OF, KEPT_WITHOUT_LIMIT
from receiver.stores.sqlite import SqliteStore
from shared.clock import SystemClock
from shared.units import DAY_S
from simulator.profiles import find_profile
from standalone import history
from tests.influxd.server import ADMIN_TOKEN, ORG, run_influxd

BATCH = 5000
YEAR_DAYS = 365
METER_DAYS, MINUTE_DAYS = 90, 60
"""As a receiver keeps them that nobody told otherwise."""
PROMISED_MB = {"SQLite": (700, 250), "InfluxDB": (400, 200)}
"""After the first year, and more each further year."""
NO_MINUTES: Mapping[str, int | None] = dict.fromkeys(HOURS_OF, 1)
"""A retention with which minutes are not even made."""
SETTLED_S = 15.0
COMPACT_SOON = (
    "--storage-cache-snapshot-write-cold-duration=2s",
    "--storage-compact-full-write-cold-duration=5s",
)


class Sizes(NamedTuple):
    """Bytes after each step."""

    raw_meter: int
    raw_other: int
    rolled_up: int
    minutes: int


def main() -> None:
    """Measure and print."""
    days = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    profile = sys.argv[2] if len(sys.argv) > 2 else "firmware-8"
    live = history.Density(meters_s=1, counters_s=60)
    stop = int(time.time()) // DAY_S * DAY_S
    place = history.HouseSettings(profile, 7, stop - days * DAY_S, 0)
    rows = [
        row for piece in history.Past(place, live, live).make_pieces(stop - round(days * DAY_S), stop) for row in piece
    ]
    serial = find_profile(profile).serial
    meter = [GatewayReading(serial, row) for row in rows if row.kind == "meter"]
    other = [GatewayReading(serial, row) for row in rows if row.kind != "meter"]
    inverters = len({tuple(row.reading.tags.items()) for row in other if row.reading.kind == "inverter"})
    print(f"{profile}: {inverters} inverters; a day has {len(meter) / days:,.0f} meter readings, "
          f"{len(other) / days:,.0f} others")  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        kept = [show(store, sizes, days) for store, sizes in measure(Path(name), meter, other)]
    if not all(kept):
        sys.exit(1)


def measure(folder: Path, meter: list[GatewayReading], other: list[GatewayReading]) -> Iterator[tuple[str, Sizes]]:
    """The sizes in each store."""
    file = folder / "readings.sqlite"
    for state in ("a", "b"):
        for step in ("without", "with"):
            (folder / state / step).mkdir(parents=True)

    def measure_sqlite() -> int:
        return sum(map(measure_file, folder.glob("readings.sqlite*")))

    yield (
        "SQLite",
        asyncio.run(
            fill(lambda kept: SqliteStore(file, retention_ms=kept), meter, other, measure_sqlite, folder / "a")
        ),
    )
    with run_influxd(folder / "influxd", *COMPACT_SOON) as server:
        server.make_bucket("envoy")
        server.make_bucket("envoy_live")

        def measure_influxdb() -> int:
            return measure_settled(folder / "influxd" / "engine")

        def store(kept: Mapping[str, int | None]) -> InfluxStore:
            return InfluxStore(server.url, ORG, ADMIN_TOKEN, "envoy", "envoy_live", retention_ms=kept)

        yield "InfluxDB", asyncio.run(fill(store, meter, other, measure_influxdb, folder / "b"))


async def fill(
    make: Callable[[Mapping[str, int | None]], Store],
    meter: list[GatewayReading],
    other: list[GatewayReading],
    size: Callable[[], int],
    state: Path,
) -> Sizes:
    """Store in four steps; the store is closed for each look at its files."""
    sizes = []

    async def roll_up(store: Store, step: str) -> None:
        await catch_up(store, site_of=lambda _: Site(), clock=SystemClock(), state_dir=state / step)

    steps: tuple[tuple[Mapping[str, int | None], Callable[[Store], Awaitable[None]]], ...] = (
        (NO_MINUTES, lambda store: write(store, meter)),
        (NO_MINUTES, lambda store: write(store, other)),
        (NO_MINUTES, lambda store: roll_up(store, "without")),
        (KEPT_WITHOUT_LIMIT, lambda store: roll_up(store, "with")),
    )
    for retention, step in steps:
        store = make(retention)
        await store.open()
        try:
            await step(store)
        finally:
            await store.close()
        sizes.append(size())
    return Sizes(*sizes)


async def write(store: Store, rows: list[GatewayReading]) -> None:
    """All of them."""
    for first in range(0, len(rows), BATCH):
        if await store.write(rows[first : first + BATCH]):
            raise RuntimeError("the store refused readings")


def measure_file(path: Path) -> int:
    """Bytes that a file really takes: InfluxDB makes some files large and leaves them empty."""
    return path.stat().st_blocks * 512


def measure_settled(folder: Path) -> int:
    """Size of the files, once they have not changed for a while: the log is emptied, files are merged."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < SETTLED_S:
        size = sum(measure_file(path) for path in folder.rglob("*") if path.is_file())
        if size != last:
            last, since = size, time.monotonic()
        time.sleep(0.5)
    return last


def show(store: str, sizes: Sizes, days: float) -> bool:
    """One line of numbers and one forecast; whether it is as promised."""
    raw = sizes.raw_meter / days
    other = (sizes.raw_other - sizes.raw_meter) / days
    rolled = (sizes.rolled_up - sizes.raw_other) / days
    minutes = (sizes.minutes - sizes.rolled_up) / days
    further = YEAR_DAYS * (other + rolled) / 1e6
    first_year = further + (METER_DAYS * raw + MINUTE_DAYS * minutes) / 1e6
    most_first, most_further = PROMISED_MB[store]
    print(
        f"{store}: raw meter {raw / 1e6:.2f} MB a day, other readings {other / 1e6:.2f}, minutes {minutes / 1e6:.2f}, "
        f"other roll-ups {rolled / 1e6:.2f}; with {METER_DAYS} days of raw meter readings and {MINUTE_DAYS} of minutes "
        f"{first_year:,.0f} MB after a year (promised: {most_first}), "
        f"{further:,.0f} MB more each further year (promised: {most_further}); "
        f"all kept: {YEAR_DAYS * (raw + other + rolled + minutes) / 1e6:,.0f} MB a year"
    )
    return first_year <= most_first and further <= most_further


if __name__ == "__main__":
    main()
