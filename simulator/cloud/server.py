"""The cloud's hosts on one TLS port (logins, tokens, API), with a certificate that a test's own authority signed."""

import asyncio
import json
import secrets
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from simulator.clock import DeviceClock
from simulator.cloud.api import BASE, ApiHost
from simulator.cloud.oauth import OAuthHost, RegisteredApplication
from simulator.cloud.records import SystemRecords
from simulator.faults import Faults
from simulator.gateway.tokens import TokenAuthority
from simulator.web.connection import Conversation, close, open_streams
from simulator.web.listener import PortListener
from simulator.web.messages import Headers, ParsedRequest, Reply, Response
from simulator.web.tls import make_cloud_certificates

_MAINTENANCE = b"<!DOCTYPE html><html><body><h1>Enlighten is being maintained</h1></body></html>\n"

_BLOCKED = b"<!DOCTYPE html><html><head><title>Access denied</title></head><body>Request blocked.</body></html>\n"


@dataclass(frozen=True, slots=True)
class CloudAccount:
    """One customer of the cloud.

    Attributes:
        password: in plain text; it belongs to no real account.
        role: which role the tokens of this account carry.
        serials: the gateways of this account; empty means every gateway.
        second_factor: the login asks for a code.
    """

    password: str
    role: str = "owner"
    serials: frozenset[str] = frozenset()
    second_factor: bool = False


