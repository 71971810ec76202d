"""Stored points as what `receiver.energy` takes: fields of points to points, segments and counters. Pure.

Everything here depends on neighbouring readings only, never on how much was loaded at once: so what is computed of a
quarter hour is the same whatever the stretch of time it was computed in. That is why the cadence of an inverter whose
reports have no `interval` is learned from those up to an hour beside each, and not from all that was loaded.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar, cast

from receiver.energy.gaps import Gaps, merge_gaps
from receiver.energy.interpolation import LEARN_MS, Segment, Segments, make_linear_segments, make_step_segments
from receiver.energy.interpolation import Point as Sample
from receiver.energy.plausible import PanelPower, TotalReading
from receiver.energy.site import MeterPhase
from receiver.stores.base import Point, SeriesPoints
from shared.fields import MAX_GAP_MS, REPORT_SPEAKS_MS
from shared.readings import FieldValue
from shared.units import DAY_MS, HOUR_MS, QUARTER_MS

REPORT_MS = QUARTER_MS
"""The longest usual pause between two reports of an inverter (milliseconds)."""
REPORT_GAP_MS = REPORT_SPEAKS_MS
"""Over a longer pause it is not known when the energy of a counter that moves with the reports has flowed."""

LONGEST_GAP_MS = 30 * DAY_MS
"""Over a longer gap a counter says nothing of the windows inside it, whether it moved or not: what it counts was not
there. The energy of such a gap still stands where the gap ends."""
REPORT_LOOK_MS = LEARN_MS + 2 * REPORT_MS
"""How far beyond a stretch of time reports may lie that say how far others reach into it (milliseconds)."""
REPORT_LOOK_BACK_MS = LEARN_MS
"""How far before a stretch of time reports may lie that say how far those inside it reach back (milliseconds)."""
LONGEST_REPORT_MS = HOUR_MS
"""No report speaks of more than this (milliseconds)."""
_Timed = TypeVar("_Timed", Sample, Point)
MEASURED = "measured"
"""Of kind `meter`: 0 where an answer had no power of the phase. Readings of an earlier scraper do not say."""
COUNTERS = ("delivered", "received", "energy_lifetime", "discharged", "charged")


def select_samples(points: Iterable[Point], name: str) -> list[Sample]:
    """The points of one numeric field: UTC milliseconds and value."""
    found = [(time, fields[name]) for time, fields in points if name in fields]
    return cast("list[Sample]", found)  # the store keeps the type of each field: looking at each value costs a third


def get_meter_phase(series: SeriesPoints) -> MeterPhase:
    """The meter and phase of a series."""
    return series.series.get_tag("meter"), series.series.get_tag("phase")


def make_powers(meters: Iterable[SeriesPoints], gaps: Gaps = ()) -> dict[MeterPhase, Segments]:
    """Power in W by meter and phase."""
    return {get_meter_phase(series): make_lines(series.points, "power", gaps) for series in meters}


def make_lines(points: Sequence[Point], name: str, gaps: Gaps = ()) -> list[Segment]:
    """A linear field of a meter's phase, without lines across gaps, and across answers in which it had none."""
    return make_linear_segments(select_samples(points, name), gaps=add_silences(gaps, select_silent(points), name))


def select_silent(points: Iterable[Point]) -> list[Point]:
    """The readings of a meter's phase that say that it had no power then. They are whole: what they lack, it lacked."""
    return [point for point in points if point.fields.get(MEASURED) == 0.0]


def add_silences(gaps: Gaps, silent: Sequence[Point], name: str) -> Gaps:
    """Gaps with the moments at which a phase had no value of a field, by what `select_silent` gives."""
    silences = [(time, time + 1) for time, fields in silent if name not in fields]
    return merge_gaps([*gaps, *silences]) if silences else gaps


