"""Energy of intervals: from the truth of the house, in the documented shapes, late and changing as in the field."""

import pytest

from simulator.house.state import PRODUCTION
from tests.cloud_examples import read_example
from tests.simulator.cloud.asking import MORNING, run_api

NOON = MORNING + 2 * 3600
START = 1_781_517_600 - 3600


@pytest.mark.parametrize(
    ("path", "example"),
    [
        ("telemetry/production_micro", "production_micro"),
        ("telemetry/production_meter", "production_meter"),
        ("telemetry/consumption_meter", "consumption_meter"),
        ("energy_import_telemetry", "energy_import_telemetry"),
        ("energy_export_telemetry", "energy_export_telemetry"),
        ("rgm_stats", "rgm_stats"),
    ],
)
async def test_a_reply_has_the_members_of_the_real_one(path, example):
    expected = read_example(example)
    async with run_api() as client:
        found = await client.read(path, start_at=START)
    assert found.keys() == expected.keys()
    row, like = found["intervals"][0], expected["intervals"][0]
    assert (row[0].keys() == like[0].keys()) if isinstance(like, list) else (row.keys() == like.keys())


async def test_the_battery_has_charge_discharge_and_level():
    async with run_api("battery") as client:
        found = await client.read("telemetry/battery", start_at=START)
    expected = read_example("battery")
    assert found.keys() == expected.keys()
    assert found["intervals"][0].keys() == expected["intervals"][0].keys()


async def test_meters_are_the_truth_in_whole_wh():
    """Each channel within half a Wh, the sum too; power is that of the end."""
    async with run_api() as client:
        found = await client.read("rgm_stats", start_at=START)
        device = client.sim.device
        channels = found["meter_intervals"][0]["intervals"]
        assert [one["channel"] for one in channels] == sorted(one["channel"] for one in channels)
        for one in found["intervals"]:
            truth = device._house.compute_truth_wh(one["end_at"] - 900, one["end_at"])[PRODUCTION]
            assert abs(one["wh_del"] - sum(phase.delivered_wh for phase in truth)) <= 0.5
            mine = [row for row in channels if row["end_at"] == one["end_at"]]
            state = device._house.compute_state(one["end_at"]).meters[PRODUCTION]
            for row, phase, reading in zip(mine, truth, state, strict=True):
                assert abs(row["wh_del"] - phase.delivered_wh) <= 0.5
                assert row["curr_w"] == round(reading.active_power_w)
        assert [one["end_at"] for one in found["intervals"]] == [START + 900, START + 1800, START + 2700]


async def test_the_newest_intervals_lack_inverters_and_grow():
    async with run_api() as client:
        first = await client.read("telemetry/production_micro", start_at=START)
        client.clock.advance(3600)
        later = await client.read("telemetry/production_micro", start_at=START)
        house = client.sim.device._house
    assert first["total_devices"] == 24
    assert first["intervals"][-1]["devices_reporting"] < 24
    assert all(one["powr"] == 12 * one["enwh"] for one in later["intervals"])
    for before, after in zip(first["intervals"], later["intervals"], strict=False):
        assert after["devices_reporting"] == 24
        truth = sum(
            house.compute_interval_energy_wh(panel, after["end_at"] - 300, after["end_at"]) for panel in range(24)
        )
        assert abs(after["enwh"] - truth) <= 0.5
        assert (before["enwh"] == after["enwh"]) == (before["devices_reporting"] == 24)


async def test_lags_of_each_kind():
    async with run_api() as client:
        client.sim.faults.switch_on("api-lag", reports=1800, energy=900, meters=5 * 3600)
        meta = (await client.read("telemetry/production_micro"))["meta"]
        assert client.clock.now() - meta["last_report_at"] > 1800
        assert meta["last_report_at"] - meta["last_energy_at"] == 965
        met = (await client.read("rgm_stats"))["meta"]
        assert meta["last_energy_at"] - met["last_energy_at"] == 5 * 3600
        client.sim.faults.switch_on("api-lag", devices=7200)
        assert (await client.read("telemetry/production_micro", start_at=START))["intervals"][0][
            "devices_reporting"
        ] == 18


async def test_holes_and_revisions():
    async with run_api() as client:
        before = await client.read("telemetry/production_micro", start_at=START)
        client.sim.faults.switch_on("api-hole", start=START, end=START + 600)
        client.sim.faults.switch_on("api-revise", start=START + 600, end=START + 900, by=7)
        after = await client.read("telemetry/production_micro", start_at=START)
        quarter = await client.read("rgm_stats", start_at=START)
    assert [one["end_at"] for one in after["intervals"][:2]] == [START + 900, START + 1200]
    assert after["intervals"][0]["enwh"] - before["intervals"][2]["enwh"] == 7
    assert quarter["intervals"][0]["end_at"] == START + 900


async def test_windows_have_their_documented_edges():
    """The start is exclusive, the end is not; a week is 7 days, or one; what lies ahead or too far back is 422."""
    async with run_api(now=NOON) as client:
        path = f"systems/{client.sim.cloud.api.records.system_id}"
        week = await client.read("telemetry/production_micro", start_at=int(NOON) - 8 * 86_400, granularity="week")
        assert len(week["intervals"]) == 2016
        client.sim.faults.switch_on("api-week-is-day")
        day = await client.read("telemetry/production_micro", start_at=START - 86_400, granularity="week")
        assert day["intervals"][-1]["end_at"] == client.sim.cloud.api.records.find_midnight(NOON)
        few = await client.read("rgm_stats", start_at=START + 100, end_at=START + 1800)
        assert [one["end_at"] for one in few["intervals"]] == [START + 900, START + 1800]
        future = await client.get(f"{path}/rgm_stats", start_at=START, end_at=int(NOON) + 1)
        assert future.json() == read_example("error-422-future")
        client.sim.faults.switch_on("api-422-future", by=3600)
        assert (await client.get(f"{path}/rgm_stats", start_at=START, end_at=int(NOON) - 1800)).status_code == 422
        ahead = await client.get(f"{path}/telemetry/production_micro", start_at=int(NOON) + 60)
        assert (ahead.status_code, ":first_interval=>" in ahead.json()["details"]) == (422, True)


async def test_meters_that_are_not_there_nested_lists_and_null_channels():
    async with run_api("battery") as client:
        client.sim.faults.switch_on("api-null-channel", channel=2)
        channels = (await client.read("rgm_stats", start_at=START))["meter_intervals"][0]["intervals"]
        assert [one["channel"] for one in channels if one["wh_del"] is None] == [2, 2, 2]
        client.sim.faults.switch_on("api-nested")
        nested = await client.read("telemetry/production_meter", start_at=START)
        assert isinstance(nested["intervals"][0], list)
        client.sim.faults.switch_on("api-no-meter")
        absent = await client.read("rgm_stats", start_at=START)
        assert (absent["total_devices"], absent["intervals"], absent["meter_intervals"]) == (0, [], [])


async def test_days_end_with_zeros_until_they_are_reported():
    async with run_api() as client:
        found = await client.read("energy_lifetime", start_date="2026-06-13", end_date="2026-06-14", production="all")
        assert found.keys() == read_example("energy_lifetime-all").keys()
        assert [one > 0 for one in found["production"]] == [True, True]
        client.sim.faults.switch_on("api-lag", energy=3 * 86_400)
        late = await client.read("energy_lifetime", start_date="2026-06-13", end_date="2026-06-14")
        assert late["production"][-1] == 0
