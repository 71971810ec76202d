"""Batteries and grid of a simulated gateway over real sockets, recorded in a real outbox."""

import pytest

from scraper.errors import GatewayUnreachableError
from scraper.gateway.ensemble import NOTHING_S
from shared.fields import STATE_HEARTBEAT_MS
from tests.scraper.collect.ensemble_home import POWER, find_one, open_home, sum_storage


@pytest.fixture
async def battery_home(tmp_path):
    async with open_home(tmp_path) as ready:
        yield ready


async def test_a_round_reads_batteries_storage_grid_contacts_and_tariff(battery_home):
    rows = await battery_home.poll()
    charge = battery_home.sim.device.read_state().state_of_charge or 0.0
    storage = find_one(rows, "storage").fields
    assert storage["power"] == pytest.approx(sum_storage(battery_home.sim), abs=1)
    assert storage["state_of_charge"] == round(100 * charge)
    assert (storage["capacity"], storage["reserve"]) == (10080.0, 10.0)
    assert storage["batteries"] == storage["measured"] == 3.0
    batteries = [one for one in rows if one.kind == "battery"]
    assert len(batteries) == 3
    assert sum(one.fields["power"] for one in batteries) == pytest.approx(storage["power"])
    assert sum(one.fields["energy_available"] for one in batteries) == pytest.approx(storage["energy_available"], abs=1)
    assert find_one(rows, "grid").fields == {"relay": "closed", "mode": "connected", "connected": 1.0}
    assert find_one(rows, "tariff").fields["mode"] == "self-consumption"
    assert {one.tags["relay"]: one.fields["state"] for one in rows if one.kind == "relay"} == dict.fromkeys(
        ("NC1", "NC2", "NO1", "NO2"), "open"
    )
    assert not [one for one in rows if one.kind in ("generator", "event")]


