"""Faults of connections, replies and values: each one really is on the wire."""

import asyncio
import json
import re
import zlib
from pathlib import Path

import httpx
import pytest

from simulator.faults import KINDS, Faults, UnknownFaultError
from simulator.server import Simulator
from tests.simulator.reading import make_clock, open_reader

TESTS = Path(__file__).parents[1]
READINGS = "/ivp/meters/readings"
INVERTERS = "/api/v1/production/inverters"


@pytest.fixture
async def sim():
    async with Simulator("firmware-8", clock=make_clock(), late_morning=True) as simulator:
        yield simulator


async def test_refuse_closes_both_ports_and_the_same_ports_come_back(sim):
    ports = (sim.http_port, sim.https_port)
    sim.faults.switch_on("refuse")
    async with open_reader(sim) as client:
        for port in ports:
            with pytest.raises(httpx.ConnectError):
                await client.get(f"http://127.0.0.1:{port}/info")
        sim.faults.switch_off("refuse")
        assert (await client.get("/info")).status_code == 200
    assert (sim.http_port, sim.https_port) == ports


@pytest.mark.parametrize("stage", ["handshake", "reply"])
async def test_silent_accepts_and_never_answers(sim, stage):
    sim.faults.switch_on("silent", stage=stage)
    async with open_reader(sim) as client:
        with pytest.raises(httpx.TimeoutException):
            await client.get("/info", timeout=0.3)


async def test_reset_leaves_without_a_word(sim):
    sim.faults.switch_on("reset", times=1)
    async with open_reader(sim) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/info")
        assert (await client.get("/info")).status_code == 200


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [("html", 200, "<!DOCTYPE html>"), ("bad-gateway", 502, "502 Bad Gateway"), ("starting", 503, "503 Service")],
)
async def test_pages_stand_where_json_is_due(sim, fault, status, text):
    sim.faults.switch_on(fault, path="/api/")
    async with open_reader(sim) as client:
        response = await client.get(INVERTERS)
        assert response.status_code == status
        assert text in response.text
        assert response.headers["content-type"] == "text/html"
        assert (await client.get(READINGS)).status_code == 200, "another path is not affected"


async def test_redirect_points_to_a_foreign_host(sim):
    sim.faults.switch_on("redirect")
    async with open_reader(sim) as client:
        response = await client.get(INVERTERS)
    assert response.status_code == 302
    assert response.headers["location"] == "https://attacker.invalid/"


async def test_truncate_stops_inside_the_body(sim):
    sim.faults.switch_on("truncate", at=100)
    async with open_reader(sim) as client:
        with pytest.raises(httpx.RemoteProtocolError, match="received 100 bytes"):
            await client.get(READINGS)
    assert not sim.ledger.list_kind("readings"), "what was cut was not sent"


async def test_wrong_length_promises_more_or_less_than_there_is(sim):
    async with open_reader(sim) as client:
        sim.faults.switch_on("wrong-length", by=50)
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(READINGS)
        sim.faults.switch_on("wrong-length", by=-50)
        assert not _is_json((await client.get(READINGS)).text)


async def test_endless_never_ends(sim):
    sim.faults.switch_on("endless")
    received = 0
    async with open_reader(sim) as client, client.stream("GET", READINGS) as response:
        async for data in response.aiter_raw():
            received += len(data)
            if received > 3_000_000:
                break
    assert received > 3_000_000


async def test_a_gzip_bomb_is_small_on_the_wire_and_huge_when_unpacked(sim):
    sim.faults.switch_on("gzip-bomb", mib=8)
    async with open_reader(sim) as client, client.stream("GET", READINGS) as response:
        assert response.headers["content-encoding"] == "gzip"
        packed = b"".join([data async for data in response.aiter_raw()])
    assert len(packed) < 100_000
    assert len(zlib.decompress(packed, wbits=31)) == 8 * 1024 * 1024


