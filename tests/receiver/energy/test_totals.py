"""Quarter hours are enough: their sums are the energy of every coarser window, whatever the outages."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from receiver.energy.balance import QUANTITIES, SiteEnergy, build_site_energy, compute_site_energy
from receiver.energy.energy import WindowEnergy
from receiver.energy.interpolation import make_linear_segments
from receiver.energy.meter_flows import MeterCounters
from receiver.energy.totals import sum_windows
from tests.receiver.energy.reference import approximate

MINUTE = 60_000
QUARTER = 15 * MINUTE
HOUR = 4 * QUARTER
SINGLE_PHASE = [("production", "a"), ("net-consumption", "a"), ("storage", "a")]

pauses = st.sampled_from([MINUTE, MINUTE, MINUTE, 2 * MINUTE, 5 * MINUTE, QUARTER, 50 * MINUTE, 4 * HOUR])
counter_steps = st.tuples(pauses, st.integers(0, 90), st.integers(0, 90), st.integers(-30, 30), st.integers(0, 20))
"""Pause before a reading, then Wh made, used and out of the battery in it, and 0 for a counter that is reset."""


def _make_history(rows, *, resets: bool):
    """Counters of a house whose meters agree, all read at once, with outages and (if wanted) resets of one of them."""
    time, made, bought, sold, out, into = -3 * MINUTE, 5e6, 7e6, 2e6, 1e5, 1e5
    read = []
    for pause, production, used, battery, reset in rows:
        time += pause
        net = used - production - battery
        made, bought, sold = made + production, bought + max(net, 0), sold + max(-net, 0)
        out, into = out + max(battery, 0), into + max(-battery, 0)
        if resets and reset == 0:
            made = 0.0
        read.append((time, made, bought, sold, out, into))
    column = [[(row[0], float(row[index])) for row in read] for index in range(1, 6)]
    resting = [(row[0], 12.0) for row in read]
    counters = zip(
        SINGLE_PHASE,
        [MeterCounters(column[0], resting), MeterCounters(column[1], column[2]), MeterCounters(column[3], column[4])],
        strict=True,
    )
    return dict(counters), read[-1][0]


def _compute_directly(counters, start: int, stop: int) -> SiteEnergy:
    return compute_site_energy({}, counters, (-24 * HOUR, start, stop))[1]


def _compute_parts(counters, start: int, stop: int) -> list[SiteEnergy]:
    return [_compute_directly(counters, time, time + QUARTER) for time in range(start, stop, QUARTER)]


def _leaves_load_out(window: SiteEnergy) -> bool:
    """Whether all that the load is made of is known, but not of the same time, so that the load is not."""
    return window.load.wh is None and all(getattr(window, name).wh is not None for name in QUANTITIES if name != "load")


def _assert_same(one: SiteEnergy, other: SiteEnergy, names=QUANTITIES, parts=()) -> None:
    """Both windows alike; but for a load of which one of the `parts`, or the whole, has amounts of different times."""
    if any(map(_leaves_load_out, (*parts, other))):
        names = [name for name in names if name != "load"]
    for name in names:
        summed, direct = getattr(one, name), getattr(other, name)
        if name == "load" and summed.wh is None and direct.wh == approximate(0.0):
            # A gap over a boundary in which the balance is exactly nothing leaves no unallocated energy: unknown, not wrong.
            assert (summed.coverage, summed.unallocated_wh) == (0.0, 0.0)
            continue
        assert (summed.wh, summed.unallocated_wh) == (
            direct.wh and approximate(direct.wh),
            approximate(direct.unallocated_wh),
        ), name
        if name == "load":  # a sum: as well known as the least known part of each quarter hour, not of all the time
            assert summed.coverage <= direct.coverage + 1e-9
        else:
            assert summed.coverage == approximate(direct.coverage), name
    assert (one.resets, one.unallocated_since) == (other.resets, other.unallocated_since)


@given(st.lists(counter_steps, min_size=2, max_size=40), st.integers(0, 12), st.integers(1, 40))
@example(rows=[(15 * MINUTE, 0, 0, 0, 0), (5 * MINUTE, 0, 0, 1, 0)], first=0, length=2)
@example(
    rows=[
        (5 * MINUTE, 0, 0, 0, 0),
        (15 * MINUTE, 0, 0, 0, 0),
        (50 * MINUTE, 1, 1, 1, 0),
        (5 * MINUTE, 1, 0, 1, 0),
        (5 * MINUTE, 0, 0, 1, 0),
    ],
    first=0,
    length=5,
)
def test_summed_quarter_hours_are_the_coarse_window(rows, first, length):
    counters, _ = _make_history(rows, resets=False)
    start, stop = first * QUARTER, (first + length) * QUARTER
    parts = _compute_parts(counters, start, stop)
    _assert_same(sum_windows(parts, start, stop), _compute_directly(counters, start, stop), parts=parts)


@given(st.lists(counter_steps, min_size=2, max_size=40), st.integers(0, 12), st.integers(1, 40))
def test_resets_change_nothing_in_that(rows, first, length):
    """Load aside: a production that was reset can make the balance of one quarter hour less than nothing."""
    counters, _ = _make_history(rows, resets=True)
    start, stop = first * QUARTER, (first + length) * QUARTER
    others = [name for name in QUANTITIES if name != "load"]
    _assert_same(
        sum_windows(_compute_parts(counters, start, stop), start, stop),
        _compute_directly(counters, start, stop),
        others,
    )


@given(st.lists(counter_steps, min_size=2, max_size=40), st.integers(1, 6))
def test_sums_of_sums_are_the_same_sums(rows, length):
    """Days of quarter hours, then weeks of days: as if of quarter hours."""
    counters, last = _make_history(rows, resets=False)
    stop = (max(last, 0) // (length * QUARTER) + 1) * length * QUARTER
    parts = _compute_parts(counters, 0, stop)
    middle = [
        sum_windows(parts[index : index + length], time, time + length * QUARTER)
        for index, time in ((index, index * QUARTER) for index in range(0, len(parts), length))
    ]
    _assert_same(sum_windows(middle, 0, stop), sum_windows(parts, 0, stop))


def test_nothing_of_a_long_history_is_lost():
    """Over the whole of it, the sums are what the counters gained: no energy stays unallocated."""
    rows = [(pause, 40, 25, 5, 1) for pause in (MINUTE, 20 * MINUTE, 4 * HOUR, MINUTE, 7 * HOUR, 2 * MINUTE)]
    counters, last = _make_history(rows, resets=False)
    stop = last // QUARTER * QUARTER + QUARTER
    day = sum_windows(_compute_parts(counters, -QUARTER, stop), -QUARTER, stop)
    assert day.production[:3:2] == (approximate(40.0 * 5), 0.0)
    assert day.load.wh == approximate(25.0 * 5)


def test_a_gap_from_before_waits_for_the_window_that_holds_it_all():
    part = build_site_energy(HOUR, HOUR + QUARTER, [WindowEnergy(10.0, 1.0, 70.0)] * 6, 0, HOUR - 1)
    hour = sum_windows([part], HOUR, 2 * HOUR)
    assert (hour.production, hour.unallocated_since) == (WindowEnergy(10.0, 0.25, 70.0), HOUR - 1)
    assert sum_windows([hour], 0, 2 * HOUR).production == WindowEnergy(80.0, 0.125)


def test_what_one_phase_knows_of_a_gap_alone_is_left_out():
    """Phase b was silent for an hour, phase a was not: what both made together in that hour is not known."""
    minutes = range(-15 * MINUTE, 2 * HOUR + 1, MINUTE)
    a = [(time, 1e6 + time / MINUTE) for time in minutes]
    b = [point for point in a if not 20 * MINUTE < point[0] < 80 * MINUTE]
    counters = {("production", "a"): MeterCounters(a, []), ("production", "b"): MeterCounters(b, [])}
    summed = sum_windows(_compute_parts(counters, 0, 2 * HOUR), 0, 2 * HOUR)
    assert summed.production.unallocated_wh == 0.0
    assert summed.production.wh is not None
    assert summed.production.wh < 240.0 == approximate(_compute_directly(counters, 0, 2 * HOUR).production.wh or 0.0)


def test_integrals_have_nothing_unallocated():
    power = {("production", "a"): make_linear_segments([(time, 600.0) for time in range(0, HOUR, MINUTE)])}
    hour = sum_windows(
        [compute_site_energy(power, {}, (time, time + QUARTER))[0] for time in range(0, HOUR, QUARTER)], 0, HOUR
    )
    assert hour.production == WindowEnergy(approximate(590.0), approximate(59 / 60))
    assert (hour.load, hour.unallocated_since) == (WindowEnergy(None, 0.0), None)


def test_a_part_that_sticks_out_is_refused():
    with pytest.raises(ValueError, match="sticks out"):
        sum_windows([build_site_energy(0, QUARTER, [WindowEnergy(None, 0.0)] * 6, 0, None)], MINUTE, HOUR)
