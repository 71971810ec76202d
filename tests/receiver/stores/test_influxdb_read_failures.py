"""Messages for people when InfluxDB cannot be read; reading goes on by itself when it can be read again."""

import contextlib
import time

import pytest

from receiver.stores.base import GatewayReading, StoreUnavailableError
from receiver.stores.influxdb import InfluxStore, client
from shared.readings import Reading
from tests.fake_http import run_server, wait_without_end
from tests.influxd.server import ADMIN_TOKEN, ORG, run_influxd
from tests.receiver.stores.store_factories import make_buckets

HOME = "122233334444"
BAD_TOKEN = "canary-influx-wrong-0123456789abcdef"
NOBODY = "http://127.0.0.1:1"
EMPTY = b'{"results":[{"statement_id":0}]}'


async def try_reads(store):
    """The sentence that each way of reading ends in."""
    now = time.time_ns() // 1_000_000
    for ask in (
        store.read_points(HOME, "inverter", start=0, stop=now),
        store.read_points(HOME, "inverter", start=0, stop=now, neighbours=True),
        store.read_points(HOME, "meter", start=0, stop=now, neighbours=True),
        store.read_latest(HOME, "meter"),
        store.list_gateways(),
        store.read_summary(HOME),
        store.count(),
    ):
        with pytest.raises(StoreUnavailableError) as caught:
            await ask
        yield str(caught.value)


@contextlib.asynccontextmanager
async def open_store(url, *, token=ADMIN_TOKEN, buckets=("envoy", "envoy_live"), timeout_s=10.0):
    store = InfluxStore(url, ORG, token, *buckets, timeout_s=timeout_s)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def serve_answer(head, body=b"", *, more=b""):
    """The address of a server that answers all requests alike: never, or with this, or on and on with `more`."""

    async def answer(writer):
        if not head:
            await wait_without_end()
        writer.write(head + b"\r\n\r\n" + body)
        await writer.drain()
        while more:
            writer.write(more)
            await writer.drain()

    async with run_server(lambda _request: answer) as server:
        yield f"http://127.0.0.1:{server.port}"


async def test_nobody_there_is_said_with_what_to_do(shared_influxd):
    """Refused connections: the address, and no secret."""
    async with open_store(NOBODY) as store:
        async for sentence in try_reads(store):
            assert (
                "127.0.0.1:1 cannot be reached (nothing listens at that port): start it, or check INFLUXDB_V2_URL"
                in sentence
            )
        assert await store.check_ready() == sentence


async def test_a_wrong_token_is_named_by_its_setting_and_never_shown(shared_influxd):
    """A log must never have the token."""
    async with open_store(shared_influxd.url, token=BAD_TOKEN) as store:
        async for sentence in try_reads(store):
            assert "set INFLUXDB_V2_TOKEN" in sentence
            assert BAD_TOKEN not in sentence
        assert await store.check_ready() == sentence


async def test_a_bucket_that_vanished_is_named(shared_influxd):
    """Both, and whichever of the two is missing."""
    with make_buckets(shared_influxd) as (there, _):
        async with open_store(shared_influxd.url, buckets=("gone", "gone-too")) as store:
            async for sentence in try_reads(store):
                assert '"gone' in sentence
                assert "INFLUXDB_V2_BUCKET or RECEIVER_LIVE_BUCKET" in sentence
        for names in ((there, "gone"), ("gone", there)):
            async with open_store(shared_influxd.url, buckets=names) as store:
                assert '"gone"' in await store.check_ready()


async def test_a_token_without_a_right_is_told_from_one_that_is_wrong(shared_influxd):
    """Write-only: InfluxDB itself would only say that the query was not executed."""
    with make_buckets(shared_influxd) as names:
        organisation = shared_influxd.find_organisation()
        rights = [
            {"action": "write", "resource": {"type": "buckets", "name": name, "orgID": organisation}} for name in names
        ]
        body = {"orgID": organisation, "permissions": rights}
        token = shared_influxd.call("POST", "/api/v2/authorizations", body).json()["token"]
        async with open_store(shared_influxd.url, token=token, buckets=names) as store:
            async for sentence in try_reads(store):
                assert "may write and read it" in sentence
                assert token not in sentence
            assert "may write and read it" in await store.check_ready()


