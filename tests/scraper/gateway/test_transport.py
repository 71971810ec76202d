"""Bytes from a hostile, broken or slow gateway: bounded, never followed, every error one of ours."""

import asyncio
import contextlib
import gzip

import httpx
import pytest

from scraper.errors import BadReplyError, GatewayUnreachableError, ScraperSettingError
from scraper.gateway.pinning import Pin
from scraper.gateway.transport import MAX_BODY, Address, Deadlines, Transport
from tests.certificates import make_self_signed
from tests.fake_http import CannedReply, FakeServer, Raw, make_raw, run_server, wait_without_end

OK = b"HTTP/1.1 200 OK\r\n"


def make_transport(server: FakeServer, **options) -> Transport:
    address = Address("127.0.0.1", server.port, server.port)
    options.setdefault("deadlines", Deadlines(connect=5, read=5, total=5, stream_read=5))
    return Transport(address, Pin(), lock=asyncio.Lock(), **options)


async def ask(server: FakeServer, *, auth: httpx.Auth | None = None, **options):
    transport = make_transport(server, **options)
    try:
        return await transport.get("https" if server.context else "http", "/thing?details=1", auth=auth)
    finally:
        await transport.aclose()


async def test_a_reply_comes_whole_over_tls():
    """Status, claimed type and body; the query arrives at the gateway."""
    answer = CannedReply(200, b"{}", (("Content-Type", "text/plain"),))
    async with run_server(lambda _: answer, make_self_signed()) as server:
        assert await ask(server) == (200, "text/plain", b"{}")
        assert server.requests[0].path == "/thing?details=1"
        assert server.requests[0].headers["accept-encoding"] == "identity"


async def test_a_redirect_is_not_followed():
    """The gateway names another address; nobody goes there."""
    async with run_server(lambda _: CannedReply(200)) as elsewhere:
        target = f"http://127.0.0.1:{elsewhere.port}/steal"
        async with run_server(lambda _: CannedReply(302, b"", (("Location", target),))) as server:
            assert (await ask(server)).status == 302
        assert elsewhere.connections == 0


async def test_cookies_are_not_kept():
    """Whatever the gateway plants, it never sees it again."""
    planted = tuple(("Set-Cookie", f"evil{number}=1; path=/; domain=127.0.0.1") for number in range(50))
    async with run_server(lambda _: CannedReply(200, b"", planted)) as server:
        transport = make_transport(server)
        await transport.get("http", "/a")
        await transport.get("http", "/b")
        await transport.aclose()
        assert all("cookie" not in request.headers for request in server.requests)


async def test_the_proxy_of_the_environment_is_not_used(monkeypatch):
    """Credentials for the gateway must not pass through a proxy."""
    async with run_server(lambda _: CannedReply(200)) as proxy, run_server(lambda _: CannedReply(200, b"me")) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
        assert (await ask(server)).body == b"me"
        assert proxy.connections == 0


