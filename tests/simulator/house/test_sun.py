"""The sun stands where almanacs say it does."""

from datetime import UTC, datetime
from math import degrees
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.house import compute_sun_position
from simulator.house.sun import (
    compute_declination_and_equation_of_time,
    compute_geometric_position,
    compute_solar_time_s,
)


def to_epoch(text, zone="UTC"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def find_noon(longitude_deg, day):
    """The instant of solar noon on a date, from the equation of time."""
    t = to_epoch(f"{day}T12:00:00") - longitude_deg * 240.0
    return t + 43_200.0 - compute_solar_time_s(longitude_deg, t)


def test_the_worked_example_of_nrel():
    """NREL's solar position algorithm report (TP-560-34302) works out Golden, Colorado, 2003-10-17 12:30:30 MST."""
    position = compute_sun_position(39.742476, -105.1786, to_epoch("2003-10-17T19:30:30"))
    assert position.elevation_deg == pytest.approx(90.0 - 50.11162, abs=0.03)
    assert position.azimuth_deg == pytest.approx(194.34024, abs=0.03)


def test_the_worked_examples_of_meeus():
    """Astronomical Algorithms 25.a and 28.b: declination and equation of time of 1992-10-13."""
    declination, equation_s = compute_declination_and_equation_of_time(to_epoch("1992-10-13T00:00:00"))
    assert degrees(declination) == pytest.approx(-7.78507, abs=0.01)
    assert equation_s == pytest.approx(13 * 60 + 42.7, abs=2.0)


@pytest.mark.parametrize("latitude_deg", [-55.0, -34.93, 0.0, 23.44, 39.74, 52.52, 65.0])
@pytest.mark.parametrize(
    ("day", "declination_deg"),
    [("2024-03-20", 0.0), ("2024-06-20", 23.44), ("2024-09-22", 0.0), ("2024-12-21", -23.44)],
)
def test_noon_is_as_high_as_the_season_says(latitude_deg, day, declination_deg):
    """At solar noon the elevation is 90 - |latitude - declination|, on solstices and equinoxes."""
    expected = 90.0 - abs(latitude_deg - declination_deg)
    # A quarter of a degree: near an equinox the declination moves by 0.4 degrees a day.
    position = compute_geometric_position(latitude_deg, 13.4, find_noon(13.4, day))
    assert position.elevation_deg == pytest.approx(expected, abs=0.25)


@pytest.mark.parametrize(
    ("city", "latitude_deg", "longitude_deg", "zone", "sunrise", "sunset"),
    [
        ("Berlin", 52.52, 13.405, "Europe/Berlin", "2024-06-21T04:43", "2024-06-21T21:33"),
        ("London", 51.507, -0.128, "Europe/London", "2024-12-21T08:04", "2024-12-21T15:53"),
        ("New York", 40.713, -74.006, "America/New_York", "2024-03-20T06:59", "2024-03-20T19:09"),
        ("Sydney", -33.868, 151.209, "Australia/Sydney", "2024-12-21T05:41", "2024-12-21T20:05"),
    ],
)
def test_the_sun_rises_and_sets_when_the_almanac_says(city, latitude_deg, longitude_deg, zone, sunrise, sunset):
    """Two minutes before sunrise the upper limb is below the horizon, two minutes after it is above; so at sunset."""
    for moment, upwards in ((to_epoch(sunrise, zone), 1.0), (to_epoch(sunset, zone), -1.0)):
        before = compute_geometric_position(latitude_deg, longitude_deg, moment - upwards * 120.0).elevation_deg
        after = compute_geometric_position(latitude_deg, longitude_deg, moment + upwards * 120.0).elevation_deg
        assert before < -0.833 < after, city


def test_noon_sun_is_in_the_south_of_berlin_and_in_the_north_of_adelaide():
    assert compute_sun_position(52.52, 13.4, find_noon(13.4, "2026-06-21")).azimuth_deg == pytest.approx(180.0, abs=0.1)
    north = compute_sun_position(-34.93, 138.6, find_noon(138.6, "2026-06-21")).azimuth_deg
    assert min(north, 360.0 - north) < 0.1


def test_the_morning_sun_is_in_the_east():
    t = find_noon(13.4, "2026-03-20")
    assert (
        compute_sun_position(52.52, 13.4, t - 5 * 3600).azimuth_deg
        < 180.0
        < compute_sun_position(52.52, 13.4, t + 5 * 3600).azimuth_deg
    )


def test_refraction_lifts_the_setting_sun_by_half_a_degree():
    t = to_epoch("2024-06-21T21:33", "Europe/Berlin") - 240.0
    lifted = (
        compute_sun_position(52.52, 13.405, t).elevation_deg
        - compute_geometric_position(52.52, 13.405, t).elevation_deg
    )
    assert 0.3 < lifted < 0.6


@given(
    latitude_deg=st.floats(-90, 90),
    longitude_deg=st.floats(-180, 180),
    t=st.floats(datetime(1950, 1, 1, tzinfo=UTC).timestamp(), datetime(2100, 1, 1, tzinfo=UTC).timestamp()),
)
def test_every_place_and_time_has_a_sun(latitude_deg, longitude_deg, t):
    """Elevation and azimuth stay in their ranges, and the sun moves by at most a quarter of a degree a minute."""
    position = compute_sun_position(latitude_deg, longitude_deg, t)
    assert -90.0 <= position.elevation_deg <= 90.0
    assert 0.0 <= position.azimuth_deg < 360.0
    later = compute_geometric_position(latitude_deg, longitude_deg, t + 60.0).elevation_deg
    assert abs(later - compute_geometric_position(latitude_deg, longitude_deg, t).elevation_deg) < 0.26
