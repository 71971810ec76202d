"""A small programmable gateway on real sockets, which keeps every byte that it receives."""

import asyncio
import contextlib
import hashlib
import re
import socket
import ssl
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeAlias

import h11
import jwt

from scraper.gateway.options import GatewayOptions
from scraper.gateway.transport import Deadlines
from tests.replay import ReplayCertificate, self_signed

SERIAL = "122012345678"
CERTIFICATE = f"envoy-{SERIAL}"
NOW_S = 1_718_213_328
YEAR_S = 365 * 86400


class FakeRequest(NamedTuple):
    """One request; header names in lower case."""

    scheme: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class CannedReply(NamedTuple):
    """One well-formed reply."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


Raw: TypeAlias = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Writes whatever it likes; then the connection is closed."""
Handler: TypeAlias = Callable[[FakeRequest], CannedReply | Raw]


class InstantClock:
    """A clock that tests turn; waiting is instant and is remembered."""

    def __init__(self) -> None:
        self.wall_ms = NOW_S * 1000
        self.elapsed = 1000.0
        self.waits: list[float] = []

    def now_ms(self) -> int:
        return self.wall_ms

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self.elapsed += seconds
        self.wall_ms += round(seconds * 1000)


class FakeServer:
    """Serves one handler on one port of 127.0.0.1, with TLS if it has a certificate."""

    def __init__(self, handler: Handler, scheme: str, certificate: ReplayCertificate | None = None) -> None:
        self.handler = handler
        self.scheme = scheme
        self.received = bytearray()
        self.requests: list[FakeRequest] = []
        self.connections = 0
        self.most_in_flight = 0
        self._in_flight = 0
        self.context: ssl.SSLContext | None = None
        if certificate is not None:
            self.show(certificate)
        self._socket = _reserved(0)
        self.port = self._socket.getsockname()[1]
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def show(self, certificate: ReplayCertificate) -> None:
        """Show this certificate from the next start on."""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "pem")
            path.write_bytes(certificate.certificate + certificate.key)
            self.context.load_cert_chain(path)

    async def start(self) -> None:
        """Accept connections."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, sock=self._socket, ssl=self.context)

    async def stop(self) -> None:
        """Refuse connections and cut those that are open; may be started again on the same port."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._socket = _reserved(self.port)

    async def aclose(self) -> None:
        """Stop for good."""
        await self.stop()
        self._socket.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            await self._converse(reader, writer)
        except (ConnectionError, ssl.SSLError, h11.RemoteProtocolError, asyncio.CancelledError):
            pass  # the client or the test is done with it
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        while (request := await self._request(connection, reader)) is not None:
            self.requests.append(request)
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
            try:
                answer = self.handler(request)
                if not isinstance(answer, CannedReply):
                    await answer(writer)
                    return
                writer.write(_encoded(connection, answer))
                await writer.drain()
            finally:
                self._in_flight -= 1
            if connection.our_state is h11.MUST_CLOSE:
                return
            connection.start_next_cycle()

    async def _request(self, connection: h11.Connection, reader: asyncio.StreamReader) -> FakeRequest | None:
        head, body = None, b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                data = await reader.read(65536)
                self.received += data
                connection.receive_data(data)
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                headers = {name.decode(): value.decode() for name, value in head.headers}
                return FakeRequest(self.scheme, head.method.decode(), head.target.decode(), headers, body)
            else:
                return None


def _reserved(port: int) -> socket.socket:
    """Bound but not listening: connections are refused, and nobody else gets the port."""
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", port))
    return reserved


def _encoded(connection: h11.Connection, answer: CannedReply) -> bytes:
    headers = [("Content-Length", str(len(answer.body))), *answer.headers]
    parts = [
        connection.send(h11.Response(status_code=answer.status, headers=headers)),
        connection.send(h11.Data(data=answer.body)),
        connection.send(h11.EndOfMessage()),
    ]
    return b"".join(part or b"" for part in parts)


