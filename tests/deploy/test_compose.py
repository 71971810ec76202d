"""The compose file keeps its promises: profiles, settings, secrets, hardening, pinned images.

It is read twice: as YAML, and by the reference implementation of the compose specification, which knows every key.
That it starts and works is shown by tests/images.sh.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from grafana.source.provisioning import TOKEN_FILE
from receiver import settings as receiver_settings
from scraper import settings as scraper_settings
from shared.version import VERSION
from tests.deploy.compose_file import FILE, GUARD, PROFILES, RAW, ROOT, SERVICES, TEXT, every_service
from tests.deploy.dockerfile import IMAGES
from tests.tools import skip_missing


def test_the_reference_implementation_understands_every_key() -> None:
    if shutil.which("go") is None:
        skip_missing("no Go to build the reference implementation of compose files with")
    tool = "github.com/compose-spec/compose-go/v2/cmd"
    build = ["go", "-C", str(Path(__file__).with_name("compose")), "tool", "-n", tool]  # says where it is, once built
    settings = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME") or name.startswith("GO")}
    built = subprocess.run(build, env=settings, check=True, capture_output=True, text=True).stdout.strip()
    command = [built, "--format", "json", str(FILE)]  # where the files lie that it includes
    answer = subprocess.run(command, env=settings, check=False, capture_output=True, text=True, cwd=ROOT)
    assert answer.returncode == 0, answer.stderr
    assert set(json.loads(answer.stdout)["services"]) == set(SERVICES)


def test_each_profile_starts_what_it_says() -> None:
    started: dict[str, set[str]] = {}
    for name, service in SERVICES.items():
        for profile in service["profiles"]:
            started.setdefault(profile, set()).add(name)
    assert started == PROFILES


def test_every_variable_is_named_in_the_example() -> None:
    named = set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    used = set(re.findall(r"\$\{([A-Z][A-Z0-9_]*)", TEXT)).union(*map(list_names_without_value, SERVICES.values()))
    assert used <= named, used - named


def list_names_without_value(service: dict[str, Any]) -> set[str]:
    """The settings that a service gets from .env or the shell, because the file gives them no value."""
    environment = service.get("environment", {})
    return {name for name in environment if not isinstance(environment, dict) or environment[name] is None}


def test_every_setting_of_the_scraper_reaches_it() -> None:
    """But those that the image fixes, files (secrets are kept in the state volume), and the hosts of the cloud."""
    fixed = {"ENVOY_STATE_DIR", "ENVOY_STATUS_HOST", "ENVOY_STATUS_PORT", "ENVOY_CLOUD_URL", "ENVOY_TOKEN_URL"}
    wanted = {
        name
        for name in scraper_settings.list_known_settings()
        if name not in fixed and (not name.endswith("_FILE") or name == "ENVOY_RECEIVER_CA_FILE")
    }
    assert wanted == set(SERVICES["scraper"]["environment"])


def test_every_setting_of_the_receiver_reaches_it() -> None:
    """But those that the image fixes; secrets only as files."""
    fixed = {f"RECEIVER_{name}" for name in ("STATE_DIR", "HOST", "PORT", "STATUS_HOST", "STATUS_PORT", "KEYS_FILE")}
    fixed |= {"RECEIVER_SECRET", "RECEIVER_READ_SECRET", "INFLUXDB_ADMIN_PASSWORD", "INFLUXDB_ADMIN_TOKEN"}
    fixed |= {"INFLUXDB_V2_TOKEN_FILE", "RECEIVER_LEGACY_SECRET_FILE"}  # a secret of a transition needs no file here
    settings = set(receiver_settings.list_known_settings()) - fixed
    channels = (
        "ALARM_",
        "NTFY_",
        "TELEGRAM_",
        "WEBHOOK_",
        "SMTP_",
        "RECEIVER_LINES_",
        "RECEIVER_EMONCMS_",
        "RECEIVER_PVOUTPUT_",
        "RECEIVER_MQTT_",
    )
    wanted = {name for name in settings if name.startswith("RECEIVER_") and not name.startswith(channels)}
    wanted |= {name for name in settings if name.startswith(channels) and not name.endswith("_FILE")}
    database = {name for name in settings if name.startswith("INFLUXDB_")}
    administrator = {name for name in database if name.startswith("INFLUXDB_ADMIN_")}
    assert (wanted | database) - administrator == set(SERVICES["receiver"]["environment"])
    for name in ("setup", "admin"):  # they alone are administrators of InfluxDB
        assert database <= set(SERVICES[name]["environment"])


def test_one_box_at_home_has_both_halves_one_file_and_one_network() -> None:
    """What reaches each half of `edge` and `receiver` reaches it here, too, but for the database and the proxy."""
    receiver, scraper = SERVICES["home-receiver"], SERVICES["home-scraper"]
    assert receiver["networks"] == scraper["networks"] == ["home"]
    assert receiver["environment"]["RECEIVER_STORE"].startswith("sqlite:////var/lib/envoy-relay/")
    assert scraper["environment"]["ENVOY_RECEIVER_URL"] == "http://home-receiver:8000"
    secret = "${ENVOY_SERIAL:+/run/secrets/receiver_secret}"
    assert receiver["environment"]["RECEIVER_SECRET_FILE"] == secret
    assert scraper["environment"]["ENVOY_RECEIVER_SECRET_FILE"] == secret
    assert set(SERVICES["scraper"]["environment"]) <= set(scraper["environment"])
    of_others = {"RECEIVER_TRUSTED_PROXIES", "RECEIVER_LIVE_BUCKET", "RECEIVER_TOKENS_DIR", "RECEIVER_READ_SECRET_FILE"}
    wanted = {name for name in SERVICES["receiver"]["environment"] if not name.startswith("INFLUXDB_")} - of_others
    assert wanted == set(receiver["environment"])
    assert receiver["environment"]["ALARM_SENDER"] == "${ALARM_SENDER:-receiver}", "there is no Grafana"
    mine = {volume for name in ("home-receiver", "home-scraper") for volume in list_mounts(name).values()}
    assert mine == {"home-receiver", "home-scraper"}


def test_the_scraper_of_another_gateway_is_a_project_of_its_own() -> None:
    """`docker compose -p garage`: nothing that it has bears a name beyond its project, and its port can be another."""
    scraper = SERVICES["scraper"]
    assert "container_name" not in scraper
    assert not scraper.get("secrets"), "it signs with a key of its own"
    mine = {mount.partition(":")[0] for mount in scraper["volumes"]}
    assert all(not RAW["volumes"][name] for name in mine), "a volume with a fixed name would be shared"
    assert all(not RAW["networks"][name] for name in scraper["networks"])
    assert all(port.startswith("${RELAY_SCRAPER_STATUS_BIND:-") for port in scraper["ports"])
    assert "ENVOY_RECEIVER_INSECURE" in scraper["environment"]


def list_mounts(name: str) -> dict[str, str]:
    """The volume at each path of a service."""
    texts = [volume for volume in SERVICES[name]["volumes"] if isinstance(volume, str)]
    return {text.split(":")[1]: text.split(":")[0] for text in texts}


@pytest.mark.parametrize("demo", ["", "demo-"])
def test_grafana_sees_its_own_token_alone(demo: str) -> None:
    """`setup` writes the two tokens into two volumes; the receiver has one of them, and Grafana the other."""
    setup = SERVICES[f"{demo}setup"]["environment"]
    made = list_mounts(f"{demo}setup")
    receivers, grafanas = made[setup["RECEIVER_TOKENS_DIR"]], made[setup["GRAFANA_TOKENS_DIR"]]
    assert receivers != grafanas
    assert receivers in list_mounts(f"{demo}receiver").values()
    assert grafanas not in list_mounts(f"{demo}receiver").values()
    assert receivers not in list_mounts(f"{demo}grafana").values()
    assert list_mounts(f"{demo}grafana")[str(Path(TOKEN_FILE).parent)] == grafanas
    if not demo:  # it makes new tokens after a restore
        assert list_mounts("admin").items() >= {"/run/tokens": receivers, "/run/grafana-tokens": grafanas}.items()


@every_service
def test_no_secret_stands_in_the_file(service: dict[str, Any]) -> None:
    environment = service.get("environment", {})
    for name, value in environment.items() if isinstance(environment, dict) else ():  # a list names, but sets nothing
        if re.search("PASSWORD|TOKEN|SECRET", name) and name not in ("RECEIVER_TOKENS_DIR", "GRAFANA_TOKENS_DIR"):
            is_file = name.endswith("_FILE") and re.fullmatch(r"(\$\{\w+(-|:\+))?/run/(secrets|gateway)/\w+\}?", value)
            assert value is None or is_file, name


@every_service
def test_every_container_has_no_more_rights_than_it_needs(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["logging"]["options"]["max-size"]
    is_proxy = "caddy" in service["image"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if is_proxy else [])
    is_ours = "build" in service
    assert is_ours or is_proxy or re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert "privileged" not in service
    assert "network_mode" not in service


@every_service
def test_everything_that_runs_on_is_watched_and_started_again(service: dict[str, Any]) -> None:
    if service in (SERVICES["setup"], SERVICES["demo-setup"], SERVICES["admin"], SERVICES[GUARD]):  # they end
        assert service["restart"] == "no"
        return
    assert service["restart"] == "unless-stopped"
    if "build" in service:
        assert "\nHEALTHCHECK " in IMAGES[service["build"]["target"]]
    else:
        assert service["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize(("name", "status"), [("", 1), ("solar.example.org", 0), ("localhost", 0)])
def test_a_forgotten_name_of_the_proxy_is_said(name: str, status: int) -> None:
    """Before the proxy starts, and for no profile without it: compose itself would ask for it everywhere."""
    guard = SERVICES[GUARD]
    assert SERVICES["proxy"]["depends_on"] == {GUARD: {"condition": "service_completed_successfully"}}
    assert guard["environment"] == {"RELAY_DOMAIN": "${RELAY_DOMAIN:-}"}
    command = [word.replace("$$", "$") for word in guard["command"]]
    answer = subprocess.run(command, env={"RELAY_DOMAIN": name}, check=False, capture_output=True, text=True)
    assert answer.returncode == status
    assert ("set RELAY_DOMAIN in .env" in answer.stderr) == bool(status)


@every_service
def test_every_port_is_open_to_this_machine_alone_unless_one_says_otherwise(service: dict[str, Any]) -> None:
    """But the proxy's: being reached is what it is for."""
    if service is SERVICES["proxy"]:
        return
    for port in service.get("ports", []):
        assert re.fullmatch(r"\$\{RELAY_\w+_BIND:-127\.0\.0\.1:\d+\}:\d+", port)


@every_service
def test_every_image_is_pinned(service: dict[str, Any]) -> None:
    image = service["image"].replace(f"${{RELAY_VERSION:-{VERSION}}}", VERSION)
    assert re.search(r":\d+\.\d+\.\d+$", image), image


@pytest.mark.parametrize(("image", "module"), [("influxdb", "influxdata/influxdb"), ("caddy", "caddyserver/caddy")])
def test_the_servers_are_those_of_the_tests(image: str, module: str) -> None:
    folder = {"influxdb": "influxd", "caddy": "caddy"}[image]
    version = re.search(rf"{module}/v2 v(\S+)", (ROOT / "tests" / folder / "go.mod").read_text())
    assert version is not None
    assert f"docker.io/library/{image}:{version[1]}\n" in TEXT
