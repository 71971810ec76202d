"""Lists that lack a battery for a poll: the power of a part never passes for that of all, over real sockets."""

import pytest

from scraper.check.ensemble import check_ensemble
from scraper.check.findings import Finding, Findings, Level
from scraper.gateway.known_batteries import STAYS_S
from tests.scraper.collect.ensemble_home import POWER, open_home

INVENTORY = "/ivp/ensemble/inventory"
PART = {"batteries": 3.0, "measured": 2.0}


def read_sums(rows):
    """What the storage of a round says of batteries and their power; without the power where it is unknown."""
    fields = [one.fields for one in rows if one.kind == "storage"][-1]
    return {name: fields[name] for name in ("batteries", "measured", "power") if name in fields}


@pytest.fixture
async def home(tmp_path):
    async with open_home(tmp_path, "battery", "no-storage-meter") as ready:
        yield ready


@pytest.mark.parametrize("inventory", ["whole", "short", "empty", "absent"])
async def test_a_battery_without_power_makes_that_of_all_unknown_whatever_the_inventory_says(home, inventory):
    await home.poll()
    home.sim.faults.switch_on("battery-unlisted", path="" if inventory == "short" else POWER)
    if inventory == "empty":
        home.sim.faults.switch_on("empty-body", path=INVENTORY)
    if inventory == "absent":
        home.sim.faults.switch_on("not-found", path=INVENTORY)
    for _ in range(3):
        assert read_sums(await home.poll()) == PART
        home.clock.advance(5)
        await home.samples.poll_power()
    parts = [one.fields for one in await home.scraper.list_rows("storage") if one.fields.get("measured") == 2.0]
    assert parts
    assert not any("power" in fields for fields in parts)
    home.sim.faults.clear()
    assert read_sums(await home.poll(10))["measured"] == 3.0


@pytest.mark.parametrize("fault", ["not-found", "empty-body"])
async def test_until_an_inventory_was_read_the_power_is_not_known_to_be_that_of_all(home, fault):
    home.sim.faults.switch_on("battery-unlisted", path=POWER)
    home.sim.faults.switch_on(fault, path=INVENTORY)
    for _ in range(2):
        assert read_sums(await home.poll()) == {"batteries": 2.0, "measured": 0.0}
    found: list[Finding] = []
    await check_ensemble(home.samples._gateway, [], home.clock, Findings(found.append))
    assert [one.level for one in found if one.step == "batteries"] == [Level.NOTE]
    assert f"but {INVENTORY} lists none: there may be more" in found[0].text
    home.sim.faults.clear()
    assert read_sums(await home.poll(5))["measured"] == 3.0


@pytest.mark.parametrize(("fault", "measured"), [("", 3.0), ("battery-unlisted", 0.0)])
async def test_where_the_inventory_is_refused_the_number_of_those_that_are_heard_tells_whether_all_are_listed(
    home, fault, measured
):
    home.sim.faults.switch_on("unauthorised", path=INVENTORY)
    if fault:
        home.sim.faults.switch_on(fault, path=POWER)
    for _ in range(2):
        assert read_sums(await home.poll())["measured"] == measured


async def test_a_battery_that_was_taken_away_is_forgotten_after_a_day(home):
    await home.poll()
    home.sim.faults.switch_on("battery-unlisted")
    assert read_sums(await home.poll()) == PART
    assert read_sums(await home.poll(round(STAYS_S) // 60))["measured"] == 2.0
    assert read_sums(await home.poll())["batteries"] == 2.0


async def test_batteries_that_nothing_lists_for_a_day_are_forgotten(home):
    await home.poll()
    home.sim.faults.switch_on("batteries-forgotten")
    assert read_sums(await home.poll(60)) == {"batteries": 3.0, "measured": 0.0}
    assert await home.poll(round(STAYS_S) // 60) == []
