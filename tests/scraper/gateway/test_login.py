"""Logging in: both kinds, every message, never a loop, never a secret in sight."""

import re

import pytest

from scraper.errors import (
    BadReplyError,
    CloudRefusedError,
    GatewayUnreachableError,
    LoginRejectedError,
)
from scraper.gateway.password import derive_installer_password
from scraper.gateway.tokens import TokenCache, parse_token
from shared.units import DAY_S
from tests.clocks import GATEWAY_NOW_S
from tests.fake_http import CannedReply
from tests.scraper.gateway.fake_gateway import FakeGateway
from tests.scraper.gateway.fake_tokens import SERIAL, make_credentials, make_token

CHECK = "/auth/check_jwt"
JUDGE = "/api/v1/production/inverters"


# Digest
async def test_digest_as_installer_with_the_derived_password(connected):
    """Over plain http with the device's own challenge; the nonce is used again with a growing count."""
    fake = FakeGateway("R4.10.35")
    fake.passwords["installer"] = derive_installer_password(SERIAL)
    async with fake, connected(fake) as gateway:
        identity = await gateway.connect()
        assert (identity.role, identity.scheme, identity.token_expires_s) == ("installer", "http", None)
        assert len(await gateway.read_inverters()) == 1
        authorizations = [request.headers.get("authorization", "") for request in fake.requests]
        assert sum(bool(text) for text in authorizations) == 3
        assert [match[1] for text in authorizations if (match := re.search(r"nc=(\d+)", text))] == [
            "00000001", "00000002", "00000003",
        ]  # fmt: skip


async def test_digest_falls_back_to_the_home_owners_user(connected):
    """`envoy` with the last six digits of the serial."""
    fake = FakeGateway("D5.0.62")
    fake.passwords["envoy"] = SERIAL[-6:]
    async with fake, connected(fake) as gateway:
        assert (await gateway.connect()).role == "envoy"


async def test_a_set_installer_password_is_the_only_one_tried(connected):
    """It is what the user says; a wrong one is said to be wrong."""
    fake = FakeGateway("D5.0.62")
    fake.passwords["envoy"] = SERIAL[-6:]
    async with fake, connected(fake, installer_password=lambda: "wrong-canary") as gateway:
        with pytest.raises(LoginRejectedError, match="ENVOY_INSTALLER_PASSWORD") as refused:
            await gateway.connect()
        assert "wrong-canary" not in repr(refused.value)
        assert b'username="envoy"' not in fake.received


async def test_a_new_nonce_is_no_lost_login(connected):
    """The gateway changes it; the digest answers again by itself."""
    fake = FakeGateway("D5.0.62")
    fake.passwords["installer"] = derive_installer_password(SERIAL)
    async with fake, connected(fake) as gateway:
        await gateway.connect()
        fake.nonce = "bmV3"
        fake.clear()
        assert await gateway.get_json(JUDGE)
        assert fake.list_paths() == [JUDGE, JUDGE]


# Token
async def test_a_pasted_token_opens_a_session_and_is_kept(connected, tmp_path):
    """Both cookie and token are shown afterwards; the next start needs no paste."""
    fake, token = FakeGateway(), make_token()
    fake.tokens.add(token)
    async with fake:
        async with connected(fake, token=lambda: token) as gateway:
            identity = await gateway.connect()
            assert (identity.role, identity.token_expires_s) == ("owner", parse_token(token).expires_s)
            last = fake.requests[-1].headers
            assert (last["cookie"], last["authorization"]) == ("sessionId=session0", f"Bearer {token}")
        async with connected(fake) as gateway:
            assert (await gateway.connect()).role == "owner"
    assert TokenCache(tmp_path).load(SERIAL) == parse_token(token)


async def test_only_the_session_cookie_is_adopted(connected):
    """A hostile gateway plants others, endless ones, and lines that would break the header."""
    fake, token = FakeGateway(), make_token()
    evil = (
        ("Set-Cookie", "evil=1; path=/"),
        ("Set-Cookie", "sessionId=" + "x" * 5000),
        ("Set-Cookie", "sessionId=a b; path=/"),
        ("Set-Cookie", "sessionId=good-1; Domain=example.com"),
    )
    fake.special[CHECK] = lambda _: CannedReply(200, b"", evil)
    fake.special[JUDGE] = lambda _: CannedReply(200, b"[]")
    async with fake, connected(fake, token=lambda: token) as gateway:
        await gateway.connect()
        assert fake.requests[-1].headers["cookie"] == "sessionId=good-1"


