"""The client against the simulator: every profile is read, every documented fault is survived."""

from contextlib import aclosing, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from scraper.errors import (
    BadReplyError,
    CertificateChangedError,
    EndpointUnavailableError,
    GatewayUnreachableError,
    LoginRejectedError,
    WrongGatewayError,
)
from scraper.gateway.options import GatewayOptions
from scraper.gateway.parse.stream import parse_event
from scraper.gateway.session import GatewaySession
from scraper.gateway.stream import Watchdog
from scraper.gateway.transport import Deadlines
from shared.clock import SystemClock
from simulator.profiles import PROFILES
from simulator.server import Simulator
from tests.clocks import InstantClock

JUDGE = "/api/v1/production/inverters"
QUICK = Deadlines(connect=5, read=1, total=2, stream_read=5)


@asynccontextmanager
async def open_gateway(simulator: Simulator, state_dir: Path, *, role: str = "owner", clock: Any = None, **more: Any):
    """A client of this simulator."""
    token = simulator.make_token(role)
    settings: dict[str, Any] = {"deadlines": QUICK, "token": lambda: token} | more
    options = GatewayOptions(
        host="127.0.0.1", serial=None, state_dir=state_dir,
        http_port=simulator.http_port, https_port=simulator.https_port, **settings,
    )  # fmt: skip
    gateway = GatewaySession(options, clock or SystemClock())
    try:
        yield gateway
    finally:
        await gateway.aclose()


@pytest.mark.parametrize("profile", list(PROFILES))
async def test_every_profile_is_read(profile, tmp_path):
    """Inverters always; meters or production, whichever the gateway has."""
    async with Simulator(profile, late_morning=True) as simulator, open_gateway(simulator, tmp_path) as gateway:
        identity = await gateway.connect()
        assert identity.serial == simulator.serial
        assert identity.scheme == ("https" if simulator.profile.uses_tokens else "http")
        assert await gateway.read_inverters()
        measured = any(meter.enabled and meter.measurement == "production" for meter in await gateway.read_meters())
        assert bool(await gateway.read_meter_readings()) == measured
        assert (await gateway.read_production() is None) == measured


FAULTS: dict[str, dict[str, Any]] = {
    "silent": {}, "reset": {}, "html": {}, "bad-gateway": {}, "starting": {}, "truncate": {"at": 20},
    "wrong-length": {"by": 10}, "endless": {}, "gzip-bomb": {}, "slow-body": {}, "many-headers": {},
    "deep-nesting": {}, "duplicate-keys": {},
}  # fmt: skip


@pytest.mark.parametrize("fault", list(FAULTS))
async def test_a_broken_reply_costs_one_poll(fault, tmp_path):
    """An error of ours, within the deadlines; the next poll is as before, without another login."""
    async with Simulator("firmware-8") as simulator, open_gateway(simulator, tmp_path) as gateway:
        before = await gateway.read_inverters()
        simulator.faults.switch_on(fault, path=JUDGE, **FAULTS[fault])
        with pytest.raises((BadReplyError, GatewayUnreachableError)):
            await gateway.read_inverters()
        simulator.faults.switch_off(fault)
        assert len(await gateway.read_inverters()) == len(before)
        assert gateway.state.login_blocked is None


@pytest.mark.parametrize("fault", ["redirect", "hostile-cookies"])
async def test_a_hostile_reply_is_not_followed(fault, tmp_path):
    """A redirect or planted cookies leave no trace in later requests."""
    async with Simulator("firmware-8") as simulator, open_gateway(simulator, tmp_path) as gateway:
        await gateway.connect()
        simulator.faults.switch_on(fault, path=JUDGE, times=1)
        with pytest.raises(GatewayUnreachableError) if fault == "redirect" else nullcontext():
            assert await gateway.read_inverters()
        simulator.faults.switch_off(fault)
        assert await gateway.read_meters()


@pytest.mark.parametrize("fault", ["session-death", "cookie-required"])
async def test_session_trouble_is_settled_unseen(fault, tmp_path):
    """A renewed session, within the same question."""
    async with Simulator("firmware-8") as simulator, open_gateway(simulator, tmp_path) as gateway:
        await gateway.read_inverters()
        simulator.faults.switch_on(fault)
        simulator.faults.switch_off(fault) if fault == "session-death" else None
        assert await gateway.read_meters()
        assert await gateway.read_inverters()


