"""Two gateways in one house by `make run ALSO=.env.garage`: real processes, one of which is killed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from standalone.directories import find_free_port
from tests.standalone.commands import DEADLINE_S, PROJECT, Command, list_descendants, list_living, run_standalone
from tests.standalone.test_units import give, make_systemd, read_unit

HOUSE, GARAGE = "122446000801", "122238000701"
SITES = f"""
"{HOUSE}": {{name: House, site: Lane 5, time_zone: Europe/Berlin}}
"{GARAGE}":
  name: Garage
  site: Lane 5
  meters:    # no consumption meters in the garage
    net-consumption: {{role: ignore}}
    total-consumption: {{role: ignore}}
"""


@dataclass
class Lane:
    """A folder with the settings of two gateways, whose simulators run."""

    folder: Path
    port: int
    gateways: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def give(self, program: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """A command as a person types it in the folder."""
        return subprocess.run(
            [sys.executable, "-m", program, *arguments], cwd=self.folder, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(PROJECT), **self.environment}, **options,
        )  # fmt: skip

    def ask(self, path: str, token: str) -> Any:
        """What the API answers; None before there is something."""
        address = f"http://127.0.0.1:{self.port}/api/v1/{path}"
        answer = httpx.get(address, headers={"authorization": f"Bearer {token}"}, trust_env=False)
        return answer.json() if answer.status_code == 200 else None


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[Lane]:
    made = Lane(tmp_path, find_free_port(), environment=make_systemd(tmp_path))
    (tmp_path / "sites.yaml").write_text(SITES)
    with contextlib.ExitStack() as stack:
        for serial, profile in ((HOUSE, "firmware-8"), (GARAGE, "firmware-7")):
            process = subprocess.Popen(
                [sys.executable, "-m", "simulator", "run", "--late-morning", "--profile", profile],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(PROJECT)},
            )  # fmt: skip
            stack.callback(process.communicate)
            stack.callback(process.kill)
            made.gateways[serial] = process
            assert process.stdout is not None
            started = json.loads(process.stdout.readline())
            assert started["serial"] == serial
            made.tokens[serial] = started["token"]
            settings = {
                "ENVOY_HOST": "127.0.0.1",
                "ENVOY_HTTPS_PORT": started["https_port"],
                "ENVOY_HTTP_PORT": started["http_port"],
                "ENVOY_STATUS_PORT": find_free_port(),
            }
            if serial == HOUSE:
                settings |= {
                    "ENVOY_TOKEN": started["token"],
                    "RECEIVER_PORT": made.port,
                    "RECEIVER_STATUS_PORT": find_free_port(),
                    "RECEIVER_SITES_FILE": tmp_path / "sites.yaml",
                }
            file = tmp_path / (".env" if serial == HOUSE else ".env.garage")
            file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        yield made


def run_both(lane: Lane) -> contextlib.AbstractContextManager[Command]:
    return run_standalone(lane.folder, "run", "--also", ".env.garage", environment=lane.environment)


def wait_for(command: Command, look: Callable[[], Any]) -> Any:
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        assert command.process.poll() is None, command.errors
        with contextlib.suppress(httpx.TransportError):
            if found := look():
                return found
        time.sleep(0.5)
    raise AssertionError(f"{look} found nothing; {command.text}{command.errors}")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_both_gateways_arrive_and_are_summed_until_one_is_killed(lane: Lane) -> None:
    without = lane.give("standalone", "run", "--also", ".env.garage")
    assert without.returncode == 1
    assert f"gateway {GARAGE} has firmware" in without.stderr, "the garage has no token yet"
    kept = lane.give("scraper", "--env-file", ".env.garage", "token", "--paste", input=lane.tokens[GARAGE])
    assert f"owner rights for gateway {GARAGE}" in kept.stdout, kept.stderr
    with run_both(lane) as command:
        command.wait_for(f"{GARAGE}; envoy-scraper --env-file .env.garage check")
        command.wait_for(r"production [\d.]+ k?W.*inverters 24 of 24")
        token = lane.give("receiver", "token", "create").stdout.split()[-1]
        wait_for(command, lambda: read_sum(lane, token))
        for arguments, serial, state in (
            (["check"], HOUSE, "envoy-relay"),
            (["--env-file", ".env.garage", "check"], GARAGE, "envoy-relay-garage"),
        ):
            found = lane.give("scraper", *arguments)
            assert found.returncode == 0, found.stdout
            assert f"state: {lane.folder}/home/.local/state/{state}\n" in found.stdout
            assert serial in found.stdout
        lane.gateways[GARAGE].send_signal(signal.SIGKILL)
        silent = wait_for(command, lambda: lane.ask("sites/Lane%205/power", token)["silent"])
        assert silent[0]["sentence"].startswith(f"Gateway Garage ({GARAGE}) is silent since ")
        power = wait_for(command, lambda: find_unknown_power(lane, token))
        assert power["load_w"] is None
        assert power["net_w"] is not None, "the house measures that alone"
        below = list_descendants(command.process.pid)
        assert command.end(signal.SIGINT) == 0
        assert list_living(below) == {}
    check_units(lane)


def read_sum(lane: Lane, token: str) -> bool:
    """Whether the site is the sum of its gateways, which did not change while they were asked."""
    before = [lane.ask(f"gateways/{serial}/power", token) for serial in (HOUSE, GARAGE)]
    power = lane.ask("sites/Lane%205/power", token)
    after = [lane.ask(f"gateways/{serial}/power", token) for serial in (HOUSE, GARAGE)]
    makes = [each and each["production_w"] for each in (*before, *after)]
    if None in makes or makes[:2] != makes[2:] or power["net_w"] != before[0]["net_w"]:
        return False
    assert power["production_w"] == pytest.approx(makes[0] + makes[1])
    assert makes[0] > 0
    assert makes[1] > 0
    assert power["silent"] == []
    assert power["load_w"] in (None, pytest.approx(max(power["production_w"] + power["net_w"], 0.0)))
    return power["load_w"] is not None


def find_unknown_power(lane: Lane, token: str) -> Any:
    power = lane.ask("sites/Lane%205/power", token)
    return power if power["production_w"] is None else None


def check_units(lane: Lane) -> None:
    """`make service ALSO=.env.garage`: a unit for each scraper; the one of the garage reads its own file."""
    done = give(lane.folder, lane.environment, "--also", ".env.garage")
    assert done.returncode == 0, done.stderr
    told = (lane.folder / "told").read_text().splitlines()
    assert told[1] == "systemctl --user enable --now envoy-receiver envoy-scraper envoy-scraper-garage"
    command = read_unit(lane.folder, "envoy-scraper-garage")["ExecStart"]
    assert command.endswith(f'bin/envoy-scraper" --env-file "{lane.folder}/.env.garage" run')
    removed = give(lane.folder, lane.environment, "--remove")
    assert "~/.local/state/envoy-relay-garage" in removed.stdout
    assert not list((lane.folder / "home" / ".config" / "systemd" / "user").iterdir())


def test_two_files_of_one_gateway_are_refused(lane: Lane) -> None:
    text = (lane.folder / ".env").read_text()
    own = [line for line in text.splitlines() if not line.startswith("RECEIVER")]
    (lane.folder / ".env.garage").write_text("\n".join(own))
    found = lane.give("standalone", "run", "--also", ".env.garage")
    assert found.returncode == 1
    assert f"the same gateway, {HOUSE}: each gateway needs its own" in found.stderr


@pytest.mark.parametrize(("file", "sentence"), [
    ("garage", "garage is not there"), (".env", "must have a name such as .env.garage"),
])  # fmt: skip
def test_a_file_that_cannot_be_meant_is_named(lane: Lane, file: str, sentence: str) -> None:
    found = lane.give("standalone", "run", "--also", file)
    assert found.returncode == 1
    assert sentence in found.stderr
    assert "Traceback" not in found.stderr


def test_a_receiver_of_its_own_is_refused(lane: Lane) -> None:
    with (lane.folder / ".env.garage").open("a") as settings:
        settings.write("ENVOY_RECEIVER_URL=http://127.0.0.1:1\n")
    found = lane.give("standalone", "run", "--also", ".env.garage")
    assert found.returncode == 1
    assert "remove ENVOY_RECEIVER_URL" in found.stderr


def test_a_list_of_gateways_without_the_garage_is_refused(lane: Lane) -> None:
    with (lane.folder / ".env").open("a") as settings:
        settings.write(f"RECEIVER_GATEWAYS={HOUSE}\n")
    with (lane.folder / ".env.garage").open("a") as settings:
        settings.write(f"ENVOY_TOKEN={lane.tokens[GARAGE]}\n")
    found = lane.give("standalone", "run", "--also", ".env.garage")
    assert found.returncode == 1
    assert f"RECEIVER_GATEWAYS in .env does not list {GARAGE}" in found.stderr
