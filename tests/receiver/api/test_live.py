"""Live values: readings as they are stored, the sums of each second, and viewers that are slow, late or not let in."""

import asyncio
import contextlib
import ipaddress

import msgspec
import pytest

from receiver.api.access import COOKIE
from receiver.api.live_answers import EndedView, LiveReading
from receiver.live.solar import SolarData
from receiver.service.description import describe_api
from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.receiver import service as hosted
from tests.receiver.api.published import read_as
from tests.receiver.api.viewing import LIVE, View, make_net, make_token, open_view
from tests.receiver.service import (
    GATEWAY,
    OTHER,
    READ_SECRET,
    assert_problem,
    make_inverter,
    make_meter,
    make_read_claims,
    sign,
)


async def test_a_reading_is_seen_as_it_is_stored(service):
    await service.send(make_meter(power=100.0))
    async with open_view(service) as seen:
        await service.send(make_meter(NOW_MS + 1000, power=250.0), batch="ab", first=2)
        name, data, cursor = await seen.wait_for_next("reading")
    assert name == "reading"
    assert data == {
        "kind": "meter",
        "tags": {"meter": "production", "phase": "a"},
        "timestamp": NOW_MS + 1000,
        "fields": {"power": 250.0},
    }
    assert cursor == str(NOW_MS + 1000)


async def test_the_events_carry_what_is_published_of_them(service):
    """The page's types come from there."""
    live = describe_api()["paths"]["/api/v1/gateways/{serial}/live"]["get"]["responses"]["200"]["content"]
    schema = live["text/event-stream"]["schema"]
    assert schema["type"] == "object"
    assert {"$ref": "#/components/schemas/SolarData"} in schema["anyOf"]
    assert list(LiveReading.__annotations__) == [field.name for field in msgspec.structs.fields(Reading)]
    await service.send(make_meter(power=100.0), make_net(5.0))
    async with open_view(service) as seen:
        read_as(SolarData, (await seen.wait_for_next("solar_data"))[1])
        await service.send(Reading("event", {"type": "gap"}, NOW_MS, {"reason": "stalled"}), batch="ab", first=3)
        read_as(LiveReading, (await seen.wait_for_next("reading"))[1])
        service.receiver.hub.close()
        read_as(EndedView, (await seen.wait_for_next("ended"))[1])


async def test_a_backlog_is_history_and_another_gateways_readings_are_nobodys_business(service):
    await service.send(make_meter())
    async with open_view(service) as seen:
        await service.send(make_meter(NOW_MS - 120_000, power=1.0), batch="ab", first=2)
        await service.send(make_meter(NOW_MS, power=2.0), serial=OTHER, outbox="cc")
        await service.send(make_meter(NOW_MS + 1, power=3.0), batch="ac", first=3)
        _, data, _ = await seen.wait_for_next("reading")
    assert data["fields"] == {"power": 3.0}


async def test_the_sums_of_each_second_have_the_form_that_pages_for_the_envoy_expect(service):
    """Also those few watts of a phase count that are an inverter's own draw, as in `/power`."""
    await service.send(make_meter(power=1500.4), make_meter(phase="b", power=-4.9), make_net(-300.0))
    async with open_view(service) as seen:
        _, data, _ = await seen.wait_for_next("solar_data")
        assert data == {"p": 1496, "c": 1196, "n": -300}
        await service.send(make_meter(NOW_MS + 1000, power=2000.0), batch="ab", first=9)
        while data["p"] == 1496:
            _, data, _ = await seen.wait_for_next("solar_data")
    assert data == {"p": 1995, "c": 1695, "n": -300}


async def test_with_a_battery_net_is_what_the_grid_gives_as_power_says(service):
    """Seven kilowatts from the battery, little sun: 1,750 W are bought all the same, and -5,334 W are not sold."""
    battery = Reading("meter", {"meter": "storage", "phase": "a"}, NOW_MS, {"power": 7084.0})
    await service.send(make_meter(power=1500.0), make_net(1750.0), battery)
    async with open_view(service) as seen:
        _, data, _ = await seen.wait_for_next("solar_data")
    headers = {"authorization": f"Bearer {make_token(now_ms=service.clock.ms)}"}
    power = (await service.client.get(LIVE.removesuffix("live") + "power", headers=headers)).json()
    assert data == {"p": 1500, "c": 10_334, "n": 1750}
    assert data["n"] == power["net_w"] != 1750 - 7084


async def test_without_a_production_meter_the_inverters_stand_in(service):
    await service.send(make_inverter("A", power=200.0), make_inverter("B", power=100.0), make_net(50.0))
    async with open_view(service) as seen:
        _, data, _ = await seen.wait_for_next("solar_data")
    assert data == {"p": 300, "c": 350, "n": 50}


