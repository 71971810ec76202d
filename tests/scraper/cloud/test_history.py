"""An import of the past: how many calls, what is left out, what a kill costs, and corrections on demand."""

import collections
import contextlib
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from scraper.cloud.errors import CloudLaterError, CloudQuotaError
from scraper.cloud.history import HistoryImport
from scraper.cloud.past_days import read_days
from scraper.cloud.rules.pauses import find_day
from shared.units import DAY_S, HOUR_S
from tests.cloud_examples import read_example
from tests.scraper.cloud.pretend_cloud import BEGIN_S, compute_truth, make_cloud, run_cloud_scraper

NOON_S = BEGIN_S + DAY_S + 12 * HOUR_S
WISH = (BEGIN_S - 20 * DAY_S, BEGIN_S)


@pytest.fixture
def cloud():
    return make_cloud(NOON_S)


def make_import(scraper, wish=WISH, *, again=False):
    return HistoryImport(scraper.kept, scraper.readers, scraper.clock, wish, again=again)


async def run_import(scraper, wish=WISH, *, again=False, calls=1000):
    return [step async for step in make_import(scraper, wish, again=again).run(calls)]


def list_truth(start_s, end_s, step_s):
    return {end: float(compute_truth(end, step_s)) for end in range(start_s + step_s, end_s + 1, step_s)}


async def test_twenty_days_are_three_calls_for_each_type(tmp_path, cloud):
    async with run_cloud_scraper(tmp_path, cloud) as scraper:
        assert make_import(scraper).count_calls() == 6
        await run_import(scraper)
        assert (cloud.count_questions("production_micro"), cloud.count_questions("rgm_stats")) == (3, 3)
        assert await scraper.list_seen("inv") == list_truth(*WISH, 300)
        assert await scraper.list_seen("met") == list_truth(*WISH, 900)
        assert make_import(scraper).count_calls() == 0


async def test_where_a_call_gives_a_day_twenty_days_are_twenty_calls_and_one(tmp_path, cloud):
    cloud.one_day = True
    async with run_cloud_scraper(tmp_path, cloud, ["inv"]) as scraper:
        await run_import(scraper)
        assert cloud.count_questions("production_micro") <= 21
        assert await scraper.list_seen("inv") == list_truth(*WISH, 300)
        assert scraper.kept.state.one_day
        assert make_import(scraper, (WISH[0] - 7 * DAY_S, WISH[0])).count_calls() == 7


async def test_the_oldest_comes_first_whatever_the_type(tmp_path, cloud):
    async with run_cloud_scraper(tmp_path, cloud) as scraper:
        await scraper.poller.make_pass()
        steps = await run_import(scraper)
        assert {step.name for step in steps[:2]} == {"inv"}
        rows = [row for row in await scraper.list_rows() if row.kind == "interval"]
        identities = collections.Counter((row.series, row.timestamp) for row in rows)
        assert set(identities.values()) == {1}


async def test_what_was_read_live_is_left_out_and_live_reading_goes_on(tmp_path, cloud):
    async with run_cloud_scraper(tmp_path, cloud, ["inv"]) as scraper:
        await scraper.poller.make_pass()
        watermark = scraper.readers[0].ledger.watermark_s
        await run_import(scraper, (BEGIN_S - 2 * DAY_S, NOON_S))
        rows = [row for row in await scraper.list_rows() if row.kind == "interval"]
        assert len({row.timestamp for row in rows}) == len(rows)
        assert scraper.readers[0].ledger.watermark_s == watermark
        assert scraper.readers[0].ledger.covered == ((BEGIN_S - 2 * DAY_S, watermark),)
        await scraper.pass_until(NOON_S + 3 * HOUR_S)
        seen = await scraper.list_seen("inv")
        assert seen == list_truth(BEGIN_S - 2 * DAY_S, max(seen), 300)


async def test_an_import_before_the_first_start_leaves_the_start_alone(tmp_path, cloud):
    async with run_cloud_scraper(tmp_path, cloud, ["met"]) as scraper:
        await run_import(scraper)
        before = cloud.count_questions("rgm_stats")
        await scraper.poller.make_pass()
        assert cloud.count_questions("rgm_stats") == before + 2, "a pass, and a repair of yesterday"


async def test_a_kill_costs_no_call_that_was_made(tmp_path, cloud):
    for _ in range(6):
        async with run_cloud_scraper(tmp_path, cloud) as scraper:
            await run_import(scraper, calls=1)
    async with run_cloud_scraper(tmp_path, cloud) as scraper:
        assert make_import(scraper).count_calls() == 0
        assert await scraper.list_seen("inv") == list_truth(*WISH, 300)
    assert len(cloud.asked) == 6


