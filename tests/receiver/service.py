"""A real receiver on a real port with the real SQLite store, a clock that tests move, and keys of every sort."""

import contextlib
import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from receiver.auth import keys_file
from receiver.http.listener import HttpListener
from receiver.ingest.limits import Limits
from receiver.service.app import run_receiver
from receiver.service.build import Receiver, build
from receiver.settings import ReceiverSettings, Sqlite
from shared import wire
from shared.keys import PublicKey
from shared.readings import Reading
from tests.clocks import NOW_MS, StoppedClock

GATEWAY = "122300001234"
OTHER = "122300005678"
SECRET = b"canary-secret-7c1e94b05ad8f36229be014d7a"
READ_SECRET = b"canary-read-key-83f1d92c65ba07e41f58c3d6"
UNLIMITED = Limits(gateway_rate=1e9, address_rate=1e9)


def make_settings(state_dir: Path, **changes: Any) -> ReceiverSettings:
    values: dict[str, Any] = {
        "store": Sqlite(state_dir / "readings.sqlite"),
        "state_dir": state_dir,
        "secret": SECRET,
        "gateways": (GATEWAY, OTHER),
        "keys_file": state_dir / "keys",
        "sites_file": None,
        "read_secret": READ_SECRET,
        "host": "127.0.0.1",
        "port": 0,
        "status_host": "127.0.0.1",
        "status_port": 0,
        "trusted_proxies": (),
        "open_live": (),
        "public_url": "http://127.0.0.1:8000",
        "gateway_rate": 1e9,
        "address_rate": 1e9,
        "docs": False,
        "log_level": "INFO",
    }
    return ReceiverSettings(**{**values, **changes})


def make_meter(timestamp: int = NOW_MS, *, phase: str = "a", **fields: Any) -> Reading:
    return Reading("meter", {"meter": "production", "phase": phase}, timestamp, fields or {"power": 100.0})


def make_inverter(serial: str, timestamp: int = NOW_MS, **fields: Any) -> Reading:
    return Reading("inverter", {"inverter": serial}, timestamp, fields or {"power": 200.0})


def make_batch(*readings: Reading, batch: str = "aa", outbox: str = "bb", first: int = 1) -> bytes:
    rows = [(first + index, wire.encode_reading(reading)) for index, reading in enumerate(readings)]
    return wire.encode_batch(batch=batch, outbox=outbox, rows=rows)


def make_ingest_claims(now_ms: int = NOW_MS, *, serial: str = GATEWAY) -> dict[str, Any]:
    now = now_ms // 1000
    return {
        "iss": "envoy-scraper",
        "aud": "envoy-receiver",
        "sub": serial,
        "scope": "ingest",
        "iat": now,
        "exp": now + 600,
    }


def make_read_claims(now_ms: int = NOW_MS, *, gateways: Any = "*", jti: str = "j1") -> dict[str, Any]:
    now = now_ms // 1000
    return {
        "iss": "envoy-receiver",
        "aud": "envoy-receiver",
        "scope": "read",
        "gateways": gateways,
        "jti": jti,
        "iat": now,
        "exp": now + 86_400,
    }


def sign(claims: dict[str, Any], key: Any = SECRET, *, kid: str = "secret", alg: str = "HS256", **headers: Any) -> str:
    return jwt.encode(claims, key, algorithm=alg, headers={"kid": kid, **headers})


def make_public_key(private: Ed25519PrivateKey, serial: str = GATEWAY) -> PublicKey:
    return PublicKey(private.public_key().public_bytes_raw(), serial)


@dataclass
class Service:
    """The running receiver as its users see it."""

    receiver: Receiver
    settings: ReceiverSettings
    clock: StoppedClock
    client: httpx.AsyncClient
    listener: HttpListener
    answers: list[httpx.Response] = field(default_factory=list)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.listener.port

    async def post(
        self, body: bytes, *, token: str | None = None, serial: str = GATEWAY, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Post a batch with a good token for `serial`, unless another one is given ("" for none)."""
        token = sign(make_ingest_claims(self.clock.ms, serial=serial)) if token is None else token
        own = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
        answer = await self.client.post(
            f"/api/v1/gateways/{serial}/batches", content=body, headers={**own, **(headers or {})}
        )
        self.answers.append(answer)
        return answer

    async def send(self, *readings: Reading, serial: str = GATEWAY, **ids: Any) -> wire.Verdict:
        """Post readings the way a scraper does, and expect a verdict."""
        answer = await self.post(
            gzip.compress(make_batch(*readings, **ids)), serial=serial, headers={"content-encoding": "gzip"}
        )
        assert answer.status_code == 200, answer.text
        return wire.decode_verdict(answer.content)

    async def get(self, path: str, *, token: str | None = None) -> httpx.Response:
        """Read with a token for every gateway, unless another one is given ("" for none)."""
        token = sign(make_read_claims(self.clock.ms), READ_SECRET, kid="read") if token is None else token
        headers = {"authorization": f"Bearer {token}"} if token else {}
        answer = await self.client.get(path, headers=headers)
        self.answers.append(answer)
        return answer

    def add_key(self, private: Ed25519PrivateKey, *serials: str) -> str:
        """Let an Ed25519 key in; its id. A running receiver sees it after `clock.advance(30)`."""
        serials = serials or (GATEWAY,)
        return keys_file.add(
            self.settings.keys_file, str(make_public_key(private, serials[0])), list(serials[1:])
        ).key.key_id

    def read_metric(self, name: str, **labels: str) -> float:
        """A sample of the receiver's metrics; 0 if it was never touched."""
        return self.receiver.metrics.registry.get_sample_value(name, labels) or 0.0


@contextlib.asynccontextmanager
async def start(
    state_dir: Path, *, limits: Limits = UNLIMITED, trusted_proxies: tuple[str, ...] = (), **changes: Any
) -> AsyncIterator[Service]:
    """Run a receiver in this event loop."""
    clock = StoppedClock()
    settings = make_settings(state_dir, **changes)
    receiver = build(settings, clock=clock, limits=limits)
    async with (
        run_receiver(
            receiver, host="127.0.0.1", port=0, docs=settings.docs, trusted_proxies=trusted_proxies
        ) as listener,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.port}", timeout=30) as client,
    ):
        yield Service(receiver, settings, clock, client, listener)


def assert_problem(answer: httpx.Response, status: int, code: str, *, detail: str | None = None) -> None:
    """A refusal in our form: the stable code, a request id, and nothing of the input or the machine."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = msgspec.json.decode(answer.content)
    assert document.pop("title")
    assert len(document.pop("request_id")) == 16
    expected = {"type": f"urn:envoy-relay:problem:{code}", "status": status, "code": code}
    assert document == (expected if detail is None else {**expected, "detail": detail})
    assert "date" in answer.headers
    assert "server" not in answer.headers
