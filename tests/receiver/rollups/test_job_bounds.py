"""What one sender scatters over decades costs neither memory nor the time of others, and still ends right."""

import math

import pytest

from receiver.rollups import attempts
from receiver.rollups.compute import RawSeries, Reach, find_reach
from receiver.rollups.job import SHARE_S, Rollups
from receiver.rollups.series import LONGEST_GAP_MS, has_samples_around
from receiver.stores.base import GatewayReading, Point, SeriesPoints
from receiver.stores.sqlite import SqliteStore
from shared.readings import Reading, Series
from tests.clocks import InstantClock, SetClock
from tests.receiver.rollups.example_households import (
    HOUR,
    HOUSE,
    MIDNIGHT,
    MINUTE,
    QUARTER,
    SHED,
    Sites,
    compute_from_scratch,
    find_differences,
    make_reading,
    read_derived,
)
from tests.receiver.rollups.test_job_expiry import DAY

YEAR_2000 = 946_684_800_000
PHASE = {"meter": "production", "phase": "a"}


def make_counter(time: int, wh: float) -> GatewayReading:
    return GatewayReading(HOUSE, Reading("meter_energy", PHASE, time, {"delivered": wh}))


async def read_energies(store: SqliteStore, kind: str) -> tuple[float, float]:
    """Of all windows: energy for certain, and energy of gaps that end in them."""
    found = await store.read_points(HOUSE, kind, start=0, stop=10**14)
    fields = [point.fields for _, points in found for point in points]
    known, unallocated = (
        sum(float(each.get(name, 0.0)) for each in fields) for name in ("production", "production_unallocated")
    )
    return known, unallocated


async def assert_as_from_scratch(store, clock, folder) -> None:
    assert (
        find_differences(
            await read_derived(store), await compute_from_scratch(store, Sites(), clock, folder / "scratch")
        )
        == []
    )


@pytest.mark.parametrize("wh_of_2000", [0.0, 5_000.0])
async def test_a_counter_of_2000_and_one_of_now_mark_the_ends_of_their_gap_alone(
    sqlite_store, rollups, clock, tmp_path, wh_of_2000
):
    """Its energy stands where the gap ends, and no row is made of the decades between; moved or not."""
    clock.ms = MIDNIGHT
    await rollups.store.write(
        [make_counter(MIDNIGHT - HOUR + 7 + MINUTE * minute, 5_000.0 + minute) for minute in range(50)]
    )
    await rollups.catch_up()
    await rollups.store.write([make_counter(YEAR_2000 + 5, wh_of_2000)])
    await rollups.run_once()
    assert len(rollups.store.get_marks(HOUSE).waiting) < 24 * 4 + 10, (
        "the ends, and the day in which the meter belonged"
    )
    await rollups.catch_up()
    for kind in ("energy_15m", "energy_1d", "energy_1y"):
        assert await read_energies(sqlite_store, kind) == (49.0, 5_000.0 - wh_of_2000)
    ((_, points),) = await sqlite_store.read_points(HOUSE, "energy_15m", start=0, stop=10**14)
    assert len(points) < 10
    await assert_as_from_scratch(sqlite_store, clock, tmp_path)


async def test_a_late_reading_in_a_gap_of_years_changes_its_ends_alone(sqlite_store, rollups, clock, tmp_path):
    clock.ms = MIDNIGHT
    for time, wh in ((YEAR_2000, 0.0), (MIDNIGHT - HOUR + 7, 900.0), (MIDNIGHT - 1000 * DAY + 7, 300.0)):
        await rollups.store.write([make_counter(time, wh), make_counter(time + MINUTE, wh + 1)])
        await rollups.catch_up()
        assert not rollups.store.get_marks(HOUSE).hours_due
    assert await read_energies(sqlite_store, "energy_15m") == (3.0, 299.0 + 599.0)
    await assert_as_from_scratch(sqlite_store, clock, tmp_path)


async def test_a_scattered_batch_has_its_share_of_a_pass_and_no_more(sqlite_store, tmp_path):
    """Another gateway's backlog is done in the same pass, and what was scattered follows in later ones."""

    class SlowForHouse(SqliteStore):
        async def read_points(self, gateway, *arguments, **options):
            if gateway == HOUSE:
                clock.advance(0.01)
            return await super().read_points(gateway, *arguments, **options)

    clock = InstantClock()
    clock.wall_ms = MIDNIGHT
    store = SlowForHouse(tmp_path / "slow.sqlite")
    await store.open()
    job = Rollups(store, site_of=Sites().get_site, clock=clock, state_dir=tmp_path / "state")
    try:
        await job.store.write([make_reading(gateway, MIDNIGHT - 1) for gateway in (HOUSE, SHED)])
        await job.run_once(seconds=60)
        step = (MIDNIGHT - YEAR_2000) // 500
        await job.store.write([make_counter(YEAR_2000 + step * number, 10.0 * number) for number in range(499)])
        await job.store.write([make_reading(SHED, MIDNIGHT - hours * HOUR) for hours in range(1, 30)])
        began = clock.monotonic()
        await job.run_once(seconds=60)
        assert clock.monotonic() - began < 2 * SHARE_S
        assert not job.store.get_marks(SHED).fresh
        assert job.store.get_marks(HOUSE).fresh
        left = len(job.store.get_marks(HOUSE).fresh)
        await job.run_once(seconds=60)
        assert len(job.store.get_marks(HOUSE).fresh) < left
    finally:
        await job.close()
        await store.close()


