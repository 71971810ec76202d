"""Where the windows of a calendar begin. Pure.

Windows follow the calendar of a time zone: `1h` begins where the local clock shows a full hour, `1d` at local midnight
(days of 23 and 25 hours are as long as they are), `1w` on Monday, `1mo` and `1y` on the first day, `billing` on the
site's billing day. Steps of seconds, minutes and hours begin again at each local midnight, so the last one of a day is
shorter where they do not divide it. Quarter hours that roll-ups keep are those of UTC.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from receiver.calendar.local import find_clock_change, find_midnight, find_nominal_midnight, to_local
from receiver.calendar.windows import CLOCK_UNITS_MS, Every, Range, Step, find_step
from shared.units import DAY_MS, HOUR_MS, QUARTER_MS

_ONE_DAY = timedelta(days=1)
_LONGEST_DAYS = {"d": 1, "w": 7, "mo": 31, "y": 366}
"""So many days after the first day of a window is a day of the next window."""


def list_windows(every: Every, start: int, stop: int, zone: ZoneInfo, *, billing_day: int = 1) -> list[int]:
    """The boundaries (UTC milliseconds) of every kept window that touches [start, stop), at least two.

    Args:
        every: Which windows.
        start: UTC milliseconds.
        stop: UTC milliseconds, after `start`.
        zone: The time zone of the calendar.
        billing_day: First day of the `billing` windows, 1 to 28.

    Raises:
        ValueError: Nothing is in [start, stop).
    """
    if stop <= start:
        raise ValueError("there is no time between start and stop")
    if every == "15m":
        return list(range(start // QUARTER_MS * QUARTER_MS, -(-stop // QUARTER_MS) * QUARTER_MS + 1, QUARTER_MS))
    return list_boundaries(
        find_step(every), Range(start, stop), zone, first_day=billing_day if every == "billing" else 1
    )


def list_boundaries(step: Step, asked: Range, zone: ZoneInfo, *, first_day: int = 1) -> list[int]:
    """The boundaries (UTC milliseconds) of every whole window that touches a range, at least two.

    There may be very many: the caller bounds them by `step.least_ms` first.

    Args:
        step: How long the windows are. Days, weeks and years come one by one, months also by 2, 3, 4 and 6.
        asked: The range, which is not empty.
        zone: The time zone of the calendar.
        first_day: The day of the month that months and years begin with.
    """
    if step.unit in CLOCK_UNITS_MS:
        found = list(_list_clock_boundaries(step.least_ms, asked, zone))
    elif step.size == 1:
        found = _list_date_boundaries(step.unit, asked, zone, first_day)
    else:
        wide = step.size * 31 * DAY_MS
        months = _list_date_boundaries(step.unit, Range(asked.start - wide, asked.stop + wide), zone, first_day)
        found = [boundary for boundary in months if (to_local(boundary, zone).month - 1) % step.size == 0]
    return found[bisect_right(found, asked.start) - 1 : bisect_left(found, asked.stop) + 1]


def _list_date_boundaries(unit: str, asked: Range, zone: ZoneInfo, first_day: int) -> list[int]:
    """Where the days, weeks, months or years begin, around a range."""
    first = _find_first_date(unit, to_local(asked.start, zone).date() - _ONE_DAY, first_day)
    boundaries = [find_midnight(first, zone)]
    while boundaries[-1] < asked.stop:
        first = _find_first_date(unit, first + timedelta(days=_LONGEST_DAYS[unit]), first_day)
        if (boundary := find_midnight(first, zone)) > boundaries[
            -1
        ]:  # days have been left out of the calendar (Samoa, 2011)
            boundaries.append(boundary)
    return boundaries


def _find_first_date(unit: str, day: date, first_day: int) -> date:
    """The first day of the window that has this day."""
    match unit:
        case "w":
            return day - timedelta(days=day.weekday())
        case "mo":
            return (day if day.day >= first_day else day.replace(day=1) - _ONE_DAY).replace(day=first_day)
        case "y":
            return day.replace(month=1, day=1)
        case _:
            return day


def _list_clock_boundaries(step_ms: int, asked: Range, zone: ZoneInfo) -> Iterator[int]:
    """Where windows shorter than a day begin, from before a range to behind it."""
    day = to_local(asked.start, zone).date() - _ONE_DAY  # in case the calendar is put back over midnight
    start = find_midnight(day, zone)
    while start < asked.stop:
        day += _ONE_DAY
        stop = find_midnight(day, zone)
        if stop > start:  # days have been left out of the calendar
            yield from _list_boundaries_of_day(start, stop, step_ms, zone, asked)
            start = stop
    yield start


def _list_boundaries_of_day(start: int, stop: int, step_ms: int, zone: ZoneInfo, asked: Range) -> Iterator[int]:
    """The boundaries in [start, stop), a local day; of days at the ends of the range no more than it needs."""
    change = find_clock_change(start, stop, zone)
    yield start
    if change is None:
        yield from _list_marks(start, stop, step_ms, zone, asked)
        return
    yield from _list_marks(start, change, step_ms, zone, asked)
    before, after = change - find_nominal_midnight(change - 1, zone), change - find_nominal_midnight(change, zone)
    # Put forward, the clock may jump over a mark; put back, it may show one again. Hours and shorter windows always
    # end where the clock changes.
    if step_ms <= HOUR_MS or after // step_ms * step_ms >= min(before, after):
        yield change
    yield from _list_marks(change, stop, step_ms, zone, asked)


def _list_marks(start: int, stop: int, step_ms: int, zone: ZoneInfo, asked: Range) -> Sequence[int]:
    """Where the local clock shows a multiple of the step between two instants of one offset from UTC."""
    midnight = find_nominal_midnight(start, zone)
    low = max(start + 1, min(asked.start, stop) - step_ms)
    return range(midnight + -(-(low - midnight) // step_ms) * step_ms, min(stop, asked.stop + step_ms), step_ms)