def raw(*pieces: bytes, then: Callable[[], Awaitable[object]] | None = None) -> Raw:
    """Write these bytes piece by piece, then wait for `then` before the connection is closed."""

    async def write(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        if then is not None:
            await then()

    return write


async def forever() -> None:
    """Hang."""
    await asyncio.Event().wait()


def make_token(
    serial: str = SERIAL,
    *,
    role: str = "owner",
    issued_s: int = NOW_S - 86400,
    lifetime_s: int = YEAR_S,
    mark: str = "1",
) -> str:
    """A token as the gateway would be shown; signed with nothing that matters."""
    claims = {
        "aud": serial, "iss": "Entrez", "enphaseUser": role, "exp": issued_s + lifetime_s, "iat": issued_s, "jti": mark,
        "username": "owner@example.com",
    }  # fmt: skip
    return jwt.encode(claims, "k" * 32, algorithm="HS256")


class FakeGateway:
    """A gateway of either kind. Everything about it may be changed while it runs.

    Attributes:
        firmware: Decides digest or token, http or https.
        passwords: User to password (digest).
        tokens: The tokens it takes.
        answers: Path to reply for logged-in requests; other paths are 404. `refused` paths give 401 to everybody.
        special: Path to handler, before any login check.
        sessions: Open session cookies.
        nonce: Of the digest challenge; a new one makes clients answer anew.
    """

    def __init__(self, firmware: str = "D8.2.4286", serial: str = SERIAL) -> None:
        self.serial = serial
        self.firmware = firmware
        self.passwords: dict[str, str] = {}
        self.tokens: set[str] = set()
        self.answers: dict[str, bytes] = {"/api/v1/production/inverters": inverters(), "/ivp/meters": b"[]"}
        self.refused: set[str] = set()
        self.special: dict[str, Handler] = {}
        self.sessions: set[str] = set()
        self.time_s = NOW_S
        self.nonce = "MTcxODIxMzMyOA=="
        self.https = FakeServer(self._answer, "https", self_signed(CERTIFICATE))
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

    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    def clear(self) -> None:
        """Forget what was received so far."""
        for server in (self.http, self.https):
            server.requests.clear()
            server.received.clear()

    def fingerprint(self, name: str = CERTIFICATE) -> str:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self_signed(name).certificate.decode())).hexdigest()

    def options(self, state_dir: Path, **more: Any) -> GatewayOptions:
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
        return self.special[path](request) if path in self.special else self._ordinary(request, path)

    def _ordinary(self, request: FakeRequest, path: str) -> CannedReply:
        if self.wants_token and request.scheme == "http":
            return CannedReply(301, b"<html>moved</html>", (("Location", f"https://localhost{request.path}"),))
        if path == "/info":
            return CannedReply(200, self.info(), (("Content-Type", "application/json"),))
        refusal = self._refusal_of_token(request) if self.wants_token else self._refusal_of_digest(request)
        if refusal is not None:
            return refusal
        if path == "/auth/check_jwt" and self.wants_token:
            return self._open_session()
        if path in self.answers and path not in self.refused:
            return CannedReply(200, self.answers[path])
        return _refusal() if path in self.refused else CannedReply(404, b'{ "error" : "404 - Not Found" }')

    def info(self) -> bytes:
        tokens = "<web-tokens>true</web-tokens>" if self.wants_token else ""
        return (
            f"<?xml version='1.0' encoding='UTF-8'?><envoy_info><time>{self.time_s}</time><device><sn>{self.serial}</sn>"
            f"<pn>800-00654-r08</pn><software>{self.firmware}</software><imeter>true</imeter></device>{tokens}</envoy_info>"
        ).encode()

    def _open_session(self) -> CannedReply:
        session = f"session{len(self.sessions)}"
        self.sessions.add(session)
        cookie = f"sessionId={session}; Secure; HttpOnly; path=/"
        return CannedReply(200, b"<!DOCTYPE html><h2>Valid token.</h2>\n", (("Set-Cookie", cookie),))

    def _refusal_of_token(self, request: FakeRequest) -> CannedReply | None:
        """Like the device: a live session is enough; /ivp wants one, whatever the token."""
        session = request.headers.get("cookie", "").partition("sessionId=")[2]
        if session in self.sessions:
            return None
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if bearer in self.tokens and request.path == "/auth/check_jwt":
            return None
        return _refusal()

    def _refusal_of_digest(self, request: FakeRequest) -> CannedReply | None:
        fields = dict(re.findall(r'(\w+)="?([^",]*)"?', request.headers.get("authorization", "")))
        password = self.passwords.get(fields.get("username", ""))
        if password is not None and fields["nonce"] == self.nonce:
            first = _md5(f"{fields['username']}:enphaseenergy.com:{password}")
            second = _md5(f"{request.method}:{fields['uri']}")
            right = _md5(f"{first}:{self.nonce}:{fields['nc']}:{fields['cnonce']}:auth:{second}")
            if fields["response"] == right and fields["uri"] == request.path:
                return None
        challenge = f'Digest qop="auth", realm="enphaseenergy.com", nonce="{self.nonce}"'
        return CannedReply(401, b"Error: 401\n", (("WWW-Authenticate", challenge), ("Connection", "close")))


def inverters(*dates: int) -> bytes:
    """An inverter list with one inverter per date."""
    entries = (
        f'{{"serialNumber": "1220123456{index:02}", "lastReportDate": {date}, "devType": 1, "lastReportWatts": 143, '
        f'"maxReportWatts": 296}}'
        for index, date in enumerate(dates or (NOW_S - 60,))
    )
    return f"[{','.join(entries)}]".encode()


def _refusal() -> CannedReply:
    return CannedReply(401, b"<html><head><title>401 Authorization Required</title></head></html>")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()  # noqa: S324 (the device's own digest)


@contextlib.asynccontextmanager
async def running(handler: Handler, certificate: ReplayCertificate | None = None):
    """A bare server."""
    server = FakeServer(handler, "https" if certificate else "http", certificate)
    await server.start()
    try:
        yield server
    finally:
        await server.aclose()
