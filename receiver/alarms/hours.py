"""Quiet hours and the time of the daily digest, by a site's clock. Pure."""

from datetime import datetime, time, timedelta, tzinfo
from typing import NamedTuple


class QuietHours(NamedTuple):
    """Hours of each day in which only critical alarms are told, by the clock of the site; they may span midnight."""

    start: time
    stop: time

    def find_end(self, now_ms: int, zone: tzinfo) -> int:
        """When the quiet hours in progress end (UTC milliseconds); `now_ms` itself outside of them."""
        local = datetime.fromtimestamp(now_ms / 1000, zone)
        clock = local.time()
        is_inside = (
            self.start <= clock < self.stop if self.start <= self.stop else (clock >= self.start or clock < self.stop)
        )
        if not is_inside:
            return now_ms
        day = local.date() if clock < self.stop else local.date() + timedelta(days=1)
        return round(datetime.combine(day, self.stop, zone).timestamp() * 1000)


def find_digest_day(at: time, now_ms: int, zone: tzinfo) -> str | None:
    """The day (YYYY-MM-DD) whose digest is due: between its time and two hours later, by the clock of the site."""
    local = datetime.fromtimestamp(now_ms / 1000, zone)
    due = datetime.combine(local.date(), at, zone)
    return local.date().isoformat() if due <= local < due + timedelta(hours=2) else None
