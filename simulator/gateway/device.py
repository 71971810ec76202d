"""The device's inside: its identity, its clock, and the house's values as it sees them at this moment."""

import datetime as dt
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from simulator.clock import DeviceClock
from simulator.faults import Faults
from simulator.house import House
from simulator.house.state import HouseState, InverterReport, LifetimeCounters, PhaseEnergy
from simulator.profiles import GatewayProfile
from simulator.units import JOULES_PER_WH

# Serials of the inverters that only a fault puts on the roof.
EXTRA_SERIALS = 122_990_000_001


class Device:
    """One gateway in front of one house.

    There are two times. The device's own clock (`now`) stamps everything it says. The house's time
    (`moment`) decides where the sun stands; a demonstration shifts it so that it is always late morning.

    Args:
        profile: what kind of gateway.
        house: what stands behind it.
        clock: the simulated time.
        faults: switches that bend what the device says.
        house_offset_s: seconds from the clock to the house's time.
    """

    def __init__(
        self,
        profile: GatewayProfile,
        house: House,
        clock: DeviceClock,
        faults: Faults,
        *,
        house_offset_s: int = 0,
    ) -> None:
        self.profile = profile
        self.house_profile = house.profile
        self.clock = clock
        self.faults = faults
        self.house_offset_s = house_offset_s
        self.written: dict[str, Any] = {}
        self._house = house
        self._zone = ZoneInfo(house.profile.time_zone)
        self._frozen: dict[str, int] = {}
        self._base: LifetimeCounters | None = None
        faults.subscribe(self._apply_switch)

    @property
    def serial(self) -> str:
        """12 digits; another one while the fault says that another gateway stands here."""
        other = self.faults.get("other-serial")
        return str(other["serial"]) if other is not None else self.profile.serial

    def now(self) -> float:
        """The device's own clock, epoch seconds: right, wrong by a constant, or stuck."""
        wrong = self.faults.get("clock-off")
        if wrong is None:
            return self.clock.now()
        return float(wrong["at"]) if wrong["at"] is not None else self.clock.now() + float(wrong["by"])

    def read_second(self) -> int:
        """The device's own clock in whole seconds."""
        return int(self.now())

    def find_moment(self) -> int:
        """The house's time of the present second."""
        return int(self.clock.now()) + self.house_offset_s

    def compute_stamp(self, moment: int) -> int:
        """The time of the device's clock at a moment of the house."""
        return moment - self.house_offset_s + round(self.now() - self.clock.now())

    def find_reading_moment(self) -> int:
        """The moment that meter readings show: the present, unless they are frozen."""
        return self._frozen.get("frozen-readings", self.find_moment())

    def read_state(self, moment: int | None = None) -> HouseState:
        """The house's meters at a moment, now by default."""
        return self._house.compute_state(self.find_moment() if moment is None else moment)

    def read_counters(self, moment: int | None = None) -> LifetimeCounters:
        """Lifetime counters at a moment, now by default."""
        counters = self._house.compute_counters(self.find_moment() if moment is None else moment)
        shown = counters if self._base is None else _subtract(counters, self._base)
        jump = self.faults.get("counter-jump")
        return shown if jump is None else _raise_production(shown, float(jump["by"]))

    def continue_from(self, shown: LifetimeCounters) -> None:
        """Continue the counters from their values at the shutdown: the device did not count while it was off."""
        self._base = _subtract(self._house.compute_counters(self.find_moment()), shown)

    def find_midnight(self, days_ago: int = 0) -> int:
        """The moment at which the house's day began, or one some days before; not before the counters' start."""
        local = dt.datetime.fromtimestamp(self.find_moment(), self._zone)
        start = local.replace(hour=0, minute=0, second=0, microsecond=0) - dt.timedelta(days=days_ago)
        # The house adds up its counters second by second from its start: what lies before would cost seconds.
        return max(int(start.timestamp()), int(self._house.start))

    def list_reports(self) -> list[InverterReport]:
        """The last report of every inverter, its date in the device's own time."""
        moment = self._frozen.get("frozen-dates", self.find_moment())
        panels = {panel.serial: index for index, panel in enumerate(self.house_profile.panels)}
        reports = [
            report._replace(
                report_date=self.compute_stamp(report.report_date),
                lifetime_joules=self._compute_lifetime(report.lifetime_joules, panels[report.serial]),
            )
            for report in self._house.list_reports(moment, self.profile.interval_s)
        ]
        silent = self.faults.get("inverters-silent")
        if silent is not None:
            old = {
                "report_date": self.compute_stamp(self.find_moment()) - int(silent["seconds"]),
                "power_w": silent["watts"],
            }
            count = int(silent["count"])
            reports = [report._replace(**old) for report in reports[:count]] + reports[count:]
        many = self.faults.get("fifty-devices")
        if many is not None:
            reports += [
                reports[index % len(reports)]._replace(serial=f"{EXTRA_SERIALS + index:012d}")
                for index in range(int(many["count"]) - len(reports))
            ]
        return reports

    def sum_inverter_lifetime_wh(self) -> float:
        """Sum of what all inverters ever produced, as far as they have reported it."""
        return sum(report.lifetime_joules for report in self.list_reports()) / JOULES_PER_WH

    def become(self, profile: GatewayProfile) -> None:
        """Take another profile's firmware; serial, hardware and house stay, as in an update."""
        self.profile = replace(self.profile, firmware=profile.firmware, interval_s=profile.interval_s)

    def _compute_lifetime(self, joules: int, panel: int) -> int:
        base = self._base.panels_wh[panel] * JOULES_PER_WH if self._base is not None else 0.0
        lifetime = max(0, round(joules - base))
        jump = self.faults.get("counter-jump")
        lifetime += 0 if jump is None else round(jump["by"] * JOULES_PER_WH)
        wrap = self.faults.get("counter-wrap")
        return lifetime if wrap is None else lifetime % (int(wrap["at"]) * JOULES_PER_WH)

    def _apply_switch(self, name: str) -> None:
        is_on = self.faults.get(name) is not None
        if name in ("frozen-readings", "frozen-dates"):
            if is_on:
                self._frozen[name] = self.find_moment()
            else:
                self._frozen.pop(name, None)
        if name == "counter-reset":
            self._base = self._house.compute_counters(self.find_moment()) if is_on else None


def _subtract(counters: LifetimeCounters, base: LifetimeCounters) -> LifetimeCounters:
    meters = {
        meter: tuple(
            PhaseEnergy(now.delivered_wh - then.delivered_wh, now.received_wh - then.received_wh)
            for now, then in zip(phases, base.meters[meter], strict=True)
        )
        for meter, phases in counters.meters.items()
    }
    panels = tuple(now - then for now, then in zip(counters.panels_wh, base.panels_wh, strict=True))
    return LifetimeCounters(meters, panels)


def _raise_production(counters: LifetimeCounters, wh: float) -> LifetimeCounters:
    phases = counters.meters.get("production", ())
    raised = tuple(PhaseEnergy(phase.delivered_wh + wh, phase.received_wh) for phase in phases)
    return counters._replace(meters={**counters.meters, **({"production": raised} if phases else {})})
