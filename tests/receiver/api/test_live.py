"""Live values: readings as they are stored, the sums of each second, and viewers that are slow, late or not let in."""

import asyncio
import contextlib
import ipaddress
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from receiver.api import live
from receiver.api.access import COOKIE
from receiver.live.hub import Hub
from receiver.service.app import create_app
from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.receiver import service as hosted
from tests.receiver.service import (
    GATEWAY,
    OTHER,
    READ_SECRET,
    Service,
    assert_problem,
    inverter,
    meter,
    read_claims,
    sign,
)

LIVE = f"/api/v1/gateways/{GATEWAY}/live"
Event = tuple[str, dict[str, Any], str]


def token(**changes) -> str:
    return sign(read_claims(**changes), READ_SECRET, kid="read")


class View:
    """An open connection that reads events."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def next(self, *names: str) -> Event:
        """The next event of one of these names: name, data, id."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(20):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if line:
                    fields[name] = value
                elif fields.get("event") in names:
                    return fields["event"], json.loads(fields["data"]), fields.get("id", "")
                else:
                    fields = {}
        raise AssertionError("the stream ended")

    async def ends(self) -> None:
        async for _ in self._lines:
            pass


@contextlib.asynccontextmanager
async def view(service: Service, path: str = LIVE, **headers: str) -> AsyncIterator[View]:
    headers = headers or {"authorization": f"Bearer {token(now_ms=service.clock.ms)}"}
    async with service.client.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        yield View(answer.aiter_lines())


def net(power: float, **changes) -> Reading:
    return Reading("meter", {"meter": "net-consumption", "phase": "a"}, NOW_MS, {"power": power, **changes})


async def test_a_reading_is_seen_as_it_is_stored(service):
    await service.send(meter(power=100.0))
    async with view(service) as seen:
        await service.send(meter(NOW_MS + 1000, power=250.0), batch="ab", first=2)
        name, data, cursor = await seen.next("reading")
    assert name == "reading"
    assert data == {
        "kind": "meter",
        "tags": {"meter": "production", "phase": "a"},
        "timestamp": NOW_MS + 1000,
        "fields": {"power": 250.0},
    }
    assert cursor == str(NOW_MS + 1000)


async def test_a_backlog_is_history_and_another_gateways_readings_are_nobodys_business(service):
    await service.send(meter())
    async with view(service) as seen:
        await service.send(meter(NOW_MS - 120_000, power=1.0), batch="ab", first=2)
        await service.send(meter(NOW_MS, power=2.0), serial=OTHER, outbox="cc")
        await service.send(meter(NOW_MS + 1, power=3.0), batch="ac", first=3)
        _, data, _ = await seen.next("reading")
    assert data["fields"] == {"power": 3.0}


async def test_the_sums_of_each_second_have_the_form_that_pages_for_the_envoy_expect(service):
    """Production below 5 W of a phase counts as none, and net follows from that."""
    await service.send(meter(power=1500.4), meter(phase="b", power=4.9), net(-300.0))
    async with view(service) as seen:
        _, data, _ = await seen.next("solar_data")
        assert data == {"p": 1500, "c": 1205, "n": -295}
        await service.send(meter(NOW_MS + 1000, power=2000.0), batch="ab", first=9)
        while data["p"] == 1500:
            _, data, _ = await seen.next("solar_data")
    assert data == {"p": 2000, "c": 1705, "n": -295}


async def test_with_a_battery_net_is_what_the_grid_gives_as_power_says(service):
    """Seven kilowatts from the battery, little sun: 1,750 W are bought all the same."""
    battery = Reading("meter", {"meter": "storage", "phase": "a"}, NOW_MS, {"power": 7084.0})
    await service.send(meter(power=1500.0), net(1750.0), battery)
    async with view(service) as seen:
        _, data, _ = await seen.next("solar_data")
    headers = {"authorization": f"Bearer {token(now_ms=service.clock.ms)}"}
    power = (await service.client.get(LIVE.removesuffix("live") + "power", headers=headers)).json()
    assert data == {"p": 1500, "c": 10_334, "n": 1750}
    assert data["n"] == power["net_w"]


