"""What the roll-ups know of a local day, as PVOutput's statuses and sums need it: what was counted here."""

from collections.abc import Iterable
from datetime import date, timedelta

from receiver.calendar.local import find_midnight
from receiver.energy.site import NET, PRODUCTION
from receiver.outputs.pvoutput.statuses import DayRows
from receiver.rollups.energy import remove_fill
from receiver.rollups.series import read_counted, read_number
from receiver.sites.corrections import correct_series
from receiver.sites.model import Site
from receiver.stores.base import SeriesPoints, Store
from shared.units import QUARTER_MS

_DAY_FIELDS = {"e": "exported", "c": "load", "ip": "imported"}
"""Of `addoutput`: energy sold, used and bought. Netted as the site is billed, which no sum of statuses is."""
_WHOLE = 0.999


async def read_day_rows(store: Store, gateway: str, site: Site, day: date, start: int, stop: int) -> DayRows:
    """What make_statuses needs of a day for the quarter hours in [start, stop). Raises StoreUnavailableError."""
    midnight, end = find_midnight(day, site.zone), find_midnight(day + timedelta(days=1), site.zone)
    # An interval of 10 minutes may begin in the quarter hour before.
    first, last = max(midnight, start // QUARTER_MS * QUARTER_MS - QUARTER_MS), min(end, stop)
    energy = await store.read_points(gateway, "energy_15m", start=midnight, stop=last)
    minutes = await store.read_points(gateway, "site_1m", fields=("production", "load"), start=first, stop=last)
    volts = await store.read_points(gateway, "meter_1m", fields=("voltage",), start=first, stop=last)
    inverters = await store.read_points(gateway, "inverter", fields=("temperature",), start=first, stop=last)
    return DayRows(
        {time: fields for one in energy for time, fields in map(remove_fill, one.points)},
        {time: fields for one in minutes for time, fields in one.points},
        compute_voltages(correct_series(volts, site)),
        [
            (time, value)
            for one in inverters
            for time, fields in one.points
            if (value := read_number(fields, "temperature")) is not None
        ],
    )


def compute_voltages(series: Iterable[SeriesPoints]) -> dict[int, float]:
    """The mean voltage of the phases of the meter of production, or of the grid where there is none, by minute."""
    by_role: dict[str, dict[int, list[float]]] = {}
    for one in series:
        role = one.series.get_tag("meter")
        for time, fields in one.points:
            if (value := read_number(fields, "voltage")) is not None:
                by_role.setdefault(role, {}).setdefault(time, []).append(value)
    chosen = by_role.get(PRODUCTION) or by_role.get(NET) or {}
    return {time: sum(values) / len(values) for time, values in chosen.items()}


async def make_day(store: Store, gateway: str, site: Site, day: date) -> dict[str, str]:
    """The form of `addoutput` of a day; empty unless production and something more of all of it is known.

    Raises:
        StoreUnavailableError: Ask again later.
    """
    midnight = find_midnight(day, site.zone)
    found = await store.read_points(gateway, "energy_1d", start=midnight, stop=midnight + 1)
    row = found[0].points[0].fields if found else {}
    form = {"d": f"{day:%Y%m%d}"}
    for key, name in {"g": "production", **_DAY_FIELDS}.items():
        value, coverage = read_counted(row, name), read_number(row, f"{name}_coverage")
        if value is not None and (key == "g" or (coverage is not None and coverage >= _WHOLE)):
            form[key] = str(round(value))
    return form if "g" in form and len(form) > 2 else {}