def find_gaps(events: Iterable[SeriesPoints], longest_ms: int = MAX_GAP_MS) -> Gaps:
    """The gaps, from readings of kind `event`, over which a series would be bridged if nobody had recorded them.

    Longer ones need no word: points that far apart are not bridged. If a series goes on in one, it is known.

    Args:
        events: Their series.
        longest_ms: Over a longer time nothing is bridged.
    """
    ends = [
        (time, fields.get("end"))
        for series in events
        if series.series.get_tag("type") == "gap"
        for time, fields in series.points
    ]
    return merge_gaps(
        (start, round(end)) for start, end in ends if isinstance(end, float) and end - start <= longest_ms
    )


def make_reports(points: Iterable[Point]) -> Segments:
    """Mean power in W over the time that each report of one inverter covers."""
    found = []
    for time, fields in points:
        power, interval = fields.get("power"), fields.get("interval")
        if isinstance(power, float):
            found.append((time, power, interval if isinstance(interval, float) else None))
    return make_step_segments(found, REPORT_MS)


def list_panel_powers(points: Iterable[Point]) -> list[PanelPower]:
    """What the reports of one inverter say of its power."""
    return [PanelPower(time, read_number(fields, "power"), read_number(fields, "max_power")) for time, fields in points]


def list_total_readings(points: Iterable[Point]) -> list[TotalReading]:
    """What the readings of one total of all inverters say."""
    return [
        TotalReading(time, energy, read_number(fields, "power"))
        for time, fields in points
        if (energy := read_number(fields, "energy_lifetime")) is not None
    ]


def read_number(fields: Mapping[str, FieldValue], name: str) -> float | None:
    """A numeric field, or None."""
    value = fields.get(name)
    return value if isinstance(value, float) else None


def read_counted(fields: Mapping[str, FieldValue], name: str) -> float | None:
    """Wh of a stored window of energy that were counted here, where something was; else None.

    What was imported is not, and what the cloud alone says; a gap's energy that the cloud has put into the window is.
    """
    wh = read_number(fields, name)
    others = [
        known for end in ("taken_over", "uncounted") if (known := read_number(fields, f"{name}_{end}")) is not None
    ]
    if wh is None or not others:
        return wh
    placed = (read_number(fields, f"{name}_filled") or 0.0) - (read_number(fields, f"{name}_uncounted") or 0.0)
    return max(wh - sum(others), 0.0) if fields.get(f"{name}_coverage") or placed > 0 else None


def select_around(points: Sequence[_Timed], start: int, stop: int) -> Sequence[_Timed]:
    """The points of [start, stop] (UTC milliseconds) and, where there is none on a boundary, the one beyond it.

    Not the one after `stop` if it ends too long a gap: of the time before it that says nothing.
    """
    first = bisect_right(points, start, key=_get_time)
    last = bisect_left(points, stop, key=_get_time)
    if 0 < last < len(points) and points[last][0] > stop and points[last][0] - points[last - 1][0] > LONGEST_GAP_MS:
        last -= 1
    return points[max(first - 1, 0) : last + 1]


def has_samples_around(points: Sequence[Sample], start: int, stop: int) -> bool:
    """Whether a counter says something of a window.

    It does if it was read before the window's end and after its start, and not at the two ends of a gap alone that is
    longer than `LONGEST_GAP_MS`.
    """
    if not points or points[0][0] >= stop or points[-1][0] <= start:
        return False
    after = bisect_right(points, start, key=_get_time)
    is_read_inside = points[after][0] <= stop  # a gap that ends with the window ends in it
    return is_read_inside or points[after][0] - points[after - 1][0] <= LONGEST_GAP_MS


def is_read_again(times: Sequence[int], moment: int) -> bool:
    """Whether what was read at these ascending times was read before a moment and, soon enough to tell of it, after.

    It was there in between then, however silent it was (`LONGEST_GAP_MS`).
    """
    index = bisect_left(times, moment)
    return 0 < index < len(times) and times[index] - times[index - 1] <= LONGEST_GAP_MS


def _get_time(sample: Sample | Point) -> int:
    return sample[0]
