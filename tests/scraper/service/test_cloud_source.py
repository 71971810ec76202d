"""The running scraper with ENVOY_SOURCE=cloud: simulator, scraper and receiver, over real sockets."""

import asyncio
import contextlib
import json

import pytest

from receiver.service.app import run_receiver
from receiver.service.build import build
from scraper.errors import ScraperSettingError, WrongUseError
from scraper.events import make_event
from scraper.outbox.thread import OutboxThread
from scraper.service import app
from scraper.service.cloud_source import choose_sources, open_source
from scraper.service.cloud_stream import load_stream, make_stream_job
from scraper.settings import UplinkSettings
from simulator.clock import ManualClock, SimClock
from simulator.server import Simulator
from tests.clocks import SimulatedClock
from tests.receiver import service
from tests.scraper.cloud.simulated_cloud import approve, make_cloud_settings
from tests.scraper.running_scraper import SECRET, make_secret, wait_until

SYSTEM = "system-4711023"


STREAM = {
    "stream": {"serviceProperties": {"sourceIdMap": "/4711023/inv/sys=S1/INV, /4711023/met/sys=S1/GEN"}},
    "properties": [
        {"valueReference": "/{systemId}/inv/sys/Wh", "propertyName": "wh", "propertyType": "i"},
        {"valueReference": "/{systemId}/met/sys/WhExp", "propertyName": "wh", "propertyType": "i"},
    ],
    "expressions": [{"propertyName": "wattHours", "propertyType": "a"}],
}


@contextlib.asynccontextmanager
async def run_scraper(sim, state_dir, receiver_url, clock, job=None):
    stop = asyncio.Event()
    receiver = UplinkSettings(url=receiver_url, secret=make_secret(SECRET))
    settings = make_cloud_settings(sim, state_dir, receiver=receiver)
    task = asyncio.create_task(app.run(settings, clock=clock, stop=stop, job=job))
    try:
        yield
    finally:
        stop.set()
        await task


@contextlib.asynccontextmanager
async def run_home(folder, monkeypatch):
    """A simulator, its clock, the address of a receiver, and what reads the receiver's store."""
    sim_clock = SimClock(20.0)
    async with Simulator(clock=sim_clock) as sim:
        monkeypatch.setenv("SSL_CERT_FILE", str(sim.cloud.ca_file))
        settings = service.make_settings(folder / "hosted", secret=SECRET.encode(), gateways=(SYSTEM,))
        hosted = build(settings, clock=SimulatedClock(sim_clock))
        async with run_receiver(hosted, host="127.0.0.1", port=0) as listener:

            async def list_points(kind, **tags):
                found = await hosted.store.read_points(SYSTEM, kind, tags=tags, start=0, stop=2**53)
                return [point for series in found for point in series.points]

            yield sim, SimulatedClock(sim_clock), f"http://127.0.0.1:{listener.port}", list_points


async def test_a_system_is_read_and_delivered_in_the_place_of_a_gateway(tmp_path, monkeypatch):
    async with run_home(tmp_path, monkeypatch) as (sim, clock, url, list_points):
        state_dir = tmp_path / "edge"
        async with run_scraper(sim, state_dir, url, clock):
            blocked = await wait_until(lambda: list_points("event", type="grant"), lambda: "the event of the grant")
            assert "authorise" in blocked[0].fields["reason"]
            assert await list_points("interval") == []
            approve(sim, state_dir)
            await wait_until(lambda: list_points("interval", source="met", phase="c"), lambda: "quarter hours")
            assert len(await list_points("interval", source="inv")) > 200
        stored = [point.timestamp for point in await list_points("interval", source="inv")]
        async with run_scraper(sim, state_dir, url, clock):
            await wait_until(lambda: list_points("event", type="start"), lambda: "a start")
        again = [point.timestamp for point in await list_points("interval", source="inv")]
        assert len(again) == len(set(again))
        assert set(stored) <= set(again)
        gateway = (await list_points("gateway"))[-1].fields
        assert gateway["time_zone"] == sim.cloud.api.records.zone.key


async def test_a_stream_is_read_and_delivered_as_datum(tmp_path, monkeypatch):
    file = tmp_path / "stream.json"
    file.write_text(json.dumps(STREAM))
    job = make_stream_job(load_stream(file, 4711023), compatible=False)
    async with run_home(tmp_path, monkeypatch) as (sim, clock, url, list_points):
        approve(sim, tmp_path / "edge")
        async with run_scraper(sim, tmp_path / "edge", url, clock, job):
            counted = await wait_until(
                lambda: list_points("datum", source_id="S1/GEN", property="wattHours"), lambda: "the counter"
            )
            amounts = await list_points("datum", source_id="S1/GEN", property="wh")
        total = sum(point.fields["instantaneous"] for point in amounts[: len(counted)])
        assert counted[-1].fields["accumulating"] == total
        assert await list_points("interval") == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stream": {"serviceProperties": {"sourceIdMap": "/5/inv/sys=a"}}}, "other systems"),
        ({"stream": {"serviceProperties": {"sourceIdMap": "/4711023/bat/sys=a"}}}, "no value"),
        ({"stream": {"serviceProperties": {"sourceIdMap": "/4711023/inv/sys=my roof"}}}, "a source may have"),
        ({"stream": {"serviceProperties": {"sourceIdMap": "/4711023/inv/sys=a, /4711023/met/sys=a"}}}, "same name"),
        ({"expressions": [{"propertyName": "my counter", "propertyType": "a"}]}, "name of a property"),
    ],
)
def test_a_stream_that_cannot_be_stored_is_refused(tmp_path, change, words):
    file = tmp_path / "stream.json"
    file.write_text(json.dumps(STREAM | change))
    with pytest.raises(WrongUseError, match=words):
        load_stream(file, 4711023)


def test_a_file_that_is_no_configuration_is_refused(tmp_path):
    with pytest.raises(WrongUseError, match="cannot be read"):
        load_stream(tmp_path / "absent.json", 4711023)
    (tmp_path / "text.json").write_text("stream")
    with pytest.raises(WrongUseError, match="not JSON"):
        load_stream(tmp_path / "text.json", 4711023)


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