async def test_what_is_wanted_again_goes_out_under_one_new_revision(tmp_path, cloud):
    async with run_cloud_scraper(tmp_path, cloud, ["met"]) as scraper:
        await run_import(scraper)
        cloud.revised["met", WISH[0] + 900] = 7
    for _ in range(2):
        async with run_cloud_scraper(tmp_path, cloud, ["met"]) as scraper:
            await run_import(scraper, again=True, calls=2)
            rows = [row for row in await scraper.list_rows() if row.kind == "interval"]
    identities = collections.Counter((row.series, row.timestamp) for row in rows)
    assert set(identities.values()) == {1}
    assert {row.tags["revision"] for row in rows} == {"0", "1"}
    async with run_cloud_scraper(tmp_path, cloud, ["met"]) as scraper:
        assert (await scraper.list_seen("met"))[WISH[0] + 900] == 7
        assert scraper.kept.state.repeated == {}
        assert len(cloud.asked) == 6


async def test_what_was_read_again_is_not_left_to_be_read(tmp_path, cloud):
    async with run_cloud_scraper(tmp_path, cloud, ["met"]) as scraper:
        history = make_import(scraper, again=True)
        assert history.count_calls() == 3
        assert [step async for step in history.run(2)]
        assert history.count_calls() == 1
        assert [step async for step in history.run(1)]
        assert history.count_calls() == 0


class DaysCloud:
    """Answers with the days of the example."""

    clock_offset_s = None

    def __init__(self):
        self.asked = []

    async def fetch(self, path, parameters=None, *, from_reserve=False):
        self.asked.append((path, parameters))
        return read_example("energy_lifetime-all")


async def test_of_what_is_older_there_are_days_and_sources_are_never_mixed(tmp_path, cloud):
    zone, days = ZoneInfo("Europe/Amsterdam"), (date(2022, 4, 30), date(2022, 5, 3))
    api = DaysCloud()
    async with run_cloud_scraper(tmp_path, cloud) as scraper:

        async def read(*, again=False):
            return await read_days(api, 4711023, scraper.readers, days, zone, before_s=BEGIN_S, again=again)

        assert await read() == 4 + 2
        assert list((await scraper.list_seen("inv")).values()) == [11840, 20112, 20741, 0]
        assert list((await scraper.list_seen("met")).values()) == [21007, 0], (
            "the first days of the meter are not whole"
        )
        last = (await scraper.list_rows())[-1]
        midnight = int(datetime(2022, 5, 4, tzinfo=zone).timestamp())
        assert (last.timestamp, last.fields["interval"]) == (midnight * 1000, 86_400.0)
        parameters = {"start_date": "2022-04-30", "end_date": "2022-05-03", "production": "all"}
        assert api.asked == [("systems/4711023/energy_lifetime", parameters)]
        await read(again=True)
        assert {row.tags["revision"] for row in await scraper.list_rows()} == {"0", "1"}
        assert await read_days(api, 4711023, scraper.readers, days, zone, before_s=0, again=True) == 0
        assert len(api.asked) == 2


@pytest.mark.parametrize(("day", "fives", "quarters"), [(date(2026, 3, 29), 276, 92), (date(2026, 10, 25), 300, 100)])
async def test_days_on_which_clocks_change_are_whole(tmp_path, day, fives, quarters):
    start, end = find_day(day, ZoneInfo("Europe/Amsterdam"))
    cloud = make_cloud(end + DAY_S)
    async with run_cloud_scraper(tmp_path, cloud) as scraper:
        await run_import(scraper, (start, end))
        for name, step, count in (("inv", 300, fives), ("met", 900, quarters)):
            seen = await scraper.list_seen(name)
            assert list(seen) == list(range(start + step, end + 1, step))
            assert len(seen) == count
        rows = [row for row in await scraper.list_rows() if row.kind == "interval"]
        assert len(rows) == fives + 4 * quarters
        assert await scraper.list_events("gap") == []


async def test_nothing_older_than_two_years_is_asked_and_the_beginning_is_no_hole(tmp_path, cloud):
    cloud.first_s = BEGIN_S - 10 * DAY_S
    async with run_cloud_scraper(tmp_path, cloud, ["inv"]) as scraper:
        history = make_import(scraper, (BEGIN_S - 1000 * DAY_S, BEGIN_S))
        assert history.count_calls() == 105
        await run_import(scraper, (BEGIN_S - 1000 * DAY_S, BEGIN_S))
        assert len(cloud.asked) <= 6
        assert await scraper.list_events("gap") == []
        assert max(await scraper.list_seen("inv")) == BEGIN_S


