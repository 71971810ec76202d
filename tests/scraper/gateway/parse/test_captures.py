"""Every captured gateway is read completely: its raw values, from disk and over real sockets."""

import re

import httpx
import pytest

from scraper.gateway.info import parse_info
from scraper.gateway.parse.device_data import join_inverters, parse_device_data
from scraper.gateway.parse.inverters import parse_inverters
from scraper.gateway.parse.json_reply import load
from scraper.gateway.parse.meter_readings import parse_readings
from scraper.gateway.parse.meters import parse_meters
from scraper.gateway.parse.production import choose_production
from scraper.gateway.parse.values import Notes
from tests.captures import (
    each_capture,
    find_capture,
    list_folders,
    read_body,
    read_manifest,
    read_raw_json,
    run_on_captures_where,
    run_on_captures_with,
)
from tests.replay import VALID_TOKEN, Replay
from tests.scraper.gateway.parse.gateway_table import BEGIN, DOCUMENT, END, parse_document, write_table

INVERTERS = "/api/v1/production/inverters"
DEVICE_DATA = "/ivp/pdm/device_data"
METERS = "/ivp/meters"
READINGS = "/ivp/meters/readings"
PRODUCTION = "/production.json"
NOW = 1_800_000_000_000

DIRECT = {
    "activePower": "power", "reactivePower": "reactive_power", "apparentPower": "apparent_power", "voltage": "voltage",
    "current": "current", "pwrFactor": "power_factor", "freq": "frequency",
}  # fmt: skip
MILLI = {
    "acVoltageINmV": "ac_voltage", "dcVoltageINmV": "dc_voltage", "acCurrentInmA": "ac_current",
    "dcCurrentINmA": "dc_current", "acFrequencyINmHz": "frequency",
}  # fmt: skip


def is_clean(notes):
    """Whether nothing was refused, missing or new."""
    return (dict(notes.refused), notes.missing, notes.unknown) == ({}, set(), set())


@each_capture
def test_identity(folder):
    text = (read_body(folder, "/info") or b"").decode()
    info = parse_info(text.encode())

    def find_element(name):
        match = re.search(f"<{name}>(.*?)</{name}>", text)
        return match and match[1]

    assert (info.serial, info.firmware) == (find_element("sn"), find_element("software"))
    assert info.part_number == find_element("pn")
    assert str(info.time_s) == find_element("time")
    assert info.metered == {"true": True, "false": False, None: None}[find_element("imeter")]
    assert info.token_login == (find_element("web-tokens") == "true") == (info.version >= (7,))
    assert info.firmware[1:] == ".".join(str(part) for part in info.version)


@run_on_captures_with(INVERTERS)
def test_every_listed_inverter(folder):
    raw = read_raw_json(folder, INVERTERS)
    notes = Notes()
    found = parse_inverters(parse_document(folder, INVERTERS), notes)
    assert {r.tags["inverter"]: (r.timestamp, r.fields) for r in found.readings} == {
        entry["serialNumber"]: (
            entry["lastReportDate"] * 1000,
            {"power": float(entry["lastReportWatts"]), "max_power": float(entry["maxReportWatts"])},
        )
        for entry in raw
        if entry.get("devType", 1) == 1
    }
    assert found.batteries == [entry["serialNumber"] for entry in raw if entry.get("devType") == 11]
    assert is_clean(notes)


