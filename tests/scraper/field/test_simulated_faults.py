"""Faults of meters and lists, from a simulated gateway to the API: what people see is right or unknown."""

from typing import Any

import pytest

from simulator.house.state import NET, PRODUCTION, STORAGE
from tests.scraper.running_scraper import run_at_home, wait_until

POLLED = {"meter_source": "poll"}
METERS = "/ivp/meters"
BEFORE_MS = 300_000
"""How long before a gap is looked at: a quiet meter stores a point each minute."""


@pytest.fixture
async def at_home(tmp_path, logs):
    async with run_at_home(tmp_path, logs, "battery") as running:
        yield running


async def find_power(at_home, what):
    """`/power`, once it is as wanted."""
    last: list[Any] = []

    async def look():
        if not await at_home.store.list_gateways():
            return None
        last[:] = [await at_home.ask("power")]
        return last[0] if what(last[0]) else None

    return await wait_until(look, lambda: f"a /power as wanted: {last}")


async def wait_for_lines(at_home, since_ms=0):
    """Wait until every phase of the net has points enough to draw lines between them: one point draws none."""
    for phase in "abc"[: len(at_home.sim.device.read_state().meters[NET])]:
        await at_home.wait_for_points(
            "meter",
            3,
            what=lambda point: "power" in point.fields and point.timestamp >= since_ms,
            meter=NET,
            phase=phase,
        )


def sum_meter(at_home, meter):
    return sum(phase.active_power_w for phase in at_home.sim.device.read_state().meters[meter])


async def test_a_reversed_meter_never_gives_a_load_below_nothing(at_home):
    at_home.sim.faults.switch_on("reversed-ct", meter=PRODUCTION)
    async with at_home.run_scraper(**POLLED):
        now = await find_power(at_home, lambda now: now["net_w"] is not None and now["production_w"] is not None)
        assert now["production_w"] < 0
        assert now["load_w"] is None


async def test_production_of_others_is_part_of_the_site(at_home):
    at_home.sim.faults.switch_on("other-production", watts=3000.0)
    async with at_home.run_scraper(**POLLED):
        now = await find_power(at_home, lambda now: now["load_w"] is not None)
        assert now["production_w"] == pytest.approx(sum_meter(at_home, PRODUCTION) + 3000.0, rel=0.1)
        assert now["net_w"] == pytest.approx(sum_meter(at_home, NET) - 3000.0, rel=0.1, abs=200)
        assert now["load_w"] == pytest.approx(now["production_w"] + now["net_w"] + now["battery_w"])


@pytest.mark.parametrize("meter", [PRODUCTION, NET, STORAGE])
async def test_a_phase_that_is_gone_leaves_its_sum_unknown(at_home, meter):
    at_home.sim.faults.switch_on("phase-drops", meter=meter, phase=2)
    names = {PRODUCTION: "production_w", NET: "net_w", STORAGE: "battery_w"}
    others = [name for key, name in names.items() if key != meter]
    async with at_home.run_scraper(**POLLED):
        now = await find_power(at_home, lambda now: all(now[name] is not None for name in others))
        assert (now[names[meter]], now["load_w"]) == (None, None)


@pytest.mark.parametrize("meter", [PRODUCTION, STORAGE])
async def test_a_meter_of_nothing_but_zeros_is_unknown_at_once(at_home, meter):
    """Its phases were there before, so they are no unused inputs. Receivers would show the old value for two minutes."""
    async with at_home.run_scraper(**POLLED):
        await find_power(at_home, lambda now: None not in (now["production_w"], now["battery_w"], now["load_w"]))
        at_home.sim.faults.switch_on("meter-zeros", meter=meter)
        for phase in "abc":
            (point, *_) = await at_home.wait_for_points(
                "meter", what=lambda point: point.fields.get("measured") == 0.0, meter=meter, phase=phase
            )
            assert "power" not in point.fields
        at_home.sim.faults.switch_off("meter-zeros")
        await find_power(at_home, lambda now: now["load_w"] is not None)
        assert not await at_home.read_points("event", type="counter_reset")


async def test_odd_values_of_one_inverter_cost_nobody_else(at_home):
    for fault in ("unsigned-watts", "serial-twice"):
        at_home.sim.faults.switch_on(fault)
    at_home.sim.faults.switch_on("lower-nan", path="/ivp/meters/readings", field="current")
    async with at_home.run_scraper(**POLLED):
        first = at_home.sim.device.list_reports()[0].serial
        (report,) = await at_home.wait_for_points("inverter", inverter=first)
        assert report.fields["power"] == -4.0
        assert len(await at_home.wait_for_points("inverter", 20)) == 20
        now = await find_power(at_home, lambda now: now["load_w"] is not None)
        assert now["production_w"] > 0
        await at_home.wait_for_points("event", what=lambda event: "twice" in event.fields["reason"], type="schema")


async def test_a_production_meter_that_is_off_leaves_production_to_the_inverters(at_home):
    at_home.sim.faults.switch_on("production-ct-off")
    async with at_home.run_scraper(inverter_interval=10.0):
        now = await find_power(at_home, lambda now: now["load_w"] is not None)
        watts = sum(report.power_w for report in at_home.sim.device.list_reports())
        assert now["production_w"] == pytest.approx(watts, rel=0.1)
        assert {entry["meter"] for entry in await at_home.ask("meters")} == {NET, STORAGE}


