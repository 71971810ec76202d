"""Batteries and generators from the gateway to what the household uses: reported cases, and a simulated house."""

from pathlib import Path
from typing import Any, cast

import pytest

from receiver.live.solar import KINDS_OF_NOW
from receiver.sites.household import HouseholdNow, describe_household
from receiver.sites.model import NO_SITE
from receiver.sites.storage import describe_storage
from receiver.stores.base import Latest
from scraper.collect.ensemble import EnsembleSamples
from scraper.collect.samples import Samples
from scraper.gateway.info import parse_info
from scraper.gateway.options import GatewayOptions
from scraper.gateway.session import GatewaySession
from tests.captures import find_capture
from tests.clocks import GATEWAY_NOW_S, InstantClock
from tests.field_cases import FieldCase
from tests.replay import Replay
from tests.scraper.gateway.fake_tokens import make_token
from tests.scraper.running_scraper import RunningScraper, run_at_home, wait_until
from tests.scraper.scripted import run_scripted_scraper

CLOSED = 1
"""A port of the loopback interface where nobody listens."""


def make_case(name: str) -> FieldCase:
    """A case that takes place when the tests of the gateway do; skips the test without cases."""
    return FieldCase(name, lambda: GATEWAY_NOW_S)


async def read_household(gateway: Replay, state: Path) -> HouseholdNow:
    """What the receiver says of the household after one round of questions to a replayed gateway, over real sockets."""
    clock = InstantClock()
    with gateway as replay:
        token = make_token(parse_info(replay.read_body("/info")).serial)
        options = GatewayOptions(
            host="127.0.0.1", serial=None, state_dir=state / "gateway", token=lambda: token,
            http_port=CLOSED, https_port=replay.port,
        )  # fmt: skip
        session = GatewaySession(options, cast("Any", clock))
        async with run_scripted_scraper(state, clock=clock) as scraper:
            try:
                await session.connect()
                samples = Samples(session, scraper.recorder, scraper.memory, scraper.health, clock, poll_meters=True)
                await samples.ask_meters()
                await EnsembleSamples(
                    session, scraper.recorder, scraper.memory, clock, scraper.samples.host_time
                ).poll_states()
            finally:
                await session.aclose()
            rows = await scraper.list_rows()
    latest = [
        [Latest(row.tags, row.timestamp, row.fields) for row in rows if row.kind == kind] for kind in KINDS_OF_NOW
    ]
    meters, inverters, _, *rest = latest
    return describe_household(meters, inverters, NO_SITE, clock.now_ms(), describe_storage(rest, clock.now_ms()))


async def test_a_battery_that_no_meter_sees_takes_part_in_the_load(tmp_path):
    """Sun 5,000 W, export 1,000 W, batteries charge with 3,000 W: the house uses 1,000 W."""
    now = await read_household(make_case("battery-without-storage-ct"), tmp_path / "state")
    assert now.site.load == pytest.approx(1000.0)
    assert now.site.battery == -3000.0
    assert now.site.exported == pytest.approx(1000.0)
    assert (now.storage.state_of_charge, now.load_unknown) == (55.0, None)


async def test_a_battery_whose_power_is_refused_makes_the_load_unknown(tmp_path):
    case = make_case("battery-without-storage-ct")
    case.entries["/ivp/ensemble/power"]["status"] = 401
    now = await read_household(case, tmp_path / "state")
    assert (now.site.load, now.load_unknown) == (None, "battery-power-unknown")
    assert now.site.production == pytest.approx(5000.0)


async def test_a_generator_that_no_meter_sees_makes_the_load_unknown(tmp_path):
    now = await read_household(make_case("generator-on-third-ct"), tmp_path / "state")
    assert (now.site.load, now.site.imported, now.site.net) == (None, None, None)
    assert now.load_unknown == "generator-runs"


async def test_the_newest_firmware_gives_its_battery_and_its_relay(tmp_path):
    now = await read_household(make_case("8.3.6086_battery_split_night"), tmp_path / "state")
    assert now.storage.has_battery
    assert now.storage.power == 23.0
    assert (now.storage.state_of_charge, now.storage.grid_mode) == (59.0, "connected")
    assert now.site.load is not None


async def test_while_the_captured_generator_runs_nothing_is_bought_and_the_load_is_unknown(tmp_path):
    now = await read_household(Replay(find_capture("8.2.127_with_generator_running")), tmp_path / "state")
    assert (now.site.load, now.site.imported, now.site.exported) == (None, 0.0, 0.0)
    assert now.site.battery == -1250.0
    assert (now.storage.grid_mode, now.load_unknown) == ("generator", "generator-runs")


async def find_household(at_home: RunningScraper) -> HouseholdNow:
    """The household by what is stored."""
    now_ms, serial = at_home.clock.now_ms(), at_home.sim.profile.serial
    meters, inverters, _, *rest = [await at_home.store.read_latest(serial, kind) for kind in KINDS_OF_NOW]
    return describe_household(meters, inverters, NO_SITE, now_ms, describe_storage(rest, now_ms))


async def test_a_running_scraper_tells_what_a_house_with_an_unseen_battery_uses_until_it_falls_silent(tmp_path):
    """The battery's power comes as often as that of polled meters; an outage of the grid goes the same way."""
    async with run_at_home(tmp_path, [], "battery") as at_home:
        at_home.sim.faults.switch_on("no-storage-meter")
        async with at_home.run_scraper(meter_source="poll"):
            await at_home.wait_for_points("storage", 3, what=lambda point: "power" in point.fields)
            await at_home.wait_for_points("meter", meter="net-consumption")

            async def is_known() -> bool:
                now = await find_household(at_home)
                return now.site.load is not None and now.site.battery is not None

            await wait_until(is_known, lambda: "a load")
            at_home.sim.faults.switch_on("battery-silent")
            at_home.sim.faults.switch_on("grid-lost")

            async def is_unknown() -> bool:
                now = await find_household(at_home)
                return now.load_unknown == "battery-power-unknown" and now.site.load is None

            await wait_until(is_unknown, lambda: "an unknown load")
            await at_home.wait_for_points("event", type="outage")
        asked = {entry.values["path"] for entry in at_home.sim.ledger.list_kind("request")}
        assert "/ivp/ensemble/status" not in asked
