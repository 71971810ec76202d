"""A receiver as a process of its own beside imports, and what its store holds."""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from typer.testing import CliRunner, Result

from receiver import settings
from receiver.cli import app
from receiver.ingest.journal import Journal
from receiver.ingest.marking import MarkingStore
from receiver.rollups.catch_up import catch_up
from receiver.rollups.job import JOURNAL_FILE
from receiver.sites.model import Site
from receiver.stores.base import GatewayReading, Point
from receiver.stores.choose import make_store
from shared.clock import SystemClock
from shared.readings import Reading
from tests.receiver.service import GATEWAY

_T = TypeVar("_T")
_LONGEST_S = 120.0


@contextlib.contextmanager
def run_receiver_process() -> Iterator["subprocess.Popen[str]"]:
    """A receiver with the settings of the environment, which listens; SIGKILL ends it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "receiver", "run"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    try:
        assert any("receiving" in line for line in process.stdout)
        yield process
    finally:
        process.kill()
        process.communicate()


def run_import(*arguments: str, fails: bool = False, typed: bytes | None = None) -> Result:
    """`envoy-receiver import` for the gateway of the tests, with what comes in by standard input."""
    result = CliRunner().invoke(app, ["import", *arguments, "--gateway", GATEWAY], input=typed)
    assert "Traceback" not in result.output
    assert bool(result.exit_code) == fails, result.output
    return result


def read_stored(kind: str, start: int, stop: int, *, gateway: str = GATEWAY) -> list[Point]:
    """What the store of the environment holds of one kind, of every series."""
    return asyncio.run(_read(kind, start, stop, gateway))


async def _read(kind: str, start: int, stop: int, gateway: str) -> list[Point]:
    store = make_store(settings.load())
    try:
        found = await store.read_points(gateway, kind, start=start, stop=stop)
        return [point for one in found for point in one.points]
    finally:
        await store.close()


def store_measured(*readings: Reading) -> None:
    """Readings that lie in the store as if a scraper had sent them, unknown to any journal."""
    asyncio.run(_write(readings))


async def _write(readings: tuple[Reading, ...]) -> None:
    store = make_store(settings.load())
    await store.open()
    assert await store.write([GatewayReading(GATEWAY, reading) for reading in readings]) == {}
    await store.close()


def wait_for(read: Callable[[], _T], is_there: Callable[[_T], bool]) -> _T:
    """What is read once it is there."""
    deadline = time.monotonic() + _LONGEST_S
    while not is_there(found := read()):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found


def roll_up(state: Path, site: Site) -> None:
    """Compute everything that is due, as a receiver does that starts over this state directory."""
    asyncio.run(_roll_up(state, site))


async def _roll_up(state: Path, site: Site) -> None:
    store = make_store(settings.load())
    await store.open()
    try:
        await catch_up(store, site_of=lambda _: site, clock=SystemClock(), state_dir=state)
    finally:
        await store.close()


def write_through_journal(state: Path, readings: list[Reading]) -> None:
    """Readings that come in while a receiver runs over this state directory."""
    asyncio.run(_write_through_journal(state, readings))


async def _write_through_journal(state: Path, readings: list[Reading]) -> None:
    store, journal = make_store(settings.load()), Journal(state / JOURNAL_FILE)
    await store.open()
    try:
        rows = [GatewayReading(GATEWAY, reading) for reading in readings]
        assert await MarkingStore(store, journal).write(rows) == {}
    finally:
        await journal.close()
        await store.close()
