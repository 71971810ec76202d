"""From watts to what a meter shows: voltage, current, reactive and apparent power, power factor, frequency."""

from math import copysign, sqrt

from simulator.house.noise import NoiseField, Texture
from simulator.house.profile import HouseProfile
from simulator.house.state import PhaseReading

_FILTER_VAR = 6.5
_FILTER_DISTORTION_VA = 3.6
"""Of one inverter's filter at any power: 24 of them show about 180 VA when they sleep."""
_STORAGE_VAR = 12.0
_STORAGE_DISTORTION_VA = 8.0
"""Of a battery's inverter, on each phase."""
_LOAD_DISTORTION = 0.08
"""Harmonic current of electronics, as a share of the load."""
_GRID_OHM = 0.22
"""From the transformer to the house at 230 V; a quarter of that at 120 V."""
_FREQUENCY_STEPS_PER_HZ = 16.0
"""A gateway resolves frequency in steps of about 0.06 Hz."""


class Grid:
    """Voltage and frequency where the house is connected.

    Args:
        profile: Gives the nominal values.
        seed: The house's seed.
    """

    def __init__(self, profile: HouseProfile, seed: int) -> None:
        self._nominal_v = profile.nominal_voltage_v
        self._nominal_hz = profile.nominal_frequency_hz
        self._ohm = _GRID_OHM * (profile.nominal_voltage_v / 230.0) ** 2
        phases = range(profile.phase_count)
        self._drift = [NoiseField(seed, f"voltage {phase}") for phase in phases]
        self._noise = [Texture(seed, f"voltage noise {phase}") for phase in phases]
        self._fast = NoiseField(seed, "frequency fast")
        self._slow = NoiseField(seed, "frequency slow")

    def compute_voltage_v(self, phase: int, second: int, import_w: float) -> float:
        """Return a phase's voltage: the network's drift, and the drop by import (a rise by export)."""
        minute, within = divmod(second, 60)
        drift = 0.012 * self._nominal_v * self._drift[phase].compute_swing(second / 600.0)
        noise = 0.04 * self._noise[phase].get_minute(minute)[within]
        return self._nominal_v * 1.01 + drift + noise - self._ohm * import_w / self._nominal_v

    def compute_frequency_hz(self, second: int) -> float:
        """Return the grid's frequency in the meter's coarse steps, two decimals."""
        wander = 0.03 * self._slow.compute_swing(second / 240.0) + 0.015 * self._fast.compute_swing(second / 20.0)
        stepped = round((self._nominal_hz + wander) * _FREQUENCY_STEPS_PER_HZ) / _FREQUENCY_STEPS_PER_HZ
        return round(stepped, 2)


def make_reading(
    active_w: float, reactive_var: float, distortion_va: float, volts: float, hertz: float
) -> PhaseReading:
    """Return one meter's reading from the powers on its wire."""
    apparent = sqrt(active_w * active_w + reactive_var * reactive_var + distortion_va * distortion_va)
    factor = active_w / apparent if apparent else 0.0
    return PhaseReading(active_w, reactive_var, apparent, volts, apparent / volts, factor, hertz)


def measure_production(active_w: float, inverters: float, volts: float, hertz: float) -> PhaseReading:
    """Return the production meter of a phase that so many inverters feed; their filters draw reactive power always."""
    return make_reading(active_w, _FILTER_VAR * inverters, _FILTER_DISTORTION_VA * inverters, volts, hertz)


def measure_net_consumption(
    active_w: float, load_w: float, load_var: float, *, inverters: float, volts: float, hertz: float
) -> PhaseReading:
    """Return the grid meter of a phase: it supplies the reactive power of the loads and of the inverters' filters."""
    return make_reading(active_w, load_var + _FILTER_VAR * inverters, _LOAD_DISTORTION * load_w, volts, hertz)


def measure_storage(active_w: float, volts: float, hertz: float) -> PhaseReading:
    """Return the battery's meter of a phase."""
    return make_reading(active_w, _STORAGE_VAR, _STORAGE_DISTORTION_VA, volts, hertz)


def compute_total_consumption(production: PhaseReading, net: PhaseReading) -> PhaseReading:
    """Return what a gateway computes from the two meters that it has, as its stream shows it.

    It adds currents and apparent powers with the sign of their power, which no wire carries.
    """
    active = production.active_power_w + net.active_power_w
    current = copysign(production.current_a, production.active_power_w) + copysign(net.current_a, net.active_power_w)
    apparent = abs(
        copysign(production.apparent_power_va, production.active_power_w)
        + copysign(net.apparent_power_va, net.active_power_w)
    )
    return PhaseReading(
        active,
        net.reactive_power_var - production.reactive_power_var,
        apparent,
        net.voltage_v,
        current,
        min(max(active / apparent, -1.0), 1.0) if apparent else 0.0,
        net.frequency_hz,
    )
