"""What a step of the host's clock means for what was stamped before: the right time or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.delta.host_clock import (
    REMEMBERED,
    RESOLUTION_MS,
    HostStep,
    StepRecord,
    add_step,
    is_possible,
    mark_step,
    move_reading,
)
from scraper.events import make_event
from shared.readings import Reading
from shared.wire import EARLIEST_MS, FUTURE_MS

T = 1_800_000_000_000
HOUR = 3_600_000
YEAR = 365 * 24 * HOUR


def make_meter(at_ms: int) -> Reading:
    return Reading("meter", {"meter": "production", "phase": "a"}, at_ms, {"power": 1.0})


@given(st.lists(st.sampled_from([-3 * YEAR, -YEAR, -HOUR, -7777, 2 * YEAR, 3 * HOUR]), min_size=1, max_size=30),
       st.integers(0, 40))  # fmt: skip
def test_a_reading_gets_the_right_time_or_keeps_its_own(sizes, seq):
    """The clock is right at the end, and stepped back and forth before; ten rows between two steps."""
    steps: tuple[StepRecord, ...] = ()
    for index, size in enumerate(sizes):
        steps = add_step(steps, StepRecord(10 * (index + 1), size))
    right_ms, now_ms = T, T + HOUR
    stamped_ms = right_ms - sum(size for index, size in enumerate(sizes) if 10 * (index + 1) > seq)
    moved = move_reading(make_meter(stamped_ms), seq=seq, committed_ms=stamped_ms, steps=steps, now_ms=now_ms)
    if moved is None:
        return
    forward = any(size > 0 for index, size in enumerate(sizes) if 10 * (index + 1) > seq)
    assert is_possible(moved.timestamp, now_ms)
    assert forward or abs(moved.timestamp - right_ms) <= RESOLUTION_MS * len(sizes)


def test_years_ahead_or_in_1970_is_moved_by_the_step_and_keeps_the_digit_that_counts_steps():
    for stamped_ms in (T + 4 * YEAR + 3, 5_003):
        steps = (StepRecord(100, T - stamped_ms + 1),)
        moved = move_reading(make_meter(stamped_ms), seq=99, committed_ms=stamped_ms, steps=steps, now_ms=T + HOUR)
        assert moved is not None
        assert abs(moved.timestamp - T) <= RESOLUTION_MS
        assert moved.timestamp % RESOLUTION_MS == 3
        assert (
            move_reading(make_meter(stamped_ms), seq=100, committed_ms=stamped_ms, steps=steps, now_ms=T + HOUR) is None
        )


def test_two_steps_back_add_up():
    steps = (StepRecord(10, -3 * YEAR), StepRecord(20, -YEAR))
    moved = move_reading(make_meter(T + 4 * YEAR), seq=5, committed_ms=T + 4 * YEAR, steps=steps, now_ms=T + HOUR)
    assert moved == make_meter(T)
    moved = move_reading(make_meter(T + YEAR), seq=15, committed_ms=T + YEAR, steps=steps, now_ms=T + HOUR)
    assert moved == make_meter(T)


def test_a_report_of_a_gateway_whose_own_clock_was_wrong_is_not_moved_by_ours():
    report = Reading("inverter", {"inverter": "1"}, T + YEAR, {"power": 1.0})
    steps = (StepRecord(10, -YEAR),)
    assert move_reading(report, seq=1, committed_ms=T, steps=steps, now_ms=T + HOUR) is None
    moved = move_reading(report, seq=1, committed_ms=T + YEAR, steps=steps, now_ms=T + HOUR)
    assert moved is not None
    assert moved.timestamp == T


@pytest.mark.parametrize(
    ("stamped_ms", "committed_ms", "steps"),
    [
        (T, T, (StepRecord(10, -HOUR),)),  # possible as it is
        (T + YEAR, T + YEAR, (StepRecord(10, None),)),  # a step across a restart
        (T + YEAR, T + YEAR, (StepRecord(10, -HOUR),)),  # a step that explains nothing
        (T + YEAR, T + YEAR, (StepRecord(10, 8 * HOUR), StepRecord(20, -YEAR))),  # or the machine slept
        (T + YEAR, T + YEAR, ()),
    ],
)
def test_what_no_known_step_explains_keeps_its_stamp(stamped_ms, committed_ms, steps):
    assert move_reading(make_meter(stamped_ms), seq=1, committed_ms=committed_ms, steps=steps, now_ms=T + HOUR) is None


def test_the_end_of_a_gap_moves_with_its_beginning():
    gap = make_event("gap", T + YEAR, end_ms=T + YEAR + HOUR)
    moved = move_reading(gap, seq=1, committed_ms=T + YEAR, steps=(StepRecord(10, -YEAR),), now_ms=T + HOUR)
    assert moved == make_event("gap", T, end_ms=T + HOUR)


@pytest.mark.parametrize(("old_ms", "new_ms"), [(T, T + YEAR), (T + YEAR, T), (T + HOUR, T), (T, 5_000), (5_000, T)])
def test_the_event_of_a_step_is_of_no_time_that_is_refused(old_ms, new_ms):
    event = mark_step(HostStep(old_ms, new_ms, known=True))
    assert EARLIEST_MS <= event.timestamp <= T + FUTURE_MS
    assert float(event.fields["end"]) >= event.timestamp


def test_a_step_between_two_wrong_times_is_at_the_latest_now():
    step = mark_step(HostStep(T + 2 * YEAR, T + YEAR, known=True))
    moved = move_reading(step, seq=1, committed_ms=T + YEAR, steps=(), now_ms=T)
    assert moved is not None
    assert moved.timestamp == T


def test_a_bounded_number_of_steps_is_kept_and_what_was_before_them_is_unknown():
    steps: tuple[StepRecord, ...] = ()
    for seq in range(1, 100):
        steps = add_step(steps, StepRecord(seq, -HOUR))
    assert len(steps) == REMEMBERED
    assert steps[0] == StepRecord(100 - REMEMBERED, None)
    assert steps[-1] == StepRecord(99, -HOUR)
