"""Latest states at a real broker: login, TLS, restarts of both sides, and what stays when one of them is away."""

import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from receiver.service.app import run_receiver
from receiver.service.build import Receiver, build
from receiver.settings.outputs import MqttSettings, OutputSettings
from receiver.stores.base import GatewayReading
from shared.clock import SystemClock
from shared.readings import Reading
from tests.end_to_end.processes import Process, wait_until
from tests.receiver.api.constant_household import write_sites_file
from tests.receiver.outputs.mosquitto import PASSWORD, USER, Mosquitto, run_mosquitto, subscribe
from tests.receiver.service import GATEWAY, OTHER, UNLIMITED, make_settings

PANEL = "482300001111"
SITES = f"""
"{GATEWAY}":
  name: Home solar
  panels:
    "{PANEL}": {{name: East 1, array: Garage, row: 1, column: 1}}
"{OTHER}":
  outputs: {{mqtt: false}}
"""
MINE = f"envoy/{GATEWAY}"
DEVICE = f"homeassistant/device/envoy_relay_{GATEWAY}/config"
PANEL_DEVICE = f"homeassistant/device/envoy_relay_inverter_{PANEL}/config"


@pytest.fixture
def broker(tmp_path: Path) -> Any:
    with run_mosquitto(tmp_path / "broker") as running:
        yield running


def make_readings(*, power: float = 2345.5, energy: float = 18_234_512.0) -> list[Reading]:
    now = time.time_ns() // 1_000_000
    production, net = {"meter": "production", "phase": "a"}, {"meter": "net-consumption", "phase": "a"}
    return [
        Reading("meter", production, now, {"power": power, "voltage": 231.9}),
        Reading("meter", net, now, {"power": -1733.5, "voltage": 231.9}),
        Reading("meter_energy", production, now, {"delivered": energy, "received": 0.0}),
        Reading("meter_energy", net, now, {"delivered": 10_234_567.0, "received": 9_876_543.0}),
        Reading(
            "inverter", {"inverter": PANEL}, now, {"power": 211.0, "max_power": 365.0, "energy_lifetime": 612_345.0}
        ),
        Reading("gateway", {}, now, {"firmware": "D8.2.4286", "outbox_rows": 0.0}),
    ]


async def store(receiver: Receiver, readings: list[Reading], gateway: str = GATEWAY) -> None:
    assert not await receiver.commit.write([GatewayReading(gateway, one) for one in readings])


@contextlib.asynccontextmanager
async def run(folder: Path, url: str, **changes: Any) -> AsyncIterator[Receiver]:
    """A receiver in this event loop, with the clock of this machine."""
    mqtt = MqttSettings(url=url, **{"interval": 1, **changes})
    settings = make_settings(folder / "state", sites_file=write_sites_file(folder, SITES))
    receiver = build(settings, clock=SystemClock(), limits=UNLIMITED, outputs=OutputSettings(mqtt=mqtt))
    async with run_receiver(receiver, host="127.0.0.1", port=0):
        yield receiver


def name_url(broker: Mosquitto) -> str:
    return f"mqtt://127.0.0.1:{broker.port}"


def make_process_settings(folder: Path, broker: Mosquitto) -> dict[str, str]:
    """Of a receiver that is a process of its own, over the state that `run` left in the folder."""
    state = folder / "state"
    return {
        "RECEIVER_STORE": f"sqlite:///{state / 'readings.sqlite'}",
        "RECEIVER_STATE_DIR": str(state),
        "RECEIVER_SITES_FILE": str(folder / "sites.yaml"),
        "RECEIVER_PORT": "0",
        "RECEIVER_STATUS_PORT": "0",
        "RECEIVER_MQTT_URL": name_url(broker),
        "RECEIVER_MQTT_INTERVAL": "1",
        "PYTHONPATH": ":".join(sys.path),
    }