@run_on_captures_with(DEVICE_DATA)
def test_every_described_inverter(folder):
    raw = read_raw_json(folder, DEVICE_DATA)
    notes = Notes()
    found = parse_device_data(parse_document(folder, DEVICE_DATA), notes)
    devices = {entry["sn"]: entry for entry in raw.values() if isinstance(entry, dict) and entry["devName"] == "pcu"}
    assert [reading.tags["inverter"] for reading in found.readings] == list(devices)
    assert not found.truncated
    assert is_clean(notes)
    for reading in found.readings:
        device = devices[reading.tags["inverter"]]
        channel = device["channels"][0]
        report = channel["lastReading"]
        assert reading.timestamp == report["endDate"] * 1000
        # Power is energy over time, although we read it from another key.
        assert reading.fields["power"] == round(report["joulesProduced"] / report["duration"])
        assert reading.fields["energy_lifetime"] == channel["lifetime"]["joulesProduced"] / 3600
        assert reading.fields["interval"] == report["duration"]
        assert reading.fields["temperature"] == report["channelTemp"]
        for key, name in MILLI.items():
            assert reading.fields[name] == report[key] / 1000
        assert ("rssi" in reading.fields) is not device["modGone"]
        assert reading.fields.get("energy_today", channel["wattHours"]["today"]) == channel["wattHours"]["today"]


@run_on_captures_with(INVERTERS)
def test_joined_inverters_keep_the_list_and_gain_fields(folder):
    listed = parse_inverters(parse_document(folder, INVERTERS))
    data = parse_document(folder, DEVICE_DATA)
    joined = {r.tags["inverter"]: r for r in join_inverters(listed, None if data is None else parse_device_data(data))}
    for reading in listed.readings:
        both = joined[reading.tags["inverter"]]
        assert both.timestamp == reading.timestamp
        assert reading.fields.items() <= both.fields.items()


@run_on_captures_with(METERS, READINGS)
def test_every_metered_phase(folder):
    raw_meters, raw = read_raw_json(folder, METERS), read_raw_json(folder, READINGS)
    notes = Notes()
    meters = parse_meters(parse_document(folder, METERS), notes)
    found = {(r.meter, r.phase): r for r in parse_readings(parse_document(folder, READINGS), meters, notes)}
    by_eid = {entry["eid"]: entry for entry in raw}
    expected = {
        (meter["measurementType"], phase): channel
        for meter in raw_meters
        if meter["state"] == "enabled"
        for phase, channel in list(zip("abc", by_eid[meter["eid"]]["channels"], strict=True))[: meter["phaseCount"]]
    }
    assert found.keys() == expected.keys()
    for key, channel in expected.items():
        assert found[key].values == {name: channel[raw_name] for raw_name, name in DIRECT.items()}
        assert found[key].counters == {"delivered": channel["actEnergyDlvd"], "received": channel["actEnergyRcvd"]}
        assert found[key].timestamp_s == channel["timestamp"]
    assert is_clean(notes)


@run_on_captures_with(PRODUCTION)
def test_production_from_the_inverters_section(folder):
    section = find_section(folder)
    notes = Notes()
    info = parse_info(read_body(folder, "/info") or b"")
    reading = choose_production(info, None, received_ms=NOW, production=parse_document(folder, PRODUCTION), notes=notes)
    if not section["readingTime"]:
        assert reading is None
    else:
        assert reading is not None
        assert reading.timestamp == section["readingTime"] * 1000
        assert reading.fields == {"power": section["wNow"], "energy_lifetime": section["whLifetime"]}
    assert is_clean(notes)


def find_section(folder):
    return next(part for part in read_raw_json(folder, PRODUCTION)["production"] if part["type"] == "inverters")


def is_captured_together(folder):
    """Whether list and section are of the same minutes; some captures were put together from several days."""
    if not read_raw_json(folder, PRODUCTION) or not read_raw_json(folder, INVERTERS):
        return False
    newest = max(entry["lastReportDate"] for entry in read_raw_json(folder, INVERTERS))
    return abs(find_section(folder)["readingTime"] - newest) <= 120


@run_on_captures_where(is_captured_together)
def test_the_sum_of_fresh_inverters_is_the_production_of_the_section(folder):
    """Two endpoints of the gateway agree, so neither is misread."""
    readings = parse_inverters(parse_document(folder, INVERTERS)).readings
    newest = max(reading.timestamp for reading in readings)
    fresh = [float(reading.fields["power"]) for reading in readings if newest - reading.timestamp < 1_200_000]
    assert sum(fresh) == pytest.approx(find_section(folder)["wNow"], rel=0.15, abs=10)


