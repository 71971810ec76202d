"""Local times of a file without offsets, read in the order of its rows. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from receiver.calendar.local import find_midnight, to_local, to_ms
from receiver.imports.formats.summary import Skipped
from shared.units import DAY_MS


class LocalClock:
    """Instants of local times: of an hour that stands twice in autumn, the first row is the first one.

    Args:
        zone: Whose clock it is.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._seen: dict[datetime, int] = {}
        """How often a local time came that the clock shows twice."""

    def find_instant(self, local: datetime) -> int | Skipped:
        """The instant (UTC milliseconds) of a local time without a zone."""
        first, second = (local.replace(tzinfo=self._zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() == second.utcoffset():
            return to_ms(first)
        if to_local(to_ms(first), self._zone).replace(tzinfo=None) != local:
            return Skipped(f"a local time that the clock of {self._zone.key} skips in spring: see --time-zone")
        count = self._seen[local] = self._seen.get(local, 0) + 1
        if count > 2:
            return Skipped("a third row for a local time that the clock shows twice in autumn")
        return to_ms(first if count == 1 else second)

    def find_day(self, local: datetime) -> tuple[int, int]:
        """Where the local day begins and ends (UTC milliseconds)."""
        day = local.date()
        return find_midnight(day, self._zone), find_midnight(day + timedelta(days=1), self._zone)

    def find_end_of_day(self, start: int) -> int:
        """Where the day ends that begins at an instant: at the next midnight here, else 24 hours later."""
        begin, stop = self.find_day(to_local(start, self._zone).replace(tzinfo=None))
        return stop if begin == start else start + DAY_MS
