"""Lifetime counters: how much for certain, when only as far as it is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.energy.counters import compute_counter_energy, compute_counter_windows
from receiver.energy.plausible import compute_increase_wh
from shared.fields import MAX_GAP_MS, WRAP_WH
from tests.receiver.energy.reference import approximate, draw_boundaries, draw_series

MINUTE = 60_000
HOUR = 60 * MINUTE


def _make_steady(start: int, stop: int, wh_per_minute: float = 10.0) -> list[tuple[int, float]]:
    return [(t, t / MINUTE * wh_per_minute) for t in range(start, stop + 1, MINUTE)]


def test_increases_are_energy():
    energy = compute_counter_energy(_make_steady(0, 2 * HOUR), 0, HOUR)
    assert (energy.wh, energy.coverage, energy.resets) == (approximate(600.0), 1.0, 0)


def test_a_step_across_a_boundary_is_shared_evenly():
    first, second = compute_counter_windows([(0, 0.0), (60_000, 6.0)], [0, 20_000, 60_000])
    assert (first.wh, second.wh) == (approximate(2.0), approximate(4.0))


def test_an_outage_within_a_window_keeps_its_energy_but_not_its_coverage():
    points = [*_make_steady(0, 10 * HOUR), *_make_steady(13 * HOUR, 24 * HOUR)]
    day = compute_counter_energy(points, 0, 24 * HOUR)
    assert (day.wh, day.coverage) == (approximate(14_400.0), 0.875)


def test_an_outage_across_a_boundary_does_not_invent_when():
    points = [*_make_steady(0, HOUR // 2), *_make_steady(3 * HOUR // 2, 2 * HOUR)]
    first, second = compute_counter_windows(points, [0, HOUR, 2 * HOUR])
    assert (first.wh, first.coverage, first.unallocated_wh) == (approximate(300.0), 0.5, 0.0)
    assert (second.wh, second.coverage, second.unallocated_wh) == (approximate(300.0), 0.5, approximate(600.0))


def test_a_gap_that_sticks_out_of_the_range_is_left_out():
    points = [(-HOUR, 0.0), (HOUR, 500.0), (4 * HOUR, 900.0)]
    assert compute_counter_energy(points, 0, 3 * HOUR) == (0, 3 * HOUR, None, 0.0, 0.0, 0, None)


def test_a_counter_that_rests_over_a_night_is_covered():
    points = [(0, 100.0), (10 * HOUR, 100.0)]
    assert compute_counter_energy(points, 0, 10 * HOUR)[2:] == (0.0, 0.0, 1.0, 0, None)


def test_a_reset_gives_no_energy_and_is_marked():
    points = [(0, 500_000.0), (MINUTE, 500_010.0), (2 * MINUTE, 3.0), (3 * MINUTE, 8.0)]
    energy = compute_counter_energy(points, 0, 3 * MINUTE)
    assert (energy.wh, energy.resets, energy.coverage) == (approximate(15.0), 1, approximate(2 / 3))


def test_the_32_bit_wrap_of_gateways_without_meters_is_undone():
    assert compute_increase_wh((0, WRAP_WH - 100.0), (15 * MINUTE, 150.0), wraps=True) == approximate(250.0)


def test_a_fall_that_would_be_a_huge_wrap_is_a_reset():
    assert compute_increase_wh((0, 600_000.0), (24 * HOUR, 10.0), wraps=True) is None


@pytest.mark.parametrize(("first", "wraps"), [(1_148_000.0, False), (WRAP_WH + 20_000.0, True)])
def test_a_fall_of_what_cannot_have_wrapped_is_a_reset(first, wraps):
    """A meter that was put back at 1,148 kWh, and a total that was beyond 2^32 J already."""
    points = [(0, first), (20 * HOUR, 3000.0)]
    day = compute_counter_energy(points, 0, 24 * HOUR, wraps=wraps)
    assert (day.wh, day.unallocated_wh, day.resets) == (None, 0.0, 1)


def test_a_jump_to_the_true_value_after_a_firmware_update_is_no_energy():
    """Firmware 8 shows the total that older firmware had wrapped: an increase that no roof could make."""
    assert compute_increase_wh((0, 174_174.0), (20 * MINUTE, 174_174.0 + 3 * WRAP_WH)) is None


@given(draw_series(st.floats(0, 1e7)), draw_boundaries())
def test_no_answer_is_ever_negative_and_coverage_stays_a_share(points, cuts):
    for window in compute_counter_windows(points, cuts):
        assert window.wh is None or window.wh >= 0
        assert window.unallocated_wh >= 0
        assert -1e-12 <= window.coverage <= 1 + 1e-12


@given(draw_series(st.floats(0, 20), smallest=2), st.lists(st.floats(0.01, 0.99), max_size=5, unique=True))
def test_the_total_over_all_windows_is_the_increase_whatever_the_outages(steps, cuts):
    """Placed and unallocated energy together are exactly what the counter gained, however it is cut."""
    points: list[tuple[int, float]] = []
    total = 0.0
    for time, step in steps:
        total += step if points and time - points[-1][0] >= MINUTE else 0.0
        points.append((time, total))
    first, last = points[0][0], points[-1][0]
    marks = sorted({first, last, *(first + round((last - first) * cut) for cut in cuts)})
    windows = compute_counter_windows(points, marks)
    assert sum((window.wh or 0.0) + window.unallocated_wh for window in windows) == approximate(total)


def test_the_longest_shared_step_is_the_longest_gap_of_a_meter():
    inside, beyond = [(0, 0.0), (MAX_GAP_MS, 4.0)], [(0, 0.0), (MAX_GAP_MS + 1, 4.0)]
    assert compute_counter_energy(inside, 0, MAX_GAP_MS).coverage == 1.0
    assert compute_counter_energy(beyond, 0, MAX_GAP_MS + 1).coverage == 0.0


def test_readings_and_boundaries_must_be_in_order():
    with pytest.raises(ValueError, match="strictly increase"):
        compute_counter_windows([(5, 0.0), (5, 1.0)], [0, 10])
    with pytest.raises(ValueError, match="increasing order"):
        compute_counter_windows([], [10, 0])
