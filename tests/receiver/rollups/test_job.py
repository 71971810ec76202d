"""The roll-up job over every store: whatever came when, what is stored equals a computation from scratch."""

import pytest

from receiver.rollups.job import Rollups
from receiver.sites.model import Site
from tests.receiver.rollups.example_households import (
    HOUR,
    HOUSE,
    MIDNIGHT,
    MINUTE,
    QUARTER,
    SHED,
    Sites,
    compute_from_scratch,
    cut_into_batches,
    find_differences,
    make_house,
    read_derived,
)

BERLIN = Site(time_zone="Europe/Berlin")


@pytest.fixture
def sites():
    made = Sites()
    made.sites[HOUSE] = BERLIN
    return made


@pytest.fixture
async def rollups(store, sites, clock, tmp_path):
    made = Rollups(store, site_of=sites.get_site, clock=clock, state_dir=tmp_path / "rollups")
    yield made
    await made.close()


@pytest.fixture
def is_exact(store, sites, clock, tmp_path):
    """Asserts that what is stored is what a computation from scratch gives."""

    async def check():
        stored = await read_derived(store)
        assert stored[HOUSE]
        assert find_differences(stored, await compute_from_scratch(store, sites, clock, tmp_path)) == []

    return check


async def test_live_readings_are_rolled_up_minute_by_minute(store, rollups, clock, is_exact):
    """A receiver at work: a pass every minute, over two hours and midnight in UTC."""
    start = MIDNIGHT + 30 * MINUTE
    for minute in range(start, start + 2 * HOUR, 4 * MINUTE):
        await rollups.store.write(make_house(minute, minute + 4 * MINUTE))
        clock.ms = minute + 4 * MINUTE
        await rollups.run_once(seconds=60)
    (today,) = await store.read_points(HOUSE, "energy_1d", start=0, stop=clock.ms)
    assert today.points[-1].fields["production"] == pytest.approx(2 * 1400, rel=0.05), "not older than a pass"
    clock.ms += HOUR
    await rollups.catch_up()
    await is_exact()


async def test_a_backlog_that_comes_out_of_order_changes_what_was_computed(store, rollups, clock, is_exact):
    """Live readings first; then three hours of outage, the newest first, in pieces, with passes in between."""
    start = MIDNIGHT - 30 * MINUTE
    rows = make_house(start, start + 5 * HOUR)
    live = [row for row in rows if not HOUR <= row.reading.timestamp - start < 4 * HOUR]
    late = [row for row in rows if HOUR <= row.reading.timestamp - start < 4 * HOUR]
    clock.ms = start + 5 * HOUR
    for part in cut_into_batches(live):
        await rollups.store.write(part)
    await rollups.run_once()
    for part in [*cut_into_batches(late)][::-1]:
        await rollups.store.write(part)
        clock.ms += MINUTE
        await rollups.run_once(seconds=60)
    clock.ms += HOUR
    await rollups.run_once()
    await is_exact()
    assert rollups.store.get_marks(HOUSE).in_journal == set(), "nothing is left in the journal"


async def test_an_hour_that_is_written_again_with_other_values_is_computed_again(store, rollups, clock, is_exact):
    start = MIDNIGHT
    clock.ms = start + 3 * HOUR
    await rollups.store.write(make_house(start, start + 3 * HOUR))
    await rollups.catch_up()
    before = await read_derived(store)
    await rollups.store.write(make_house(start + HOUR, start + 2 * HOUR, seed=2))
    await rollups.catch_up()
    assert await read_derived(store) != before
    await is_exact()


async def test_a_restart_goes_on_where_it_was(store, rollups, sites, clock, tmp_path, is_exact):
    """What was written just before, and what was still to be done of a history."""
    start = MIDNIGHT - 30 * HOUR
    clock.ms = MIDNIGHT
    await store.write(make_house(start, start + 2 * HOUR, step=60_000))  # before there were roll-ups
    await store.write(make_house(MIDNIGHT - 2 * HOUR, MIDNIGHT - HOUR, step=60_000))
    await rollups.run_once(seconds=0)
    assert (await rollups.store._journal.load()).gateways[HOUSE].backfill_until is not None
    await rollups.store.write(make_house(MIDNIGHT - HOUR, MIDNIGHT, step=60_000))
    second = Rollups(store, site_of=sites.get_site, clock=clock, state_dir=tmp_path / "rollups")
    try:
        await second.catch_up()
    finally:
        await second.close()
    await is_exact()


async def test_two_gateways_do_not_touch_each_other(store, rollups, clock, is_exact):
    start = MIDNIGHT
    clock.ms = start + HOUR
    await rollups.store.write([*make_house(start, start + HOUR), *make_house(start, start + HOUR, SHED, storage=True)])
    await rollups.catch_up()
    house_rows, shed_rows = (await read_derived(store)).values()
    assert house_rows
    assert shed_rows
    await rollups.store.write(make_house(start + QUARTER, start + 2 * QUARTER, SHED, storage=True, seed=3))
    await rollups.catch_up()
    assert (await read_derived(store, [HOUSE]))[HOUSE] == house_rows
    assert (await read_derived(store, [SHED]))[SHED] != shed_rows
    await is_exact()


CHANGES = {
    "time zone": Site(time_zone="America/New_York"),
    "no time zone": Site(),
    "netting": Site(time_zone="Europe/Berlin", netting="phases"),
    "billing day": Site(time_zone="Europe/Berlin", billing_day=15),
    "a meter's direction": Site.model_validate(
        {"time_zone": "Europe/Berlin", "meters": {"net-consumption": {"reversed": ["a"]}}}
    ),
    "a panel's name and array": Site.model_validate(
        {"time_zone": "Europe/Berlin", "panels": {"48210000001": {"name": "East 1", "array": "East"}}}
    ),
    "tariffs": Site.model_validate(
        {"time_zone": "Europe/Berlin", "tariffs": [{"valid_from": "2020-01-01", "rates": 0.3, "feed_in": 0.08}]}
    ),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_another_site_makes_other_roll_ups_and_leaves_no_stale_row(
    store, rollups, clock, sites, is_exact, change
):
    start = MIDNIGHT - 26 * HOUR
    clock.ms = MIDNIGHT + 30 * MINUTE
    await rollups.store.write(make_house(start, start + 2 * HOUR, step=60_000))
    await rollups.store.write(make_house(MIDNIGHT - 2 * HOUR, MIDNIGHT + 30 * MINUTE, step=60_000))
    await rollups.catch_up()
    before = await read_derived(store)
    sites.sites[HOUSE] = CHANGES[change]
    await rollups.catch_up()
    assert await read_derived(store) != before
    await is_exact()
