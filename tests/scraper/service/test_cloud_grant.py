"""Another program ends the grant of a running scraper: A9 and A12 of the cloud source, over real sockets and stores."""

import asyncio
import contextlib
import json
from typing import Any

import httpx

from receiver.service.app import run_receiver
from receiver.service.build import build
from scraper.cloud.grant import GRANT_FILE
from scraper.outbox import Outbox
from scraper.service import app
from scraper.settings import UplinkSettings
from simulator.clock import SimClock
from simulator.server import Simulator
from tests.clocks import SimulatedClock
from tests.end_to_end.canaries import Canaries
from tests.receiver import service
from tests.scraper.cloud.simulated_cloud import approve, make_cloud_settings
from tests.scraper.running_scraper import SECRET, make_secret, wait_until

SYSTEM = "system-4711023"
SPEED = 150.0


class CloudHome:
    """A cloud, a scraper that reads it, and a receiver that comes and goes at one address."""

    def __init__(self, sim, clock, folder):
        self.sim, self.clock, self.folder = sim, clock, folder
        self.settings = service.make_settings(folder / "hosted", secret=SECRET.encode(), gateways=(SYSTEM,))
        self.port = 0
        self.store: Any = None

    @contextlib.asynccontextmanager
    async def run_receiver(self):
        hosted = build(self.settings, clock=self.clock)
        async with run_receiver(hosted, host="127.0.0.1", port=self.port) as listener:
            self.port, self.store = listener.port, hosted.store
            yield

    @contextlib.asynccontextmanager
    async def run_scraper(self):
        stop = asyncio.Event()
        receiver = UplinkSettings(url=f"http://127.0.0.1:{self.port}", secret=make_secret(SECRET))
        changes = {"month": 1_000_000, "minute": 10, "log_level": "DEBUG"}
        settings = make_cloud_settings(self.sim, self.folder / "edge", receiver=receiver, **changes)
        task = asyncio.create_task(app.run(settings, clock=self.clock, stop=stop))
        try:
            yield
        finally:
            stop.set()
            await task

    async def list_points(self, kind, **tags):
        found = await self.store.read_points(SYSTEM, kind, tags=tags, start=0, stop=2**53)
        points = (point for series in found for point in series.points)
        return sorted(points, key=lambda point: point.timestamp)

    def count_calls(self):
        return len(self.sim.cloud.api.calls) + len(self.sim.cloud.oauth.renewals)

    async def wait_for_calls(self, more):
        seen = len(self.sim.cloud.api.calls)

        async def look():
            return len(self.sim.cloud.api.calls) >= seen + more

        await wait_until(look, lambda: f"{more} more calls")

    def list_secrets(self):
        application = self.sim.cloud.oauth.application
        return [application.api_key, application.client_secret, *self.list_tokens()]

    def list_tokens(self):
        return [token for one in self.sim.cloud.oauth._approvals for token in (*one.access, *one.refresh)]


async def test_a_second_refresher_costs_two_calls_and_one_event_and_a_new_approval_heals_it(
    tmp_path, monkeypatch, logs
):
    """What was read before is delivered meanwhile; afterwards no interval is missing and none is there twice."""
    sim_clock = SimClock(SPEED)
    async with Simulator(clock=sim_clock) as sim:
        monkeypatch.setenv("SSL_CERT_FILE", str(sim.cloud.ca_file))
        home = CloudHome(sim, SimulatedClock(sim_clock), tmp_path)
        approve(sim, tmp_path / "edge")
        canaries = Canaries({"e-mail": "owner@example.com"})
        for number, secret in enumerate(home.list_secrets()):
            canaries.guard(f"secret {number}", secret)
        async with home.run_receiver():
            pass  # it takes a port, and is away from then on
        async with home.run_scraper():
            await home.wait_for_calls(5)  # the system, and two passes over both types
            sim.cloud.oauth._approvals[0].access.clear()
            sim.faults.switch_on("oauth-second-refresher")

            async def is_blocked():
                return json.loads((tmp_path / "edge" / GRANT_FILE).read_bytes())["ended"] is not None

            await wait_until(is_blocked, lambda: "the end of the grant")
            asked = home.count_calls()
            assert len(sim.cloud.oauth.renewals) == 2
            async with home.run_receiver():
                events = await wait_until(lambda: home.list_points("event", type="grant"), lambda: "the event")
                assert "cloud authorise" in events[0].fields["reason"]

                async def says_blocked():
                    points = await home.list_points("gateway")
                    return points and points[-1].fields["login_blocked"] == 1

                await wait_until(says_blocked, lambda: "login_blocked 1")

                async def has_backlog():
                    points = await home.list_points("interval", source="inv")
                    return points if len(points) > 200 else []

                delivered = await wait_until(has_backlog, lambda: "the backlog")
                started = home.clock.monotonic()
                while home.clock.monotonic() - started < 2000:  # noqa: ASYNC110 (two passes would be due)
                    await asyncio.sleep(0.5)
                assert home.count_calls() == asked, "nothing is asked while a person is needed"
                port = next(line["status_port"] for line in logs if line["event"] == "running")
                async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                    metrics, ready = (await client.get("/metrics")).text, (await client.get("/readyz")).text
                assert "envoy_login_blocked 1.0" in metrics
                assert "envoy_token_expires_in_seconds" not in metrics, "it has ended"
                canaries.collect("metrics", metrics)
                canaries.collect("readiness", ready)
                approve(sim, tmp_path / "edge")
                for number, secret in enumerate(home.list_tokens()):
                    canaries.guard(f"new token {number}", secret)
                newest = delivered[-1].timestamp

                async def is_healed():
                    points = await home.list_points("interval", source="inv")
                    return points if points[-1].timestamp >= newest + 3_600_000 else []

                points = await wait_until(is_healed, lambda: "an hour more of intervals")
                assert len(await home.list_points("event", type="grant")) == 1

                async def says_expiry():
                    points = await home.list_points("gateway")
                    return points[-1].fields.get("token_expires_in", 0) > 29 * 86_400

                await wait_until(says_expiry, lambda: "when the new approval would end")
        ends = sorted({point.timestamp for point in points})
        assert ends == list(range(ends[0], ends[-1] + 1, 300_000))
        canaries.collect("log", repr(logs))
        canaries.collect_files(tmp_path / "hosted")
        for path in (tmp_path / "edge").iterdir():
            if path.is_file() and path.name != GRANT_FILE:
                canaries.collect(path.name, path.read_bytes())
        outbox = Outbox.open(tmp_path / "edge" / "outbox.sqlite", quota_bytes=2**30, now_ms=home.clock.now_ms)
        canaries.collect("what waits", repr(outbox.read_oldest(10**6, 10**9)))
        outbox.close()
        assert canaries.list_sightings() == []
