"""A client of the simulated API that knows nothing of the scraper."""

import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any

import httpx

from simulator.clock import ManualClock
from simulator.server import Simulator

MORNING = 1_781_517_610.0
"""2026-06-15 10:00:10 UTC, a Monday."""
REDIRECT = "https://127.0.0.1/oauth/redirect_uri"


class ApiClient:
    """Asks as a program does that the owner has approved.

    Attributes:
        sim: the simulator.
        clock: its time.
        http: a client that trusts the cloud's authority.
        access: the access token of every request; tests may change it.
    """

    def __init__(self, sim: Simulator, clock: ManualClock, http: httpx.AsyncClient) -> None:
        self.sim = sim
        self.clock = clock
        self.http = http
        self.access = sim.cloud.oauth.issue_pair()["access_token"]

    async def get(self, path: str, **parameters: Any) -> httpx.Response:
        """One request under `/api/v4/`."""
        headers = {"key": self.sim.cloud.oauth.application.api_key, "Authorization": f"Bearer {self.access}"}
        return await self.http.get(f"/api/v4/{path}", params=parameters, headers=headers)

    async def read(self, path: str, **parameters: Any) -> Any:
        """The document of a request about the system that is answered."""
        reply = await self.get(f"systems/{self.sim.cloud.api.records.system_id}/{path}".rstrip("/"), **parameters)
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def ask_token(self, **form: str) -> httpx.Response:
        """One call of the token endpoint."""
        application = self.sim.cloud.oauth.application
        return await self.http.post("/oauth/token", data=form, auth=(application.client_id, application.client_secret))


@contextlib.asynccontextmanager
async def run_api(profile: str = "firmware-8", now: float = MORNING, **options: Any) -> AsyncIterator[ApiClient]:
    """A simulator whose time stands, and a client of its API."""
    clock = ManualClock(now)
    async with Simulator(profile, clock=clock, **options) as sim:
        context = ssl.create_default_context(cafile=str(sim.cloud.ca_file))
        async with httpx.AsyncClient(base_url=sim.cloud.url, verify=context, timeout=60) as http:
            yield ApiClient(sim, clock, http)
