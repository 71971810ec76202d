"""What every answer tells browsers and proxies: guess no type, run nothing, keep nothing."""

import pytest

from receiver.http.headers import STRICT_HEADERS
from receiver.http.rates import BURST_S
from receiver.ingest.limits import Limits
from tests.receiver.http.test_connections import talk
from tests.receiver.service import GATEWAY, READ_SECRET, Service, make_batch, make_meter, make_read_claims, sign, start

BODY = make_batch(make_meter())
PATHS = (
    "/",
    "/nothing",
    "/healthz",
    "/readyz",
    "/api/v1/session",
    "/api/v1/gateways",
    f"/api/v1/gateways/{GATEWAY}",
    f"/api/v1/gateways/{GATEWAY}/power",
    f"/api/v1/gateways/{GATEWAY}/series?kind=meter&field=power",
    f"/api/v1/gateways/{GATEWAY}/series?kind=nothing",
    f"/api/v1/gateways/{GATEWAY}/energy?every=1d&format=csv",
)


@pytest.mark.parametrize("path", PATHS)
async def test_no_answer_is_kept_by_others_run_or_guessed_at(service: Service, path: str):
    await service.send(make_meter())
    for token in (None, ""):
        answer = await service.get(path, token=token)
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
        assert len(answer.headers.get_list("content-security-policy")) == 1
        assert len(answer.headers.get_list("cache-control")) == 1
        if path.startswith("/api"):
            assert answer.headers["cache-control"] in {"no-store", "private, no-cache"}
            assert answer.headers["content-security-policy"].startswith("default-src 'none'")


NO_REQUESTS = (
    b"GARBAGE\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: a\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: x\r\n" * 200 + b"\r\n",
    b"\x16\x03\x01\x00\xa5",  # TLS
)


@pytest.mark.parametrize("sent", NO_REQUESTS)
async def test_the_answer_to_what_is_no_request_is_as_strict(service: Service, sent: bytes):
    answer = await talk(service.port, sent)
    head, _, body = answer.lower().partition(b"\r\n\r\n")
    status, *fields = head.split(b"\r\n")
    assert status == b"http/1.1 400 bad request"
    for name, value in STRICT_HEADERS.items():
        assert fields.count(name + b": " + value) == 1
    assert b"content-length: %d" % len(body) in fields
    assert b"connection: close" in fields
    assert [field for field in fields if field.startswith((b"date:", b"server:"))] == [
        field for field in fields if field.startswith(b"date: ")
    ]


async def test_bytes_behind_a_request_never_stand_in_its_answer(service: Service):
    """What is no request breaks into no answer that is owed; that answer is the last one of the connection."""
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = await talk(service.port, request * 3 + b"GARBAGE\r\n\r\n" + request)
    assert answer.count(b"HTTP/1.1 200 ") == answer.count(b"HTTP/1.1 ") == 3
    assert answer.endswith(b'{"status":"alive"}')


async def test_a_storm_of_what_is_no_request_spends_the_rate_of_its_address(tmp_path):
    """Beyond it nothing is answered, and its requests are refused as those of any flood."""
    async with start(tmp_path, limits=Limits(address_rate=2)) as service:
        answers = [await talk(service.port, b"GARBAGE\r\n\r\n") for _ in range(2 * BURST_S + 3)]
        assert [answer[:12] for answer in answers] == [b"HTTP/1.1 400"] * (2 * BURST_S) + [b""] * 3
        assert (await service.get("/api/v1/gateways")).status_code == 429
        service.clock.advance(1)
        assert (await service.get("/api/v1/gateways")).status_code == 200


async def test_a_session_is_kept_nowhere(service: Service):
    assert (await service.get("/api/v1/session")).headers["cache-control"] == "no-store"


async def test_a_verdict_carries_nothing_for_browsers_and_a_refusal_does(service: Service):
    """Only a scraper with a token gets a verdict, thousands of times a day."""
    verdict = await service.post(BODY)
    assert "content-security-policy" not in verdict.headers
    refusal = await service.post(BODY, token="")
    assert refusal.headers["cache-control"] == "no-store"
    assert refusal.headers["x-content-type-options"] == "nosniff"


async def test_the_documentation_runs_its_viewer_and_nothing_else(tmp_path):
    async with start(tmp_path, docs=True) as service:
        answers = [
            await service.client.get(f"/docs{name}")
            for name in ("", "/start.js", "/swagger-ui.css", "/swagger-ui-bundle.js")
        ]
        assert (await service.client.get("/docs/redoc.standalone.js")).status_code == 404
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert answer.status_code == 200
        assert "default-src 'none'; script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "cdn" not in answer.text[:2000]


@pytest.mark.parametrize("method", ["get", "Get", "GETS", "G\x00ET", "HEAD", "TRACE", "OPTIONS"])
async def test_a_method_that_is_not_exactly_get_reads_nothing(service: Service, method: str):
    """Neither with a token nor with the cookie of a browser."""
    await service.send(make_meter())
    for path in ("/api/v1/gateways", f"/api/v1/gateways/{GATEWAY}/power"):
        token = sign(make_read_claims(service.clock.ms), READ_SECRET, kid="read")
        for header in (f"Authorization: Bearer {token}", f"Cookie: envoy_session={token}"):
            head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n\r\n"
            answer = await talk(service.port, head.encode())
            assert answer[:12] in {b"HTTP/1.1 400", b"HTTP/1.1 405", b""}
            assert GATEWAY.encode() not in answer
