"""Which increase of a counter is possible: panels by their highest power, sites by theirs, 2^32 J never."""

import pytest

from receiver.energy.counters import compute_counter_energy
from receiver.energy.plausible import (
    PanelPower,
    TotalReading,
    compute_increase_wh,
    is_large,
    is_large_total,
    limit_meter,
    limit_panel,
    limit_total,
)
from shared.fields import WRAP_WH
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS


def limit_reports(*times, power=200.0, highest=295.0):
    return limit_panel([PanelPower(time, power, highest) for time in times])


@pytest.mark.parametrize(
    ("highest", "gained", "energy"),
    [
        (295.0, 1600.0, 1600.0),
        (295.0, 2200.0, None),  # 1.5 x 295 W over four hours and a quarter: 1,881 Wh
        (295.0, 497_200.0, None),
        (None, 2100.0, 2100.0),
        (None, 2200.0, None),  # 0.5 kW where nothing is known
        (0.0, 2100.0, 2100.0),  # after its nightly restart a gateway says 0 until sunrise
    ],
)
def test_a_panel_makes_at_most_half_more_than_it_ever_did(highest, gained, energy):
    possible = limit_reports(0, 4 * HOUR_MS, highest=highest)
    assert compute_increase_wh((0, 1000.0), (4 * HOUR_MS, 1000.0 + gained), possible) == energy


def test_a_jump_is_no_energy_and_its_time_is_not_covered():
    points = [(0, 1000.0), (4 * HOUR_MS, 498_200.0), (4 * HOUR_MS + 15 * MINUTE_MS, 498_250.0)]
    day = compute_counter_energy(points, 0, 5 * HOUR_MS, HOUR_MS, limit_reports(*(time for time, _ in points)))
    assert (day.wh, day.coverage, day.resets) == (pytest.approx(50.0), 0.05, 1)  # type: ignore[comparison-overlap]


def make_house(hours, watts, gap_wh):
    """Counters of one phase, read each minute, and a step after four hours without a reading."""
    minutes = hours * 60
    points = [(minute * MINUTE_MS, watts * minute / 60) for minute in range(minutes)]
    last = points[-1]
    return points, last, (last[0] + 4 * HOUR_MS, last[1] + gap_wh)


@pytest.mark.parametrize(
    ("watts", "gap_wh", "inverters_w", "energy"),
    [
        (4000.0, 47_000.0, 0.0, 47_000.0),
        (4000.0, 50_000.0, 0.0, None),  # three times 4 kW over four hours
        (400.0, 20_000.0, 6000.0, 20_000.0),  # the roof can make it, though a cloudy week did not
        (400.0, 30_000.0, 6000.0, None),
        (4000.0, WRAP_WH, 0.0, None),
        (4000.0, 2 * WRAP_WH + 900.0, 0.0, None),
    ],
)
def test_a_site_moves_at_most_three_times_its_highest_power(watts, gap_wh, inverters_w, energy):
    points, before, after = make_house(26, watts, gap_wh)
    assert after[0] - points[0][0] > DAY_MS
    wh = compute_increase_wh(before, after, limit_meter([[points, []]], inverters_w))
    assert wh == (None if energy is None else pytest.approx(energy))


def test_a_jump_that_was_believed_does_not_make_the_next_one_possible():
    points, before, after = make_house(26, 1000.0, 100_000.0)
    jumped = [*points[:600], *((time, wh + 3000.0) for time, wh in points[600:])]
    assert compute_increase_wh(before, after, limit_meter([[jumped]], 0.0)) is None


def test_the_first_kettle_of_a_new_site_is_no_jump():
    points, before, _ = make_house(2, 60.0, 0.0)
    possible = limit_meter([[points]], 0.0)
    assert compute_increase_wh(before, (before[0] + MINUTE_MS, before[1] + 180.0), possible) == pytest.approx(180.0)


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("more", [-1.0, 0.0, 9_000.0])
def test_a_multiple_of_the_wrap_is_no_energy_where_nothing_else_is_known(times, more):
    """A house's production came back higher after a firmware update in the night: 1,193 kWh and its multiples."""
    assert compute_increase_wh((0, 5e6), (12 * 24 * HOUR_MS, 5e6 + times * WRAP_WH + more)) is None


