"""What is known between stored points."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.energy.coverage import measure_coverage, measure_covered_ms, measure_window_coverage
from receiver.energy.interpolation import Segment, find_value, learn_cadence, make_linear_segments, make_step_segments
from shared.fields import MAX_GAP_MS
from tests.receiver.energy.reference import START, approximate, cut_exactly, draw_boundaries, draw_series, watts

MINUTE = 60_000


def test_a_line_runs_between_points_at_most_the_longest_gap_apart():
    points = [(0, 0.0), (MAX_GAP_MS, 10.0), (2 * MAX_GAP_MS + 1, 20.0), (2 * MAX_GAP_MS + 2, 21.0)]
    assert make_linear_segments(points) == [
        Segment(0, MAX_GAP_MS, 0.0, 10.0),
        Segment(2 * MAX_GAP_MS + 1, 2 * MAX_GAP_MS + 2, 20.0, 21.0),
    ]


@given(draw_series(), st.integers(START, START + 3_000_000))
def test_the_value_is_the_exact_line_and_unknown_elsewhere(points, time):
    (expected,) = [
        va + (vb - va) * (time - a) / (b - a)
        for a, b, va, vb in cut_exactly(points, START, START + 10**10)
        if a <= time <= b
    ][:1] or [None]
    value = find_value(make_linear_segments(points), time)
    assert value == (None if expected is None else approximate(float(expected)))


@given(draw_series())
def test_stored_points_keep_their_value(points):
    segments = make_linear_segments(points)
    for time, value in points:
        assert find_value(segments, time) in (value, None)


def test_points_out_of_order_are_refused():
    with pytest.raises(ValueError, match="strictly increase"):
        make_linear_segments([(1, 0.0), (1, 1.0)])
    with pytest.raises(ValueError, match="strictly increase"):
        make_step_segments([(2, 0.0, 1.0), (1, 1.0, 1.0)])


def test_a_step_reaches_back_over_its_own_interval():
    segments = make_step_segments([(900_000, 100.0, 900.0), (3_600_000, 50.0, 900.0)])
    assert segments == [Segment(0, 900_000, 100.0, 100.0), Segment(2_700_000, 3_600_000, 50.0, 50.0)]
    assert find_value(segments, 900_000) == 100.0
    assert find_value(segments, 900_001) is None


def test_a_partial_interval_at_dawn_covers_only_its_seconds():
    assert make_step_segments([(900_000, 4.0, 13.0)]) == [Segment(887_000, 900_000, 4.0, 4.0)]


def test_overlapping_intervals_count_once():
    segments = make_step_segments([(900_000, 100.0, 900.0), (1_500_000, 60.0, 900.0)])
    assert measure_covered_ms(segments) == 1_500_000
    assert find_value(segments, 900_001) == 60.0


def test_without_interval_or_cadence_a_step_says_nothing():
    assert make_step_segments([(900_000, 100.0, None)]) == []


def test_a_learned_cadence_bridges_jitter_but_no_missing_report():
    segments = make_step_segments(
        [(300_000, 1.0, None), (690_000, 2.0, None), (1_290_000, 3.0, None)], cadence_ms=300_000
    )
    assert [(s.start, s.stop) for s in segments] == [(0, 300_000), (300_000, 690_000), (990_000, 1_290_000)]


@given(st.lists(st.tuples(st.integers(1, 2_000_000), watts, st.none() | st.integers(0, 2000)), max_size=30))
def test_steps_never_overlap_and_stay_in_order(reports):
    time, points = START, []
    for pause, value, interval in reports:
        time += pause
        points.append((time, value, interval))
    segments = make_step_segments(points, cadence_ms=300_000)
    assert all(before.stop <= after.start for before, after in pairwise(segments))
    assert all(segment.start < segment.stop for segment in segments)


def _make_reports(cadence: int, days: int, missing: int) -> list[int]:
    """Report dates from 06:00 to 21:00 with jitter, of which every `missing`th never came."""
    dates = [
        day * 24 * 60 * MINUTE + 360 * MINUTE + number * cadence + (number * 7919) % 31_000
        for day in range(days)
        for number in range(15 * 60 * MINUTE // cadence)
    ]
    return [date for index, date in enumerate(dates) if index % missing]


@pytest.mark.parametrize("cadence", [300_000, 903_000])
@pytest.mark.parametrize("missing", [2, 3, 10])
def test_the_cadence_is_learned_through_nights_and_missing_reports(cadence, missing):
    """With every second report missing nothing shorter was ever seen; otherwise the true cadence is found."""
    expected = 2 * cadence if missing == 2 else cadence
    assert learn_cadence(_make_reports(cadence, 5, missing)) == pytest.approx(expected, rel=0.12)


def test_too_few_reports_teach_no_cadence():
    assert learn_cadence([]) is None
    assert learn_cadence([0, 300_000, 600_000]) is None
    assert learn_cadence([0, 40_000_000, 80_000_000, 120_000_000, 160_000_000]) is None


@given(draw_series(), draw_boundaries())
def test_coverage_is_the_exact_known_share(points, cuts):
    shares = measure_window_coverage(make_linear_segments(points), cuts)
    for share, start, stop in zip(shares, cuts, cuts[1:], strict=False):
        known = sum(b - a for a, b, _, _ in cut_exactly(points, start, stop))
        assert share == pytest.approx(float(known / (stop - start)), abs=1e-12)
        assert 0 <= share <= 1


def test_windows_need_boundaries_in_order():
    for bad in ([], [5], [5, 5], [6, 5]):
        with pytest.raises(ValueError, match="increasing order"):
            measure_window_coverage([], bad)
    with pytest.raises(ValueError, match="increasing order"):
        measure_coverage([], 5, 5)


@pytest.mark.parametrize(("stated", "covered"), [(3600.0, 3_600_000), (1.7e308, 3_600_000), (-1.7e308, 0)])
def test_no_mean_reaches_back_further_than_an_hour(stated, covered):
    """Whatever a broken gateway states: else a single report would speak of years."""
    segments = make_step_segments([(10**12, 5.0, stated)])
    assert sum(segment.stop - segment.start for segment in segments) == covered


def test_a_report_without_interval_reaches_back_over_the_pause_that_is_usual_beside_it():
    """Old firmware reports every 5 minutes: also the first report, and the one after a pause, speak of no more."""
    minute = 60_000
    times = [5, 10, 15, 70, 75, 80, 92, 97]
    segments = make_step_segments([(time * minute, 1.0, None) for time in times], cadence_ms=15 * minute)
    reach = [(segment.stop - segment.start) / minute for segment in segments]
    assert reach == [5, 5, 5, 5, 5, 5, 5, 5]
    slow = make_step_segments([(time * minute, 1.0, None) for time in (15, 30, 46, 120, 135)], cadence_ms=15 * minute)
    assert [(segment.stop - segment.start) / minute for segment in slow] == [15, 15, 16, 15, 15]
    (alone,) = make_step_segments([(60 * minute, 1.0, None)], cadence_ms=15 * minute)
    assert alone.stop - alone.start == 5 * minute, "what nothing is known of covers no less, and no more is claimed"


def test_a_missing_report_is_not_covered_by_the_next_one():
    """Within an hour the others say how often the inverter reports: a mean of 5 minutes says nothing of 10."""
    minute = 60_000
    times = [5, 10, 20, 25, 30, 40, 50, 55]
    segments = make_step_segments([(time * minute, 1.0, None) for time in times], cadence_ms=15 * minute)
    assert [(segment.stop - segment.start) / minute for segment in segments] == [5] * 8


def test_only_reports_within_an_hour_teach_a_cadence():
    """So an answer does not depend on how much was loaded."""
    minute = 60_000
    fast = [time * minute for time in range(5, 65, 5)]
    alone = (fast[-1] + 61 * minute, fast[-1] + 76 * minute)
    segments = make_step_segments([(time, 1.0, None) for time in (*fast, *alone)], cadence_ms=15 * minute)
    assert segments == [
        *make_step_segments([(time, 1.0, None) for time in fast], cadence_ms=15 * minute),
        *make_step_segments([(time, 1.0, None) for time in alone], cadence_ms=15 * minute),
    ]
