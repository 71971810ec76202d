"""Every captured gateway, read completely by the client over real sockets: find, log in, and each kind of question."""

from pathlib import Path

import pytest

from scraper.errors import EndpointUnavailableError
from scraper.gateway.info import parse_info
from scraper.gateway.options import GatewayOptions
from scraper.gateway.parse.values import Notes
from scraper.gateway.queries import DEVICE_DATA, METER_READINGS, METERS
from scraper.gateway.session import GatewaySession
from tests.captures import each_capture, read_raw_json
from tests.clocks import InstantClock
from tests.replay import Replay
from tests.scraper.gateway.fake_tokens import make_token

INVERTERS = "/api/v1/production/inverters"
CLOSED = 1
"""A port of the loopback interface where nobody listens."""


@each_capture
async def test_a_captured_gateway_is_read_completely(folder: Path, tmp_path: Path) -> None:
    """As many inverters and phases as the capture holds; nothing asked that this firmware has refused before."""
    with Replay(folder) as replay:
        token = make_token(parse_info((folder / "info").read_bytes()).serial)
        options = GatewayOptions(
            host="127.0.0.1", serial=None, state_dir=tmp_path, token=lambda: token,
            http_port=CLOSED if replay.tls else replay.port, https_port=replay.port if replay.tls else CLOSED,
        )  # fmt: skip
        gateway = GatewaySession(options, InstantClock())
        try:
            identity = await gateway.connect()
            assert identity.scheme == ("https" if replay.token_login else "http")
            for _ in range(2):
                await check_inverters(gateway, folder)
                await check_meters(gateway, folder)
                await gateway.read_production(Notes())
        finally:
            await gateway.aclose()
        asked = [
            request.path for request in replay.requests if replay.token_login or "authorization" in request.headers
        ]
        absent = {path for path in asked if replay.entries.get(path, {"status": 404})["status"] in {401, 404}}
        for path in absent - {"/info", "/auth/check_jwt", INVERTERS}:
            assert asked.count(path) <= 2, path


async def check_inverters(gateway: GatewaySession, folder: Path) -> None:
    listed, rich = read_raw_json(folder, INVERTERS), read_raw_json(folder, DEVICE_DATA)
    if listed is None and rich is None:
        with pytest.raises(EndpointUnavailableError):
            await gateway.read_inverters(Notes())
        return
    if listed is not None:
        wanted = {entry["serialNumber"] for entry in listed if entry["lastReportDate"] and entry.get("devType", 1) == 1}
    else:
        devices = [entry for entry in rich.values() if isinstance(entry, dict)]
        wanted = {device["sn"] for device in devices if device["devName"] == "pcu" and device["active"]}
    assert {reading.tags["inverter"] for reading in await gateway.read_inverters(Notes())} >= wanted
    assert wanted or not listed


async def check_meters(gateway: GatewaySession, folder: Path) -> None:
    meters = read_raw_json(folder, METERS) or []
    enabled = {meter["measurementType"] for meter in meters if isinstance(meter, dict) and meter["state"] == "enabled"}
    values = await gateway.read_meter_readings(Notes())
    if read_raw_json(folder, METER_READINGS):
        assert {one.meter for one in values} == enabled
