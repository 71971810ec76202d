"""The position of the sun: NOAA's solar calculator (Meeus' low-accuracy series), good to about 0.02 degrees.

Own code although pvlib and astral exist: pvlib brings numpy, pandas and scipy (some 150 MB) into an image whose
only need is this page of trigonometry, and astral works on datetimes at about ten times the cost of an epoch second,
which a simulator that asks 1,440 times for each simulated day would feel.
"""

from math import acos, asin, atan2, cos, degrees, fmod, radians, sin, tan
from typing import NamedTuple

from simulator.units import DAY_S

_J2000_S = 946_728_000.0
"""2000-01-01T12:00Z, the epoch of the series, in Unix seconds."""
_CENTURY_S = 36_525.0 * DAY_S


class SunPosition(NamedTuple):
    """The sun in the sky.

    Attributes:
        elevation_deg: Apparent height above the horizon (refraction included), negative below it.
        azimuth_deg: Clockwise from north, 0 to 360.
    """

    elevation_deg: float
    azimuth_deg: float


def compute_declination_and_equation_of_time(t: float) -> tuple[float, float]:
    """Return the sun's declination (radians) and apparent minus mean solar time (seconds) at epoch seconds t."""
    c = (t - _J2000_S) / _CENTURY_S
    mean_longitude = radians((280.46646 + c * (36000.76983 + c * 0.0003032)) % 360.0)
    anomaly = radians(357.52911 + c * (35999.05029 - 0.0001537 * c))
    eccentricity = 0.016708634 - c * (0.000042037 + 0.0000001267 * c)
    centre = radians(
        sin(anomaly) * (1.914602 - c * (0.004817 + 0.000014 * c))
        + sin(2 * anomaly) * (0.019993 - 0.000101 * c)
        + sin(3 * anomaly) * 0.000289
    )
    node = radians(125.04 - 1934.136 * c)
    longitude = mean_longitude + centre - radians(0.00569 + 0.00478 * sin(node))
    obliquity = radians(23.439291 - 0.0130042 * c + 0.00256 * cos(node))
    y = tan(obliquity / 2) ** 2
    equation = (
        y * sin(2 * mean_longitude)
        - 2 * eccentricity * sin(anomaly)
        + 4 * eccentricity * y * sin(anomaly) * cos(2 * mean_longitude)
        - 0.5 * y * y * sin(4 * mean_longitude)
        - 1.25 * eccentricity * eccentricity * sin(2 * anomaly)
    )
    return asin(sin(obliquity) * sin(longitude)), degrees(equation) * 240.0


def compute_solar_time_s(longitude_deg: float, t: float) -> float:
    """Return the seconds since solar midnight, 0 to 86,400; the sun is highest at 43,200."""
    _, equation_s = compute_declination_and_equation_of_time(t)
    return (t + equation_s + longitude_deg * 240.0) % DAY_S


def compute_geometric_position(latitude_deg: float, longitude_deg: float, t: float) -> SunPosition:
    """Return the sun's position without refraction: what sunrise tables are defined by (-0.833 degrees)."""
    declination, equation_s = compute_declination_and_equation_of_time(t)
    hour_angle = radians(fmod(t + equation_s + longitude_deg * 240.0, DAY_S) / 240.0 - 180.0)
    latitude = radians(latitude_deg)
    cos_zenith = sin(latitude) * sin(declination) + cos(latitude) * cos(declination) * cos(hour_angle)
    elevation = 90.0 - degrees(acos(max(-1.0, min(1.0, cos_zenith))))
    azimuth = atan2(
        sin(hour_angle),
        cos(hour_angle) * sin(latitude) - tan(declination) * cos(latitude),
    )
    return SunPosition(elevation, (degrees(azimuth) + 180.0) % 360.0)


def compute_sun_position(latitude_deg: float, longitude_deg: float, t: float) -> SunPosition:
    """Return where the sun is seen.

    Args:
        latitude_deg: North positive.
        longitude_deg: East positive.
        t: Epoch seconds (UTC).

    Returns:
        Apparent elevation and azimuth in degrees, within 0.1 degrees for 1950 to 2100.
    """
    elevation, azimuth = compute_geometric_position(latitude_deg, longitude_deg, t)
    return SunPosition(elevation + _compute_refraction_deg(elevation), azimuth)


def _compute_refraction_deg(elevation_deg: float) -> float:
    """Return how far the air lifts the sun (NOAA's fit, standard atmosphere)."""
    if elevation_deg > 85.0:
        return 0.0
    tangent = tan(radians(elevation_deg))
    if elevation_deg > 5.0:
        arc_seconds = 58.1 / tangent - 0.07 / tangent**3 + 0.000086 / tangent**5
    elif elevation_deg > -0.575:
        e = elevation_deg
        arc_seconds = 1735.0 + e * (-518.2 + e * (103.4 + e * (-12.79 + e * 0.711)))
    else:
        arc_seconds = -20.774 / tangent
    return arc_seconds / 3600.0
