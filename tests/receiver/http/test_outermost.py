"""The outermost layer: unknown routes, floods, heads, failures of our own, probes; and nothing secret in any log."""

import asyncio
import itertools
import json
import logging
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from receiver.http.protocol import MAX_HEAD, MAX_HEADERS, BoundedProtocol
from receiver.ingest.limits import Limits
from receiver.stores.base import StoreUnavailableError
from tests.connections import connect
from tests.receiver.service import (
    GATEWAY,
    OTHER,
    READ_SECRET,
    SECRET,
    Service,
    assert_problem,
    make_batch,
    make_ingest_claims,
    make_inverter,
    make_meter,
    make_read_claims,
    sign,
    start,
)

BODY = make_batch(make_meter())


@pytest.mark.parametrize(
    "path",
    ["/x", "/metrics", "/docs", "/openapi.json", "/redoc", "/api", "/api/v1/gateways/", "/%2e%2e", "/assets/none.js"],
)
async def test_what_is_not_here_is_not_found(service: Service, path: str):
    """Metrics are on the status port only, documentation only where asked for, and nothing redirects."""
    assert_problem(await service.client.get(path), 404, "not-found")


async def test_the_documentation_is_shown_where_asked_for(tmp_path: Path):
    async with start(tmp_path, docs=True) as service:
        assert (await service.client.get("/docs")).status_code == 200


async def test_a_wrong_method_says_so(service: Service):
    for method, path in itertools.product(("PUT", "DELETE", "PATCH", "GET"), [f"/api/v1/gateways/{GATEWAY}/batches"]):
        assert_problem(await service.client.request(method, path), 405, "method-not-allowed")
    assert_problem(await service.client.post("/api/v1/gateways"), 405, "method-not-allowed")


async def test_probes(service: Service):
    assert (await service.client.get("/healthz")).json() == {"status": "alive"}
    assert (await service.client.get("/readyz")).json() == {"status": "ready"}


async def test_a_store_that_is_away_keeps_rows_at_the_scraper(service: Service, monkeypatch: pytest.MonkeyPatch):
    """503 with Retry-After, in our form; alive all the same, ready no more; and the next try is taken."""

    async def refuse_rows(rows: object) -> None:
        raise StoreUnavailableError("the disk of canary-store is full")

    async def say_unready() -> str:
        return "the disk of canary-store is full"

    with monkeypatch.context() as patch:
        patch.setattr(service.receiver.store, "write", refuse_rows)
        patch.setattr(service.receiver.store, "check_ready", say_unready)
        answer = await service.post(BODY)
        assert_problem(answer, 503, "store-unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert_problem(await service.client.get("/readyz"), 503, "store-unavailable")
        assert (await service.client.get("/healthz")).status_code == 200
    assert (await service.post(BODY)).status_code == 200


async def test_a_failure_of_ours_is_a_problem_with_a_request_id(service: Service, monkeypatch: pytest.MonkeyPatch):
    """The sender hears nothing of the error, and the log finds its place by the request id."""

    async def fail(rows: object) -> None:
        raise RuntimeError("canary-failure in the body")

    monkeypatch.setattr(service.receiver.store, "write", fail)
    with structlog.testing.capture_logs() as lines:
        answer = await service.post(BODY)
    assert_problem(answer, 500, "internal")
    assert "canary" not in answer.text + str(lines)
    failed = next(line for line in lines if line["event"] == "request failed")
    assert failed["request_id"] == answer.json()["request_id"]
    assert failed["error"] == "RuntimeError"


async def test_a_flood_of_one_gateway_is_slowed_and_others_are_not(tmp_path: Path):
    async with start(tmp_path, limits=Limits(gateway_rate=0.4)) as service:
        assert [(await service.post(BODY)).status_code for _ in range(2)] == [200, 200]
        answer = await service.post(BODY)
        assert_problem(answer, 429, "too-many-requests")
        assert answer.headers["retry-after"] == "3"
        assert (await service.post(BODY, serial=OTHER)).status_code == 200
        service.clock.advance(3)
        assert (await service.post(BODY)).status_code == 200


async def test_a_flood_from_one_address_is_slowed_before_anything_else(tmp_path: Path):
    """Probes are answered all the same. Forged headers do not make another address."""
    async with start(tmp_path, limits=Limits(address_rate=0.4)) as service:
        for forged in ("10.0.0.1", "10.0.0.2"):
            await service.post(BODY, headers={"x-forwarded-for": forged})
        assert_problem(await service.post(BODY, headers={"x-forwarded-for": "10.0.0.3"}), 429, "too-many-requests")
        assert (await service.client.get("/healthz")).status_code == 200


async def test_a_listed_proxy_is_believed_about_addresses(tmp_path: Path):
    limits = Limits(address_rate=0.2)
    async with start(tmp_path, limits=limits, trusted_proxies=("127.0.0.1",)) as service:
        for client in ("10.0.0.1", "10.0.0.2"):
            assert (await service.post(BODY, headers={"x-forwarded-for": client})).status_code == 200
        answer = await service.post(BODY, headers={"x-forwarded-for": "10.0.0.1"})
        assert_problem(answer, 429, "too-many-requests")


async def test_rights_never_depend_on_headers_that_anybody_can_write(service: Service):
    forged = {
        "host": "receiver.example.org:1",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-host": "localhost",
        "x-forwarded-proto": "https",
        "x-original-url": "/healthz",
        "x-http-method-override": "GET",
        "cookie": f"session={sign(make_read_claims(), READ_SECRET, kid='read')}",
    }
    assert_problem(await service.post(BODY, token="", headers=forged), 401, "unauthorised")
    assert (await service.post(BODY, headers=forged)).status_code == 200


async def talk(port: int, *data: bytes) -> bytes:
    """Everything that the receiver says to these raw bytes until it closes the connection."""
    async with connect(port) as (reader, writer):
        try:
            for piece in data:
                writer.write(piece)
            return await reader.read()
        except ConnectionResetError:
            return b""


HEAD = b"POST /api/v1/gateways/1/batches HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"A: b\r\n" * (MAX_HEADERS + 1) + b"\r\n",
        HEAD + b"A: " + b"x" * (MAX_HEAD + 1) + b"\r\n\r\n",
        HEAD + b"A: " + b"x" * (5 * 1024 * 1024),
        b"GET /" + b"x" * (MAX_HEAD + 1),
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip, identity\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
    ids=[
        "many headers",
        "long header",
        "5 MB header",
        "long path",
        "CL and TE",
        "two lengths",
        "negative",
        "TE",
        "TLS",
    ],
)
async def test_heads_beyond_the_limits_and_smuggling_lose_the_connection(service: Service, head: bytes):
    answer = await talk(service.port, head)
    assert not answer or answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert (await service.post(BODY)).status_code == 200


