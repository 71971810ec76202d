"""When: instants, time zones and steps as people write them, to UTC milliseconds and the edges of windows. Pure.

Windows follow the calendar of a time zone: `1h` begins where the local clock shows a full hour, `1d` at local midnight
(days of 23 and 25 hours are as long as they are), `1w` on Monday, `1mo` and `1y` on the first day. Steps of seconds,
minutes and hours begin anew at each local midnight, so the last one of a day is shorter where they do not divide it.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from receiver.queries.refusals import refusal
from receiver.rollups import calendar
from receiver.sites.model import Site, time_zones
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

EARLIEST_MS: Final = 0
"""Nothing was measured before 1970."""
LATEST_MS: Final = 7_258_118_400_000
"""The year 2200: calendars and databases end somewhere, and nobody asks for what is beyond."""

_UNITS: Mapping[str, int] = MappingProxyType({"s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS})
_CALENDAR: Mapping[str, tuple[str, int]] = MappingProxyType({
    "d": ("energy_1d", 23 * HOUR_MS),
    "w": ("energy_1w", 7 * 23 * HOUR_MS),
    "mo": ("energy_1mo", 28 * DAY_MS - HOUR_MS),
    "y": ("energy_1y", 365 * DAY_MS),
})  # fmt: skip
"""Which windows of the roll-ups' calendar a unit has, and how short (milliseconds) they may be."""
_MONTHS = (1, 2, 3, 4, 6)
_STEP = re.compile(r"([1-9][0-9]{0,4})(s|mo|m|h|d|w|y)")
_AGO = re.compile(r"-([0-9]{1,9})(s|mo|m|h|d|w|y)")
_DIGITS = re.compile(r"[0-9]{1,16}")
_YESTERDAY = timedelta(days=1)
_FORMS = (
    "must be now, today, yesterday, a time ago such as -24h, -30m, -7d, -1mo or -1y, a date or time such as "
    "2026-01-31 or 2026-01-31T12:00:00+01:00, or milliseconds since 1970"
)


class Range(NamedTuple):
    """The instants from `start` up to, but without, `stop` (UTC milliseconds)."""

    start: int
    stop: int


class Step(NamedTuple):
    """The length of windows: `size` times a unit, one of s, m, h, d, w, mo and y."""

    size: int
    unit: str

    @property
    def least_ms(self) -> int:
        """How short a whole window may be, in milliseconds: to know how many there may be before they are made."""
        return self.size * (_UNITS[self.unit] if self.unit in _UNITS else _CALENDAR[self.unit][1])

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.size}{self.unit}"


def zone(name: str | None, site: Site) -> ZoneInfo:
    """The time zone that was asked for, else the site's, else UTC. Raises RefusedError."""
    if name is None:
        return calendar.zone_of(site)
    if name not in time_zones():
        raise refusal("time_zone", "must be an IANA name such as Europe/Berlin")
    return ZoneInfo(name)


def time_range(start: str | None, stop: str | None, zone: ZoneInfo, now_ms: int, *, default: str = "-24h") -> Range:
    """The range that was asked for.

    Args:
        start: As `instant` takes it; None for `default`.
        stop: Likewise; None for now.
        zone: What local times mean.
        now_ms: UTC milliseconds.
        default: Where the range begins if nobody says.

    Raises:
        RefusedError: One of them cannot be read, or there is no time between them.
    """
    asked = Range(
        instant("start", default if start is None else start, zone, now_ms),
        instant("stop", "now" if stop is None else stop, zone, now_ms),
    )
    if asked.stop <= asked.start:
        raise refusal("stop", "must be later than start")
    return asked


def instant(parameter: str, text: str, zone: ZoneInfo, now_ms: int) -> int:
    """An instant as people write it, in UTC milliseconds.

    `now`; `today` and `yesterday` (their midnight); a time ago: `-30s`, `-30m`, `-24h` by the clock of physics, `-7d`,
    `-1w`, `-1mo`, `-1y` by the local calendar (the same time of day; the last day of a shorter month); an ISO 8601
    date or time, which is local where it has no offset (the first of two, in the hour that comes twice); milliseconds
    since 1970.

    Raises:
        RefusedError: It is none of these, or outside of 1970 to 2200.
    """
    try:
        found = _instant(text.strip(), zone, now_ms)
    except (ValueError, OverflowError):
        raise refusal(parameter, _FORMS) from None
    if not EARLIEST_MS <= found <= LATEST_MS:
        raise refusal(parameter, "must be between the years 1970 and 2200; whole numbers are milliseconds since 1970")
    return found


def _instant(text: str, zone: ZoneInfo, now_ms: int) -> int:
    """Raises ValueError or OverflowError."""
    if text == "now":
        return now_ms
    here = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone)
    if text in ("today", "yesterday"):
        return _midnight(here.date() - (_YESTERDAY if text == "yesterday" else timedelta()), zone)
    if match := _AGO.fullmatch(text):
        return _ago(int(match[1]), match[2], here, now_ms)
    if _DIGITS.fullmatch(text):
        return int(text)
    if not text.isascii():
        raise ValueError("no digits of ours")
    # A "+" that was not written as %2B comes as a blank; before an offset nothing else can stand there.
    found = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    return _ms(found if found.tzinfo is not None else found.replace(tzinfo=zone))


