"""Randomness is the same wherever it is asked for, and looks like noise."""

from itertools import pairwise
from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.house.noise import NoiseField, Texture, compute_smooth_step, make_dice


@given(seed=st.integers(), index=st.integers(-(2**63), 2**63))
def test_a_field_has_one_number_for_each_place(seed, index):
    value = NoiseField(seed, "clouds").compute_point(index)
    assert 0.0 <= value < 1.0
    assert NoiseField(seed, "clouds").compute_point(index) == value


def test_a_field_is_uniform_and_its_neighbours_are_independent():
    values = [NoiseField(1, "clouds").compute_point(index) for index in range(10_000)]
    assert fmean(values) == pytest.approx(0.5, abs=0.01)
    assert pstdev(values) == pytest.approx(12**-0.5, abs=0.01)
    products = [(a - 0.5) * (b - 0.5) for a, b in pairwise(values)]
    assert fmean(products) == pytest.approx(0.0, abs=0.003)


def test_names_and_seeds_make_different_fields():
    assert len({NoiseField(seed, name).compute_point(0) for seed in range(5) for name in ("a", "b", "c")}) == 15


@given(x=st.floats(-1e9, 1e9), step=st.floats(0, 0.01))
def test_the_curve_of_a_field_has_no_jumps(x, step):
    """An S-curve between neighbours is at most 1.5 times as steep as the straight line."""
    field = NoiseField(7, "voltage")
    assert abs(field.interpolate(x + step) - field.interpolate(x)) <= 1.5 * step + 1e-6


def test_the_curve_passes_through_the_lattice():
    field = NoiseField(7, "voltage")
    assert [field.interpolate(float(index)) for index in range(-3, 4)] == [
        field.compute_point(index) for index in range(-3, 4)
    ]


def test_a_texture_has_no_mean_and_unit_variance():
    """Whole rounds of the table sum to zero: noise never becomes energy."""
    texture = Texture(3, "meter")
    values = [value for minute in range(Texture.LENGTH) for value in texture.get_minute(minute)]
    assert fmean(values) == pytest.approx(0.0, abs=1e-12)
    assert pstdev(values) == pytest.approx(1.0, abs=0.03)
    assert max(map(abs, values)) < 3.2


def test_a_texture_goes_on_from_minute_to_minute():
    """The minute that reaches beyond the table's end is followed by the one that begins where it stopped."""
    texture = Texture(3, "meter")
    last = Texture.LENGTH // 60
    overlap = (last + 1) * 60 - Texture.LENGTH
    assert texture.get_minute(last)[-overlap:] == texture.get_minute(0)[:overlap]
    assert texture.get_minute(last + 1)[0] == texture.get_minute(0)[overlap]


def test_dice_fall_the_same_for_one_day_and_differently_for_another():
    assert make_dice(1, "kettle", 5).random() == make_dice(1, "kettle", 5).random()
    assert make_dice(1, "kettle", 5).random() != make_dice(1, "kettle", 6).random()


@pytest.mark.parametrize(("x", "y"), [(-1.0, 0.0), (0.0, 0.0), (0.5, 0.5), (1.0, 1.0), (2.0, 1.0)])
def test_the_s_curve(x, y):
    assert compute_smooth_step(x) == y
