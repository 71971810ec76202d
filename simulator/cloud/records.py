"""What the cloud knows of one system: energy of intervals, from the truth of the house, as far as it has been reported.

A gateway reports every quarter hour. Inverters report to it at times of their own, so that the newest intervals lack
some of them and grow later. Whole Wh, as the cloud has them.
"""

import datetime as dt
import functools
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from simulator.clock import DeviceClock
from simulator.faults import Faults, Parameters
from simulator.house import House
from simulator.house.state import PhaseEnergy
from simulator.units import DAY_S

MICRO_S = 300
METER_S = 900
_REPORT_AFTER_S = 65
"""Seconds after a quarter hour at which the gateway's report is there."""
_HISTORY_DAYS = 60
"""How long the simulated system has existed when the simulator starts: days are costly to add up."""


class MicroInterval(NamedTuple):
    """What the inverters produced together until `end` (epoch seconds), in five minutes."""

    end: int
    devices: int
    energy_wh: int


class MeterInterval(NamedTuple):
    """What a meter saw on each phase until `end` (epoch seconds), in a quarter hour: Wh delivered and received."""

    end: int
    phases: tuple[PhaseEnergy, ...]
    extra_wh: int


class SystemRecords:
    """The records of one system.

    Args:
        house: what is true.
        house_offset_s: seconds from the clock to the house's time.
        clock: the simulated time.
        faults: those whose names begin with `api-`.
        has_meters: whether the gateway has meters.

    Attributes:
        system_id: the system's number.
        operational_at: since when there are records (epoch seconds, a local midnight); tests may set it.
    """

    def __init__(
        self, house: House, house_offset_s: int, clock: DeviceClock, faults: Faults, *, has_meters: bool
    ) -> None:
        self._house = house
        self._offset_s = house_offset_s
        self._clock = clock
        self._faults = faults
        self._has_meters = has_meters
        self.profile = house.profile
        self.zone = ZoneInfo(house.profile.time_zone)
        self.system_id = 4_711_023
        self.operational_at = self.find_midnight(clock.now() - _HISTORY_DAYS * DAY_S)
        self._get_panels_wh = functools.lru_cache(maxsize=20_000)(self._compute_panels_wh)
        self._get_meters_wh = functools.lru_cache(maxsize=10_000)(self._compute_meters_wh)

    @property
    def has_meters(self) -> bool:
        """Whether the cloud knows of meters."""
        return self._has_meters and self._faults.get("api-no-meter") is None

    def find_midnight(self, moment: float, days_later: int = 0) -> int:
        """When the local day of a moment began, or one that is so many days later."""
        day = dt.datetime.fromtimestamp(moment, self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        return int((day + dt.timedelta(days=days_later)).timestamp())

    def find_report(self) -> int:
        """When the gateway last reported."""
        late = self._read_lag("reports")
        return int((self._clock.now() - late - _REPORT_AFTER_S) // METER_S * METER_S) + _REPORT_AFTER_S

    def find_newest_energy(self, *, of_meters: bool = False) -> int:
        """The newest interval end whose energy is known."""
        late = self._read_lag("energy") + (self._read_lag("meters") if of_meters else 0)
        return (self.find_report() - late) // METER_S * METER_S

    def list_micro(self, start: int, end: int) -> list[MicroInterval]:
        """The intervals of all inverters together whose ends lie after `start`, until `end`."""
        report = self.find_report()
        found = []
        for at in self._list_ends(start, min(end, self.find_newest_energy()), MICRO_S):
            known = [wh for index, wh in enumerate(self._get_panels_wh(at)) if self._is_known(index, at, report)]
            extra = self._find_extra(at, MICRO_S)
            found.append(MicroInterval(at, len(known), round(sum(known)) + extra))
        return found

    def list_meter(self, meter: str, start: int, end: int) -> list[MeterInterval]:
        """The intervals of a meter whose ends lie after `start`, until `end`."""
        newest = self.find_newest_energy(of_meters=True)
        return [
            MeterInterval(at, tuple(self._get_meters_wh(at)[meter]), self._find_extra(at, METER_S))
            for at in self._list_ends(start, min(end, newest), METER_S)
        ]

    def list_levels(self, start: int, end: int) -> list[tuple[int, float]]:
        """The battery's level (0 to 1) at the ends of quarter hours; nothing without a battery."""
        found = []
        for at in self._list_ends(start, min(end, self.find_newest_energy(of_meters=True)), METER_S):
            level = self._house.compute_state(at + self._offset_s).state_of_charge
            if level is not None:
                found.append((at, level))
        return found

    def compute_power_w(self, meter: str, at: int) -> list[int]:
        """What a meter sees on each phase in a second (W)."""
        state = self._house.compute_state(at + self._offset_s)
        return [round(phase.active_power_w) for phase in state.meters[meter]]

    def compute_lifetime_wh(self, at: int) -> list[float]:
        """What each inverter has produced (Wh). Raises ValueError too far from the start of the house's counters."""
        return list(self._house.compute_counters(at + self._offset_s).panels_wh)

    def _read_lag(self, name: str) -> int:
        lag = self._faults.get("api-lag")
        return 0 if lag is None else int(lag[name])

    def _list_ends(self, start: int, end: int, length_s: int) -> list[int]:
        first = max(start, self.operational_at) // length_s * length_s + length_s
        hole = self._faults.get("api-hole")
        return [at for at in range(first, end + 1, length_s) if not _is_within(hole, at)]

    def _is_known(self, panel: int, end: int, report: int) -> bool:
        """Whether what an inverter produced until `end` was in a report; those of the last quarter may be late."""
        known = end + (panel * 37) % METER_S
        if panel >= len(self.profile.panels) * 3 // 4:
            known += self._read_lag("devices")
        return known <= report

    def _find_extra(self, end: int, length_s: int) -> int:
        revised = self._faults.get("api-revise")
        if revised is None or not _is_within(revised, end):
            return 0
        return int(revised["by"]) * (length_s // MICRO_S)

    def _compute_panels_wh(self, end: int) -> Sequence[float]:
        until = end + self._offset_s
        panels = range(len(self.profile.panels))
        return [self._house.compute_interval_energy_wh(panel, until - MICRO_S, until) for panel in panels]

    def _compute_meters_wh(self, end: int) -> Mapping[str, tuple[PhaseEnergy, ...]]:
        until = end + self._offset_s
        return self._house.compute_truth_wh(until - METER_S, until)


def _is_within(span: Parameters | None, end: int) -> bool:
    return span is not None and int(span["start"]) < end <= int(span["end"])
