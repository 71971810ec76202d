"""Lifetime energies are one computation: the broker, the API and Prometheus have the same numbers, netted as billed."""

import json
import re

import pytest

from receiver.outputs.mqtt.discovery import Topics
from receiver.outputs.mqtt.states import GatewayStates
from tests.receiver.api.constant_household import ask_all, fill, write_sites_file
from tests.receiver.outputs.test_lifetime import HOUR, MINUTE, PHASES, START, make_minutes
from tests.receiver.service import GATEWAY, Service, start

ENERGY = re.compile(r'^envoy_site_energy_watthours_total\{flow="(\w+)",.*\} (\S+)$', re.MULTILINE)


async def read_published(service: Service) -> dict[str, float]:
    """Energies (kWh) by flow, as the topic `energy` has them, but those that are unknown."""
    states = GatewayStates(
        GATEWAY,
        store=service.receiver.store,
        lifetime=service.receiver.lifetime,
        site_of=service.receiver.sites.get_site,
        topics=Topics("envoy", "homeassistant"),
        clock=service.clock,
    )
    (payload,) = [one.payload for one in await states.read_minute() if one.topic == f"envoy/{GATEWAY}/energy"]
    energies = {name: value for name, value in json.loads(payload).items() if name.endswith("_kwh")}
    return {name.removesuffix("_kwh"): value for name, value in energies.items() if value is not None}


async def read_scraped(service: Service) -> dict[str, float]:
    """Wh by flow, as Prometheus scrapes them."""
    return {flow: float(wh) for flow, wh in ENERGY.findall((await service.get("/api/v1/metrics")).text)}


@pytest.mark.parametrize(("netting", "gain_kwh"), [("sum", 0.0), ("phases", 1.0)])
async def test_an_hour_of_one_kilowatt_in_and_one_out(tmp_path, netting, gain_kwh):
    sites = write_sites_file(tmp_path, f'"{GATEWAY}": {{netting: {netting}}}')
    async with start(tmp_path / "state", sites_file=sites) as service:
        await fill(service, make_minutes(START, START + HOUR, PHASES), now=START + HOUR + 5000)
        before = await read_published(service)
        later = START + 2 * HOUR
        await fill(service, make_minutes(START + HOUR + MINUTE, later, PHASES), now=later + 5000)
        after, scraped = await read_published(service), await read_scraped(service)
        (asked,) = await ask_all(service, "/energy/lifetime")
    for flow in ("imported", "exported"):
        assert after[flow] - before[flow] == pytest.approx(gain_kwh, abs=0.001)
    assert after.keys() == {"production", "load", "imported", "exported"}
    assert scraped == {flow: asked[f"{flow}_wh"] for flow in after}
    assert after == {flow: round(wh / 1000, 3) for flow, wh in scraped.items()}
    assert (asked["discharged_wh"], asked["charged_wh"]) == (None, None)
