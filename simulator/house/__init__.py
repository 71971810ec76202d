"""The physical model: a house with a roof that answers for any second, the same for the same seed.

It knows no network, disk, clock or settings. `House` is the way in, `PROFILES` the ready-made houses.
"""

from simulator.house.energies import DEFAULT_START, choose_counters_start
from simulator.house.house import House
from simulator.house.late_morning import find_late_morning_offset
from simulator.house.profile import Battery, HouseProfile, RoofPanel, Shade
from simulator.house.profiles import BATTERY, PROFILES, SINGLE_PHASE, SPLIT_PHASE, THREE_PHASE
from simulator.house.state import (
    NET,
    PRODUCTION,
    STORAGE,
    TOTAL,
    HouseState,
    InverterReport,
    LifetimeCounters,
    PhaseEnergy,
    PhaseReading,
)
from simulator.house.sun import SunPosition, compute_sun_position

__all__ = [
    "BATTERY",
    "DEFAULT_START",
    "NET",
    "PRODUCTION",
    "PROFILES",
    "SINGLE_PHASE",
    "SPLIT_PHASE",
    "STORAGE",
    "THREE_PHASE",
    "TOTAL",
    "Battery",
    "House",
    "HouseProfile",
    "HouseState",
    "InverterReport",
    "LifetimeCounters",
    "PhaseEnergy",
    "PhaseReading",
    "RoofPanel",
    "Shade",
    "SunPosition",
    "choose_counters_start",
    "compute_sun_position",
    "find_late_morning_offset",
]
