"""A real Home Assistant finds the site and its panels, shows when they are away, and sees no total fall."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from receiver.outputs.mqtt.connection import KEEPALIVE_S
from shared.readings import Reading
from tests.end_to_end.processes import Process
from tests.home_assistant.instance import HomeAssistant, Shown, run_home_assistant
from tests.receiver.outputs.mosquitto import Mosquitto, run_mosquitto, subscribe
from tests.receiver.outputs.test_mqtt import MINE, PANEL, make_process_settings, make_readings, name_url, run, store
from tests.receiver.service import GATEWAY

SITE = f"envoy_relay_{GATEWAY}"
PANELS = [PANEL, *(f"4823000022{index:02}" for index in range(23))]
UNITS = {
    "power": ("W", "measurement"),
    "energy": ("kWh", "total_increasing"),
    "voltage": ("V", "measurement"),
    "current": ("A", "measurement"),
    "frequency": ("Hz", "measurement"),
}
ALLOWED_AT_THE_TOP = {"device", "origin", "availability", "availability_mode", "qos", "components"}


def make_site() -> list[Reading]:
    """A site with 24 panels and a battery that a meter sees."""
    readings = make_readings()
    now = readings[0].timestamp
    storage = {"power": -100.0, "state_of_charge": 55.0, "batteries": 1.0, "measured": 1.0}
    return [
        *readings,
        Reading("storage", {}, now, {**storage}),
        Reading("meter", {"meter": "storage", "phase": "a"}, now, {"power": -100.0}),
        Reading(
            "meter_energy", {"meter": "storage", "phase": "a"}, now, {"delivered": 1_234_500.0, "received": 1_357_900.0}
        ),
        *(Reading("inverter", {"inverter": serial}, now, {"power": 200.0}) for serial in PANELS[1:]),
    ]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[tuple[Mosquitto, HomeAssistant, Process]]:
    """A broker, Home Assistant, and a real receiver that has the readings of a site."""
    with run_mosquitto(tmp_path / "broker") as broker:
        async with run_home_assistant(tmp_path / "home_assistant", broker.port) as shown:
            async with run(tmp_path, name_url(broker)) as receiver:  # readings, as a scraper would have sent them
                await store(receiver, make_site())
            settings = make_process_settings(tmp_path, broker)
            async with Process("receiver", "run", directory=tmp_path, settings=settings) as process:
                yield broker, shown, process


def has_values(shown: Shown) -> bool:
    power = shown.entities.get(f"{SITE}_production_power")
    panels = [shown.entities.get(f"envoy_relay_inverter_{serial}_power") for serial in PANELS]
    return power is not None and power["state"] == "2345.5" and all(one and one["state"] != "unknown" for one in panels)


async def test_home_assistant_shows_a_site_and_its_panels(site):
    _, home, process = site
    shown = await home.wait_until(has_values, "the values")
    assert shown.complaints == []
    assert shown.devices[SITE]["name"] == "Home solar"
    assert len(shown.devices) == 1 + len(PANELS)
    for serial in PANELS:
        assert shown.devices[f"envoy_relay_inverter_{serial}"]["via"] == shown.devices[SITE]["id"]
    imported = shown.entities[f"{SITE}_imported_energy"]
    assert imported["entity_id"] == "sensor.home_solar_imported_energy"
    assert imported["attributes"]["device_class"] == "energy"
    assert (imported["state"], imported["attributes"]["unit_of_measurement"]) == ("10234.567", "kWh")
    of_site = [one for name, one in shown.entities.items() if name.startswith(f"{SITE}_")]
    assert sum(not one["disabled"] for one in of_site) >= 8
    assert f"{SITE}_battery_power" in shown.entities
    assert shown.entities[f"{SITE}_state_of_charge"]["state"] == "55.0"
    assert shown.entities[f"{SITE}_discharged_energy"]["state"] == "1234.5"
    assert shown.entities[f"{SITE}_charged_energy"]["state"] == "1357.9"
    assert datetime.fromisoformat(shown.entities[f"{SITE}_last_reading"]["state"]) > datetime.now(UTC) - timedelta(
        hours=1
    )
    for one in of_site:
        kind = one["attributes"].get("device_class")
        if kind in UNITS:
            found = (one["attributes"]["unit_of_measurement"], one["attributes"]["state_class"])
            assert found == UNITS[kind], one["entity_id"]
    phase = shown.entities[f"{SITE}_net-consumption_a_power"]
    assert phase["disabled"], "the recorder writes each change of each phase"
    process.kill()
    await process.wait_for_end()
    patience_s = 1.5 * KEEPALIVE_S  # a broker gives a client up that says nothing for so long
    away = await home.wait_until(lambda now: now.list_states() <= {"unavailable"}, "the will", patience_s=patience_s)
    assert away.complaints == []
    await process.start()
    again = await home.wait_until(has_values, "the values after a restart")
    assert again.complaints == []
    assert float(again.entities[f"{SITE}_imported_energy"]["state"]) >= 10_234.567


async def test_the_energy_dashboard_has_no_complaint(site):
    _, home, _ = site
    await home.wait_until(has_values, "the values")
    names = {
        "imported": "imported_energy",
        "exported": "exported_energy",
        "production": "produced_energy",
        "discharged": "battery_discharged_energy",
        "charged": "battery_charged_energy",
    }
    chosen = {what: f"sensor.home_solar_{name}" for what, name in names.items()}
    shown = await home.look(json.dumps(chosen))
    assert shown.energy == {"energy_sources": [[], [], []], "device_consumption": []}
    wrong = {**chosen, "imported": "sensor.home_solar_production_power"}
    assert (await home.look(json.dumps(wrong))).energy["energy_sources"][0], "it does look"


async def test_a_restart_is_no_reset_of_a_total(site):
    """Home Assistant takes a total that falls for a meter that began again, and counts all of it once more."""
    broker, home, process = site
    async with subscribe(broker.port) as seen:
        await home.wait_until(has_values, "the values")
        for _ in range(2):
            process.kill()
            await process.wait_for_end()
            await seen.wait_for("envoy/status", b"offline")
            await process.start()
            await seen.wait_for("envoy/status", b"online")
            await home.wait_until(has_values, "the values after a restart")
        totals = [json.loads(payload) for topic, payload in seen.messages if topic == f"{MINE}/energy"]
    for name in ("production_kwh", "imported_kwh", "exported_kwh"):
        values = [total[name] for total in totals]
        assert None not in values
        assert values == sorted(values)


async def test_descriptions_keep_to_what_every_version_takes(site):
    """What 2025.4 takes and 2026 refuses, or the other way round."""
    broker, home, _ = site
    await home.wait_until(has_values, "the values")
    async with subscribe(broker.port) as seen:
        for serial in PANELS:
            await seen.wait_for(f"homeassistant/device/envoy_relay_inverter_{serial}/config")
    described = [json.loads(payload) for topic, payload in seen.states.items() if topic.endswith("/config")]
    assert len(described) == 1 + len(PANELS)
    ids = [part["unique_id"] for one in described for part in one["components"].values()]
    assert len(ids) == len(set(ids))
    for one in described:
        assert one.keys() <= ALLOWED_AT_THE_TOP
        for part in one["components"].values():
            assert not {"object_id", "via_hub", "child_devices"} & part.keys()
            assert part["unique_id"].isascii()