@each_capture
def test_every_json_reply_can_be_read_and_every_other_is_refused(folder):
    for path, entry in read_manifest(folder).items():
        data = (folder / entry["file"]).read_bytes()
        if path != "/info" and entry["status"] == 200 and not data.lstrip().startswith(b"<"):
            assert load(data) == read_raw_json(folder, path)


def make_client(gateway, **more):
    login = (
        {"headers": {"Authorization": "Bearer x.y.z"}} if gateway.token_login else {"auth": httpx.DigestAuth("i", "p")}
    )
    return httpx.Client(base_url=gateway.url, verify=gateway.make_client_context(), **login, **more)


@each_capture
def test_the_same_over_real_sockets(folder):
    """What arrives over the network is parsed to exactly what the file gives."""
    with Replay(folder) as gateway, make_client(gateway) as client:
        info = parse_info(client.get("/info").content)
        assert info.token_login is gateway.token_login is (gateway.url.startswith("https"))

        def fetch(path):
            reply = client.get(path)
            return load(reply.content) if reply.status_code == 200 else None

        entries = read_manifest(folder)
        for path, entry in entries.items():
            reply = client.get(path)
            assert (reply.status_code, reply.headers["content-type"]) == (entry["status"], entry["content_type"])
            assert reply.content == (folder / entry["file"]).read_bytes()
        if INVERTERS in entries:
            listed = parse_inverters(fetch(INVERTERS))
            assert listed == parse_inverters(parse_document(folder, INVERTERS))
            rich = fetch(DEVICE_DATA)
            assert join_inverters(listed, parse_device_data(rich) if rich else None)
        meters = parse_meters(fetch(METERS) or [])
        readings = parse_readings(fetch(READINGS) or [], meters)
        assert len(readings) == sum(meter.phase_count for meter in meters if meter.enabled)


def test_the_replay_wants_a_token_where_the_gateway_does():
    with Replay(find_capture("8.3.5169_with_generator")) as gateway:
        context = gateway.make_client_context()
        with httpx.Client(base_url=gateway.url, verify=context) as client:
            assert client.get("/info").status_code == client.get("/info.xml").status_code == 200
            assert client.get(INVERTERS).status_code == 401
            assert client.get("/auth/check_jwt").status_code == 401
            reply = client.get("/auth/check_jwt", headers={"Authorization": "Bearer x.y.z"})
            assert (reply.status_code, reply.content) == (200, VALID_TOKEN)
            assert client.cookies.get("sessionId")
            assert client.get(INVERTERS).status_code == 200  # by the cookie alone
            assert client.get("/no/such/page").status_code == 404
            assert client.get(INVERTERS + "?x=1").status_code == 404  # the query counts
        assert gateway.requests[0].path == "/info"
        assert len(gateway.fingerprint) == 64


def test_the_replay_challenges_where_the_gateway_does():
    with Replay(find_capture("5.0.62")) as gateway, httpx.Client(base_url=gateway.url) as client:
        assert client.get(PRODUCTION).status_code == 200
        reply = client.get(INVERTERS)
        assert reply.status_code == 401
        assert reply.headers["www-authenticate"].startswith('Digest qop="auth", realm="enphaseenergy.com", nonce="')
        assert reply.headers["connection"] == "close"
        assert client.get(INVERTERS, auth=httpx.DigestAuth("envoy", "012167")).status_code == 200
        assert client.get("/auth/check_jwt", auth=httpx.DigestAuth("envoy", "012167")).status_code == 404


def test_the_document_says_what_the_captures_give():
    """Write it again with `python -m tests.scraper.gateway.parse.gateway_table`."""
    if not list_folders():
        pytest.skip("no gateway captures")
    written = DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0]
    assert written == write_table()
