"""The composition root of the running scraper: builds the parts, runs them together, stops them in order.

Order of stopping: no new samples; the held-back samples and the open gap are committed; one last post; the outbox is
closed. The same order is kept when a part fails unexpectedly: the process then ends with an error, so that its
supervisor starts it again. A kill at any moment loses at most what was not yet committed.
"""

import asyncio
import contextlib
import functools
import random
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from scraper.collect.ensemble import EnsembleSamples
from scraper.collect.health import Health
from scraper.collect.memory import DurableMemory
from scraper.collect.place import Place
from scraper.collect.poll import Poller
from scraper.collect.recorder import Recorder
from scraper.collect.report import Report
from scraper.collect.samples import Samples
from scraper.collect.streaming import StreamKeeper
from scraper.delta.bands import scale_bands
from scraper.delta.tracker import STALL_MS, Tracker
from scraper.errors import OutboxError, ScraperSettingError
from scraper.gateway.session import GatewaySession
from scraper.outbox.thread import OutboxThread
from scraper.service.build import load_signing_key, make_gateway_options, make_receiver_tls
from scraper.service.startup import (
    claim_state,
    find_owner,
    mark_start,
    open_outbox,
    refuse_exposed_state,
    start_status,
    wait_for_sane_clock,
)
from scraper.service.status import ScraperCollector, explain_not_ready, make_registry
from scraper.settings import ScraperSettings, UplinkSettings
from scraper.uplink.misdated_rows import KnownSteps
from scraper.uplink.sender import Sender
from scraper.uplink.signer import Signer
from scraper.uplink.uplink import Uplink, UplinkState
from shared.clock import Clock, SystemClock
from shared.keys import PublicKey
from shared.status_server import StatusServer

if TYPE_CHECKING:
    from scraper.service.cloud_source import MakeJob

log = structlog.get_logger()

LAST_POST_S = 5.0


async def run(
    settings: ScraperSettings,
    *,
    clock: Clock | None = None,
    stop: asyncio.Event | None = None,
    job: "MakeJob | None" = None,
) -> None:
    """Run until a signal or `stop` ends it.

    Args:
        settings: From `scraper.settings.load`.
        clock: The host's, unless given.
        stop: Ends the service when set; without it, SIGINT and SIGTERM do.
        job: What reads the cloud where that is the source; without it, the passes over its intervals.

    Raises:
        ScraperError: Running is impossible; the message says what to do. In a group if it happened while running.
    """
    if settings.receiver is None:
        raise ScraperSettingError(
            "ENVOY_RECEIVER_URL is not set: say where the receiver is, e.g. http://127.0.0.1:8000"
        )
    refuse_exposed_state(settings.state_dir)
    clock = clock or SystemClock()
    stop = stop or _stop_on_signals()
    delivery = _Delivery(settings.receiver, settings.key_file, settings.post_interval, clock)
    await wait_for_sane_clock(clock, stop)
    async with open_outbox(settings, clock, stop) as outbox:
        if outbox is not None:
            if settings.source == "cloud":
                from scraper.service.cloud_source import make_poll, run_cloud  # noqa: PLC0415 (only this source's)

                await run_cloud(settings, delivery, clock, outbox, stop, job or make_poll)
            else:
                await _run(settings, delivery, clock, outbox, stop)
    log.info("stopped")