def test_a_long_absence_may_end_near_a_multiple():
    """Four months of a house at 400 W: possible, and not the multiple itself."""
    possible = limit_meter([[make_house(26, 400.0, 0.0)[0]]], 0.0)
    assert compute_increase_wh((0, 0.0), (124 * DAY_MS, WRAP_WH + 10_000.0), possible) == pytest.approx(
        WRAP_WH + 10_000.0
    )


@pytest.mark.parametrize(("jump_wh", "energy"), [(480.0, 485.0), (520.0, None)])
def test_a_jump_that_two_readings_may_differ_by_is_believed_and_no_more(jump_wh, energy):
    """README and rollups.md say so: only a step that is large is compared with what the house ever took."""
    points, before, _ = make_house(26, 300.0, 0.0)
    after = (before[0] + MINUTE_MS, before[1] + 5.0 + jump_wh)
    possible = limit_meter([[points]], 0.0) if is_large(before, after) else None
    assert compute_increase_wh(before, after, possible) == (None if energy is None else pytest.approx(energy))


def make_total(hours, watts):
    """A total without a list of inverters, read each minute: counter and power."""
    return [TotalReading(minute * MINUTE_MS, 1e6 + watts * minute / 60, watts) for minute in range(hours * 60)]


@pytest.mark.parametrize(
    ("highest_w", "end_w", "gap_wh", "energy"),
    [
        (4000.0, 0.0, 50_000.0, 50_000.0),
        (4000.0, 0.0, 52_000.0, None),  # three times 4 kW over four hours and a quarter: 51 kWh
        (0.0, 0.0, 4200.0, 4200.0),  # 1 kW, which any roof may make
        (0.0, 0.0, 4300.0, None),
        (400.0, 3000.0, 38_000.0, 38_000.0),  # the power at both ends of the step says that it can
        (4000.0, 0.0, 497_000.0, None),
    ],
)
def test_a_total_without_a_list_of_inverters_gains_at_most_three_times_its_highest_power(
    highest_w, end_w, gap_wh, energy
):
    earlier = [(time, power) for time, _, power in make_total(26, highest_w) if power is not None]
    before = TotalReading(26 * HOUR_MS, 2e6, end_w)
    after = TotalReading(30 * HOUR_MS, 2e6 + gap_wh, end_w)
    possible = limit_total([before, after], earlier)
    assert compute_increase_wh(before[:2], after[:2], possible) == energy
    if energy is None:  # what is refused is asked for its past first
        assert is_large_total(before, after)


def test_a_new_total_may_gain_15_kw_and_one_without_any_power_is_no_worse_off_than_before():
    before, after = TotalReading(0, 1e6, 0.0), TotalReading(4 * HOUR_MS, 1e6 + 63_000.0, 0.0)
    assert compute_increase_wh(before[:2], after[:2], limit_total([before, after], ())) == 63_000.0
    more = after._replace(energy=1e6 + 64_000.0)
    assert compute_increase_wh(before[:2], more[:2], limit_total([before, more], ())) is None
    assert limit_total([before._replace(power=None), more._replace(power=None)], ()) is None


@pytest.mark.parametrize("inverters_w", [0.0, 20_000.0])
def test_a_total_that_comes_back_unwrapped_after_weeks_gained_nothing_though_it_could(inverters_w):
    before = TotalReading(0, 351_236.0, 0.0)
    after = TotalReading(12 * DAY_MS, 351_236.0 + WRAP_WH + 90_000.0, 0.0)
    earlier = [(time, 4000.0) for time in range(-2 * DAY_MS, 0, HOUR_MS)]
    possible = limit_total([before, after], earlier, inverters_w)
    assert compute_increase_wh(before[:2], after[:2], possible) is None
    most = WRAP_WH - 4.0
    usual = after._replace(energy=351_236.0 + most)
    possible = limit_total([before, usual], earlier, inverters_w)
    assert compute_increase_wh(before[:2], usual[:2], possible) == most