async def test_a_refused_token_blocks_until_it_is_accepted_again(tmp_path):
    """Reported once, and not tried again for five minutes."""
    clock = InstantClock()
    async with Simulator("firmware-8") as simulator, open_gateway(simulator, tmp_path, clock=clock) as gateway:
        simulator.faults.switch_on("token-refused")
        with pytest.raises(LoginRejectedError):
            await gateway.connect()
        simulator.faults.switch_off("token-refused")
        with pytest.raises(LoginRejectedError):
            await gateway.connect()
        clock.advance(301)
        assert await gateway.connect()


@pytest.mark.parametrize(
    ("fault", "error"), [("new-certificate", CertificateChangedError), ("other-serial", WrongGatewayError)]
)
async def test_a_changed_identity_stops_the_login(fault, error, tmp_path):
    """Until somebody trusts it."""
    async with Simulator("firmware-8") as simulator, open_gateway(simulator, tmp_path) as gateway:
        await gateway.connect()
        simulator.faults.switch_on(fault)
        with pytest.raises(error):
            await gateway.connect()
        assert gateway.state.certificate_changed == (error is CertificateChangedError)


async def test_a_token_is_fetched_from_the_account(tmp_path, monkeypatch):
    """Both cloud hosts over verified TLS, then the gateway takes the token."""
    async with Simulator("firmware-8") as simulator:
        monkeypatch.setenv("SSL_CERT_FILE", str(simulator.cloud.ca_file))
        account: dict[str, Any] = {
            "token": lambda: None, "cloud_credentials": lambda: ("owner@example.com", "sunny-roof"),
            "cloud_url": simulator.cloud.url, "token_url": simulator.cloud.url,
        }  # fmt: skip
        simulator.faults.switch_on("cloud-json-token")
        async with open_gateway(simulator, tmp_path, **account) as gateway:
            assert (await gateway.connect()).role == "owner"
        (tmp_path / "tokens" / f"{simulator.serial}.jwt").unlink()
        simulator.faults.switch_on("cloud-mfa")
        async with open_gateway(simulator, tmp_path, **account) as gateway:
            with pytest.raises(LoginRejectedError, match="second factor"):
                await gateway.connect()


# The stream


async def read_first_events(gateway: GatewaySession, count: int) -> list[bytes]:
    lines: list[bytes] = []
    async with aclosing(gateway.stream_bursts()) as bursts:
        async for burst in bursts:
            lines += burst.lines
            if len(lines) >= count:
                return lines
    return lines


@pytest.mark.parametrize("fault", [None, "stream-split", "stream-comments"])
async def test_events_are_whole_however_they_come(fault, tmp_path):
    """Cut into pieces of seven bytes, or between comments."""
    async with Simulator("firmware-8") as simulator:
        if fault:
            simulator.faults.switch_on(fault)
        async with open_gateway(simulator, tmp_path, role="installer") as gateway:
            meters = await gateway.read_meters()
            for line in await read_first_events(gateway, 2):
                assert {values.meter for values in parse_event(line, meters)} >= {"production", "net-consumption"}


@pytest.mark.parametrize("fault", ["stream-stall", "stream-drip"])
async def test_a_hanging_stream_is_given_up(fault, tmp_path):
    """Nothing, or a byte a second."""
    watchdog = Watchdog(first_s=1.0)
    async with Simulator("firmware-8") as simulator:
        simulator.faults.switch_on(fault)
        async with open_gateway(simulator, tmp_path, role="installer", watchdog=watchdog) as gateway:
            with pytest.raises(GatewayUnreachableError, match="no event"):
                await read_first_events(gateway, 1000)


async def test_an_owner_token_reads_no_stream(tmp_path):
    """CommandOutcome as such; everything else goes on."""
    async with Simulator("firmware-8") as simulator, open_gateway(simulator, tmp_path) as gateway:
        with pytest.raises(EndpointUnavailableError):
            await read_first_events(gateway, 1)
        assert await gateway.read_meter_readings()


async def test_digest_reads_the_stream(tmp_path):
    """Before firmware 7 the installer password does."""
    async with Simulator("firmware-5") as simulator, open_gateway(simulator, tmp_path) as gateway:
        assert await read_first_events(gateway, 1)
