"""Rows of coarser energy windows from the stored finer ones, and what of a site makes them. Pure."""

import hashlib
import json
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from zoneinfo import ZoneInfo

from receiver.calendar.local import to_local
from receiver.energy.totals import sum_windows
from receiver.rollups.energy import MONEY, from_point, is_known, make_energy_fields
from receiver.rollups.series import read_number
from receiver.sites.model import Site
from receiver.stores.base import Point
from shared.readings import FieldValue, Reading
from shared.units import HOUR_MS, QUARTER_MS

_NIGHT_ENDS = 6
_WELL_KNOWN = 0.99
"""A gap within a quarter hour has energy but no time: a mean over what is left would be too high."""
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def make_energy_rows(
    kind: str, finer: Sequence[Point], site: Site, boundaries: Sequence[int], *, gateway: str | None = None
) -> list[Reading]:
    """One row of a coarser energy for each window between neighbouring boundaries in which something is known.

    Args:
        kind: A kind of energy that has a finer one.
        finer: What is stored of the kind that it is the sum of, ascending, of all the time between the boundaries.
        site: Its calendar.
        boundaries: UTC milliseconds, of `Site.list_windows`.
        gateway: The serial that stored days name; None for rows that nobody stores.
    """
    label = {"label": make_label(gateway, site)} if gateway is not None and kind == "energy_1d" else {}
    rows = []
    for start, stop in pairwise(boundaries):
        inside = finer[bisect_left(finer, start, key=_get_time) : bisect_left(finer, stop, key=_get_time)]
        energy = sum_windows([from_point(point) for point in inside], start, stop)
        if is_known(energy):
            fields = (
                make_energy_fields(energy)
                | _sum_money(inside)
                | _describe_dates_and_nights(kind, inside, start, site)
                | label
            )
            rows.append(Reading(kind, {}, start, fields))
    return rows


def make_label(gateway: str, site: Site) -> str:
    """How lists for people name a gateway: "Home (122300001234)", or the serial alone."""
    return f"{site.name} ({gateway})" if site.name else gateway


def make_fingerprint(site: Site) -> str:
    """A text that differs whenever the site's settings make other rows, and only then."""
    kept = site.model_dump(mode="json", include={"name", "time_zone", "netting", "tariffs", "currency", "billing_day"})
    kept["meters"] = {
        meter: [correction.role, sorted(correction.reversed)] for meter, correction in site.meters.items()
    }
    kept["panels"] = {serial: [panel.name, panel.array] for serial, panel in site.panels.items()}
    if site.cloud is not None:  # of other sites nothing is to be computed again because there may be one
        kept["cloud"] = site.cloud
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def _get_time(point: Point) -> int:
    return point.timestamp


def _sum_money(inside: Sequence[Point]) -> dict[str, FieldValue]:
    """The sums of what the finer windows cost."""
    found: dict[str, FieldValue] = {}
    for name in MONEY:
        known = [value for point in inside if (value := read_number(point.fields, name)) is not None]
        if known:
            found[name] = sum(known)
    return found


def _describe_dates_and_nights(kind: str, inside: Sequence[Point], start: int, site: Site) -> dict[str, FieldValue]:
    """What days and months have beside their energy."""
    zone = site.zone
    day = to_local(start, zone).date()
    if kind == "energy_1mo":
        return {"year": f"{day.year:04}", "month": f"{day.month:02}"}
    if kind != "energy_1d":
        return {}
    year, week, weekday = day.isocalendar()
    nights = [load for point in inside if (load := _compute_night_load(point, zone)) is not None]
    return {
        "week": f"{year:04}-W{week:02}",
        "weekday": f"{weekday} {_WEEKDAYS[weekday - 1]}",
        "time_zone": zone.key,
        **({"currency": site.currency} if site.currency else {}),
        **({"base_load": min(nights)} if nights else {}),
    }


def _compute_night_load(point: Point, zone: ZoneInfo) -> float | None:
    """The mean load (W) of a quarter hour before six in the morning, if it is known throughout."""
    load, coverage = read_number(point.fields, "load"), read_number(point.fields, "load_coverage")
    if (
        load is None
        or coverage is None
        or coverage < _WELL_KNOWN
        or to_local(point.timestamp, zone).hour >= _NIGHT_ENDS
    ):
        return None
    return load / (coverage * QUARTER_MS / HOUR_MS)
