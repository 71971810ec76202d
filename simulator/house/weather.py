"""The sky over one house: clouds that drift by, and the air temperature. Random access, see `noise`."""

from functools import lru_cache
from math import cos, pi
from typing import NamedTuple

from simulator.house.noise import NoiseField, compute_smooth_step
from simulator.house.profile import HouseProfile
from simulator.units import DAY_S, HOUR_S

KNOT_S = 10
"""The sky is drawn at these instants and is straight between them: the edge of a cloud takes about that long."""
_YEAR_S = 365.2425 * DAY_S
_WARMEST_S = 200.0 * DAY_S
"""From New Year to the warmest days of the north, about 20 July."""


class Light(NamedTuple):
    """The effect of clouds on sunlight.

    Attributes:
        beam: Share of the direct light of a clear sky that arrives, 0 to 1.
        diffuse: Scattered light as a multiple of that of a clear sky (thin cloud scatters more of it).
    """

    beam: float
    diffuse: float


class Weather:
    """Clouds and temperature of one place.

    Args:
        profile: Gives place and climate.
        seed: The house's seed.
    """

    def __init__(self, profile: HouseProfile, seed: int) -> None:
        self._profile = profile
        self._days = NoiseField(seed, "cloud days")
        self._fronts = NoiseField(seed, "cloud fronts")
        self._patches = tuple(
            (NoiseField(seed, f"cloud patches {seconds}"), seconds, weight)
            for seconds, weight in ((1500.0, 0.5), (420.0, 0.35), (90.0, 0.15))
        )
        self._warmth = NoiseField(seed, "warm and cold days")
        self.get_light = lru_cache(maxsize=4096)(self._compute_light)

    def compute_cover(self, t: float) -> float:
        """Return the share of the sky under cloud at t, 0 to 1; it changes over hours and days."""
        swing = 0.75 * self._days.compute_swing(t / DAY_S) + 0.45 * self._fronts.compute_swing(t / 14_400.0)
        return max(0.0, min(1.0, self._profile.cloudiness + 0.75 * swing))

    def _compute_light(self, knot: int) -> Light:
        """Return the light at epoch second knot * KNOT_S."""
        t = float(knot * KNOT_S)
        cover = self.compute_cover(t)
        patch = sum(weight * field.interpolate(t / seconds) for field, seconds, weight in self._patches)
        # Patches lie around 0.5; with no cover none is a cloud, with full cover all are.
        cloud = compute_smooth_step((1.3 * cover - 0.15 - patch) / 0.16 + 0.5)
        thick = compute_smooth_step((cover - 0.7) / 0.3)
        return Light(1.0 - 0.95 * cloud, 1.0 + cloud * (1.2 - 1.1 * thick))

    def compute_temperature_c(self, t: float) -> float:
        """Return the air temperature (C): season, time of day, and warm and cold spells."""
        north = 1.0 if self._profile.latitude_deg >= 0.0 else -1.0
        # 1970 began at New Year, and a drift of hours over decades does not matter to a season.
        season = north * 9.0 * cos(2 * pi * (t - _WARMEST_S) / _YEAR_S)
        afternoon_s = 15.0 * HOUR_S - self._profile.longitude_deg * 240.0
        daily = 4.5 * cos(2 * pi * (t - afternoon_s) / DAY_S)
        return self._profile.mean_temperature_c + season + daily + 5.0 * self._warmth.compute_swing(t / (2 * DAY_S))
