"""A pretend gateway that answers from one capture, over real sockets.

It gives what the capture has (path and query decide) and 404 for the rest, and asks for the login of its firmware without
checking it: any Bearer token or session cookie from firmware 7 on, any digest answer before.

    with Replay(folder) as gateway:
        reply = httpx.get(gateway.url + "/info", verify=gateway.make_client_context())
"""

import contextlib
import hashlib
import secrets
import socket
import ssl
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self

from tests.captures import read_manifest
from tests.certificates import make_self_signed, make_server_context
from tests.fake_http import FakeHandler, run_in_thread

VALID_TOKEN = b"<!DOCTYPE html><h2>Valid token.</h2>\n"
_PATIENCE = 30.0
_NOT_FOUND = b'{ "error" : "404 - Not Found" }\n'
_NOT_FOUND_TYPE = "application/json; charset=ISO-8859-4"
_TOKEN_REFUSED = b"<html><head><title>401 Authorization Required</title></head></html>\n"
_DIGEST_REFUSED = b"Error: 401\n"
_OPEN = {"/info", "/info.xml"}
_OPEN_BEFORE_7 = _OPEN | {"/api/v1/production", "/production.json"}


class ReplayRequest(NamedTuple):
    """What a client asked; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]


class Replay:
    """The pretend gateway; a context manager.

    Attributes:
        token_login: Whether this firmware wants tokens.
        tls: Whether it speaks https. Default: as its firmware does (https from 7 on).
        port: Where it listens on 127.0.0.1, from entering on.
        requests: Everything it was asked, in order.
        certificate: What it shows with TLS; set another one before entering, if need be.
    """

    def __init__(self, folder: Path, *, tls: bool | None = None) -> None:
        self.folder = folder
        self.entries = read_manifest(folder)
        self.token_login = b"<web-tokens>true" in (folder / self.entries["/info"]["file"]).read_bytes()
        self.tls = self.token_login if tls is None else tls
        self.requests: list[ReplayRequest] = []
        self.certificate = make_self_signed()
        self.port = 0

    @property
    def url(self) -> str:
        """Scheme, address and port."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, lowercase hex."""
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.certificate.certificate.decode())).hexdigest()

    def read_body(self, path: str) -> bytes:
        """What the gateway answers for a path that it has."""
        file: str = self.entries[path]["file"]
        return (self.folder / file).read_bytes()

    def read_events(self, path: str) -> Iterator[bytes] | None:
        """The pieces of an endless reply, as they are due; None if this path has none."""
        return None

    def make_client_context(self) -> ssl.SSLContext:
        """A TLS context for plain clients that trusts exactly this certificate."""
        context = ssl.create_default_context(cadata=self.certificate.certificate.decode())
        context.check_hostname = False  # the certificate names no address, as on the real device
        return context

    def __enter__(self) -> Self:
        server = _ReplayServer(self, make_server_context(self.certificate) if self.tls else None)
        self._running = contextlib.ExitStack()
        self._running.callback(server.hang_up)
        self.port = self._running.enter_context(run_in_thread(server))
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()


class _ReplayServer(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, replay: Replay, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _ReplayHandler)
        self.replay = replay
        self._context = context
        self._open: set[socket.socket] = set()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection; the TLS handshake happens here, in its own thread."""
        request.settimeout(_PATIENCE)  # so that no forgotten client can keep a test from ending
        with self._context.wrap_socket(request, server_side=True) if self._context else request as connection:
            self._open.add(connection)
            try:
                _ReplayHandler(connection, client_address, self)
            finally:
                self._open.discard(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or that did not like the certificate, is no fault of the gateway."""

    def hang_up(self) -> None:
        """End idle connections, which would otherwise keep their threads alive."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _ReplayHandler(FakeHandler):
    server: _ReplayServer

    def answer(self, body: bytes) -> None:
        replay = self.server.replay
        replay.requests.append(ReplayRequest(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        path = "/info" if self.path == "/info.xml" else self.path
        if path == "/auth/check_jwt" and replay.token_login:
            self._check_jwt()
        elif not self._may(path.partition("?")[0]):
            self._refuse()
        elif self.command == "GET" and path in replay.entries:
            entry = replay.entries[path]
            self._reply(entry["status"], entry["content_type"], replay.read_body(path))
        elif self.command == "GET" and (events := replay.read_events(path)) is not None:
            self._stream(events)
        else:
            self._reply(404, _NOT_FOUND_TYPE, _NOT_FOUND)

    def _has_token(self) -> bool:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return scheme == "Bearer" and bool(token)

    def _has_session(self) -> bool:
        return "sessionId=" in self.headers.get("Cookie", "")

    def _may(self, path: str) -> bool:
        if self.server.replay.token_login:
            return path in _OPEN or self._has_token() or self._has_session()
        return path in _OPEN_BEFORE_7 or self.headers.get("Authorization", "").startswith("Digest ")

    def _check_jwt(self) -> None:
        if self._has_token():
            self._reply(200, "text/html", VALID_TOKEN)
        else:
            self._refuse()

    def _refuse(self) -> None:
        if self.server.replay.token_login:
            self._reply(401, "text/html", _TOKEN_REFUSED)
        else:
            self._reply(401, "text/plain", _DIGEST_REFUSED)

    def _stream(self, events: Iterator[bytes]) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        with contextlib.suppress(OSError):  # the client has had enough
            for event in events:
                self.wfile.write(event)
                self.wfile.flush()

    def _reply(self, status: int, content_type: str | None, body: bytes) -> None:
        self.send_response(status)
        if content_type:
            self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if self.server.replay.token_login:
            if self._has_token() and not self._has_session():  # a token alone opens a new session every time
                self.send_header("Set-Cookie", f"sessionId={secrets.token_hex(16)}; Secure; HttpOnly; path=/")
        else:
            self.send_header("Connection", "close")
            if status == 401:
                challenge = f'Digest qop="auth", realm="enphaseenergy.com", nonce="{secrets.token_hex(8)}"'
                self.send_header("WWW-Authenticate", challenge)
        self.end_headers()
        self.wfile.write(body)