async def test_too_many_quarters_are_one_history_and_end_the_same(sqlite_store, rollups, clock, tmp_path, monkeypatch):
    """Memory and journal do not grow with what is scattered."""
    monkeypatch.setattr(attempts, "MOST_WAITING", 20)
    clock.ms = MIDNIGHT
    await rollups.store.write([make_counter(MIDNIGHT - HOUR, 9_000.0)])
    await rollups.catch_up()
    await rollups.store.write([make_counter(MIDNIGHT - DAY * day - HOUR, 9_000.0 - 100 * day) for day in range(1, 60)])
    await rollups.run_once(seconds=0)
    marks = rollups.store.get_marks(HOUSE)
    assert marks.state is not None
    assert marks.state.backfill_until is not None
    assert len(marks.in_journal | marks.waiting) <= 20
    await rollups.store.write([make_counter(MIDNIGHT - HOUR + MINUTE, 9_001.0)])  # meanwhile
    await rollups.catch_up()
    assert await read_energies(sqlite_store, "energy_15m") == (1.0, 5_900.0)
    await assert_as_from_scratch(sqlite_store, clock, tmp_path)


async def test_what_is_left_of_a_history_counts_as_waiting(sqlite_store, clock, tmp_path, monkeypatch):
    """Else somebody sets RECEIVER_METER_DAYS back after an import before its energies are computed."""
    monkeypatch.setattr(attempts, "MOST_WAITING", 20)
    clock.ms = MIDNIGHT
    job = Rollups(sqlite_store, site_of=Sites().get_site, clock=clock, state_dir=tmp_path / "state")

    def count() -> float:
        ((sample,),) = [metric.samples for metric in job._metrics.rollup_dirty.collect()]
        return float(sample.value)

    try:
        assert math.isnan(count()), "the journal is not read yet"
        await job.store.write([make_counter(MIDNIGHT - HOUR, 9_000.0)])
        await job.catch_up()
        assert count() == 0
        days = range(1, 60)
        await job.store.write([make_counter(MIDNIGHT - DAY * day - HOUR, 9_000.0 - 100 * day) for day in days])
        left: list[float] = []
        while 0 not in left:
            await job.run_once(seconds=0)
            left.append(count())
        assert max(one for one in left if not math.isnan(one)) > 50 * 96
        at_zero = await read_derived(sqlite_store)
        await job.catch_up()
        assert find_differences(at_zero, await read_derived(sqlite_store)) == []
        assert await read_energies(sqlite_store, "energy_15m") == (0.0, 5_900.0)
    finally:
        await job.close()


async def test_a_history_takes_decades_without_a_reading_in_one_step(sqlite_store, clock: SetClock, tmp_path):
    """One reading of 2000 costs a few days of work, not ten thousand."""
    old = [make_counter(YEAR_2000, 0.0), make_counter(YEAR_2000 + MINUTE, 1.0)]
    new = [make_counter(MIDNIGHT - DAY + 7, 500.0), make_counter(MIDNIGHT - DAY + MINUTE, 502.0)]
    await sqlite_store.write(old + new)
    clock.ms = MIDNIGHT
    job = Rollups(sqlite_store, site_of=Sites().get_site, clock=clock, state_dir=tmp_path / "state")
    steps = 0
    try:
        await job.run_once(seconds=0)
        while job._backfill.list_waiting():
            await job.run_once(seconds=0)
            steps += 1
    finally:
        await job.close()
    assert steps < 50
    assert await read_energies(sqlite_store, "energy_1y") == (3.0, 499.0)


def test_a_counter_says_nothing_of_the_inside_of_too_long_a_gap():
    for gap, says in ((LONGEST_GAP_MS, True), (LONGEST_GAP_MS + 1, False)):
        points = [(MIDNIGHT + 5, 1.0), (MIDNIGHT + 5 + gap, 1.0)]
        assert has_samples_around(points, MIDNIGHT + DAY, MIDNIGHT + DAY + QUARTER) is says
        assert has_samples_around(points, MIDNIGHT, MIDNIGHT + QUARTER)
        assert has_samples_around(points, points[1][0] - QUARTER, points[1][0]), "the window that the gap ends in"


def test_a_reach_names_the_ends_of_too_long_a_gap_one_by_one():
    series = Series.of("meter_energy", PHASE)
    times = (MIDNIGHT - 100 * DAY + 7, MIDNIGHT + 3, MIDNIGHT + 400 * DAY)
    raw = RawSeries([], [SeriesPoints(series, [Point(time, {"delivered": 1.0}) for time in times])], [], [])
    ends = frozenset({MIDNIGHT - 100 * DAY, MIDNIGHT + 400 * DAY - QUARTER, MIDNIGHT + 400 * DAY})
    assert find_reach(raw, MIDNIGHT, MIDNIGHT + QUARTER) == Reach(MIDNIGHT, MIDNIGHT + QUARTER, ends)
