"""`run` against a gateway on a real port, and what it says when a setting is missing or wrong."""

import asyncio
import fcntl
import os
import pty
import re
import signal
import stat
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from simulator.server import Simulator
from standalone.directories import find_free_port
from standalone.errors import StandaloneError
from standalone.run import fill_in
from tests.standalone.commands import DEADLINE_S, PROJECT, list_descendants, list_living, run_standalone

SECRET = "canary-secret-2f9d8e6b0c47a153d2b68f9e0a7"


def _write_settings(simulator: Simulator, **more: str) -> str:
    settings = {
        "ENVOY_HOST": "127.0.0.1",
        "ENVOY_HTTPS_PORT": str(simulator.https_port),
        "ENVOY_HTTP_PORT": str(simulator.http_port),
        "RECEIVER_PORT": str(find_free_port()),
        "RECEIVER_STATUS_PORT": str(find_free_port()),
        "ENVOY_STATUS_PORT": str(find_free_port()),
        **more,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


@pytest.mark.slow
async def test_run_needs_only_a_token_in_env_and_stops_cleanly(tmp_path):
    """The serial is asked from the gateway, the secret is made, values arrive, and nobody is left."""
    async with Simulator("firmware-8", late_morning=True) as simulator:
        (tmp_path / ".env").write_text(_write_settings(simulator, ENVOY_TOKEN=simulator.make_token("owner")))
        with run_standalone(tmp_path, "run", environment={"HOME": str(tmp_path / "home")}) as command:
            await asyncio.to_thread(lambda: command.wait_for(r"production [\d.]+ k?W.*inverters 24 of 24"))
            below = list_descendants(command.process.pid)
            assert await asyncio.to_thread(lambda: command.end(signal.SIGINT)) == 0
            assert list_living(below) == {}
    state = tmp_path / "home" / ".local" / "state"
    assert stat.S_IMODE((state / "envoy-receiver" / "secret").stat().st_mode) == 0o600
    assert (state / "envoy-receiver" / "readings.sqlite").exists()
    assert (state / "envoy-relay" / "outbox.sqlite").exists()


async def test_a_missing_token_is_one_clear_sentence(tmp_path):
    """Firmware 7 and later wants a token: said before anything is started."""
    async with Simulator("firmware-8") as simulator:
        (tmp_path / ".env").write_text(_write_settings(simulator))
        with run_standalone(tmp_path, "run", environment={"HOME": str(tmp_path / "home")}) as command:
            assert await asyncio.to_thread(lambda: command.process.wait(DEADLINE_S)) == 1
            assert "put ENVOY_TOKEN=" in command.errors
            assert "Traceback" not in command.errors


async def test_a_missing_token_of_one_more_gateway_names_its_own_file(tmp_path):
    async with Simulator("firmware-8") as simulator:
        (tmp_path / ".env").write_text(_write_settings(simulator, ENVOY_SERIAL="122300000001"))
        (tmp_path / ".env.garage").write_text(
            f"ENVOY_HOST=127.0.0.1\nENVOY_HTTPS_PORT={simulator.https_port}\nENVOY_HTTP_PORT={simulator.http_port}\n"
        )
        arguments = ("run", "--also", ".env.garage")
        with run_standalone(tmp_path, *arguments, environment={"HOME": str(tmp_path / "home")}) as command:
            assert await asyncio.to_thread(lambda: command.process.wait(DEADLINE_S)) == 1
            assert "into .env.garage, give it to `envoy-scraper --env-file .env.garage token --paste`" in command.errors
            assert " .env " not in command.errors


def test_a_gateway_that_does_not_answer_is_one_clear_sentence(tmp_path):
    port = find_free_port()
    (tmp_path / ".env").write_text(f"ENVOY_HOST=127.0.0.1\nENVOY_HTTPS_PORT={port}\nENVOY_HTTP_PORT={port}\n")
    with run_standalone(tmp_path, "run", environment={"HOME": str(tmp_path / "home")}) as command:
        assert command.process.wait(DEADLINE_S) == 1
        assert "Put the gateway's address into .env: ENVOY_HOST=" in command.errors
        assert "Traceback" not in command.errors


def test_a_wrong_setting_is_named(tmp_path):
    (tmp_path / ".env").write_text("ENVOY_HOST=127.0.0.1\nENVOY_POST_INTERVAL=soon\n")
    with run_standalone(tmp_path, "run", environment={"HOME": str(tmp_path / "home")}) as command:
        assert command.process.wait(DEADLINE_S) == 1
        assert "ENVOY_POST_INTERVAL" in command.errors
        assert ".env" in command.errors


def test_one_secret_serves_both_and_stays_the_same(tmp_path):
    first, second = fill_in({}, tmp_path), fill_in({}, tmp_path)
    assert first == second
    assert first["RECEIVER_SECRET_FILE"] == first["ENVOY_RECEIVER_SECRET_FILE"]
    assert fill_in({"RECEIVER_SECRET": SECRET}, tmp_path)["ENVOY_RECEIVER_SECRET"] == SECRET
    assert fill_in({"ENVOY_RECEIVER_SECRET_FILE": "x"}, tmp_path)["RECEIVER_SECRET_FILE"] == "x"


def test_different_secrets_are_refused(tmp_path):
    with pytest.raises(StandaloneError, match="differ"):
        fill_in({"RECEIVER_SECRET": SECRET, "ENVOY_RECEIVER_SECRET": SECRET + "t"}, tmp_path)


def test_another_receiver_is_not_silently_replaced(tmp_path):
    with pytest.raises(StandaloneError, match="ENVOY_RECEIVER_URL names another receiver"):
        fill_in({"ENVOY_RECEIVER_URL": "https://receiver.example.org"}, tmp_path)


def test_a_secret_that_others_can_read_is_refused(tmp_path):
    fill_in({}, tmp_path)
    (tmp_path / "receiver" / "secret").chmod(0o644)
    with pytest.raises(StandaloneError, match="chmod 600"):
        fill_in({}, tmp_path)


def test_port_0_becomes_a_free_port(tmp_path):
    filled = fill_in({"RECEIVER_PORT": "0"}, tmp_path)
    assert int(filled["RECEIVER_PORT"]) > 0
    assert filled["ENVOY_RECEIVER_URL"] == f"http://127.0.0.1:{filled['RECEIVER_PORT']}"


def test_data_of_an_earlier_version_is_moved_by_a_command_that_is_shown(tmp_path):
    """It kept its state beside `.env`, where no other command looked."""
    (tmp_path / "state" / "receiver").mkdir(parents=True)
    (tmp_path / "state" / "receiver" / "readings.sqlite").touch()
    (tmp_path / ".env").write_text("ENVOY_HOST=127.0.0.1\nENVOY_HTTPS_PORT=1\nENVOY_HTTP_PORT=1\n")
    environment = {"HOME": str(tmp_path / "home")}
    with run_standalone(tmp_path, "run", environment=environment) as command:
        assert command.process.wait(DEADLINE_S) == 1
        (move,) = [line for line in command.errors.splitlines() if "mv state/receiver" in line]
    subprocess.run(["sh", "-c", move], check=True, cwd=tmp_path)
    assert (tmp_path / "home" / ".local" / "state" / "envoy-receiver" / "readings.sqlite").exists()
    with run_standalone(tmp_path, "run", environment=environment) as command:
        assert command.process.wait(DEADLINE_S) == 1
        assert "mv state" not in command.errors


@pytest.mark.slow
async def test_lan_opens_the_page_to_the_network_and_a_restart_keeps_the_link(tmp_path):
    """`make run LAN=1`. At a terminal the link stands there once, bare; `o` opens it; the next start shows the same."""
    asked = await asyncio.to_thread(
        subprocess.run,  # a process of its own, because tests may not ask for other networks
        [sys.executable, "-c", "from standalone.network import find_lan_address as find; print(find())"],
        capture_output=True, text=True, check=False, cwd=PROJECT,
    )  # fmt: skip
    if asked.returncode:
        pytest.skip("this machine is in no network")
    address = asked.stdout.strip()
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {opened}\n')
    browser.chmod(0o755)
    async with Simulator("firmware-8", late_morning=True) as simulator:
        (tmp_path / ".env").write_text(_write_settings(simulator, ENVOY_TOKEN=simulator.make_token("owner")))
        environment = {"HOME": str(tmp_path / "home"), "BROWSER": str(browser), "TERM": "xterm", "COLUMNS": "80"}
        first = await asyncio.to_thread(_run_at_a_terminal, tmp_path, environment, opened, "--lan")
        opened.unlink()
        second = await asyncio.to_thread(_run_at_a_terminal, tmp_path, environment, opened, "--lan")
        opened.unlink()
        plain = await asyncio.to_thread(_run_at_a_terminal, tmp_path, environment, opened)
    assert first == second
    assert plain.startswith("http://127.0.0.1:"), "nothing listens at the address of the network any more"
    assert plain.partition("#")[2] == first.partition("#")[2]
    host = first.removeprefix("http://").partition(":")[0]
    assert host == address


def _run_at_a_terminal(folder: Path, environment: dict[str, str], opened: Path, *options: str) -> str:
    """Start, press o when the view is there, stop by Ctrl-C; the address that the browser was given."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-m", "standalone", "run", *options]
    started = subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT), **environment}, start_new_session=True,
    )  # fmt: skip
    os.close(follower)
    shown = ""
    try:
        while "24 of 24" not in shown:
            shown += os.read(leader, 65536).decode(errors="replace")
        os.write(leader, b"o")
        while not opened.exists() or not opened.read_text().strip():
            shown += os.read(leader, 65536).decode(errors="replace")
        address = opened.read_text().strip()
        assert re.fullmatch(r"http://\S+/#t=[0-9A-Za-z]{16}", address)
        assert re.sub("\x1b]8;[^\x1b]*\x1b\\\\", "", shown).count(address) == 1
        assert ("This address works on this machine only" in shown) == ("--lan" not in options)
        assert subprocess.run(["curl", "-sf", address.partition("#")[0]], check=True, capture_output=True).stdout
        started.send_signal(signal.SIGINT)
        assert started.wait(DEADLINE_S) == 0
    finally:
        started.kill()
        os.close(leader)
    return address


def test_there_is_a_sites_file_for_the_page_to_write_into_and_one_that_is_given_stays(tmp_path):
    path = Path(fill_in({}, tmp_path)["RECEIVER_SITES_FILE"])
    assert path == tmp_path / "receiver" / "sites.yaml"
    path.write_text("mine")
    fill_in({}, tmp_path)
    assert path.read_text() == "mine"
    assert "RECEIVER_SITES_FILE" not in fill_in({"RECEIVER_SITES_FILE": "other.yaml"}, tmp_path)
