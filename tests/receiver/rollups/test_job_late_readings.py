"""The roll-up job and readings that come late, after a silence, or while it works."""

from receiver.ingest.arrivals import Arrivals
from receiver.rollups.job import Rollups
from receiver.stores.base import GatewayReading
from receiver.stores.sqlite import SqliteStore
from shared.readings import Reading
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
    make_house,
    make_reading,
    read_derived,
)
from tests.receiver.rollups.test_job_expiry import DAY


async def test_the_end_of_a_long_silence_keeps_nobody_waiting(sqlite_store, rollups, clock, tmp_path):
    """A counter that comes back speaks of all of it; that is computed in pieces, after what is new elsewhere."""
    counter = {"meter": "production", "phase": "a"}
    for time in (MIDNIGHT - 8 * DAY, MIDNIGHT - 1):
        clock.ms = time
        await rollups.store.write([GatewayReading(HOUSE, Reading("meter_energy", counter, time, {"delivered": 5.0}))])
        await rollups.store.write([make_reading(SHED, time)])
        clock.slept.clear()
        await rollups.run_once(seconds=0)
    assert len(clock.slept) < 2 * 24 + 4, "hours that were computed before anybody else had a turn"
    assert await sqlite_store.read_points(SHED, "panel_15m", start=MIDNIGHT - DAY, stop=MIDNIGHT)
    assert rollups.store.get_marks(HOUSE).hours_due
    await rollups.catch_up()
    assert (
        find_differences(
            await read_derived(sqlite_store),
            await compute_from_scratch(sqlite_store, Sites(), clock, tmp_path / "scratch"),
        )
        == []
    )


async def test_readings_that_come_while_a_history_is_computed_change_what_they_reach(clock, tmp_path):
    """A counter read late, in a day that the history is about to do, cuts a gap that ends in a day already done."""
    early = [
        GatewayReading(HOUSE, Reading("meter_energy", {"meter": "production", "phase": "a"}, time, {"delivered": wh}))
        for time, wh in ((MIDNIGHT - 24 * HOUR, 0.0), (MIDNIGHT - HOUR, 500.0))
    ]
    first = early[0].reading
    late = [
        GatewayReading(HOUSE, Reading(first.kind, first.tags, MIDNIGHT - 24 * HOUR + QUARTER, {"delivered": 400.0}))
    ]

    class Slow(SqliteStore):
        async def read_points(self, gateway, kind, *, start, stop, **options):
            if job is not None and late and stop == MIDNIGHT - 22 * HOUR:  # the day of the late one is next
                await job.store.write([late.pop()])
            return await super().read_points(gateway, kind, start=start, stop=stop, **options)

    job, store = None, Slow(tmp_path / "readings.sqlite")
    await store.open()
    await store.write(early)
    clock.ms = MIDNIGHT + 2 * HOUR
    job = Rollups(store, site_of=Sites().get_site, clock=clock, state_dir=tmp_path / "state")
    try:
        await job.catch_up()
        found = await read_derived(store)
        assert find_differences(found, await compute_from_scratch(store, Sites(), clock, tmp_path / "scratch")) == []
    finally:
        await job.close()
        await store.close()


async def test_the_last_reading_of_a_meter_may_come_late(sqlite_store, rollups, clock, tmp_path):
    """It belongs to the site for another day then: what was computed of that day as if it were gone is wrong."""
    clock.ms = MIDNIGHT + 5 * HOUR
    rows = make_house(MIDNIGHT, clock.ms, step=60_000)
    late = [
        row
        for row in rows
        if row.reading.kind.startswith("meter") and MIDNIGHT + HOUR <= row.reading.timestamp < MIDNIGHT + 2 * HOUR
    ]
    await rollups.store.write([row for row in rows if not row.reading.kind.startswith("meter")])
    await rollups.catch_up()
    await rollups.store.write(late)
    await rollups.catch_up()
    assert (
        find_differences(
            await read_derived(sqlite_store),
            await compute_from_scratch(sqlite_store, Sites(), clock, tmp_path / "scratch"),
        )
        == []
    )


