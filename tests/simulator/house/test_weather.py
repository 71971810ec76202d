"""The sky is between clear and overcast, changes gradually, and keeps to its climate."""

from dataclasses import replace
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.house import BATTERY, THREE_PHASE
from simulator.house.weather import Weather

WEATHER = Weather(THREE_PHASE, 1)


@given(knot=st.integers(0, 2**30))
def test_light_is_what_a_sky_can_give(knot):
    light = WEATHER.get_light(knot)
    assert 0.0 < light.beam <= 1.0
    assert 0.5 < light.diffuse < 2.5


@given(knot=st.integers(0, 2**30))
def test_a_cloud_s_edge_takes_many_seconds(knot):
    assert abs(WEATHER.get_light(knot + 1).beam - WEATHER.get_light(knot).beam) < 0.6


def test_cloudy_climates_have_less_direct_light():
    clear, dull = (Weather(replace(THREE_PHASE, cloudiness=share), 1) for share in (0.15, 0.8))
    hours = range(178_000_000, 178_000_000 + 360 * 500, 360)
    assert fmean(clear.get_light(k).beam for k in hours) > 0.25 + fmean(dull.get_light(k).beam for k in hours)


@pytest.mark.parametrize(("profile", "warm", "cold"), [(THREE_PHASE, 7, 1), (BATTERY, 1, 7)])
def test_summer_is_warmer_than_winter_on_both_halves_of_the_earth(profile, warm, cold):
    weather = Weather(profile, 1)
    new_year = 1_767_225_600.0

    def compute_month(number):
        return fmean(
            weather.compute_temperature_c(new_year + (number - 0.5) * 30.44 * 86_400.0 + day * 86_400.0)
            for day in range(-14, 15)
        )

    assert compute_month(warm) > compute_month(cold) + 10.0


def test_afternoons_are_warmer_than_the_hours_before_dawn():
    days = [1_782_000_000.0 + day * 86_400.0 for day in range(20)]
    afternoon = fmean(WEATHER.compute_temperature_c(day + 13.5 * 3600.0) for day in days)
    assert afternoon > fmean(WEATHER.compute_temperature_c(day + 3 * 3600.0) for day in days) + 5.0
