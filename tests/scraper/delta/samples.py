"""Readings for the tests of the deltas, and what a reader of the store sees between the stored points."""

from collections.abc import Iterable, Mapping

from shared.readings import FieldValue, Reading


def make_meter(timestamp: int, *, phase: str = "a", **fields: float) -> Reading:
    """A sample of the production meter at `timestamp` (ms)."""
    return Reading(kind="meter", tags={"meter": "production", "phase": phase}, timestamp=timestamp, fields=dict(fields))


def make_inverter(serial: str, timestamp: int, **fields: float) -> Reading:
    """A report of inverter `serial` at report date `timestamp` (ms)."""
    return Reading(kind="inverter", tags={"inverter": serial}, timestamp=timestamp, fields=dict(fields))


def make_energy(timestamp: int, *, meter: str = "production", phase: str = "a", **fields: float) -> Reading:
    """Lifetime counters of one phase at `timestamp` (ms)."""
    return Reading(kind="meter_energy", tags={"meter": meter, "phase": phase}, timestamp=timestamp, fields=dict(fields))


def merge(readings: Iterable[Reading]) -> dict[tuple[object, int], dict[str, FieldValue]]:
    """The store after `readings`: fields by identity. Fails if one identity got two values for one field."""
    store: dict[tuple[object, int], dict[str, FieldValue]] = {}
    for reading in readings:
        point = store.setdefault((reading.series, reading.timestamp), {})
        for name, value in reading.fields.items():
            assert name not in point, f"{name} of {reading.series} at {reading.timestamp} went out twice"
            point[name] = value
    return store


def interpolate(points: Mapping[int, float], timestamp: int) -> float:
    """The straight line between the stored points around `timestamp`."""
    if timestamp in points:
        return points[timestamp]
    before = max(stamp for stamp in points if stamp < timestamp)
    after = min(stamp for stamp in points if stamp > timestamp)
    share = (timestamp - before) / (after - before)
    return points[before] + (points[after] - points[before]) * share
