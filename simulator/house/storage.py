"""The battery: it takes the surplus of the day and gives it back in the evening.

The charge of a battery depends on its whole past, so a random instant would cost the whole past. This
one is therefore calibrated as real ones are: early every Sunday it is charged full. From there its week is worked
out once, forwards, and remembered.
"""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from math import ceil
from typing import NamedTuple
from zoneinfo import ZoneInfo

from simulator.house.power import SimulatedPower
from simulator.house.profile import Battery
from simulator.units import JOULES_PER_WH

STEP_S = 10
"""The battery's controller reads the meters and sets its power this often."""
_FULL_AT = time(5, 0)
_BLOCK = 60
"""Minutes that are worked out at a time."""


class _StorageHour(NamedTuple):
    """An hour of the battery: power of each step (W), and the level at the start of each minute (0 to 1)."""

    power_w: list[float]
    level: list[float]


class _Calibration(NamedTuple):
    """From one calibration's end to the next (minutes), and the hours worked out so far."""

    full: int
    next_full: int
    blocks: list[_StorageHour]


class Storage:
    """One house's battery.

    Args:
        battery: Its ratings.
        time_zone: IANA name.
        power: Roof and household.
    """

    def __init__(self, battery: Battery, time_zone: str, power: SimulatedPower) -> None:
        self._battery = battery
        self._zone = ZoneInfo(time_zone)
        self._power = power
        hours = battery.capacity_wh / (battery.max_power_w * battery.efficiency)
        self._calibration_minutes = ceil(hours * 60) + 30
        self._get_week = lru_cache(maxsize=4)(self._start_week)
        self._find_place = lru_cache(maxsize=256)(self._find)

    def get_minute_w(self, minute: int) -> list[float]:
        """Return the battery's power in each of the six steps of a minute (W AC; + discharge, - charge)."""
        block, at = self._find_place(minute)
        return block.power_w[at * 6 : at * 6 + 6]

    def get_level(self, minute: int) -> float:
        """Return the state of charge at the start of a minute, from the reserve to 1."""
        block, at = self._find_place(minute)
        return block.level[at]

    def _find(self, minute: int) -> tuple[_StorageHour, int]:
        """Return the block of a minute and the minute's place in it; works out the week until there."""
        day = datetime.fromtimestamp(minute * 60, self._zone).date()
        sunday = day - timedelta(days=day.isoweekday() % 7)
        if self._find_full_minute(sunday) > minute:
            sunday -= timedelta(days=7)
        week = self._get_week(sunday)
        number, at = divmod(minute - week.full, _BLOCK)
        while len(week.blocks) <= number:
            week.blocks.append(self._run(week))
        return week.blocks[number], at

    def _find_full_minute(self, sunday: date) -> int:
        """Return the minute at which a Sunday's calibration has ended."""
        return int(datetime.combine(sunday, _FULL_AT, self._zone).timestamp()) // 60

    def _start_week(self, sunday: date) -> _Calibration:
        return _Calibration(self._find_full_minute(sunday), self._find_full_minute(sunday + timedelta(days=7)), [])

    def _run(self, week: _Calibration) -> _StorageHour:
        """Work out the next hour of a week."""
        level = self._compute_level_after(week.blocks[-1]) if week.blocks else 1.0
        first = week.full + len(week.blocks) * _BLOCK
        block = _StorageHour([], [])
        for minute in range(first, first + _BLOCK):
            block.level.append(level)
            sample = self._power.get_minute(minute)
            calibrating = minute >= week.next_full - self._calibration_minutes
            for second in range(0, 60, STEP_S):
                missing = sum(w[second] for w in sample.load_w) - sum(w[second] for w in sample.production_w)
                power_w = self._limit_w(-self._battery.max_power_w if calibrating else missing, level)
                block.power_w.append(power_w)
                level = self._change_level(level, power_w)
        return block

    def _compute_level_after(self, block: _StorageHour) -> float:
        level = block.level[-1]
        for power_w in block.power_w[-60 // STEP_S :]:
            level = self._change_level(level, power_w)
        return level

    def _limit_w(self, wanted_w: float, level: float) -> float:
        """Return the wanted power, within the rating and what the cells hold or have room for in one step."""
        battery = self._battery
        per_step = JOULES_PER_WH / STEP_S * battery.capacity_wh
        most_out = (level - battery.reserve) * per_step * battery.efficiency
        most_in = (1.0 - level) * per_step / battery.efficiency
        return max(-battery.max_power_w, -most_in, min(battery.max_power_w, most_out, wanted_w))

    def _change_level(self, level: float, power_w: float) -> float:
        """Return the level after one step at a power."""
        battery = self._battery
        cells_w = power_w / battery.efficiency if power_w > 0 else power_w * battery.efficiency
        changed = level - cells_w * STEP_S / JOULES_PER_WH / battery.capacity_wh
        return max(battery.reserve, min(1.0, changed))