class _Delivery:
    """The way to the receiver. It opens once it is known whose readings these are."""

    def __init__(self, receiver: UplinkSettings, key_file: Path, interval_s: float, clock: Clock) -> None:
        """Raises ScraperSettingError for a key or an authority that cannot be used."""
        self._receiver = receiver
        self._read_key = functools.partial(load_signing_key, receiver.secret, key_file)
        # Made if there is none: a container has to run before anybody can ask it for its key.
        self._key = self._read_key(make=True)
        self._tls = make_receiver_tls(receiver)
        self._interval_s = interval_s
        self._clock = clock
        self._sender: Sender | None = None
        self._uplink: Uplink | None = None

    def get_state(self) -> UplinkState | None:
        """How delivery stands; None before it is known whose readings these are."""
        return None if self._uplink is None else self._uplink.state

    async def run(self, outbox: OutboxThread, serial: str, known_steps: KnownSteps) -> None:
        """Deliver until cancelled."""
        if (public := self._key.export_public_raw()) is not None:
            line = str(PublicKey(public, serial))
            log.info("signing with this scraper's own key; the receiver needs it once", command=f"keys add '{line}'")
        self._sender = Sender(self._receiver.url, serial, self._tls)
        signer = Signer(self._key, serial, receiver=self._receiver.name, reload=self._read_key)
        self._uplink = Uplink(
            outbox,
            self._sender,
            signer,
            self._clock,
            interval_s=self._interval_s,
            rng=random.Random(),
            known_steps=known_steps,
        )
        await self._uplink.run()

    async def aclose(self) -> None:
        """Deliver what is left, if the receiver is there; what is not delivered waits in the outbox."""
        if self._uplink is None or self._sender is None:
            return
        with contextlib.suppress(TimeoutError, OutboxError):
            async with asyncio.timeout(LAST_POST_S):
                await self._uplink.drain_once()
        await self._sender.aclose()


async def _run(
    settings: ScraperSettings, delivery: _Delivery, clock: Clock, outbox: OutboxThread, stop: asyncio.Event
) -> None:
    rng = random.Random()
    health = Health()
    memory = DurableMemory(outbox)
    await memory.load()
    await claim_state(settings, memory, outbox)
    stall_ms = max(STALL_MS, round(3_000 * settings.meter_interval))
    recorder = Recorder(Tracker(scale_bands(settings.dead_band), stall_ms=stall_ms), outbox, memory, clock)
    gateway = GatewaySession(make_gateway_options(settings), clock)
    source = settings.meter_source
    samples = Samples(
        gateway,
        recorder,
        memory,
        health,
        clock,
        poll_meters=source in ("auto", "poll"),
        meters_wanted=source != "off",
        stall_ms=stall_ms,
    )
    poller = Poller(
        gateway,
        samples,
        health,
        clock,
        rng,
        inverter_interval_s=settings.inverter_interval,
        meter_interval_s=settings.meter_interval,
        meters_wanted=source != "off",
        ensemble=EnsembleSamples(gateway, recorder, memory, clock, samples.host_time, samples.drift),
        place=Place(gateway, health),
    )
    report = Report(health, samples, outbox, recorder, clock)
    look = functools.partial(report.look, asyncio.get_running_loop())
    collector = ScraperCollector(health, recorder, clock, uplink=delivery.get_state, look=look)
    streaming = StreamKeeper(gateway, samples, health, clock, rng)

    async def deliver() -> None:
        await delivery.run(
            outbox, await find_owner(gateway, recorder, memory, clock), samples.host_time.list_known_steps
        )

    async with contextlib.AsyncExitStack() as closing:
        status = StatusServer(
            settings.status_host,
            settings.status_port,
            registry=make_registry(collector),
            ready=lambda: explain_not_ready(health, delivery.get_state()),
        )
        start_status(status)
        closing.callback(status.stop)
        closing.push_async_callback(gateway.aclose)
        closing.push_async_callback(delivery.aclose)
        await mark_start(recorder, memory, clock)
        await report.send()  # it goes out with the first batch: else the receiver takes a new scraper for a silent one
        why = "the scraper failed"
        try:
            async with asyncio.TaskGroup() as tasks:
                loops = [poller.run(), gateway.maintain(), report.run(), deliver()]
                if source in ("auto", "stream"):
                    loops.append(streaming.run())
                running = [tasks.create_task(loop) for loop in loops]
                log.info("running", status_port=status.port)
                await stop.wait()
                for task in running:
                    task.cancel()
            why = "the scraper was stopped"
        finally:
            await samples.note_stop(why)


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    return stop
