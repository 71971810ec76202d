"""When to look again: the month's calls are spread over the month, and nights pay for days. Pure."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from shared.units import HOUR_S, MINUTE_S

SHORTEST_S = 15 * MINUTE_S
"""The cloud has nothing new more often (seconds)."""
LONGEST_QUIET_S = 4 * HOUR_S
MORNING = time(8)
"""After a quiet night there is a pass at this local time."""
EVENING = time(18)
"""From this local time on the pauses of passes that bring nothing grow; by day a system may speak at any moment."""
REPAIR = time(4, 30)
"""From this local time on yesterday is complete, and is read again once."""


def find_next_pass_s(passed_s: float, pause_s: float, quiet_passes: int, zone: tzinfo) -> float:
    """When the next pass is due (epoch seconds).

    Args:
        passed_s: When the last one was.
        pause_s: As the budget has it.
        quiet_passes: How many of the last ones brought no energy: by night each doubles the pause, up to four hours.
        zone: Of the system.
    """
    if not quiet_passes or MORNING <= datetime.fromtimestamp(passed_s, zone).time() < EVENING:
        return passed_s + pause_s
    longer = min(pause_s * 2.0 ** min(quiet_passes, 10), max(pause_s, LONGEST_QUIET_S))
    return min(passed_s + longer, max(_find_next(passed_s, MORNING, zone), passed_s + SHORTEST_S))


def find_repair_s(after_s: float, zone: tzinfo) -> float:
    """The next moment at which a day is to be read again (epoch seconds)."""
    return _find_next(after_s, REPAIR, zone)


def find_day_to_repair(now_s: float, zone: tzinfo) -> date | None:
    """The local day that is to be read again now; None before half past four."""
    here = datetime.fromtimestamp(now_s, zone)
    return here.date() - timedelta(days=1) if here.time() >= REPAIR else None


def find_day(day: date, zone: tzinfo) -> tuple[int, int]:
    """Start and end of a local day (epoch seconds): 23 to 25 hours."""
    return _find_midnight(day, zone), _find_midnight(day + timedelta(days=1), zone)


def _find_midnight(day: date, zone: tzinfo) -> int:
    return int(datetime.combine(day, time(), zone).astimezone(UTC).timestamp())


def _find_next(after_s: float, at: time, zone: tzinfo) -> float:
    here = datetime.fromtimestamp(after_s, zone)
    day = here.date() if here.time() < at else here.date() + timedelta(days=1)
    return datetime.combine(day, at, zone).timestamp()