def _ago(count: int, unit: str, here: datetime, now_ms: int) -> int:
    if unit in _UNITS:
        return now_ms - count * _UNITS[unit]
    if unit in ("d", "w"):
        return _ms(here - timedelta(days=count * (7 if unit == "w" else 1)))
    months = here.year * 12 + here.month - 1 - count * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    first = here.replace(day=1, year=year, month=month + 1)
    after = (first.replace(day=28) + timedelta(days=4)).replace(day=1)  # the first day of the next month
    return _ms(first.replace(day=min(here.day, (after - timedelta(days=1)).day)))


def step(text: str) -> Step:
    """How long each window is. Raises RefusedError naming `every`."""
    match = _STEP.fullmatch(text)
    if match is None:
        raise refusal("every", "must be a number with s, m, h, d, w, mo or y, such as 15m, 1h, 1d or 1mo")
    found = Step(int(match[1]), match[2])
    if found.unit in _UNITS and found.least_ms >= DAY_MS:
        raise refusal("every", "in s, m or h must be less than a day: use 1d, 1w, 1mo or 1y")
    if found.unit == "mo" and found.size not in _MONTHS:
        raise refusal("every", "in months must be 1mo, 2mo, 3mo, 4mo or 6mo, or use 1y")
    if found.unit in ("d", "w", "y") and found.size != 1:
        raise refusal("every", "in days, weeks or years must be 1d, 1w or 1y")
    return found


def edges(every: Step, asked: Range, zone: ZoneInfo) -> list[int]:
    """The edges (UTC milliseconds) of every whole window that touches a range, at least two.

    Ask `receiver.queries.budget` first: there may be very many.
    """
    if every.unit in _UNITS:
        found = list(_clock_edges(every.least_ms, asked, zone))
    else:
        found = _calendar_edges(every, asked, zone)
    return found[bisect_right(found, asked.start) - 1 : bisect_left(found, asked.stop) + 1]


def _calendar_edges(every: Step, asked: Range, zone: ZoneInfo) -> list[int]:
    kind, _ = _CALENDAR[every.unit]
    if every.size == 1:
        return calendar.windows(kind, *asked, Site(time_zone=zone.key))
    wide = every.size * 31 * DAY_MS
    months = calendar.windows(kind, asked.start - wide, asked.stop + wide, Site(time_zone=zone.key))
    return [edge for edge in months if (_local(edge, zone).month - 1) % every.size == 0]


def _clock_edges(step_ms: int, asked: Range, zone: ZoneInfo) -> Iterator[int]:
    """Where windows shorter than a day begin, from before a range to behind it."""
    day = _local(asked.start, zone).date() - _YESTERDAY  # in case the calendar is put back over midnight
    start = _midnight(day, zone)
    while start < asked.stop:
        day += timedelta(days=1)
        stop = _midnight(day, zone)
        if stop > start:  # days have been left out of the calendar
            yield from _edges_of_day(start, stop, step_ms, zone, asked)
            start = stop
    yield start


def _edges_of_day(start: int, stop: int, step_ms: int, zone: ZoneInfo, asked: Range) -> Iterator[int]:
    """The edges in [start, stop), a local day; of days at the ends of the range no more than it needs."""
    change = _change(start, stop, zone)
    yield start
    if change is None:
        yield from _marks(start, stop, step_ms, zone, asked)
        return
    yield from _marks(start, change, step_ms, zone, asked)
    was, shows = change - _midnight_by_clock(change - 1, zone), change - _midnight_by_clock(change, zone)
    # Put on, the clock may jump over a mark; put back, it may show one again. Short windows end here in any case, as
    # those of `energy_1h` do.
    if step_ms <= HOUR_MS or shows // step_ms * step_ms >= min(was, shows):
        yield change
    yield from _marks(change, stop, step_ms, zone, asked)


def _marks(start: int, stop: int, step_ms: int, zone: ZoneInfo, asked: Range) -> Sequence[int]:
    """Where the local clock shows a multiple of the step between two instants of one offset from UTC."""
    midnight = _midnight_by_clock(start, zone)
    low = max(start + 1, min(asked.start, stop) - step_ms)
    return range(midnight + -(-(low - midnight) // step_ms) * step_ms, min(stop, asked.stop + step_ms), step_ms)


def _midnight_by_clock(time: int, zone: ZoneInfo) -> int:
    """When the local clock would have shown midnight of this day if nobody had put it on or back since."""
    return time - (time + _offset_ms(time, zone)) % DAY_MS


def _change(start: int, stop: int, zone: ZoneInfo) -> int | None:
    """When the offset from UTC changes between two instants, to the second; None if it is the same at both."""
    before, low, high = _offset_ms(start, zone), start // 1000, stop // 1000
    if before == _offset_ms(stop - 1000, zone):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset_ms(middle * 1000, zone) == before else (low, middle)
    return high * 1000


def _offset_ms(time: int, zone: ZoneInfo) -> int:
    return round((_local(time, zone).utcoffset() or timedelta()).total_seconds() * 1000)


def _local(time: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(time / 1000, UTC).astimezone(zone)


def _midnight(day: date, zone: ZoneInfo) -> int:
    return _ms(datetime.combine(day, time(), zone))


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
