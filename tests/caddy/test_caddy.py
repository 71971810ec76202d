"""The Caddyfile in a real Caddy: slow and large requests end there; good ones arrive, with the address of their sender.

The limits are those of the file; only its time-outs are shortened, by the variables that it has for that.
"""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from receiver.ingest.limits import Limits
from shared.wire import MAX_BYTES
from tests.caddy.binary import find_caddy_binary
from tests.caddy.server import CADDYFILE, NAME, RunningCaddy, make_environment, run_caddy
from tests.caddy.upstream import Upstream, run_upstream
from tests.receiver.service import GATEWAY, make_batch, make_ingest_claims, make_inverter, sign, start

PATH = f"/api/v1/gateways/{GATEWAY}/batches"
SLOW = Limits(gateway_rate=1e9, address_rate=1)
SHORT = {"PROXY_READ_HEADER": "1s", "PROXY_READ_BODY": "1s"}
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: {NAME}\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with run_upstream() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def proxy(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCaddy]:
    """Caddy with short time-outs before the recording upstream, which stands for receiver and Grafana."""
    address = f"127.0.0.1:{upstream.port}"
    folder = tmp_path_factory.mktemp("caddy")
    with run_caddy(folder, PROXY_RECEIVER=address, PROXY_GRAFANA=address, **SHORT) as caddy_process:
        yield caddy_process


@pytest.fixture
def arrived_requests(upstream: Upstream) -> list[tuple[str, str, dict[str, str], bytes]]:
    """What reached the upstream in this test."""
    upstream.requests.clear()
    return upstream.requests


def exchange(proxy: RunningCaddy, *pieces: bytes) -> bytes:
    """Sends these bytes to Caddy; returns its answer, once it closes the connection."""
    answer = b""
    with proxy.connect() as connection:
        for piece in pieces:
            connection.sendall(piece)
        while part := connection.recv(65_536):
            answer += part
    return answer


