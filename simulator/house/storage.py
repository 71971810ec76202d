"""The battery: it takes the surplus of the day and gives it back in the evening.

What a battery holds depends on all that went before, which would make a random instant cost the whole past. This
one is therefore calibrated as real ones are: early every Sunday it is charged full. From there its week is worked
out once, forwards, and remembered.
"""

from datetime import datetime, time, timedelta
from functools import lru_cache
from math import ceil
from typing import NamedTuple
from zoneinfo import ZoneInfo

from simulator.house.power import Power
from simulator.house.profile import Battery

STEP_S = 10
"""The battery's controller reads the meters and sets its power this often."""
_FULL_AT = time(5, 0)
_BLOCK = 60
"""Minutes that are worked out at a time."""


class _Block(NamedTuple):
    """An hour of the battery: power of each step (W), and the level at the start of each minute (0 to 1)."""

    power_w: list[float]
    level: list[float]


class Storage:
    """One house's battery.

    Args:
        battery: Its ratings.
        time_zone: IANA name.
        power: Roof and household.
    """

    def __init__(self, battery: Battery, time_zone: str, power: Power) -> None:
        self._battery = battery
        self._zone = ZoneInfo(time_zone)
        self._power = power
        hours = battery.capacity_wh / (battery.max_power_w * battery.efficiency)
        self._calibration_minutes = ceil(hours * 60) + 30
        self._week = lru_cache(maxsize=4)(self._new_week)

    def minute_w(self, minute: int) -> list[float]:
        """Return the battery's power in each of the six steps of a minute (W AC; + discharge, - charge)."""
        block, at = self._block(minute)
        return block.power_w[at * 6 : at * 6 + 6]

    def level(self, minute: int) -> float:
        """Return the state of charge at the start of a minute, from the reserve to 1."""
        block, at = self._block(minute)
        return block.level[at]

    def _block(self, minute: int) -> tuple[_Block, int]:
        """Return the block of a minute and the minute's place in it; works out the week until there."""
        full, blocks = self._week(self._last_full(minute))
        number, at = divmod(minute - full, _BLOCK)
        while len(blocks) <= number:
            first = full + len(blocks) * _BLOCK
            blocks.append(self._run(first, self._level_after(blocks[-1]) if blocks else 1.0))
        return blocks[number], at

    def _new_week(self, full: int) -> tuple[int, list[_Block]]:
        return full, []

    def _last_full(self, minute: int) -> int:
        """Return the minute of the last end of a calibration at or before a minute: a Sunday, 05:00 local."""
        now = datetime.fromtimestamp(minute * 60, self._zone)
        day = now.date() - timedelta(days=now.isoweekday() % 7)
        full = int(datetime.combine(day, _FULL_AT, self._zone).timestamp()) // 60
        if full > minute:
            full = int(datetime.combine(day - timedelta(days=7), _FULL_AT, self._zone).timestamp()) // 60
        return full

    def _is_calibrating(self, minute: int) -> bool:
        return self._last_full(minute) != self._last_full(minute + self._calibration_minutes)

    def _run(self, first: int, level: float) -> _Block:
        """Work out an hour from the level at its start."""
        block = _Block([], [])
        for minute in range(first, first + _BLOCK):
            block.level.append(level)
            sample = self._power.minute(minute)
            calibrating = self._is_calibrating(minute)
            for second in range(0, 60, STEP_S):
                missing = sum(w[second] for w in sample.load_w) - sum(w[second] for w in sample.production_w)
                wanted = -self._battery.max_power_w if calibrating else missing
                power_w = self._possible_w(wanted, level)
                block.power_w.append(power_w)
                level = self._level(level, power_w)
        return block

    def _level_after(self, block: _Block) -> float:
        level = block.level[-1]
        for power_w in block.power_w[-6:]:
            level = self._level(level, power_w)
        return level

    def _possible_w(self, wanted_w: float, level: float) -> float:
        """Return the wanted power, within the rating and what the cells hold or have room for in one step."""
        battery = self._battery
        per_step = 3600.0 / STEP_S * battery.capacity_wh
        most_out = (level - battery.reserve) * per_step * battery.efficiency
        most_in = (1.0 - level) * per_step / battery.efficiency
        return max(-battery.max_power_w, -most_in, min(battery.max_power_w, most_out, wanted_w))

    def _level(self, level: float, power_w: float) -> float:
        """Return the level after one step at a power."""
        battery = self._battery
        cells_w = power_w / battery.efficiency if power_w > 0 else power_w * battery.efficiency
        changed = level - cells_w * STEP_S / 3600.0 / battery.capacity_wh
        return max(battery.reserve, min(1.0, changed))
