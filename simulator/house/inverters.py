"""The reports of the inverters to the gateway: each inverter reports at its own moment, and not in the dark."""

from collections.abc import Callable
from functools import lru_cache

from simulator.house.noise import NoiseField
from simulator.house.profile import HouseProfile
from simulator.house.roof import Roof
from simulator.house.state import PRODUCTION, HouseState, InverterReport
from simulator.house.weather import Weather
from simulator.units import DAY_S, JOULES_PER_WH

_LONGEST_SLEEP_S = 3.0 * DAY_S
_JITTER = 0.02
"""Variation of the time of a poll of one inverter, as a share of the interval."""


class InverterReports:
    """The reports of one house.

    Args:
        profile: Gives the panels.
        seed: The house's seed.
        roof: Their power.
        weather: Their temperature.
        lifetime_wh: Panel index and time to lifetime energy.
        state: The house at a time, for voltage and frequency.
    """

    def __init__(
        self,
        profile: HouseProfile,
        seed: int,
        *,
        roof: Roof,
        weather: Weather,
        lifetime_wh: Callable[[int, float], float],
        state: Callable[[float], HouseState],
    ) -> None:
        self._profile = profile
        self._roof = roof
        self._weather = weather
        self._lifetime_wh = lifetime_wh
        self._state = state
        self._jitter = [NoiseField(seed, f"poll {panel.serial}") for panel in profile.panels]
        self._get_answered = lru_cache(maxsize=65_536)(self._find_last_answered)
        self._get_report = lru_cache(maxsize=4096)(self._make_report)

    def list_reports(self, t: float, interval_s: float) -> list[InverterReport]:
        """Return the newest report of each inverter at t."""
        reports = []
        for index in range(len(self._profile.panels)):
            number = int(t // interval_s)
            while self._compute_poll_time(index, number, interval_s) > t:
                number -= 1
            answered = self._get_answered(index, number, interval_s)
            if answered is not None:
                reports.append(self._get_report(index, answered, interval_s))
        return reports

    def _compute_poll_time(self, index: int, number: int, interval_s: float) -> int:
        """Return when the gateway asks an inverter for the number-th time (epoch seconds)."""
        place = (index + 0.5) / len(self._profile.panels)
        jitter = _JITTER * self._jitter[index].compute_point(number)
        return int((number + place + jitter) * interval_s)

    def _find_last_answered(self, index: int, number: int, interval_s: float) -> int | None:
        """Return the newest poll up to this one that the inverter was awake for; None when there is none."""
        oldest = number - int(_LONGEST_SLEEP_S / interval_s)
        while number > oldest:
            if self._roof.is_awake(index, self._compute_poll_time(index, number, interval_s)):
                return number
            number -= 1
        return None

    def _make_report(self, index: int, number: int, interval_s: float) -> InverterReport:
        panel = self._profile.panels[index]
        end = self._compute_poll_time(index, number, interval_s)
        start = float(self._compute_poll_time(index, number - 1, interval_s))
        if not self._roof.is_awake(index, start):
            start = self._roof.find_dawn(index, start, end)
        seconds = max(1, round(end - start))
        joules = round(self._roof.compute_energy_ws(index, start, end))
        power = round(joules / seconds)
        now_w = self._roof.compute_power_w(end)[index]
        reading = self._state(end).meters[PRODUCTION]
        phases = reading if panel.phase is None else (reading[panel.phase],)
        ac_v = sum(phase.voltage_v for phase in phases)
        dc_w = now_w / 0.965
        # A panel's best voltage falls with its heat and, in weak light, a little with the light.
        hot_c = self._weather.compute_temperature_c(end) + 0.07 * now_w
        dc_v = 34.5 - 0.09 * (hot_c - 25.0) + 0.004 * min(now_w, 100.0)
        return InverterReport(
            serial=panel.serial,
            report_date=end,
            power_w=power,
            max_power_w=max(power, round(min(panel.inverter_w, 0.98 * panel.rated_w * panel.health))),
            interval_s=seconds,
            joules_produced=joules,
            lifetime_joules=round(self._lifetime_wh(index, end) * JOULES_PER_WH),
            ac_voltage_mv=round(ac_v * 1000.0),
            ac_frequency_mhz=round(phases[0].frequency_hz * 1000.0),
            dc_voltage_mv=round(dc_v * 1000.0),
            dc_current_ma=round(dc_w / dc_v * 1000.0),
            ac_current_ma=round(now_w / ac_v * 1000.0),
            temperature_c=round(hot_c),
        )
