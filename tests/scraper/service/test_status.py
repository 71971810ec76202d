"""What the status port and the scraper's own reading say."""

import asyncio
import contextlib

import pytest
from prometheus_client import CollectorRegistry

from scraper.collect.health import Health
from scraper.collect.report import Report
from scraper.service.status import ScraperCollector, explain_not_ready, make_registry
from scraper.uplink.uplink import UplinkState
from shared.fields import KINDS
from tests.scraper.scripted import NOW_MS, ScriptedScraper, run_scripted_scraper


@pytest.fixture
async def scripted(tmp_path):
    async with run_scripted_scraper(tmp_path) as ready:
        yield ready


def make_collector(scripted: ScriptedScraper, uplink: UplinkState | None = None) -> ScraperCollector:
    return ScraperCollector(
        scripted.health, scripted.recorder, scripted.clock, uplink=lambda: uplink, look=lambda: None
    )


def read_sample(shown: CollectorRegistry, name: str, **labels: str) -> float | None:
    return shown.get_sample_value(name, labels)


async def test_every_metric_shows_what_is_so_now(scripted):
    state = UplinkState(problem="no connection", last_success_ms=NOW_MS - 5000, posts=3, delivered=2, refused=1)
    shown = make_registry(make_collector(scripted, state))
    scripted.health.note_success("meters", seconds=0.5, now_ms=NOW_MS - 2000)
    scripted.health.note_failure("inverters", seconds=1, problem="HTML")
    scripted.health.token_expires_s = NOW_MS // 1000 + 60
    await scripted.record_burst(100)
    assert read_sample(shown, "envoy_poll_success", job="meters") == 1
    assert read_sample(shown, "envoy_poll_success", job="inverters") == 0
    assert read_sample(shown, "envoy_poll_failures_total", job="inverters") == 1
    assert read_sample(shown, "envoy_poll_age_seconds", job="meters") == 2
    assert read_sample(shown, "envoy_stream_events_total") == 1
    assert read_sample(shown, "envoy_rows_committed_total") == 1
    assert read_sample(shown, "envoy_token_expires_in_seconds") == 60
    assert read_sample(shown, "envoy_uplink_failing") == 1
    assert read_sample(shown, "envoy_delivery_age_seconds") == 5
    assert read_sample(shown, "envoy_outbox_rows") is None, "not asked yet"


def test_readiness_names_the_first_thing_that_is_wrong():
    health = Health()
    assert explain_not_ready(health, None) == "the gateway is not connected"
    health.note_failure("identify", seconds=1, problem="no route")
    assert explain_not_ready(health, None) == "the gateway is not connected: no route"
    health.note_success("identify", seconds=1, now_ms=NOW_MS)
    assert explain_not_ready(health, None) is None
    assert explain_not_ready(health, UplinkState(problem="no receiver")) == "no receiver"
    health.person_needed = "run envoy-scraper trust"
    assert explain_not_ready(health, UplinkState(problem="no receiver")) == "run envoy-scraper trust"


async def test_the_scrapers_own_reading_says_how_it_is(scripted):
    scripted.health.firmware, scripted.health.role = "D8.2.4286", "owner"
    scripted.health.token_expires_s = NOW_MS // 1000 + 3600
    await scripted.record_burst(100)
    await Report(scripted.health, scripted.samples, scripted.outbox, scripted.recorder, scripted.clock).send()
    (reading,) = await scripted.list_rows("gateway")
    assert reading.fields["outbox_rows"] == 1
    assert (reading.fields["firmware"], reading.fields["token_expires_in"]) == ("D8.2.4286", 3600)
    assert reading.fields.keys() <= KINDS["gateway"].fields.keys()
    assert scripted.health.outbox is not None
    assert 0 < reading.fields["disk_free"] < reading.fields["disk_size"]
    assert scripted.health.disk == (reading.fields["disk_free"], reading.fields["disk_size"])


async def test_it_comes_once_a_minute_and_when_something_changed_also_on_a_full_disk(scripted):
    report = Report(scripted.health, scripted.samples, scripted.outbox, scripted.recorder, scripted.clock)
    original, waits = scripted.clock.sleep, 0

    async def sleep(seconds: float) -> None:
        nonlocal waits
        waits += 1
        if waits == 16:  # 20 s into the second minute
            scripted.health.stream_connected = True
        scripted.outbox.full = 24 <= waits < 36
        if waits == 46:
            raise asyncio.CancelledError
        await original(seconds)

    scripted.clock.sleep = sleep
    with contextlib.suppress(asyncio.CancelledError):
        await report.run()
    offsets = [(reading.timestamp - NOW_MS) // 1000 for reading in await scripted.list_rows("gateway")]
    assert offsets == [60, 80, 200]  # the one at 140 s is part of the loss
    assert len(await scripted.list_events("loss")) == 1
