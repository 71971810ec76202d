"""The running scraper with the cloud in the place of a gateway: same outbox, same delivery, same status."""

import asyncio
import contextlib
import functools
import re
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, NamedTuple, Protocol

import structlog

from scraper.cloud.kept import KeptCloud
from scraper.cloud.poll import CloudPoller
from scraper.cloud.questions import TYPES
from scraper.cloud.readers import IntervalReader
from scraper.cloud.rules.references import parse_source_map
from scraper.cloud.type_progress import WantedSource
from scraper.collect.health import Health
from scraper.collect.memory import DurableMemory, MemoryChange
from scraper.collect.recorder import Recorder
from scraper.collect.report import Report
from scraper.delta.host_clock import StepRecord
from scraper.delta.tracker import Tracker
from scraper.errors import OutboxUnavailableError, ScraperSettingError
from scraper.outbox.thread import OutboxThread
from scraper.service.cloud_parts import CloudParts, make_cloud_parts
from scraper.service.startup import claim_state, mark_start, start_status
from scraper.service.status import ScraperCollector, explain_not_ready, make_registry
from scraper.settings import CloudSettings, ScraperSettings
from scraper.uplink.misdated_rows import KnownSteps
from scraper.uplink.uplink import UplinkState
from shared.clock import Clock
from shared.cloud_identity import PREFIX
from shared.status_server import StatusServer

log = structlog.get_logger()

_SHOW_S = 60.0
_TAG_VALUE = re.compile(r"[0-9A-Za-z._-]{1,64}")


class CloudDelivery(Protocol):
    """The way to the receiver."""

    def get_state(self) -> UplinkState | None:
        """How delivery stands; None before it has begun."""
        ...

    async def run(self, outbox: OutboxThread, serial: str, known_steps: KnownSteps) -> None:
        """Deliver until cancelled."""
        ...

    async def aclose(self) -> None:
        """Deliver what is left."""
        ...


class CloudSource(NamedTuple):
    """What reads a system.

    Attributes:
        system_id: Which.
        parts: Its API.
        kept: What outlives the process.
        recorder: Where rows go.
        readers: One for each type.
        health: Written.
    """

    system_id: int
    parts: CloudParts
    kept: KeptCloud
    recorder: Recorder
    readers: Sequence[IntervalReader]
    health: Health


MakeJob = Callable[[CloudSource, Clock], Callable[[], Awaitable[None]]]
"""What reads until cancelled, of a source."""


def name_system(cloud: CloudSettings) -> str:
    """The serial under which a system's readings go to the receiver."""
    return f"{PREFIX}{find_system(cloud)}"


def find_system(cloud: CloudSettings) -> int:
    """The system's number. Raises ScraperSettingError."""
    if cloud.system is None:
        raise ScraperSettingError(
            "ENVOY_CLOUD_SYSTEM is not set: `envoy-scraper cloud systems` lists the systems of the owner who approved"
        )
    return cloud.system


def choose_sources(cloud: CloudSettings) -> list[WantedSource]:
    """The types that are read, with the names of their sources. Raises ScraperSettingError."""
    system_id, named = find_system(cloud), parse_source_map(cloud.devices)
    wanted = []
    for one in TYPES.values():
        source = one.name if named is None else named.get(f"/{system_id}/{one.name}/sys")
        if source is not None:
            if not _TAG_VALUE.fullmatch(source):
                raise ScraperSettingError(
                    "ENVOY_CLOUD_DEVICES: a name may have letters, digits and . _ - only, 64 at most"
                )
            wanted.append(WantedSource(one, source))
    if not wanted or len({source for _, source in wanted}) < len(wanted):
        raise ScraperSettingError(
            f"ENVOY_CLOUD_DEVICES must give names of their own to /{system_id}/inv/sys, to /{system_id}/met/sys, or to "
            "both"
        )
    return wanted


async def open_source(settings: ScraperSettings, clock: Clock, outbox: OutboxThread) -> CloudSource:
    """Everything that reads the system, over an open outbox, which belongs to it from now on.

    Raises ScraperSettingError, and OutboxUnavailableError if that cannot be written down.
    """
    cloud = settings.cloud
    system_id, wanted = find_system(cloud), choose_sources(cloud)
    memory, health = DurableMemory(outbox), Health(serial=name_system(cloud))
    await memory.load()
    await claim_state(settings, memory, outbox, name_system(cloud))
    recorder = Recorder(Tracker(), outbox, memory, clock)
    if not memory.state.serial and not await recorder.keep(MemoryChange(serial=health.serial)):
        raise OutboxUnavailableError("the outbox cannot be written: see the line before")
    kept = KeptCloud(memory, recorder, {name: one.step_s for name, one in TYPES.items()})
    parts = make_cloud_parts(settings, clock)
    max_lag_s = cloud.max_lag.total_seconds()
    readers = [
        IntervalReader(parts.api, kept, clock, system_id=system_id, wanted=one, position=position, max_lag_s=max_lag_s)
        for position, one in enumerate(wanted)
    ]
    return CloudSource(system_id, parts, kept, recorder, readers, health)


def make_poll(source: CloudSource, clock: Clock) -> Callable[[], Awaitable[None]]:
    """The passes over the types."""
    return CloudPoller(
        source.parts.api,
        source.parts.budget,
        source.kept,
        source.readers,
        source.health,
        clock,
        system_id=source.system_id,
    ).run


async def run_cloud(
    settings: ScraperSettings,
    delivery: CloudDelivery,
    clock: Clock,
    outbox: OutboxThread,
    stop: asyncio.Event,
    make_job: MakeJob,
) -> None:
    """Read the system and deliver until `stop` is set. Raises as `scraper.service.app.run`."""
    source = await open_source(settings, clock, outbox)
    health, recorder, memory = source.health, source.recorder, source.kept.memory
    report = Report(health, None, outbox, recorder, clock)
    look = functools.partial(report.look, asyncio.get_running_loop())
    collector = ScraperCollector(health, recorder, clock, uplink=delivery.get_state, look=look)

    async def list_steps() -> Sequence[StepRecord]:
        return memory.state.steps  # intervals carry the cloud's time, which no step of this host's clock moves

    async with contextlib.AsyncExitStack() as closing:
        status = StatusServer(
            settings.status_host,
            settings.status_port,
            registry=make_registry(collector),
            ready=lambda: explain_not_ready(health, delivery.get_state()),
        )
        start_status(status)
        closing.callback(status.stop)
        closing.push_async_callback(source.parts.api.aclose)
        closing.push_async_callback(delivery.aclose)
        await mark_start(recorder, memory, clock)
        await report.send()
        async with asyncio.TaskGroup() as tasks:
            loops: list[Coroutine[Any, Any, None]] = [
                _await_job(make_job(source, clock)),
                source.parts.keeper.maintain(),
                _show_expiry(source, clock),
                report.run(),
                delivery.run(outbox, health.serial, list_steps),
            ]
            running = [tasks.create_task(loop) for loop in loops]
            log.info("running", source="cloud", status_port=status.port)
            await stop.wait()
            for task in running:
                task.cancel()


async def _show_expiry(source: CloudSource, clock: Clock) -> None:
    """Let report and metrics say when the approval would end, as they do of a gateway's token: alarms watch it."""
    while True:
        source.health.token_expires_s = source.parts.keeper.ends_at
        await clock.sleep(_SHOW_S)


async def _await_job(job: Callable[[], Awaitable[None]]) -> None:
    await job()
