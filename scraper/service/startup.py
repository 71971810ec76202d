"""What must hold before the scraper reads anything: a clock that is set, an open outbox, and whose data it holds."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import structlog

from scraper.collect.memory import DurableMemory, MemoryChange
from scraper.collect.recorder import Recorder
from scraper.errors import OutboxUnavailableError, ScraperSettingError
from scraper.events import make_event
from scraper.gateway.pinning import PinStore
from scraper.gateway.session import GatewaySession
from scraper.outbox.thread import OutboxThread
from scraper.settings import ScraperSettings
from shared.clock import Clock
from shared.cloud_identity import PREFIX
from shared.exposure import find_exposed_directory
from shared.status_server import StatusServer

log = structlog.get_logger()

BUILT_MS = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
"""No reading is older than this program: an earlier host clock has not been set yet (milliseconds)."""
OUTBOX_FILE = "outbox.sqlite"
RETRY_S = 10.0
_LOOK_S = 0.2


def refuse_exposed_state(state_dir: Path) -> None:
    """Raise ScraperSettingError if others may write the state directory; one that is not there yet is made private."""
    if exposed := find_exposed_directory(state_dir):
        raise ScraperSettingError(f"ENVOY_STATE_DIR: {exposed}")


async def wait_for_sane_clock(clock: Clock, stop: asyncio.Event) -> None:
    """Wait until the host knows the time: a Raspberry Pi wakes up in 1970."""
    said = False
    while clock.now_ms() < BUILT_MS and not stop.is_set():
        if not said:
            log.warning("the clock of this host is not set yet; nothing is read before it is")
            said = True
        await clock.sleep(1)


@contextlib.asynccontextmanager
async def open_outbox(
    settings: ScraperSettings, clock: Clock, stop: asyncio.Event
) -> AsyncIterator[OutboxThread | None]:
    """The open outbox, tried until the disk lets it be opened; None if the scraper is stopped before.

    Raises OutboxInUseError and OutboxVersionError, which waiting does not help.
    """
    outbox = OutboxThread()
    path = settings.state_dir / OUTBOX_FILE
    try:
        while not stop.is_set():
            try:
                await outbox.open(path, quota_bytes=settings.outbox_quota_bytes, clock=clock)
            except OutboxUnavailableError as error:
                log.error("the outbox cannot be opened; trying again", reason=str(error))
                await _wait_for_stop(stop, RETRY_S)
            else:
                yield outbox
                return
        yield None
    finally:
        await outbox.close()


async def claim_state(
    settings: ScraperSettings, memory: DurableMemory, outbox: OutboxThread, system: str | None = None
) -> None:
    """One state directory belongs to one gateway: rows name none, so they must never go out under another's name.

    `system`: the cloud's system that is read in the place of a gateway.

    Raises ScraperSettingError if readings of another gateway wait in it.
    """
    now = system or settings.gateway.serial or PinStore(settings.state_dir).read_gateway()
    before = memory.state.serial
    if not before or now is None or now == before:
        return
    waiting = (await outbox.read_stats()).rows
    if waiting:
        raise ScraperSettingError(
            f"ENVOY_STATE_DIR: {settings.state_dir} holds {waiting} readings of gateway {before}, and this scraper now "
            f"belongs to gateway {now}: give it another ENVOY_STATE_DIR; or run {_write_way_back(before)} until "
            "`envoy-scraper outbox list` says that none is waiting"
        )
    await memory.start_over(now)


def _write_way_back(serial: str) -> str:
    """The settings with which a state directory was used for this gateway or system."""
    number = serial.removeprefix(PREFIX)
    return f"with ENVOY_SERIAL={serial}" if number == serial else f"with ENVOY_CLOUD_SYSTEM={number}"


def start_status(status: StatusServer) -> None:
    """Listen. Raises ScraperSettingError if that is impossible."""
    try:
        status.start()
    except OSError as error:
        raise ScraperSettingError(
            f"ENVOY_STATUS_PORT: cannot listen on {status.host}:{status.port} ({error.strerror}); "
            "choose another port, or 0 for any"
        ) from error


async def mark_start(recorder: Recorder, memory: DurableMemory, clock: Clock) -> None:
    """Mark the start, and the time that a killed predecessor left without a mark."""
    if memory.last_sample_ms and not recorder.gap_is_open:
        await recorder.open_gap("the scraper was killed")
    await recorder.record([make_event("start", clock.now_ms(), "the scraper started")])


async def find_owner(gateway: GatewaySession, recorder: Recorder, memory: DurableMemory, clock: Clock) -> str:
    """The serial of the data's gateway: from the memory, or from the gateway as soon as it answers."""
    while not memory.state.serial:
        identity = gateway.identity
        if identity is None or not await recorder.keep(MemoryChange(serial=identity.serial)):
            await clock.sleep(_LOOK_S)
    return memory.state.serial


async def _wait_for_stop(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
