"""The time that a range is compared with: the one before, or the same a year ago, by the local calendar. Pure."""

from datetime import date, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from receiver.calendar.local import find_midnight, to_local, to_ms
from receiver.calendar.windows import Range

_WEEKS_OF_A_YEAR = timedelta(weeks=52)


class Earlier(StrEnum):
    """Which earlier time."""

    BEFORE = "before"
    """As many whole months before, else as many days, else as long."""
    YEAR = "year"
    """The same dates and clock times a year ago; of weeks those 52 weeks ago, which begin on Mondays, too."""


def find_earlier(whole: Range, zone: ZoneInfo, which: Earlier, *, unit: str, first_day: int = 1) -> Range:
    """The range to compare with.

    Args:
        whole: From the beginning of a window to the end of one.
        zone: Of the calendar.
        which: Which earlier time.
        unit: Of the windows, e.g. `w`.
        first_day: The day of the month that months begin with.
    """
    if which is Earlier.BEFORE:
        return Range(_find_start_before(whole, zone, first_day), whole.start)
    if unit == "w":
        weeks = (to_ms(to_local(end, zone) - _WEEKS_OF_A_YEAR) for end in whole)
        return Range(*weeks)
    return Range(_go_back_a_year(whole.start, zone, is_stop=False), _go_back_a_year(whole.stop, zone, is_stop=True))


def _find_start_before(whole: Range, zone: ZoneInfo, first_day: int) -> int:
    start, stop = to_local(whole.start, zone).date(), to_local(whole.stop, zone).date()
    if any(find_midnight(day, zone) != end for day, end in zip((start, stop), whole, strict=True)):
        return whole.start - (whole.stop - whole.start)
    if start.day == stop.day == first_day:
        months = (stop.year - start.year) * 12 + stop.month - start.month
        year, month = divmod(start.year * 12 + start.month - 1 - months, 12)
        return find_midnight(date(year, month + 1, first_day), zone)
    return find_midnight(start - (stop - start), zone)


def _go_back_a_year(end: int, zone: ZoneInfo, *, is_stop: bool) -> int:
    """The 29th of February begins where the 28th did a year ago; what ends with the 28th ends with February."""
    local = to_local(end, zone)
    if (local.month, local.day) != (2, 29):
        return to_ms(local.replace(year=local.year - 1))
    is_midnight = find_midnight(local.date(), zone) == end
    month, day = (3, 1) if is_stop and is_midnight else (2, 28)
    return to_ms(local.replace(year=local.year - 1, month=month, day=day))
