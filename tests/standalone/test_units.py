"""`make service`: the units start what `make run` ran. systemd is a stand-in that keeps what it was told."""

import asyncio
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.files import make_private_directory
from shared.local_settings import write_local_settings
from simulator.server import Simulator
from standalone.directories import find_free_port
from tests.standalone.commands import PROJECT, run_standalone, wait_until

PROGRAMS = Path(sys.executable).parent


def make_systemd(folder: Path, *, linger: int = 0, bus: int = 0) -> dict[str, str]:
    """Stand-ins for systemctl and loginctl; the environment that finds them, and a home of its own."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    for name, status in (("systemctl", bus), ("loginctl", linger)):
        (tools / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {folder}/told\nexit {status}\n')
        (tools / name).chmod(0o755)
    return {"HOME": str(folder / "home"), "PATH": f"{tools}:{os.environ['PATH']}", "XDG_CONFIG_HOME": ""}


def give(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "standalone", "service", *arguments], cwd=folder, capture_output=True, text=True,
        check=False, env={**os.environ, "PYTHONPATH": str(PROJECT), **environment},
    )  # fmt: skip


def read_unit(folder: Path, name: str) -> dict[str, str]:
    text = (folder / "home" / ".config" / "systemd" / "user" / f"{name}.service").read_text()
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))


def test_without_a_first_run_there_is_nothing_to_keep(tmp_path: Path) -> None:
    refused = give(tmp_path, make_systemd(tmp_path))
    assert refused.returncode == 1
    assert "make run" in refused.stderr
    assert not (tmp_path / "told").exists()
    assert "no service" in give(tmp_path, make_systemd(tmp_path), "--remove").stdout


def test_without_a_bus_no_unit_is_left_and_each_command_says_what_to_do(tmp_path: Path) -> None:
    """In a shell of su or in a container systemctl fails: Failed to connect to bus."""
    state = tmp_path / "home" / ".local" / "state"
    for half in ("envoy-receiver", "envoy-relay"):
        make_private_directory(state / half)
    write_local_settings(state / "envoy-receiver", {"RECEIVER_PORT": str(find_free_port())})
    write_local_settings(state / "envoy-relay", {})
    units = tmp_path / "home" / ".config" / "systemd" / "user"
    failed = give(tmp_path, make_systemd(tmp_path, bus=1))
    assert failed.returncode == 1
    assert "log in as this user itself" in failed.stderr
    assert not list(units.iterdir())
    assert give(tmp_path, make_systemd(tmp_path)).returncode == 0
    wants = units / "default.target.wants"
    wants.mkdir()
    (wants / "envoy-receiver.service").symlink_to(units / "envoy-receiver.service")
    before = {path: path.read_text() for path in units.glob("*.service")}
    assert give(tmp_path, make_systemd(tmp_path, bus=1)).returncode == 1
    assert {path: path.read_text() for path in units.glob("*.service")} == before, "those of before stay"
    removed = give(tmp_path, make_systemd(tmp_path, bus=1), "--remove")
    assert removed.returncode == 1
    assert "systemctl --user stop envoy-receiver envoy-scraper" in removed.stderr
    assert not list(units.rglob("*.service"))


@pytest.mark.slow
async def test_the_units_run_what_make_run_ran_and_go_without_the_data(tmp_path: Path) -> None:
    environment = make_systemd(tmp_path, linger=1)
    async with Simulator("firmware-8", late_morning=True) as simulator:
        (tmp_path / ".env").write_text(
            f"ENVOY_HOST=127.0.0.1\nENVOY_HTTPS_PORT={simulator.https_port}\nENVOY_HTTP_PORT={simulator.http_port}\n"
            f"ENVOY_TOKEN={simulator.make_token('owner')}\nRECEIVER_PORT={find_free_port()}\n"
            f"RECEIVER_STATUS_PORT={find_free_port()}\nENVOY_STATUS_PORT={find_free_port()}\n"
        )
        with run_standalone(tmp_path, "run", environment=environment) as command:
            await asyncio.to_thread(lambda: command.wait_for("inverters 24 of 24"))
            busy = await asyncio.to_thread(give, tmp_path, environment)
            assert "stop `make run`" in busy.stderr
            assert await asyncio.to_thread(lambda: command.end(signal.SIGINT)) == 0
        done = await asyncio.to_thread(give, tmp_path, environment)
        assert done.returncode == 0, done.stderr
        assert "sudo loginctl enable-linger" in done.stdout
        told = (tmp_path / "told").read_text().splitlines()
        assert told[:2] == [
            "systemctl --user daemon-reload",
            "systemctl --user enable --now envoy-receiver envoy-scraper",
        ]
        units = (tmp_path / "home" / ".config" / "systemd" / "user").glob("*.service")
        verify = ["systemd-analyze", "verify", *map(str, sorted(units))]
        verified = await asyncio.to_thread(subprocess.run, verify, capture_output=True, text=True, check=False)
        assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
        await asyncio.to_thread(run_units, tmp_path)
    removed = await asyncio.to_thread(give, tmp_path, environment, "--remove")
    assert "the data stays in" in removed.stdout
    assert not list((tmp_path / "home" / ".config" / "systemd" / "user").iterdir())
    assert (tmp_path / "home" / ".local" / "state" / "envoy-receiver" / "readings.sqlite").exists()


def run_units(folder: Path) -> None:
    """Start both as systemd would, until every part of the way is good by the scraper's own check."""
    plain = {"HOME": str(folder / "home"), "PATH": f"{PROGRAMS}:/usr/bin:/bin"}
    started = []
    try:
        for name in ("envoy-receiver", "envoy-scraper"):
            unit = read_unit(folder, name)
            command = shlex.split(unit["ExecStart"])
            started.append(
                subprocess.Popen(command, cwd=unit["WorkingDirectory"], env=plain, stderr=subprocess.DEVNULL)
            )

        def check() -> bool:
            walked = subprocess.run(["envoy-scraper", "check"], cwd=folder, env=plain, capture_output=True, check=False)
            return walked.returncode == 0

        wait_until(check, lambda: "the units do not work together", lambda: all(p.poll() is None for p in started))
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(60)
