"""A gateway, its meters and its household now, over every store; a reader that has the latest hears so."""

import csv
import io

import pytest

from receiver.api.gateway_answers import GatewayEntry, GatewayStatus
from receiver.api.meter_answers import HouseholdPower, MeterEntry
from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.receiver.api.constant_household import HOUR, SITES, ask_all, fill, make_counters, to_ms, write_sites_file
from tests.receiver.api.published import read_as
from tests.receiver.service import GATEWAY, OTHER, READ_SECRET, assert_problem, make_inverter, make_read_claims, sign
from tests.receiver.stores.store_factories import STORES

ROOT = "/api/v1/gateways"
PATH = f"{ROOT}/{GATEWAY}"
ROUTES = ["", "/meters", "/power"]


def make_readings(timestamp=NOW_MS, **changes):
    powers = {("production", "a"): 2000.0, ("net-consumption", "a"): -900.0, ("net-consumption", "b"): 400.0}
    return [
        Reading("meter", {"meter": meter, "phase": phase}, timestamp, {"power": power, "voltage": 230.0, **changes})
        for (meter, phase), power in powers.items()
    ]


async def test_the_household_now(service_on_each_store):
    await service_on_each_store.send(*make_readings(), make_inverter("1", power=1990.0))
    service_on_each_store.clock.advance(2)
    (found,) = await ask_all(service_on_each_store, "/power")
    read_as(HouseholdPower, found)
    assert found == {
        "production_w": 2000.0,
        "load_w": 1500.0,
        "net_w": -500.0,
        "imported_w": 0.0,
        "exported_w": 500.0,
        "battery_w": None,
        "state_of_charge": None,
        "grid_mode": None,
        "load_unknown": None,
        "timestamp": NOW_MS,
        "age_seconds": 2.0,
    }
    assert service_on_each_store.receiver.watch.is_watched(GATEWAY)
    service_on_each_store.clock.advance(7200)
    (found,) = await ask_all(service_on_each_store, "/power")
    assert set(found.values()) == {None}, "nothing speaks of now any more"


async def test_the_household_with_a_battery_that_no_meter_sees(service_on_each_store):
    """Its own power makes the load right; once it is silent the load is unknown, and the answer says why."""
    storage = {"batteries": 2.0, "measured": 2.0, "power": -1200.0, "state_of_charge": 55.0}
    silent = {"batteries": 2.0, "measured": 0.0}
    grid = Reading("grid", {}, NOW_MS, {"mode": "connected", "relay": "closed", "connected": 1.0})
    await service_on_each_store.send(*make_readings(), grid, Reading("storage", {}, NOW_MS, {**storage}))
    (found,) = await ask_all(service_on_each_store, "/power")
    assert (found["load_w"], found["battery_w"], found["load_unknown"]) == (300.0, -1200.0, None)
    assert (found["state_of_charge"], found["grid_mode"]) == (55.0, "connected")
    service_on_each_store.clock.advance(60)
    await service_on_each_store.send(
        *make_readings(NOW_MS + 60_000), Reading("storage", {}, NOW_MS + 60_000, {**silent})
    )
    (found,) = await ask_all(service_on_each_store, "/power")
    read_as(HouseholdPower, found)
    assert (found["load_w"], found["battery_w"]) == (None, None)
    assert found["load_unknown"] == "battery-power-unknown"
    assert (found["production_w"], found["exported_w"]) == (2000.0, 500.0)


async def test_a_load_that_cannot_be_known_says_why(service_on_each_store):
    """A total meter beside a known battery, then a phase that drops out: null with the reason, in each answer."""
    total = Reading("meter", {"meter": "total-consumption", "phase": "a"}, NOW_MS, {"power": 1300.0, "measured": 1.0})
    roof = Reading("meter", {"meter": "production", "phase": "a"}, NOW_MS, {"power": 1000.0, "measured": 1.0})
    battery = Reading("storage", {}, NOW_MS, {"batteries": 1.0, "measured": 1.0, "power": -500.0})
    await service_on_each_store.send(total, roof, battery)
    (found,) = await ask_all(service_on_each_store, "/power")
    read_as(HouseholdPower, found)
    assert (found["load_w"], found["net_w"], found["battery_w"]) == (None, None, -500.0)
    assert found["load_unknown"] == "total-meter-beside-battery"
    later = NOW_MS + 60_000
    service_on_each_store.clock.advance(60)
    net = Reading("meter", {"meter": "net-consumption", "phase": "a"}, later, {"power": -500.0, "measured": 1.0})
    silent = Reading("meter", dict(roof.tags), later, {"frequency": 50.0, "measured": 0.0})
    await service_on_each_store.send(net, silent, make_inverter("1", later - 600_000, power=3000.0), first=100)
    (found,) = await ask_all(service_on_each_store, "/power")
    assert (found["production_w"], found["load_w"], found["net_w"]) == (None, None, -500.0)
    assert found["load_unknown"] == "phase-silent"
    status = (await service_on_each_store.get(PATH)).json()
    assert read_as(GatewayStatus, status).power.load_unknown == "phase-silent"


