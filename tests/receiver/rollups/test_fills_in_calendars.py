"""What the cloud fills in over midnight, and in the nights in which the clocks change."""

import pytest

from receiver.sites.model import Site
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.clocks import SetClock
from tests.receiver.rollups.cloud_system import MIDNIGHT, SYSTEM
from tests.receiver.rollups.linked_home import HOME, count_with_outage, make_cloud, make_counter, roll

AUTUMN = 1_792_879_200_000
"""Midnight in Amsterdam before the night in which the clocks go back, 25 October 2026: a day of 25 hours."""


@pytest.fixture
def clock() -> SetClock:
    return SetClock(AUTUMN + 3 * DAY_MS)


async def read_days(store, kind: str, start: int, stop: int) -> dict[int, dict[str, float]]:
    found = await store.read_points(HOME, kind, start=start, stop=stop)
    return {time: fields for series in found for time, fields in series.points}


async def test_an_outage_over_midnight_is_shared_between_the_days(store, linked_job):
    start, stop = MIDNIGHT + DAY_MS - HOUR_MS, MIDNIGHT + DAY_MS + HOUR_MS
    times = [*range(start - HOUR_MS, start + 1, MINUTE_MS), *range(stop, stop + HOUR_MS, MINUTE_MS)]
    await roll(linked_job, make_counter(times, count_with_outage))
    days = await read_days(store, "energy_1d", MIDNIGHT, stop)
    assert days[MIDNIGHT]["production"] == pytest.approx(1200.0)
    assert days[MIDNIGHT + DAY_MS]["production_unallocated"] == pytest.approx(2400.0)
    await roll(linked_job, make_cloud(start, [200.0] * 4 + [420.0] * 4))
    days = await read_days(store, "energy_1d", MIDNIGHT, stop)
    factor = 2400 / 2480
    assert days[MIDNIGHT]["production"] == pytest.approx(1200 + 800 * factor)
    assert days[MIDNIGHT]["production_filled"] == pytest.approx(800 * factor)
    assert days[MIDNIGHT + DAY_MS]["production_filled"] == pytest.approx(1680 * factor)
    assert not {"production_unallocated", "unallocated_since"} & days[MIDNIGHT + DAY_MS].keys()
    (year,) = (await read_days(store, "energy_1y", 0, stop)).values()
    assert year["production_filled"] == pytest.approx(2400.0)


async def test_an_outage_through_the_hour_that_comes_twice(store, linked_job, linked_sites):
    """From half past one to half past three by the clock, which are three hours, and a day of 25."""
    linked_sites.sites[HOME] = Site(cloud=SYSTEM, time_zone="Europe/Amsterdam")
    start = AUTUMN + 3 * HOUR_MS // 2
    stop = start + 3 * HOUR_MS
    times = [*range(start - HOUR_MS, start + 1, MINUTE_MS), *range(stop, stop + HOUR_MS, MINUTE_MS)]
    await roll(linked_job, make_counter(times, lambda time: 1e6 + 400.0 * (time - AUTUMN) / HOUR_MS))
    shape = [float(80 + 5 * number) for number in range(12)]
    await roll(linked_job, make_cloud(start, shape))
    factor = 1200 / sum(shape)
    quarters = await read_days(store, "energy_15m", start, stop)
    assert [row["production"] for row in quarters.values()] == pytest.approx([wh * factor for wh in shape])
    hours = await read_days(store, "energy_1h", start, stop)
    twice = [AUTUMN + 2 * HOUR_MS, AUTUMN + 3 * HOUR_MS]
    for number, hour in enumerate(twice):
        first = 2 + 4 * number
        assert hours[hour]["production"] == pytest.approx(sum(shape[first : first + 4]) * factor)
    (day,) = (await read_days(store, "energy_1d", AUTUMN, stop)).values()
    assert day["duration"] == 25 * 3600.0
    assert day["production_filled"] == pytest.approx(1200.0)
    assert day["production"] == pytest.approx(400.0 + 1200.0 + 400.0 * 59 / 60)


async def test_a_gap_of_more_than_a_month_is_left_alone(store, linked_job):
    """A counter says nothing of the inside of a gap of more than 30 days, so the cloud has no say in it."""
    start, stop = MIDNIGHT, MIDNIGHT + 31 * DAY_MS + 5 * MINUTE_MS
    times = [*range(start - HOUR_MS, start + 1, MINUTE_MS), *range(stop, stop + HOUR_MS, MINUTE_MS)]
    await roll(linked_job, make_counter(times, lambda time: 1e6 + (time - MIDNIGHT) / HOUR_MS))
    before = await read_days(store, "energy_15m", 0, 10**14)
    assert before[MIDNIGHT + 31 * DAY_MS]["production_unallocated"] == pytest.approx((stop - start) / HOUR_MS)
    await roll(linked_job, make_cloud(start, [0.25] * 96))
    assert await read_days(store, "energy_15m", 0, 10**14) == before
