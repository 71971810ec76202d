"""The composition root of the running scraper: builds the parts, runs them together, stops them in order.

Order of stopping: no new samples; the held-back samples and the open gap are committed; one last post; the outbox is
closed. A kill at any moment loses at most what was not yet committed.
"""

import asyncio
import contextlib
import random
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import structlog

from scraper.build import gateway_options, receiver_tls, signing_key
from scraper.config import ReceiverSettings, Settings
from scraper.delta.bands import scaled
from scraper.delta.tracker import STALL_MS, Tracker
from scraper.errors import OutboxError, OutboxUnavailableError, SettingError
from scraper.gaps import Gaps, event
from scraper.gateway.pinning import PinStore
from scraper.gateway.session import Gateway
from scraper.health import Health
from scraper.memory import Kept, Memory
from scraper.outbox_thread import OutboxThread
from scraper.poll import Conductor
from scraper.recorder import Recorder
from scraper.report import Report
from scraper.samples import Samples
from scraper.status import ScraperCollector, not_ready, registry
from scraper.streaming import Streaming
from scraper.uplink.backoff import Backoff
from scraper.uplink.sender import Sender
from scraper.uplink.signer import Key, Signer
from scraper.uplink.uplink import Uplink
from shared.clock import Clock, SystemClock
from shared.status_server import StatusServer

log = structlog.get_logger()

BUILT_MS = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1000)
"""No reading is older than this program: an earlier host clock has not been set yet (milliseconds)."""
LAST_POST_S = 5.0
RETRY_S = 10.0
OUTBOX_FILE = "outbox.sqlite"


async def run(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM. Raises ScraperError for what makes running impossible."""
    if settings.receiver is None:
        raise SettingError("ENVOY_RECEIVER_URL is not set: say where the receiver is, e.g. http://127.0.0.1:8000")
    key = signing_key(settings.receiver)
    clock = SystemClock()
    stop = _stop_signal()
    await _sane_clock(clock, stop)
    async with _outbox(settings, clock, stop) as outbox:
        if not stop.is_set():
            await _run(settings, settings.receiver, key, clock, outbox, stop)


async def _run(
    settings: Settings, receiver: ReceiverSettings, key: Key, clock: Clock, outbox: OutboxThread, stop: asyncio.Event
) -> None:
    rng = random.Random()
    health = Health()
    memory = Memory(outbox)
    await memory.load()
    stall_ms = max(STALL_MS, round(3_000 * settings.meter_interval))
    recorder = Recorder(Tracker(scaled(settings.dead_band), stall_ms=stall_ms), outbox, clock)
    gaps = Gaps(recorder, memory)
    await _own_state(settings, memory, outbox)
    gateway = Gateway(gateway_options(settings), clock)
    collector = ScraperCollector(health, clock)
    samples = Samples(
        gateway, recorder, gaps, memory, health, clock, poll_meters=settings.meter_source in ("auto", "poll")
    )
    report = Report(health, outbox, collector, recorder, clock)
    conductor = Conductor(
        gateway,
        samples,
        report,
        health,
        clock,
        rng,
        inverter_interval_s=settings.inverter_interval,
        meter_interval_s=settings.meter_interval,
        meters_wanted=settings.meter_source != "off",
    )
    sender: Sender | None = None
    status = StatusServer(
        settings.status_host,
        settings.status_port,
        registry=registry(collector),
        ready=lambda: not_ready(health, collector.uplink),
    )
    _start(status)
    uplink: Uplink | None = None
    try:
        await _opening(recorder, gaps, memory, clock)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(conductor.run()), tasks.create_task(gateway.maintain())]
            if settings.meter_source in ("auto", "stream"):
                running.append(tasks.create_task(Streaming(gateway, samples, health, clock, rng).run()))
            serial = await _serial(gateway, memory, stop, clock)
            if serial is not None:
                sender = Sender(receiver.url, serial, receiver_tls(receiver))
                uplink = Uplink(
                    outbox, sender, Signer(key, serial), clock, interval_s=settings.post_interval, backoff=Backoff(rng)
                )
                collector.uplink = uplink.state
                running.append(tasks.create_task(uplink.run()))
            await stop.wait()
            for task in running:
                task.cancel()
        await samples.stopped("the scraper was stopped")
        await samples.remember()
        if uplink is not None:
            await _last_post(uplink)
    finally:
        status.stop()
        await gateway.aclose()
        if sender is not None:
            await sender.aclose()


async def _own_state(settings: Settings, memory: Memory, outbox: OutboxThread) -> None:
    """One state directory belongs to one gateway: rows name none, so they must never go out under another's name."""
    now = settings.gateway.serial or PinStore(settings.state_dir).gateway()
    before = memory.kept.serial
    if not before or now is None or now == before:
        return
    waiting = (await outbox.stats()).rows
    if waiting:
        raise SettingError(
            f"ENVOY_STATE_DIR: {settings.state_dir} holds {waiting} readings of gateway {before}, and this scraper "
            f"now belongs to gateway {now}: give it another ENVOY_STATE_DIR, or let the old one be delivered first"
        )
    memory.kept = Kept(serial=now)
    await memory.save()


async def _opening(recorder: Recorder, gaps: Gaps, memory: Memory, clock: Clock) -> None:
    """Mark the start, and the time that a killed predecessor left without one."""
    newest = memory.kept.newest_stamp_ms
    if newest and not gaps.is_open:
        await gaps.open(newest, "the scraper was killed")
    await recorder.record([event("start", clock.now_ms(), "the scraper started")])


async def _serial(gateway: Gateway, memory: Memory, stop: asyncio.Event, clock: Clock) -> str | None:
    """Whose data this is: remembered, or told by the gateway; None if stopped before either."""
    while not memory.kept.serial and not stop.is_set():
        if gateway.identity is not None:
            memory.kept.serial = gateway.identity.serial
            await memory.save()
            break
        await clock.sleep(0.2)
    return memory.kept.serial or None


async def _last_post(uplink: Uplink) -> None:
    """Deliver what is left, if the receiver is there; what is not delivered waits in the outbox."""
    with contextlib.suppress(TimeoutError, OutboxError):
        async with asyncio.timeout(LAST_POST_S):
            await uplink.drain_once()


@contextlib.asynccontextmanager
async def _outbox(settings: Settings, clock: Clock, stop: asyncio.Event) -> AsyncIterator[OutboxThread]:
    outbox = OutboxThread()
    try:
        while True:
            try:
                await outbox.open(settings.state_dir / OUTBOX_FILE, quota_bytes=settings.outbox_quota, clock=clock)
                break
            except OutboxUnavailableError as error:
                log.error("the outbox cannot be opened; trying again", reason=str(error))
            if await _stopped_within(stop, RETRY_S):
                break
        yield outbox
    finally:
        await outbox.close()


async def _stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await stop.wait()
    except TimeoutError:
        return False


async def _sane_clock(clock: Clock, stop: asyncio.Event) -> None:
    """Wait until the host knows the time: a Raspberry Pi wakes up in 1970."""
    said = False
    while clock.now_ms() < BUILT_MS and not stop.is_set():
        if not said:
            log.warning("the clock of this host is not set yet; nothing is read before it is")
            said = True
        await clock.sleep(1)


def _start(status: StatusServer) -> None:
    try:
        status.start()
    except OSError as error:
        raise SettingError(
            f"ENVOY_STATUS_PORT: cannot listen on {status.host}:{status.port} ({error.strerror}); "
            "choose another port, or 0 for any"
        ) from error


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    return stop
