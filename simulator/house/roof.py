"""Sunlight to AC watts, panel by panel.

The power of each panel is worked out at knots `KNOT_S` apart and is straight between them. So a panel, a phase and
the whole roof are all piecewise linear over the same knots: sums agree exactly and energies are exact trapezoids.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import cos, exp, radians, sin
from typing import NamedTuple

from simulator.house.noise import NoiseField, compute_smooth_step
from simulator.house.profile import HouseProfile, RoofPanel
from simulator.house.sun import compute_sun_position
from simulator.house.weather import KNOT_S, Weather

KNOTS_PER_MINUTE = 60 // KNOT_S
_EFFICIENCY = 0.965
"""Of a microinverter."""
_PER_DEGREE = 0.0035
"""Share of the power that a panel loses for each degree above 25 C."""
_HEATING = 0.030
"""Degrees above the air for each W/m2 (a nominal operating temperature of 44 C)."""
_ALBEDO = 0.2


class _ClearSky(NamedTuple):
    """The power that one panel's inverter would get from a clear sky (W DC), and its reduction by the panel's heat.

    The temperature of the panel follows its light, so power is a parabola of the light: gain * dc - loss * dc**2.
    """

    beam: float
    diffuse: float
    gain: float
    loss: float


class Roof:
    """All panels of a house.

    Args:
        profile: Gives the panels.
        seed: The house's seed.
        weather: The sky above.
    """

    def __init__(self, profile: HouseProfile, seed: int, weather: Weather) -> None:
        self._profile = profile
        self._weather = weather
        self._panels = profile.panels
        count = len(self._panels)
        self.dark: tuple[float, ...] = (0.0,) * count
        """The object that `knot` returns while all inverters sleep."""
        starts = NoiseField(seed, "inverter start")
        self.wake_elevation_deg = tuple(1.0 + 1.5 * starts.compute_point(index) for index in range(count))
        """The sun's elevation above which each inverter has enough light to run; they differ a little."""
        # A cloud's shadow crosses the roof in half a minute: each quarter of the panels sees the sky 10 s later.
        self._lags = tuple(index * 4 // count for index in range(count))
        self._get_clear_sky = lru_cache(maxsize=512)(self._compute_clear_sky)
        self.get_knot = lru_cache(maxsize=4096)(self._compute_knot)
        self.get_minute_ws = lru_cache(maxsize=4096)(self._compute_minute_ws)

    def compute_power_w(self, t: float) -> list[float]:
        """Return the AC power of each panel at t (W, never negative)."""
        knot = int(t // KNOT_S)
        part = t / KNOT_S - knot
        return [
            before + (after - before) * part
            for before, after in zip(self.get_knot(knot), self.get_knot(knot + 1), strict=True)
        ]

    def compute_energy_ws(self, index: int, start: float, end: float) -> float:
        """Return what one panel produces from start to end (W s), exactly: whole minutes from the cache."""
        first, last = -int(-start // 60), int(end // 60)
        if first >= last:
            return self._compute_piece_ws(index, start, end)
        whole = sum(self.get_minute_ws(minute)[index] for minute in range(first, last))
        return (
            self._compute_piece_ws(index, start, first * 60.0) + whole + self._compute_piece_ws(index, last * 60.0, end)
        )

    def find_dawn(self, index: int, asleep: float, awake: float) -> float:
        """Return when the inverter starts between an instant at which it sleeps and a later one at which it runs."""
        while awake - asleep > 1.0:
            middle = (asleep + awake) / 2
            if self.is_awake(index, middle):
                awake = middle
            else:
                asleep = middle
        return awake

    def is_awake(self, index: int, t: float) -> bool:
        """Say whether the inverter has light to run and to answer the gateway."""
        sun = compute_sun_position(self._profile.latitude_deg, self._profile.longitude_deg, t)
        return sun.elevation_deg > self.wake_elevation_deg[index]

    def _compute_minute_ws(self, minute: int) -> tuple[float, ...]:
        """Return what each panel produces in one minute (W s)."""
        first = minute * KNOTS_PER_MINUTE
        knots = [self.get_knot(first + step) for step in range(KNOTS_PER_MINUTE + 1)]
        if all(knot is self.dark for knot in knots):
            return self.dark
        return tuple(KNOT_S * (sum(column) - (column[0] + column[-1]) / 2) for column in zip(*knots, strict=True))

    def _compute_piece_ws(self, index: int, start: float, end: float) -> float:
        """Return one panel's energy over a short span, knot by knot."""
        total = 0.0
        while start < end:
            knot = int(start // KNOT_S)
            stop = min(end, (knot + 1) * float(KNOT_S))
            before, after = self.get_knot(knot)[index], self.get_knot(knot + 1)[index]
            middle = (start + stop) / 2 / KNOT_S - knot
            total += (before + (after - before) * middle) * (stop - start)
            start = stop
        return total

    def _compute_knot(self, knot: int) -> tuple[float, ...]:
        """Return the AC power of each panel (W) at epoch second knot * KNOT_S."""
        minute, step = divmod(knot, KNOTS_PER_MINUTE)
        before, after = self._get_clear_sky(minute), self._get_clear_sky(minute + 1)
        if before is None or after is None:
            return self.dark
        part = step / KNOTS_PER_MINUTE
        skies = [self._weather.get_light(knot - lag) for lag in range(4)]
        powers = []
        for panel, lag, a, b in zip(self._panels, self._lags, before, after, strict=True):
            sky = skies[lag]
            beam = a.beam + (b.beam - a.beam) * part
            diffuse = a.diffuse + (b.diffuse - a.diffuse) * part
            dc = beam * sky.beam + diffuse * sky.diffuse
            ac = dc * (a.gain - a.loss * dc)
            powers.append(min(ac, panel.inverter_w))
        return tuple(powers)

    def _compute_clear_sky(self, minute: int) -> Sequence[_ClearSky] | None:
        """Return every panel under a clear sky at the start of a minute; None when all inverters sleep."""
        t = minute * 60.0
        elevation_deg, azimuth_deg = compute_sun_position(self._profile.latitude_deg, self._profile.longitude_deg, t)
        if elevation_deg <= min(self.wake_elevation_deg):
            return None
        height = sin(radians(elevation_deg))
        # Haurwitz' clear sky, and a share of scattered light that grows as the air gets thicker.
        total = 1098.0 * height * exp(-0.057 / height)
        diffuse = total * (0.09 + 0.25 * exp(-height / 0.15))
        beam = (total - diffuse) / height
        gain = _EFFICIENCY * (1.0 - _PER_DEGREE * (self._weather.compute_temperature_c(t) - 25.0))
        result = []
        for panel, wake_deg in zip(self._panels, self.wake_elevation_deg, strict=True):
            on_panel = max(0.0, _compute_incidence(panel, elevation_deg, azimuth_deg)) * beam
            shaded = on_panel * _compute_unshaded(panel, elevation_deg, azimuth_deg)
            tilt = cos(radians(panel.tilt_deg))
            scattered = diffuse * (1 + tilt) / 2 + total * _ALBEDO * (1 - tilt) / 2
            watts = panel.rated_w * panel.health / 1000.0 * compute_smooth_step((elevation_deg - wake_deg) / 2.0)
            # dc = watts * light, so the heat term _PER_DEGREE * _HEATING * light is this times dc.
            loss = _EFFICIENCY * _PER_DEGREE * _HEATING * 1000.0 / (panel.rated_w * panel.health)
            result.append(_ClearSky(shaded * watts, scattered * watts, gain, loss))
        return result


def _compute_incidence(panel: RoofPanel, elevation_deg: float, azimuth_deg: float) -> float:
    """Return the cosine of the angle between the sun and the panel's normal."""
    tilt, elevation = radians(panel.tilt_deg), radians(elevation_deg)
    turn = cos(radians(azimuth_deg - panel.azimuth_deg))
    return sin(elevation) * cos(tilt) + cos(elevation) * sin(tilt) * turn


def _compute_unshaded(panel: RoofPanel, elevation_deg: float, azimuth_deg: float) -> float:
    """Return the share of the direct light that passes the panel's obstacle; its edges are a few degrees soft."""
    shade = panel.shade
    if shade is None:
        return 1.0
    inside = (
        compute_smooth_step((azimuth_deg - shade.from_azimuth_deg) / 4.0 + 0.5)
        * compute_smooth_step((shade.to_azimuth_deg - azimuth_deg) / 4.0 + 0.5)
        * compute_smooth_step((shade.below_elevation_deg - elevation_deg) / 4.0 + 0.5)
    )
    return 1.0 - shade.blocked * inside
