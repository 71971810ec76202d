"""CPU that the roll-ups of one quarter hour take, beside the CPU that decoding the same readings takes.

    python -m benchmarks.rollups

The heaviest quarter hour there is: nine meter series that report every field every second, with their counters, and 24
inverters. Exception reporting leaves a fraction of it. Both figures are the best of several runs in one process, so
their ratio depends little on the machine.
"""

import random
import sys
import time
from collections.abc import Callable

from receiver.rollups.compute import RawSeries, make_quarter_rows
from receiver.sites import NO_SITE
from receiver.stores.base import Point, SeriesPoints
from shared.fields import KINDS
from shared.readings import Reading, Series
from shared.units import MINUTE_MS, QUARTER_MS
from shared.wire import decode_reading, encode_reading

START = 1_717_999_200_000
RUNS = 15
PROMISE = 10.0
METERS = [(meter, phase) for meter in ("production", "net-consumption", "total-consumption") for phase in "abc"]


def make_quarter_hour(chance: random.Random) -> list[Reading]:
    """Its readings, with one beyond both ends."""
    readings = []
    for meter, phase in METERS:
        tags = {"meter": meter, "phase": phase}
        for timestamp in range(START - 1000, START + QUARTER_MS + 1, 1000):
            fields = {name: round(chance.uniform(-5000, 5000), 3) for name in KINDS["meter"].fields}
            readings.append(Reading("meter", tags, timestamp, {**fields}))
        for minute in range(-1, 16):
            counted = {"delivered": 1e6 + 50.0 * minute, "received": 1e4 + 20.0 * minute}
            readings.append(Reading("meter_energy", tags, START + minute * MINUTE_MS + 500, {**counted}))
    for number in range(24):
        for report in range(-1, 4):
            timestamp = START + report * 5 * MINUTE_MS + number * 7000
            fields = {"power": float(chance.randint(100, 290)), "max_power": 290.0}
            readings.append(Reading("inverter", {"inverter": f"4823{number:08}"}, timestamp, {**fields}))
    return readings


def to_raw_series(readings: list[Reading]) -> RawSeries:
    """As a store gives them."""
    found: dict[Series, list[Point]] = {}
    for reading in readings:
        found.setdefault(reading.series, []).append(Point(reading.timestamp, reading.fields))
    series = [SeriesPoints(key, found[key]) for key in sorted(found)]
    return RawSeries(*([entry for entry in series if entry.series.kind == kind] for kind in RawSeries._fields))


def measure_best(work: Callable[[], object]) -> float:
    """Seconds of CPU of the fastest of several runs."""
    times = []
    for _ in range(RUNS):
        before = time.process_time()
        work()
        times.append(time.process_time() - before)
    return min(times)


def main() -> int:
    """Measure, print, and say with the exit code whether the promise is kept."""
    readings = make_quarter_hour(random.Random(4))
    raw, wire = to_raw_series(readings), [encode_reading(reading) for reading in readings]
    decoding = measure_best(lambda: [decode_reading(data) for data in wire])
    rolling = measure_best(lambda: make_quarter_rows(raw, NO_SITE, START, START + QUARTER_MS))
    ratio = rolling / decoding
    print(f"readings of the quarter hour  {len(readings):8,}")
    print(f"decoding them                 {decoding * 1000:8.1f} ms of CPU")
    print(f"rolling them up               {rolling * 1000:8.1f} ms of CPU")
    print(f"ratio                         {ratio:8.2f} (at most {PROMISE})")
    return 0 if ratio <= PROMISE else 1


if __name__ == "__main__":
    sys.exit(main())
