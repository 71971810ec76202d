"""Local days and clocks in UTC milliseconds. Pure."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.units import DAY_MS, SECOND_MS


def to_local(time: int, zone: ZoneInfo) -> datetime:
    """What calendar and clock of a zone show at an instant (UTC milliseconds)."""
    return datetime.fromtimestamp(time / SECOND_MS, UTC).astimezone(zone)


def to_ms(moment: datetime) -> int:
    """A moment with a time zone, in UTC milliseconds."""
    return round(moment.timestamp() * SECOND_MS)


def find_midnight(day: date, zone: ZoneInfo) -> int:
    """Where a local day begins; where the clock is put forward at midnight, that is when it happens."""
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=zone))


def find_nominal_midnight(time: int, zone: ZoneInfo) -> int:
    """When the local clock would have shown midnight of this day if it had not been put forward or back since."""
    return time - (time + _find_offset_ms(time, zone)) % DAY_MS


def find_clock_change(start: int, stop: int, zone: ZoneInfo) -> int | None:
    """When the offset from UTC changes between two instants, to the second; None if it is the same at both."""
    before, low, high = _find_offset_ms(start, zone), start // SECOND_MS, stop // SECOND_MS
    if before == _find_offset_ms(stop - SECOND_MS, zone):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _find_offset_ms(middle * SECOND_MS, zone) == before else (low, middle)
    return high * SECOND_MS


def _find_offset_ms(time: int, zone: ZoneInfo) -> int:
    return round((to_local(time, zone).utcoffset() or timedelta()).total_seconds() * SECOND_MS)