async def test_sums_stand_in_where_the_meters_are_refused_for_good(tmp_path, logs):
    async with run_at_home(tmp_path, logs, "firmware-8") as at_home:
        at_home.sim.faults.switch_on("not-found", path="/ivp/meters")
        async with at_home.run_scraper(**POLLED):
            now = await find_power(at_home, lambda now: now["net_w"] is not None)
            assert now["production_w"] == pytest.approx(sum_meter(at_home, PRODUCTION), rel=0.1, abs=100)
            assert now["net_w"] == pytest.approx(sum_meter(at_home, NET), rel=0.2, abs=1500)
            assert now["load_w"] == pytest.approx(now["production_w"] + now["net_w"])
            assert {entry["phase"] for entry in await at_home.ask("meters")} == {"eim"}


async def test_a_wrapped_total_gives_way_to_the_true_one(tmp_path, logs):
    """Firmware 7 without meters: the section has lost 2^32 J, `/api/v1/production` has not."""
    async with run_at_home(tmp_path, logs, "no-ct") as at_home:
        at_home.sim.faults.switch_on("counter-jump", by=60_000)
        at_home.sim.faults.switch_on("total-wrap")
        async with at_home.run_scraper():
            (total, *_) = await at_home.wait_for_points("production", source="api")
            assert total.fields["energy_lifetime"] == pytest.approx(at_home.sim.device.sum_inverter_lifetime_wh(), 1e-3)
            assert total.fields["energy_lifetime"] > 2**32 / 3600
            assert not await at_home.read_points("production", source="inverters")


async def test_meters_that_vanish_leave_a_gap_and_the_word_to_the_inverters_until_they_are_back(tmp_path, logs):
    """An empty reply means that nothing is there now: the gap closes with the inverters, before the meters are back."""
    async with run_at_home(tmp_path, logs, "firmware-7") as at_home, at_home.run_scraper(**POLLED):
        await at_home.wait_for_points("meter", 3, meter=NET)
        at_home.sim.faults.switch_on("empty-body", path=METERS)
        (gap, *_) = await at_home.wait_for_points("event", what=lambda event: "end" in event.fields, type="gap")
        assert 120_000 <= gap.fields["end"] - gap.timestamp < 15 * 60_000
        last = (await at_home.read_points("meter", meter=NET))[-1]
        assert abs(last.timestamp - gap.timestamp) < 10_000
        await find_power(at_home, lambda now: now["net_w"] is None and now["production_w"] is not None)
        at_home.sim.faults.switch_off("empty-body")
        await at_home.wait_for_points("meter", what=lambda point: point.timestamp > last.timestamp, meter=NET)
        await find_power(at_home, lambda now: now["load_w"] is not None)
        assert all("end" in one.fields for one in await at_home.read_points("event", type="gap"))


async def test_meters_that_vanish_for_a_minute_are_not_bridged(tmp_path, logs):
    async with (
        run_at_home(tmp_path, logs, "firmware-7") as at_home,
        at_home.run_scraper(**POLLED, inverter_interval=10.0),
    ):
        await wait_for_lines(at_home)
        at_home.sim.faults.switch_on("empty-body", path=METERS)
        await at_home.clock.sleep(70)
        at_home.sim.faults.switch_off("empty-body")
        (gap, *_) = await at_home.wait_for_points("event", what=lambda event: "end" in event.fields, type="gap")
        start, end = gap.timestamp, round(gap.fields["end"])
        assert end - start > 60_000
        after = await at_home.wait_for_points("meter_energy", what=lambda point: point.timestamp >= end, meter=NET)
        await wait_for_lines(at_home, end)
        around = f"start={start - BEFORE_MS}&stop={after[-1].timestamp + 60_000}"
        for entry in (await at_home.ask(f"series?kind=meter&field=power&every=10s&meter={NET}&{around}"))["series"]:
            known = [(window["start"], window["start"] + 10_000) for window in entry["windows"]]
            assert known
            assert not [one for one in known if start <= one[0] and one[1] <= end], "nothing is known inside"
        for entry in (await at_home.ask(f"series?kind=meter_energy&field=delivered&every=1h&meter={NET}&{around}"))[
            "series"
        ]:
            read = [
                point.fields["delivered"]
                for point in await at_home.read_points("meter_energy", meter=NET, phase=entry["tags"]["phase"])
                if start - BEFORE_MS <= point.timestamp
            ]
            counted = sum((window["value"] or 0.0) + (window["unallocated"] or 0.0) for window in entry["windows"])
            assert counted >= read[-1] - read[0] - 1.0, "and the counters know how much it was"


@pytest.mark.parametrize("fault", ["empty-body", "not-found", "bad-gateway", "starting"])
async def test_inverters_are_read_while_the_gateway_says_nothing_of_itself(at_home, fault):
    """Its clock is as it was known; a panel's report is worth more than a look at the clock."""
    async with at_home.run_scraper():
        before = max(point.timestamp for point in await at_home.wait_for_points("inverter", 20))
        at_home.sim.faults.switch_on(fault, path="/info")
        await at_home.wait_for_points("inverter", what=lambda point: point.timestamp > before)
        assert not await at_home.read_points("event", type="gap")


@pytest.mark.parametrize("fault", ["bad-gateway", "starting"])
async def test_meters_are_read_while_the_gateway_says_nothing_of_itself(at_home, fault):
    """A 5xx of `/info` alone is no outage: what answers is read on, without a gap."""
    async with at_home.run_scraper(**POLLED, inverter_interval=10.0):
        await at_home.wait_for_points("meter", 3, meter=NET)
        at_home.sim.faults.switch_on(fault, path="/info")
        since_ms = at_home.clock.now_ms() + 60_000
        await at_home.wait_for_points("meter", 3, what=lambda point: point.timestamp > since_ms, meter=NET)
        assert not await at_home.read_points("event", type="gap")
