"""Logins: who gets in, with what, for how long."""

import asyncio
import hashlib
import ssl

import httpx
import pytest

from simulator.gateway.password import derive_installer_password
from simulator.server import Simulator
from tests.simulator.reading import make_clock, open_reader

INVERTERS = "/api/v1/production/inverters"


async def test_the_digest_challenge_is_the_devices_own():
    """No algorithm, no opaque, no stale; a base64 nonce; the connection closes."""
    async with Simulator("firmware-5", clock=make_clock()) as sim, open_reader(sim, None) as client:
        response = await client.get(INVERTERS)
    assert response.status_code == 401
    challenge = response.headers["www-authenticate"]
    assert challenge.startswith('Digest qop="auth", realm="enphaseenergy.com", nonce="')
    assert challenge.count(",") == 2
    assert response.headers["connection"] == "close"
    assert response.text.strip() == "<html><body><h2>401 Unauthorized</h2></body></html>"


@pytest.mark.parametrize(
    ("user", "path", "status"),
    [
        ("envoy", INVERTERS, 200),
        ("envoy", "/ivp/meters", 200),
        ("envoy", "/production", 401),
        ("envoy", "/stream/meter", 401),
        ("installer", INVERTERS, 200),
    ],
)
async def test_each_digest_user_reads_what_is_his(user, path, status):
    """`envoy` reads measurements but not the stream; no login reads /production."""
    async with Simulator("firmware-5", clock=make_clock()) as sim:
        password = sim.serial[-6:] if user == "envoy" else derive_installer_password(sim.serial)
        async with open_reader(sim, None) as client:
            response = await client.get(path, auth=httpx.DigestAuth(user, password))
    assert response.status_code == status


async def test_a_wrong_digest_password_is_refused():
    async with Simulator("firmware-5", clock=make_clock()) as sim, open_reader(sim, None) as client:
        response = await client.get(INVERTERS, auth=httpx.DigestAuth("envoy", "000000"))
    assert response.status_code == 401


async def test_the_owner_may_have_changed_the_installer_password():
    """The override replaces the derived password."""
    async with (
        Simulator("firmware-5", clock=make_clock(), installer_password="changed") as sim,
        open_reader(sim, None) as client,
    ):
        derived = httpx.DigestAuth("installer", derive_installer_password(sim.serial))
        assert (await client.get(INVERTERS, auth=derived)).status_code == 401
        assert (await client.get(INVERTERS, auth=httpx.DigestAuth("installer", "changed"))).status_code == 200


async def test_old_firmware_has_no_https_and_is_readable_in_parts_without_login():
    async with Simulator("firmware-5", clock=make_clock()) as sim, open_reader(sim, None) as client:
        for path in ("/info", "/api/v1/production", "/production.json"):
            assert (await client.get(path)).status_code == 200, path
        with pytest.raises(httpx.ConnectError):
            await client.get(f"https://127.0.0.1:{sim.https_port}/info")


async def test_new_firmware_redirects_http_and_shows_only_info():
    """Port 80 answers with a redirect; on 443 everything but /info wants a token."""
    async with Simulator("firmware-7", clock=make_clock()) as sim, open_reader(sim, None) as client:
        moved = await client.get(f"http://127.0.0.1:{sim.http_port}/info")
        assert moved.status_code == 301
        assert moved.headers["location"] == "https://127.0.0.1/info"
        assert (await client.get("/info")).status_code == 200
        for path in (INVERTERS, "/production.json", "/ivp/meters", "/stream/meter"):
            refused = await client.get(path)
            assert refused.status_code == 401, path
            assert "401 Authorization Required" in refused.text


@pytest.mark.parametrize(
    ("role", "expires_in", "serial", "status"),
    [
        ("owner", None, None, 200),
        ("installer", None, None, 200),
        ("anybody", None, None, 401),
        ("owner", -1, None, 401),
        ("owner", None, "122000000000", 401),
    ],
)
async def test_a_token_opens_only_its_own_gateway_while_it_lasts(role, expires_in, serial, status):
    async with Simulator("firmware-7", clock=make_clock()) as sim, open_reader(sim, None) as client:
        bearer = {"Authorization": f"Bearer {sim.make_token(role, expires_in, serial)}"}
        assert (await client.get(INVERTERS, headers=bearer)).status_code == status


async def test_a_token_that_somebody_else_signed_is_refused():
    async with (
        Simulator("firmware-7", clock=make_clock()) as sim,
        Simulator("firmware-7", clock=make_clock()) as other,
        open_reader(sim, None) as client,
    ):
        bearer = {"Authorization": f"Bearer {other.make_token()}"}
        assert (await client.get("/auth/check_jwt", headers=bearer)).status_code == 401


