"""A token from the account: full verification, both reply shapes, errors in disguise, secrets in no message."""

import json
from urllib.parse import parse_qs

import pytest
import trustme

from scraper.errors import CloudRefusedError, CloudUnavailableError, ScraperSettingError
from scraper.gateway.cloud import CloudLogin
from shared.version import VERSION
from tests.certificates import SelfSignedCertificate
from tests.fake_http import CannedReply, FakeRequest, FakeServer, make_raw, run_server
from tests.scraper.gateway.fake_tokens import SERIAL, make_token

USER, PASSWORD, SESSION = "owner@example.com", "password-canary", "session-canary"
LOGIN = CannedReply(200, json.dumps({"message": "success", "session_id": SESSION}).encode())
PAGE = b"<!DOCTYPE html><html>Down for maintenance</html>"


AUTHORITY = trustme.CA()
_ISSUED = AUTHORITY.issue_cert("127.0.0.1")
CLOUD_CERTIFICATE = SelfSignedCertificate(_ISSUED.cert_chain_pems[0].bytes(), _ISSUED.private_key_pem.bytes())


@pytest.fixture
def trusted(tmp_path, monkeypatch):
    path = tmp_path / "authority.pem"
    path.write_bytes(AUTHORITY.cert_pem.bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(path))


def make_cloud(server: FakeServer) -> CloudLogin:
    base = f"https://127.0.0.1:{server.port}"
    return CloudLogin(base, base + "/")


async def fetch(login: CannedReply, token: CannedReply) -> tuple[str, list[FakeRequest]]:
    """Ask a cloud that gives these two replies."""
    replies = {"/login/login.json": login, "/tokens": token}
    async with run_server(lambda request: replies[request.path], CLOUD_CERTIFICATE) as server:
        fetched = await make_cloud(server).fetch_token(USER, PASSWORD, SERIAL)
        return fetched.raw, server.requests


@pytest.mark.parametrize(
    "shape", ["{token}", " {token}\n", '{{"generation_time": 1, "token": "{token}", "expires_at": 2}}']
)
async def test_a_token_comes_in_either_shape(trusted, shape):
    """Bare text or JSON; and the requests are what the two services expect."""
    token = make_token()
    fetched, (login, ask) = await fetch(LOGIN, CannedReply(200, shape.format(token=token).encode()))
    assert fetched == token
    assert parse_qs(login.body.decode()) == {"user[email]": [USER], "user[password]": [PASSWORD]}
    assert json.loads(ask.body) == {"session_id": SESSION, "serial_num": SERIAL, "username": USER}


async def test_an_unverified_cloud_gets_nothing():
    """Without our authority the certificate is refused; no byte of a request arrives."""
    async with run_server(lambda _: LOGIN, CLOUD_CERTIFICATE) as server:
        with pytest.raises(CloudUnavailableError):
            await make_cloud(server).fetch_token(USER, PASSWORD, SERIAL)
        assert server.received == b""


@pytest.mark.parametrize(
    ("login", "error", "words"),
    [
        (CannedReply(401, b"{}"), CloudRefusedError, "ENVOY_CLOUD_PASSWORD"),
        (CannedReply(422, PAGE), CloudRefusedError, "ENVOY_CLOUD_PASSWORD"),
        (CannedReply(403, PAGE), CloudUnavailableError, "blocks this machine"),
        (CannedReply(403, b"{}"), CloudRefusedError, "ENVOY_CLOUD_PASSWORD"),
        (CannedReply(403, b""), CloudUnavailableError, "blocks this machine"),
        (CannedReply(403, b"error code: 1020"), CloudUnavailableError, "blocks this machine"),
        (CannedReply(403, b'{"message": "Request blocked"}'), CloudUnavailableError, "blocks this machine"),
        (CannedReply(403, b"\xef\xbb\xbf" + PAGE), CloudUnavailableError, "blocks this machine"),
        (CannedReply(403, b"Access Denied"), CloudUnavailableError, "blocks this machine"),
        (CannedReply(403, b'{"message": "Access Denied"}'), CloudUnavailableError, "blocks this machine"),
        (CannedReply(401, b'{"errors": ["Your account is locked."]}'), CloudRefusedError, "account is locked"),
        (CannedReply(404, PAGE), CloudUnavailableError, "status 404"),
        (CannedReply(408, b""), CloudUnavailableError, "status 408"),
        (CannedReply(401, b"Access blocked"), CloudRefusedError, "ENVOY_CLOUD_PASSWORD"),
        (CannedReply(200, b'{"mfa_required": true, "locked": false}'), CloudRefusedError, "second factor"),
        (CannedReply(401, b'{"message": "Account locked"}'), CloudRefusedError, "account is locked"),
        (CannedReply(200, b'{"message": "Your account has been Locked"}'), CloudRefusedError, "account is locked"),
        (CannedReply(200, b'{"message": "Confirm your e-mail"}'), CloudRefusedError, "it says: Confirm"),
        (CannedReply(200, b'{"message": "success"}'), CloudRefusedError, "second factor"),
        (CannedReply(200, b'{"mfa_required": true}'), CloudRefusedError, "second factor"),
        (CannedReply(200, b'{"session_id": ""}'), CloudRefusedError, "second factor"),
        (CannedReply(200, PAGE), CloudUnavailableError, "maintenance"),
        (CannedReply(302, b"", (("Location", "https://localhost/"),)), CloudUnavailableError, "status 302"),
        (CannedReply(503, PAGE), CloudUnavailableError, "status 503"),
        (CannedReply(429, b"slow down"), CloudUnavailableError, "status 429"),
        (CannedReply(200, b"[1]"), CloudUnavailableError, "maintenance"),
        (CannedReply(200, b'{"a":' * 50_000), CloudUnavailableError, "tried again"),
        (CannedReply(200, b"x" * 100_000), CloudUnavailableError, "endless"),
        (CannedReply(200, b"x", (("Content-Encoding", "gzip"),)), CloudUnavailableError, "compressed"),
    ],
)
async def test_what_the_login_answers_is_understood(trusted, login, error, words):
    """Refused, multi-factor, maintenance: each in plain words, none with the password."""
    with pytest.raises(error, match=words) as raised:
        await fetch(login, CannedReply(500))
    assert PASSWORD not in repr(raised.value)