@pytest.mark.parametrize("begin_s", [BEGIN_S - 10 * DAY_S, BEGIN_S - 9 * DAY_S + 3300])
async def test_a_start_that_the_cloud_moves_says_where_the_system_begins(tmp_path, cloud, begin_s):
    cloud.moves_start, cloud.first_s = True, begin_s
    async with run_cloud_scraper(tmp_path, cloud, ["inv"]) as scraper:
        wish = (BEGIN_S - 600 * DAY_S, BEGIN_S)
        await run_import(scraper, wish)
        assert len(cloud.asked) == 3, "one that says it, and two weeks"
        assert await scraper.list_events("gap") == []
        assert await scraper.list_seen("inv") == list_truth(begin_s, BEGIN_S, 300)
        assert make_import(scraper, wish).count_most_calls() == 0


async def test_a_system_that_begins_within_a_week_has_no_hole_before(tmp_path, cloud):
    cloud.moves_start, cloud.first_s = True, WISH[0] + 3 * DAY_S
    async with run_cloud_scraper(tmp_path, cloud, ["inv"]) as scraper:
        await run_import(scraper)
        assert await scraper.list_events("gap") == []
        assert len(cloud.asked) == 3


OUT = (BEGIN_S - 90 * DAY_S, BEGIN_S - 60 * DAY_S)
AROUND = (OUT[0] - DAY_S, OUT[1] + 4 * DAY_S)


def list_holes(step_s):
    return set(range(OUT[0] + step_s, OUT[1] + 1, step_s))


async def test_a_long_outage_is_read_by_the_week_and_is_one_gap(tmp_path, cloud):
    cloud.holes = {"inv": list_holes(300), "met": list_holes(900)}
    async with run_cloud_scraper(tmp_path, cloud) as scraper:
        history = make_import(scraper, AROUND)
        assert (history.count_calls(), history.count_most_calls()) == (10, 35 + 2 + 5)
        assert [step async for step in history.run(1000)]
        assert len(cloud.asked) == 10 + 2, "the reply that looks like a day's, and one that shows that weeks are given"
        gaps = await scraper.list_events("gap")
        assert [(gap.timestamp, gap.fields["end"]) for gap in gaps] == [
            (OUT[0] * 1000 + position, OUT[1] * 1000 + position) for position in (0, 1)
        ]
        assert make_import(scraper, (AROUND[0] - 7 * DAY_S, AROUND[0])).count_most_calls() == 2


async def test_where_a_call_gives_a_day_an_empty_reply_proves_a_day(tmp_path, cloud):
    cloud.one_day, cloud.holes = True, {"inv": list_holes(300)}
    async with run_cloud_scraper(tmp_path, cloud, ["inv"]) as scraper:
        wish = (OUT[0], AROUND[1])
        most = make_import(scraper, wish).count_most_calls()
        await run_import(scraper, wish)
        assert len(cloud.asked) <= most
        assert await scraper.list_seen("inv") == list_truth(OUT[1], wish[1], 300)
        assert len(await scraper.list_events("gap")) == 1
        assert not scraper.kept.state.gives_weeks


async def test_a_gap_is_one_although_a_kill_lies_in_it_or_the_import_ends_with_it(tmp_path, cloud):
    cloud.holes = {"met": list_holes(900)}
    wish = (AROUND[0], OUT[1])
    for _ in range(8):
        async with run_cloud_scraper(tmp_path, cloud, ["met"]) as scraper:
            await run_import(scraper, wish, calls=1)
    async with run_cloud_scraper(tmp_path, cloud, ["met"]) as scraper:
        (gap,) = await scraper.list_events("gap")
        assert (gap.timestamp, gap.fields["end"]) == (OUT[0] * 1000, OUT[1] * 1000)
        assert scraper.kept.state.lasting_holes == {}
    assert len(cloud.asked) == 5


async def test_a_minute_without_calls_is_waited_for_and_a_month_ends_the_import(tmp_path, cloud):
    soon, late = cloud.clock.now_ms() + 30_000, cloud.clock.now_ms() + 10 * DAY_S * 1000
    cloud.failures = [CloudQuotaError("minute", soon, period="minute"), None, CloudQuotaError("month", late)]
    async with run_cloud_scraper(tmp_path, cloud, ["inv"]) as scraper:
        with pytest.raises(CloudQuotaError, match="month"):
            await run_import(scraper)
        assert scraper.clock.waits == [30.0]
        assert make_import(scraper).count_calls() == 2
        await run_import(scraper)
        assert await scraper.list_seen("inv") == list_truth(*WISH, 300)


async def test_heavy_load_is_tried_three_times(tmp_path, cloud):
    cloud.failures = [CloudLaterError("heavy load")] * 3
    async with run_cloud_scraper(tmp_path, cloud, ["inv"]) as scraper:
        with contextlib.suppress(CloudLaterError):
            await run_import(scraper)
        assert (scraper.clock.waits, len(cloud.asked)) == ([60.0, 60.0], 3)
