"""A newcomer types what docs/home.md, docs/operations.md and docs/page.md say, line by line, where it can run here.

There is no container engine: a stand-in runs what the line runs in a container. Left out are Kubernetes, and what
changes this machine or needs its root (`tests/deploy` and `tests/images.sh` have these).
"""

import asyncio
import re
import shutil
import signal
from pathlib import Path

import pytest

from simulator.server import Simulator
from standalone.directories import find_free_port
from tests.standalone.commands import run_standalone
from tests.standalone.newcomer import Newcomer

DOCS = Path(__file__).parents[2] / "docs"
LINE = re.compile(r"^ {4,}((?:docker compose|envoy-\w+|umask|ssh) .+?)(?: {3,}#.*)?$", re.MULTILINE)
IN_TEXT = re.compile(r"^`(envoy-receiver [^`]+)`", re.MULTILINE)
ON_A_NEW_HOST = ("restore -", "tar -C /var/lib/envoy-relay -xz")


def list_lines(page: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    found = LINE.findall(text) + IN_TEXT.findall(text)
    # there is one gateway here: test_two_gateways has the other
    return [line for line in found if "--env-file" not in line and not line.endswith("\\")]


@pytest.mark.slow
async def test_every_line_of_the_pages_does_what_it_says(tmp_path: Path) -> None:
    newcomer = Newcomer(tmp_path)
    newcomer.bring_stand_ins()
    async with Simulator("firmware-8", late_morning=True) as simulator:
        newcomer.write_settings(simulator, find_free_port())
        gateway_token = simulator.make_token("owner")
        await asyncio.to_thread(newcomer.type, "envoy-scraper token --paste", gateway_token)
        with run_standalone(tmp_path, "run", environment=newcomer.environment) as command:
            await asyncio.to_thread(lambda: command.wait_for(r"production [\d.]+ k?W.*inverters 24 of 24"))
            await asyncio.to_thread(type_pages, newcomer, gateway_token)
            assert await asyncio.to_thread(lambda: command.end(signal.SIGINT)) == 0
    await asyncio.to_thread(move_to_a_new_host, newcomer)


def type_pages(newcomer: Newcomer, gateway_token: str) -> None:
    """On the running installation."""
    folder = newcomer.folder
    (folder / "token_file").write_text(gateway_token)
    (folder / "root.crt").write_text("a certificate")  # `docker compose cp` would bring it
    (folder / "envoy-relay").symlink_to(folder)
    serial = newcomer.type("envoy-scraper key").split("#")[0].split()[-1]
    lines = [line for page in ("home.md", "operations.md", "page.md") for line in list_lines(page)]
    assert len(lines) > 20
    said = {}
    for line in lines:
        if not any(words in line for words in ON_A_NEW_HOST):
            said[line] = newcomer.type_in_shell(line.replace("TOKEN_FILE", "token_file").replace("SERIAL", serial))
    assert not [line for line, output in said.items() if "FAIL" in output]
    links = [output for line, output in said.items() if "--link" in line]
    assert len(links) >= 3
    assert all("/#t=" in output for output in links)
    assert serial in (folder / "sites.yaml").read_text()
    state = folder / "home" / ".local" / "state"
    assert (state / "envoy-receiver" / "sites.yaml").read_text() == (folder / "sites.yaml").read_text()
    assert (state / "envoy-relay" / "root.crt").read_text() == "a certificate"


def move_to_a_new_host(newcomer: Newcomer) -> None:
    """Another home, on which the saved files are brought back."""
    folder = newcomer.folder
    (saved,) = folder.glob("backup-*.tar.gz")
    serial = newcomer.type("envoy-scraper key").split("#")[0].split()[-1]
    shutil.move(folder / "home", folder / "old")
    (folder / "home" / ".local" / "state" / "envoy-relay").mkdir(parents=True, mode=0o700)
    lines = [line for line in list_lines("operations.md") if any(words in line for words in ON_A_NEW_HOST)]
    assert len(lines) == len(ON_A_NEW_HOST)
    for line in lines:
        newcomer.type_in_shell(re.sub(r"backup-[\d-]+\.tar\.gz", saved.name, line))
    assert serial in newcomer.type("envoy-receiver sites")
    new, old = (folder / home / ".local" / "state" / "envoy-relay" for home in ("home", "old"))
    for name in ("key", "gateway.json"):
        assert (new / name).read_bytes() == (old / name).read_bytes()
