"""A house where it is always late morning in good weather: how far to shift the clock."""

from math import degrees

from simulator.house.profile import HouseProfile
from simulator.house.sun import compute_declination_and_equation_of_time, compute_solar_time_s
from simulator.house.weather import KNOT_S, Weather
from simulator.units import DAY_S, HOUR_S

_LATE_MORNING_S = 10.75 * HOUR_S
"""10:45 solar time."""
_SUMMER_DECLINATION_DEG = 16.0
"""The sun is this high or higher over the house's half of the earth for about 14 weeks around midsummer."""


def find_late_morning_offset(profile: HouseProfile, now: float, seed: int | None = None) -> float:
    """Return the seconds to add to `now` so that it is late morning on a summer's day at the house.

    Args:
        profile: Gives the place.
        now: Epoch seconds.
        seed: The house's seed; when given, the day is also one with sunshine and some clouds. Else any day.

    Returns:
        An offset, constant for as long as the clock runs on: whole days to the nearest fitting day, and the part of
        a day to 10:45 solar time. It may be negative.
    """
    shift = (_LATE_MORNING_S - compute_solar_time_s(profile.longitude_deg, now) + DAY_S / 2) % DAY_S - DAY_S / 2
    weather = Weather(profile, seed) if seed is not None else None
    for days in sorted(range(-366, 367), key=abs):
        target = now + shift + days * DAY_S
        if _is_summer(profile, target) and (weather is None or _is_fair(weather, target)):
            # The equation of time moves by seconds a day: set the hour by the target day's own.
            return target - now + _LATE_MORNING_S - compute_solar_time_s(profile.longitude_deg, target)
    raise ValueError(f"no fair summer day within a year of {now:.0f} at house {profile.name!r}: try another seed")


def _is_summer(profile: HouseProfile, t: float) -> bool:
    declination, _ = compute_declination_and_equation_of_time(t)
    north = 1.0 if profile.latitude_deg >= 0.0 else -1.0
    return north * degrees(declination) >= _SUMMER_DECLINATION_DEG


def _is_fair(weather: Weather, t: float) -> bool:
    """Say whether the two hours around t have much direct light, and some clouds to look at."""
    beams = [weather.get_light(int(t // KNOT_S) + step * 6).beam for step in range(-60, 61)]
    return 0.7 < sum(beams) / len(beams) < 0.97
