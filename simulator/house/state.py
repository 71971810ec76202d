"""The state of a house: readings of its meters, its counters and its inverters. Values only."""

from collections.abc import Mapping
from typing import NamedTuple

PRODUCTION = "production"
NET = "net-consumption"
TOTAL = "total-consumption"
STORAGE = "storage"


class PhaseReading(NamedTuple):
    """One meter on one phase at one second. Signs as the gateway's: see `HouseState`."""

    active_power_w: float
    reactive_power_var: float
    apparent_power_va: float
    voltage_v: float
    current_a: float
    power_factor: float
    frequency_hz: float


class HouseState(NamedTuple):
    """The house at one second.

    Attributes:
        t: The second, in epoch seconds.
        meters: Meter name to one reading for each phase: `production` (+ generation), `net-consumption` (+ import),
            `total-consumption` (always production + net, which is what a gateway computes, so a charging battery
            counts as consumption) and, with a battery, `storage` (+ discharge). All meters are here, whatever
            current transformers the profile has: those say what the gateway may show.
        load_w: What the appliances really draw on each phase: production + net + storage (W).
        state_of_charge: Battery level, 0 to 1; None without a battery.
    """

    t: int
    meters: Mapping[str, tuple[PhaseReading, ...]]
    load_w: tuple[float, ...]
    state_of_charge: float | None


class PhaseEnergy(NamedTuple):
    """Energy of one meter on one phase (Wh), of a span or since the meter was installed.

    Attributes:
        delivered_wh: Where the power was positive (net-consumption: import).
        received_wh: Where it was negative, as a positive number (net-consumption: export).
    """

    delivered_wh: float
    received_wh: float

    @property
    def net_wh(self) -> float:
        """The plain integral: delivered minus received."""
        return self.delivered_wh - self.received_wh


class LifetimeCounters(NamedTuple):
    """Lifetime counters.

    Attributes:
        meters: Meter name to one `PhaseEnergy` for each phase.
        panels_wh: What each inverter produced since it was installed, in the order of the profile's panels.
    """

    meters: Mapping[str, tuple[PhaseEnergy, ...]]
    panels_wh: tuple[float, ...]


class InverterReport(NamedTuple):
    """The last thing that one inverter reported.

    Attributes:
        serial: 12 digits.
        report_date: End of its interval (epoch seconds).
        power_w: Mean over the interval, rounded as the gateway does.
        max_power_w: Highest interval mean ever seen.
        interval_s: Length of the interval; shorter than usual for the first one after dawn.
        joules_produced: In the interval.
        lifetime_joules: Since it was installed, until `report_date`.
        ac_voltage_mv: At `report_date`, as are all that follow (line to line on a split phase).
        ac_frequency_mhz: Millihertz.
        dc_voltage_mv: Of the panel.
        dc_current_ma: Of the panel.
        ac_current_ma: Of the inverter.
        temperature_c: Inside the inverter.
    """

    serial: str
    report_date: int
    power_w: int
    max_power_w: int
    interval_s: int
    joules_produced: int
    lifetime_joules: int
    ac_voltage_mv: int
    ac_frequency_mhz: int
    dc_voltage_mv: int
    dc_current_ma: int
    ac_current_ma: int
    temperature_c: int
