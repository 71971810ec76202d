"""A first login while the account service is busy, blocks us, or is odd: later, or for a person, never confused."""

import pytest

from scraper.errors import LoginPostponedError, LoginRejectedError
from simulator.server import Simulator
from tests.clocks import InstantClock
from tests.scraper.gateway.test_simulated_gateways import open_gateway


@pytest.fixture
def account(monkeypatch, tmp_path):
    """Opens a client that has nothing but the account's credentials."""

    def open_client(simulator: Simulator):
        monkeypatch.setenv("SSL_CERT_FILE", str(simulator.cloud.ca_file))
        return open_gateway(
            simulator,
            tmp_path,
            clock=InstantClock(),
            token=lambda: None,
            cloud_credentials=lambda: ("owner@example.com", "sunny-roof"),
            cloud_url=simulator.cloud.url,
            token_url=simulator.cloud.url,
        )

    return open_client


LATER = {
    "cloud-blocked": ({}, "blocks this machine"),
    "cloud-busy": ({"retry_after": 200}, "asked too often"),
    "cloud-maintenance": ({}, "maintenance"),
    "cloud-empty-token": ({}, "empty reply"),
    "cloud-refuse": ({}, "cannot be reached"),
}


@pytest.mark.parametrize("fault", LATER)
async def test_what_passes_is_tried_again_and_needs_nobody(account, fault):
    """After five minutes, not after the hour that refused credentials wait."""
    parameters, words = LATER[fault]
    async with Simulator("firmware-8") as simulator, account(simulator) as gateway:
        simulator.faults.switch_on(fault, **parameters)
        for _ in range(3):
            with pytest.raises(LoginPostponedError, match=words):
                await gateway.connect()
        assert gateway.state.login_blocked is None
        assert gateway.state.serial == simulator.serial
        asked = len(simulator.cloud.requests)
        assert asked <= 2, "once: a login, and with it perhaps a token"
        simulator.faults.switch_off(fault)
        gateway._clock.advance(301)
        assert (await gateway.connect()).role == "owner"
        assert all(agent.startswith("envoy-relay/") for agent in simulator.cloud.agents)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_account_is_not_asked_before_it_wants_to_be(account, status):
    async with Simulator("firmware-8") as simulator, account(simulator) as gateway:
        simulator.faults.switch_on("cloud-busy", status=status, retry_after=1800, times=1)
        with pytest.raises(LoginPostponedError):
            await gateway.connect()
        gateway._clock.advance(1700)
        with pytest.raises(LoginPostponedError, match=f"status {status}"):
            await gateway.connect()
        assert len(simulator.cloud.requests) == 1
        gateway._clock.advance(101)
        assert (await gateway.connect()).role == "owner"


@pytest.mark.parametrize("status", [200, 401, 403])
async def test_a_locked_account_is_not_called_multi_factor(account, status):
    async with Simulator("firmware-8") as simulator, account(simulator) as gateway:
        simulator.faults.switch_on("cloud-locked", status=status)
        with pytest.raises(LoginRejectedError, match="account is locked: unlock it") as raised:
            await gateway.connect()
        assert "second factor" not in str(raised.value)
        gateway._clock.advance(1800)
        with pytest.raises(LoginRejectedError, match="account is locked"):
            await gateway.connect()
        assert len(simulator.cloud.requests) == 1, "logins would keep it locked"
