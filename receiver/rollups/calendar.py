"""Windows that follow the site's calendar, and their rows from the stored finer ones. Pure.

All energy rests on quarter hours of UTC. Every time zone of today is a whole number of them away from UTC, so a local
hour, day, week, month or year is made of whole quarter hours, whatever the zone, and days of 23 and 25 hours are
nothing special.
"""

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from zoneinfo import ZoneInfo

from receiver.energy.totals import total
from receiver.rollups.energy import MONEY, energy_fields, from_point, is_known, number
from receiver.rollups.panel_days import panel_day_rows
from receiver.sites.model import Site
from receiver.stores.base import Point
from shared.readings import FieldValue, Reading
from shared.units import HOUR_MS, QUARTER_MS

__all__ = ["FINER", "energy_rows", "fingerprint", "panel_day_rows", "windows"]

FINER: Mapping[str, str] = MappingProxyType({
    "energy_1h": "energy_15m",
    "energy_1d": "energy_15m",
    "energy_1w": "energy_1d",
    "energy_1mo": "energy_1d",
    "energy_1y": "energy_1mo",
    "energy_billing": "energy_1d",
    "panel_1d": "panel_15m",
})  # fmt: skip
"""Which stored kind each coarser one is the sum of."""

_NIGHT_ENDS = 6
_WELL_KNOWN = 0.99
"""A gap within a quarter hour has energy but no time: a mean over what is left would be too high."""
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LONGEST_DAYS = {
    "energy_1d": 1,
    "panel_1d": 1,
    "energy_1w": 7,
    "energy_1mo": 31,
    "energy_billing": 31,
    "energy_1y": 366,
}
"""So many days after the first day of a window is one of the next window."""


def windows(kind: str, start: int, stop: int, site: Site) -> list[int]:
    """The edges (UTC milliseconds) of every window that touches [start, stop), at least two.

    Args:
        kind: One of `ENERGY_KINDS`, or `panel_1d`.
        start: UTC milliseconds.
        stop: UTC milliseconds, after `start`.
        site: Whose time zone and billing day.

    Raises:
        ValueError: Nothing is in [start, stop), or the kind has no such windows.
    """
    if stop <= start:
        raise ValueError("there is no time between start and stop")
    if kind == "energy_15m":
        return list(range(start // QUARTER_MS * QUARTER_MS, -(-stop // QUARTER_MS) * QUARTER_MS + 1, QUARTER_MS))
    if kind == "energy_1h":
        edges = list(_hour_edges(start, stop, zone_of(site)))
    elif kind in _LONGEST_DAYS:
        edges = _date_edges(kind, start, stop, site)
    else:
        raise ValueError(f"{kind} has no windows of its own")
    return edges[bisect_right(edges, start) - 1 : bisect_left(edges, stop) + 1]


def energy_rows(kind: str, finer: Sequence[Point], site: Site, edges: Sequence[int]) -> list[Reading]:
    """One row of a coarser energy for each window between neighbouring edges in which something is known.

    Args:
        kind: A key of `FINER` that begins with "energy".
        finer: What is stored of the kind that it is the sum of, ascending, of all the time between the edges.
        site: Whose calendar.
        edges: UTC milliseconds, of `windows`.
    """
    rows = []
    for start, stop in pairwise(edges):
        inside = finer[bisect_left(finer, start, key=_time) : bisect_left(finer, stop, key=_time)]
        energy = total([from_point(point) for point in inside], start, stop)
        if is_known(energy):
            fields = energy_fields(energy) | _money(inside) | _told(kind, inside, start, zone_of(site))
            rows.append(Reading(kind, {}, start, fields))
    return rows


def fingerprint(site: Site) -> str:
    """Another text whenever the site's settings make other rows; what does not matter to them is not in it."""
    kept = site.model_dump(mode="json", include={"time_zone", "netting", "tariffs", "billing_day"})
    kept["meters"] = {meter: [told.role, sorted(told.reversed)] for meter, told in site.meters.items()}
    kept["panels"] = {serial: [panel.name, panel.array] for serial, panel in site.panels.items()}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def zone_of(site: Site) -> ZoneInfo:
    """Its time zone; UTC where none is given."""
    return ZoneInfo(site.time_zone or "UTC")


def _time(point: Point) -> int:
    return point.timestamp


def _local(time: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(time / 1000, UTC).astimezone(zone)


def _hour_edges(start: int, stop: int, zone: ZoneInfo) -> Iterator[int]:
    """Where an hour of the local clock begins, or the clock itself is put on or back, around [start, stop)."""
    before = None
    # No zone puts its clock on or back twice within the three hours that this looks back and ahead.
    for time in range(start // QUARTER_MS * QUARTER_MS - 3 * HOUR_MS, stop + 3 * HOUR_MS, QUARTER_MS):
        local = _local(time, zone)
        hour = (local.date(), local.hour, local.utcoffset())
        if before is not None and hour != before:
            yield time
        before = hour


def _date_edges(kind: str, start: int, stop: int, site: Site) -> list[int]:
    """Where the days, weeks, months or years begin, around [start, stop)."""
    zone = zone_of(site)
    first = _first_day(kind, _local(start, zone).date() - timedelta(days=1), site.billing_day)
    edges = [_midnight(first, zone)]
    while edges[-1] < stop:
        first = _first_day(kind, first + timedelta(days=_LONGEST_DAYS[kind]), site.billing_day)
        if (edge := _midnight(first, zone)) > edges[-1]:  # days have been left out of the calendar (Samoa, 2011)
            edges.append(edge)
    return edges


def _first_day(kind: str, day: date, billing_day: int) -> date:
    """The first day of the window that has this day."""
    match kind:
        case "energy_1w":
            return day - timedelta(days=day.weekday())
        case "energy_1mo":
            return day.replace(day=1)
        case "energy_1y":
            return day.replace(month=1, day=1)
        case "energy_billing":
            return (day if day.day >= billing_day else day.replace(day=1) - timedelta(days=1)).replace(day=billing_day)
        case _:
            return day


def _midnight(day: date, zone: ZoneInfo) -> int:
    """Where a local day begins; where the clock is put on at midnight, that is when it happens."""
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)


def _money(inside: Sequence[Point]) -> dict[str, FieldValue]:
    """The sums of what the finer windows cost."""
    found: dict[str, FieldValue] = {}
    for name in MONEY:
        known = [value for point in inside if (value := number(point.fields, name)) is not None]
        if known:
            found[name] = sum(known)
    return found


def _told(kind: str, inside: Sequence[Point], start: int, zone: ZoneInfo) -> dict[str, FieldValue]:
    """What days and months have beside their energy."""
    day = _local(start, zone).date()
    if kind == "energy_1mo":
        return {"year": f"{day.year:04}", "month": f"{day.month:02}"}
    if kind != "energy_1d":
        return {}
    year, week, weekday = day.isocalendar()
    nights = [load for point in inside if (load := _night_load(point, zone)) is not None]
    return {
        "week": f"{year:04}-W{week:02}",
        "weekday": f"{weekday} {_WEEKDAYS[weekday - 1]}",
        **({"base_load": min(nights)} if nights else {}),
    }


def _night_load(point: Point, zone: ZoneInfo) -> float | None:
    """The mean load (W) of a quarter hour before six in the morning, if it is known throughout."""
    load, coverage = number(point.fields, "load"), number(point.fields, "load_coverage")
    if load is None or coverage is None or coverage < _WELL_KNOWN or _local(point.timestamp, zone).hour >= _NIGHT_ENDS:
        return None
    return load / (coverage * QUARTER_MS / HOUR_MS)
