"""A gateway of either kind that tests change while it runs."""

import hashlib
import re
import ssl
from pathlib import Path
from typing import Any, Self

from scraper.gateway.options import GatewayOptions
from scraper.gateway.transport import Deadlines
from tests.certificates import make_self_signed
from tests.clocks import GATEWAY_NOW_S
from tests.fake_http import CannedReply, FakeRequest, FakeServer, Handler, Raw
from tests.scraper.gateway.fake_tokens import SERIAL

CERTIFICATE = f"envoy-{SERIAL}"


class FakeGateway:
    """A gateway of either kind. Everything about it may be changed while it runs.

    Attributes:
        firmware: Decides digest or token, http or https.
        passwords: User to password (digest).
        tokens: The tokens it takes.
        answers: Path to reply for logged-in requests; other paths are 404. `refused` paths give 401 to everybody.
        special: Path to handler, before any login check.
        sessions: Open session cookies.
        imeter: Whether it says that it has meters: `true` or `false`.
        nonce: Of the digest challenge; a new one makes clients answer again.
    """

    def __init__(self, firmware: str = "D8.2.4286", serial: str = SERIAL) -> None:
        self.serial = serial
        self.firmware = firmware
        self.passwords: dict[str, str] = {}
        self.tokens: set[str] = set()
        self.answers: dict[str, bytes] = {"/api/v1/production/inverters": make_inverters(), "/ivp/meters": b"[]"}
        self.refused: set[str] = set()
        self.special: dict[str, Handler] = {}
        self.sessions: set[str] = set()
        self.time_s = GATEWAY_NOW_S
        self.imeter = "true"
        self.nonce = "MTcxODIxMzMyOA=="
        self.https = FakeServer(self._answer, "https", make_self_signed(CERTIFICATE))
        self.http = FakeServer(self._answer, "http")

    @property
    def wants_token(self) -> bool:
        return self.firmware.lstrip("DRM") >= "7"

    @property
    def requests(self) -> list[FakeRequest]:
        """Of both ports; in order as long as only one is used."""
        return self.http.requests + self.https.requests

    @property
    def received(self) -> bytes:
        return bytes(self.http.received + self.https.received)

    def list_paths(self) -> list[str]:
        return [request.path for request in self.requests]

    def clear(self) -> None:
        """Forget what was received so far."""
        for server in (self.http, self.https):
            server.requests.clear()
            server.received.clear()

    def compute_fingerprint(self, name: str = CERTIFICATE) -> str:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(make_self_signed(name).certificate.decode())).hexdigest()

    def make_options(self, state_dir: Path, **more: Any) -> GatewayOptions:
        settings: dict[str, Any] = {
            "host": "127.0.0.1", "serial": None, "state_dir": state_dir,
            "http_port": self.http.port, "https_port": self.https.port,
            "deadlines": Deadlines(connect=5, read=5, total=5, stream_read=5),
        }  # fmt: skip
        return GatewayOptions(**(settings | more))

    async def update(self, firmware: str) -> None:
        """A firmware update: the ports go away, sessions are gone, other ports come back."""
        await self.http.stop()
        await self.https.stop()
        self.firmware = firmware
        self.sessions.clear()
        await self.start()

    async def start(self) -> None:
        await self.http.start()
        if self.wants_token:
            await self.https.start()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()
        await self.https.aclose()

    def _answer(self, request: FakeRequest) -> CannedReply | Raw:
        path = request.path.partition("?")[0]
        return self.special[path](request) if path in self.special else self._answer_ordinary(request, path)

    def _answer_ordinary(self, request: FakeRequest, path: str) -> CannedReply:
        if self.wants_token and request.scheme == "http":
            return CannedReply(301, b"<html>moved</html>", (("Location", f"https://localhost{request.path}"),))
        if path == "/info":
            return CannedReply(200, self.make_info(), (("Content-Type", "application/json"),))
        refusal = self._refuse_by_token(request) if self.wants_token else self._refuse_by_digest(request)
        if refusal is not None:
            return refusal
        if path == "/auth/check_jwt" and self.wants_token:
            return self._open_session()
        if path in self.answers and path not in self.refused:
            return CannedReply(200, self.answers[path])
        return _make_refusal() if path in self.refused else CannedReply(404, b'{ "error" : "404 - Not Found" }')

    def make_info(self) -> bytes:
        tokens = "<web-tokens>true</web-tokens>" if self.wants_token else ""
        return (
            f"<?xml version='1.0' encoding='UTF-8'?><envoy_info><time>{self.time_s}</time><device><sn>{self.serial}</sn>"
            f"<pn>800-00654-r08</pn><software>{self.firmware}</software><imeter>{self.imeter}</imeter></device>{tokens}</envoy_info>"
        ).encode()

    def _open_session(self) -> CannedReply:
        session = f"session{len(self.sessions)}"
        self.sessions.add(session)
        cookie = f"sessionId={session}; Secure; HttpOnly; path=/"
        return CannedReply(200, b"<!DOCTYPE html><h2>Valid token.</h2>\n", (("Set-Cookie", cookie),))

    def _refuse_by_token(self, request: FakeRequest) -> CannedReply | None:
        """Like the device: a live session is enough; /ivp wants one, whatever the token."""
        session = request.headers.get("cookie", "").partition("sessionId=")[2]
        if session in self.sessions:
            return None
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if bearer in self.tokens and request.path == "/auth/check_jwt":
            return None
        return _make_refusal()

    def _refuse_by_digest(self, request: FakeRequest) -> CannedReply | None:
        fields = dict(re.findall(r'(\w+)="?([^",]*)"?', request.headers.get("authorization", "")))
        password = self.passwords.get(fields.get("username", ""))
        if password is not None and fields["nonce"] == self.nonce:
            first = _hash_md5(f"{fields['username']}:enphaseenergy.com:{password}")
            second = _hash_md5(f"{request.method}:{fields['uri']}")
            right = _hash_md5(f"{first}:{self.nonce}:{fields['nc']}:{fields['cnonce']}:auth:{second}")
            if fields["response"] == right and fields["uri"] == request.path:
                return None
        challenge = f'Digest qop="auth", realm="enphaseenergy.com", nonce="{self.nonce}"'
        return CannedReply(401, b"Error: 401\n", (("WWW-Authenticate", challenge), ("Connection", "close")))


def make_inverters(*dates: int) -> bytes:
    """An inverter list with one inverter per date."""
    entries = (
        f'{{"serialNumber": "1220123456{index:02}", "lastReportDate": {date}, "devType": 1, "lastReportWatts": 143, '
        f'"maxReportWatts": 296}}'
        for index, date in enumerate(dates or (GATEWAY_NOW_S - 60,))
    )
    return f"[{','.join(entries)}]".encode()


def _make_refusal() -> CannedReply:
    return CannedReply(401, b"<html><head><title>401 Authorization Required</title></head></html>")


def _hash_md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()  # noqa: S324 (the device's own digest)