async def test_without_a_production_meter_the_inverters_stand_in(service):
    await service.send(inverter("A", power=200.0), inverter("B", power=100.0), net(50.0))
    async with view(service) as seen:
        _, data, _ = await seen.next("solar_data")
    assert data == {"p": 300, "c": 350, "n": 50}


async def test_what_is_not_known_is_not_invented(service):
    """Two minutes after the last value nothing is known of now: no event rather than an old number."""
    await service.send(meter(), net(0.0))
    service.clock.advance(121)
    async with view(service) as seen, asyncio.timeout(10):
        lines = [await anext(seen._lines) for _ in range(3)]
    assert lines[2] == ": nothing is known of now"


async def test_a_view_makes_scrapers_post_at_once_and_no_longer_when_it_is_over(service):
    await service.send(meter())
    async with view(service):
        verdict = await service.send(meter(NOW_MS + 1), batch="ab", first=2)
        assert verdict.watched
    service.clock.advance(31)
    verdict = await service.send(meter(NOW_MS + 2), batch="ac", first=3)
    assert not verdict.watched


async def test_a_viewer_that_comes_back_hears_what_it_missed(service):
    await service.send(*(meter(NOW_MS + n, power=float(n)) for n in range(5)), inverter("A", power=7.0))
    headers = {"authorization": f"Bearer {token()}", "last-event-id": str(NOW_MS + 2)}
    async with view(service, **headers) as seen:
        heard = [(await seen.next("reading"))[1] for _ in range(3)]
    powers = sorted(data["fields"]["power"] for data in heard)
    assert powers == [3.0, 4.0, 7.0], "meters from the cursor on; an inverter's report comes late by its nature"


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1e3", "9" * 30, "é"])
async def test_a_cursor_that_is_none_is_no_fault(service, cursor):
    await service.send(meter())
    headers = {"authorization": f"Bearer {token()}", "last-event-id": cursor.encode().decode("latin-1")}
    raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    async with service.client.stream("GET", LIVE, headers=raw) as answer:
        assert answer.status_code == 200
        await service.send(meter(NOW_MS + 1, power=5.0), batch="ab", first=2)
        assert (await View(answer.aiter_lines()).next("reading"))[1]["fields"] == {"power": 5.0}


async def test_the_cookie_opens_a_view_and_strangers_hear_the_usual(service):
    await service.send(meter(), net(1.0))
    async with view(service, cookie=f"{COOKIE}={token()}") as seen:
        await seen.next("solar_data")
    assert_problem(await service.client.get(LIVE), 401, "unauthorised")
    assert_problem(await service.get(LIVE, token=token(gateways=[OTHER])), 404, "not-found")
    assert_problem(await service.get(f"/api/v1/gateways/{OTHER}/live"), 404, "not-found")


