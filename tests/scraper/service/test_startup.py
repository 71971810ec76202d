"""What must hold before anything is read."""

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from scraper.collect.memory import MemoryChange
from scraper.errors import OutboxUnavailableError, ScraperSettingError
from scraper.outbox.thread import OutboxThread
from scraper.service.app import run
from scraper.service.startup import BUILT_MS, claim_state, find_owner, mark_start, open_outbox, wait_for_sane_clock
from simulator.server import Simulator
from tests.clocks import InstantClock
from tests.scraper.running_scraper import make_scraper_settings
from tests.scraper.scripted import NOW_MS, SERIAL, run_scripted_scraper

if TYPE_CHECKING:
    from scraper.gateway.session import GatewaySession


async def test_a_host_that_wakes_up_in_1970_waits_for_the_time_and_says_so_once(tmp_path, logs, monkeypatch):
    async with run_scripted_scraper(tmp_path) as scripted:
        scripted.clock.wall_ms = 1000
        original = scripted.clock.sleep

        async def sleep(seconds: float) -> None:
            await original(seconds)
            if len(scripted.clock.waits) == 30:
                scripted.clock.wall_ms = BUILT_MS

        monkeypatch.setattr(scripted.clock, "sleep", sleep)
        await wait_for_sane_clock(scripted.clock, asyncio.Event())
    assert len(scripted.clock.waits) == 30
    assert [line["event"] for line in logs] == ["the clock of this host is not set yet; nothing is read before it is"]


async def test_a_start_after_a_kill_opens_the_gap_that_the_kill_left(tmp_path):
    async with run_scripted_scraper(tmp_path) as killed:
        await killed.record_burst(100)
        last = (await killed.list_rows("meter"))[-1].timestamp
    async with run_scripted_scraper(tmp_path) as later:
        later.clock.advance(300)
        await mark_start(later.recorder, later.memory, later.clock)
        (gap,) = await later.list_events("gap")
        assert (gap.timestamp, gap.fields) == (last, {"reason": "the scraper was killed"})
        (start,) = await later.list_events("start")
        assert start.timestamp == NOW_MS + 300_000
        await later.record_burst(100)
        assert not later.recorder.gap_is_open


async def test_the_first_start_and_a_start_after_an_orderly_stop_open_none(tmp_path):
    async with run_scripted_scraper(tmp_path) as first:
        await mark_start(first.recorder, first.memory, first.clock)
        assert await first.list_events("gap") == []
        await first.record_burst(100)
        await first.samples.note_stop("the scraper was stopped")
    async with run_scripted_scraper(tmp_path) as second:
        await mark_start(second.recorder, second.memory, second.clock)
        assert [gap.fields["reason"] for gap in await second.list_events("gap")] == ["the scraper was stopped"]


async def test_state_of_another_gateway_is_kept_while_it_holds_readings_and_forgotten_then(tmp_path):
    async with Simulator("firmware-8") as sim:
        settings = make_scraper_settings(sim, tmp_path, "http://127.0.0.1:1", serial="122099999999")
    async with run_scripted_scraper(tmp_path) as scripted:
        await claim_state(settings, scripted.memory, scripted.outbox)  # nobody's yet
        await scripted.recorder.keep(MemoryChange(serial=SERIAL))
        await scripted.record_burst(100)
        with pytest.raises(ScraperSettingError, match=f"run with ENVOY_SERIAL={SERIAL} until"):
            await claim_state(settings, scripted.memory, scripted.outbox)
        await scripted.outbox.settle([row.seq for row in await scripted.outbox.read_oldest(500, 1 << 20)], {})
        await claim_state(settings, scripted.memory, scripted.outbox)
        assert scripted.memory.state.serial == "122099999999"
    async with run_scripted_scraper(tmp_path) as later:
        assert (later.memory.state.serial, later.memory.last_sample_ms) == ("122099999999", 0)


async def test_the_owner_is_whom_the_gateway_says_it_is_once_that_is_committed(tmp_path, monkeypatch):
    async with run_scripted_scraper(tmp_path) as scripted:
        scripted.outbox.full = True
        original = scripted.clock.sleep

        async def sleep(seconds: float) -> None:
            await original(seconds)
            scripted.outbox.full = len(scripted.clock.waits) < 5

        monkeypatch.setattr(scripted.clock, "sleep", sleep)
        assert (
            await find_owner(
                cast("GatewaySession", scripted.gateway), scripted.recorder, scripted.memory, scripted.clock
            )
            == SERIAL
        )
        assert len(scripted.clock.waits) == 5


async def test_an_outbox_that_cannot_be_opened_now_is_tried_until_it_can_or_the_scraper_is_stopped(
    tmp_path, logs, monkeypatch
):
    async with Simulator("firmware-8") as sim:
        settings = make_scraper_settings(sim, tmp_path, "http://127.0.0.1:1")
    stop = asyncio.Event()

    async def fail(*_: object, **__: object) -> None:
        stop.set()
        raise OutboxUnavailableError("the disk is full: free some space")

    monkeypatch.setattr(OutboxThread, "open", fail)
    async with open_outbox(settings, InstantClock(), stop) as outbox:
        assert outbox is None
    assert logs[0]["reason"] == "the disk is full: free some space"


async def test_a_state_directory_that_others_can_write_is_refused_with_the_command_that_mends_it(tmp_path):
    async with Simulator("firmware-8") as sim:
        settings = make_scraper_settings(sim, tmp_path / "edge", "http://127.0.0.1:1")
    settings.state_dir.mkdir()
    settings.state_dir.chmod(0o770)
    with pytest.raises(ScraperSettingError, match=r"^ENVOY_STATE_DIR: .* run: chmod go-w "):
        await run(settings)
    assert list(settings.state_dir.iterdir()) == [], "not even a key was made there"
    settings.state_dir.chmod(0o700)
    stop = asyncio.Event()
    stop.set()
    await run(settings, stop=stop)
