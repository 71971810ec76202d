"""The job of the cloud source, over a real outbox and against a cloud whose truth is known."""

import collections
import itertools

import pytest

from scraper.cloud.errors import CloudLaterError, CloudPlanError, CloudQuotaError, GrantNeededError
from shared.units import DAY_S, HOUR_S
from tests.scraper.cloud.pretend_cloud import BEGIN_S, compute_truth, make_cloud, run_cloud_scraper

NOON_S = BEGIN_S + DAY_S + 12 * HOUR_S


@pytest.fixture
def cloud():
    return make_cloud(NOON_S)


def list_truth(start_s, end_s, step_s):
    return {end: float(compute_truth(end, step_s)) for end in range(start_s + step_s, end_s + 1, step_s)}


async def test_the_first_pass_reads_a_day_and_those_after_it_what_is_new(tmp_path, cloud):
    async with run_cloud_scraper(tmp_path, cloud) as scraper:
        await scraper.poller.make_pass()
        assert await scraper.list_seen("inv") == list_truth(NOON_S - DAY_S, NOON_S, 300)
        assert await scraper.list_seen("met") == list_truth(NOON_S - DAY_S, NOON_S, 900)
        assert scraper.health.time_zone == "Europe/Amsterdam"
        await scraper.pass_until(NOON_S + 3 * HOUR_S)
        seen = await scraper.list_seen("inv")
        assert seen == list_truth(NOON_S - DAY_S, max(seen), 300)
        assert max(seen) > NOON_S + HOUR_S
    identities = collections.Counter(str(row.series) + str(row.timestamp) for row in await read_again(tmp_path, cloud))
    assert set(identities.values()) == {1}


async def read_again(folder, cloud):
    async with run_cloud_scraper(folder, cloud) as scraper:
        return await scraper.list_rows()


