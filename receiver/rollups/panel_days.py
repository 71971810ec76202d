"""`panel_1d`: what each panel made of a day, its peers on it, and how long its inverter stood at its limit. Pure.

`max_power` is the highest mean that the gateway has ever seen of an inverter, not a rating: for a panel that never
reaches its inverter's limit it is only its best moment. It is taken for the limit where at least `_SHARED_BY` inverters
of the site have the same, within `_SAME`: inverters of one type stop at one power, while best moments differ. At the
limit is an inverter in at least two reports in a row; one alone may be the top of an ordinary curve.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from receiver.energy.counters import compute_counter_energy
from receiver.energy.peers import PeerValue, compute_median_of_peers
from receiver.energy.shapes import group_by_shape
from receiver.energy.windows import cut_by_window
from receiver.rollups.panels import NO_ARRAY, Inverter, list_inverters
from receiver.rollups.series import REPORT_GAP_MS, has_samples_around, read_number, select_samples
from receiver.sites.model import Site
from receiver.stores.base import Point, SeriesPoints
from shared.readings import FieldValue, Reading
from shared.units import MINUTE_MS, QUARTER_MS

_SHARED_BY = 3
_SAME = 0.01
_FEWEST_REPORTS = 2


class _InverterDay(NamedTuple):
    """One inverter on one day; None is unknown."""

    inverter: Inverter
    coverage: float
    energy: float | None
    peak: float | None
    limit: float | None
    at_limit_ms: int
    times: Sequence[int]


def make_panel_day_rows(
    panel_15m: Sequence[SeriesPoints], inverter: Sequence[SeriesPoints], site: Site, boundaries: Sequence[int]
) -> list[Reading]:
    """One row for each panel and day that has quarter hours.

    Args:
        panel_15m: What is stored of the quarter hours of all panels between the boundaries.
        inverter: The reports of that time, with neighbours on both sides.
        site: Names and arrays.
        boundaries: Of local days, UTC milliseconds.
    """
    quarters: dict[str, list[Point]] = {}
    for series, points in panel_15m:
        quarters.setdefault(series.get_tag("inverter"), []).extend(points)
    highest = {series.get_tag("inverter"): select_samples(points, "max_power") for series, points in inverter}
    rows = []
    everybody = list_inverters(inverter, site)
    for start, stop in pairwise(boundaries):
        here = {
            one.serial: inside
            for one in everybody
            if (inside := [point for point in quarters.get(one.serial, ()) if start <= point.timestamp < stop])
        }
        days = [
            _compute_day(one, here[one.serial], highest.get(one.serial, ()), start, stop)
            for one in everybody
            if one.serial in here
        ]
        groups = _find_groups(days, here)
        rows += [Reading("panel_1d", day.inverter.tags, start, _make_row(day, days, groups)) for day in days]
    return rows


def _compute_day(
    inverter: Inverter, quarters: Iterable[Point], highest: Iterable[tuple[int, float]], start: int, stop: int
) -> _InverterDay:
    distinct = list({point.timestamp: point.fields for point in quarters}.values())
    known = [energy for fields in distinct if (energy := read_number(fields, "energy")) is not None]
    energy = sum(known) if known else None
    if has_samples_around(inverter.counter, start, stop):  # knows what flowed in the gaps of the day, too
        energy = compute_counter_energy(inverter.counter, start, stop, REPORT_GAP_MS, inverter.possible, wraps=True).wh
    covered_ms = sum(read_number(fields, "coverage") or 0.0 for fields in distinct) * QUARTER_MS
    ((_, _, means),) = cut_by_window(inverter.power, (start, stop))
    limit = max((power for time, power in highest if start <= time < stop), default=None)
    return _InverterDay(
        inverter,
        coverage=covered_ms / (stop - start),
        energy=energy,
        peak=max((mean.last for mean in means), default=None),
        limit=limit,
        at_limit_ms=0
        if limit is None
        else _measure_at_limit_ms([(mean.last, mean.stop - mean.start) for mean in means], limit),
        times=[time for time in inverter.times if start <= time < stop],
    )


def _measure_at_limit_ms(means: Iterable[tuple[float, int]], limit: float) -> int:
    """The time of the means (W, ms) that are at the limit, at least two in a row."""
    runs = groupby(means, key=lambda mean: mean[0] >= limit * (1 - _SAME))
    lengths = [[length for _, length in run] for is_at_limit, run in runs if is_at_limit]
    return sum(sum(run) for run in lengths if len(run) >= _FEWEST_REPORTS)


def _is_limit(day: _InverterDay, everybody: Iterable[_InverterDay]) -> bool:
    """Whether the highest power ever seen is that of several inverters, and so their limit."""
    limit = day.limit
    if not limit:
        return False
    same = [other for other in everybody if other.limit is not None and abs(other.limit - limit) <= limit * _SAME]
    return len(same) >= _SHARED_BY


def _find_groups(days: Iterable[_InverterDay], quarters: Mapping[str, Sequence[Point]]) -> dict[str, str]:
    """Whose peers each panel is among: of its array; without one, of those whose day has the same shape.

    Panels that are absent have no peers that are known.
    """
    without = [day.inverter.serial for day in days if day.inverter.array == NO_ARRAY]
    profiles = {
        serial: {
            time: power for time, fields in quarters[serial] if (power := read_number(fields, "power")) is not None
        }
        for serial in without
    }
    arrays = {day.inverter.serial: day.inverter.array for day in days if day.inverter.array != NO_ARRAY}
    groups = group_by_shape(profiles)
    if len(set(groups.values())) == 1:  # one roof: also of those that are silent or report too little to tell
        groups = dict.fromkeys(without, 0)
    return arrays | {serial: f"{NO_ARRAY}{number}" for serial, number in groups.items()}


def _make_row(day: _InverterDay, everybody: Sequence[_InverterDay], groups: Mapping[str, str]) -> dict[str, FieldValue]:
    group = groups.get(day.inverter.serial)
    peers = None
    if group is not None:
        known = ((other.inverter.serial, groups.get(other.inverter.serial), other.energy) for other in everybody)
        peers = compute_median_of_peers((PeerValue(*one) for one in known), day.inverter.serial, group)
    numbers: Mapping[str, float | None] = {
        "coverage": day.coverage,
        "energy": day.energy,
        "peak": day.peak,
        "peers": peers,
        "ratio": day.energy / peers if peers and day.energy is not None else None,
        "clipping_minutes": day.at_limit_ms / MINUTE_MS if _is_limit(day, everybody) else 0.0,
        "reports": float(len(day.times)),
        "last_report": float(day.times[-1]) if day.times else None,
    }
    return {name: value for name, value in numbers.items() if value is not None}