async def test_states_are_stored_on_change_and_now_and_then_and_status_is_never_asked(battery_home):
    await battery_home.poll()
    stored = [[one.kind for one in await battery_home.poll()] for _ in range(STATE_HEARTBEAT_MS // 60_000)]
    assert not any("grid" in kinds or "relay" in kinds or "tariff" in kinds for kinds in stored[:-1])
    assert {"grid", "relay", "tariff"} <= set(stored[-1])
    assert all(kinds.count("battery") == 3 and "storage" in kinds for kinds in stored)
    assert battery_home.count("/ivp/ensemble/status") == 0


async def test_power_is_asked_between_rounds_only_where_no_meter_gives_it(tmp_path):
    async with open_home(tmp_path / "metered") as battery_home:
        await battery_home.poll()
        asked = battery_home.count(POWER)
        await battery_home.samples.poll_power()
        assert not battery_home.samples.polls_power
        assert battery_home.count(POWER) == asked
    async with open_home(tmp_path / "unmetered", "battery", "no-storage-meter") as battery_home:
        await battery_home.poll()
        assert battery_home.samples.polls_power
        requests = len(battery_home.sim.ledger.list_kind("request"))
        battery_home.clock.advance(5)
        await battery_home.samples.poll_power()
        assert len(battery_home.sim.ledger.list_kind("request")) == requests + 1
        battery_home.clock.advance(60)
        await battery_home.samples.poll_power()
        latest = [one for one in await battery_home.scraper.list_rows("storage") if "power" in one.fields][-1]
        assert latest.fields["power"] == pytest.approx(sum_storage(battery_home.sim), abs=1)
        assert latest.fields["state_of_charge"] == round(
            100 * (battery_home.sim.device.read_state().state_of_charge or 0.0)
        )


async def test_the_power_of_silent_batteries_is_unknown_and_says_so(battery_home):
    battery_home.sim.faults.switch_on("battery-silent")
    rows = await battery_home.poll()
    storage = find_one(rows, "storage").fields
    assert "power" not in storage
    assert (storage["batteries"], storage["measured"]) == (3.0, 0.0)
    assert all(one.fields["communicating"] == 0.0 for one in rows if one.kind == "battery")
    assert not any({"power", "state_of_charge"} & one.fields.keys() for one in rows if one.kind == "battery")


async def test_a_missing_right_is_said_once_and_asked_for_less_and_less_often(battery_home, logs):
    battery_home.sim.faults.switch_on("unauthorised", path=POWER)
    rows = await battery_home.poll()
    assert find_one(rows, "storage").fields["measured"] == 0.0
    asked = []
    for minute in range(1, 60):
        before = battery_home.count(POWER)
        await battery_home.poll()
        asked += [minute] * (battery_home.count(POWER) - before)
    assert asked == [1, 6, 21]
    assert [line["paths"] for line in logs if "may not read" in line["event"]] == [[POWER]]


@pytest.mark.parametrize("fault", ["not-found", "unauthorised"])
async def test_batteries_that_are_refused_after_a_start_are_found_minutes_later(battery_home, fault):
    """A gateway that has just started refuses single paths: it has batteries all the same."""
    battery_home.sim.faults.switch_on(fault, path="/ivp/ensemble/")
    for _ in range(3):
        assert not [one for one in await battery_home.poll() if one.kind == "battery"]
    battery_home.sim.faults.switch_off(fault)
    for _ in range(5):
        rows = await battery_home.poll()
    assert len([one for one in rows if one.kind == "battery"]) == 3
    assert find_one(rows, "storage").fields["measured"] == 3.0


async def test_batteries_that_a_round_does_not_list_are_there_in_the_next_one(battery_home):
    await battery_home.poll()
    battery_home.sim.faults.switch_on("batteries-forgotten")
    assert find_one(await battery_home.poll(), "storage").fields == {"batteries": 3.0, "measured": 0.0}
    battery_home.sim.faults.switch_off("batteries-forgotten")
    rows = await battery_home.poll()
    assert find_one(rows, "storage").fields["measured"] == 3.0


async def test_batteries_that_are_not_listed_after_a_start_are_found_minutes_later(battery_home):
    """Empty lists are what a gateway says too that has not yet heard of its batteries."""
    battery_home.sim.faults.switch_on("batteries-forgotten")
    assert await battery_home.poll() == []
    assert await battery_home.poll() == []
    battery_home.sim.faults.switch_off("batteries-forgotten")
    rows = await battery_home.poll(minutes=5)
    assert find_one(rows, "storage").fields["batteries"] == 3.0


async def test_an_outage_is_a_reason_to_look_soon(tmp_path):
    async with open_home(tmp_path, "firmware-7") as battery_home:
        for minutes in (1, 1, 5, 15):
            assert await battery_home.poll(minutes) == []
        asked = battery_home.count(POWER)
        assert asked == 4
        await battery_home.poll(minutes=60)
        assert battery_home.count(POWER) == asked
        battery_home.samples.note_outage()
        await battery_home.poll()
        assert battery_home.count(POWER) == asked + 1


async def test_one_endpoint_that_fails_costs_no_other(battery_home):
    await battery_home.poll()
    battery_home.sim.faults.switch_on("bad-gateway", path="/ivp/ensemble/inventory")
    rows = await battery_home.poll()
    assert find_one(rows, "storage").fields["measured"] == 3.0
    battery_home.sim.faults.switch_on("bad-gateway", path="/")
    with pytest.raises(GatewayUnreachableError):
        await battery_home.poll()


async def test_a_home_without_any_of_it_is_asked_less_and_less_often(tmp_path):
    async with open_home(tmp_path, "firmware-7") as battery_home:
        asked_at = []
        for minute in range(60):
            before = battery_home.count(POWER)
            assert await battery_home.poll() == []
            asked_at += [minute] * (battery_home.count(POWER) - before)
        assert asked_at == [0, 1, 6, 21]
        asked = battery_home.count(POWER)
        battery_home.clock.advance(NOTHING_S)
        await battery_home.poll()
        assert battery_home.count(POWER) == asked + 1


async def test_another_firmware_is_asked_again_what_it_has(tmp_path):
    async with open_home(tmp_path, "firmware-7") as battery_home:
        assert await battery_home.poll() == []
        asked = battery_home.count(POWER)
        known = battery_home.samples._gateway.identity
        assert known is not None
        battery_home.samples._seen = known._replace(firmware="D7.0.1")
        await battery_home.poll()
        assert battery_home.count(POWER) == asked + 1