async def test_what_is_not_known_is_not_invented(service):
    """Two minutes after the last value nothing is known of now: no event rather than an old number."""
    await service.send(make_meter(), make_net(0.0))
    service.clock.advance(121)
    async with open_view(service) as seen, asyncio.timeout(10):
        lines = [await anext(seen._lines) for _ in range(3)]
    assert lines[2] == ": the household now is not known"


async def test_a_view_makes_scrapers_post_at_once_and_no_longer_when_it_is_over(service):
    await service.send(make_meter())
    async with open_view(service):
        verdict = await service.send(make_meter(NOW_MS + 1), batch="ab", first=2)
        assert verdict.watched
    service.clock.advance(31)
    verdict = await service.send(make_meter(NOW_MS + 2), batch="ac", first=3)
    assert not verdict.watched


async def test_a_viewer_that_comes_back_hears_what_it_missed(service):
    await service.send(*(make_meter(NOW_MS + n, power=float(n)) for n in range(5)), make_inverter("A", power=7.0))
    headers = {"authorization": f"Bearer {make_token()}", "last-event-id": str(NOW_MS + 2)}
    async with open_view(service, **headers) as seen:
        heard = [(await seen.wait_for_next("reading"))[1] for _ in range(3)]
    powers = sorted(data["fields"]["power"] for data in heard)
    assert powers == [3.0, 4.0, 7.0], "meters from the cursor on; an inverter's report comes late by its nature"


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1e3", "9" * 30, "é"])
async def test_a_cursor_that_is_none_is_no_failure(service, cursor):
    await service.send(make_meter())
    headers = {"authorization": f"Bearer {make_token()}", "last-event-id": cursor.encode().decode("latin-1")}
    raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    async with service.client.stream("GET", LIVE, headers=raw) as answer:
        assert answer.status_code == 200
        await service.send(make_meter(NOW_MS + 1, power=5.0), batch="ab", first=2)
        assert (await View(answer.aiter_lines()).wait_for_next("reading"))[1]["fields"] == {"power": 5.0}


async def test_the_cookie_opens_a_view_and_strangers_hear_the_usual(service):
    await service.send(make_meter(), make_net(1.0))
    async with open_view(service, cookie=f"{COOKIE}={make_token()}") as seen:
        await seen.wait_for_next("solar_data")
    assert_problem(await service.client.get(LIVE), 401, "unauthorised")
    assert_problem(await service.get(LIVE, token=make_token(gateways=[OTHER])), 404, "not-found")
    assert_problem(await service.get(f"/api/v1/gateways/{OTHER}/live"), 404, "not-found")


async def test_access_is_looked_at_again_each_minute(service):
    await service.send(make_meter(), make_net(1.0))
    claims = make_read_claims() | {"exp": NOW_MS // 1000 + 30}
    async with open_view(service, authorization=f"Bearer {sign(claims, READ_SECRET, kid='read')}") as seen:
        await seen.wait_for_next("solar_data")
        service.clock.advance(100)
        assert (await seen.wait_for_next("ended"))[1] == {"reason": "unauthorised"}
        await seen.wait_for_end()


async def test_open_networks_see_the_sums_and_nothing_else(tmp_path):
    open_live = (ipaddress.ip_network("127.0.0.0/8"),)
    async with hosted.start(tmp_path, open_live=open_live) as service:
        await service.send(make_meter(power=1500.0), make_net(-300.0))
        async with open_view(service, accept="text/event-stream", **{"last-event-id": "1"}) as seen:
            await service.send(make_meter(NOW_MS + 1, power=1600.0), batch="ab", first=3)
            for _ in range(2):
                name, data, _ = await seen.wait_for_next("reading", "solar_data")
                assert (name, set(data)) == ("solar_data", {"p", "c", "n"})
        bad = await service.client.get(LIVE, headers={"authorization": "Bearer x"})
        assert_problem(bad, 401, "unauthorised")
        assert_problem(await service.client.get(f"/api/v1/gateways/{GATEWAY}/meters"), 401, "unauthorised")


async def test_other_networks_do_not(tmp_path):
    async with hosted.start(tmp_path, open_live=(ipaddress.ip_network("192.0.2.0/24"),)) as service:
        await service.send(make_meter())
        assert_problem(await service.client.get(LIVE), 401, "unauthorised")


async def test_views_end_when_the_receiver_stops(tmp_path):
    async with contextlib.AsyncExitStack() as stack:
        service = await stack.enter_async_context(hosted.start(tmp_path))
        await service.send(make_meter())
        seen = await stack.enter_async_context(open_view(service))
        service.receiver.hub.close()
        assert (await seen.wait_for_next("ended"))[1] == {"reason": "stopping"}
