"""The page about the API and its published description: every command and every example is run."""

import asyncio
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from receiver.api.series_answers import EXAMPLES
from receiver.service.app import create_app
from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.receiver.api.conftest import StartOver
from tests.receiver.api.constant_household import write_sites_file
from tests.receiver.api.series_requests import MINUTE, ask, make_power
from tests.receiver.service import GATEWAY, READ_SECRET, Service, make_inverter, make_read_claims, sign

PAGE = Path(__file__).parents[3] / "docs" / "api.md"
INVERTER = "482100000001"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def list_commands() -> list[str]:
    lines = [line for block in BLOCK.findall(PAGE.read_text()) for line in block.splitlines()]
    return [line for line in lines if not line.startswith("#")]


async def fill(service: Service) -> None:
    """Two hours of a house, rolled up."""
    for first in range(-120, 0, 30):
        sent = [Reading("gateway", {}, NOW_MS + first * MINUTE, {"firmware": "D8", "role": "owner"})]
        for minute in range(first, first + 30):
            time = NOW_MS + minute * MINUTE
            for meter in ("production", "net-consumption"):
                tags = {"meter": meter, "phase": "a"}
                sent.append(Reading("meter", tags, time, {"power": 500.0, "voltage": 230.0}))
                counters: dict[str, float | str] = {"delivered": 1000 + minute / 6, "received": 5.0}
                sent.append(Reading("meter_energy", tags, time, counters))
            if minute % 5 == 0:
                sent.append(make_inverter(INVERTER, time, power=200.0, interval=300.0))
        await service.send(*sent, batch=f"b{first + 200}")
    await service.receiver.rollups.catch_up()
    await service.receiver.alarms.run_once()  # its scraper has been late for half an hour


@pytest.fixture(params=["sqlite", "influxdb"])
async def filled(request: pytest.FixtureRequest, start_over: StartOver, tmp_path: Path) -> Any:
    sites = write_sites_file(tmp_path, f'"{GATEWAY}": {{site: Lane 5}}')
    async with start_over(request.param, docs=True, sites_file=sites) as running:
        await fill(running)
        yield running


async def run(command: str, directory: Path, port: int) -> str:
    environment = {"RECEIVER": f"http://127.0.0.1:{port}", "GATEWAY": GATEWAY, "PATH": os.environ["PATH"]}
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", command, cwd=directory, env=environment, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, (command, output)
    return output.decode()


async def test_every_command_of_the_page_works(filled: Service, tmp_path: Path):
    """Copied as it stands; and each says something: no list is empty, no window without a value."""
    for scope, name in (("read", "reader"), ("owner", "owner")):
        claims = {**make_read_claims(), "scope": scope}
        (tmp_path / name).write_text("Authorization: Bearer " + sign(claims, READ_SECRET, kid="read"))
    for command in list_commands():
        output = await run(command, tmp_path, filled.port)
        assert output or "DELETE" in command
        assert output not in ("[]", "{}"), command
        assert '"series":[]' not in output, command
        if "format=csv" in command:
            assert len(output.splitlines()) > 1, command


async def test_the_page_has_every_route(service: Service):
    """And none that is not there."""
    page = PAGE.read_text()
    asked = [re.findall(r'\$RECEIVER(/[^"?]*)', command)[0] for command in list_commands()]
    shapes = [
        path.replace("$GATEWAY", "{serial}").replace(INVERTER, "{inverter}").replace("Lane%205", "{site}")
        for path in asked
    ]
    app = create_app(service.receiver)
    routes = {path for path in list_paths(app) if path.startswith(("/api/", "/healthz", "/readyz"))}
    assert routes - set(shapes) == {"/api/v1/gateways/{serial}/batches"}
    assert set(shapes) <= routes
    assert "/api/v1/gateways/{serial}/batches" in page


def list_paths(app: Any) -> Iterator[str]:
    schema = app.openapi()["paths"]
    return iter({*schema, *(route.path for route in app.routes if isinstance(route, Route))})


COMPANIONS = {
    "meter": "kind=meter&field=power", "phase": "kind=meter&field=power", "inverter": "kind=inverter&field=power",
    "source": "kind=production&field=power", "type": "kind=event&field=reason", "panel": "kind=panel_15m&field=power",
    "array": "kind=panel_1d&field=energy", "battery": "kind=battery&field=power", "relay": "kind=relay&field=state",
    "group_by": "kind=meter&field=power&every=1h", "revision": "kind=interval&field=energy",
    "source_id": "kind=datum&field=instantaneous", "property": "kind=datum&field=instantaneous",
}  # fmt: skip
"""Parameters of series whose examples make sense beside these only."""


async def test_every_example_of_the_description_can_be_asked(filled: Service):
    """Each parameter's example by itself beside what is needed."""
    schema = (await filled.client.get("/openapi.json")).json()
    asked = 0
    for path, operations in schema["paths"].items():
        get = operations.get("get")
        if get is None or path.endswith("/live") or not path.startswith("/api/v1/gateways"):
            continue
        assert get["summary"]
        assert get["description"]
        address = path.replace("{serial}", GATEWAY).replace("{inverter}", INVERTER)
        parameters = [parameter for parameter in get.get("parameters", []) if parameter["in"] == "query"]
        assert all(parameter["description"] for parameter in parameters)
        needed = "&".join(f"{one['name']}={find_example(one)}" for one in parameters if one["required"])
        for query in [needed, *(add_example(one, needed) for one in parameters if find_example(one) is not None)]:
            answer = await filled.get(f"{address}?{query}")
            assert answer.status_code == 200, (address, query, answer.text)
            asked += 1
    assert asked > 15


def find_example(parameter: dict[str, Any]) -> Any:
    found = parameter.get("examples") or parameter["schema"].get("examples") or [None]
    return found[0]


def add_example(parameter: dict[str, Any], needed: str) -> str:
    name = parameter["name"]
    beside = COMPANIONS.get(name, needed)
    return beside if f"{name}=" in beside else f"{beside}&{name}={find_example(parameter)}"


async def test_the_answers_of_the_description_are_what_is_answered(service_on_each_store: Service):
    """Two phases of a meter from 8:00 to 8:30, and the questions that stand above the answers."""
    first = EXAMPLES["points"]["value"]["start"]
    for phase, watts in (("a", 600.0), ("b", 300.0)):
        await service_on_each_store.send(
            *(make_power(first + minute * MINUTE, watts, phase=phase) for minute in range(31))
        )
    for shown in EXAMPLES.values():
        assert (await ask(service_on_each_store, shown["summary"].removeprefix("?"))).json() == shown["value"]