@pytest.mark.parametrize("start_of_head", [b"", b"POST", HEAD])
async def test_a_head_that_does_not_come_loses_the_connection(
    service: Service, monkeypatch: pytest.MonkeyPatch, start_of_head: bytes
):
    monkeypatch.setattr(BoundedProtocol, "head_seconds", 0.05)
    assert await talk(service.port, start_of_head) == b""


async def test_a_connection_is_reused(service: Service):
    """The deadline for heads does not hit a connection that waits between requests."""
    for _ in range(3):
        answer = await service.post(BODY)
        assert answer.headers.get("connection") != "close"
    pool = service.client._transport
    assert isinstance(pool, httpx.AsyncHTTPTransport)
    assert len(pool._pool.connections) == 1


async def test_answers_do_not_wait_for_delayed_acknowledgements(service: Service):
    """Without TCP_NODELAY the second piece of a long answer would wait 40 ms for the first to be acknowledged."""
    await service.post(BODY)
    (connection,) = service.listener._server.server_state.connections
    transport: Any = connection.transport
    assert transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_no_secret_and_no_body_is_logged_or_answered(service: Service, caplog: pytest.LogCaptureFixture):
    """Canaries in every place that a request has; searched for in all logs, answers and metrics."""
    caplog.set_level(logging.DEBUG)
    canary = "canary-7f3a"
    token = sign({**make_ingest_claims(), "note": canary})
    with structlog.testing.capture_logs() as lines:
        await service.post(BODY, token=token)
        await service.post(BODY.replace(b'"power"', b'"power","x":"%b' % canary.encode()), token=token)
        await service.post(json.dumps({canary: canary}).encode(), token=token)
        await service.post(BODY, token=f"{canary}.{canary}.{canary}")
        await service.post(BODY, token=token, serial=canary)
        await service.post(BODY, token=token, headers={"content-encoding": canary, "x-note": canary})
        await service.get(f"/api/v1/gateways/{canary}?x={canary}")
        await service.get(f"/{canary}")
        await service.get("/api/v1/gateways", token=sign(make_read_claims(jti=canary), READ_SECRET, kid="read"))
    from prometheus_client import generate_latest  # noqa: PLC0415 (only to read what is shown)

    shown = "".join(answer.text + str(answer.headers) for answer in service.answers)
    shown += "".join(
        str(record.__dict__) for record in caplog.records if not record.name.startswith("http")
    )  # httpx's own
    shown += str(lines) + generate_latest(service.receiver.metrics.registry).decode()
    shown += repr(service.settings) + repr(service.receiver)
    for secret in (canary, SECRET.decode(), READ_SECRET.decode(), token, token.rsplit(".", 1)[1]):
        assert secret not in shown


async def test_every_refusal_has_one_log_line_and_one_count(service: Service):
    with structlog.testing.capture_logs() as lines:
        await service.post(BODY, token="")
    assert [line["event"] for line in lines] == ["request refused"]
    assert service.read_metric("receiver_problems_total", code="unauthorised") == 1
    assert service.read_metric("receiver_auth_refusals_total", reason="no-header") == 1


async def test_many_senders_at_once_share_the_store_and_lose_nothing(tmp_path: Path):
    bodies = [
        make_batch(*(make_inverter(str(number), index) for index in (1_700_000_000_000,)), batch=f"{number:x}")
        for number in range(1, 60)
    ]
    async with start(tmp_path, limits=Limits(posts=len(bodies))) as service:
        answers = await asyncio.gather(*(service.post(body) for body in bodies))
        assert {answer.status_code for answer in answers} == {200}
        assert await service.receiver.store.count() == len(bodies)
