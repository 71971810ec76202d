"""Batteries over time, for roll-ups. Pure.

Where no storage meter belongs to the site, the batteries' own power stands in for it.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from receiver.energy.gaps import Gaps
from receiver.energy.interpolation import Point as Sample
from receiver.energy.interpolation import Segment, make_linear_segments
from receiver.energy.meter_flows import MeterCounters
from receiver.energy.plausible import limit_ac_battery
from receiver.energy.site import STORAGE, MeterPhase
from receiver.rollups.series import REPORT_GAP_MS, has_samples_around, is_read_again, select_around, select_samples
from receiver.stores.base import Point, SeriesPoints
from shared.fields import MAX_GAP_MS
from shared.units import QUARTER_MS

STORAGE_TOTAL: MeterPhase = (STORAGE, "total")
"""Where the power of all batteries together stands in for the phases of a storage meter."""


class StorageHistory(NamedTuple):
    """The site's batteries.

    Attributes:
        listed: When batteries were listed, or something was said of their capacity, ascending.
        power: W of all together.
        counts: How many were listed: UTC milliseconds and number, ascending.
        counters: Lifetime counters of each battery that has both, by serial number.
        powers: W of each of the others, likewise.
    """

    listed: Sequence[int]
    power: Sequence[Segment]
    counts: Sequence[Sample]
    counters: Mapping[str, MeterCounters]
    powers: Mapping[str, Sequence[Segment]]


def read_storage(
    series: Sequence[SeriesPoints],
    gaps: Gaps = (),
    batteries: Sequence[SeriesPoints] = (),
    gaps_of_reports: Gaps = (),
) -> StorageHistory:
    """The batteries from readings of kind `storage` and `battery`.

    Their power is unknown inside `gaps`, and what their counters say of `gaps_of_reports` is not when it flowed.
    """
    points = [point for entry in series for point in entry.points]
    counts = select_samples(points, "batteries")
    power = _draw_lines(_find_known(points), gaps)
    counters = {
        entry.series.get_tag("battery"): MeterCounters(given, taken, REPORT_GAP_MS, limit_ac_battery(), gaps_of_reports)
        for entry in batteries
        if (given := select_samples(entry.points, "discharged")) and (taken := select_samples(entry.points, "charged"))
    }
    powers = {
        serial: _draw_lines(_find_own(entry.points), gaps)
        for entry in batteries
        if (serial := entry.series.get_tag("battery")) not in counters
    }
    signs = [*counts, *select_samples(points, "capacity")]
    return StorageHistory(sorted({time for time, value in signs if value > 0}), power, counts, counters, powers)


def has_batteries(batteries: StorageHistory, start: int, stop: int) -> bool:
    """Whether there are batteries: they were listed in [start, stop) (UTC milliseconds), or before and again after."""
    index = bisect_left(batteries.listed, stop)
    if index > 0 and batteries.listed[index - 1] >= start:
        return True
    beyond = bisect_left(batteries.counts, stop, key=itemgetter(0))
    around = batteries.counts[max(beyond - 1, 0) : beyond + 1]
    return all(count > 0 for _, count in around) and is_read_again([time for time, _ in around], stop)


def select_counters(batteries: StorageHistory, start: int, stop: int, measured: int = 0) -> list[MeterCounters]:
    """The counters of batteries around a quarter hour; none where a battery is left over: a part is not the sum.

    Args:
        batteries: All of the site.
        start: UTC milliseconds.
        stop: Likewise.
        measured: How many have no counters, and a power of their own in it.
    """
    found = [
        both._replace(
            delivered=select_around(both.delivered, start, stop), received=select_around(both.received, start, stop)
        )
        for both in batteries.counters.values()
        if has_samples_around(both.delivered, start, stop) and has_samples_around(both.received, start, stop)
    ]
    last = bisect_left(batteries.counts, stop, key=itemgetter(0))
    is_known = last > 0 and batteries.counts[last - 1][0] >= start - REPORT_GAP_MS
    return found if is_known and batteries.counts[last - 1][1] == len(found) + measured else []


def list_storage_reach(
    storage: Sequence[SeriesPoints], batteries: Sequence[SeriesPoints], start: int, stop: int
) -> Iterator[int]:
    """How far the batteries' power inside [start, stop) reaches: to its neighbours, if these are near.

    And how far their number does, where they have counters.
    """
    has_counters = any(select_samples(entry.points, "discharged") for entry in batteries)
    for entry in (*storage, *batteries):
        if has_counters and any(start <= time < stop for time, _ in select_samples(entry.points, "batteries")):
            yield stop + REPORT_GAP_MS + QUARTER_MS
        times = [time for time, _ in select_samples(entry.points, "power")]
        yield from (time for time in times if start - MAX_GAP_MS <= time < start)
        yield from (time for time in times if stop <= time <= stop + MAX_GAP_MS)


def _draw_lines(runs: Iterable[Sequence[Sample]], gaps: Gaps) -> list[Segment]:
    return [segment for run in runs for segment in make_linear_segments(run, gaps=gaps)]


def _find_own(points: Sequence[Point]) -> Iterator[list[Sample]]:
    """Runs of one battery's power without a reading in between that says none."""
    run: list[Sample] = []
    for time, fields in points:
        power = fields.get("power")
        if isinstance(power, float):
            run.append((time, power))
        else:
            yield run
            run = []
    yield run


def _find_known(points: Sequence[Point]) -> Iterator[list[Sample]]:
    """Runs of power without a reading in between in which the power of some battery was unknown."""
    run: list[Sample] = []
    count = measured = None
    for time, fields in points:
        count, measured = fields.get("batteries", count), fields.get("measured", measured)
        power = fields.get("power")
        if count != measured:
            yield run
            run = []
        elif isinstance(power, float):
            run.append((time, power))
    yield run
