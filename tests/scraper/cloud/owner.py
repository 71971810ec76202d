"""An owner who approved the application, and the parts that read the simulated API for them, on time that stands."""

import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from scraper.cloud.grant import OwnerGrant
from scraper.service.cloud_parts import make_cloud_parts
from scraper.settings import CloudSettings, GatewaySettings, ScraperSettings, Secret
from simulator.clock import ManualClock
from simulator.server import Simulator
from tests.clocks import SimulatedClock

NOW = 1_781_517_610.0
"""2026-06-15 10:00:10 UTC."""
SYSTEM = "systems/4711023"


class Owner:
    """What a test needs to look at both sides.

    Attributes:
        sim: the cloud.
        clock: time of both sides; it moves by `device.advance`.
        settings: of the scraper.
        parts: what reads; `restart` makes them again.
    """

    def __init__(self, sim: Simulator, clock: SimulatedClock[ManualClock], settings: ScraperSettings) -> None:
        self.sim = sim
        self.clock = clock
        self.settings = settings
        self.parts = make_cloud_parts(settings, clock)

    def advance(self, seconds: float) -> None:
        """Let time pass on both sides."""
        self.clock.device.advance(seconds)

    def approve(self) -> OwnerGrant:
        """Approve, as `cloud authorise` ends."""
        pair, now_s = self.sim.cloud.oauth.issue_pair(), self.clock.now_ms() // 1000
        grant = OwnerGrant(
            access=pair["access_token"],
            refresh=pair["refresh_token"],
            expires_at=now_s + pair["expires_in"],
            obtained_at=now_s,
            client_id=self.sim.cloud.oauth.application.client_id,
        )
        self.parts.grant_file.save(grant)
        return grant

    def read_grant(self) -> OwnerGrant:
        """The grant as it lies in the file."""
        return msgspec.json.decode(self.parts.grant_file.path.read_bytes(), type=OwnerGrant)

    async def restart(self) -> None:
        """Make the parts again, as a new process does."""
        await self.parts.api.aclose()
        self.parts = make_cloud_parts(self.settings, self.clock)

    def count_renewals(self) -> int:
        """Calls of the token endpoint so far."""
        return len(self.sim.cloud.oauth.renewals)

    def list_secrets(self) -> list[str]:
        """What must stand in no log, error and metric."""
        application = self.sim.cloud.oauth.application
        tokens = [token for one in self.sim.cloud.oauth._approvals for token in (*one.access, *one.refresh)]
        return [application.api_key, application.client_secret, "owner@example.com", *tokens]


def make_cloud_settings(sim: Simulator, state_dir: Path, **changes: Any) -> ScraperSettings:
    """Settings of a cloud source for the simulated system."""
    application = sim.cloud.oauth.application
    cloud = CloudSettings(
        **{
            "system": sim.cloud.api.records.system_id,
            "api_key": Secret("ENVOY_CLOUD_API_KEY", application.api_key),
            "client_id": Secret("ENVOY_CLOUD_CLIENT_ID", application.client_id),
            "client_secret": Secret("ENVOY_CLOUD_CLIENT_SECRET", application.client_secret),
            "api_url": sim.cloud.url,
            **changes,
        }
    )
    return ScraperSettings(gateway=GatewaySettings(), receiver=None, cloud=cloud, source="cloud", state_dir=state_dir)


@contextlib.asynccontextmanager
async def run_cloud(monkeypatch: Any, folder: Path, *, approved: bool = True, **changes: Any) -> AsyncIterator[Owner]:
    """The simulated cloud, and the parts of the scraper for an owner who has approved."""
    random.seed(4)
    device = ManualClock(NOW)
    async with Simulator("firmware-8", clock=device) as sim:
        monkeypatch.setenv("SSL_CERT_FILE", str(sim.cloud.ca_file))
        owner = Owner(sim, SimulatedClock(device), make_cloud_settings(sim, folder / "state", **changes))
        if approved:
            owner.approve()
        try:
            yield owner
        finally:
            await owner.parts.api.aclose()
