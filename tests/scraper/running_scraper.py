"""A whole home in one event loop: a simulated gateway, the real scraper, the real receiver, on time that runs fast."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx

from receiver.service.app import run_receiver
from receiver.service.build import build
from receiver.stores.base import Store
from scraper.service import app
from scraper.settings import GatewaySettings, ScraperSettings, Secret, UplinkSettings
from simulator.clock import SimClock
from simulator.server import Simulator
from tests.clocks import SimulatedClock
from tests.receiver import service

SECRET = "canary-household-secret-7c1e94b05ad8f362"
SPEED = 20.0
PATIENCE_S = 60.0
"""Longest wait for anything that must happen; far beyond what a busy machine needs."""


def make_secret(value: str | None = None, path: Path | None = None) -> Secret:
    return Secret("ENVOY_SOMETHING", value, path)


def make_scraper_settings(sim: Simulator, state_dir: Path, receiver_url: str, **changes: Any) -> ScraperSettings:
    """Settings for this gateway; `changes` may concern the gateway or the scraper."""
    gateway: dict[str, Any] = {
        "host": "127.0.0.1",
        "token": make_secret(sim.make_token("installer")),
        "cloud_url": "https://127.0.0.1:1",
        "token_url": "https://127.0.0.1:1",
        "http_port": sim.http_port,
        "https_port": sim.https_port,
    }
    own = {name: changes.pop(name) for name in list(changes) if name in GatewaySettings.__struct_fields__}
    values: dict[str, Any] = {
        "gateway": GatewaySettings(**{**gateway, **own}),
        "receiver": UplinkSettings(url=receiver_url, secret=make_secret(SECRET)),
        "state_dir": state_dir,
        "outbox_quota_mib": 64,
        "status_port": 0,
    }
    return ScraperSettings(**{**values, **changes})


@dataclass
class RunningScraper:
    """What runs, and what arrived.

    Attributes:
        logs: Lines that were logged, as dictionaries.
    """

    sim: Simulator
    clock: SimulatedClock[SimClock]
    store: Store
    receiver_url: str
    folder: Path
    logs: list[Any]

    @property
    def state_dir(self) -> Path:
        return self.folder / "edge"

    @contextlib.asynccontextmanager
    async def run_scraper(self, **changes: Any) -> AsyncIterator[asyncio.Task[None]]:
        """A running scraper; at the end it is stopped in order, and its errors are raised."""
        stop = asyncio.Event()
        settings = make_scraper_settings(self.sim, self.state_dir, self.receiver_url, **changes)
        task = asyncio.create_task(app.run(settings, clock=self.clock, stop=stop))
        try:
            yield task
        finally:
            stop.set()
            await task

    async def read_points(self, kind: str, **tags: str) -> list[Any]:
        """Everything stored of a kind, oldest first: (timestamp, fields)."""
        found = await self.store.read_points(self.sim.profile.serial, kind, tags=tags, start=0, stop=2**53)
        return sorted((point for series in found for point in series.points), key=lambda point: point.timestamp)

    async def ask(self, question: str) -> Any:
        """What the receiver's API answers about this gateway."""
        return await ask_receiver(self.receiver_url, self.sim.profile.serial, question, self.clock.now_ms())

    async def read_events(self, kind: str) -> list[tuple[int, Mapping[str, Any]]]:
        return await self.read_points("event", type=kind)

    async def wait_for_points(
        self, kind: str, count: int = 1, *, what: Callable[[Any], bool] = bool, **tags: str
    ) -> list[Any]:
        """Wait until that many points are stored that `what` likes; those."""
        found: list[Any] = await wait_until(
            lambda: self._list_liked(kind, count, what, tags),
            lambda: f"{count} {kind} {tags} in the store; log: {self.logs[-20:]}",
        )
        return found

    async def _list_liked(
        self, kind: str, count: int, what: Callable[[Any], bool], tags: Mapping[str, str]
    ) -> list[Any]:
        liked = [point for point in await self.read_points(kind, **tags) if what(point)]
        return liked if len(liked) >= count else []

    def list_lines(self, text: str) -> list[Any]:
        return [line for line in self.logs if text in line["event"]]

    async def wait_for_line(self, text: str, count: int = 1) -> None:
        """Wait until a line has been logged."""

        async def look() -> bool:
            return len(self.list_lines(text)) >= count

        await wait_until(look, lambda: f"{text!r} in the log: {self.logs[-20:]}")


async def ask_receiver(url: str, serial: str, question: str, now_ms: int) -> Any:
    """The answer of a receiver's API about a gateway, with a token of `now_ms` (UTC, milliseconds) that may read it."""
    token = service.sign(service.make_read_claims(now_ms), service.READ_SECRET, kid="read")
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        answer = await client.get(f"/api/v1/gateways/{serial}/{question}", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def wait_until(look: Callable[[], Any], what: Callable[[], str]) -> Any:
    """Look again and again until there is something."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not (found := await look()):  # noqa: ASYNC110 (what is waited for lies in files and logs)
                await asyncio.sleep(0.05)
            return found
    except TimeoutError:
        raise AssertionError(f"never happened: {what()}") from None


@contextlib.asynccontextmanager
async def run_at_home(
    folder: Path,
    logs: list[Any],
    profile: str = "firmware-8",
    *,
    host_ahead_s: float = 0.0,
    hosted_settings: Mapping[str, Any] = MappingProxyType({}),
    **simulator: Any,
) -> AsyncIterator[RunningScraper]:
    """Gateway and receiver at work; the receiver keeps readings in SQLite unless its settings say otherwise."""
    sim_clock = SimClock(SPEED)
    async with Simulator(profile, clock=sim_clock, late_morning=True, **simulator) as sim:
        clock = SimulatedClock(sim_clock, host_ahead_s)
        settings = service.make_settings(
            folder / "hosted", secret=SECRET.encode(), gateways=(sim.serial,), **hosted_settings
        )
        hosted = build(settings, clock=SimulatedClock(sim_clock))
        async with run_receiver(hosted, host="127.0.0.1", port=0) as listener:
            yield RunningScraper(sim, clock, hosted.store, f"http://127.0.0.1:{listener.port}", folder, logs)
