"""Selects, from the readings that InfluxDB answered, those that the question asks for. Pure."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping

from receiver.stores.base import Point
from receiver.stores.influxdb.influxql import Key
from shared.fields import MAX_GAP_MS
from shared.readings import FieldValue

_MANY = 100
_CLOSE_MS = 400


def pick_carriers(points: Iterable[Point], names: Collection[str]) -> list[Point]:
    """The readings that are the first, in the given order, to carry one of the fields."""
    missing = set(names)
    found = []
    for point in points:
        if not missing:
            break
        if not missing.isdisjoint(point.fields):
            found.append(point)
            missing -= point.fields.keys()
    return found


def merge_last_known(points: list[Point]) -> dict[str, FieldValue]:
    """The last known value of each field, from readings of which the newest is the first."""
    fields: dict[str, FieldValue] = {}
    for point in points:
        if point.timestamp < points[0].timestamp - MAX_GAP_MS:
            break
        fields = point.fields | fields
    return fields


def is_complete(points: list[Point], names: Collection[str]) -> bool:
    """Whether `merge_last_known` could learn nothing from readings before these, of which the newest is the first."""
    return points[-1].timestamp < points[0].timestamp - MAX_GAP_MS or merge_last_known(points).keys() >= set(names)


def is_dense(points: list[Point]) -> bool:
    """Whether a hundred readings or more, of which the newest is the first, come so closely as no gateway reports."""
    return len(points) >= _MANY and points[0].timestamp - points[-1].timestamp < len(points) * _CLOSE_MS


def keep_nearest(points: list[Point], names: Collection[str], start: int, stop: int) -> list[Point]:
    """The readings with `start` <= timestamp < `stop`, and of those around them the nearest that carry each field."""
    first = bisect_left(points, start, key=_get_time)
    beyond = bisect_left(points, stop, lo=first, key=_get_time)
    before = pick_carriers(reversed(points[:first]), names)
    return [*reversed(before), *points[first:beyond], *pick_carriers(points[beyond:], names)]


def group_by_time(times: Mapping[Key, int], distance_ms: int) -> list[list[Key]]:
    """Series in the order of their times, in groups in which no neighbours are further apart than the distance."""
    groups: list[list[Key]] = []
    last = None
    for key in sorted(times, key=times.__getitem__):
        if last is None or times[key] - last > distance_ms:
            groups.append([])
        groups[-1].append(key)
        last = times[key]
    return groups


def _get_time(point: Point) -> int:
    return point.timestamp