@pytest.mark.parametrize("settings", [{}, {"RELAY_DOMAIN": NAME}, {"RELAY_DOMAIN": NAME, "RELAY_TLS": "internal"}])
def test_the_file_is_valid_and_formatted(settings: dict[str, str], tmp_path: Path) -> None:
    """With nothing set (localhost), with a public name, and with a name of Caddy's own authority."""
    for command in (["validate", "--adapter", "caddyfile", "--config"], ["fmt", "--diff"]):
        answer = subprocess.run(
            [str(find_caddy_binary()), *command, str(CADDYFILE)],
            env=make_environment(tmp_path, **settings),
            check=False,
            capture_output=True,
            text=True,
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(("tls", "promises"), [("public", True), ("internal", False)])
def test_only_a_public_name_promises_https_for_later(tls: str, promises: bool, tmp_path: Path) -> None:
    """On localhost such a promise would bind Grafana's own port as well."""
    adapted = subprocess.run(
        [str(find_caddy_binary()), "adapt", "--config", str(CADDYFILE), "--adapter", "caddyfile"],
        env=make_environment(tmp_path, RELAY_TLS=tls),
        check=True,
        capture_output=True,
        text=True,
    )
    assert ("Strict-Transport-Security" in adapted.stdout) == promises


def test_a_slow_head_ends_at_the_proxy(proxy: RunningCaddy, arrived_requests: list[object]) -> None:
    exchange(proxy, HEAD.encode())  # the empty line that ends a head never comes
    assert arrived_requests == []


def test_a_slow_body_ends_at_the_proxy(proxy: RunningCaddy, arrived_requests: list[object]) -> None:
    exchange(proxy, f"{HEAD}Content-Length: 100000\r\n\r\n".encode(), b"x" * 50_000)  # the other half never comes
    assert arrived_requests == []


def test_a_body_that_says_it_is_too_big_is_refused_unread(proxy: RunningCaddy, arrived_requests: list[object]) -> None:
    answer = exchange(proxy, f"{HEAD}Content-Length: 400000\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert arrived_requests == []


def test_a_body_without_a_length_is_refused(proxy: RunningCaddy, arrived_requests: list[object]) -> None:
    answer = exchange(proxy, f"{HEAD}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 411 ")
    assert arrived_requests == []


def test_the_largest_batch_passes_whole(
    proxy: RunningCaddy, arrived_requests: list[tuple[str, str, dict[str, str], bytes]]
) -> None:
    body = bytes(MAX_BYTES)
    with httpx.Client(verify=proxy.tls, trust_env=False) as client:
        answer = client.post(
            f"https://127.0.0.1:{proxy.port}{PATH}", content=body,
            headers={"host": NAME}, extensions={"sni_hostname": NAME},
        )  # fmt: skip
    assert answer.status_code == httpx.codes.OK
    assert [request[3] for request in arrived_requests] == [body]


def test_the_receiver_gets_the_clients_address_and_never_a_forged_one(
    proxy: RunningCaddy, arrived_requests: list[tuple[str, str, dict[str, str], bytes]]
) -> None:
    with proxy.connect(source="127.0.0.7") as connection:
        forged = "X-Forwarded-For: 203.0.113.9\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
        connection.sendall((HEAD + forged).encode())
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
    headers = {name.lower(): value for name, value in arrived_requests[0][2].items()}
    assert headers["x-forwarded-for"] == "127.0.0.7"
    assert headers["x-forwarded-proto"] == "https"


def test_live_values_flow_at_once_and_for_longer_than_any_time_out(proxy: RunningCaddy, upstream: Upstream) -> None:
    """The first event arrives while the answer is still open; the second one, later than the time-outs, as well."""
    upstream.go_on.clear()
    with proxy.connect() as connection:
        connection.sendall(f"GET /live HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        answer = b""
        while b"data: 1" not in answer:
            answer += connection.recv(65_536)
        exchange(proxy, HEAD.encode())  # takes as long as a time-out
        exchange(proxy, HEAD.encode())
        upstream.go_on.set()
        while b"data: 2" not in answer:
            part = connection.recv(65_536)
            assert part, answer
            answer += part


async def test_a_batch_passes_over_tls_to_a_real_receiver_which_counts_by_the_clients_address(tmp_path: Path) -> None:
    """One client that asks too often is turned away by the receiver; another one behind the same proxy is not."""
    async with start(tmp_path / "state", limits=SLOW, trusted_proxies=("127.0.0.0/8",)) as receiver:
        with run_caddy(tmp_path, PROXY_RECEIVER=f"127.0.0.1:{receiver.port}") as proxy:
            token = sign(make_ingest_claims(receiver.clock.ms))
            url = f"https://127.0.0.1:{proxy.port}{PATH}"

            async def post(source: str) -> int:
                transport = httpx.AsyncHTTPTransport(verify=proxy.tls, local_address=source)
                async with httpx.AsyncClient(transport=transport) as client:
                    answer = await client.post(
                        url, content=make_batch(make_inverter("482100000001")),
                        headers={"host": NAME, "authorization": f"Bearer {token}", "content-type": "application/json"},
                        extensions={"sni_hostname": NAME},
                    )  # fmt: skip
                    return answer.status_code

            async with asyncio.timeout(60):
                statuses = [await post("127.0.0.2") for _ in range(10)]
                assert statuses[0] == httpx.codes.OK
                assert statuses[-1] == httpx.codes.TOO_MANY_REQUESTS
                assert await post("127.0.0.3") == httpx.codes.OK


async def test_a_trailer_reaches_no_receiver_as_a_header(tmp_path: Path) -> None:
    """Caddy passes trailers on: a forged address or token behind a body opened what is open to a few."""
    async with start(tmp_path / "state", trusted_proxies=("127.0.0.0/8",)) as receiver:
        with run_caddy(tmp_path, PROXY_RECEIVER=f"127.0.0.1:{receiver.port}") as proxy:
            token = sign(make_ingest_claims(receiver.clock.ms))
            body = make_batch(make_inverter("482100000001"))
            request = (
                f"{HEAD}Trailer: Authorization\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode()
                + b"%x\r\n%b\r\n0\r\nAuthorization: Bearer %b\r\n\r\n" % (len(body), body, token.encode())
            )
            answer = await asyncio.to_thread(exchange, proxy, request)
            assert not answer.startswith(b"HTTP/1.1 200 ")
            assert await receiver.receiver.store.count() == 0
