"""Stamps strictly increase, steps of either clock are recorded, and identities stay."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from scraper.delta import gateway_clock
from scraper.delta.stamps import EPOCHS, StampClock, StampState, has_moved, space_back
from shared.readings import Series

T = 1_700_000_000_000
HOUR = 3_600_000
SERIES = Series("meter", (("meter", "production"), ("phase", "a")))


@given(st.integers(0, 10**6), st.integers(1, 300), st.integers(1, 5000), st.integers(0, 10**6 + 5000))
def test_a_burst_is_spaced_back_and_strictly_increases(arrival, count, period, not_before):
    stamps = space_back(arrival, count, period, not_before=not_before)
    assert len(stamps) == count
    assert all(b > a for a, b in itertools.pairwise(stamps))
    assert stamps[0] >= not_before
    assert stamps[-1] == max(arrival, not_before + count - 1)


def test_a_burst_with_room_is_spaced_by_the_period_of_the_stream():
    assert space_back(T, 3) == [T - 2000, T - 1000, T]
    assert space_back(T, 0) == []


@given(st.lists(st.tuples(st.integers(-5000, 5000), st.integers(1, 20)), max_size=60))
def test_stamps_of_one_clock_strictly_increase_whatever_the_arrivals(arrivals):
    clock, stamps, now = StampClock(), [], T
    for step, count in arrivals:
        now += step
        stamps += clock.make_stamps(now, count)
    assert stamps == sorted(set(stamps))


@given(
    st.lists(
        st.tuples(st.integers(100, 3000), st.sampled_from([0, 0, 0, 0, -HOUR, -30_000, HOUR, 365 * 24 * HOUR])),
        max_size=80,
    )
)
def test_a_host_clock_that_steps_overwrites_nothing(seconds):
    """Up to nine steps back, no stamp is given twice."""
    clock, stamps, wall, monotonic, backwards = StampClock(), [], T, 5.0, 0
    clock.observe(wall, monotonic)
    for elapsed, step in seconds:
        backwards += step < 0
        if backwards == EPOCHS:
            break
        wall, monotonic = wall + elapsed + step, monotonic + elapsed / 1000
        seen = clock.observe(wall, monotonic)
        assert (seen is not None) == (step != 0)
        if seen is not None:
            assert abs(seen.old_ms - (wall - step)) <= 1
            assert seen.new_ms == wall
        stamps += clock.make_stamps(wall)
    assert len(stamps) == len(set(stamps))


def test_slow_drift_is_no_step():
    clock = StampClock()
    events = [clock.observe(T + i * 1001, i * 1.0) for i in range(5000)]
    assert events == [None] * 5000


def test_a_clock_that_stepped_back_while_the_scraper_was_off_is_noticed():
    before = StampClock()
    before.make_stamps(T)
    after = StampClock(StampState(*before.state))
    step = after.observe(T - HOUR, 1.0)
    assert step is not None
    assert not step.known, "the time without a process is not"
    assert after.make_stamps(T - HOUR)[0] % EPOCHS == 1


def test_a_pause_of_the_scraper_is_no_step():
    after = StampClock(StampState(0, T))
    assert after.observe(T + HOUR, 1.0) is None


def test_a_poll_whose_own_timestamp_has_not_moved_is_no_new_reading():
    assert has_moved({}, SERIES, 100)
    assert not has_moved({SERIES: 100}, SERIES, 100)
    assert has_moved({SERIES: 100}, SERIES, 101)
    assert has_moved({SERIES: 100}, SERIES, 99), "the gateway's clock stepped back"
    assert not has_moved({}, SERIES, 0), "0 means no reading"


def test_a_gateway_a_few_minutes_off_is_left_alone():
    assert gateway_clock.measure(0, T + 299_000, T) == (0, None)


def test_a_gateway_a_year_ahead_or_in_1970_is_corrected_and_recorded():
    for gateway_ms in (T + 365 * 24 * HOUR, 12_000):
        offset, event = gateway_clock.measure(0, gateway_ms, T)
        assert gateway_clock.correct(offset, gateway_ms) == T
        assert event is not None
        assert event.tags == {"type": "clock_step"}
        assert event.timestamp == T


def test_the_correction_stands_still_so_that_identities_do():
    offset, _ = gateway_clock.measure(0, T + HOUR, T)
    for noise in (-200_000, -4_000, 3_000, 250_000):
        assert gateway_clock.measure(offset, T + HOUR + noise, T) == (offset, None)


def test_the_correction_ends_when_the_gateway_is_right_again():
    offset, _ = gateway_clock.measure(0, T + 301_000, T)
    assert gateway_clock.measure(offset, T + 120_000, T)[0] == offset, "no flapping at the limit"
    offset, event = gateway_clock.measure(offset, T + 2_000, T)
    assert offset == 0
    assert event is not None


def test_a_gateway_without_a_clock_changes_nothing():
    assert gateway_clock.measure(7, 0, T) == (7, None)
