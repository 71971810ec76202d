"""The example for an nginx that is there already, in a real nginx: what docs/operations.md promises of it."""

import asyncio
import gzip
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from receiver.ingest.limits import Limits
from shared.wire import MAX_BYTES, MAX_ROWS
from tests.caddy.upstream import Upstream, run_upstream
from tests.nginx.server import NAME, RunningNginx, run_nginx
from tests.receiver.service import GATEWAY, make_batch, make_ingest_claims, make_inverter, sign, start

PATH = f"/api/v1/gateways/{GATEWAY}/batches"
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: {NAME}\r\nContent-Type: application/json\r\n"
SLOW = Limits(gateway_rate=1e9, address_rate=1)

ArrivedRequests = list[tuple[str, str, dict[str, str], bytes]]


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with run_upstream() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def proxy(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNginx]:
    with run_nginx(tmp_path_factory.mktemp("nginx"), upstream.port, times="1s") as running:
        yield running


@pytest.fixture
def arrived_requests(upstream: Upstream) -> ArrivedRequests:
    """What reached the upstream in this test."""
    upstream.requests.clear()
    return upstream.requests


def exchange(proxy: RunningNginx, *pieces: bytes) -> bytes:
    """Sends these bytes; returns the answer, once the connection closes."""
    answer = b""
    with proxy.connect() as connection:
        for piece in pieces:
            connection.sendall(piece)
        while part := connection.recv(65_536):
            answer += part
    return answer


def test_slow_heads_and_bodies_end_at_the_proxy(proxy: RunningNginx, arrived_requests: ArrivedRequests) -> None:
    exchange(proxy, HEAD.encode())
    exchange(proxy, f"{HEAD}Content-Length: 100000\r\n\r\n".encode(), b"x" * 50_000)
    assert arrived_requests == []


@pytest.mark.parametrize(("length", "status"), [("Content-Length: 400000", 413), ("Transfer-Encoding: chunked", 411)])
def test_a_body_that_is_too_big_or_says_no_length_is_refused(
    proxy: RunningNginx, arrived_requests: ArrivedRequests, length: str, status: int
) -> None:
    answer = exchange(proxy, f"{HEAD}{length}\r\nConnection: close\r\n\r\n0\r\n\r\n".encode())
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert arrived_requests == []


def test_the_largest_batch_passes_whole(proxy: RunningNginx, arrived_requests: ArrivedRequests) -> None:
    body = bytes(MAX_BYTES)
    with httpx.Client(verify=proxy.tls, trust_env=False) as client:
        answer = client.post(
            f"https://127.0.0.1:{proxy.port}{PATH}", content=body,
            headers={"host": NAME}, extensions={"sni_hostname": NAME},
        )  # fmt: skip
    assert answer.status_code == httpx.codes.OK
    assert [request[3] for request in arrived_requests] == [body]


def test_nothing_that_a_client_says_of_itself_is_passed_on(
    proxy: RunningNginx, arrived_requests: ArrivedRequests
) -> None:
    forged = "X-Forwarded-For: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\nX-Forwarded-Host: evil.example\r\n"
    with proxy.connect(source="127.0.0.7") as connection:
        connection.sendall(f"{HEAD}{forged}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode())
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
    headers = {name.lower(): value for name, value in arrived_requests[0][2].items()}
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == ("127.0.0.7", "https")
    assert not {"forwarded", "x-forwarded-host"} & headers.keys()


def test_live_values_flow_at_once_and_for_longer_than_the_times_for_requests(
    proxy: RunningNginx, upstream: Upstream
) -> None:
    """The first event arrives while the answer is still open, the second one seconds later."""
    upstream.go_on.clear()
    with proxy.connect() as connection:
        connection.sendall(f"GET /live HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        answer = b""
        while b"data: 1" not in answer:
            answer += connection.recv(65_536)
        exchange(proxy, HEAD.encode())  # takes as long as such a time
        exchange(proxy, HEAD.encode())
        upstream.go_on.set()
        while b"data: 2" not in answer:
            part = connection.recv(65_536)
            assert part, answer
            answer += part


async def test_a_gzip_batch_passes_to_a_real_receiver_which_counts_by_the_clients_address(tmp_path: Path) -> None:
    """With RECEIVER_TRUSTED_PROXIES=127.0.0.1, as docs/operations.md says."""
    async with start(tmp_path / "state", limits=SLOW, trusted_proxies=("127.0.0.1",)) as receiver:
        body = gzip.compress(make_batch(*(make_inverter(f"4821{number:08}") for number in range(MAX_ROWS))))
        token = sign(make_ingest_claims(receiver.clock.ms))

        async def post(proxy: RunningNginx, source: str) -> int:
            transport = httpx.AsyncHTTPTransport(verify=proxy.tls, local_address=source)
            async with httpx.AsyncClient(transport=transport) as client:
                answer = await client.post(
                    f"https://127.0.0.1:{proxy.port}{PATH}", content=body, extensions={"sni_hostname": NAME},
                    headers={"host": NAME, "authorization": f"Bearer {token}", "content-type": "application/json",
                             "content-encoding": "gzip"},
                )  # fmt: skip
                return answer.status_code

        with run_nginx(tmp_path, receiver.port) as proxy:
            async with asyncio.timeout(60):
                statuses = [await post(proxy, "127.0.0.2") for _ in range(10)]
                assert statuses[0] == httpx.codes.OK
                assert statuses[-1] == httpx.codes.TOO_MANY_REQUESTS
                assert await post(proxy, "127.0.0.3") == httpx.codes.OK
        assert await receiver.receiver.store.count() == MAX_ROWS
