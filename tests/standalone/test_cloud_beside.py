"""A system of the cloud beside the local gateway of the same house: `make run ALSO=.env.cloud`, with real processes."""

import json
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from standalone.directories import find_free_port
from tests.standalone.commands import PROJECT, list_descendants, list_living, run_standalone
from tests.standalone.test_two_gateways import Lane, wait_for
from tests.standalone.test_units import make_systemd

SYSTEM = "system-4711023"


@pytest.fixture
def started(tmp_path: Path) -> Iterator[dict[str, object]]:
    """The first line of a simulator, which is the gateway and its cloud."""
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", "run", "--late-morning"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    assert process.stdout is not None
    yield json.loads(process.stdout.readline())
    process.kill()
    process.communicate()


@pytest.fixture
def lane(tmp_path: Path, started) -> Lane:
    cloud = started["cloud"]
    made = Lane(tmp_path, find_free_port(), environment=make_systemd(tmp_path) | {"SSL_CERT_FILE": cloud["ca_file"]})
    local = {
        "ENVOY_HOST": "127.0.0.1",
        "ENVOY_HTTPS_PORT": started["https_port"],
        "ENVOY_HTTP_PORT": started["http_port"],
        "ENVOY_TOKEN": started["token"],
        "ENVOY_STATUS_PORT": find_free_port(),
        "RECEIVER_PORT": made.port,
        "RECEIVER_STATUS_PORT": find_free_port(),
    }
    application = {f"ENVOY_CLOUD_{name.upper()}": value for name, value in cloud["application"].items()}
    beside = {
        "ENVOY_SOURCE": "cloud",
        "ENVOY_CLOUD_SYSTEM": cloud["system"],
        "ENVOY_CLOUD_API_URL": cloud["url"],
        "ENVOY_STATUS_PORT": find_free_port(),
        **application,
    }
    for name, settings in ((".env", local), (".env.cloud", beside)):
        (tmp_path / name).write_text("".join(f"{setting}={value}\n" for setting, value in settings.items()))
    return made


def approve(cloud: dict[str, object]) -> str:
    """What the owner does in the browser. Returns the code that the page shows."""
    context = ssl.create_default_context(cafile=str(cloud["ca_file"]))
    form = {
        "redirect_uri": f"{cloud['url']}/oauth/redirect_uri",
        "email": "owner@example.com",
        "password": "sunny-roof",
        "approve": "yes",
    }
    sent = httpx.post(f"{cloud['url']}/oauth/authorize", data=form, verify=context)
    return parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_system_of_the_cloud_runs_beside_the_gateway(lane: Lane, started) -> None:
    without = lane.give("standalone", "run", "--also", ".env.cloud")
    assert without.returncode == 1
    assert f"the owner of {SYSTEM} has not approved yet" in without.stderr
    code = approve(started["cloud"])
    kept = lane.give("scraper", "--env-file", ".env.cloud", "cloud", "authorise", input=f"{code}\n")
    assert "Approved and kept" in kept.stdout, kept.stdout + kept.stderr
    with run_standalone(lane.folder, "run", "--also", ".env.cloud", environment=lane.environment) as command:
        command.wait_for(f"{SYSTEM}; envoy-scraper --env-file .env.cloud check")
        command.wait_for(r"production [\d.]+ k?W.*inverters 24 of 24")
        token = lane.give("receiver", "token", "create").stdout.split()[-1]
        question = f"gateways/{SYSTEM}/series?kind=interval&field=energy&start=-6h"
        found = wait_for(command, lambda: lane.ask(question, token))
        assert found
        below = list_descendants(command.process.pid)
        assert command.end(signal.SIGINT) == 0
        assert list_living(below) == {}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_demo_reads_its_house_from_the_cloud_too(tmp_path: Path) -> None:
    demo = tmp_path / "demo"
    with run_standalone(tmp_path, "demo", "--state", str(demo), "--days", "0", "--cloud") as command:
        command.wait_for(r"inverters 20 of 20")
        shell = re.search(r"^another link to it: (.+)$", command.text, re.MULTILINE)
        assert shell is not None
        made = subprocess.run(f"{shell[1]}", shell=True, check=True, capture_output=True, text=True)  # noqa: S602
        port = urlsplit(made.stdout.strip().partition("#")[0]).port
        lane = Lane(tmp_path, port or 0, environment={"RECEIVER_STATE_DIR": str(demo / "receiver")})
        token = lane.give("receiver", "token", "create").stdout.split()[-1]
        question = f"gateways/{SYSTEM}/series?kind=interval&field=energy&start=-6h"
        assert wait_for(command, lambda: lane.ask(question, token))
        below = list_descendants(command.process.pid)
        assert command.end(signal.SIGINT) == 0
        assert list_living(below) == {}
        assert command.errors == ""
    written = [path for path in demo.rglob("*") if path.is_file()]
    assert [path for path in written if path.stat().st_mode & 0o077] == []
    logs = "".join(path.read_text() for path in (demo / "logs").iterdir())
    assert "eyJ" not in logs
    assert '"level": "error"' not in logs
