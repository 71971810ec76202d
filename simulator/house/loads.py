"""The power of the household on each phase: base load and appliances, by local time."""

from bisect import bisect_right
from collections import defaultdict
from datetime import date, datetime, time
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from simulator.house.appliances import APPLIANCES, ApplianceDay, Use
from simulator.house.noise import NoiseField, make_dice
from simulator.house.profile import HouseProfile
from simulator.house.sun import compute_geometric_position
from simulator.house.weather import Weather
from simulator.units import HOUR_S

_SATURDAY = 5
_DRIFT_S = 900.0


class _Steps(NamedTuple):
    """Appliance power over one local day: from times[i] to times[i + 1] it is (watts[i], var[i]) by phase."""

    times: list[float]
    watts: list[tuple[float, ...]]
    var: list[tuple[float, ...]]


class Loads:
    """The loads of one house.

    Args:
        profile: Gives place, wiring and what there is to plug in.
        seed: The house's seed.
        weather: Heat and cold.
    """

    def __init__(self, profile: HouseProfile, seed: int, weather: Weather) -> None:
        self._profile = profile
        self._seed = seed
        self._weather = weather
        self._zone = ZoneInfo(profile.time_zone)
        self._phases = range(profile.phase_count)
        self._drift = [NoiseField(seed, f"base load {phase}") for phase in self._phases]
        self._get_uses = lru_cache(maxsize=16)(self._list_uses_of_day)
        self._get_steps = lru_cache(maxsize=16)(self._make_steps_of_day)

    def compute_minute(self, minute: int) -> tuple[list[list[float]], list[list[float]]]:
        """Return active (W) and reactive power (var) of the 60 seconds of a minute, by phase, without noise."""
        start = minute * 60
        steps = self._get_steps(datetime.fromtimestamp(start, self._zone).toordinal())
        index = bisect_right(steps.times, start) - 1
        change = steps.times[index + 1] if index + 1 < len(steps.times) else float("inf")
        if change >= start + 60:
            watts = [[value] * 60 for value in steps.watts[index]]
            var = [[value] * 60 for value in steps.var[index]]
        else:
            at = [bisect_right(steps.times, start + second) - 1 for second in range(60)]
            watts = [[steps.watts[i][phase] for i in at] for phase in self._phases]
            var = [[steps.var[i][phase] for i in at] for phase in self._phases]
        for phase in self._phases:
            base = self._compute_base_w(phase, start)
            slope = (self._compute_base_w(phase, start + 60) - base) / 60
            watts[phase] = [value + base + slope * second for second, value in enumerate(watts[phase])]
            var[phase] = [value - 0.15 * base for value in var[phase]]
        return watts, var

    def _compute_base_w(self, phase: int, t: float) -> float:
        """Return the drifting base load of a phase: routers, standby, ventilation (W)."""
        mean = self._profile.base_load_w / len(self._phases)
        return mean * (1.0 + 0.25 * self._drift[phase].compute_swing(t / _DRIFT_S))

    def _find_midnight(self, day: int) -> float:
        return datetime.combine(date.fromordinal(day), time(), self._zone).timestamp()

    def _list_uses_of_day(self, day: int) -> list[Use]:
        """Return every use that starts on a local day (a date's ordinal)."""
        noon = self._find_midnight(day) + 12 * HOUR_S
        weekend = date.fromordinal(day).weekday() >= _SATURDAY
        uses: list[Use] = []
        for appliance in APPLIANCES:
            known = ApplianceDay(
                dice=make_dice(self._seed, appliance.__name__.removeprefix("use_"), day),
                weekend=weekend,
                noon_c=self._weather.compute_temperature_c(noon),
                sunset_s=self._find_sunset_s(day),
                heat_pump_w=self._profile.heat_pump_w,
                ev_w=self._profile.ev_w,
            )
            uses.extend(appliance(known))
        return uses

    def _find_sunset_s(self, day: int) -> int:
        """Return when it gets dark, in seconds after local midnight, to a quarter of an hour."""
        noon = self._find_midnight(day) + 12 * HOUR_S
        for quarter in range(48):
            t = noon + quarter * 900.0
            if (
                compute_geometric_position(self._profile.latitude_deg, self._profile.longitude_deg, t).elevation_deg
                < 0.0
            ):
                return 12 * HOUR_S + quarter * 900
        return 24 * HOUR_S

    def _make_steps_of_day(self, day: int) -> _Steps:
        """Return the day as steps, what still runs from the evening before included."""
        changes: dict[float, list[float]] = defaultdict(lambda: [0.0] * (2 * len(self._phases)))
        start, end = self._find_midnight(day), self._find_midnight(day + 1)
        for origin in (day - 1, day):
            midnight = self._find_midnight(origin)
            for use in self._get_uses(origin):
                on = max(start, midnight + use.start_s)
                off = min(end, midnight + use.start_s + use.seconds)
                if on < off:
                    self._switch(changes[on], use, 1.0)
                    self._switch(changes[off], use, -1.0)
        steps = _Steps([float("-inf")], [(0.0,) * len(self._phases)], [(0.0,) * len(self._phases)])
        level = [0.0] * (2 * len(self._phases))
        for t in sorted(changes):
            # Rounded to a milliwatt, so that sums of floats leave nothing behind when all is off.
            level = [round(before + change, 3) for before, change in zip(level, changes[t], strict=True)]
            steps.times.append(t)
            steps.watts.append(tuple(level[: len(self._phases)]))
            steps.var.append(tuple(level[len(self._phases) :]))
        return steps

    def _switch(self, change: list[float], use: Use, sign: float) -> None:
        """Add one use to the change of power (then of reactive power) of each phase."""
        count = len(self._phases)
        phases = self._phases if use.circuit is None else (use.circuit % count,)
        watts = sign * use.watts / len(phases)
        var = watts * (1.0 - use.power_factor**2) ** 0.5 / use.power_factor
        for phase in phases:
            change[phase] += watts
            change[count + phase] += var
