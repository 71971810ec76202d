"""What the simulator's tests share: a start time and an HTTP reader of no particular kind."""

import contextlib
import time
from collections.abc import AsyncIterator

import httpx

from simulator.clock import ManualClock
from simulator.gateway.password import derive_installer_password
from simulator.server import Simulator


def make_clock() -> ManualClock:
    """A clock that stands at the present second."""
    return ManualClock(float(int(time.time())))


def make_login(sim: Simulator, role: str = "owner") -> httpx.Auth | None:
    """The digest login of the gateway's firmware, if it has one."""
    if sim.device.profile.uses_tokens:
        return None
    password = derive_installer_password(sim.serial) if role == "installer" else sim.serial[-6:]
    return httpx.DigestAuth("installer" if role == "installer" else "envoy", password)


@contextlib.asynccontextmanager
async def open_reader(sim: Simulator, role: str | None = "owner") -> AsyncIterator[httpx.AsyncClient]:
    """A client of the gateway, logged in as `role`, or without a login."""
    secure = sim.device.profile.uses_tokens
    base = f"https://127.0.0.1:{sim.https_port}" if secure else f"http://127.0.0.1:{sim.http_port}"
    headers = {"Authorization": f"Bearer {sim.make_token(role)}"} if secure and role is not None else {}
    auth = make_login(sim, role) if role is not None else None
    # The gateway's certificate is its own; these tests compare its fingerprint where that matters.
    async with httpx.AsyncClient(
        verify=False,  # noqa: S501 (self-signed, as the device's)
        base_url=base,
        headers=headers,
        auth=auth,
        timeout=20,
    ) as client:
        yield client