async def test_the_phases_of_meters_are_readings_of_their_own(tmp_path, cloud):
    async with run_cloud_scraper(tmp_path, cloud, ["met"]) as scraper:
        await scraper.poller.make_pass()
        rows = [row for row in await scraper.list_rows() if row.timestamp == NOON_S * 1000 and row.kind == "interval"]
        total = compute_truth(NOON_S, 900)
        assert [row.tags["phase"] for row in rows] == ["total", "a", "b", "c"]
        assert rows[0].fields == {
            "energy": total,
            "interval": 900.0,
            "power": total * 4.0,
            "power_end": 3.0 * (4 * total // 3),
            "devices": 1.0,
            "devices_total": 1.0,
        }
        assert sum(float(row.fields["energy"]) for row in rows[1:]) == total


async def test_what_grows_later_is_held_and_what_was_committed_is_revised(tmp_path, cloud):
    late = {NOON_S - 600, NOON_S - 300, NOON_S}
    cloud.lagging |= late
    async with run_cloud_scraper(tmp_path, cloud, ["inv"]) as scraper:
        await scraper.poller.make_pass()
        assert max(await scraper.list_seen("inv")) == NOON_S - 900
        await scraper.pass_until(NOON_S + 6 * HOUR_S)
        seen = await scraper.list_seen("inv")
        assert [seen[end] for end in sorted(late)] == [cloud.tell("inv", end) for end in sorted(late)]
        cloud.lagging.clear()
        await scraper.pass_until(NOON_S + 8 * HOUR_S)
        seen = await scraper.list_seen("inv")
        assert seen == list_truth(NOON_S - DAY_S, max(seen), 300)
        revisions = collections.Counter(row.tags.get("revision") for row in await scraper.list_rows())
        assert (revisions["1"], revisions["2"]) == (3, 0)


async def test_a_correction_of_yesterday_is_found_in_the_morning(tmp_path, cloud):
    async with run_cloud_scraper(tmp_path, cloud) as scraper:
        await scraper.poller.make_pass()
        await scraper.pass_until(BEGIN_S + 2 * DAY_S + 4 * HOUR_S)
        corrected = NOON_S - 4 * HOUR_S
        cloud.revised["met", corrected] = 3
        before = cloud.count_questions("rgm_stats")
        await scraper.pass_until(BEGIN_S + 2 * DAY_S + 4 * HOUR_S + 2_000)
        assert (await scraper.list_seen("met"))[corrected] == 3
        assert cloud.count_questions("rgm_stats") == before + 2, "one pass and one repair"
        assert scraper.kept.state.repaired == "2026-05-13"


async def test_a_morning_under_heavy_load_is_read_again_later(tmp_path, cloud):
    async with run_cloud_scraper(tmp_path, cloud, ["inv"]) as scraper:
        cloud.failures = [None, None, CloudLaterError("heavy load")]
        await scraper.poller.make_pass()
        assert (len(cloud.asked), scraper.kept.state.repaired) == (3, "")
        await scraper.pass_until(NOON_S + 2 * HOUR_S)
        assert scraper.kept.state.repaired == "2026-05-12"


async def test_meters_that_lag_hold_nobody_else_back(tmp_path, cloud):
    cloud.delay_s["met"] = 5 * HOUR_S
    async with run_cloud_scraper(tmp_path, cloud) as scraper:
        await scraper.pass_until(NOON_S + 4 * HOUR_S)
        inverters, meters = max(await scraper.list_seen("inv")), max(await scraper.list_seen("met"))
        assert inverters > NOON_S + 2 * HOUR_S
        assert inverters - meters >= 4 * HOUR_S
        assert await scraper.list_events("gap") == []
        assert scraper.readers[0].ledger.watermark_s == inverters
        assert scraper.readers[1].ledger.watermark_s == meters


async def test_a_system_without_a_meter_is_asked_for_one_once_a_day(tmp_path, cloud):
    cloud.no_meter = True
    async with run_cloud_scraper(tmp_path, cloud) as scraper:
        await scraper.pass_until(NOON_S + 3 * DAY_S - HOUR_S)
        assert cloud.count_questions("rgm_stats") == 3
        assert await scraper.list_events("gap") == []
        cloud.no_meter = False
        await scraper.pass_until(NOON_S + 4 * DAY_S)
        assert await scraper.list_seen("met")


async def test_a_hole_becomes_a_gap_and_what_turns_up_in_it_is_read(tmp_path, cloud):
    hole = set(range(NOON_S - 5 * HOUR_S + 300, NOON_S - 4 * HOUR_S + 1, 300))
    cloud.holes["inv"] = set(hole)
    async with run_cloud_scraper(tmp_path, cloud, ["inv"]) as scraper:
        await scraper.pass_until(NOON_S + HOUR_S)
        (gap,) = await scraper.list_events("gap")
        assert (gap.timestamp, gap.fields["end"]) == ((NOON_S - 5 * HOUR_S) * 1000, (NOON_S - 4 * HOUR_S) * 1000)
        assert "inv" in str(gap.fields["reason"])
        assert not hole & (await scraper.list_seen("inv")).keys()
        cloud.holes.clear()
        await scraper.pass_until(NOON_S + 4 * DAY_S)
        assert hole <= (await scraper.list_seen("inv")).keys()
        assert scraper.readers[0].ledger.holes == ()
        assert len(await scraper.list_events("gap")) == 1


async def test_two_types_that_lack_the_same_time_have_a_gap_each(tmp_path, cloud):
    for name, step in (("inv", 300), ("met", 900)):
        cloud.holes[name] = set(range(NOON_S - 5 * HOUR_S + step, NOON_S - 4 * HOUR_S + 1, step))
    async with run_cloud_scraper(tmp_path, cloud) as scraper:
        await scraper.poller.make_pass()
        gaps = await scraper.list_events("gap")
        assert len({gap.timestamp for gap in gaps}) == 2


async def test_a_host_whose_clock_is_ahead_asks_nothing_of_the_clouds_future(tmp_path, cloud):
    cloud.clock_offset_s = -2_000.0
    async with run_cloud_scraper(tmp_path, cloud, ["met"]) as scraper:
        await scraper.poller.make_pass()
        assert max(await scraper.list_seen("met")) == NOON_S - 2_700


async def test_a_first_start_with_a_clock_that_is_behind_reads_a_day_once_it_is_right(tmp_path):
    cloud = make_cloud(NOON_S - 200 * DAY_S)
    async with run_cloud_scraper(tmp_path, cloud) as scraper:
        cloud.failures = [CloudLaterError("the certificate is not valid yet")] * 3
        await scraper.poller.make_pass()
        assert [reader.ledger.watermark_s for reader in scraper.readers] == [0, 0]
        scraper.move_to(NOON_S)
        await scraper.poller.make_pass()
        for name, step in (("inv", 300), ("met", 900)):
            assert await scraper.list_seen(name) == list_truth(NOON_S - DAY_S, NOON_S, step)


@pytest.mark.parametrize("zone", ["", "Europe/Amsterdam"])
async def test_a_first_start_far_behind_begins_by_the_clouds_clock(tmp_path, zone):
    cloud = make_cloud(NOON_S - 200 * DAY_S, ahead_s=200 * DAY_S)
    async with run_cloud_scraper(tmp_path, cloud) as scraper:
        await scraper.kept.keep(time_zone=zone)
        await scraper.poller.make_pass()
        assert [reader.ledger.watermark_s for reader in scraper.readers] == [NOON_S, NOON_S]
        cloud.ahead_s, cloud.clock_offset_s = 0, 0.0
        scraper.move_to(NOON_S + HOUR_S)
        await scraper.poller.make_pass()
        assert await scraper.list_seen("inv") == list_truth(NOON_S - DAY_S, NOON_S + HOUR_S, 300)


async def test_a_clock_that_was_far_ahead_stops_no_pass(tmp_path, cloud):
    async with run_cloud_scraper(tmp_path, cloud) as scraper:
        await scraper.kept.keep(passed_s=NOON_S + 400.0 * DAY_S)
        assert scraper.poller.find_due_s() <= NOON_S


async def test_a_restart_asks_nothing_before_the_next_pass_is_due(tmp_path, cloud):
    async with run_cloud_scraper(tmp_path, cloud) as scraper:
        await scraper.poller.make_pass()
    asked = len(cloud.asked)
    for _ in range(3):
        async with run_cloud_scraper(tmp_path, cloud) as scraper:
            assert scraper.poller.find_due_s() == NOON_S + 5760
            assert scraper.health.endpoints["identify"].success
    assert len(cloud.asked) == asked


async def test_a_kill_between_two_passes_loses_and_repeats_nothing(tmp_path, cloud):
    for _ in range(6):
        async with run_cloud_scraper(tmp_path, cloud) as scraper:
            await scraper.pass_until(scraper.clock.now_ms() // 1000 + 3 * HOUR_S)
    rows = await read_again(tmp_path, cloud)
    keys = [(row.series, row.timestamp) for row in rows if row.kind == "interval"]
    assert len(keys) == len(set(keys))
    ends = sorted(row.timestamp for row in rows if row.tags.get("source") == "inv")
    assert {after - before for before, after in itertools.pairwise(ends)} == {300_000}


async def test_a_type_that_is_not_in_the_plan_leaves_the_other_alone(tmp_path, cloud):
    cloud.failures = [None, CloudPlanError("not in the plan", "rgm_stats")]
    async with run_cloud_scraper(tmp_path, cloud) as scraper:
        await scraper.poller.make_pass()
        assert scraper.health.endpoints["inv"].problem == "not in the plan"
        assert not await scraper.list_seen("inv")
        assert await scraper.list_seen("met")


async def test_whatever_fails_is_read_by_a_later_pass(tmp_path, cloud):
    async with run_cloud_scraper(tmp_path, cloud) as scraper:
        await scraper.poller.make_pass()
        cloud.failures = [CloudLaterError("heavy load"), CloudLaterError("heavy load")]
        await scraper.pass_until(NOON_S + 4 * HOUR_S)
        seen = await scraper.list_seen("inv")
        assert seen == list_truth(NOON_S - DAY_S, max(seen), 300)


async def test_a_dead_grant_is_said_once_and_heals_without_loss(tmp_path, cloud, logs):
    async with run_cloud_scraper(tmp_path, cloud) as scraper:
        await scraper.poller.make_pass()
        asked = len(cloud.asked)
        cloud.failures = [GrantNeededError("approve again")] * 200
        await scraper.pass_until(NOON_S + 4 * HOUR_S)
        assert scraper.health.person_needed == "approve again"
        assert len(await scraper.list_events("grant")) == 1
        assert len(cloud.asked) - asked < 200, "each of these costs no call: there is no grant to make one with"
        cloud.failures.clear()
        await scraper.pass_until(NOON_S + 4 * HOUR_S + 300)
        assert "approve" not in str(scraper.health.person_needed)
        seen = await scraper.list_seen("inv")
        assert seen == list_truth(NOON_S - DAY_S, max(seen), 300)
        assert max(seen) >= NOON_S + 4 * HOUR_S - 300
    assert [line["event"] for line in logs if line["log_level"] == "error"] == [
        "somebody must act; what was read before is still delivered"
    ]


async def test_no_call_is_made_before_the_next_period(tmp_path, cloud):
    end_ms = (NOON_S + 10 * DAY_S) * 1000
    async with run_cloud_scraper(tmp_path, cloud) as scraper:
        await scraper.poller.make_pass()
        asked = len(cloud.asked)
        cloud.failures = [
            CloudQuotaError("the month is used up", end_ms + 60_000, period_end_ms=end_ms, period="month")
        ]
        await scraper.pass_until(NOON_S + 10 * DAY_S)
        assert len(cloud.asked) == asked + 1
        (event,) = await scraper.list_events("quota")
        assert event.fields["end"] == end_ms
        await scraper.pass_until(NOON_S + 10 * DAY_S + 120)
        seen = await scraper.list_seen("inv")
        assert seen == list_truth(NOON_S - DAY_S, max(seen), 300)
        assert max(seen) == NOON_S + 10 * DAY_S


async def test_nights_are_quiet(tmp_path, cloud):
    async with run_cloud_scraper(tmp_path, cloud) as scraper:
        await scraper.pass_until(BEGIN_S + 2 * DAY_S - 2 * HOUR_S)
        before = cloud.count_questions("production_micro")
        await scraper.pass_until(BEGIN_S + 2 * DAY_S + 6 * HOUR_S)
        assert cloud.count_questions("production_micro") - before <= 4
