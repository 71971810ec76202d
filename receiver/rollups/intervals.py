"""Quarter hours of energy from the intervals of a system that is read through the cloud. Pure.

- Of each source, phase and end the highest revision counts. Phases are left out: `total` is the site.
- A quarter hour is known where intervals fill it from its start to its end without a hole: one of the meters, or three
  of the inverters. It is covered as a whole then; else nothing of it is known.
- Production is that of the meters, and in quarter hours in which these are unknown that of the inverters. The other
  quantities have one source each. Sources with other names are not counted.
- An interval that is longer than a quarter hour (a day, of years ago) is known as the energy of a gap is: it stands in
  the quarter hour in which it ends, and coarser windows that hold all of it count it. Where a quarter hour in it is
  known, it is left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from receiver.energy.balance import QUANTITIES, SiteEnergy, build_site_energy
from receiver.energy.flows import UNKNOWN, Flow, take_common
from receiver.rollups.energy import is_known, make_energy_row
from receiver.rollups.series import read_number
from receiver.sites.model import Site
from receiver.stores.base import SeriesPoints
from shared.readings import Reading
from shared.units import HOUR_MS, QUARTER_MS

KIND = "interval"
FIELDS = ("energy", "interval")
"""What is read of it."""
LONGEST_MS = 25 * HOUR_MS
"""A local day at the end of summer time. Longer intervals are not counted."""
SOURCES: Mapping[str, Sequence[str]] = MappingProxyType({
    "production": ("met", "inv"),
    "load": ("consumption",),
    "imported": ("import",),
    "exported": ("export",),
    "discharged": ("discharge",),
    "charged": ("charge",),
})  # fmt: skip
"""Where each quantity comes from; the first that is known counts."""
_TOTAL = "total"


class Interval(NamedTuple):
    """Energy (Wh) of [start, stop), UTC milliseconds."""

    start: int
    stop: int
    wh: float


def list_intervals(series: Iterable[SeriesPoints]) -> dict[str, list[Interval]]:
    """The intervals of each source in the order of their ends, each with its highest revision."""
    highest: dict[tuple[str, int], tuple[int, Interval]] = {}
    for one in series:
        revision = one.series.get_tag("revision")
        if one.series.get_tag("phase") != _TOTAL or not revision.isdecimal():
            continue
        source, number = one.series.get_tag("source"), int(revision)
        for stop, fields in one.points:
            wh, length_ms = read_number(fields, "energy"), round((read_number(fields, "interval") or 0.0) * 1000)
            known = highest.get((source, stop))
            if wh is None or wh < 0 or not 0 < length_ms <= LONGEST_MS or (known and known[0] >= number):
                continue
            highest[source, stop] = number, Interval(stop - length_ms, stop, wh)
    found: dict[str, list[Interval]] = {}
    for source, _ in sorted(highest):
        found.setdefault(source, [])
    for (source, _), (_, interval) in sorted(highest.items(), key=lambda each: each[0]):
        found[source].append(interval)
    return found


def make_interval_rows(series: Iterable[SeriesPoints], site: Site, start: int, stop: int) -> list[Reading]:
    """`energy_15m` of each quarter hour of [start, stop) (UTC milliseconds) of which intervals know something.

    Args:
        series: Intervals that end in (start, stop], and all that end inside those of them that are long.
        site: Its prices.
        start: A whole quarter hour.
        stop: Likewise.
    """
    intervals = list_intervals(series)
    quarters = {source: add_by_quarter(found) for source, found in intervals.items()}
    long = {source: list_long(found) for source, found in intervals.items()}
    energies = (_compute_energy(quarters, long, first) for first in range(start, stop, QUARTER_MS))
    return [make_energy_row(energy, site) for energy in energies if is_known(energy)]


def add_by_quarter(intervals: Iterable[Interval]) -> dict[int, float]:
    """Wh of each quarter hour, by its start, that the intervals of one source fill without a hole."""
    filled: dict[int, tuple[int, float]] = {}
    for interval in intervals:
        quarter = find_quarter(interval.stop)
        until, wh = filled.get(quarter, (quarter, 0.0))
        if interval.start == until:
            filled[quarter] = interval.stop, wh + interval.wh
    return {quarter: wh for quarter, (until, wh) in filled.items() if until == quarter + QUARTER_MS}


def find_quarter(end: int) -> int:
    """The start of the quarter hour in which an interval ends; one that ends where it does belongs to it."""
    return (end - 1) // QUARTER_MS * QUARTER_MS


def list_long(intervals: Iterable[Interval]) -> list[Interval]:
    """Those of which nobody knows in which quarter hour their energy flowed."""
    return [interval for interval in intervals if interval.stop - interval.start > QUARTER_MS]


def _compute_energy(
    quarters: Mapping[str, Mapping[int, float]], long: Mapping[str, Sequence[Interval]], start: int
) -> SiteEnergy:
    flows = [_compute_flow(SOURCES[name], quarters, long, start) for name in QUANTITIES]
    made, load, bought, sold = flows[:4]
    gaps = [flow.gap_since for flow in flows if flow.gap_since is not None and flow.unallocated_wh > 0]
    return build_site_energy(
        start,
        start + QUARTER_MS,
        [flow.energy for flow in flows],
        0,
        min(gaps, default=None),
        [*take_common(made, sold), *take_common(load, bought)],
    )


def _compute_flow(
    sources: Sequence[str],
    quarters: Mapping[str, Mapping[int, float]],
    long: Mapping[str, Sequence[Interval]],
    start: int,
) -> Flow:
    for source in sources:
        wh = quarters.get(source, {}).get(start)
        if wh is not None:
            return Flow(wh, 1.0, is_counted=True)
    known = {quarter for source in sources for quarter in quarters.get(source, {})}
    for source in sources:
        for interval in long.get(source, ()):
            inside = range(find_quarter(interval.start + 1), interval.stop, QUARTER_MS)
            if find_quarter(interval.stop) == start and known.isdisjoint(inside):
                return Flow(None, 0.0, interval.wh, interval.start, is_counted=True)
    return UNKNOWN
