"""EmonCMS: the inputs of the forum's scripts, each slot once and in the order of time, and refusals that say why."""

import contextlib

import pytest

from receiver.cli.outputs import describe_outputs
from receiver.outputs import progress
from receiver.outputs.emoncms.target import EmonCmsTarget
from receiver.outputs.progress_file import FILE, OutputWish, leave_wish
from receiver.settings import EmonCmsSettings
from receiver.sites.model import Site
from shared.readings import Reading
from shared.units import HOUR_MS, MINUTE_MS, QUARTER_MS
from tests.clocks import NOW_MS, StoppedClock
from tests.fake_http import run_server
from tests.receiver.outputs.emoncms_fake import WRITE_KEY, FakeEmonCms
from tests.receiver.outputs.mirror import MirrorBench
from tests.receiver.service import GATEWAY, make_inverter

BEGIN_MS = NOW_MS // QUARTER_MS * QUARTER_MS
SITE = Site.model_validate({"outputs": {"emoncms": {"node": "Envoy-S", "panels": "Envoy-S-inverters"}}})
ALL_NAMES = {
    f"{meter}_ph-{phase}_{field}"
    for meter in ("prod", "cons", "net")
    for phase in "abc"
    for field in ("wNow", "rmsVoltage", "rmsCurrent", "pwrFactor")
}
STEP_MS = 5_000


def make_settings(server, key=WRITE_KEY):
    return EmonCmsSettings(url=f"http://127.0.0.1:{server.port}/emoncms", api_key=key)


def read_phases(at, meters=("production", "net-consumption", "total-consumption"), phases="abc", power=800.0):
    fields = {"voltage": 231.9, "current": 3.5, "power_factor": 0.98}
    return [
        Reading("meter", {"meter": meter, "phase": phase}, at, {"power": power, **fields})
        for meter in meters
        for phase in phases
    ]


def read_times(start, stop, **kwargs):
    return [one for at in range(start, stop, STEP_MS) for one in read_phases(at, **kwargs)]


def read_gateway(at, rows):
    return Reading("gateway", {}, at, {"outbox_rows": float(rows)})


def list_slots(fake):
    return [time for _, rows in fake.posts for time, node, _ in rows if node == "Envoy-S"]


@contextlib.asynccontextmanager
async def run_bench(folder, site=SITE):
    clock = StoppedClock(BEGIN_MS)
    fake = FakeEmonCms()
    async with run_server(fake.answer) as server:
        settings = make_settings(server)

        def make(store):
            return EmonCmsTarget(settings.url, settings, store, lambda _: site, clock)

        async with MirrorBench(folder, clock, make) as bench:
            yield bench, fake, server