@pytest.mark.parametrize(
    ("token", "error", "words"),
    [
        (
            CannedReply(200, b'{"message": "Failed to generate token, ask session-canary"}'),
            CloudRefusedError,
            "it says: Failed",
        ),
        (CannedReply(200, b"Error: not your system"), CloudRefusedError, "gave no token"),
        (CannedReply(200, b""), CloudUnavailableError, "empty reply"),
        (CannedReply(200, b" \n"), CloudUnavailableError, "empty reply"),
        (CannedReply(200, b'""'), CloudUnavailableError, "empty reply"),
        (CannedReply(200, b"null"), CloudUnavailableError, "empty reply"),
        (CannedReply(200, b"{}"), CloudUnavailableError, "empty reply"),
        (CannedReply(200, b'{"token": null}'), CloudUnavailableError, "empty reply"),
        (CannedReply(200, b'{"token": ""}'), CloudUnavailableError, "empty reply"),
        (CannedReply(403, PAGE), CloudUnavailableError, "blocks this machine"),
        (CannedReply(429, b"slow down"), CloudUnavailableError, "asked too often"),
        (CannedReply(200, make_token("999999999999").encode()), CloudRefusedError, "999999999999"),
        (CannedReply(403, b"serial not found for session-canary"), CloudRefusedError, "serial not found"),
        (CannedReply(400, b"x" * 1000), CloudRefusedError, "belongs to the account"),
        (CannedReply(200, PAGE), CloudUnavailableError, "maintenance"),
        (CannedReply(502, b"bad gateway"), CloudUnavailableError, "status 502"),
        (CannedReply(302, b""), CloudUnavailableError, "status 302"),
    ],
)
async def test_what_the_token_service_answers_is_understood(trusted, token, error, words):
    """Errors in disguise are errors; no message quotes a session, an e-mail address or a thousand characters."""
    with pytest.raises(error, match=words) as raised:
        await fetch(LOGIN, token)
    text = repr(raised.value)
    assert SESSION not in text
    assert USER not in text
    assert len(text) < 500


async def test_it_says_who_asks(trusted):
    """A program without a name of its own is what firewalls block first."""
    _, requests = await fetch(LOGIN, CannedReply(200, make_token().encode()))
    assert [request.headers["user-agent"] for request in requests] == [f"envoy-relay/{VERSION}"] * 2


DATE = "Tue, 03 Mar 2026 10:00:00 GMT"


@pytest.mark.parametrize("status", [403, 429, 503])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((("Retry-After", "900"),), 900.0),
        ((("Date", DATE), ("Retry-After", "Tue, 03 Mar 2026 10:20:00 GMT")), 1200.0),
        ((("Date", DATE), ("Retry-After", "Tue, 03 Mar 2026 09:00:00 GMT")), 0.0),
        ((("Retry-After", "999999999999"),), 86_400.0),
        ((("Retry-After", "soon"),), 0.0),
        ((), 0.0),
    ],
)
async def test_it_is_heard_when_to_come_back(trusted, status, headers, seconds):
    with pytest.raises(CloudUnavailableError) as raised:
        await fetch(CannedReply(status, PAGE, headers), CannedReply(500))
    assert raised.value.retry_after_s == seconds


async def test_a_cut_connection_is_not_final(trusted):
    """Also without any answer."""
    async with run_server(lambda _: make_raw(), CLOUD_CERTIFICATE) as server:
        with pytest.raises(CloudUnavailableError, match="tried again"):
            await make_cloud(server).fetch_token(USER, PASSWORD, SERIAL)


@pytest.mark.parametrize(
    "urls", [("http://127.0.0.1:1", "https://a"), ("https://a", "http://localhost"), ("ftp://a", "x")]
)
def test_only_https_gets_credentials(urls):
    """Not even loopback is excepted."""
    with pytest.raises(ScraperSettingError, match="must begin with https"):
        CloudLogin(*urls)
