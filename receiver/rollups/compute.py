"""From raw readings to the rows of minutes, quarter hours and hours. Pure: no store, no clock.

The same readings give the same rows, whatever the stretch of time they are computed in: [a, c) at once equals [a, b)
and [b, c), each from what the store gives for it with neighbours.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from receiver.energy.interpolation import LEARN_MS
from receiver.rollups import intervals
from receiver.rollups.energy import make_quarter_energy_rows
from receiver.rollups.meters import FIELDS as METER_FIELDS
from receiver.rollups.meters import make_meter_rows
from receiver.rollups.panels import LONG_GONE_MS, SILENT_MS, make_panel_rows
from receiver.rollups.quarters import GONE_MS, RawSeries, iterate_quarters
from receiver.rollups.series import (
    COUNTERS,
    LONGEST_GAP_MS,
    LONGEST_REPORT_MS,
    MEASURED,
    REPORT_GAP_MS,
    REPORT_MS,
    find_gaps,
    make_reports,
    select_samples,
)
from receiver.rollups.site import make_site_rows
from receiver.rollups.states import list_state_reach
from receiver.rollups.storage import list_storage_reach
from receiver.sites.model import Site
from receiver.stores.base import Point, SeriesPoints
from shared.fields import KINDS, MAX_GAP_MS
from shared.readings import Reading
from shared.units import HOUR_MS, MINUTE_MS, QUARTER_MS

__all__ = ["FIELDS", "RawSeries", "Reach", "find_reach", "make_hour_rows", "make_quarter_rows"]

FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "meter": (*METER_FIELDS, MEASURED),
    "meter_energy": ("delivered", "received"),
    "inverter": ("power", "interval", "max_power", "energy_lifetime"),
    "production": ("energy_lifetime", "power"),
    "storage": ("power", "batteries", "measured", "capacity"),
    "grid": ("mode",),
    "generator": tuple(KINDS["generator"].fields),
    "event": ("end",),
    "battery": ("discharged", "charged", "power", "communicating"),
    intervals.KIND: intervals.FIELDS,
})  # fmt: skip
"""The fields of each kind in `RawSeries` that roll-ups need; other fields do no harm."""


def make_quarter_rows(raw: RawSeries, site: Site, start: int, stop: int) -> list[Reading]:
    """`meter_1m`, `site_1m`, `energy_15m` and `panel_15m` of every window in [start, stop) with something known.

    Args:
        raw: Readings of that time, with neighbours.
        site: What the owner says of the site.
        start: UTC milliseconds, a whole quarter hour.
        stop: Likewise.

    Raises:
        ValueError: `start` or `stop` is not a whole quarter hour, or timestamps of a series are not in order.
    """
    _check(start, stop, QUARTER_MS)
    if start == stop:
        return []
    minutes = range(start, stop + 1, MINUTE_MS)
    cut = list(iterate_quarters(raw, site, start, stop))
    return [
        *make_meter_rows("meter_1m", raw.meter, minutes, find_gaps(raw.event)),
        *make_site_rows("site_1m", cut, site, minutes),
        *make_quarter_energy_rows(cut, site),
        *intervals.make_interval_rows(raw.interval, site, start, stop),
        *make_panel_rows(raw.inverter, site, range(start, stop + 1, QUARTER_MS)),
    ]


def make_hour_rows(raw: RawSeries, site: Site, start: int, stop: int) -> list[Reading]:
    """`meter_1h` and `site_1h` of every whole UTC hour in [start, stop), directly from the readings.

    Raises:
        ValueError: `start` or `stop` is not a whole hour, or timestamps of a series are not in order.
    """
    _check(start, stop, HOUR_MS)
    if start == stop:
        return []
    hours = range(start, stop + 1, HOUR_MS)
    return [
        *make_meter_rows("meter_1h", raw.meter, hours, find_gaps(raw.event)),
        *make_site_rows("site_1h", iterate_quarters(raw, site, start, stop), site, hours),
    ]


class Reach(NamedTuple):
    """The whole quarter hours whose rows may depend on some readings: [start, stop), and single ones far away."""

    start: int
    stop: int
    far: frozenset[int]


def find_reach(raw: RawSeries, start: int, stop: int, now_ms: int | None = None) -> Reach:
    """The whole quarter hours whose rows may depend on what is inside [start, stop).

    A linear field reaches to the reading before and after it, at most the longest gap away, and so does a recorded gap.
    A counter reaches to the reading before and after: a gap that is cut in two changes every quarter hour of it, and of
    one that is longer than `LONGEST_GAP_MS`, of whose inside a counter says nothing, those at its ends. The report of
    an inverter reaches back over its interval, and bounds the time that the next one covers.

    The last reading of a series says for how long it belongs to the site: a meter for a day, a panel for thirty. If it
    comes late, what was computed since as if it were gone may change. One that is read again belongs in between.

    Args:
        raw: Readings of [start, stop), with neighbours.
        start: UTC milliseconds.
        stop: UTC milliseconds.
        now_ms: Nothing later than this has been computed yet, UTC milliseconds. None: it is not known what has been.
    """
    boundaries = [start, stop]
    for entry in raw.meter:  # what is outside are the neighbours: of each field, for a reading may lack some
        boundaries += [time for time, _ in (*entry.points[:1], *entry.points[-1:])]
    near, far = _find_counter_reach([*raw.meter_energy, *raw.production, *raw.inverter, *raw.battery], start, stop)
    boundaries += [*near, *_find_reach_of_belonging(raw, start, stop)]
    for entry in raw.inverter:
        boundaries += _find_reach_of_reports(entry, start, stop, now_ms)
    boundaries += list_storage_reach(raw.storage, raw.battery, start, stop)
    boundaries += list_state_reach([*raw.grid, *raw.generator], start, stop, now_ms)
    # An interval belongs to the quarter hour in which it ends, and its timestamp may be the first beyond it.
    boundaries += [time - 1 for entry in raw.interval for time, _ in entry.points if start <= time < stop]
    boundaries += _find_gap_reach(raw.event, start, stop, MAX_GAP_MS)
    if raw.production or raw.battery:
        boundaries += _find_gap_reach(raw.event, start, stop, REPORT_GAP_MS)
    gone = ((raw.meter_energy, GONE_MS), (raw.storage, GONE_MS), (raw.inverter, LONG_GONE_MS))
    for series, gone_ms in gone:
        for entry in series:
            times = [time for time, _ in entry.points]
            boundaries += _find_end_of_belonging(times, start, stop, gone_ms, stop if now_ms is None else now_ms)
    return Reach(
        min(boundaries) // QUARTER_MS * QUARTER_MS, -(-max(boundaries) // QUARTER_MS) * QUARTER_MS, frozenset(far)
    )


def _find_counter_reach(counters: Iterable[SeriesPoints], start: int, stop: int) -> tuple[list[int], set[int]]:
    """Where counters are read around [start, stop), and the single quarter hours at the ends of very long gaps."""
    near: list[int] = []
    far: set[int] = set()
    for entry in counters:
        for name in COUNTERS:
            for time, nearest in _find_counter_neighbours(
                [time for time, _ in select_samples(entry.points, name)], start, stop
            ):
                if abs(time - nearest) <= LONGEST_GAP_MS:
                    near.append(time)
                else:  # a gap that ends where a quarter hour does ends in that one
                    far |= {instant // QUARTER_MS * QUARTER_MS for instant in (time - 1, time)}
    return near, far


def _find_gap_reach(events: Sequence[SeriesPoints], start: int, stop: int, longest_ms: int) -> list[int]:
    """Between which times readings lie that are bridged over `longest_ms`, but not over the gaps of [start, stop)."""
    return [
        time
        for first, last in find_gaps(events, longest_ms)
        if start <= first < stop
        for time in (first - longest_ms, last + longest_ms)
    ]


def _find_counter_neighbours(times: Sequence[int], start: int, stop: int) -> list[tuple[int, int]]:
    """The nearest time before `start`, and the nearest one at or after `stop`, each with the reading it is next to.

    None for a counter without a reading in [start, stop): nothing of it is new.
    """
    first, beyond = bisect_left(times, start), bisect_left(times, stop)
    if first == beyond:
        return []
    before = [(time, times[first]) for time in times[:first][-1:]]
    return before + [(time, times[beyond - 1]) for time in times[beyond:][:1]]


def _find_reach_of_belonging(raw: RawSeries, start: int, stop: int) -> list[int]:
    """Over which silences meters and batteries belong to the site because they are read in [start, stop)."""
    read = [
        *([time for time, _ in entry.points] for entry in raw.meter_energy),
        *([time for time, _ in select_samples(entry.points, "batteries")] for entry in raw.storage),
    ]
    return [
        time
        for times in read
        for time, nearest in _find_counter_neighbours(times, start, stop)
        if abs(time - nearest) <= LONGEST_GAP_MS
    ]


def _find_end_of_belonging(times: Sequence[int], start: int, stop: int, gone_ms: int, now_ms: int) -> list[int]:
    """Where a series is gone whose last reading is inside [start, stop), if without it it was gone before now.

    The last one before a silence after which it does not count as read again is such a reading, too.
    """
    first, beyond = bisect_left(times, start), bisect_left(times, stop)
    if first == beyond:
        return []
    goes_on = beyond < len(times) and times[beyond] - times[beyond - 1] <= LONGEST_GAP_MS
    if goes_on or (first and times[first - 1] + gone_ms >= now_ms):
        return []
    return [max(stop, min(times[beyond - 1] + gone_ms + QUARTER_MS, now_ms))]


def _find_reach_of_reports(inverter: SeriesPoints, start: int, stop: int, now_ms: int | None) -> list[int]:
    """Where the means begin and end that may change, those of the reports inside and of the one after them.

    And how long the last report inside says that its panel is not silent, if `now_ms` is not before that.
    """
    times = [time for time, _ in inverter.points]
    inside = [segment for segment in make_reports(inverter.points) if start <= segment.stop < stop]
    first, beyond = bisect_left(times, start), bisect_left(times, stop)
    near = [time for time in times[beyond:][:1] if time - stop <= LONGEST_REPORT_MS]
    if first < beyond:
        speaks_until = times[beyond - 1] + SILENT_MS
        near.append(speaks_until if now_ms is None else max(stop, min(speaks_until, now_ms)))
    return [*(segment.start for segment in inside), *near, *_find_taught(inverter.points, start, stop)]


def _find_taught(points: Sequence[Point], start: int, stop: int) -> list[int]:
    """Where the means begin and end that state no interval, and learn their cadence from reports in [start, stop)."""
    inside = [time for time, _ in points if start <= time < stop]
    if not inside:
        return []
    first, last = inside[0] - LEARN_MS, inside[-1] + LEARN_MS
    taught = [time for time, fields in points if first <= time <= last and "interval" not in fields]
    return [taught[0] - 2 * REPORT_MS, taught[-1]] if taught else []


def _check(start: int, stop: int, unit_ms: int) -> None:
    if start % unit_ms or stop % unit_ms or stop < start:
        raise ValueError(f"rows are computed for whole windows of {unit_ms} ms")
