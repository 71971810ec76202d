"""Viewers that are slow, gone or too many: nobody else notices, and each reader has a share."""

import asyncio
import ipaddress

from receiver.api import live
from receiver.live.hub import Hub
from receiver.service.app import create_app
from tests.clocks import NOW_MS
from tests.receiver import service as hosted
from tests.receiver.api.viewing import LIVE, make_token, open_view
from tests.receiver.service import (
    GATEWAY,
    assert_problem,
    make_inverter,
    make_meter,
)


async def test_a_slow_viewer_is_told_and_dropped_and_nobody_else_notices(service):
    hub = Hub(service.receiver.store, service.receiver.watch, service.clock, most_waiting=10)
    slow, quick = await hub.open_view(GATEWAY, "a"), await hub.open_view(GATEWAY, "b")
    heard = b""
    for number in range(3):
        hub.deliver(GATEWAY, [make_meter(NOW_MS + number * 4 + n) for n in range(4)])
        heard += await quick.wait_for_events()
    assert (slow.ended, quick.ended) == ("too-slow", None)
    assert heard.count(b"event: reading") == 12
    assert await slow.wait_for_events() == b"", "what waited is let go of"


async def test_there_is_room_for_so_many_and_a_place_is_free_again_after_each(service):
    await service.send(make_meter())
    service.receiver.hub._most_viewers = 2
    async with open_view(service), open_view(service):
        answer = await service.get(LIVE)
        assert_problem(answer, 429, "too-many-requests")
        assert answer.headers["retry-after"] == "30"
    async with asyncio.timeout(10):
        while service.receiver.hub.count():  # noqa: ASYNC110 (the server notices by itself)
            await asyncio.sleep(0.01)
    async with open_view(service):
        pass


async def test_each_reader_has_a_share_of_the_views(service):
    """One that opens many is refused; another one, and the same one somewhere else in its own network, is not."""
    await service.send(make_meter())
    service.receiver.hub._most_of_one = 2
    greedy, modest = ({"authorization": f"Bearer {make_token(jti=name)}"} for name in ("greedy", "modest"))
    async with open_view(service, **greedy), open_view(service, **greedy):
        answer = await service.client.get(LIVE, headers=greedy)
        assert_problem(answer, 429, "too-many-requests")
        assert answer.headers["retry-after"] == "30"
        async with open_view(service, **modest):
            pass
    async with asyncio.timeout(10):
        while service.receiver.hub.count():  # noqa: ASYNC110 (the server notices by itself)
            await asyncio.sleep(0.01)
    assert not service.receiver.hub._of_reader, "nobody who has gone is remembered"
    async with open_view(service, **greedy):
        pass


async def test_those_without_a_token_share_by_their_address(tmp_path):
    async with hosted.start(tmp_path, open_live=(ipaddress.ip_network("127.0.0.0/8"),)) as service:
        await service.send(make_meter())
        service.receiver.hub._most_of_one = 1
        async with open_view(service, accept="text/event-stream"):
            assert_problem(await service.client.get(LIVE), 429, "too-many-requests")
            async with open_view(service, authorization=f"Bearer {make_token()}"):
                pass


async def test_a_viewer_whose_connection_takes_nothing_is_given_up(service, monkeypatch):
    """A phone in a tunnel: its connection stays open for long, and nothing of ours may wait for it."""
    monkeypatch.setattr(live, "SEND_S", 0.05)
    await service.send(make_meter())
    app = create_app(service.receiver)
    scope = {
        "type": "http", "method": "GET", "path": LIVE, "raw_path": LIVE.encode(), "query_string": b"", "root_path": "",
        "http_version": "1.1", "scheme": "http", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
        "headers": [(b"authorization", f"Bearer {make_token()}".encode())],
    }  # fmt: skip
    begun = asyncio.Event()
    never = asyncio.Event()

    async def receive():
        await never.wait()

    async def send(message):
        if message["type"] == "http.response.body":
            begun.set()
            await never.wait()

    async with asyncio.timeout(20):
        await app(scope, receive, send)
    assert begun.is_set()
    assert service.receiver.hub.count() == 0


async def test_hundreds_of_views_that_nobody_reads_hold_no_batch_up(service):
    """They are dropped at their bound, each by itself; every batch is answered meanwhile."""
    viewers = [await service.receiver.hub.open_view(GATEWAY, str(number)) for number in range(400)]
    for number in range(60):
        rows = [make_inverter(str(n), NOW_MS + number) for n in range(50)]
        verdict = await service.send(*rows, batch=f"{number:x}", first=number * 50 + 1)
        assert verdict.accepted == 50
    assert {viewer.ended for viewer in viewers} == {"too-slow"}