async def test_access_is_looked_at_again_each_minute(service):
    await service.send(meter(), net(1.0))
    claims = read_claims() | {"exp": NOW_MS // 1000 + 30}
    async with view(service, authorization=f"Bearer {sign(claims, READ_SECRET, kid='read')}") as seen:
        await seen.next("solar_data")
        service.clock.advance(100)
        assert (await seen.next("ended"))[1] == {"reason": "unauthorised"}
        await seen.ends()


async def test_open_networks_see_the_sums_and_nothing_else(tmp_path):
    open_live = (ipaddress.ip_network("127.0.0.0/8"),)
    async with hosted.start(tmp_path, open_live=open_live) as service:
        await service.send(meter(power=1500.0), net(-300.0))
        async with view(service, accept="text/event-stream", **{"last-event-id": "1"}) as seen:
            await service.send(meter(NOW_MS + 1), batch="ab", first=3)
            for _ in range(2):
                name, data, _ = await seen.next("reading", "solar_data")
                assert (name, set(data)) == ("solar_data", {"p", "c", "n"})
        bad = await service.client.get(LIVE, headers={"authorization": "Bearer x"})
        assert_problem(bad, 401, "unauthorised")
        assert_problem(await service.client.get(f"/api/v1/gateways/{GATEWAY}/meters"), 401, "unauthorised")


async def test_other_networks_do_not(tmp_path):
    async with hosted.start(tmp_path, open_live=(ipaddress.ip_network("192.0.2.0/24"),)) as service:
        await service.send(meter())
        assert_problem(await service.client.get(LIVE), 401, "unauthorised")


async def test_a_slow_viewer_is_told_and_dropped_and_nobody_else_notices(service):
    hub = Hub(service.receiver.store, service.receiver.watch, service.clock, most_waiting=10)
    slow, quick = await hub.view(GATEWAY, "a"), await hub.view(GATEWAY, "b")
    heard = b""
    for number in range(3):
        hub.on_stored(GATEWAY, [meter(NOW_MS + number * 4 + n) for n in range(4)])
        heard += await quick.events()
    assert (slow.ended, quick.ended) == ("too-slow", None)
    assert heard.count(b"event: reading") == 12
    assert await slow.events() == b"", "what waited is let go of"


async def test_there_is_room_for_so_many_and_a_place_is_free_again_after_each(service):
    await service.send(meter())
    service.receiver.hub._most_viewers = 2
    async with view(service), view(service):
        answer = await service.get(LIVE)
        assert_problem(answer, 429, "too-many-requests")
        assert answer.headers["retry-after"] == "30"
    async with asyncio.timeout(10):
        while service.receiver.hub.count():  # noqa: ASYNC110 (the server notices by itself)
            await asyncio.sleep(0.01)
    async with view(service):
        pass


async def test_each_reader_has_a_share_of_the_views(service):
    """One that opens many is refused; another one, and the same one somewhere else in its own network, is not."""
    await service.send(meter())
    service.receiver.hub._most_of_one = 2
    greedy, modest = ({"authorization": f"Bearer {token(jti=name)}"} for name in ("greedy", "modest"))
    async with view(service, **greedy), view(service, **greedy):
        answer = await service.client.get(LIVE, headers=greedy)
        assert_problem(answer, 429, "too-many-requests")
        assert answer.headers["retry-after"] == "30"
        async with view(service, **modest):
            pass
    async with asyncio.timeout(10):
        while service.receiver.hub.count():  # noqa: ASYNC110 (the server notices by itself)
            await asyncio.sleep(0.01)
    assert not service.receiver.hub._of_reader, "nobody who has gone is remembered"
    async with view(service, **greedy):
        pass


async def test_those_without_a_token_share_by_their_address(tmp_path):
    async with hosted.start(tmp_path, open_live=(ipaddress.ip_network("127.0.0.0/8"),)) as service:
        await service.send(meter())
        service.receiver.hub._most_of_one = 1
        async with view(service, accept="text/event-stream"):
            assert_problem(await service.client.get(LIVE), 429, "too-many-requests")
            async with view(service, authorization=f"Bearer {token()}"):
                pass


async def test_a_viewer_whose_connection_takes_nothing_is_given_up(service, monkeypatch):
    """A phone in a tunnel: its connection stays open for long, and nothing of ours may wait for it."""
    monkeypatch.setattr(live, "SEND_S", 0.05)
    await service.send(meter())
    app = create_app(service.receiver)
    scope = {
        "type": "http", "method": "GET", "path": LIVE, "raw_path": LIVE.encode(), "query_string": b"", "root_path": "",
        "http_version": "1.1", "scheme": "http", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
        "headers": [(b"authorization", f"Bearer {token()}".encode())],
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
    viewers = [await service.receiver.hub.view(GATEWAY, str(number)) for number in range(400)]
    for number in range(60):
        rows = [inverter(str(n), NOW_MS + number) for n in range(50)]
        verdict = await service.send(*rows, batch=f"{number:x}", first=number * 50 + 1)
        assert verdict.accepted == 50
    assert {viewer.ended for viewer in viewers} == {"too-slow"}


async def test_views_end_when_the_receiver_stops(tmp_path):
    async with contextlib.AsyncExitStack() as stack:
        service = await stack.enter_async_context(hosted.start(tmp_path))
        await service.send(meter())
        seen = await stack.enter_async_context(view(service))
        service.receiver.hub.close()
        assert (await seen.next("ended"))[1] == {"reason": "stopping"}
