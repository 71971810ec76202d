"""The profile of a house: its location, wiring, roof and appliances. Values only."""

from dataclasses import dataclass
from typing import Literal

Wiring = Literal["three", "split", "single"]

PHASE_COUNT: dict[str, int] = {"three": 3, "split": 2, "single": 1}


@dataclass(frozen=True, slots=True)
class Shade:
    """Something that stands between the sun and a panel, as the panel sees it.

    Attributes:
        from_azimuth_deg: Left edge, clockwise from north.
        to_azimuth_deg: Right edge, larger than the left one.
        below_elevation_deg: Its top: a higher sun passes over it.
        blocked: Share of the direct light that it takes away, 0 to 1.
    """

    from_azimuth_deg: float
    to_azimuth_deg: float
    below_elevation_deg: float
    blocked: float = 0.85


@dataclass(frozen=True, slots=True)
class RoofPanel:
    """One panel with its microinverter.

    Attributes:
        serial: The inverter's serial, 12 digits as text.
        azimuth_deg: Where the panel looks, clockwise from north (180 is south).
        tilt_deg: From horizontal.
        rated_w: The panel's rating (W DC at 1,000 W/m2 and 25 C).
        phase: Index of the phase that its inverter feeds; None when it sits across both legs of a split phase.
        shade: What shades it, if anything.
        inverter_w: The inverter's rating: its AC output is clipped there (W).
        health: Share of the rating that is left: 1 for a good panel.
    """

    serial: str
    azimuth_deg: float
    tilt_deg: float
    rated_w: float
    phase: int | None
    shade: Shade | None = None
    inverter_w: float = 295.0
    health: float = 1.0


@dataclass(frozen=True, slots=True)
class Battery:
    """A battery on the AC side.

    Attributes:
        capacity_wh: Usable energy when full (Wh).
        max_power_w: Limit of charge and discharge (W AC).
        reserve: Share of the capacity that it keeps for a black-out.
        efficiency: Energy that survives one way, in or out.
    """

    capacity_wh: float
    max_power_w: float
    reserve: float = 0.1
    efficiency: float = 0.95


@dataclass(frozen=True, slots=True)
class HouseProfile:
    """A house to simulate.

    Attributes:
        name: What people call it on the command line.
        latitude_deg: North positive.
        longitude_deg: East positive.
        time_zone: IANA name; the household lives by it.
        phases: `three`, `split` (two legs) or `single`.
        panels: The roof, at least one panel.
        nominal_voltage_v: Line to neutral, of each phase or leg.
        nominal_frequency_hz: Of the grid.
        battery: None for a house without one.
        has_production_ct: A current transformer measures the inverters.
        has_consumption_ct: A current transformer measures the grid connection.
        mean_temperature_c: Mean of the year outside.
        cloudiness: Mean share of the sky under cloud, 0 to 1.
        base_load_w: What runs day and night.
        heat_pump_w: Heat pump or air conditioner while it runs; 0 for none.
        ev_w: Car charger while it charges; 0 for none.
    """

    name: str
    latitude_deg: float
    longitude_deg: float
    time_zone: str
    phases: Wiring
    panels: tuple[RoofPanel, ...]
    nominal_voltage_v: float = 230.0
    nominal_frequency_hz: float = 50.0
    battery: Battery | None = None
    has_production_ct: bool = True
    has_consumption_ct: bool = True
    mean_temperature_c: float = 10.0
    cloudiness: float = 0.45
    base_load_w: float = 240.0
    heat_pump_w: float = 0.0
    ev_w: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a house that cannot be wired.

        Raises:
            ValueError: No panel, a serial that is not 12 digits or stands twice, or a phase that the house lacks.
        """
        if not self.panels:
            raise ValueError(f"house {self.name!r} has no panel: give it at least one")
        if len({panel.serial for panel in self.panels}) != len(self.panels):
            raise ValueError(f"house {self.name!r} has two inverters with one serial: serials must differ")
        for panel in self.panels:
            if len(panel.serial) != 12 or not panel.serial.isdecimal():
                raise ValueError(f"inverter serial {panel.serial!r} must be 12 digits")
            if panel.phase is not None and not 0 <= panel.phase < self.phase_count:
                raise ValueError(f"inverter {panel.serial}: phase {panel.phase} is not in a {self.phases}-phase house")

    @property
    def phase_count(self) -> int:
        """Number of metered phases: 3, 2 or 1."""
        return PHASE_COUNT[self.phases]

    def compute_shares(self, panel: RoofPanel) -> tuple[float, ...]:
        """Return which share of a panel's power flows into each phase; the shares sum to 1."""
        count = self.phase_count
        if panel.phase is None:
            return (1.0 / count,) * count
        return tuple(1.0 if phase == panel.phase else 0.0 for phase in range(count))
