"""`envoy-scraper support`: what helps is in the archive, and nothing that names a home or opens it."""

import json
import re
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulator.server import Simulator
from tests.end_to_end.canaries import Canaries
from tests.scraper.commands import SECRET, CommandLine, make_command_line, run_hosted_receiver

INSTALLER_PASSWORD = "canary-installer-password-4f0c"
LOG = """{"event": "gateway login", "gateway": "SERIAL", "host": "192.168.1.9", "level": "info"}
{"event": "cloud", "user": "canary.owner@example.org", "from": "93.184.216.34", "via": "2a02:8109:9c40::1"}
{"event": "odd", "mac": "00:1D:C0:12:34:56", "v6": "2a02:8109:9c40:1::5", "zone": "Europe/Lisbon", "lan": "192.168.1.7"}
{"event": "auth", "header": "Bearer TOKEN", "password": "canary-in-a-log", "cookie": "sessionId=canarysession"}
{"event": "path", "file": "HOMES/canaryuser/envoy/state"}
""".replace("HOMES", "/home")


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator("firmware-8") as running:
        yield running


@pytest.fixture
def command_line(tmp_path, sim) -> CommandLine:
    return make_command_line(sim, tmp_path, 1)


def read_archive(path: Path) -> dict[str, str]:
    assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(path) as archive:
        assert all(member.isfile() and member.mode == 0o600 for member in archive.getmembers())
        return {
            member.name.partition("/")[2]: file.read().decode()
            for member in archive.getmembers()
            if (file := archive.extractfile(member)) is not None
        }


async def test_the_archive_says_what_helps_and_no_secret(command_line, sim, tmp_path):
    canaries = Canaries()
    for name, value in (("household secret", SECRET), ("installer password", INSTALLER_PASSWORD)):
        canaries.guard(name, value)
    token = canaries.guard("token", sim.make_token("installer"))
    command_line.environment |= {
        "ENVOY_TOKEN": token,
        "ENVOY_INSTALLER_PASSWORD": INSTALLER_PASSWORD,
        "ENVOY_CLOUD_USERNAME": "canary.owner@example.org",
        "ENVOY_CLOUD_PASSWORD": "canary-cloud-password-77aa12",
    }
    log = tmp_path / "log.txt"
    log.write_text(LOG.replace("SERIAL", sim.serial).replace("TOKEN", token))
    async with run_hosted_receiver(tmp_path, sim.serial) as there:
        command_line.environment["ENVOY_RECEIVER_URL"] = f"http://127.0.0.1:{there.port}"
        async with command_line.run() as scraper:
            await scraper.read_to("gateway login")
            outcome = await command_line.run_command("support", "--log", "log.txt", "--to", "report.tar.gz")
            assert outcome.status == 0, outcome.text
            assert outcome.text.startswith("report.tar.gz: look through it")
    texts = read_archive(tmp_path / "report.tar.gz")

    assert {"README.txt", "versions.txt", "settings.txt", "check.txt", "outbox.txt", "files.txt"} <= set(texts)
    assert texts["versions.txt"].startswith("envoy-relay ")
    assert "ENVOY_TOKEN is set (a secret)" in texts["settings.txt"]
    assert "ENVOY_INVERTER_INTERVAL=10" in texts["settings.txt"]
    assert re.search(r"^ *ok  receiver", texts["check.txt"], re.MULTILINE), texts["check.txt"]
    assert re.search(r"^rows \d+$", texts["outbox.txt"], re.MULTILINE)
    inverters = json.loads(texts["gateway/api_v1_production_inverters.txt"].partition("\n\n")[2])
    assert len(inverters) == len(sim.device.house_profile.panels)
    inventory = texts["gateway/inventory_json.txt"]
    assert all(f'"{one["serialNumber"]}"' in inventory for one in inverters), "a serial has one name everywhere"
    assert len({one["serialNumber"] for one in inverters}) == len(inverters)
    assert "gateway-1" in texts["gateway/info.txt"]
    assert '"gateway": "gateway-1"' in texts["log.txt"]
    assert "192.168.1.7" in texts["log.txt"], "an address of the home network says nothing"

    for name, text in texts.items():
        canaries.collect(name, text)
    assert canaries.list_sightings() == []
    whole = "\n".join([*texts, *texts.values()])
    serials = [sim.serial, *(panel.serial for panel in sim.device.house_profile.panels)]
    for known in (*serials, "canary", "93.184", "2a02", "00:1D:C0:12", "Lisbon", str(Path.home()) + "/"):
        assert known not in whole, known


async def test_a_host_that_is_set_is_replaced_everywhere_and_bad_settings_do_not_prevent_a_report(
    command_line, tmp_path
):
    command_line.environment["ENVOY_RECEIVER_URL"] = "https://solar-canaryhost.example.org/receiver"
    command_line.environment["ENVOY_METER_INTERVAL"] = "often"
    (tmp_path / "log.txt").write_text("posted to solar-canaryhost.example.org\n")
    outcome = await command_line.run_command("support", "--log", "log.txt")
    assert outcome.status == 0, outcome.text
    (made,) = tmp_path.glob("envoy-scraper-support-*.tar.gz")
    texts = read_archive(made)
    assert "The settings cannot be used: ENVOY_METER_INTERVAL must be" in texts["check.txt"]
    assert "ENVOY_RECEIVER_URL=https://host-1/..." in texts["settings.txt"]
    assert texts["log.txt"] == "posted to host-1\n"
    assert "canary" not in "".join(texts.values())


async def test_a_gateway_that_was_never_met_has_the_name_of_a_gateway(command_line, tmp_path):
    outcome = await command_line.run_command("support", "--to", "first.tar.gz")
    assert outcome.status == 0, outcome.text
    assert "<sn>gateway-1</sn>" in read_archive(tmp_path / "first.tar.gz")["gateway/info.txt"]


async def test_what_is_there_is_not_written_over_and_a_log_that_is_missing_is_named(command_line, tmp_path):
    (tmp_path / "mine.tar.gz").write_text("mine")
    command_line.environment["ENVOY_METER_INTERVAL"] = "often"
    outcome = await command_line.run_command("support", "--to", "mine.tar.gz")
    assert (outcome.status, "mine.tar.gz cannot be used" in outcome.text) == (1, True), outcome.text
    assert (tmp_path / "mine.tar.gz").read_text() == "mine"
    missing = await command_line.run_command("support", "--log", "none.txt")
    assert (missing.status, "none.txt cannot be used" in missing.text) == (1, True), missing.text
    assert not list(tmp_path.glob("envoy-scraper-support-*"))
