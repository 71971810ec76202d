"""Instants, ranges, time zones and steps as people write them. Pure."""

import re
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from receiver.calendar.local import find_midnight, to_local, to_ms
from receiver.calendar.windows import CLOCK_UNITS_MS, Range, Step
from receiver.queries.refusals import make_refusal
from receiver.sites.model import Site, list_time_zones
from shared.units import DAY_MS

EARLIEST_MS: Final = 0
"""Nothing was measured before 1970."""
LATEST_MS: Final = 7_258_118_400_000
"""The year 2200: calendars and databases end somewhere, and no sensible question reaches beyond."""

_MONTHS = (1, 2, 3, 4, 6)
_STEP = re.compile(r"([1-9][0-9]{0,4})(s|mo|m|h|d|w|y)")
_AGO = re.compile(r"-([0-9]{1,9})(s|mo|m|h|d|w|y)")
_DIGITS = re.compile(r"[0-9]{1,16}")
_YEAR_OR_MONTH = re.compile(r"((?:19|20|21)[0-9]{2})(?:-([0-9]{2}))?")
"""Of a number these are years: as milliseconds since 1970 they would all lie in its first seconds."""
_YESTERDAY = timedelta(days=1)
_FORMS = (
    "must be now, today, yesterday, a time ago such as -24h, -30m, -7d, -1mo or -1y, a year, month, date "
    "or time such as 2026, 2026-01, 2026-01-31 or 2026-01-31T12:00:00+01:00, or milliseconds since 1970"
)


def parse_zone(name: str | None, site: Site) -> ZoneInfo:
    """The time zone that was asked for, else the site's, else UTC. Raises RefusedError."""
    if name is None:
        return site.zone
    if name not in list_time_zones():
        raise make_refusal("time_zone", "must be an IANA name such as Europe/Berlin")
    return ZoneInfo(name)


def parse_range(start: str | None, stop: str | None, zone: ZoneInfo, now_ms: int, *, default: str = "-24h") -> Range:
    """The range that was asked for.

    Args:
        start: As `parse_instant` takes it; None for `default`.
        stop: Likewise; None for now.
        zone: What local times mean.
        now_ms: UTC milliseconds.
        default: Where the range begins without `start`.

    Raises:
        RefusedError: One of them cannot be read, or there is no time between them.
    """
    asked = Range(
        parse_instant("start", default if start is None else start, zone, now_ms),
        parse_instant("stop", "now" if stop is None else stop, zone, now_ms),
    )
    if asked.stop <= asked.start:
        raise make_refusal("stop", "must be later than start (a day, month or year as stop is its first moment)")
    return asked


def parse_instant(parameter: str, text: str, zone: ZoneInfo, now_ms: int) -> int:
    """An instant as people write it, in UTC milliseconds.

    `now`; `today` and `yesterday` (their midnight); a time ago: `-30s`, `-30m`, `-24h` by the clock of physics, `-7d`,
    `-1w`, `-1mo`, `-1y` by the local calendar (the same time of day; the last day of a shorter month); a year or month
    such as `2026` or `2026-01`, which is its first midnight; an ISO 8601 date or time, which is local where it has no
    offset (the first of two, in the hour that comes twice); milliseconds since 1970.

    Raises:
        RefusedError: It is none of these, or outside of 1970 to 2200.
    """
    try:
        found = _read_instant(text.strip(), zone, now_ms)
    except (ValueError, OverflowError):
        raise make_refusal(parameter, _FORMS) from None
    if not EARLIEST_MS <= found <= LATEST_MS:
        raise make_refusal(
            parameter, "must be between the years 1970 and 2200; whole numbers are milliseconds since 1970"
        )
    return found


def _read_instant(text: str, zone: ZoneInfo, now_ms: int) -> int:
    """Raises ValueError or OverflowError."""
    if text == "now":
        return now_ms
    here = to_local(now_ms, zone)
    if text in ("today", "yesterday"):
        return find_midnight(here.date() - (_YESTERDAY if text == "yesterday" else timedelta()), zone)
    if match := _AGO.fullmatch(text):
        return _go_back(int(match[1]), match[2], here, now_ms)
    if match := _YEAR_OR_MONTH.fullmatch(text):
        return find_midnight(date(int(match[1]), int(match[2] or 1), 1), zone)
    if _DIGITS.fullmatch(text):
        return int(text)
    if not text.isascii():
        raise ValueError("no ASCII digits")
    # A "+" that was not written as %2B comes as a blank; before an offset nothing else can stand there.
    found = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    return to_ms(found if found.tzinfo is not None else found.replace(tzinfo=zone))


def _go_back(count: int, unit: str, here: datetime, now_ms: int) -> int:
    if unit in CLOCK_UNITS_MS:
        return now_ms - count * CLOCK_UNITS_MS[unit]
    if unit in ("d", "w"):
        return to_ms(here - timedelta(days=count * (7 if unit == "w" else 1)))
    months = here.year * 12 + here.month - 1 - count * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    first = here.replace(day=1, year=year, month=month + 1)
    after = (first.replace(day=28) + timedelta(days=4)).replace(day=1)  # the first day of the next month
    return to_ms(first.replace(day=min(here.day, (after - timedelta(days=1)).day)))


def parse_step(text: str) -> Step:
    """How long each window is. Raises RefusedError naming `every`."""
    match = _STEP.fullmatch(text)
    if match is None:
        raise make_refusal("every", "must be a number with s, m, h, d, w, mo or y, such as 15m, 1h, 1d or 1mo")
    found = Step(int(match[1]), match[2])
    if found.unit in CLOCK_UNITS_MS and found.least_ms >= DAY_MS:
        raise make_refusal("every", "in s, m or h must be less than a day: use 1d, 1w, 1mo or 1y")
    if found.unit == "mo" and found.size not in _MONTHS:
        raise make_refusal("every", "in months must be 1mo, 2mo, 3mo, 4mo or 6mo, or use 1y")
    if found.unit in ("d", "w", "y") and found.size != 1:
        raise make_refusal("every", "in days, weeks or years must be 1d, 1w or 1y")
    return found


def cut_at_now(asked: Range, now_ms: int) -> Range:
    """A range without what lies in the future, and not empty. Raises RefusedError where nothing else is in it."""
    if asked.start > now_ms:
        raise make_refusal("start", "is in the future: there is no energy of it yet, choose an earlier one")
    return Range(asked.start, max(min(asked.stop, now_ms), asked.start + 1))