async def run_live(bench, seconds, **kwargs):
    """As a scraper that nobody watches: a post each 10 s, and a word about itself."""
    for _ in range(seconds // 10):
        begun = bench.clock.now_ms()
        bench.clock.advance(10)
        await bench.write(GATEWAY, [*read_times(begun, begun + 10_000, **kwargs), read_gateway(begun, 90)])
        await bench.driver.run_once()


async def test_one_post_for_each_slot_of_ten_seconds_with_the_names_of_the_scripts(tmp_path):
    async with run_bench(tmp_path) as (bench, fake, server):
        await run_live(bench, 120)
        assert {path for path, _ in fake.posts} == {"input/post"}
        slots = list_slots(fake)
        assert slots == list(range(BEGIN_MS // 1000, slots[-1] + 1, 10))
        assert slots[-1] >= bench.clock.now_ms() / 1000 - 30
        assert all(set(values) == ALL_NAMES for _, rows in fake.posts for _, _, values in rows)
        assert fake.feeds["Envoy-S", "prod_ph-a_wNow"][slots[0]] == 800.0
        assert all(one.headers["authorization"] == f"Bearer {WRITE_KEY}" for one in server.requests)


async def test_unknown_stays_out_and_a_load_is_made_of_its_phase(tmp_path):
    async with run_bench(tmp_path) as (bench, fake, _):
        await run_live(bench, 60, meters=("production", "net-consumption"), phases="a", power=-7.0)
        await run_live(bench, 300, meters=("net-consumption",), phases="a")
        first, last = fake.posts[0][1][0][2], fake.posts[-1][1][0][2]
        names = {"wNow", "rmsVoltage", "rmsCurrent", "pwrFactor"}
        measured = {f"{meter}_ph-a_{name}" for meter in ("prod", "net") for name in names}
        assert set(first) == measured | {"cons_ph-a_wNow", "cons_ph-a_rmsVoltage"}
        assert first["cons_ph-a_wNow"] == 0.0  # -14 W is noise of meters, not a load
        assert "cons_ph-a_wNow" not in last  # a phase of production that is silent makes it unknown
        assert "prod_ph-a_wNow" not in last


@pytest.mark.parametrize(("running", "has_load"), [(1.0, False), (0.0, True)])
async def test_no_load_goes_there_while_a_generator_may_run_that_was_heard_of_hours_ago(tmp_path, running, has_load):
    async with run_bench(tmp_path) as (bench, fake, _):
        heard = Reading("generator", {}, BEGIN_MS - 3 * HOUR_MS, {"known": 1.0, "running": running})
        await bench.write(GATEWAY, [heard])
        await run_live(bench, 60, meters=("production", "net-consumption"), phases="a")
        values = fake.posts[-1][1][0][2]
        assert "prod_ph-a_wNow" in values
        assert ("cons_ph-a_wNow" in values) is has_load


async def test_nothing_goes_there_of_three_minutes_without_readings(tmp_path):
    async with run_bench(tmp_path) as (bench, fake, _):
        await run_live(bench, 60)
        bench.clock.advance(180)
        await bench.driver.run_once()
        (state,) = bench.driver.list_states(bench.clock.now_ms())
        assert state.behind_ms == 0  # nothing was measured that EmonCMS lacks
        await run_live(bench, 300)
        slots = list_slots(fake)
        gone = range(BEGIN_MS // 1000 + 60, BEGIN_MS // 1000 + 240, 10)
        assert not set(slots) & set(gone)
        assert slots == sorted(set(slots))
        assert not fake.disordered
        assert slots[-1] >= bench.clock.now_ms() / 1000 - 30


async def test_a_gateway_that_gives_nothing_new_is_not_behind(tmp_path):
    """Also for the command beside the receiver, and after a restart; but once it speaks, what is missing shows."""
    async with run_bench(tmp_path) as (bench, fake, _):
        await run_live(bench, 60)
        bench.clock.advance(7200)
        await bench.driver.run_once()
        await bench.restart()
        await bench.catch_up()
        bench.clock.advance(60)  # it is kept once a minute
        await bench.driver.run_once()
        (line,) = describe_outputs(tmp_path / FILE, bench.clock.now_ms())
        assert line.startswith(f"emoncms  gateway {GATEWAY}: has all that there is (the gateway gives nothing new), ")
        fake.is_away = True
        await run_live(bench, 120)
        bench.clock.advance(3700)
        await bench.driver.run_once()
        (state,) = bench.driver.list_states(bench.clock.now_ms())
        assert state.behind_ms > 3_600_000
        await bench.restart()
        (line,) = describe_outputs(tmp_path / FILE, bench.clock.now_ms())
        assert line.startswith(f"emoncms  gateway {GATEWAY}: behind 3 hours, ")


async def test_after_an_outage_the_backlog_goes_first_and_by_bulk(tmp_path):
    """The scraper posts its newest readings first; two hours of older ones follow meanwhile."""
    async with run_bench(tmp_path) as (bench, fake, _):
        await run_live(bench, 60)
        away = bench.clock.now_ms()
        bench.clock.advance(2 * 3600)
        await bench.driver.run_once()
        back = bench.clock.now_ms()
        for begun in range(away, back, 10 * MINUTE_MS):  # each post of backlog between two live ones
            now = bench.clock.now_ms()
            bench.clock.advance(10)
            await bench.write(GATEWAY, [*read_times(now, now + 10_000), read_gateway(now, 9_000)])
            await bench.driver.run_once()
            await bench.write(GATEWAY, read_times(begun, begun + 10 * MINUTE_MS))
            await bench.driver.run_once()
        await run_live(bench, 300)
        slots = list_slots(fake)
        assert slots == list(range(BEGIN_MS // 1000, slots[-1] + 1, 10))  # each once, ascending, all of them
        assert not fake.disordered
        assert slots[-1] >= bench.clock.now_ms() / 1000 - 30
        bulk = [index for index, (path, _) in enumerate(fake.posts) if path == "input/bulk"]
        assert len(bulk) < 50
        assert all(path == "input/post" for path, _ in fake.posts[bulk[-1] + 1 :])
        assert bench.driver.list_states(bench.clock.now_ms())[0].behind_ms < MINUTE_MS


async def test_a_backlog_that_does_not_come_is_waited_for_a_quarter_hour_and_stored_when_it_comes(tmp_path):
    async with run_bench(tmp_path) as (bench, fake, _):
        await run_live(bench, 60)
        away = bench.clock.now_ms()
        bench.clock.advance(3600)
        back = bench.clock.now_ms()
        for _ in range(100):
            now = bench.clock.now_ms()
            bench.clock.advance(10)
            await bench.write(GATEWAY, [*read_times(now, now + 10_000), read_gateway(now, 9_000)])
            await bench.driver.run_once()
            if bench.clock.now_ms() - back < QUARTER_MS:
                assert max(list_slots(fake)) * 1000 < away
        assert max(list_slots(fake)) * 1000 > back
        await bench.write(GATEWAY, read_times(away, back))
        bench.clock.advance(10)
        await bench.catch_up()
        assert set(list_slots(fake)) >= set(range(BEGIN_MS // 1000, back // 1000, 10))
        assert len(list_slots(fake)) == len(set(list_slots(fake)))


@pytest.mark.parametrize("most", [5_000, 3])
async def test_what_lies_behind_is_left_out_where_the_owner_says_so(tmp_path, monkeypatch, most):
    """However many minutes of it there are."""
    monkeypatch.setattr(progress, "MOST_LATE", most)
    site = Site.model_validate({"outputs": {"emoncms": {"node": "Envoy-S", "late": "drop"}}})
    async with run_bench(tmp_path, site) as (bench, fake, _):
        await run_live(bench, 60)
        away = bench.clock.now_ms()
        bench.clock.advance(3600)
        await run_live(bench, 1000)
        back, sent = bench.clock.now_ms(), list_slots(fake)
        reports = [make_inverter("482300001111", back - minute * MINUTE_MS, power=1.0) for minute in (2, 3)]
        for late in ([*read_times(away, away + 10 * MINUTE_MS), reports[0]], [reports[1]]):
            await bench.write(GATEWAY, late)
            bench.clock.advance(10)
            await bench.catch_up()
        assert max(sent) * 1000 > back - MINUTE_MS
        assert list_slots(fake) == sent
        (feed,) = [feed for (_, name), feed in fake.feeds.items() if name == "482300001111_wNow"]
        assert list(feed) == [reports[0].timestamp // 10_000 * 10]  # a report is no later than the one before it


async def test_each_report_of_a_panel_goes_once_with_its_own_time(tmp_path):
    async with run_bench(tmp_path) as (bench, fake, _):
        await run_live(bench, 300)
        for minute in range(1, 4):
            at = BEGIN_MS + minute * MINUTE_MS
            await bench.write(GATEWAY, [make_inverter("482300001111", at, power=120.0, max_power=298.0)])
            await bench.write(GATEWAY, [make_inverter("482300001112", at + 7000, power=110.0)])
            await bench.catch_up()
        reports = [(time, values) for _, rows in fake.posts for time, node, values in rows if "inverters" in node]
        begun = BEGIN_MS // 1000
        assert reports[0] == (begun + 60, {"482300001111_wNow": 120.0, "482300001111_wMax": 298.0})
        assert [time for time, _ in reports] == [
            begun + 60 * minute + more for minute in range(1, 4) for more in (0, 7)
        ]


async def test_what_somebody_wants_again_goes_again_though_it_went_before(tmp_path):
    async with run_bench(tmp_path) as (bench, fake, _):
        await run_live(bench, 300)
        sent = list_slots(fake)
        fake.posts.clear()
        leave_wish(bench.folder / FILE, OutputWish("emoncms", GATEWAY, BEGIN_MS))
        await bench.catch_up()
        assert list_slots(fake) == sent


async def test_a_crash_repeats_little_and_loses_nothing(tmp_path):
    async with run_bench(tmp_path) as (bench, fake, _):
        await run_live(bench, 120)
        await bench.crash()
        await run_live(bench, 120)
        slots = list_slots(fake)
        assert sorted(set(slots)) == list(range(BEGIN_MS // 1000, max(slots) + 1, 10))
        assert len(slots) - len(set(slots)) <= 12


async def test_a_row_that_is_refused_for_good_is_put_aside_and_the_rest_goes_on(tmp_path):
    async with run_bench(tmp_path) as (bench, fake, _):
        await run_live(bench, 120)
        at = BEGIN_MS + 1000
        fake.refused_name = "482300001113_wNow"
        await bench.write(GATEWAY, [make_inverter(f"48230000111{digit}", at + digit * 1000) for digit in range(1, 6)])
        await bench.catch_up()
        sent = {time for _, rows in fake.posts for time, node, _ in rows if "inverters" in node}
        assert sent == {at // 1000 + digit for digit in (1, 2, 4, 5)}
        assert bench.driver._known[GATEWAY].put_aside == 1
