"""What a receiver, or another server in its place, can make the sender do."""

import pytest

from scraper.uplink.sender import PostReply, Sender
from tests.fake_http import CannedReply, FakeServer
from tests.scraper.gateway.fake_tokens import SERIAL


@pytest.fixture
async def receiver():
    server = FakeServer(
        lambda _: CannedReply(200, b"{}", (("set-cookie", f"c{len(server.requests)}={'x' * 4000}; Path=/"),)), "http"
    )
    await server.start()
    yield server
    await server.aclose()


async def test_cookies_are_never_sent_back(receiver):
    """Otherwise heads of requests grow with every answer."""
    sender = Sender(f"http://127.0.0.1:{receiver.port}", SERIAL, None)
    try:
        for _ in range(5):
            assert isinstance(await sender.post(b"{}", "token"), PostReply)
    finally:
        await sender.aclose()
    assert len(receiver.requests) == 5
    assert not any("cookie" in request.headers for request in receiver.requests)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_token_for_this_machine_passes_no_proxy(receiver, monkeypatch, host):
    """Plain http is allowed to this machine because nobody else hears it."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    sender = Sender(f"http://{host}:{receiver.port}", SERIAL, None)
    try:
        assert isinstance(await sender.post(b"{}", "token"), PostReply)
    finally:
        await sender.aclose()
    assert len(receiver.requests) == 1
