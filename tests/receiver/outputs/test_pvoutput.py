"""PVOutput: statuses of the roll-ups within its limits, corrected when the past changes, and days netted as billed."""

import contextlib
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from receiver.outputs.base import OutputError
from receiver.outputs.progress_file import FILE, OutputWish, leave_wish
from receiver.outputs.pvoutput.connection import PvOutputConnection
from receiver.outputs.pvoutput.target import PvOutputTarget
from receiver.settings import PvOutputSettings
from receiver.sites.model import Site
from receiver.stores.base import GatewayReading
from shared.readings import Reading
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS
from tests.clocks import StoppedClock
from tests.fake_http import run_server
from tests.receiver.outputs.mirror import MirrorBench
from tests.receiver.outputs.pvoutput_fake import KEY, FakePvOutput
from tests.receiver.service import GATEWAY, make_inverter, make_meter

BERLIN = ZoneInfo("Europe/Berlin")
SITE = Site.model_validate({"time_zone": "Europe/Berlin", "outputs": {"pvoutput": {"system": 12345}}})


def at(text):
    return round(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp() * 1000)


BEGIN_MS = at("2026-06-10T10:00")


def make_energy(start, production, load=120.0, **more):
    return Reading("energy_15m", {}, start, {"production": production, "load": load, **more})


def make_quarter(start, production=200.0, load=120.0):
    """The roll-ups of a quarter hour of even power."""
    minutes = range(start, start + QUARTER_MS, MINUTE_MS)
    return [
        make_energy(start, production, load),
        *[Reading("site_1m", {}, one, {"production": production * 4, "load": load * 4}) for one in minutes],
        *[
            Reading("meter_1m", {"meter": "production", "phase": phase}, one, {"voltage": volts})
            for one in minutes
            for phase, volts in (("a", 231.0), ("b", 232.8))
        ],
        make_inverter("1", start + 60_000, power=production, temperature=41.5),
    ]


class PvBench:
    """A bench whose roll-ups the test writes, with a PVOutput."""

    def __init__(self, bench: MirrorBench, fake: FakePvOutput) -> None:
        self.bench = bench
        self.fake = fake
        self.unsettled: list[tuple[int, int]] = []

    async def write(self, *rows: Reading) -> None:
        await self.bench.store.write([GatewayReading(GATEWAY, one) for one in rows])

    async def run_quarters(self, count: int, **values: float) -> None:
        for _ in range(count):
            start = self.bench.clock.now_ms()
            await self.write(*make_quarter(start, **values))
            self.bench.clock.advance(900)
        await self.catch_up()

    async def catch_up(self) -> None:
        self.bench.clock.advance(180)
        await self.bench.catch_up()
        self.bench.clock.advance(-180)


@contextlib.asynccontextmanager
async def run_bench(folder):
    clock = StoppedClock(BEGIN_MS)
    fake = FakePvOutput(clock, BERLIN)
    async with run_server(fake.answer) as server:
        settings = PvOutputSettings(url=f"http://127.0.0.1:{server.port}", api_key=KEY)

        def make(store):
            return PvOutputTarget(settings, store, lambda _: SITE, lambda *_: running.unsettled, clock)

        bench = MirrorBench(folder, clock, make)
        running = PvBench(bench, fake)
        async with bench:
            midnight = BEGIN_MS - 10 * HOUR_MS
            await running.write(*[make_energy(one, 0.0, 0.0) for one in range(midnight, BEGIN_MS, QUARTER_MS)])
            await bench.write(GATEWAY, [make_meter(BEGIN_MS)])
            await bench.driver.run_once()
            yield running


async def test_a_quarter_hour_is_three_statuses_in_one_batch(tmp_path):
    async with run_bench(tmp_path) as running:
        await running.run_quarters(1)
        assert running.fake.batches == [3]
        assert running.fake.statuses == {
            ("20260610", "10:05"): ["67", "800", "40", "480", "41.5", "231.9"],
            ("20260610", "10:10"): ["133", "800", "80", "480", "", "231.9"],
            ("20260610", "10:15"): ["200", "800", "120", "480", "", "231.9"],
        }
        await running.run_quarters(4)
        assert running.fake.statuses["20260610", "11:15"][0] == "1000"
        assert len(running.fake.requests) <= 3


async def test_energy_of_an_outage_is_in_the_first_status_after_it_and_nothing_stands_in_the_gap(tmp_path):
    async with run_bench(tmp_path) as running:
        await running.run_quarters(1)
        start = running.bench.clock.now_ms()
        running.bench.clock.advance(3600)
        caught = {"production_unallocated": 700.0, "load_unallocated": 400.0, "unallocated_since": float(start)}
        await running.write(make_energy(start + HOUR_MS, 100.0, **caught))
        running.bench.clock.advance(900)
        await running.catch_up()
        times = [clock for _, clock in running.fake.statuses]
        assert times == ["10:05", "10:10", "10:15", "11:30"]
        assert running.fake.statuses["20260610", "11:30"] == ["1000", "", "640"]


async def test_what_changes_later_is_sent_again_with_the_rest_of_the_day_once_it_has_settled(tmp_path):
    async with run_bench(tmp_path) as running:
        await running.run_quarters(8)
        sent = len(running.fake.requests)
        late = BEGIN_MS + QUARTER_MS
        await running.bench.write(GATEWAY, [make_meter(late + 1000)])
        running.unsettled = [(late, late + QUARTER_MS)]
        await running.catch_up()
        assert len(running.fake.requests) == sent
        await running.write(*make_quarter(late, 260.0))
        running.unsettled = []
        await running.catch_up()
        assert running.fake.statuses["20260610", "10:15"][0] == "200"
        assert running.fake.statuses["20260610", "10:30"][0] == "460"
        assert running.fake.statuses["20260610", "12:00"][0] == "1660"
        assert sum(running.fake.batches) == 24 + 21  # those before the change are not sent again
        await running.bench.write(GATEWAY, [make_meter(late + 2000)])
        sent = len(running.fake.requests)
        await running.catch_up()
        assert len(running.fake.requests) == sent  # nothing changed


