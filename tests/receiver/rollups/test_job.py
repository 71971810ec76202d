"""The roll-up job over every store: whatever came when, what is stored equals a computation from scratch."""

import random

import pytest

from receiver.rollups.job import Rollups
from receiver.sites.model import Site
from tests.receiver.rollups.houses import (
    HOUR,
    HOUSE,
    MIDNIGHT,
    MINUTE,
    QUARTER,
    SHED,
    SetClock,
    Sites,
    batches,
    derived,
    differences,
    from_scratch,
    house,
)

BERLIN = Site(time_zone="Europe/Berlin")


@pytest.fixture
def clock():
    return SetClock(MIDNIGHT)


@pytest.fixture
def sites():
    made = Sites()
    made.sites[HOUSE] = BERLIN
    return made


@pytest.fixture
async def rollups(store, sites, clock, tmp_path):
    made = Rollups(store, site_of=sites.of, clock=clock, state_dir=tmp_path / "rollups")
    yield made
    await made.close()


@pytest.fixture
def is_exact(store, sites, clock, tmp_path):
    """Asserts that what is stored is what a computation from scratch gives."""

    async def check():
        stored = await derived(store)
        assert stored[HOUSE]
        assert differences(stored, await from_scratch(store, sites, clock, tmp_path)) == []

    return check


async def test_live_readings_are_rolled_up_minute_by_minute(store, rollups, clock, is_exact):
    """A receiver at work: a pass every minute, over two hours and midnight in UTC."""
    start = MIDNIGHT + 30 * MINUTE
    for minute in range(start, start + 2 * HOUR, 4 * MINUTE):
        await rollups.store.write(house(minute, minute + 4 * MINUTE))
        clock.ms = minute + 4 * MINUTE
        await rollups.run_once(seconds=60)
    (today,) = await store.points(HOUSE, "energy_1d", start=0, stop=clock.ms)
    assert today.points[-1].fields["production"] == pytest.approx(2 * 1400, rel=0.05), "not older than a pass"
    clock.ms += HOUR
    await rollups.catch_up()
    await is_exact()