async def test_who_accepts_and_never_answers_is_given_up(shared_influxd):
    """Each question ends by the deadline."""
    async with serve_answer(b"") as url, open_store(url, timeout_s=0.2) as store:
        async for sentence in try_reads(store):
            assert "does not answer within 0.2 s" in sentence or "cannot be reached" in sentence
        assert await store.check_ready() is not None


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html", b"<html>Sign in to this network</html>"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json", b'{"hello": "world", "results": 5}'),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json", EMPTY[:-3]),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999", EMPTY),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json", b'{"results":[{"series":[{"values":[[1,true]]}]}]}'),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json", b"\xff\xfe"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/", b""),
        (b"HTTP/1.1 500 Internal Server Error", b"panic"),
        (b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30", b""),
        (b"SSH-2.0-OpenSSH_9.2", b""),
    ],
)
async def test_what_is_no_answer_of_influxdb_is_no_answer(head, body):
    """Portals, proxies and broken connections never look like an empty store."""
    async with serve_answer(head, body) as url, open_store(url) as store:
        async for sentence in try_reads(store):
            assert url.removeprefix("http://") in sentence
        assert await store.check_ready() is not None


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"results":[]}', b'{"results":[{},{}]}', b"null"])
async def test_an_answer_to_another_question_is_no_answer(body):
    """As many results as statements, and nothing else."""
    async with serve_answer(b"HTTP/1.1 200 OK", body) as url, open_store(url) as store:
        async for sentence in try_reads(store):
            assert url.removeprefix("http://") in sentence


async def test_an_answer_without_end_is_cut(monkeypatch):
    """Memory stays bounded, and the sentence says how to ask for less."""
    monkeypatch.setattr(client, "_LONGEST_ANSWER", 1_000_000)
    async with serve_answer(b"HTTP/1.1 200 OK", b'{"results":[', more=b" " * 65_536) as url, open_store(url) as store:
        with pytest.raises(StoreUnavailableError, match="ask for a shorter time"):
            await store.read_points(HOME, "meter", start=0, stop=1)


@pytest.mark.parametrize(
    ("version", "said"), [(b"1.8.10", "1.8.10"), (b"v1.11.8", "1.11.8"), (b"3.4.1", "3.4.1"), (b"13.0", "13.0")]
)
async def test_another_version_gets_one_plain_message(version, said):
    """InfluxDB 1 and 3 have much of the same interface, and would fail in ways that nobody understands."""
    async with (
        serve_answer(b"HTTP/1.1 204 No Content\r\nX-Influxdb-Version: " + version) as url,
        open_store(url) as store,
    ):
        sentence = await store.check_ready()
    assert f"is InfluxDB {said}, but only InfluxDB 2.7 is supported" in sentence


async def test_reading_goes_on_when_the_server_is_back(tmp_path):
    """No restart of the receiver: the next question is answered."""
    with run_influxd(tmp_path / "influxd") as server:
        for name in ("envoy", "envoy_live"):
            server.make_bucket(name)
        now, meter = time.time_ns() // 1_000_000, {"meter": "production", "phase": "a"}
        readings = [
            Reading("inverter", {"inverter": "1"}, now, {"power": 1.0}),
            Reading("meter", meter, now, {"power": 2.0}),
        ]
        async with open_store(server.url) as store:
            await store.write([GatewayReading(HOME, reading) for reading in readings])
            for _ in range(2):
                assert await store.check_ready() is None
                (latest,) = await store.read_latest(HOME, "inverter")
                assert latest.fields == {"power": 1.0}
                server.kill()
                async for sentence in try_reads(store):
                    assert "cannot be reached" in sentence
                assert await store.check_ready() == sentence
                server.start()
            assert await store.count() == 2
