"""Runs Home Assistant with RESTful sensors and prints what they show, as one JSON line.

Runs under the Python of `build.sh`, in a process of its own; it imports nothing of the project. Its argument is a
directory with `given.yaml`, of which the part `rest` is set up, and `secrets.yaml`.
"""

import asyncio
import json
import logging
import sys
from pathlib import Path

from homeassistant import bootstrap
from homeassistant.runner import RuntimeConfig
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import Secrets, load_yaml


class RestComplaints(logging.Handler):
    """Keeps what the sensors complain of."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.found = []

    def emit(self, record):
        if any(name in record.name for name in ("rest", "sensor", "template")):
            self.found.append(f"{record.name}: {record.getMessage()}")


async def main(directory):
    answers, sys.stdout = sys.stdout, sys.stderr
    given = load_yaml(f"{directory}/given.yaml", Secrets(Path(directory)))
    warnings = RestComplaints()
    hass = await bootstrap.async_setup_hass(RuntimeConfig(config_dir=directory, skip_pip=True))
    logging.getLogger().addHandler(warnings)
    assert await async_setup_component(hass, "sensor", {})
    assert await async_setup_component(hass, "rest", {"rest": given["rest"]})
    await hass.async_start()
    await hass.async_block_till_done(wait_background_tasks=True)
    shown = {one.entity_id: {"state": one.state, **one.attributes} for one in hass.states.async_all("sensor")}
    answers.write(json.dumps({"sensors": shown, "complaints": warnings.found}, default=str) + "\n")
    answers.flush()
    await hass.async_stop(force=True)


asyncio.run(main(sys.argv[1]))
