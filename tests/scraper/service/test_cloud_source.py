"""The running scraper with ENVOY_SOURCE=cloud: simulator, scraper and receiver, over real sockets."""

import asyncio
import contextlib

import pytest

from receiver.service.app import run_receiver
from receiver.service.build import build
from scraper.errors import ScraperSettingError
from scraper.events import make_event
from scraper.outbox.thread import OutboxThread
from scraper.service import app
from scraper.service.cloud_source import choose_sources, open_source
from scraper.settings import UplinkSettings
from simulator.clock import ManualClock, SimClock
from simulator.server import Simulator
from tests.clocks import SimulatedClock
from tests.receiver import service
from tests.scraper.cloud.simulated_cloud import approve, make_cloud_settings
from tests.scraper.running_scraper import SECRET, make_secret, wait_until

SYSTEM = "system-4711023"


@contextlib.asynccontextmanager
async def run_scraper(sim, state_dir, receiver_url, clock):
    stop = asyncio.Event()
    receiver = UplinkSettings(url=receiver_url, secret=make_secret(SECRET))
    settings = make_cloud_settings(sim, state_dir, receiver=receiver)
    task = asyncio.create_task(app.run(settings, clock=clock, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def test_a_system_is_read_and_delivered_in_the_place_of_a_gateway(tmp_path, monkeypatch):
    sim_clock = SimClock(20.0)
    async with Simulator(clock=sim_clock) as sim:
        monkeypatch.setenv("SSL_CERT_FILE", str(sim.cloud.ca_file))
        settings = service.make_settings(tmp_path / "hosted", secret=SECRET.encode(), gateways=(SYSTEM,))
        hosted = build(settings, clock=SimulatedClock(sim_clock))
        async with run_receiver(hosted, host="127.0.0.1", port=0) as listener:
            url, state_dir = f"http://127.0.0.1:{listener.port}", tmp_path / "edge"

            async def list_points(kind, **tags):
                found = await hosted.store.read_points(SYSTEM, kind, tags=tags, start=0, stop=2**53)
                return [point for series in found for point in series.points]

            async with run_scraper(sim, state_dir, url, SimulatedClock(sim_clock)):
                blocked = await wait_until(lambda: list_points("event", type="grant"), lambda: "the event of the grant")
                assert "authorise" in blocked[0].fields["reason"]
                assert (await list_points("gateway"))[-1].fields["login_blocked"] in (0.0, 1.0)
                assert await list_points("interval") == []
                approve(sim, state_dir)
                await wait_until(lambda: list_points("interval", source="met", phase="c"), lambda: "quarter hours")
                assert len(await list_points("interval", source="inv")) > 200
            stored = [point.timestamp for point in await list_points("interval", source="inv")]
            async with run_scraper(sim, state_dir, url, SimulatedClock(sim_clock)):
                await wait_until(lambda: list_points("event", type="start"), lambda: "a start")
            again = [point.timestamp for point in await list_points("interval", source="inv")]
            assert len(again) == len(set(again))
            assert set(stored) <= set(again)
            gateway = (await list_points("gateway"))[-1].fields
            assert gateway["time_zone"] == sim.cloud.api.records.zone.key


@pytest.fixture
async def simulator():
    async with Simulator(clock=ManualClock(1_781_517_600)) as sim:
        yield sim


async def test_a_state_directory_belongs_to_one_system(tmp_path, simulator):
    clock: SimulatedClock[ManualClock] = SimulatedClock(ManualClock(1_781_517_600))
    outbox = OutboxThread()
    await outbox.open(tmp_path / "outbox.sqlite", quota_bytes=2**30, clock=clock)
    try:
        source = await open_source(make_cloud_settings(simulator, tmp_path), clock, outbox)
        await source.recorder.record([make_event("start", clock.now_ms())])
        with pytest.raises(ScraperSettingError, match="ENVOY_CLOUD_SYSTEM=4711023 until"):
            await open_source(make_cloud_settings(simulator, tmp_path, system=5), clock, outbox)
    finally:
        await outbox.close()


async def test_sources_have_the_names_that_the_settings_give(tmp_path, simulator):
    def choose(devices):
        settings = make_cloud_settings(simulator, tmp_path, devices=devices)
        return [(one.type.name, one.source) for one in choose_sources(settings.cloud)]

    assert choose("") == [("inv", "inv"), ("met", "met")]
    assert choose("/4711023/met/sys=meter") == [("met", "meter")]
    for wrong in ("/4711023/inv/sys=my roof", "/1/inv/sys=roof", "/4711023/inv/sys=a, /4711023/met/sys=a"):
        with pytest.raises(ScraperSettingError, match="ENVOY_CLOUD_DEVICES"):
            choose(wrong)
