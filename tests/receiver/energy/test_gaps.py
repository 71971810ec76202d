"""Recorded gaps: what lies inside one is unknown, be it a second or two minutes long."""

import pytest

from receiver.energy.balance import compute_site_energy
from receiver.energy.counters import compute_counter_windows
from receiver.energy.gaps import GapWalk, merge_gaps
from receiver.energy.interpolation import make_linear_segments
from receiver.energy.linear import summarise_linear
from receiver.energy.means import summarise_windows
from receiver.energy.meter_flows import MeterCounters

SECOND, MINUTE = 1000, 60_000
BOUNDARIES = (0, 15 * MINUTE)
LENGTHS_S = [31, 90, 119, 121]


def cut_points(length_s: int) -> tuple[list[tuple[int, float]], list[tuple[int, int]]]:
    """A power that is read each second, and a gap in it."""
    gap = (5 * MINUTE, 5 * MINUTE + length_s * SECOND)
    times = [time for time in range(0, 15 * MINUTE + 1, SECOND) if not gap[0] < time < gap[1]]
    return [(time, 100.0) for time in times], [gap]


@pytest.mark.parametrize("length_s", LENGTHS_S)
def test_nothing_is_known_inside_a_gap(length_s):
    points, gaps = cut_points(length_s)
    (summary,) = summarise_linear(points, BOUNDARIES, gaps=gaps)
    assert summary.coverage == pytest.approx(1 - length_s / 900)
    assert summary.mean == pytest.approx(100.0)
    assert summarise_windows(make_linear_segments(points, gaps=gaps), BOUNDARIES) == [summary]


@pytest.mark.parametrize("length_s", LENGTHS_S)
def test_a_counter_knows_how_much_flowed_in_a_gap_but_not_when(length_s):
    gap = (5 * MINUTE, 5 * MINUTE + length_s * SECOND)
    points = [(time, time / MINUTE) for time in range(0, 15 * MINUTE + 1, 20 * SECOND) if not gap[0] < time < gap[1]]
    (whole,) = compute_counter_windows(points, BOUNDARIES, gaps=[gap])
    assert whole.wh == pytest.approx(15.0)
    assert whole.unallocated_wh == 0.0
    assert whole.coverage <= 1 - length_s / 900
    before, after = compute_counter_windows(points, (0, gap[0] + 10 * SECOND, 15 * MINUTE), gaps=[gap])
    assert before.wh == pytest.approx(5.0)
    assert after.unallocated_wh > 0
    assert (before.wh or 0) + (after.wh or 0) + after.unallocated_wh == pytest.approx(15.0)


def test_a_breath_of_the_stream_is_no_matter_for_a_counter():
    points = [(time, time / MINUTE) for time in range(0, 15 * MINUTE + 1, MINUTE)]
    (whole,) = compute_counter_windows(points, BOUNDARIES, gaps=[(5 * MINUTE, 5 * MINUTE + 30 * SECOND)])
    assert whole.wh == pytest.approx(15.0)
    assert whole.coverage == 1.0


def test_the_energy_of_a_site_respects_gaps():
    """90 s without samples, in which the house used 36 kW: integrals leave it out, and counters say that it was."""
    points, gaps = cut_points(90)
    power = make_linear_segments(points, gaps=gaps)
    (integral,) = compute_site_energy(
        {("net-consumption", "a"): power, ("net-consumption", "b"): power}, {}, BOUNDARIES, gaps=gaps
    )
    assert integral.imported.wh == pytest.approx(2 * 100 * (900 - 90) / 3600)
    assert integral.imported.coverage == pytest.approx(0.9)
    counter = [(time, 100 * time / 3_600_000) for time, _ in points if time <= gaps[0][0]]
    counter += [(time, 900 + 100 * time / 3_600_000) for time, _ in points if time >= gaps[0][1]]
    counters = {("net-consumption", "a"): MeterCounters(counter, [])}
    (counted,) = compute_site_energy({("net-consumption", "a"): power}, counters, BOUNDARIES, gaps=gaps)
    assert counted.imported.wh == pytest.approx(925.0)
    assert counted.imported.coverage == pytest.approx(0.9)


def test_gaps_in_any_order_are_walked_through_in_order():
    gaps = merge_gaps([(50, 60), (10, 20), (15, 30), (30, 31), (40, 40)])
    assert gaps == [(10, 30), (30, 31), (50, 60)]
    walk = GapWalk(gaps)
    asked = [(0, 10), (0, 11), (29, 30), (31, 50), (31, 51), (60, 70)]
    assert [walk.is_between(*pair) for pair in asked] == [False, True, True, False, True, False]