class CloudServer:
    """All cloud hosts in one.

    Attributes:
        url: base address of all, `https://127.0.0.1:PORT`.
        ca_file: PEM file of the authority that signed its certificate (for `SSL_CERT_FILE`).
        accounts: e-mail address to account; tests may change it.
        requests: method, path and status (0: cut off) of everything that was asked, oldest first.
        agents: the User-Agent of each of them.
        oauth: approvals and tokens of the API.
        api: the API v4, for the gateway's own system.

    Args:
        authority: signs the tokens.
        clock: whose seconds go into the tokens.
        faults: those whose names begin with `cloud-`.
        host: address to bind; also in the certificate.
        folder: where the authority's certificate is written.
        records: what the API knows of the system.
        serial: of the system's gateway.
    """

    def __init__(
        self,
        authority: TokenAuthority,
        clock: DeviceClock,
        faults: Faults,
        *,
        host: str,
        folder: Path,
        records: SystemRecords,
        serial: str,
    ) -> None:
        self._authority = authority
        self._clock = clock
        self._faults = faults
        self._sessions: dict[str, str] = {}
        root, certificate = make_cloud_certificates(host)
        self.ca_file = folder / "cloud-authority.pem"
        self.ca_file.write_bytes(root)
        self._tls = certificate.make_server_context()
        self._listener = PortListener(host, 0, self._serve_connection)
        self.url = f"https://{host}:{self._listener.port}"
        self.accounts: dict[str, CloudAccount] = {
            "owner@example.com": CloudAccount("sunny-roof"),
            "installer@example.com": CloudAccount("tall-ladder", role="installer"),
        }
        self.oauth = OAuthHost(RegisteredApplication(), self._check_password, clock, faults)
        self.api = ApiHost(records, self.oauth, clock, faults, serial=serial)
        self.requests: list[tuple[str, str, int]] = []
        self.agents: list[str] = []

    def start(self) -> None:
        """Open the port and follow the switches."""
        self._faults.subscribe(lambda _name: self._open_port())
        self._open_port()

    async def stop(self) -> None:
        """Close everything."""
        await self._listener.close()

    def describe(self) -> dict[str, Any]:
        """Everything a reader needs to begin, as JSON."""
        return {
            "url": self.url,
            "ca_file": str(self.ca_file),
            "system": self.api.records.system_id,
            "application": asdict(self.oauth.application),
        }

    def _open_port(self) -> None:
        if self._faults.get("cloud-refuse") is None:
            self._listener.start_listening()
        else:
            self._listener.stop_listening(drop_connections=True)

    async def _serve_connection(self, sock: socket.socket) -> None:
        reader, writer = await open_streams(sock, self._tls)
        try:
            await Conversation(reader, writer).run(self._answer, _give_no_headers, keep_alive=lambda: True)
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        finally:
            await close(writer)

    async def _answer(self, request: ParsedRequest) -> Reply:
        response = self._make_response(request)
        self.requests.append((request.method, request.path, response.status if isinstance(response, Response) else 0))
        self.agents.append(request.headers.get("user-agent", ""))
        return response

    def _check_password(self, email: str, password: str) -> bool:
        account = self.accounts.get(email)
        return account is not None and password == account.password

    def _make_response(self, request: ParsedRequest) -> Reply:
        if (broken := self._break_reply(request)) is not None:
            return broken
        if (request.method, request.path) == ("POST", "/login/login.json"):
            return self._answer_login(request)
        if (request.method, request.path) == ("POST", "/tokens"):
            return self._answer_token(request)
        if request.path.startswith("/oauth/"):
            return self.oauth.answer(request)
        if request.path.startswith(f"{BASE}/"):
            return self.api.answer(request)
        return Response(404, b"<html><body>Not found</body></html>\n", "text/html")

    def _break_reply(self, request: ParsedRequest) -> Response | None:
        """What stands in the place of any answer while a switch is on."""
        if (maintenance := self._faults.take("cloud-maintenance", request.path)) is not None:
            return Response(int(maintenance["status"]), _MAINTENANCE, "text/html")
        if self._faults.take("cloud-blocked", request.path) is not None:
            return Response(403, _BLOCKED, "text/html")
        if (busy := self._faults.take("cloud-busy", request.path)) is not None:
            headers = (("Retry-After", str(busy["retry_after"])),)
            return Response(int(busy["status"]), b"Try again later\n", "text/plain", headers)
        return None

    def _answer_login(self, request: ParsedRequest) -> Response:
        form = parse_qs(request.body.decode("utf-8", "replace"))
        email = form.get("user[email]", [""])[0]
        account = self.accounts.get(email)
        if account is None or form.get("user[password]", [""])[0] != account.password:
            return _answer_json({"message": "Invalid credentials"}, 401)
        if (locked := self._faults.take("cloud-locked", request.path)) is not None:
            return _answer_json(
                {"message": "Your account has been locked due to too many failed logins"}, locked["status"]
            )
        if account.second_factor or self._faults.take("cloud-mfa", request.path) is not None:
            return _answer_json({"message": "success", "mfa_required": True})
        session = secrets.token_hex(16)
        self._sessions[session] = email
        return _answer_json(
            {
                "message": "success",
                "session_id": session,
                "manager_token": "none",
                "is_consumer": account.role == "owner",
            }
        )

    def _break_token(self, path: str) -> Response | None:
        """A 200 in which there is no token."""
        if self._faults.take("cloud-error-in-disguise", path) is not None:
            return _answer_json({"message": "This system is being commissioned. Try again later."})
        if self._faults.take("cloud-empty-token", path) is not None:
            return Response(200, b"", "text/plain")
        if self._faults.take("cloud-not-a-token", path) is not None:
            return Response(200, b"Service is warming up\n", "text/plain")
        return None

    def _answer_token(self, request: ParsedRequest) -> Response:
        if (broken := self._break_token(request.path)) is not None:
            return broken
        wanted = _parse_object(request.body)
        account = self.accounts.get(self._sessions.get(str(wanted.get("session_id")), ""))
        serial = str(wanted.get("serial_num"))
        if account is None:
            return Response(401, b"Session expired\n", "text/plain")
        if account.serials and serial not in account.serials:
            return Response(403, b"This gateway does not belong to your account\n", "text/plain")
        now = self._clock.now()
        expired = self._faults.take("cloud-expired-token", request.path) is not None
        token = self._authority.issue(serial, account.role, now, expires_in=-60 if expired else None)
        if self._faults.take("cloud-json-token", request.path) is not None:
            return _answer_json({"generation_time": int(now), "token": token, "expires_at": int(now) + 31_536_000})
        return Response(200, token.encode() + b"\n", "text/plain")


def _give_no_headers() -> Headers:
    return ()


def _answer_json(value: dict[str, Any], status: int = 200) -> Response:
    return Response(status, json.dumps(value).encode())


def _parse_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