async def test_deliveries_are_stored_by_the_minute(sqlite_store, clock, tmp_path):
    arrivals = Arrivals()
    job = Rollups(sqlite_store, site_of=Sites().get_site, clock=clock, state_dir=tmp_path / "state", arrivals=arrivals)
    arrivals.note(HOUSE, received=MIDNIGHT + 2_000, newest=MIDNIGHT, readings=7, rejected=1)
    arrivals.note(SHED, received=MIDNIGHT + 2_000, newest=None, rejected=2)
    arrivals.note(HOUSE, received=MIDNIGHT + MINUTE, newest=MIDNIGHT + MINUTE, readings=1)
    clock.ms = MIDNIGHT + MINUTE + 1
    try:
        await job.run_once()
        await job.run_once()
        ((_, house_points),) = await sqlite_store.read_points(HOUSE, "delivery", start=0, stop=MIDNIGHT + DAY)
        ((_, shed_points),) = await sqlite_store.read_points(SHED, "delivery", start=0, stop=MIDNIGHT + DAY)
    finally:
        await job.close()
    assert house_points == [(MIDNIGHT, {"lag": 2.0, "readings": 7.0, "rejected": 1.0})]
    assert shed_points == [(MIDNIGHT, {"readings": 0.0, "rejected": 2.0})]


async def test_live_readings_of_every_gateway_come_before_any_backlog(sqlite_store, rollups, clock):
    """A pass that has no time left still does the newest piece of each."""
    clock.ms = MIDNIGHT
    for gateway in (HOUSE, SHED):
        await rollups.store.write([make_reading(gateway, MIDNIGHT - hours * HOUR) for hours in range(10)])
    await rollups.run_once(seconds=0)
    for gateway in (HOUSE, SHED):
        ((_, points),) = await sqlite_store.read_points(gateway, "panel_15m", start=0, stop=MIDNIGHT + DAY)
        assert max(point.timestamp for point in points) == MIDNIGHT - QUARTER
        assert len(rollups.store.get_marks(gateway).fresh) == 7, "three hours at once, and the rest later"


async def test_a_backlog_of_the_only_gateway_waits_for_no_quarter_hour(sqlite_store, rollups, clock):
    """Its hours and days are there with its quarter hours, in the same pass: nobody else waits for them."""
    clock.ms = MIDNIGHT
    await rollups.store.write([make_reading(HOUSE, MIDNIGHT - QUARTER)])
    await rollups.run_once(seconds=60)
    await rollups.store.write([make_reading(HOUSE, MIDNIGHT - hours * HOUR) for hours in range(2, 30)])
    await rollups.run_once(seconds=60)
    ((_, points),) = await sqlite_store.read_points(HOUSE, "panel_1d", start=0, stop=MIDNIGHT)
    assert min(point.timestamp for point in points) < MIDNIGHT - DAY
    await rollups.run_once(seconds=60)  # steps of counters that older readings may judge otherwise are judged again
    assert not rollups.store.get_marks(HOUSE).waiting


async def test_a_gateway_that_comes_after_the_start_has_no_history_beside_what_is_dirty(sqlite_store, rollups, clock):
    """All of its readings are marked as they come, so nothing is computed twice; and after a restart neither."""
    clock.ms = MIDNIGHT
    await rollups.run_once(seconds=60)
    await rollups.store.write([make_reading(HOUSE, MIDNIGHT - hours * HOUR) for hours in range(1, 30)])
    await rollups.run_once(seconds=0)
    marks = rollups.store.get_marks(HOUSE)
    assert marks.state is not None
    assert not marks.has_history
    assert marks.fresh, "the rest of what is dirty"
    await rollups.run_once(seconds=60)
    assert not marks.fresh


async def test_while_it_serves_it_rests_as_long_as_it_worked(sqlite_store, rollups, clock):
    """A history of years is computed beside what comes in, not before it."""
    await sqlite_store.write(make_house(MIDNIGHT - 8 * HOUR, MIDNIGHT, step=300_000))
    await rollups.run_once()
    assert len(clock.slept) >= 3
    clock.slept.clear()
    await rollups.store.write(make_house(MIDNIGHT - 8 * HOUR, MIDNIGHT, step=300_000))
    await rollups.catch_up()
    assert clock.slept == []
