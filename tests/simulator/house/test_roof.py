"""Light becomes power as on a real roof, and panels, sums and energies agree exactly."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.house import PROFILES, THREE_PHASE, HouseProfile, RoofPanel, Shade
from simulator.house.roof import Roof
from simulator.house.sun import compute_solar_time_s, compute_sun_position
from simulator.house.weather import Weather

DAY = 86_400.0
MIDSUMMER = 1_782_000_000.0  # 2026-06-21T00:00Z
SOUTH = RoofPanel("100000000001", 180.0, 35.0, 400.0, 0, inverter_w=1000.0)
CLEAR = replace(THREE_PHASE, cloudiness=-5.0, panels=(SOUTH,))


def make_roof(profile: HouseProfile, seed: int = 1) -> Roof:
    return Roof(profile, seed, Weather(profile, seed))


def find_solar_hour(profile, hour):
    return MIDSUMMER + (hour * 3600.0 - compute_solar_time_s(profile.longitude_deg, MIDSUMMER)) % DAY


def test_a_panel_in_full_sun_gives_most_of_its_rating():
    """Berlin at midsummer noon, 35 degrees south: close to 1,000 W/m2 on the panel, less heat and conversion."""
    (power,) = make_roof(CLEAR).compute_power_w(find_solar_hour(CLEAR, 12.0))
    assert 0.75 * 400 < power < 0.95 * 400


def test_there_is_no_power_at_night():
    assert make_roof(CLEAR).compute_power_w(find_solar_hour(CLEAR, 0.5)) == [0.0]


def test_an_inverter_clips_at_its_rating():
    small = replace(CLEAR, panels=(replace(SOUTH, inverter_w=250.0),))
    assert make_roof(small).compute_power_w(find_solar_hour(CLEAR, 12.0)) == [250.0]


def test_a_western_panel_peaks_in_the_afternoon_and_an_eastern_one_in_the_morning():
    pair = replace(CLEAR, panels=(replace(SOUTH, azimuth_deg=90.0), replace(SOUTH, azimuth_deg=270.0, serial="1" * 12)))
    east_morning, west_morning = make_roof(pair).compute_power_w(find_solar_hour(pair, 8.0))
    east_evening, west_evening = make_roof(pair).compute_power_w(find_solar_hour(pair, 16.0))
    assert east_morning > 2 * west_morning
    assert west_evening > 2 * east_evening


def test_shade_takes_the_direct_light_of_its_corner_of_the_sky_only():
    sun = compute_sun_position(CLEAR.latitude_deg, CLEAR.longitude_deg, find_solar_hour(CLEAR, 9.0))
    tree = Shade(sun.azimuth_deg - 10, sun.azimuth_deg + 10, sun.elevation_deg + 10)
    pair = make_roof(replace(CLEAR, panels=(SOUTH, replace(SOUTH, serial="1" * 12, shade=tree))))
    # The first panel's inverter wakes at another elevation, which is long over.
    open_sky, behind_tree = pair.compute_power_w(find_solar_hour(CLEAR, 9.0))
    assert 0.1 * open_sky < behind_tree < 0.5 * open_sky
    open_sky, behind_tree = pair.compute_power_w(find_solar_hour(CLEAR, 12.0))
    assert behind_tree == pytest.approx(open_sky)


def test_a_worn_panel_gives_less_for_its_age():
    pair = make_roof(replace(CLEAR, panels=(SOUTH, replace(SOUTH, serial="1" * 12, health=0.7))))
    good, worn = pair.compute_power_w(find_solar_hour(CLEAR, 12.0))
    assert worn == pytest.approx(0.7 * good)


def test_clouds_take_most_of_the_light_but_not_all():
    overcast = replace(CLEAR, cloudiness=9.0)
    (clear,) = make_roof(CLEAR).compute_power_w(find_solar_hour(CLEAR, 12.0))
    (dull,) = make_roof(overcast).compute_power_w(find_solar_hour(CLEAR, 12.0))
    assert 0.03 * clear < dull < 0.35 * clear


def test_cold_panels_give_more():
    warm, cold = replace(CLEAR, mean_temperature_c=25.0), replace(CLEAR, mean_temperature_c=0.0)
    noon = find_solar_hour(CLEAR, 12.0)
    gain = make_roof(cold).compute_power_w(noon)[0] / make_roof(warm).compute_power_w(noon)[0]
    assert gain == pytest.approx(1.0 + 25 * 0.0035, abs=0.02)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_power_ramps_without_jumps(profile):
    """Over a whole day no panel moves by more than a cloud's edge can in a second."""
    panels = make_roof(profile)
    noon = find_solar_hour(profile, 12.0)
    for minute in range(-600, 600):
        t = noon + minute * 60.0
        before, after = panels.compute_power_w(t), panels.compute_power_w(t + 1.0)
        assert max(abs(a - b) for a, b in zip(before, after, strict=True)) < 25.0


@given(start=st.floats(0, 2 * DAY), length=st.floats(0, 2000.0), index=st.integers(0, 23))
def test_energy_is_the_integral_of_power(start, length, index):
    """The exact energy of a span equals the mid-point sum of power over pieces of at most a second."""
    panels = ROOF
    start += MIDSUMMER
    pieces = int(length) + 1
    width = length / pieces
    by_hand = sum(panels.compute_power_w(start + (piece + 0.5) * width)[index] * width for piece in range(pieces))
    # Pieces that straddle a knot are off by their kink: a fraction of a W s each.
    assert panels.compute_energy_ws(index, start, start + length) == pytest.approx(by_hand, rel=1e-3, abs=5.0)


@given(cuts=st.lists(st.floats(0, 7200.0), min_size=1, max_size=6), index=st.integers(0, 23))
def test_energies_of_parts_sum_to_the_whole(cuts, index):
    edges = [MIDSUMMER + 36_000.0 + cut for cut in sorted([0.0, 7200.0, *cuts])]
    parts = [ROOF.compute_energy_ws(index, a, b) for a, b in pairwise(edges)]
    assert sum(parts) == pytest.approx(ROOF.compute_energy_ws(index, edges[0], edges[-1]))


ROOF = make_roof(THREE_PHASE, 4)
