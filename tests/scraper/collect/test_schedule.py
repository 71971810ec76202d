"""When what is asked."""

import itertools
import random

from scraper.collect.schedule import LONGEST_WAIT_S, PollJob, Schedule
from tests.clocks import InstantClock


async def do_nothing() -> None:
    """A job's work."""


async def measure_times(
    schedule: Schedule, clock: InstantClock, name: str, count: int, *, worked: bool = True
) -> list[float]:
    found: list[float] = []
    while len(found) < count:
        job = await schedule.wait_for_next()
        if job.name == name:
            found.append(clock.elapsed)
        schedule.mark_done(job, worked=worked)
    return found


def compute_gaps(moments: list[float]) -> list[float]:
    return [after - before for before, after in itertools.pairwise(moments)]


async def test_a_steady_rhythm_with_a_little_jitter():
    clock = InstantClock()
    schedule = Schedule([PollJob("a", lambda: 60, do_nothing)], clock, random.Random(1))
    schedule.start()
    found = compute_gaps(await measure_times(schedule, clock, "a", 100))
    assert all(55 <= gap <= 65 for gap in found), found
    assert len({round(gap, 2) for gap in found}) > 10


async def test_frequent_jobs_begin_at_once_in_their_order_and_rare_ones_after_their_interval():
    clock = InstantClock()
    schedule = Schedule([PollJob("rare", lambda: 4 * 3600, do_nothing), PollJob("a", lambda: 60, do_nothing),
                         PollJob("b", lambda: 5, do_nothing)], clock, random.Random(1))  # fmt: skip
    schedule.start()
    order = []
    for _ in range(2):
        job = await schedule.wait_for_next()
        order.append(job.name)
        schedule.mark_done(job)
    assert order == ["a", "b"]
    start = clock.elapsed
    (first,) = await measure_times(schedule, clock, "rare", 1)
    assert first - start > 3.9 * 3600


async def test_missed_runs_are_not_made_up_for():
    clock = InstantClock()
    schedule = Schedule([PollJob("a", lambda: 10, do_nothing)], clock, random.Random(1))
    schedule.start()
    await measure_times(schedule, clock, "a", 1)
    clock.advance(1000)
    assert min(compute_gaps(await measure_times(schedule, clock, "a", 5))) >= 4


async def test_an_interval_that_shrinks_makes_its_job_due_and_one_that_grows_does_not_double():
    clock = InstantClock()
    interval = 60.0
    schedule = Schedule([PollJob("meters", lambda: interval, do_nothing)], clock, random.Random(1))
    schedule.start()
    (first,) = await measure_times(schedule, clock, "meters", 1)
    interval = 5.0
    (second,) = await measure_times(schedule, clock, "meters", 1)
    assert second - first <= 11
    job = await schedule.wait_for_next()
    interval = 60.0
    ran = clock.elapsed
    schedule.mark_done(job)
    (following,) = await measure_times(schedule, clock, "meters", 1)
    assert 50 <= following - ran <= 70


async def test_what_keeps_failing_is_asked_less_often_but_still_once_a_minute():
    clock = InstantClock()
    schedule = Schedule([PollJob("a", lambda: 5, do_nothing)], clock, random.Random(1))
    schedule.start()
    failing = compute_gaps(await measure_times(schedule, clock, "a", 12, worked=False))
    assert failing[0] < 7
    assert all(LONGEST_WAIT_S * 0.9 <= gap <= LONGEST_WAIT_S * 1.2 for gap in failing[-3:]), failing
    await measure_times(schedule, clock, "a", 1)
    assert max(compute_gaps(await measure_times(schedule, clock, "a", 5))) < 7
