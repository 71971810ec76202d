"""The cloud's two hosts: logins, tokens, and every way in which they fail."""

import contextlib
import ssl
from dataclasses import replace

import httpx
import jwt
import pytest

from simulator.server import Simulator
from tests.simulator.reading import make_clock, open_reader

LOGIN = {"user[email]": "owner@example.com", "user[password]": "sunny-roof"}


@contextlib.asynccontextmanager
async def run_cloud(profile="firmware-7"):
    """A simulator and a client that trusts exactly the cloud's authority, names verified."""
    async with Simulator(profile, clock=make_clock()) as sim:
        context = ssl.create_default_context(cafile=str(sim.cloud.ca_file))
        async with httpx.AsyncClient(base_url=sim.cloud.url, verify=context) as client:
            yield sim, client


async def _ask_token(client, serial, form=None):
    """Both steps; the last reply."""
    login = await client.post("/login/login.json", data=form or LOGIN)
    assert login.status_code == 200
    wanted = {"session_id": login.json()["session_id"], "serial_num": serial, "username": "owner@example.com"}
    return await client.post("/tokens", json=wanted)


@pytest.mark.parametrize(
    ("email", "password", "role", "lifetime"),
    [
        ("owner@example.com", "sunny-roof", "owner", 31_536_000),
        ("installer@example.com", "tall-ladder", "installer", 43_200),
    ],
)
async def test_an_account_gets_a_token_that_the_gateway_accepts(email, password, role, lifetime):
    """A bare JWT with the documented header and claims, and the life of its role."""
    async with run_cloud() as (sim, client):
        reply = await _ask_token(client, sim.serial, {"user[email]": email, "user[password]": password})
        token = reply.text.strip()
        assert set(jwt.get_unverified_header(token)) == {"alg", "typ", "kid"}
        claims = jwt.decode(token, options={"verify_signature": False})
        assert (claims["aud"], claims["iss"], claims["enphaseUser"]) == (sim.serial, "Entrez", role)
        assert claims["exp"] - claims["iat"] == lifetime
        async with open_reader(sim, None) as gateway:
            checked = await gateway.get("/auth/check_jwt", headers={"Authorization": f"Bearer {token}"})
        assert checked.status_code == 200


async def test_the_certificate_is_verified_by_the_public_roots_only_in_vain():
    async with Simulator("firmware-7", clock=make_clock()) as sim, httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            await client.get(sim.cloud.url)


async def test_wrong_credentials_are_401():
    async with run_cloud() as (_, client):
        reply = await client.post("/login/login.json", data=LOGIN | {"user[password]": "wrong"})
    assert reply.status_code == 401


async def test_a_second_factor_is_a_200_without_a_session():
    async with run_cloud() as (sim, client):
        sim.faults.switch_on("cloud-mfa", times=1)
        assert "session_id" not in (await client.post("/login/login.json", data=LOGIN)).json()
        sim.cloud.accounts["owner@example.com"] = replace(sim.cloud.accounts["owner@example.com"], second_factor=True)
        assert (await client.post("/login/login.json", data=LOGIN)).json()["mfa_required"] is True


async def test_a_stale_session_and_a_foreign_serial_get_no_token():
    async with run_cloud() as (sim, client):
        stale = await client.post("/tokens", json={"session_id": "0", "serial_num": sim.serial})
        assert stale.status_code == 401
        account = sim.cloud.accounts["owner@example.com"]
        sim.cloud.accounts["owner@example.com"] = replace(account, serials=frozenset({"122000000000"}))
        assert (await _ask_token(client, sim.serial)).status_code == 403


async def test_the_other_shape_of_a_token():
    async with run_cloud() as (sim, client):
        sim.faults.switch_on("cloud-json-token")
        assert set((await _ask_token(client, sim.serial)).json()) == {"generation_time", "token", "expires_at"}


@pytest.mark.parametrize("fault", ["cloud-error-in-disguise", "cloud-not-a-token", "cloud-empty-token"])
async def test_a_200_without_a_token(fault):
    async with run_cloud() as (sim, client):
        sim.faults.switch_on(fault)
        reply = await _ask_token(client, sim.serial)
    assert reply.status_code == 200
    assert "eyJ" not in reply.text


async def test_an_expired_token():
    async with run_cloud() as (sim, client):
        sim.faults.switch_on("cloud-expired-token")
        claims = jwt.decode((await _ask_token(client, sim.serial)).text.strip(), options={"verify_signature": False})
    assert claims["exp"] < sim.clock.now()


@pytest.mark.parametrize("status", [200, 503])
async def test_maintenance_is_html(status):
    async with run_cloud() as (sim, client):
        sim.faults.switch_on("cloud-maintenance", status=status)
        reply = await client.post("/login/login.json", data=LOGIN)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "text/html"


async def test_a_block_is_a_page_with_403():
    async with run_cloud() as (sim, client):
        sim.faults.switch_on("cloud-blocked", times=1)
        reply = await client.post("/login/login.json", data=LOGIN)
        assert (reply.status_code, reply.headers["content-type"]) == (403, "text/html")
        assert (await client.post("/login/login.json", data=LOGIN)).status_code == 200


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_cloud_says_when_to_come_back(status):
    async with run_cloud() as (sim, client):
        sim.faults.switch_on("cloud-busy", status=status, retry_after=77)
        reply = await client.post("/login/login.json", data=LOGIN)
    assert (reply.status_code, reply.headers["retry-after"]) == (status, "77")


async def test_a_locked_account_says_so_without_a_session():
    async with run_cloud() as (sim, client):
        sim.faults.switch_on("cloud-locked")
        reply = await client.post("/login/login.json", data=LOGIN)
    assert "locked" in reply.json()["message"]
    assert "session_id" not in reply.json()


async def test_the_cloud_can_be_gone_and_counts_what_it_was_asked():
    async with run_cloud() as (sim, client):
        await client.post("/login/login.json", data=LOGIN)
        sim.faults.switch_on("cloud-refuse")
        with pytest.raises(httpx.TransportError):
            await client.post("/login/login.json", data=LOGIN)
    assert sim.cloud.requests == [("POST", "/login/login.json", 200)]
