"""Active power of roof and household, a minute at a time: 60 samples of each phase, as the meters see them.

Everything else (readings, counters, battery) is made from these samples, so that they cannot disagree.
"""

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from simulator.house.loads import Loads
from simulator.house.noise import Texture
from simulator.house.profile import HouseProfile
from simulator.house.roof import KNOTS_PER_MINUTE, Roof
from simulator.house.weather import KNOT_S

Samples = list[list[float]]
"""60 values for each phase: samples[phase][second]."""

_OWN_USE_W = 0.12
"""Power of one inverter's filter while the inverter sleeps."""


class Minute(NamedTuple):
    """One minute of roof and household.

    Attributes:
        production_w: What the inverters feed in; a few watts negative at night.
        load_w: What the appliances draw.
        load_var: Their reactive power.
    """

    production_w: Samples
    load_w: Samples
    load_var: Samples


class SimulatedPower:
    """Roof and household of one house.

    Args:
        profile: Gives wiring and panels.
        seed: The house's seed.
        roof: The panels.
        loads: The appliances.
    """

    def __init__(self, profile: HouseProfile, seed: int, roof: Roof, loads: Loads) -> None:
        self._roof = roof
        self._loads = loads
        self._phases = range(profile.phase_count)
        shares = [profile.compute_shares(panel) for panel in profile.panels]
        self._feeds = [
            [(index, share[phase]) for index, share in enumerate(shares) if share[phase]] for phase in self._phases
        ]
        self._own_use_w = [_OWN_USE_W * sum(share for _, share in feed) for feed in self._feeds]
        self._production_noise = [Texture(seed, f"production noise {phase}") for phase in self._phases]
        self._load_noise = [Texture(seed, f"load noise {phase}") for phase in self._phases]
        self.get_minute = lru_cache(maxsize=256)(self._compute_minute)

    def _compute_minute(self, minute: int) -> Minute:
        watts, var = self._loads.compute_minute(minute)
        load_w = [
            [
                w + (0.8 + 0.002 * w) * n
                for w, n in zip(watts[phase], self._load_noise[phase].get_minute(minute), strict=True)
            ]
            for phase in self._phases
        ]
        return Minute([self._compute_production(minute, phase) for phase in self._phases], load_w, var)

    def _compute_production(self, minute: int, phase: int) -> list[float]:
        """Return 60 seconds of one phase: straight between the roof's knots, and the meter's noise."""
        first = minute * KNOTS_PER_MINUTE
        knots = [self._compute_knot_w(first + step, phase) for step in range(KNOTS_PER_MINUTE + 1)]
        samples: list[float] = []
        for before, after in pairwise(knots):
            slope = (after - before) / KNOT_S
            samples.extend(before + slope * second for second in range(KNOT_S))
        noise = self._production_noise[phase].get_minute(minute)
        return [w + (0.25 + 0.0008 * w) * n for w, n in zip(samples, noise, strict=True)]

    def _compute_knot_w(self, knot: int, phase: int) -> float:
        """Return a phase's production at a knot: its panels, less what their filters draw in the dark."""
        powers = self._roof.get_knot(knot)
        if powers is self._roof.dark:
            return -self._own_use_w[phase]
        panels = sum(powers[index] * share for index, share in self._feeds[phase])
        return panels - self._own_use_w[phase] * max(0.0, 1.0 - panels / 20.0)
