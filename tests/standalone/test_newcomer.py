"""A newcomer types what the README says, in its order, in one folder: every command finds the running installation."""

import asyncio
import re
import signal
from pathlib import Path

import pytest

from simulator.server import Simulator
from standalone.directories import find_free_port
from tests.standalone.commands import run_standalone
from tests.standalone.newcomer import Newcomer

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
COMMAND = re.compile(r"(?:^    |`)((?:\.venv/bin/)?envoy-(?:scraper|receiver) [^`#\n]+|curl [^`\n]+)", re.MULTILINE)


def list_readme_commands() -> list[str]:
    return list(dict.fromkeys(command.strip() for command in COMMAND.findall(README)))


@pytest.mark.slow
async def test_every_command_of_the_readme_finds_what_make_run_runs(tmp_path: Path) -> None:
    newcomer = Newcomer(tmp_path)
    port = find_free_port()
    async with Simulator("firmware-8", late_morning=True) as simulator:
        newcomer.write_settings(simulator, port)
        gateway_token = simulator.make_token("owner")
        said = await asyncio.to_thread(newcomer.type, "envoy-scraper token --paste", gateway_token)
        assert "Kept" in said
        with run_standalone(tmp_path, "run", environment=newcomer.environment) as command:
            await asyncio.to_thread(lambda: command.wait_for(r"production [\d.]+ k?W.*inverters 24 of 24"))
            await asyncio.to_thread(type_all, newcomer, port, gateway_token)
            assert await asyncio.to_thread(lambda: command.end(signal.SIGINT)) == 0


def type_all(newcomer: Newcomer, port: int, gateway_token: str) -> None:
    serial = newcomer.type("envoy-scraper key").split("#")[0].split()[-1]
    line = newcomer.type("envoy-scraper key").strip()
    token = newcomer.type("envoy-receiver token create --gateway '*'").strip()
    commands = list_readme_commands()
    assert len(commands) > 10
    for command in commands:
        typed = command.replace("http://127.0.0.1:8000", f"http://127.0.0.1:{port}").replace("THE LINE", line)
        typed = typed.replace("SERIAL", serial).replace("TOKEN", token)
        said = newcomer.type(typed, gateway_token if "--paste" in typed else "")
        assert "FAIL" not in said, said
    checked = newcomer.type("envoy-receiver check")
    assert checked.count("a receiver runs at 127.0.0.1") == 2
    assert "FAIL" not in checked
    newcomer.type("envoy-receiver backup saved.tar.gz")
    assert serial in newcomer.type("envoy-receiver sites")
