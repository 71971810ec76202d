"""Means and energy equal exact answers, add up, and invent nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.energy.combine import add, scale
from receiver.energy.energy import WindowEnergy, compute_energy_wh, compute_positive_negative_wh, compute_window_energy
from receiver.energy.interpolation import Segment, find_value, make_linear_segments, make_step_segments
from receiver.energy.linear import summarise_linear
from receiver.energy.means import summarise, summarise_windows
from tests.receiver.energy.reference import (
    START,
    approximate,
    compute_exact_area,
    compute_exact_area_above,
    cut_exactly,
    draw_boundaries,
    draw_series,
)

HOUR = 3_600_000
DAY = 24 * HOUR


@given(draw_series(), draw_boundaries())
def test_mean_and_energy_are_exact(points, cuts):
    segments = make_linear_segments(points)
    summaries, energies = summarise_windows(segments, cuts), compute_window_energy(segments, cuts)
    for summary, energy in zip(summaries, energies, strict=True):
        pieces = cut_exactly(points, summary.start, summary.stop)
        if not pieces:
            assert summary[2:] == (0.0, None, None, None, None)
            assert energy == WindowEnergy(None, 0.0)
            continue
        area, known = compute_exact_area(pieces), sum(b - a for a, b, _, _ in pieces)
        assert summary.mean == approximate(float(area / known))
        assert energy.wh == approximate(float(area / HOUR))
        assert summary.minimum == pytest.approx(float(min(min(va, vb) for _, _, va, vb in pieces)))
        assert summary.maximum == pytest.approx(float(max(max(va, vb) for _, _, va, vb in pieces)))
        assert summary.last == approximate(float(pieces[-1][3]))


@given(draw_series(), draw_boundaries())
def test_the_short_way_for_linear_fields_gives_the_same_to_the_last_bit(points, cuts):
    assert summarise_linear(points, cuts) == summarise_windows(make_linear_segments(points), cuts)


def test_the_short_way_refuses_what_is_out_of_order():
    with pytest.raises(ValueError, match="strictly increase"):
        summarise_linear([(5, 0.0), (5, 1.0)], [0, 10])
    with pytest.raises(ValueError, match="increasing order"):
        summarise_linear([], [10, 0])


@given(draw_series(), draw_boundaries(most=2))
def test_both_directions_are_exact_across_zero(points, cuts):
    both = compute_positive_negative_wh(make_linear_segments(points), *cuts)
    pieces = cut_exactly(points, *cuts)
    if not pieces:
        assert both == (None, None, 0.0)
        return
    above = compute_exact_area_above(pieces)
    assert both.positive_wh == approximate(float(above / HOUR))
    assert both.negative_wh == pytest.approx(float((above - compute_exact_area(pieces)) / HOUR))


def test_a_line_through_zero_splits_into_its_two_triangles():
    both = compute_positive_negative_wh([Segment(0, HOUR, 3000.0, -1000.0)], 0, HOUR)
    assert (both.positive_wh, both.negative_wh) == (approximate(1125.0), approximate(125.0))


@given(draw_series(smallest=2), draw_boundaries(most=12))
def test_energy_adds_up_over_neighbouring_windows(points, cuts):
    segments = make_linear_segments(points)
    parts = [energy.wh or 0.0 for energy in compute_window_energy(segments, cuts)]
    whole = compute_energy_wh(segments, cuts[0], cuts[-1]).wh or 0.0
    assert sum(parts) == approximate(whole)


def test_a_day_with_a_three_hour_hole_has_coverage_0_875_and_invents_nothing():
    points = [(t, 1000.0) for t in range(0, DAY + 1, 60_000) if not 10 * HOUR < t < 13 * HOUR]
    energy = compute_energy_wh(make_linear_segments(points), 0, DAY)
    assert energy.coverage == 0.875
    assert energy.wh == approximate(21_000.0)
    summary = summarise(make_linear_segments(points), 0, DAY)
    assert (summary.coverage, summary.mean) == (0.875, approximate(1000.0))
    hole = compute_energy_wh(make_linear_segments(points), 10 * HOUR, 13 * HOUR)
    assert hole == WindowEnergy(None, 0.0)


def test_a_mean_is_weighted_by_time_not_by_points():
    points = [(0, 0.0), (59_000, 0.0), *((59_000 + 10 * n, 1000.0) for n in range(1, 101))]
    summary = summarise(make_linear_segments(points), 0, 60_000)
    assert summary.mean == pytest.approx(16.58, abs=0.01)


def test_inverter_energy_is_its_mean_times_its_interval():
    segments = make_step_segments([(900_000, 200.0, 900.0), (1_800_000, 100.0, 900.0)])
    assert compute_energy_wh(segments, 0, 1_800_000) == WindowEnergy(approximate(75.0), 1.0)


@pytest.mark.parametrize("hours", [23, 25])
def test_short_and_long_days_are_only_boundaries(hours):
    """A local day of 23 or 25 hours is whatever boundaries the caller gives."""
    points = [(t, 100.0) for t in range(0, 26 * HOUR, 60_000)]
    assert compute_energy_wh(make_linear_segments(points), 0, hours * HOUR) == WindowEnergy(
        approximate(hours * 100.0), 1.0
    )


@given(st.lists(draw_series(), max_size=4), st.integers(START, START + 3_000_000))
def test_a_sum_is_the_sum_of_its_parts_and_unknown_where_one_is(many, time):
    """At inner points; where segments meet, the earlier one has the word in the sum and its parts alike."""
    parts = [make_linear_segments(points) for points in many]
    values = [find_value(part, time) for part in parts]
    total = find_value(add(parts), time)
    if any(value is None for value in values) or not parts:
        assert total is None
    elif total is not None:  # a moment that is known in all of them but on no common stretch has no length
        assert total == approximate(sum(value for value in values if value is not None))
    else:
        assert any(time in (boundary for s in part for boundary in (s.start, s.stop)) for part in parts)


@given(draw_series(), draw_boundaries(most=2))
def test_adding_a_series_to_its_negative_gives_zero(points, cuts):
    part = make_linear_segments(points)
    zero = compute_energy_wh(add([part, scale(part, -1)]), *cuts)
    assert zero.wh in (None, approximate(0.0))
    assert zero.coverage == compute_energy_wh(part, *cuts).coverage