async def test_check_jwt_opens_a_session_that_works_without_the_token():
    """The documented body and cookie; the cookie alone is enough until it has been idle for ten minutes."""
    time = make_clock()
    async with Simulator("firmware-7", clock=time) as sim, open_reader(sim, None) as client:
        checked = await client.get("/auth/check_jwt", headers={"Authorization": f"Bearer {sim.make_token()}"})
        assert checked.text == "<!DOCTYPE html><h2>Valid token.</h2>\n"
        assert checked.headers["set-cookie"].endswith("; Secure; HttpOnly; path=/")
        for _ in range(3):  # sliding: every use starts the ten minutes again
            time.advance(400)
            assert (await client.get(INVERTERS)).status_code == 200
        time.advance(601)
        assert (await client.get(INVERTERS)).status_code == 401


async def test_a_token_without_a_cookie_gets_a_new_session_every_time():
    async with Simulator("firmware-7", clock=make_clock()) as sim:
        cookies = set()
        for _ in range(2):
            async with open_reader(sim) as client:
                cookies.add((await client.get(INVERTERS)).headers["set-cookie"])
    assert len(cookies) == 2


async def test_the_stream_is_for_installers():
    async with Simulator("firmware-7", clock=make_clock()) as sim, open_reader(sim, "owner") as client:
        assert (await client.get("/stream/meter")).status_code == 401
    async with Simulator("no-ct", clock=make_clock()) as sim, open_reader(sim, "installer") as client:
        assert (await client.get("/stream/meter")).status_code == 404


async def test_the_certificate_is_self_signed_and_the_fingerprint_is_its_own():
    """CN=envoy-SERIAL, TLS 1.2, and the SHA-256 that the simulator tells."""
    async with Simulator("firmware-8", clock=make_clock()) as sim:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        _, writer = await asyncio.open_connection("127.0.0.1", sim.https_port, ssl=context)
        tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
        der = tls.getpeercert(binary_form=True)
        assert der is not None
        assert hashlib.sha256(der).hexdigest() == sim.fingerprint
        assert tls.version() == "TLSv1.2"
        assert f"envoy-{sim.serial}".encode() in der
        writer.close()
        await writer.wait_closed()


async def test_cookie_required_refuses_a_token_alone_on_ivp():
    """Some gateways want the session's cookie on /ivp/...; /api/v1/... works without."""
    async with Simulator("firmware-7", clock=make_clock()) as sim, open_reader(sim) as client:
        sim.faults.switch_on("cookie-required")
        assert (await client.get("/ivp/meters")).status_code == 401
        assert (await client.get("/auth/check_jwt")).status_code == 200
        assert (await client.get("/ivp/meters")).status_code == 200


async def test_session_death_is_401_until_the_token_is_presented_again():
    async with Simulator("firmware-7", clock=make_clock()) as sim, open_reader(sim) as client:
        await client.get("/auth/check_jwt")
        sim.faults.switch_on("session-death")
        assert (await client.get(INVERTERS)).status_code == 401
        assert (await client.get("/auth/check_jwt")).status_code == 200
        assert (await client.get(INVERTERS)).status_code == 200


async def test_a_refused_token_is_refused_by_check_jwt():
    async with Simulator("firmware-7", clock=make_clock()) as sim, open_reader(sim) as client:
        sim.faults.switch_on("token-refused")
        assert (await client.get("/auth/check_jwt")).status_code == 401


@pytest.mark.parametrize("profile", ["firmware-5", "firmware-7"])
async def test_unauthorised_refuses_even_good_logins(profile):
    async with Simulator(profile, clock=make_clock()) as sim, open_reader(sim) as client:
        sim.faults.switch_on("unauthorised")
        assert (await client.get(INVERTERS)).status_code == 401
        assert (await client.get("/info")).status_code == 200
        sim.faults.switch_off("unauthorised")
        assert (await client.get(INVERTERS)).status_code == 200


async def test_the_login_page_of_newest_firmware_is_a_401_that_points_to_it():
    async with Simulator("firmware-8", clock=make_clock()) as sim, open_reader(sim) as client:
        sim.faults.switch_on("login-page")
        response = await client.get(INVERTERS)
        assert response.status_code == 401
        assert "/login.html" in response.text
        assert (await client.get("/auth/check_jwt")).status_code == 401
