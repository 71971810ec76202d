"""A home whose gateway is one of the field cases: the real scraper and receiver, on time that runs fast."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from receiver.service.app import run_receiver
from receiver.service.build import build
from receiver.stores.base import Store
from scraper.check.findings import Finding
from scraper.check.walk import walk
from scraper.gateway.info import parse_info
from scraper.service import app
from scraper.settings import GatewaySettings, ScraperSettings, UplinkSettings
from simulator.clock import SimClock
from tests.clocks import SimulatedClock
from tests.field_cases import FieldCase
from tests.receiver import service
from tests.scraper.gateway.fake_tokens import make_token
from tests.scraper.running_scraper import SECRET, SPEED, ask_receiver, make_secret, wait_until

_CLOSED = 1
"""A port of the loopback interface where nobody listens."""


@dataclass
class FieldHome:
    """What runs, and what arrived.

    Attributes:
        case: The gateway.
        serial: Its own.
        clock: The time of all.
        store: Of the receiver.
        settings: Of the scraper.
        url: Of the receiver.
    """

    case: FieldCase
    serial: str
    clock: SimulatedClock[SimClock]
    store: Store
    settings: ScraperSettings
    url: str

    async def read_points(self, kind: str, **tags: str) -> list[Any]:
        """Everything stored of a kind, oldest first: (timestamp, fields)."""
        found = await self.store.read_points(self.serial, kind, tags=tags, start=0, stop=2**53)
        return sorted((point for series in found for point in series.points), key=lambda point: point.timestamp)

    async def wait_for_points(
        self, kind: str, count: int = 1, *, what: Callable[[Any], bool] = bool, **tags: str
    ) -> list[Any]:
        """Wait until that many points are stored that `what` likes; those."""

        async def look() -> list[Any]:
            liked = [point for point in await self.read_points(kind, **tags) if what(point)]
            return liked if len(liked) >= count else []

        found: list[Any] = await wait_until(look, lambda: f"{count} {kind} {tags} in the store")
        return found

    async def ask(self, question: str) -> Any:
        """What the receiver's API answers about this gateway."""
        return await ask_receiver(self.url, self.serial, question, self.clock.now_ms())

    async def wait_for_power(self, what: Callable[[Any], bool] = bool) -> Any:
        """`/power`, once it is as wanted."""
        last: list[Any] = []

        async def look() -> Any:
            if not await self.store.list_gateways():  # the receiver knows a gateway once it has heard from it
                return None
            last[:] = [await self.ask("power")]
            return last[0] if what(last[0]) else None

        return await wait_until(look, lambda: f"a /power as wanted: {last}")

    async def wait_for_drops(self) -> None:
        """Wait until the gateway has served what it was to serve once, and the next poll is over, too."""

        async def look() -> bool:
            return self.case.has_dropped

        await wait_until(look, lambda: "the one odd reply is asked for")
        await self.clock.sleep(self.settings.meter_interval * 2)

    async def check(self) -> list[Finding]:
        """What the doctor says. Stop the scraper first."""
        findings: list[Finding] = []
        await walk(self.settings, self.clock, findings.append)
        return findings

    @contextlib.asynccontextmanager
    async def run_scraper(self) -> AsyncIterator[asyncio.Task[None]]:
        """A running scraper; at the end it is stopped in order, and its errors are raised."""
        stop = asyncio.Event()
        task = asyncio.create_task(app.run(self.settings, clock=self.clock, stop=stop))
        try:
            yield task
        finally:
            stop.set()
            await task


@contextlib.asynccontextmanager
async def open_field_home(
    name: str,
    folder: Path,
    *,
    speed: float = SPEED,
    clock_ahead_s: float = 0.0,
    hosted: Mapping[str, Any] = MappingProxyType({}),
    **changes: Any,
) -> AsyncIterator[FieldHome]:
    """A home with the gateway of a case. The scraper is started by the test; `changes` are settings of it."""
    sim_clock = SimClock(speed)
    clock = SimulatedClock(sim_clock)
    with FieldCase(name, lambda: sim_clock.now() + clock_ahead_s, speed) as case:
        serial = parse_info(case.read_body("/info")).serial
        settings = service.make_settings(folder / "hosted", secret=SECRET.encode(), gateways=(serial,), **hosted)
        receiver = build(settings, clock=clock)
        async with run_receiver(receiver, host="127.0.0.1", port=0) as listener:
            url = f"http://127.0.0.1:{listener.port}"
            gateway = GatewaySettings(
                host="127.0.0.1",
                token=make_secret(make_token(serial, issued_s=round(sim_clock.now()) - 86_400)),
                cloud_url="https://127.0.0.1:1",
                token_url="https://127.0.0.1:1",
                http_port=_CLOSED,
                https_port=case.port,
            )
            uplink = UplinkSettings(url=url, secret=make_secret(SECRET))
            values: dict[str, Any] = {"outbox_quota_mib": 64, "status_port": 0, **changes}
            edge = ScraperSettings(gateway=gateway, receiver=uplink, state_dir=folder / "edge", **values)
            yield FieldHome(case, serial, clock, receiver.store, edge, url)