async def test_slow_body_drips(sim):
    sim.faults.switch_on("slow-body", seconds=0)
    async with open_reader(sim) as client, client.stream("GET", INVERTERS) as response:
        pieces = [data async for data in response.aiter_raw()]
    assert json.loads(b"".join(pieces))


async def test_hostile_cookies_and_thousands_of_headers_are_sent(sim):
    sim.faults.switch_on("hostile-cookies")
    async with open_reader(sim) as client:
        cookies = (await client.get(INVERTERS)).headers.get_list("set-cookie")
    assert any("Domain=enphaseenergy.com" in cookie for cookie in cookies)
    sim.faults.clear()
    sim.faults.switch_on("many-headers", count=80)
    async with open_reader(sim) as client:
        assert len((await client.get(INVERTERS)).headers) > 80


def _is_json(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("nan", '"activePower": NaN'),
        ("huge-number", '"activePower": 1e400'),
        ("huge-integer", '"activePower": 1' + "0" * 40),
        ("wrong-type", '"activePower": "not a number"'),
        ("null", '"activePower": null'),
    ],
)
async def test_a_fault_changes_one_value_and_keeps_its_siblings(sim, fault, text):
    sim.faults.switch_on(fault)
    async with open_reader(sim) as client:
        body = (await client.get(READINGS)).text
    assert body.count(text) == 1
    assert '"voltage": ' in body
    assert not sim.ledger.list_kind("readings"), "the ledger must not hold the values before the fault"


async def test_fields_vanish_change_their_names_and_appear(sim):
    async with open_reader(sim) as client:
        sim.faults.switch_on("remove-field", field="voltage")
        assert '"voltage"' not in (await client.get(READINGS)).text
        sim.faults.clear()
        sim.faults.switch_on("rename-field", field="voltage", to="potential")
        assert '"potential"' in (await client.get(READINGS)).text
        sim.faults.clear()
        sim.faults.switch_on("new-field")
        assert all("novelty" in entry for entry in (await client.get(INVERTERS)).json())


async def test_nesting_and_duplicate_keys(sim):
    async with open_reader(sim) as client:
        sim.faults.switch_on("deep-nesting", depth=2000)
        assert (await client.get(READINGS)).text.startswith("[" * 2000)
        sim.faults.clear()
        sim.faults.switch_on("duplicate-keys")
        pairs: list[list[tuple[str, object]]] = []
        json.loads((await client.get(READINGS)).text, object_pairs_hook=pairs.append)
    assert any(len(names) != len({name for name, _ in names}) for names in pairs)


def test_an_unknown_fault_or_parameter_is_named_with_what_there_is():
    faults = Faults()
    with pytest.raises(UnknownFaultError, match=r"no fault 'meteor'; there are: .*truncate"):
        faults.switch_on("meteor")
    with pytest.raises(UnknownFaultError, match=r"takes no depth; it takes: at, path, times"):
        faults.switch_on("truncate", depth=3)


def test_a_fault_can_be_limited_to_a_path_and_a_number_of_replies():
    faults = Faults()
    faults.switch_on("html", path="/ivp/", times=2)
    assert faults.take("html", "/api/v1/production") is None
    assert faults.take("html", "/ivp/meters") is not None
    assert faults.take("html", "/ivp/meters") is not None
    assert faults.take("html", "/ivp/meters") is None
    assert faults.active == {}


@pytest.mark.parametrize("name", KINDS)
def test_every_fault_is_switched_on_by_some_test(name):
    """A fault without a test could have no effect."""
    sources = "".join(file.read_text() for file in TESTS.rglob("test_*.py"))
    assert re.search(f'"{name}[":]', sources)


async def test_a_slow_reader_does_not_stop_the_others(sim):
    """One request that hangs leaves every other connection alone."""
    sim.faults.switch_on("silent", path="/home")
    async with open_reader(sim) as slow, open_reader(sim) as quick:
        hanging = asyncio.create_task(slow.get("/home"))
        assert (await quick.get(INVERTERS)).status_code == 200
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging
