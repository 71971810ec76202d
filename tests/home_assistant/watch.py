"""Runs Home Assistant beside a broker and prints what it shows, one JSON line for each line of standard input.

Runs under the Python of `build.sh`, in a process of its own; it imports nothing of the project. Its arguments are an
empty directory for the configuration and the port of the broker. Each answer has the states, the entities and the
devices that came by MQTT, and what Home Assistant has logged as a warning or an error since the last one. A line that
names entities (JSON: imported, exported, production, discharged, charged) asks the energy dashboard what is wrong with
them.
"""

import asyncio
import json
import logging
import sys
from datetime import timedelta

from homeassistant import bootstrap
from homeassistant.components.energy import data as energy_data
from homeassistant.components.energy import validate as energy_validate
from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.tasks import StatisticsTask
from homeassistant.helpers import device_registry, entity_registry
from homeassistant.helpers.recorder import DATA_RECORDER, async_initialize_recorder
from homeassistant.runner import RuntimeConfig
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

_OF_INTEREST = ("mqtt", "sensor", "template")


class Complaints(logging.Handler):
    """Keeps warnings of the parts that read what we publish."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.found = []

    def emit(self, record):
        if any(name in record.name for name in _OF_INTEREST):
            self.found.append(f"{record.name}: {record.getMessage()}")

    def take(self):
        found, self.found = self.found, []
        return found


def describe(hass, complaints):
    """All that came by MQTT."""
    entities = [one for one in entity_registry.async_get(hass).entities.values() if one.platform == "mqtt"]
    devices = device_registry.async_get(hass)
    shown = []
    for one in entities:
        state = hass.states.get(one.entity_id)
        shown.append(
            {
                "entity_id": one.entity_id,
                "unique_id": one.unique_id,
                "disabled": one.disabled,
                "device": one.device_id,
                "state": state.state if state else None,
                "attributes": {key: str(value) for key, value in state.attributes.items()} if state else {},
            }
        )
    listed = [
        {
            "id": one.id,
            "name": one.name,
            "identifiers": [list(pair) for pair in one.identifiers],
            "via": one.via_device_id,
        }
        for one in devices.devices.values()
        if any(domain == "mqtt" for domain, _ in one.identifiers)
    ]
    return {"entities": shown, "devices": listed, "complaints": complaints.take()}


async def check_dashboard(hass, chosen):
    """What the energy dashboard finds wrong with its sources: grid, solar and battery by their entities."""
    recorder = get_instance(hass)
    await recorder.async_block_till_done()
    start = dt_util.utcnow() - timedelta(minutes=5)
    start = start.replace(minute=start.minute - start.minute % 5, second=0, microsecond=0)
    for begin in (start, start + timedelta(minutes=5)):  # the five minutes in progress, too: nobody waits for them
        recorder.queue_task(StatisticsTask(begin, fire_events=False))
    await recorder.async_block_till_done()
    manager = await energy_data.async_get_manager(hass)
    flow_from = {"stat_energy_from": chosen["imported"], "entity_energy_price": None, "number_energy_price": None}
    flow_to = {"stat_energy_to": chosen["exported"], "entity_energy_price": None, "number_energy_price": None}
    grid = {
        "type": "grid",
        "flow_from": [{**flow_from, "stat_cost": None}],
        "flow_to": [{**flow_to, "stat_compensation": None}],
        "cost_adjustment_day": 0.0,
    }
    solar = {"type": "solar", "stat_energy_from": chosen["production"], "config_entry_solar_forecast": None}
    battery = {
        "type": "battery",
        "stat_energy_from": chosen["discharged"],
        "stat_energy_to": chosen["charged"],
    }
    await manager.async_update({"energy_sources": [grid, solar, battery]})
    return (await energy_validate.async_validate(hass)).as_dict()


async def main(directory, port):
    answers, sys.stdout = sys.stdout, sys.stderr

    def say(answer):
        answers.write(json.dumps(answer, default=list) + "\n")
        answers.flush()

    complaints = Complaints()
    hass = await bootstrap.async_setup_hass(RuntimeConfig(config_dir=directory, skip_pip=True))
    logging.getLogger().addHandler(complaints)
    # The instance without recovery mode (there is no frontend) has closed this loop for the recorder's threads.
    vars(asyncio.get_running_loop()).pop("_shutdown_run_callback_threadsafe", None)
    kept = {"recorder": {"db_url": f"sqlite:///{directory}/recorded.db", "commit_interval": 1}}
    if DATA_RECORDER not in hass.data:
        async_initialize_recorder(hass)
    assert await async_setup_component(hass, "recorder", kept)
    assert await async_setup_component(hass, "sensor", {})
    flow = await hass.config_entries.flow.async_init("mqtt", context={"source": "user"})
    made = await hass.config_entries.flow.async_configure(flow["flow_id"], {"broker": "127.0.0.1", "port": port})
    await hass.async_start()  # the recorder waits for it
    say({"flow": str(made["type"])})
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        shown = describe(hass, complaints)
        if line.strip():
            shown["energy"] = await check_dashboard(hass, json.loads(line))
        say(shown)
    await hass.async_stop(force=True)


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