async def test_a_gateway_tells_of_its_household_and_of_today(start_over, tmp_path):
    """Everything that a first look needs, in one answer; the same over both stores."""
    found, begin = [], to_ms("2025-10-09")
    stop = to_ms("2025-10-09T10:00")
    for store in STORES:
        async with start_over(store, sites_file=write_sites_file(tmp_path)) as running:
            status = Reading("gateway", {}, stop - 5000, {"firmware": "D8.2.4286", "role": "owner"})
            readings = [
                *make_counters(begin, stop),
                *make_readings(stop),
                make_inverter("482100000001", stop, power=200.0),
                status,
            ]
            await fill(running, readings, now=stop + 1000)
            found += await ask_all(running, "")
    assert found[0] == found[1]
    gateway = read_as(GatewayStatus, found[0])
    assert (gateway.firmware, gateway.role, gateway.name) == ("D8.2.4286", "owner", "Home")
    assert (gateway.last_timestamp, gateway.age_seconds, gateway.delivery_lag_seconds) == (stop, 1.0, 1.0)
    assert (gateway.inverters, gateway.meters) == (1, 3)
    assert gateway.meter_names == ["net-consumption", "production"]
    assert vars(gateway.inverter_states) == {"producing": 1, "idle": 0, "silent": 0, "gone": 2}
    assert (gateway.power.production_w, gateway.power.load_w) == (2000.0, 1500.0)
    assert (gateway.today.start, gateway.today.in_progress) == (begin, True)
    assert gateway.today.production_wh == pytest.approx(10_000.0)
    assert (stop - begin) / HOUR == 10


async def test_meters_are_told_as_they_should_be(start_over, tmp_path):
    roles = "meters:\n    net-consumption: {reversed: [b]}\n  panels:"
    for store in STORES:
        async with start_over(store, sites_file=write_sites_file(tmp_path, SITES.replace("panels:", roles))) as running:
            await running.send(*make_readings())
            (found,) = await ask_all(running, "/meters")
            assert [read_as(MeterEntry, entry).power for entry in found] == [-900.0, -400.0, 2000.0]
            answer = await running.get(f"{PATH}/meters?format=csv")
            lines = list(csv.reader(io.StringIO(answer.text)))
            assert lines[0] == [
                "meter",
                "phase",
                "power",
                "voltage",
                "timestamp",
                "local_timestamp",
                "age_seconds",
                "speaks",
            ]
            assert lines[2][:3] == ["net-consumption", "b", "-400.0"]


@pytest.mark.parametrize("route", ROUTES)
async def test_who_has_the_latest_is_told_so(service_on_each_store, route):
    await service_on_each_store.send(*make_readings())
    first = await service_on_each_store.get(f"{PATH}{route}")
    again = await service_on_each_store.client.get(f"{PATH}{route}", headers=make_headers(first))
    assert (again.status_code, again.content) == (304, b"")
    service_on_each_store.clock.advance(10)
    assert (await service_on_each_store.client.get(f"{PATH}{route}", headers=make_headers(first))).status_code == 304
    await service_on_each_store.send(*make_readings(NOW_MS + 10_000), first=100)
    newer = await service_on_each_store.client.get(f"{PATH}{route}", headers=make_headers(first))
    assert newer.status_code == 200
    assert newer.headers["etag"] != first.headers["etag"]
    assert newer.headers["cache-control"] == "private, no-cache"


def make_headers(answer):
    return {"authorization": answer.request.headers["authorization"], "if-none-match": answer.headers["etag"]}


async def test_the_list_of_gateways_comes_in_pages(service_on_each_store):
    for serial in (GATEWAY, OTHER):
        await service_on_each_store.send(make_inverter("1"), serial=serial, outbox=serial[-2:])
    first = await service_on_each_store.get(f"{ROOT}?limit=1")
    assert [read_as(GatewayEntry, entry).gateway for entry in first.json()] == [GATEWAY]
    link = first.headers["link"]
    assert link == f'<?limit=1&after={GATEWAY}>; rel="next"'
    second = await service_on_each_store.get(f"{ROOT}?limit=1&after={GATEWAY}")
    assert [entry["gateway"] for entry in second.json()] == [OTHER]
    assert "link" not in second.headers
    lines = (await service_on_each_store.get(f"{ROOT}?format=csv")).text.splitlines()
    assert lines[0].split(",")[:4] == ["gateway", "name", "time_zone", "last_timestamp"]
    assert len(lines) == 3


async def test_a_token_of_many_gateways_lists_those_that_are_there(service_on_each_store):
    await service_on_each_store.send(make_inverter("1"))
    for many in (2, 50):
        serials = [GATEWAY, *(f"9{number:011}" for number in range(many))]
        token = sign(make_read_claims(gateways=serials), READ_SECRET, kid="read")
        assert [entry["gateway"] for entry in (await service_on_each_store.get(ROOT, token=token)).json()] == [GATEWAY]


@pytest.mark.parametrize(("query", "names"), [
    ("?limit=0", "limit"), ("?limit=1001", "limit"), ("?limit=x", "limit"), ("?page=2", "parameter"),
    ("?format=xml", "format"), (f"/{GATEWAY}?format=csv", "parameter"), (f"/{GATEWAY}/power?x=1", "parameter"),
    (f"/{GATEWAY}/meters?phase=a", "parameter"),
])  # fmt: skip
async def test_what_cannot_be_answered_says_which_parameter_to_change(service, query, names):
    await service.send(make_inverter("1"))
    answer = await service.get(f"{ROOT}{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(f"{names} ")


@pytest.mark.parametrize("route", ROUTES)
async def test_who_asks_for_another_gateway_finds_nothing(service, route):
    await service.send(*make_readings(), serial=OTHER)
    assert_problem(await service.get(f"{PATH}{route}"), 404, "not-found")
