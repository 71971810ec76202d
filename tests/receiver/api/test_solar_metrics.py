"""Solar values for Prometheus: a real promtool, a real Prometheus with the configuration of the docs."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from receiver.api.exposition import FAMILIES
from shared.readings import Reading
from tests.clocks import NOW_MS
from tests.receiver.api.constant_household import write_sites_file
from tests.receiver.outputs.prometheus import run_prometheus, run_promtool
from tests.receiver.outputs.recipes import read_recipe
from tests.receiver.service import (
    GATEWAY,
    OTHER,
    READ_SECRET,
    Service,
    make_inverter,
    make_meter,
    make_read_claims,
    sign,
    start,
)

PANEL, UNNAMED = "482300001111", "482300002222"
METRICS = "/api/v1/metrics"
MINUTE = 60_000
SITES = f"""
"{GATEWAY}":
  netting: sum
  panels:
    "{PANEL}": {{name: 'East "1"', array: Garage}}
"""
MINE = sign(make_read_claims(gateways=[GATEWAY]), READ_SECRET, kid="read")


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with start(tmp_path / "state", sites_file=write_sites_file(tmp_path, SITES), docs=True) as running:
        yield running


def make_site(now: int = NOW_MS) -> list[Reading]:
    """Two phases, a battery, a panel with a name and one without."""
    net = {"meter": "net-consumption"}
    return [
        make_meter(now, power=2345.6, voltage=231.9, current=10.1, power_factor=0.99, frequency=50.01),
        Reading("meter", {**net, "phase": "a"}, now, {"power": -2733.6, "apparent_power": 2800.0}),
        Reading("meter", {**net, "phase": "b"}, now, {"power": 1000.0, "reactive_power": -80.0}),
        Reading("meter_energy", {**net, "phase": "a"}, now, {"delivered": 3_411_522.1, "received": 9_876.5}),
        Reading("meter_energy", {"meter": "production", "phase": "a"}, now, {"delivered": 18_234_512.0}),
        Reading("storage", {}, now, {"power": -100.0, "state_of_charge": 55.0, "batteries": 1.0, "measured": 1.0}),
        Reading("gateway", {}, now, {"firmware": "D8"}),
        make_inverter(PANEL, now, power=211.0, energy_lifetime=612_345.0),
        make_inverter(UNNAMED, now, power=199.0),
    ]


def list_values(text: str, family: str) -> dict[str, float]:
    """Labels to value."""
    found = re.findall(rf"^{family}\{{(.*)\}} (\S+)$", text, re.MULTILINE)
    return {labels: float(value) for labels, value in found}


async def test_promtool_has_no_complaint(service: Service, tmp_path: Path):
    """As the acceptance asks for it: curl with a file of the token, and a pipe."""
    await service.send(*make_site())
    (tmp_path / "reader").write_text(f"Authorization: Bearer {MINE}")
    curl = f"curl -fsS -H @reader http://127.0.0.1:{service.port}{METRICS}"
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", curl, cwd=tmp_path, env={"PATH": os.environ["PATH"]}, stdout=asyncio.subprocess.PIPE
    )
    text, _ = await process.communicate()
    assert process.returncode == 0
    found = run_promtool("check", "metrics", given=text)
    assert (found.returncode, found.stdout, found.stderr) == (0, b"", b"")
    assert run_promtool("check", "metrics", given=b"# TYPE x_total gauge\nx_total 1\n").returncode, "it does look"
    for family in FAMILIES:
        assert list_values(text.decode(), family.name), family.name
    assert not re.search(r"\} \S+ \S", text.decode()), "a sample has a time of its own"
    assert not re.search(r"^[^#].*(nan|inf)", text.decode(), re.MULTILINE | re.IGNORECASE)


async def test_a_real_prometheus_has_the_values_of_power(service: Service, tmp_path: Path):
    """Scraped as the docs say, and gone there when it is unknown."""
    await service.send(*make_site())
    await service.send(make_meter(power=7.0), serial=OTHER)
    configuration = read_recipe("Prometheus")
    (job,) = configuration["scrape_configs"]
    assert job["metrics_path"] == METRICS
    (tmp_path / "reader").write_text(f"{MINE}\n")
    job["authorization"]["credentials_file"] = str(tmp_path / "reader")
    job["static_configs"] = [{"targets": [f"127.0.0.1:{service.port}"]}]
    job["scrape_interval"] = "1s"
    path = tmp_path / "prometheus.yml"
    path.write_text(yaml.safe_dump(configuration))
    checked = run_promtool("check", "config", str(path))
    assert checked.returncode == 0, checked
    async with run_prometheus(tmp_path / "prometheus", path) as prometheus:
        found = await prometheus.wait_until("envoy_power_watts", bool)
        power = (await service.get(f"/api/v1/gateways/{GATEWAY}/power", token=MINE)).json()
        flows = {name.removesuffix("_w"): value for name, value in power.items() if name.endswith("_w")}
        assert found == {(("flow", flow), ("gateway", GATEWAY)): value for flow, value in flows.items()}
        assert flows == {
            "production": 2345.6, "load": 512.0, "net": -1733.6, "imported": 0.0, "exported": 1733.6, "battery": -100.0,
        }  # fmt: skip
        gateway = ("gateway", GATEWAY)
        charge = await prometheus.wait_until("envoy_state_of_charge_ratio", bool)
        assert charge == {(gateway,): power["state_of_charge"] / 100}
        place = (("array", "Garage"), gateway, ("inverter", PANEL), ("panel", 'East "1"'))
        assert (await prometheus.wait_until("envoy_inverter_power_watts", bool))[place] == 211.0
        counter = (("direction", "delivered"), gateway, ("meter", "net-consumption"), ("phase", "a"))
        assert (await prometheus.wait_until("envoy_energy_watthours_total", bool))[counter] == 3_411_522.1
        service.clock.ms += 3 * MINUTE
        ended = "envoy_gateway_online == 0 unless on(gateway) envoy_power_watts"
        assert await prometheus.wait_until(ended, bool) == {(gateway,): 0.0}


async def test_what_is_unknown_is_left_out(service: Service):
    await service.send(*make_site())
    before = (await service.get(METRICS)).text
    service.clock.ms += 3 * MINUTE
    after = (await service.get(METRICS)).text
    for family in ("envoy_power_watts", "envoy_meter_power_watts", "envoy_meter_voltage_volts"):
        assert family in before
        assert family not in after
    gateway = f'gateway="{GATEWAY}"'
    assert list_values(after, "envoy_gateway_online") == {gateway: 0.0}
    assert list_values(after, "envoy_reading_timestamp_seconds") == {gateway: NOW_MS / 1000}
    assert len(list_values(after, "envoy_inverter_power_watts")) == 2, "a report speaks for half an hour"
    service.clock.ms += 28 * MINUTE
    late = (await service.get(METRICS)).text
    assert "envoy_inverter_power_watts" not in late
    assert "watthours_total" not in late
    assert len(list_values(late, "envoy_inverter_report_timestamp_seconds")) == 2
    assert run_promtool("check", "metrics", given=late.encode()).returncode == 0


async def test_a_house_without_a_battery_has_none(service: Service):
    await service.send(*(one for one in make_site() if one.kind != "storage"))
    text = (await service.get(METRICS)).text
    assert 'flow="battery"' not in text
    assert "state_of_charge" not in text


async def test_energies_are_those_of_lifetime(service: Service):
    await service.send(*make_site())
    text = (await service.get(METRICS, token=MINE)).text
    lifetime = (await service.get(f"/api/v1/gateways/{GATEWAY}/energy/lifetime")).json()
    known = {name.removesuffix("_wh"): wh for name, wh in lifetime.items() if name.endswith("_wh")}
    panels = {serial: wh for serial, wh in known.pop("panels").items() if wh is not None}
    for flow, wh in known.items():
        label = f'flow="{flow}",gateway="{GATEWAY}"'
        assert list_values(text, "envoy_site_energy_watthours_total").get(label) == wh
    found = list_values(text, "envoy_inverter_energy_watthours_total")
    assert found == {f'gateway="{GATEWAY}",inverter="{serial}"': wh for serial, wh in panels.items()}


async def test_a_token_sees_its_own_gateways(service: Service):
    await service.send(*make_site())
    await service.send(make_meter(power=7.0), serial=OTHER)
    everybody = (await service.get(METRICS)).text
    mine = (await service.get(METRICS, token=MINE)).text
    assert OTHER in everybody
    assert OTHER not in mine
    assert (await service.get(f"/api/v1/gateways/{GATEWAY}/metrics", token=MINE)).text == mine
    assert (await service.get(f"/api/v1/gateways/{OTHER}/metrics", token=MINE)).status_code == 404
    assert (await service.get(METRICS, token="")).status_code == 401
    assert "receiver_" not in everybody, "what the receiver counts of itself is for its operator"


async def test_a_scrape_is_no_viewer(service: Service):
    """Else the scraper would post each second, day and night."""
    await service.send(*make_site())
    assert (await service.get(METRICS)).status_code == 200
    assert not service.receiver.watch.is_watched(GATEWAY)


async def test_the_form_is_that_which_is_asked_for(service: Service):
    await service.send(*make_site())
    for asked, given in (
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5", "application/openmetrics-text"),
        ("text/plain;version=0.0.4", "text/plain"),
        ("*/*", "text/plain"),
    ):
        headers = {"authorization": f"Bearer {MINE}", "accept": asked}
        answer = await service.client.get(METRICS, headers=headers)
        assert answer.headers["content-type"].split(";")[0] == given
        assert answer.text.endswith("# EOF\n") == (given != "text/plain")


async def test_more_gateways_than_an_answer_holds_are_asked_one_by_one(service: Service, monkeypatch: Any):
    monkeypatch.setattr("receiver.api.solar_metrics.MOST_GATEWAYS", 1)
    await service.send(make_meter())
    assert (await service.get(METRICS)).status_code == 200
    await service.send(make_meter(), serial=OTHER)
    answer = await service.get(METRICS)
    assert answer.status_code == 422
    assert "ask /gateways/SERIAL/metrics of each" in answer.json()["detail"]


def test_the_page_lists_every_family():
    page = (Path(__file__).parents[3] / "docs" / "recipes.md").read_text()
    for family in FAMILIES:
        row = re.search(rf"^\| `{family.name}` \| (.*?) \|", page, re.MULTILINE)
        assert row, family.name
        assert re.findall(r"`(\w+)`", row[1]) == [name for name in family.labels if name != "gateway"]
