"""What every answer tells browsers and proxies: guess no type, run nothing, keep nothing."""

import pytest

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
        answer = await service.client.get("/docs")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "script-src" in answer.headers["content-security-policy"]


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
