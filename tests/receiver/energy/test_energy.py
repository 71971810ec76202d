"""Means and energy equal exact answers, add up, and invent nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.energy.combine import add, scale
from receiver.energy.energy import WindowEnergy, energy_wh, positive_negative_wh, window_energy
from receiver.energy.interpolation import Segment, linear_segments, step_segments, value_at
from receiver.energy.linear import linear_summaries
from receiver.energy.means import summarise, summarise_windows
from tests.receiver.energy.reference import START, about, edges, exact_area, exact_area_above, exact_pieces, series

HOUR = 3_600_000
DAY = 24 * HOUR


@given(series(), edges())
def test_mean_and_energy_are_exact(points, cuts):
    segments = linear_segments(points)
    summaries, energies = summarise_windows(segments, cuts), window_energy(segments, cuts)
    for summary, energy in zip(summaries, energies, strict=True):
        pieces = exact_pieces(points, summary.start, summary.stop)
        if not pieces:
            assert summary[2:] == (0.0, None, None, None, None)
            assert energy == WindowEnergy(None, 0.0)
            continue
        area, known = exact_area(pieces), sum(b - a for a, b, _, _ in pieces)
        assert summary.mean == about(float(area / known))
        assert energy.wh == about(float(area / HOUR))
        assert summary.minimum == pytest.approx(float(min(min(va, vb) for _, _, va, vb in pieces)))
        assert summary.maximum == pytest.approx(float(max(max(va, vb) for _, _, va, vb in pieces)))
        assert summary.last == about(float(pieces[-1][3]))


@given(series(), edges())
def test_the_short_way_for_linear_fields_gives_the_same_to_the_last_bit(points, cuts):
    assert linear_summaries(points, cuts) == summarise_windows(linear_segments(points), cuts)


def test_the_short_way_refuses_what_is_out_of_order():
    with pytest.raises(ValueError, match="strictly increase"):
        linear_summaries([(5, 0.0), (5, 1.0)], [0, 10])
    with pytest.raises(ValueError, match="increasing order"):
        linear_summaries([], [10, 0])


@given(series(), edges(most=2))
def test_both_directions_are_exact_across_zero(points, cuts):
    both = positive_negative_wh(linear_segments(points), *cuts)
    pieces = exact_pieces(points, *cuts)
    if not pieces:
        assert both == (None, None, 0.0)
        return
    above = exact_area_above(pieces)
    assert both.positive_wh == about(float(above / HOUR))
    assert both.negative_wh == pytest.approx(float((above - exact_area(pieces)) / HOUR))


def test_a_line_through_zero_splits_into_its_two_triangles():
    both = positive_negative_wh([Segment(0, HOUR, 3000.0, -1000.0)], 0, HOUR)
    assert (both.positive_wh, both.negative_wh) == (about(1125.0), about(125.0))


@given(series(smallest=2), edges(most=12))
def test_energy_adds_up_over_neighbouring_windows(points, cuts):
    segments = linear_segments(points)
    parts = [energy.wh or 0.0 for energy in window_energy(segments, cuts)]
    whole = energy_wh(segments, cuts[0], cuts[-1]).wh or 0.0
    assert sum(parts) == about(whole)


def test_a_day_with_a_three_hour_hole_has_coverage_0_875_and_invents_nothing():
    points = [(t, 1000.0) for t in range(0, DAY + 1, 60_000) if not 10 * HOUR < t < 13 * HOUR]
    energy = energy_wh(linear_segments(points), 0, DAY)
    assert energy.coverage == 0.875
    assert energy.wh == about(21_000.0)
    summary = summarise(linear_segments(points), 0, DAY)
    assert (summary.coverage, summary.mean) == (0.875, about(1000.0))
    hole = energy_wh(linear_segments(points), 10 * HOUR, 13 * HOUR)
    assert hole == WindowEnergy(None, 0.0)


def test_a_mean_is_weighted_by_time_not_by_points():
    points = [(0, 0.0), (59_000, 0.0), *((59_000 + 10 * n, 1000.0) for n in range(1, 101))]
    summary = summarise(linear_segments(points), 0, 60_000)
    assert summary.mean == pytest.approx(16.58, abs=0.01)


def test_inverter_energy_is_its_mean_times_its_interval():
    segments = step_segments([(900_000, 200.0, 900.0), (1_800_000, 100.0, 900.0)])
    assert energy_wh(segments, 0, 1_800_000) == WindowEnergy(about(75.0), 1.0)


@pytest.mark.parametrize("hours", [23, 25])
def test_short_and_long_days_are_only_edges(hours):
    """A local day of 23 or 25 hours is whatever edges the caller gives."""
    points = [(t, 100.0) for t in range(0, 26 * HOUR, 60_000)]
    assert energy_wh(linear_segments(points), 0, hours * HOUR) == WindowEnergy(about(hours * 100.0), 1.0)


@given(st.lists(series(), max_size=4), st.integers(START, START + 3_000_000))
def test_a_sum_is_the_sum_of_its_parts_and_unknown_where_one_is(many, time):
    """At inner points; where segments meet, the earlier one has the word in the sum and its parts alike."""
    parts = [linear_segments(points) for points in many]
    values = [value_at(part, time) for part in parts]
    total = value_at(add(parts), time)
    if any(value is None for value in values) or not parts:
        assert total is None
    elif total is not None:  # a moment that is known in all of them but on no common stretch has no length
        assert total == about(sum(value for value in values if value is not None))
    else:
        assert any(time in (edge for s in part for edge in (s.start, s.stop)) for part in parts)


@given(series(), edges(most=2))
def test_adding_a_series_to_its_negative_gives_zero(points, cuts):
    part = linear_segments(points)
    zero = energy_wh(add([part, scale(part, -1)]), *cuts)
    assert zero.wh in (None, about(0.0))
    assert zero.coverage == energy_wh(part, *cuts).coverage
