"""In the demo it is always late morning in good weather, in every season and at every hour of the real clock."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.house import BATTERY, PROFILES, THREE_PHASE, House, compute_sun_position, find_late_morning_offset
from simulator.house.sun import compute_solar_time_s

DECEMBER = 1_797_552_000.0 + 79_200.0  # 2026-12-18, ten in the evening UTC


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@given(now=st.floats(1.7e9, 2.0e9))
@settings(max_examples=15, deadline=None)
def test_it_is_a_summer_s_late_morning_at_any_time_of_any_year(profile, now):
    shown = now + find_late_morning_offset(profile, now)
    assert compute_solar_time_s(profile.longitude_deg, shown) == pytest.approx(10.75 * 3600.0, abs=5.0)
    sun = compute_sun_position(profile.latitude_deg, profile.longitude_deg, shown)
    noon = compute_sun_position(profile.latitude_deg, profile.longitude_deg, shown + 4500.0)
    assert noon.elevation_deg > sun.elevation_deg > 45.0


def test_a_day_that_fits_is_not_left():
    """Within summer only the hour is shifted."""
    july = 1_783_900_000.0
    assert abs(find_late_morning_offset(THREE_PHASE, july)) <= 43_200.0 + 60.0


def test_southern_summer_is_in_december():
    assert abs(find_late_morning_offset(BATTERY, DECEMBER)) < 2 * 86_400.0
    assert abs(find_late_morning_offset(THREE_PHASE, DECEMBER)) > 90 * 86_400.0


@pytest.mark.parametrize("seed", range(6))
def test_with_the_house_s_seed_the_sun_shines(seed):
    """For half an hour from the start of a demo the roof gives most of what it can at that hour."""
    house = House(THREE_PHASE, seed)
    shown = DECEMBER + find_late_morning_offset(THREE_PHASE, DECEMBER, seed)
    roof_w = sum(panel.inverter_w for panel in THREE_PHASE.panels)
    mean_w = sum(sum(house.compute_panel_power(shown + 60.0 * minute)) for minute in range(30)) / 30
    assert mean_w > 0.3 * roof_w