async def test_states_are_there_and_retained(tmp_path, broker):
    async with run(tmp_path, name_url(broker)) as receiver:
        await store(receiver, make_readings())
        await store(receiver, make_readings(), OTHER)
        async with subscribe(broker.port) as seen:
            await seen.wait_for(PANEL_DEVICE)
            await seen.wait_for(f"{MINE}/status", b"online")
        async with subscribe(broker.port) as seen:  # who comes later has all of it
            await seen.wait_for(PANEL_DEVICE)
            await seen.wait_for(f"{MINE}/status")
    found = {topic: json.loads(payload) for topic, payload in seen.states.items() if payload.startswith(b"{")}
    assert seen.states["envoy/status"] == b"online"
    power = found[f"{MINE}/power"]
    assert (power["production_w"], power["load_w"], power["net_w"]) == (2345.5, 612.0, -1733.5)
    assert (power["imported_w"], power["exported_w"], power["battery_w"]) == (0.0, 1733.5, None)
    energy = found[f"{MINE}/energy"]
    assert (energy["production_kwh"], energy["imported_kwh"], energy["exported_kwh"], energy["load_kwh"]) == (
        18_234.512, 10_234.567, 9_876.543, 18_592.536,
    )  # fmt: skip
    assert (energy["discharged_kwh"], energy["charged_kwh"]) == (None, None)
    assert found[f"{MINE}/meter/net-consumption/a"]["power"] == -1733.5
    panel = found[f"{MINE}/inverter/{PANEL}"]
    assert (panel["name"], panel["array"], panel["power"]) == ("East 1", "Garage", 211.0)
    assert (panel["energy_lifetime"], panel["state"]) == (612_345.0, "producing")
    assert found[f"{MINE}/gateway"]["firmware"] == "D8.2.4286"
    assert "date" in found[f"{MINE}/today"]
    assert not [topic for topic in seen.states if OTHER in topic], "the sites file keeps it out"