async def test_what_somebody_wants_again_goes_again_though_it_went_before(tmp_path):
    async with run_bench(tmp_path) as running:
        await running.run_quarters(4)
        sent = dict(running.fake.statuses)
        running.fake.statuses.clear()
        leave_wish(running.bench.folder / FILE, OutputWish("pvoutput", GATEWAY, BEGIN_MS))
        await running.catch_up()
        assert running.fake.statuses == sent


async def test_twenty_hours_of_backlog_stay_within_the_limits_and_days_are_netted(tmp_path):
    async with run_bench(tmp_path) as running:
        await running.write(Reading("energy_1d", {}, at("2026-06-10T00:00"), {
            "production": 11_000.0, "exported": 4_000.0, "exported_coverage": 1.0, "imported": 900.0,
            "imported_coverage": 1.0, "load": 7_900.0, "load_coverage": 0.5,
        }))  # fmt: skip
        await running.run_quarters(80)
        assert len(running.fake.statuses) == 240
        assert running.fake.statuses["20260610", "23:59"][0] == "11200"
        assert running.fake.statuses["20260611", "00:05"][0] == "67"
        assert max(running.fake.batches) <= 30
        assert len(running.fake.requests) <= 20
        assert running.fake.days == {"20260610": {"d": "20260610", "g": "11000", "e": "4000", "ip": "900"}}


async def test_after_too_many_requests_nothing_is_asked_until_the_hour_is_over(tmp_path):
    async with run_bench(tmp_path) as running:
        running.fake.requests = [BEGIN_MS + 17 * MINUTE_MS] * 60  # by another program with the same key
        await running.run_quarters(1)
        assert running.fake.refused_over_limit == 1
        for _ in range(4):
            running.bench.clock.advance(600)
            await running.bench.driver.run_once()
        assert running.fake.refused_over_limit == 1
        assert not running.fake.statuses
        running.bench.clock.advance(600)
        await running.bench.driver.run_once()
        assert len(running.fake.statuses) == 3


async def test_of_days_older_than_fourteen_the_sums_go_once_and_the_statuses_are_counted(tmp_path):
    async with run_bench(tmp_path) as running:
        await running.write(Reading("energy_1d", {}, at("2026-06-10T00:00"), {
            "production": 11_000.0, "load": 7_900.0, "load_coverage": 1.0,
        }))  # fmt: skip
        await running.write(*make_quarter(BEGIN_MS), *make_quarter(BEGIN_MS + 15 * DAY_MS))
        running.bench.clock.advance(15 * 86400 + 900)
        await running.catch_up()
        assert {day for day, _ in running.fake.statuses} == {"20260625"}
        assert running.bench.driver._known[GATEWAY].put_aside == 3
        assert running.fake.days == {"20260610": {"d": "20260610", "g": "11000", "c": "7900"}}
        sent = len(running.fake.requests)
        running.bench.clock.advance(600)
        await running.catch_up()
        assert len(running.fake.requests) == sent


async def test_after_a_crash_little_goes_twice_and_the_share_of_the_backlog_is_remembered(tmp_path):
    async with run_bench(tmp_path) as running:
        await running.run_quarters(8)
        sent, batches = dict(running.fake.statuses), len(running.fake.batches)
        await running.bench.crash()
        # what the roll-ups had not settled may hold readings of which nobody heard
        unsettled = [(GATEWAY, BEGIN_MS + index * QUARTER_MS) for index in range(4, 8)]
        running.bench.outputs.mark_unsettled(unsettled)
        await running.catch_up()
        assert sent.items() <= running.fake.statuses.items()
        assert len(running.fake.batches) - batches <= 2
        now = running.bench.clock.now_ms()
        running.fake.requests += [now] * (45 - len(running.fake.requests))  # before the crash, say
        await running.bench.crash()
        leave_wish(running.bench.folder / FILE, OutputWish("pvoutput", GATEWAY, BEGIN_MS - DAY_MS))
        await running.write(
            *[one for start in range(BEGIN_MS - DAY_MS, BEGIN_MS, QUARTER_MS) for one in make_quarter(start)]
        )
        await running.catch_up()
        assert len(running.fake.requests) <= 46  # the first reply says how many are left
        for _ in range(70):
            running.bench.clock.advance(60)
            await running.catch_up()
        assert len(running.fake.statuses) > 280


async def test_a_status_that_is_refused_is_put_aside_and_the_rest_goes_on(tmp_path):
    async with run_bench(tmp_path) as running:
        running.fake.statuses["20260610", "10:04"] = ["150"]  # somebody else's: nothing lower is taken after it
        await running.run_quarters(1)
        assert running.fake.statuses["20260610", "10:15"][0] == "200"
        assert running.bench.driver._known[GATEWAY].put_aside == 2


async def test_check_names_the_system_and_a_wrong_key(tmp_path):
    clock = StoppedClock(BEGIN_MS)
    fake = FakePvOutput(clock, BERLIN)
    async with run_server(fake.answer) as server:
        for key, system, words in ((KEY, 12345, None), ("wrong", 12345, "API Key"), (KEY, 1, "System ID")):
            settings = PvOutputSettings(url=f"http://127.0.0.1:{server.port}", api_key=key)
            connection = PvOutputConnection(settings, clock)
            try:
                if words is None:
                    assert "Roof" in await connection.check(system)
                    continue
                with pytest.raises(OutputError, match=words):
                    await connection.check(system)
            finally:
                await connection.close()
