"""The cloud source over real sockets: the simulator's API, its grant and the job, on time that the tests move."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scraper.cloud.grant import GrantFile, OwnerGrant
from scraper.cloud.poll import CloudPoller
from scraper.outbox.thread import OutboxThread
from scraper.service.cloud_source import CloudSource, open_source
from scraper.settings import CloudSettings, GatewaySettings, ScraperSettings, Secret
from shared.readings import Reading
from shared.wire import decode_reading
from simulator.clock import DeviceClock, ManualClock
from simulator.server import Simulator
from tests.clocks import SimulatedClock

MORNING_S = 1_781_517_600
"""2026-06-15 10:00 UTC."""


def make_cloud_settings(sim: Simulator, state_dir: Path, **changes: Any) -> ScraperSettings:
    """Settings for the simulator's system; `changes` may concern the cloud or the scraper."""
    application = sim.cloud.oauth.application
    cloud: dict[str, Any] = {
        "system": sim.cloud.api.records.system_id,
        "api_url": sim.cloud.url,
        **{name: Secret(name, getattr(application, name)) for name in ("api_key", "client_id", "client_secret")},
    }
    own = {name: changes.pop(name) for name in list(changes) if name in CloudSettings.__struct_fields__}
    values: dict[str, Any] = {
        "gateway": GatewaySettings(),
        "cloud": CloudSettings(**{**cloud, **own}),
        "receiver": None,
        "source": "cloud",
        "state_dir": state_dir,
        "outbox_quota_mib": 64,
        "status_port": 0,
    }
    return ScraperSettings(**{**values, **changes})


def approve(sim: Simulator, state_dir: Path) -> None:
    """The owner approves, without a page."""
    pair, now_s = sim.cloud.oauth.issue_pair(), int(sim.clock.now())
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    GrantFile(state_dir).save(
        OwnerGrant(
            access=pair["access_token"],
            refresh=pair["refresh_token"],
            expires_at=now_s + int(pair["expires_in"]),
            obtained_at=now_s,
            client_id=sim.cloud.oauth.application.client_id,
        )
    )


@dataclass
class SimulatedSource:
    """What reads the simulator's system, and what it committed."""

    sim: Simulator
    device: ManualClock
    source: CloudSource
    outbox: OutboxThread
    poller: CloudPoller

    async def pass_until(self, end_s: float) -> None:
        """Make every pass that is due until then; the clock stands there afterwards."""
        while (due_s := self.poller.find_due_s()) < end_s:
            self.device.advance(max(0.0, due_s - self.device.now()))
            await self.poller.make_pass()
        self.device.advance(end_s - self.device.now())

    async def list_rows(self, kind: str = "interval") -> list[Reading]:
        rows = [decode_reading(row.payload) for row in await self.outbox.read_oldest(10**6, 10**9)]
        return [row for row in rows if row.kind == kind]


@contextlib.asynccontextmanager
async def run_simulated_source(
    folder: Path, monkeypatch: pytest.MonkeyPatch, now_s: float = MORNING_S, profile: str = "firmware-8", **changes: Any
) -> AsyncIterator[SimulatedSource]:
    """A simulator whose time stands, and what reads it."""
    device = ManualClock(now_s)
    async with Simulator(profile, clock=device) as sim:
        authority = folder / "authority.pem"  # it outlives the simulator: every client of the test looks for it
        authority.write_bytes(sim.cloud.ca_file.read_bytes())
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        clock: SimulatedClock[DeviceClock] = SimulatedClock(device)
        settings = make_cloud_settings(sim, folder / "edge", **changes)
        approve(sim, settings.state_dir)
        outbox = OutboxThread()
        await outbox.open(settings.state_dir / "outbox.sqlite", quota_bytes=2**30, clock=clock)
        try:
            source = await open_source(settings, clock, outbox)
            poller = CloudPoller(
                source.parts.api,
                source.parts.budget,
                source.kept,
                source.readers,
                source.health,
                clock,
                system_id=source.system_id,
            )
            yield SimulatedSource(sim, device, source, outbox, poller)
            await source.parts.api.aclose()
        finally:
            await outbox.close()
