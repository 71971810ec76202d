"""`envoy-receiver check` says of each output whether it would take values, and where they would go; it writes nothing."""

import asyncio
import os

import pytest
from typer.testing import CliRunner

from receiver.cli import app
from receiver.stores.base import GatewayReading
from receiver.stores.sqlite.store import SqliteStore
from tests.clocks import StoppedClock
from tests.fake_http import CannedReply, run_server
from tests.influxd1.server import PASSWORD, USERNAME, run_influxd1
from tests.receiver.outputs.emoncms_fake import READ_KEY, WRITE_KEY, FakeEmonCms
from tests.receiver.outputs.mosquitto import PASSWORD as BROKER_PASSWORD
from tests.receiver.outputs.mosquitto import USER, run_mosquitto, subscribe
from tests.receiver.outputs.pvoutput_fake import KEY, FakePvOutput
from tests.receiver.outputs.test_pvoutput import BERLIN
from tests.receiver.service import GATEWAY, make_meter

SITES = f"""
"{GATEWAY}":
  time_zone: Europe/Berlin
  outputs: {{emoncms: {{node: Envoy-S}}, pvoutput: {{system: 12345}}}}
"""


@pytest.fixture(autouse=True)
async def environment(tmp_path, monkeypatch):
    """A receiver that has heard of one gateway."""
    for name in [name for name in os.environ if name.startswith("RECEIVER_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "sites.yaml").write_text(SITES)
    path = tmp_path / "state" / "readings.sqlite"
    store = SqliteStore(path)
    await store.open()
    await store.write([GatewayReading(GATEWAY, make_meter())])
    await store.close()
    for name, value in {
        "STATE_DIR": tmp_path / "state",
        "STORE": f"sqlite:///{path}",
        "SITES_FILE": tmp_path / "sites.yaml",
        "PORT": 0,
        "STATUS_PORT": 0,
    }.items():
        monkeypatch.setenv(f"RECEIVER_{name}", str(value))


async def list_findings():
    """In a thread, for the command has an event loop of its own."""
    result = await asyncio.to_thread(CliRunner().invoke, app, ["check"])
    assert "Traceback" not in result.output
    return [line for line in result.output.splitlines() if line[6:].startswith("output")]


async def test_without_outputs_there_is_no_line():
    assert await list_findings() == []


async def test_emoncms_is_asked_with_the_key(monkeypatch):
    fake = FakeEmonCms()
    async with run_server(fake.answer) as server:
        monkeypatch.setenv("RECEIVER_EMONCMS_URL", f"http://127.0.0.1:{server.port}/emoncms")
        monkeypatch.setenv("RECEIVER_EMONCMS_API_KEY", WRITE_KEY)
        (line,) = await list_findings()
        assert line == "ok    output emoncms: the API key may write, to the nodes Envoy-S and envoy-panels"
        monkeypatch.setenv("RECEIVER_EMONCMS_API_KEY", READ_KEY)
        (line,) = await list_findings()
        assert line.startswith("FAIL  output emoncms: the API key may read but not write")
    (line,) = await list_findings()
    assert line.startswith("FAIL  output emoncms: the EmonCMS of RECEIVER_EMONCMS_URL cannot be reached")
    assert not fake.posts


async def test_pvoutput_names_the_system_and_the_time(monkeypatch):
    fake = FakePvOutput(StoppedClock(), BERLIN)
    async with run_server(fake.answer) as server:
        monkeypatch.setenv("RECEIVER_PVOUTPUT_URL", f"http://127.0.0.1:{server.port}")
        monkeypatch.setenv("RECEIVER_PVOUTPUT_API_KEY", KEY)
        (line,) = await list_findings()
    assert line.startswith("ok    output pvoutput: system 12345 is 'Roof', where it must be")
    assert not fake.statuses


@pytest.mark.parametrize("body", [b"", b"<html>It works</html>", b",5000,,,,,,,,,,,,,,5;;0"])
async def test_an_answer_that_describes_no_system_is_not_taken_for_pvoutput(monkeypatch, body):
    async with run_server(lambda _: CannedReply(200, body)) as server:
        monkeypatch.setenv("RECEIVER_PVOUTPUT_URL", f"http://127.0.0.1:{server.port}")
        monkeypatch.setenv("RECEIVER_PVOUTPUT_API_KEY", KEY)
        (line,) = await list_findings()
    assert line.startswith("FAIL  output pvoutput: what answers does not describe system 12345 as PVOutput does")


async def test_a_database_is_asked_with_no_lines(monkeypatch, tmp_path):
    with run_influxd1(tmp_path / "influx") as server:
        for name, value in {"URL": server.url, "DIALECT": "influxdb1", "USERNAME": USERNAME}.items():
            monkeypatch.setenv(f"RECEIVER_LINES_{name}", value)
        monkeypatch.setenv("RECEIVER_LINES_PASSWORD", PASSWORD)
        (line,) = await list_findings()
        assert line.startswith("FAIL  output lines: there is no database envoy")
        server.query("CREATE DATABASE envoy")
        (line,) = await list_findings()
        assert line == "ok    output lines: the login is accepted; 1 gateway(s) go to the database envoy"
        monkeypatch.setenv("RECEIVER_LINES_PASSWORD", "wrong")
        (line,) = await list_findings()
        assert line.startswith("FAIL  output lines: the database refuses the login")
        assert server.query("SHOW MEASUREMENTS", "envoy") == []


async def test_a_broker_is_asked_and_nothing_is_published(monkeypatch, tmp_path):
    with run_mosquitto(tmp_path / "broker") as broker:
        for name, value in {"URL": f"mqtt://127.0.0.1:{broker.login_port}", "USERNAME": USER}.items():
            monkeypatch.setenv(f"RECEIVER_MQTT_{name}", value)
        monkeypatch.setenv("RECEIVER_MQTT_PASSWORD", "wrong")
        (line,) = await list_findings()
        assert line.startswith("FAIL  output mqtt: the broker refuses the login")
        monkeypatch.setenv("RECEIVER_MQTT_PASSWORD", BROKER_PASSWORD)
        async with subscribe(broker.login_port, USER, BROKER_PASSWORD) as seen:
            (line,) = await list_findings()
            assert line == (
                f"ok    output mqtt: the login is accepted; values go to envoy/{GATEWAY}/, "
                "and discovery is at homeassistant/"
            )
            await seen.client.publish("the/end", b"1")
            await seen.wait_for("the/end")
            assert seen.messages == [("the/end", b"1")]
    monkeypatch.setenv("RECEIVER_MQTT_URL", f"mqtt://127.0.0.1:{broker.port}")
    (line,) = await list_findings()
    assert line.startswith(f"FAIL  output mqtt: the broker mqtt://127.0.0.1:{broker.port} does not answer")
    (tmp_path / "sites.yaml").write_text(f'"{GATEWAY}": {{outputs: {{mqtt: false}}}}')
    (line,) = await list_findings()
    assert line.startswith("ok    output mqtt: no gateway that is known goes there")


async def test_a_setting_that_is_missing_is_named(monkeypatch):
    monkeypatch.setenv("RECEIVER_EMONCMS_URL", "http://127.0.0.1:1")
    (line,) = await list_findings()
    assert line.startswith("FAIL  outputs: RECEIVER_EMONCMS_URL is set without RECEIVER_EMONCMS_API_KEY")
