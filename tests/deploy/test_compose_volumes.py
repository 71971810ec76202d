"""What the compose file mounts and hands on: files, volumes, secrets, addresses."""

import ipaddress
import re
from pathlib import Path
from typing import Any

from tests.deploy.compose_file import PROFILES, RAW, ROOT, SERVICES, every_service, find_default
from tests.deploy.dockerfile import list_made_directories


def test_whatever_is_mounted_is_there() -> None:
    volumes: set[str] = set()
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            if isinstance(volume, dict):
                assert volume["type"] == "volume", volume
                volumes.add(volume["source"])
                continue
            source = volume.partition(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists(), source
                assert volume.endswith(":ro"), volume
            else:
                volumes.add(source)
    assert volumes == set(RAW["volumes"])
    home = RAW["x-grafana-environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (ROOT / "grafana" / "dashboards" / Path(home).name).exists()


@every_service
def test_what_our_containers_write_to_is_theirs(service: dict[str, Any]) -> None:
    """Docker gives a new volume the owner of the image's directory, and root's where there is none."""
    if "build" not in service:
        return
    written = {volume.split(":")[1] for volume in service.get("volumes", []) if not volume.endswith(":ro")}
    assert written <= list_made_directories(service["build"]["target"])


def test_the_demo_shares_nothing_with_a_real_installation_and_needs_no_settings() -> None:
    for name in PROFILES["demo"]:
        service = SERVICES[name]
        assert set(service["networks"]) == {"demo"}
        assert all(volume.startswith(("./", "demo-")) for volume in service.get("volumes", []))
        assert {secret["source"] for secret in service.get("secrets", [])} <= {"demo_secret"}
    assert (ROOT / RAW["secrets"]["demo_secret"]["file"]).exists()


def test_the_secrets_are_those_that_make_secrets_makes() -> None:
    made = set(re.findall(r"^secret (\w+)", (ROOT / "deploy" / "secrets.sh").read_text(), re.MULTILINE))
    assert made == set(RAW["secrets"]) - {"demo_secret", "home_secret"}


def test_what_setup_writes_for_grafana_lies_where_grafana_reads_it() -> None:
    """And only `setup` and the receivers, of which one tells of alarms, are given the secrets of the channels."""
    setup, grafana = SERVICES["setup"], SERVICES["grafana"]
    folder = setup["environment"]["GRAFANA_ALERTING_DIR"]
    assert f"alerting:{folder}" in setup["volumes"]
    assert folder in list_made_directories("receiver"), "the directory from which the volume takes its owner"
    (mount,) = (volume for volume in grafana["volumes"] if isinstance(volume, dict))
    assert (mount["source"], mount["target"]) == ("alerting", "/etc/grafana/provisioning/alerting")
    assert grafana["user"].split(":")[0] == "10001", "the file is readable by its owner alone"
    rules = grafana["volumes"][grafana["volumes"].index(mount) + 1]
    assert rules.split(":")[1] == f"{mount['target']}/rules.yaml"
    for name, service in SERVICES.items():
        channels = {key for key in service.get("environment", {}) if key.startswith(("NTFY_", "TELEGRAM_", "WEBHOOK_"))}
        assert bool(channels) == (name in ("setup", "receiver", "home-receiver")), name
    assert setup["environment"]["ALARM_SENDER"] == SERVICES["receiver"]["environment"]["ALARM_SENDER"], "never both"


def test_no_container_is_given_an_address_that_means_something_else() -> None:
    """Engines hand out a range to its very end, though that may be the broadcast address of the network."""
    (pool,) = RAW["networks"]["front"]["ipam"]["config"]
    subnet, given = (ipaddress.IPv4Network(find_default(pool[key])) for key in ("subnet", "ip_range"))
    proxy = ipaddress.ip_address(find_default(SERVICES["proxy"]["networks"]["front"]["ipv4_address"]))
    reserved = {subnet.network_address, subnet.broadcast_address, subnet.network_address + 1, proxy}
    assert given.subnet_of(subnet)
    assert proxy in subnet
    assert reserved.isdisjoint(given)
