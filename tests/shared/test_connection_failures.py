"""Why no answer came: what httpx and urllib3 make of real sockets, and what cannot be provoked everywhere, by hand."""

import asyncio
import errno
import socket
import ssl

import httpx
import pytest
import urllib3

from shared.connection_failures import explain_failure, is_untrusted_certificate
from tests.certificates import make_self_signed, make_server_context

NO_NAME = {"its name is not known", "no name server answers"}
"""The second where the machine that runs the tests has no network at all."""


async def ask(url: str, timeout_s: float = 10.0) -> str:
    """What failed by httpx, which must agree with what failed by urllib3."""
    async with httpx.AsyncClient(timeout=timeout_s, trust_env=False) as client:
        with pytest.raises((httpx.HTTPError, httpx.InvalidURL)) as caught:
            await client.get(url)
    said = explain_failure(caught.value)
    with urllib3.PoolManager(retries=False) as pool, pytest.raises(urllib3.exceptions.HTTPError) as same:
        await asyncio.to_thread(pool.request, "GET", url, timeout=timeout_s)
    assert explain_failure(same.value) == said
    return said


def find_closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def serve(answer, tls: ssl.SSLContext | None = None) -> asyncio.Server:
    return await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)


async def test_a_closed_port_and_an_unknown_name_are_told_apart():
    port = find_closed_port()
    for host in ("127.0.0.1", "localhost"):
        assert await ask(f"http://{host}:{port}/") == "nothing listens at that port"
    assert await ask("http://nobody.invalid/") in NO_NAME


async def test_a_certificate_and_another_protocol_are_told_apart():
    async def hang_up(reader, writer):
        await reader.read(1)
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()

    plain = await serve(hang_up)
    hidden = await serve(hang_up, make_server_context(make_self_signed()))
    async with plain, hidden:
        plain_port, hidden_port = (one.sockets[0].getsockname()[1] for one in (plain, hidden))
        assert (await ask(f"https://127.0.0.1:{plain_port}/")).startswith("TLS failed: it does not speak it")
        assert await ask(f"http://127.0.0.1:{plain_port}/") == "it ended the connection, or speaks another protocol"
        assert (
            await ask(f"https://127.0.0.1:{hidden_port}/") == "its certificate is not trusted: self-signed certificate"
        )


async def test_who_accepts_and_says_nothing_gives_no_answer_in_time():
    async def wait(reader, writer):
        await reader.read()
        writer.close()

    async with await serve(wait) as server:
        assert await ask(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", 0.3) == "no answer in time"


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (socket.gaierror(socket.EAI_NONAME, "canary"), "its name is not known"),
        (socket.gaierror(socket.EAI_AGAIN, "canary"), "no name server answers"),
        (OSError(errno.EHOSTUNREACH, "canary"), "no such machine answers in its network"),
        (OSError(errno.ENETUNREACH, "canary"), "this machine has no way into its network"),
        (TimeoutError("canary"), "no answer in time"),
    ],
)
def test_the_cause_below_the_wrappings_counts(cause, words):
    """As httpx on anyio wraps it: the library's error, the transport's, then the system's."""
    error, middle = httpx.ConnectError("canary"), OSError("All connection attempts failed: canary")
    error.__cause__ = RuntimeError("canary")
    error.__cause__.__context__ = middle
    middle.__cause__ = cause
    assert explain_failure(error) == words


def test_of_several_addresses_the_one_that_was_reached_counts():
    attempts = [OSError(errno.ECONNREFUSED, ""), OSError(errno.ENETUNREACH, "")]
    for causes in (attempts, attempts[::-1]):
        error = httpx.ConnectError("All connection attempts failed")
        error.__cause__ = ExceptionGroup("several", causes)
        assert explain_failure(error) == "nothing listens at that port"


def test_the_text_of_an_error_is_never_repeated():
    assert explain_failure(httpx.ReadError("canary")) == "ReadError"


def test_only_a_refused_certificate_is_one():
    refused = ssl.SSLCertVerificationError("canary")
    assert is_untrusted_certificate(refused)
    assert not is_untrusted_certificate(ssl.SSLError("canary"))