async def test_events_are_not_retained_and_count_as_messages(tmp_path, broker):
    async with subscribe(broker.port) as seen, run(tmp_path, name_url(broker)) as receiver:
        await store(receiver, make_readings())
        await seen.wait_for(f"{MINE}/status")
        await store(receiver, [Reading("event", {"type": "gap"}, time.time_ns() // 10**6, {"reason": "unreachable"})])
        event = json.loads(await seen.wait_for(f"{MINE}/event"))
        assert (event["type"], event["reason"]) == ("gap", "unreachable")
        sent = receiver.metrics.output_sent.labels("mqtt")._value
        await wait_until(lambda: sent.get() == len(seen.messages), "as many counted as came")
        async with subscribe(broker.port) as later:
            await later.wait_for(f"{MINE}/status")
            assert f"{MINE}/event" not in later.states


async def test_a_login_is_accepted_and_a_wrong_one_is_told(tmp_path, broker, capfd):
    url = f"mqtt://127.0.0.1:{broker.login_port}"
    async with run(tmp_path, url, username=USER, password=PASSWORD) as receiver:
        await store(receiver, make_readings())
        async with subscribe(broker.port) as seen:
            await seen.wait_for(f"{MINE}/status", b"online")
    async with run(tmp_path, url, username=USER, password="canary-wrong-1b7d") as receiver:
        failed = lambda: receiver.metrics.registry.get_sample_value(  # noqa: E731
            "receiver_output_failed_total", {"output": "mqtt", "reason": "login"}
        )
        await wait_until(failed, "the refusal")
        assert (await receiver.find_problem()) is None, "the receiver goes on"
    said = "".join(capfd.readouterr())
    assert "RECEIVER_MQTT_PASSWORD" in said
    assert "canary" not in said


async def test_tls_with_an_authority_of_ones_own(tmp_path, broker):
    url = f"mqtts://localhost:{broker.tls_port}"
    async with run(tmp_path, url, ca_file=broker.ca_file) as receiver:
        await store(receiver, make_readings())
        async with subscribe(broker.port) as seen:
            await seen.wait_for(f"{MINE}/status", b"online")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves the refused socket open
async def test_a_certificate_of_nobody_is_refused(tmp_path, broker, capfd):
    async with run(tmp_path, f"mqtts://localhost:{broker.tls_port}") as receiver:
        failed = lambda: receiver.metrics.registry.get_sample_value(  # noqa: E731
            "receiver_output_failed_total", {"output": "mqtt", "reason": "login"}
        )
        await wait_until(failed, "the refusal")
    assert "RECEIVER_MQTT_CA_FILE" in "".join(capfd.readouterr())


async def test_a_broker_that_forgot_everything_gets_everything_again(tmp_path, broker):
    async with run(tmp_path, name_url(broker)) as receiver:
        await store(receiver, make_readings())
        async with subscribe(broker.port) as seen:
            await seen.wait_for(PANEL_DEVICE)
            before = {topic for topic in seen.states if "config" in topic}
        broker.stop()
        broker.start()
        async with subscribe(broker.port) as seen:
            await seen.wait_for(PANEL_DEVICE)
            await seen.wait_for(f"{MINE}/status", b"online")
            assert {topic for topic in seen.states if "config" in topic} == before


async def test_ten_thousand_readings_while_the_broker_is_away_leave_one_state(tmp_path, broker):
    async with run(tmp_path, name_url(broker)) as receiver:
        await store(receiver, make_readings())
        async with subscribe(broker.port) as seen:
            await seen.wait_for(f"{MINE}/status")
        broker.stop()
        begin = time.time_ns() // 10**6 - 10_000
        for first in range(0, 10_000, 1000):
            rows = [
                Reading("meter", {"meter": "production", "phase": "a"}, begin + index, {"power": float(index)})
                for index in range(first, first + 1000)
            ]
            await store(receiver, rows)
        await store(receiver, make_readings(power=777.0))
        broker.start()
        async with subscribe(broker.port) as seen:
            await seen.wait_for(f"{MINE}/status", b"online")
            powers = [
                json.loads(payload)["production_w"] for topic, payload in seen.messages if topic == f"{MINE}/power"
            ]
    assert set(powers) == {777.0}


async def test_home_assistant_is_told_again_when_it_starts(tmp_path, broker):
    async with run(tmp_path, name_url(broker)) as receiver:
        await store(receiver, make_readings())
        async with subscribe(broker.port) as seen:
            await seen.wait_for(PANEL_DEVICE)
            before = sum(topic == DEVICE for topic, _ in seen.messages)
            await seen.client.publish("homeassistant/status", "online")
            await wait_until(lambda: sum(topic == DEVICE for topic, _ in seen.messages) > before, "the device again")


async def test_a_gateway_is_forgotten_when_a_person_says_so(tmp_path, broker):
    async with subscribe(broker.port) as seen:
        await seen.client.publish(f"{MINE}/inverter/long-gone", b"{}", qos=1, retain=True)
    async with run(tmp_path, name_url(broker)) as receiver:
        await store(receiver, make_readings())
        async with subscribe(broker.port) as seen:
            await seen.wait_for(PANEL_DEVICE)
    place = make_process_settings(tmp_path, broker)
    async with Process("receiver", "outputs", "forget", GATEWAY, directory=tmp_path, settings=place) as command:
        assert await command.wait_for_end() == 0
    async with run(tmp_path, name_url(broker)) as receiver, subscribe(broker.port) as seen:
        await seen.wait_for(PANEL_DEVICE, b"")
        await seen.wait_for("envoy/status", b"online")
    async with run(tmp_path, name_url(broker)) as receiver, subscribe(broker.port) as seen:  # an update, say
        await seen.wait_for("envoy/status", b"online")
        await store(receiver, make_readings(), "122300009999")
        await seen.wait_for("envoy/122300009999/energy")
        assert not [topic for topic in seen.states if GATEWAY in topic]
        await store(receiver, make_readings())
        await seen.wait_for(PANEL_DEVICE)


async def test_after_a_kill_the_broker_says_offline_and_no_total_falls(tmp_path, broker):
    """A real process: SIGKILL, the last will, and the same or higher totals when it is back."""
    async with run(tmp_path, name_url(broker)) as receiver:  # readings, as a scraper would have sent them
        await store(receiver, make_readings())
    settings = make_process_settings(tmp_path, broker)
    async with (
        subscribe(broker.port) as seen,
        Process("receiver", "run", directory=tmp_path, settings=settings) as process,
    ):
        for _ in range(2):
            await seen.wait_for("envoy/status", b"online")
            await seen.wait_for(f"{MINE}/energy")
            process.kill()
            await process.wait_for_end()
            await seen.wait_for("envoy/status", b"offline")
            await process.start()
        await seen.wait_for("envoy/status", b"online")
        assert await process.stop() == 0
        await seen.wait_for("envoy/status", b"offline")
    totals = [json.loads(payload) for topic, payload in seen.messages if topic == f"{MINE}/energy"]
    for name in ("production_kwh", "imported_kwh", "exported_kwh", "load_kwh"):
        values = [total[name] for total in totals]
        assert values == sorted(values)
        assert values[0] > 9_000


@pytest.mark.parametrize(("values", "named"), [
    ({"url": "mqtt://broker.lan:1883"}, "RECEIVER_MQTT_INSECURE"),
    ({"url": "http://127.0.0.1"}, "RECEIVER_MQTT_URL"),
    ({"url": "mqtt://relay:canary@127.0.0.1"}, "RECEIVER_MQTT_URL"),
    ({"topic": "envoy/#"}, "RECEIVER_MQTT_TOPIC"),
    ({"topic": "emon"}, "RECEIVER_MQTT_TOPIC"),
    ({"topic": "emon/envoy"}, "RECEIVER_MQTT_TOPIC"),
    ({"discovery": "/homeassistant"}, "RECEIVER_MQTT_DISCOVERY"),
    ({"url": "mqtt://127.0.0.1", "password": "canary"}, "RECEIVER_MQTT_USERNAME"),
])  # fmt: skip
def test_settings_that_cannot_be_meant_are_named(values, named):
    with pytest.raises(ValueError, match=named) as error:
        MqttSettings(**values)
    assert "canary" not in str(error.value)
