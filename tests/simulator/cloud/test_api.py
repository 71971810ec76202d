"""Who may ask the API, how often, and its refusals in their documented words."""

import pytest

from tests.cloud_examples import read_example
from tests.simulator.cloud.asking import run_api

SYSTEM = "systems/4711023"


@pytest.mark.parametrize(
    ("name", "parameters", "example"),
    [
        ("api-key-mismatch", {}, "error-401-key-mismatch"),
        ("api-plan-401", {"endpoint": "summary"}, "error-401"),
        ("api-403", {}, "error-403"),
        ("api-429-bare", {}, "error-429-bare"),
        ("api-500-7", {}, "error-500-rgm"),
    ],
)
async def test_a_refusal_has_its_words(name, parameters, example):
    expected = read_example(example)
    async with run_api() as client:
        client.sim.faults.switch_on(name, times=1, **parameters)
        reply = await client.get(f"{SYSTEM}/summary")
    assert reply.json() == expected
    assert reply.status_code == expected.get("code", 500)


async def test_a_key_in_the_query_will_do_and_none_will_not():
    async with run_api() as client:
        headers = {"Authorization": f"Bearer {client.access}"}
        key = client.sim.cloud.oauth.application.api_key
        assert (await client.http.get("/api/v4/systems", params={"key": key}, headers=headers)).status_code == 200
        assert (await client.http.get("/api/v4/systems", headers=headers)).status_code == 401


async def test_what_is_unknown_is_404_and_what_is_no_question_405():
    async with run_api() as client:
        assert (await client.get("systems/4711999")).json() == read_example("error-404-system")
        assert (await client.get(f"{SYSTEM}/nonsense")).status_code == 404
        client.sim.faults.switch_on("api-404", times=1)
        assert (await client.get(SYSTEM)).status_code == 404
        assert (await client.http.post("/api/v4/systems")).json() == read_example("error-405")


async def test_a_full_queue_is_a_page_with_200():
    async with run_api() as client:
        client.sim.faults.switch_on("api-html-200", endpoint="rgm_stats")
        reply = await client.get(f"{SYSTEM}/rgm_stats")
        assert (reply.status_code, "queue full" in reply.text) == (200, True)
        assert (await client.get(SYSTEM)).json()["system_id"] == 4711023


async def test_the_eleventh_call_of_a_minute_is_one_too_many():
    """By calendar minutes; refusals say when the minute is over, or nothing."""
    async with run_api() as client:
        statuses = [(await client.get("systems")).status_code for _ in range(11)]
        assert statuses == [200] * 10 + [429]
        refused = (await client.get("systems")).json()
        assert refused.keys() == read_example("error-429-minute").keys()
        assert (refused["period"], refused["limit"], refused["period_end"] % 60) == ("minute", 10, 0)
        client.clock.advance(refused["period_end"] - client.clock.now())
        assert (await client.get("systems")).status_code == 200
        client.sim.faults.switch_on("api-quota", month=3, bare=True)
        assert (await client.get("systems")).json() == read_example("error-429-bare")
        client.sim.faults.switch_on("api-quota", month=3)
        refused = (await client.get("systems")).json()
        assert (refused["period"], refused["period_end"]) == ("month", 1_782_864_000)
        client.clock.advance(refused["period_end"] - client.clock.now())
        client.access = client.sim.cloud.oauth.issue_pair()["access_token"]
        assert (await client.get("systems")).status_code == 200


async def test_a_system_and_its_gateway_have_the_documented_members():
    async with run_api() as client:
        listed = (await client.get("systems", size=100)).json()
        assert listed.keys() == read_example("systems").keys()
        assert listed["systems"][0].keys() == read_example("system").keys()
        assert (await client.get("systems", page=2)).json()["systems"] == []
        found = await client.get("systems/retrieve_system_id", serial_num=client.sim.serial)
        assert found.json() == read_example("retrieve_system_id")
        assert (await client.get("systems/retrieve_system_id", serial_num="122000000000")).status_code == 404


async def test_devices_with_and_without_meters():
    async with run_api() as client:
        devices = (await client.read("devices"))["devices"]
        example = read_example("devices")["devices"]
        assert devices.keys() == example.keys()
        assert devices["micros"][0].keys() == example["micros"][0].keys()
        assert devices["meters"][0].keys() == example["meters"][0].keys()
        assert devices["gateways"][0].keys() == example["gateways"][0].keys()
        client.sim.faults.switch_on("api-no-meter")
        assert (await client.read("devices"))["devices"].keys() == read_example("devices-no-meter")["devices"].keys()


async def test_a_summary_of_today_and_of_a_past_day():
    async with run_api() as client:
        today = await client.read("summary")
        assert today.keys() == read_example("summary").keys()
        past = await client.read("summary", summary_date="2026-06-14")
        assert (past["modules"], past["size_w"], past["current_power"]) == (0, 0, 0)
        assert (
            0 <= today["energy_lifetime"] - past["energy_lifetime"] - past["energy_today"] <= 150
        )  # whole Wh, 288 times
        assert (await client.get(f"{SYSTEM}/summary", summary_date="2027-01-01")).status_code == 422