async def test_the_later_expiry_wins(connected, tmp_path):
    """Of the pasted and the kept token."""
    fake = FakeGateway()
    early, late = make_token(lifetime_s=100 * DAY_S), make_token(lifetime_s=200 * DAY_S)
    fake.tokens.update({early, late})
    TokenCache(tmp_path).save(SERIAL, parse_token(late))
    async with fake, connected(fake, token=lambda: early) as gateway:
        assert (await gateway.connect()).token_expires_s == parse_token(late).expires_s
        assert early.encode() not in fake.received


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (None, "there is no token.*ENVOY_TOKEN.*ENVOY_CLOUD_USERNAME"),
        ("nonsense", "ENVOY_TOKEN cannot be used"),
        (make_token("999999999999"), "for gateway 999999999999, yours is 122012345678.*entrez"),
        (make_token(issued_s=GATEWAY_NOW_S - 2 * DAY_S, lifetime_s=DAY_S), "expired on 2024-06-11.*entrez"),
        (make_token(), "refused the token although it runs until 2025-06-11"),
    ],
)
async def test_why_a_token_does_not_do_is_said(connected, token, words):
    """And what to do; a foreign token is not even shown to this gateway."""
    async with FakeGateway() as fake, connected(fake, token=lambda: token) as gateway:
        with pytest.raises(LoginRejectedError, match=words) as refused:
            await gateway.connect()
        assert token is None or token not in str(refused.value)
        assert gateway.state.login_blocked == str(refused.value)
        if token and parse_token_serial(token) != SERIAL:
            assert token.encode() not in fake.received


def parse_token_serial(text: str) -> str:
    try:
        return parse_token(text).serial
    except ValueError:
        return ""


async def test_a_token_is_never_sent_over_http(connected):
    """Port 80 of a token gateway answers while its https restarts."""
    fake, token = FakeGateway(), make_token()
    fake.tokens.add(token)
    async with fake, connected(fake, token=lambda: token) as gateway:
        await fake.https.stop()
        fake.special["/info"] = lambda _: CannedReply(200, fake.make_info())
        with pytest.raises(GatewayUnreachableError):
            await gateway.connect()
        assert token.encode() not in fake.received
        assert b"authorization" not in fake.received.lower()


@pytest.mark.parametrize(("status", "error"), [(503, GatewayUnreachableError), (302, BadReplyError)])
async def test_an_odd_token_check_is_no_verdict(connected, status, error):
    """Starting up, or not a gateway's answer: tried again later, nothing blocked."""
    fake, token = FakeGateway(), make_token()
    fake.special[CHECK] = lambda _: CannedReply(status)
    async with fake, connected(fake, token=lambda: token) as gateway:
        with pytest.raises(error):
            await gateway.connect()
        assert gateway.state.login_blocked is None


@pytest.mark.parametrize(
    "body",
    [b"<html>not a gateway</html>", b"", b"{}", b"<envoy_info><device><sn>../x</sn></device></envoy_info>"],
)
async def test_what_is_no_gateway_gets_no_secret(connected, body):
    """Another device at the address: refused with a hint at the setting."""
    fake, token = FakeGateway(), make_token()
    fake.special["/info"] = lambda _: CannedReply(200, body)
    async with fake, connected(fake, token=lambda: token) as gateway:
        with pytest.raises(BadReplyError, match="ENVOY_HOST"):
            await gateway.connect()
        assert fake.list_paths() == ["/info"]


async def test_no_secret_shows_anywhere(connected, account, logs, capfd, clock, tmp_path):
    """Logs, errors and representations over a life full of trouble."""
    fake, good = FakeGateway(), make_token(mark="good")
    bad = make_token(mark="bad")
    account.gives, account.asked = [CloudRefusedError("refused"), good], 0
    seen: list[str] = []
    options = {
        "token": lambda: bad,
        "cloud_credentials": make_credentials,
        "installer_password": lambda: "digest-canary",
    }
    async with fake, connected(fake, **options) as gateway:
        for _ in range(3):
            with pytest.raises(LoginRejectedError) as refused:
                await gateway.connect()
            seen.append(repr(refused.value) + repr(refused.value.__cause__))
            clock.advance(400)
        fake.tokens.add(good)
        clock.advance(3600)
        seen.append(repr(await gateway.connect()))
        seen += [repr(gateway.state), repr(fake.make_options(tmp_path, **options)), repr(gateway)]
    captured = capfd.readouterr()
    everything = "".join([*seen, repr(logs), captured.out, captured.err])
    for secret in (bad, good, "password-canary", "digest-canary", "owner@example.com", bad.split(".")[2]):
        assert secret not in everything
