"""The cloud source against the simulator: the truth of a house, read over real sockets and delivered."""

import math

import pytest

from scraper.uplink.signer import HouseholdSecret
from shared.units import DAY_S, HOUR_S
from simulator.house.state import PRODUCTION
from tests.clocks import SteppedClock
from tests.receiver import service as receiver
from tests.scraper.cloud.simulated_cloud import MORNING_S, run_simulated_source
from tests.scraper.uplink.uplink_bench import open_bench

SYSTEM = "system-4711023"
PHASES = ("a", "b", "c")


async def test_a_day_arrives_as_it_was_although_the_receiver_was_away(tmp_path, monkeypatch):
    async with run_simulated_source(tmp_path, monkeypatch) as cloud:
        records, house = cloud.sim.cloud.api.records, cloud.sim.device._house
        start = records.find_midnight(MORNING_S)
        end = start + DAY_S
        await cloud.pass_until(end + 7 * HOUR_S)  # nothing is delivered meanwhile
        inverters = {
            at: sum(house.compute_interval_energy_wh(n, at - 300, at) for n in range(len(records.profile.panels)))
            for at in range(start + 300, end + 1, 300)
        }
        meters = {at: house.compute_truth_wh(at - 900, at)[PRODUCTION] for at in range(start + 900, end + 1, 900)}
        assert await cloud.list_rows("event") == []
    async with receiver.start(tmp_path / "hosted", gateways=(SYSTEM,)) as hosted:
        hosted.clock.ms = (end + 7 * HOUR_S) * 1000
        async with open_bench(
            tmp_path / "edge",
            clock=SteppedClock(hosted.clock.ms),
            url=f"http://127.0.0.1:{hosted.port}",
            key=HouseholdSecret(receiver.SECRET.decode()),
            serial=SYSTEM,
        ) as bench:
            await bench.uplink.drain()
            assert (await bench.count_waiting(), await bench.count_dead()) == (0, 0)
        found = await hosted.receiver.store.read_points(SYSTEM, "interval", start=start * 1000 + 1, stop=end * 1000 + 1)
        await hosted.receiver.rollups.catch_up()
        ((_, quarters),) = await hosted.receiver.store.read_points(
            SYSTEM, "energy_15m", start=start * 1000, stop=end * 1000
        )
    assert [point.fields["production_coverage"] for point in quarters] == [1.0] * 96
    for point in quarters:
        truth = sum(phase.delivered_wh for phase in meters[point.timestamp // 1000 + 900])
        assert abs(float(point.fields["production"]) - truth) <= 1.5
    stored = {
        (tags["source"], tags["phase"], point.timestamp // 1000): float(point.fields["energy"])
        for series, points in found
        for tags in (dict(series.tags),)
        for point in points
    }
    assert len(stored) == sum(len(points) for _, points in found) == 288 + 96 * 4, "no revision, no identity twice"
    for at, truth in inverters.items():
        assert abs(stored["inv", "total", at] - truth) <= 0.5
    for at, phases in meters.items():
        total = sum(phase.delivered_wh for phase in phases)
        assert abs(stored["met", "total", at] - total) <= 1.5
        for name, phase in zip(PHASES, phases, strict=True):
            assert abs(stored["met", name, at] - phase.delivered_wh) <= 0.5
    day = sum(value for (source, _, _), value in stored.items() if source == "inv")
    assert abs(day - sum(inverters.values())) <= min(15, 3 * math.sqrt(288 / 12))


async def test_meters_that_lag_five_hours_hold_no_inverter_back(tmp_path, monkeypatch):
    async with run_simulated_source(tmp_path, monkeypatch) as cloud:
        cloud.sim.faults.switch_on("api-lag", meters=5 * HOUR_S)
        await cloud.pass_until(MORNING_S + 3 * HOUR_S)
        inverters, meters = (reader.ledger.watermark_s for reader in cloud.source.readers)
        assert inverters > MORNING_S + HOUR_S
        assert 4 * HOUR_S < inverters - meters < 6 * HOUR_S
        assert await cloud.list_rows("event") == []


async def test_a_system_without_a_meter_costs_one_call_a_day(tmp_path, monkeypatch):
    async with run_simulated_source(tmp_path, monkeypatch) as cloud:
        cloud.sim.faults.switch_on("api-no-meter")
        await cloud.pass_until(MORNING_S + 2 * DAY_S - HOUR_S)
        assert sum("rgm_stats" in path for _, path, _ in cloud.sim.cloud.requests) == 2
        assert await cloud.list_rows("event") == []


@pytest.mark.parametrize("fault", ["api-nested", "api-null-channel"])
async def test_odd_shapes_cost_nothing_but_what_they_lack(tmp_path, monkeypatch, fault):
    async with run_simulated_source(tmp_path, monkeypatch) as cloud:
        cloud.sim.faults.switch_on(fault)
        await cloud.poller.make_pass()
        seen = {(row.tags["source"], row.tags["phase"]) for row in await cloud.list_rows()}
        assert {("inv", "total"), ("met", "total")} <= seen


async def test_a_hole_is_read_when_it_is_filled(tmp_path, monkeypatch):
    hole = (MORNING_S - 6 * HOUR_S, MORNING_S - 5 * HOUR_S)
    async with run_simulated_source(tmp_path, monkeypatch, devices="/4711023/inv/sys=roof") as cloud:
        cloud.sim.faults.switch_on("api-hole", start=hole[0], end=hole[1])
        await cloud.poller.make_pass()
        (gap,) = await cloud.list_rows("event")
        assert (gap.timestamp, gap.fields["end"]) == (hole[0] * 1000, hole[1] * 1000)
        cloud.sim.faults.switch_off("api-hole")
        await cloud.pass_until(MORNING_S + DAY_S)
        rows = await cloud.list_rows()
        assert {row.tags["source"] for row in rows} == {"roof"}
        assert set(range(hole[0] + 300, hole[1] + 1, 300)) <= {row.timestamp // 1000 for row in rows}


async def test_a_month_of_a_free_plan_is_enough_and_the_day_is_fresh(tmp_path, monkeypatch):
    """Limits of 10 a minute and 1,000 a month; the newest row is never older than two and a half hours by day."""
    start = 1_780_272_000  # 2026-06-01, the first of a month of UTC
    async with run_simulated_source(tmp_path, monkeypatch, start, devices="/4711023/inv/sys=roof") as cloud:
        oldest = 0.0
        for hour in range(8 * 24):
            await cloud.pass_until(start + hour * HOUR_S)
            if 8 <= hour % 24 <= 18 and hour > 24:  # 10:00 until 20:00 in Amsterdam
                oldest = max(oldest, cloud.device.now() - cloud.source.readers[0].ledger.watermark_s)
        assert oldest <= 2.5 * HOUR_S
        assert all(status != 429 for *_, status in cloud.sim.cloud.requests)
        assert len(cloud.sim.cloud.requests) <= 1000 * 8 / 30
