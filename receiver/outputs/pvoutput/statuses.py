"""Statuses as PVOutput counts them: energy since local midnight and mean power, at the end of each interval. Pure.

The energy of a quarter hour is that of the roll-ups. Inside it, it flowed as the minutes say, where all of them are
known; else the quarter hour has one status, at its end.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from receiver.calendar.local import find_midnight, to_local
from receiver.rollups.series import read_number
from shared.readings import FieldValue
from shared.units import MINUTE_MS, QUARTER_MS

Rows = Mapping[int, Mapping[str, FieldValue]]
"""Fields by the start of their window (UTC milliseconds)."""
_QUARTER_MINUTES = 15


class PvStatus(NamedTuple):
    """One status; None is unknown and left out.

    Attributes:
        stop: The end of its interval, UTC milliseconds.
        day: Its local day.
        clock: Its local time, hh:mm.
        generated: Wh since local midnight (v1).
        power: W, mean of the interval (v2); None also where it is 0, for PVOutput refuses what is made at night.
        used: Wh since local midnight (v3).
        load: W (v4).
        temperature: Degrees Celsius (v5).
        voltage: V (v6).
    """

    stop: int
    day: date
    clock: str
    generated: int
    power: int | None
    used: int | None
    load: int | None
    temperature: float | None
    voltage: float | None

    def write(self) -> str:
        """As `addbatchstatus` takes it."""
        values = (self.generated, self.power, self.used, self.load, self.temperature, self.voltage)
        texts = ["" if value is None else str(value) for value in values]
        return ",".join([f"{self.day:%Y%m%d}", self.clock, *texts]).rstrip(",")


class DayRows(NamedTuple):
    """What is known of a local day and of the time in question.

    Attributes:
        quarters: `energy_15m` since local midnight.
        minutes: `site_1m`.
        voltages: V, by minute.
        temperatures: Degrees Celsius, by time, of any inverter.
    """

    quarters: Rows
    minutes: Rows
    voltages: Mapping[int, float]
    temperatures: Sequence[tuple[int, float]]


class _DaySum:
    """One energy since local midnight."""

    def __init__(self, name: str, midnight: int) -> None:
        self._name = name
        self._midnight = midnight
        self._missing_since: int | None = None
        self.total = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the day is missing in it."""
        return self._missing_since is None

    def add(self, quarter: int, row: Mapping[str, FieldValue]) -> float | None:
        """Add a quarter hour, and return what of it is known; energy of a gap since yesterday belongs to no day."""
        certain = read_number(row, self._name)
        caught_up = read_number(row, f"{self._name}_unallocated")
        since = read_number(row, "unallocated_since")
        if caught_up is not None and (since is None or since < self._midnight):
            caught_up = None
        if caught_up is not None and since is not None and self._missing_since is not None:
            self._missing_since = None if since <= self._missing_since else self._missing_since
        if certain is None and caught_up is None and self._missing_since is None:
            self._missing_since = quarter
        if certain is None and caught_up is None:
            return None
        added = max((certain or 0.0) + (caught_up or 0.0), 0.0)
        self.total += added
        return added


def make_statuses(day: date, zone: ZoneInfo, rows: DayRows, *, interval_min: int, until: int) -> list[PvStatus]:
    """The statuses of a local day, ascending.

    Args:
        day: The day.
        zone: The site's.
        rows: What is known of it.
        interval_min: Length of an interval: 5, 10 or 15 minutes.
        until: Quarter hours that end later (UTC milliseconds) are left alone.
    """
    midnight, end = find_midnight(day, zone), find_midnight(day + timedelta(days=1), zone)
    generated, used = _DaySum("production", midnight), _DaySum("load", midnight)
    found: list[PvStatus] = []
    for quarter in range(midnight, min(end, until - QUARTER_MS + 1), QUARTER_MS):
        made_before, used_before = generated.total, used.total
        row = rows.quarters.get(quarter, {})
        made, taken = generated.add(quarter, row), used.add(quarter, row)
        if made is None:
            continue
        for stop in _list_stops(midnight, quarter, interval_min):
            made_share = _find_share(rows.minutes, "production", quarter, stop)
            if made_share is None:
                continue
            used_share = _find_share(rows.minutes, "load", quarter, stop)
            has_use = used.is_whole and taken is not None and used_share is not None
            local = to_local(stop, zone)
            if local.fold and stop != end:
                continue  # an hour that comes twice in autumn: the second cannot be told from the first
            start = stop - interval_min * MINUTE_MS
            found.append(
                PvStatus(
                    stop,
                    day,
                    "23:59" if stop == end else f"{local:%H:%M}",
                    round(made_before + made * made_share),
                    _round_power(_find_mean(rows.minutes, "production", start, stop), least=1),
                    round(used_before + (taken or 0.0) * (used_share or 0.0)) if has_use else None,
                    _round_power(_find_mean(rows.minutes, "load", start, stop), least=0),
                    _find_average([value for time, value in rows.temperatures if start <= time < stop]),
                    _find_average([value for time, value in rows.voltages.items() if start <= time < stop]),
                )
            )
    return found


def _list_stops(midnight: int, quarter: int, interval_min: int) -> Iterator[int]:
    """The ends of intervals in a quarter hour."""
    step = interval_min * MINUTE_MS
    first = midnight + ((quarter - midnight) // step + 1) * step
    yield from range(first, quarter + QUARTER_MS + 1, step)


def _find_share(minutes: Rows, name: str, quarter: int, stop: int) -> float | None:
    """The share of a quarter hour's energy that flowed before an instant in it; None where the minutes do not say."""
    if stop == quarter + QUARTER_MS:
        return 1.0
    powers = [read_number(minutes.get(quarter + index * MINUTE_MS, {}), name) for index in range(_QUARTER_MINUTES)]
    known = [max(power, 0.0) for power in powers if power is not None]
    if len(known) < _QUARTER_MINUTES:
        return None
    total = sum(known)
    count = (stop - quarter) // MINUTE_MS
    return sum(known[:count]) / total if total > 0 else count / _QUARTER_MINUTES


def _find_mean(minutes: Rows, name: str, start: int, stop: int) -> float | None:
    """The mean of an interval of which every minute is known."""
    powers = [read_number(minutes.get(time, {}), name) for time in range(start, stop, MINUTE_MS)]
    known = [power for power in powers if power is not None]
    return sum(known) / len(powers) if len(known) == len(powers) else None


def _round_power(mean: float | None, *, least: int) -> int | None:
    return None if mean is None or round(mean) < least else round(mean)


def _find_average(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 1) if values else None