@pytest.mark.parametrize("status", [200, 401])
async def test_an_endless_reply_is_given_up_at_the_limit(status):
    """2 MiB, then the connection is dropped; also for the 401 that httpx's digest login reads by itself."""
    sent = 0

    async def send_without_end(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        head = f'HTTP/1.1 {status} X\r\nWWW-Authenticate: Digest realm="r", nonce="n", qop="auth"\r\n\r\n'
        writer.write(head.encode())
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    async with run_server(lambda _: send_without_end) as server:
        with pytest.raises(BadReplyError, match="discarded"):
            await ask(server, auth=httpx.DigestAuth("installer", "x"))
    assert sent < 16 * MAX_BODY


async def test_a_reply_of_exactly_the_limit_is_taken():
    """The limit itself is allowed."""
    async with run_server(lambda _: CannedReply(200, b"x" * MAX_BODY)) as server:
        assert len((await ask(server)).body) == MAX_BODY
    async with run_server(lambda _: CannedReply(200, b"x" * (MAX_BODY + 1))) as server:
        with pytest.raises(BadReplyError):
            await ask(server)


@pytest.mark.parametrize("status", [200, 401])
async def test_a_compressed_bomb_is_never_unpacked(status):
    """A compressed reply that nobody asked for is refused by its header."""
    headers = (("Content-Encoding", "gzip"), ("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"'))
    async with run_server(lambda _: CannedReply(status, gzip.compress(b"\0" * 50_000_000), headers)) as server:
        with pytest.raises(BadReplyError, match="compressed"):
            await ask(server, auth=httpx.DigestAuth("installer", "x"))


@pytest.mark.parametrize("count", [300, 30_000])
async def test_floods_of_headers_are_refused(count):
    """Hundreds by count, megabytes by size."""
    flood = b"".join(b"X-%d: y\r\n" % number for number in range(count))
    async with run_server(lambda _: make_raw(OK + flood + b"Content-Length: 0\r\n\r\n")) as server:
        with pytest.raises((BadReplyError, GatewayUnreachableError)):
            await ask(server)


@pytest.mark.parametrize("kept", range(0, 62, 3))
async def test_a_reply_cut_at_any_byte_is_discarded_whole(kept):
    """In the status line, in the headers or in the body."""
    whole = OK + b"Content-Length: 24\r\n\r\n" + b'[{"a": 1}, {"b": 2}] end'
    assert kept < len(whole)
    async with run_server(lambda _: make_raw(whole[:kept])) as server:
        with pytest.raises((BadReplyError, GatewayUnreachableError)):
            await ask(server)


async def test_a_chunked_reply_without_its_end_is_discarded():
    """The last chunk is the proof that it is whole."""
    async with run_server(lambda _: make_raw(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n")) as server:
        with pytest.raises(BadReplyError, match="complete"):
            await ask(server)


async def test_what_is_not_http_is_unreachable():
    """Another service on the port."""
    async with run_server(lambda _: make_raw(b"SSH-2.0-OpenSSH_9.6\r\n")) as server:
        with pytest.raises(GatewayUnreachableError):
            await ask(server)


async def test_no_answer_ends_at_the_deadline():
    """Accepts, never answers."""
    async with run_server(lambda _: make_raw(then=wait_without_end)) as server:
        with pytest.raises(GatewayUnreachableError):
            await ask(server, deadlines=Deadlines(read=0.2, total=5))


async def test_a_drip_ends_at_the_total_deadline():
    """Each byte comes in time for the read time-out, the whole reply never does."""

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"Content-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with run_server(lambda _: drip) as server:
        with pytest.raises(GatewayUnreachableError, match=r"no complete answer within 0\.3 s"):
            await ask(server, deadlines=Deadlines(read=5, total=0.3))


async def test_a_refused_connection_says_what_to_check():
    """The message names the setting."""
    async with run_server(lambda _: CannedReply(200)) as server:
        pass
    with pytest.raises(GatewayUnreachableError, match="ENVOY_HOST"):
        await ask(server)


async def test_a_dead_reused_connection_is_replaced_once():
    """The gateway drops an idle connection: not a failure."""
    answers: list[CannedReply | Raw] = [CannedReply(200, b"first"), make_raw(), CannedReply(200, b"second")]
    async with run_server(lambda _: answers.pop(0)) as server:
        transport = make_transport(server)
        assert (await transport.get("http", "/")).body == b"first"
        assert (await transport.get("http", "/")).body == b"second"
        await transport.aclose()
        assert server.connections == 2


async def test_a_dead_new_connection_is_a_failure():
    """Asked once, not again and again."""
    async with run_server(lambda _: make_raw()) as server:
        with pytest.raises(GatewayUnreachableError):
            await ask(server)
        assert len(server.requests) == 1


@pytest.mark.parametrize(("keep_alive", "connections"), [(True, 1), (False, 3)])
async def test_keep_alive_has_a_switch(keep_alive, connections):
    """Some old gateways fail when a connection is used again."""
    async with run_server(lambda _: CannedReply(200)) as server:
        transport = make_transport(server, keep_alive=keep_alive)
        for _ in range(3):
            await transport.get("http", "/")
        await transport.aclose()
        assert server.connections == connections


async def test_one_request_is_in_flight():
    """A second request at the same time waits."""

    def answer_slowly(_):
        return make_raw(b"", b"", OK + b"Content-Length: 0\r\n\r\n")

    async with run_server(answer_slowly) as server:
        transport = make_transport(server)
        await asyncio.gather(*(transport.get("http", f"/{number}") for number in range(6)))
        await transport.aclose()
        assert server.most_in_flight == 1
        assert len(server.requests) == 6


@pytest.mark.parametrize(
    "challenge",
    [
        "Digest nonsense",
        "Digest",
        'Digest qop="auth"',
        'Digest realm="r", nonce="n", qop="auth-int"',
        'Digest realm="r", nonce="n", qop="none"',
        'Digest realm="r", nonce="n", algorithm="ROT13"',
        'Digest realm="\xff", nonce="n", qop="auth"',
        'Digest realm="r", nonce="a\x01b", qop="auth"',
    ],
)
async def test_a_senseless_challenge_is_one_of_our_errors(challenge):
    """Whatever httpx's digest login makes of it."""
    head = b"HTTP/1.1 401 X\r\nWWW-Authenticate: " + challenge.encode("latin-1") + b"\r\nContent-Length: 0\r\n\r\n"
    async with run_server(lambda _: make_raw(head)) as server:
        with contextlib.suppress(BadReplyError, GatewayUnreachableError):
            assert (await ask(server, auth=httpx.DigestAuth("installer", "x"))).status == 401


@pytest.mark.parametrize("host", ["http://envoy", "envoy local", "envoy/x", ""])
async def test_an_impossible_host_names_the_setting(host):
    """People paste addresses from the browser."""
    transport = Transport(Address(host), Pin(), lock=asyncio.Lock())
    with pytest.raises((ScraperSettingError, GatewayUnreachableError), match="ENVOY_HOST"):
        await transport.get("http", "/info")
    await transport.aclose()


def test_an_ipv6_address_gets_its_brackets():
    """Addresses from mDNS come without."""
    assert Address("fd00::1").make_url("https", "/info") == "https://[fd00::1]/info"
    assert Address("envoy.local", 8080, 8443).make_url("http", "/a?b=1") == "http://envoy.local:8080/a?b=1"
