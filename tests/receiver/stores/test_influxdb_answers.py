"""Answers in InfluxDB's place: only an answer that is InfluxDB's own beyond doubt may refuse a reading for good."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from receiver.stores.base import GatewayReading, StoreUnavailableError
from receiver.stores.influxdb import InfluxStore
from receiver.stores.influxdb.answers import RowsRefusedError, TooLargeError, make_status_error
from shared.problems import Rejection
from shared.readings import Reading
from tests.fake_http import CannedReply, make_raw, run_server, wait_without_end

TOKEN = "canary-token-0123456789"
NO_CONTENT = CannedReply(204)
HTML = b"<html><body>Welcome to the hotel's network: inverter,gateway=1</body></html>"


def make_answer(status, body=b"", kind="application/json", more=()):
    return CannedReply(status, body, (("Content-Type", kind), *more))


def explain(status, code, message):
    return make_answer(status, b'{"code":"%b","message":"%b"}' % (code, message))


@asynccontextmanager
async def open_store_before(handler, *, timeout_s=30.0):
    """A store that talks to an impostor."""
    async with run_server(handler) as impostor:
        url = f"http://127.0.0.1:{impostor.port}"
        store = InfluxStore(url, "home", TOKEN, "envoy", "envoy_live", timeout_s=timeout_s)
        try:
            yield store, impostor
        finally:
            await store.close()


def make_rows(count=3):
    return [GatewayReading("1", Reading("inverter", {"inverter": "1"}, n, {"power": 1.0})) for n in range(count)]


FOREIGN = {
    "a page with 200": make_answer(200, HTML, "text/html"),
    "JSON with 200": make_answer(200, b"{}"),
    "202 of a queue": make_answer(202),
    "a redirect": make_answer(302, more=[("Location", "http://127.0.0.1:1/login")]),
    "a proxy's 400": make_answer(400, b"<h1>400 The plain HTTP request was sent to HTTPS port</h1>", "text/html"),
    "somebody's JSON 400": make_answer(400, b'{"error":"no"}'),
    "InfluxDB's 400 of a request": explain(400, b"invalid", b"bucket name is invalid"),
    "a proxy's 422": make_answer(422, b"no", "text/plain"),
    "InfluxDB's other 422": explain(422, b"unprocessable entity", b"something new"),
    "401 of a proxy": make_answer(401, HTML, "text/html"),
    "403 of a firewall": make_answer(403, HTML, "text/html"),
    "404 of another server": make_answer(404, b"nothing here", "text/plain"),
    "429": make_answer(429, more=[("Retry-After", "100000")]),
    "500": explain(500, b"internal error", b"unexpected error writing points to database: timeout"),
    "502": make_answer(502, HTML, "text/html"),
    "503": make_answer(503, b"\xff\xfe not text", "text/plain"),
    "no HTTP at all": make_raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "half an answer": make_raw(b"HTTP/1.1 20"),
    "a refusal that ends early": make_raw(b"HTTP/1.1 400 Bad\r\nContent-Length: 500\r\n\r\nunable to parse"),
}


@pytest.mark.parametrize("name", FOREIGN)
async def test_any_other_answer_keeps_every_row(name):
    """It is trouble that passes: no row is refused, no answer and no token is in the message."""
    async with open_store_before(lambda _request: FOREIGN[name]) as (store, _):
        with pytest.raises(StoreUnavailableError) as caught:
            await store.write(make_rows())
    said = f"{caught.value} {caught.value.__cause__!r}"
    assert "127.0.0.1:" in said
    assert not any(secret in said for secret in (TOKEN, "hotel", "inverter"))


async def test_an_answer_that_trickles_in_ends_at_the_deadline():
    """Each byte is in time for the socket, the whole is not."""

    async def trickle(writer):
        while True:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with open_store_before(lambda _request: trickle, timeout_s=0.3) as (store, _):
        with pytest.raises(StoreUnavailableError, match=r"does not answer within 0\.3 s"):
            await store.write(make_rows())


async def test_a_silent_server_is_tried_again_each_time():
    """A connection that is never answered holds up its own write only."""
    async with open_store_before(lambda _request: make_raw(then=wait_without_end), timeout_s=1.0) as (store, impostor):
        for _ in range(2):
            with pytest.raises(StoreUnavailableError, match="does not answer"):
                await store.write(make_rows())
        impostor.handler = lambda _request: NO_CONTENT
        assert await store.write(make_rows()) == {}


async def test_what_is_too_large_is_halved_in_order():
    """413: of InfluxDB or of a proxy before it."""
    async with open_store_before(lambda request: make_answer(413) if request.body.count(b"\n") > 2 else NO_CONTENT) as (
        store,
        impostor,
    ):
        assert await store.write(make_rows(10)) == {}
        taken = [request.body for request in impostor.requests if request.body.count(b"\n") <= 2]
    assert [int(line.split()[-1]) for body in taken for line in body.split(b"\n")] == list(range(10))


async def test_a_server_that_finds_one_reading_too_large_loses_none():
    async with open_store_before(lambda _request: make_answer(413, HTML, "text/html")) as (store, _):
        with pytest.raises(StoreUnavailableError, match="raise the limit of the proxy"):
            await store.write(make_rows(4))


async def test_trouble_while_halving_keeps_every_row():
    """The first part was refused for good, the second could not be asked: the whole is tried again."""
    parse = explain(400, b"invalid", b"unable to parse 'x'")
    replies = iter([parse, parse, make_answer(503)])
    async with open_store_before(lambda _request: next(replies)) as (store, _):
        with pytest.raises(StoreUnavailableError):
            await store.write(make_rows(2))


async def test_a_write_is_what_the_api_asks_for():
    """Organisation, bucket and milliseconds; the token in its header; one request for each bucket."""
    async with open_store_before(lambda _request: NO_CONTENT) as (store, impostor):
        meter = GatewayReading("1", Reading("meter", {"meter": "production", "phase": "a"}, 5, {"power": 1.0}))
        assert await store.write([*make_rows(2), meter]) == {}
    paths = {request.path: request for request in impostor.requests}
    live, rest = (f"/api/v2/write?org=home&bucket={bucket}&precision=ms" for bucket in ("envoy_live", "envoy"))
    assert len(impostor.requests) == 2
    assert paths[live].body == b"meter,gateway=1,meter=production,phase=a power=1.0 5"
    assert paths[rest].body == b"inverter,gateway=1,inverter=1 power=1.0 0\ninverter,gateway=1,inverter=1 power=1.0 1"
    assert paths[rest].method == "POST"
    assert paths[rest].headers["authorization"] == f"Token {TOKEN}"


@pytest.mark.parametrize(
    ("status", "message", "code", "dropped"),
    [
        (400, "unable to parse 'x': missing fields", Rejection.STORE_REFUSED, 1),
        (422, "failure writing points to database: partial write: field type conflict: ... dropped=3",
         Rejection.STORE_REFUSED, 3),
        (422, "failure writing points to database: partial write: dropped 7 points outside retention policy of duration",
         Rejection.TOO_OLD, 7),
        (422, "failure writing points to database: partial write: something new", Rejection.STORE_REFUSED, 1),
    ],
)  # fmt: skip
def test_refusals_of_rows_say_why_and_how_many(status, message, code, dropped):
    refused = make_status_error(status, b'{"code":"x","message":"%b"}' % message.encode(), url="s", org="o", bucket="b")
    assert isinstance(refused, RowsRefusedError)
    assert (refused.code, refused.dropped) == (code, dropped)


def test_too_large_is_too_large_whoever_says_so():
    assert isinstance(make_status_error(413, HTML, url="s", org="o", bucket="b"), TooLargeError)


async def test_writes_of_one_gateway_go_out_in_their_order_and_others_pass_beside():
    """So that a later value wins, and two cores of the database are kept busy."""
    heard, answered = asyncio.Queue[bytes](), asyncio.Event()

    def hold(request):
        heard.put_nowait(request.body)
        return make_raw(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", after=answered.wait)

    def make_row(gateway, power):
        return [GatewayReading(gateway, Reading("inverter", {"inverter": "1"}, 0, {"power": power}))]

    async with open_store_before(hold) as (store, _):
        writes = [asyncio.create_task(store.write(make_row(*one))) for one in (("a", 1.0), ("a", 2.0), ("b", 3.0))]
        begun = {(await heard.get()).split()[1], (await heard.get()).split()[1]}
        assert begun == {b"power=1.0", b"power=3.0"}
        assert heard.empty()
        answered.set()
        assert await asyncio.gather(*writes) == [{}, {}, {}]
        assert (await heard.get()).split()[1] == b"power=2.0"
