"""One household as real processes: simulator, receiver and scraper, with a network between the last two."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.end_to_end.processes import Process, find_free_port, read_description
from tests.end_to_end.proxy import FaultyProxy

SECRET = "a household secret of the end-to-end tests, long enough"


@dataclass
class EndToEndSystem:
    """The parts. The simulator runs; receiver and scraper are started by the test.

    Attributes:
        description: The simulator's first line.
        folder: Everything lies below it.
    """

    simulator: Process
    receiver: Process
    scraper: Process
    proxy: FaultyProxy
    description: dict[str, Any]
    folder: Path

    @property
    def serial(self) -> str:
        """Of the gateway."""
        serial: str = self.description["serial"]
        return serial

    @property
    def ledger(self) -> Path:
        """JSON lines of what the simulator sent."""
        return self.folder / "ledger.jsonl"

    @property
    def outbox(self) -> Path:
        """The scraper's file."""
        return self.folder / "scraper" / "outbox.sqlite"

    @property
    def store(self) -> Path:
        """The receiver's file."""
        return self.folder / "receiver" / "readings.sqlite"

    async def start_pair(self) -> None:
        """Start receiver and scraper, and wait until the one listens and the other streams."""
        await self.receiver.start()
        await self.receiver.wait_for_line('"receiving"')
        await self.scraper.start()
        await self.scraper.wait_for_line("the meter stream delivers")


@contextlib.asynccontextmanager
async def run_household(
    folder: Path,
    *simulator_options: str,
    scraper: dict[str, str] | None = None,
    receiver: dict[str, str] | None = None,
) -> AsyncIterator[EndToEndSystem]:
    """A household whose gateway has firmware 8 and whose scraper has an installer token; killed at the end.

    Args:
        folder: An empty place.
        simulator_options: More of the simulator's command line.
        scraper: More settings of the scraper.
        receiver: More settings of the receiver.
    """
    ports = {name: find_free_port() for name in ("http", "https")}
    options = [f"--{name}-port={port}" for name, port in ports.items()]
    options += ["--role=installer", "--late-morning", f"--state-dir={folder / 'simulator'}"]
    options += [f"--ledger={folder / 'ledger.jsonl'}", *simulator_options]
    async with contextlib.AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(FaultyProxy())
        gateway = Process("simulator", "run", *options, directory=folder, settings={})
        await stack.enter_async_context(gateway)
        announced = await read_description(gateway)
        hosted = make_receiver(folder, announced["serial"], proxy, **(receiver or {}))
        given = {"ENVOY_TOKEN": announced["tokens"]["installer"], **(scraper or {})}
        edge = make_scraper(folder, proxy, ports["http"], ports["https"], **given)
        for process in (hosted, edge):
            stack.push_async_exit(process.__aexit__)
        yield EndToEndSystem(gateway, hosted, edge, proxy, announced, folder)


def make_receiver(folder: Path, serial: str, proxy: FaultyProxy, **settings: str) -> Process:
    """A receiver, not yet started, that takes any free port and lets the proxy know which."""
    process = Process("receiver", "run", directory=folder, settings={
        "RECEIVER_STATE_DIR": str(folder / "receiver"),
        "RECEIVER_SECRET": SECRET,
        "RECEIVER_GATEWAYS": serial,
        "RECEIVER_PORT": "0",
        "RECEIVER_STATUS_PORT": "0",
        **settings,
    })  # fmt: skip

    def follow(line: str) -> None:
        if '"event": "receiving"' in line:
            proxy.target = json.loads(line)["port"]

    process.on_line = follow
    return process


def make_scraper(folder: Path, proxy: FaultyProxy, http_port: int, https_port: int, **settings: str) -> Process:
    """A scraper, not yet started, that posts through the proxy every second."""
    return Process("scraper", "run", directory=folder, settings={
        "ENVOY_HOST": "127.0.0.1",
        "ENVOY_HTTP_PORT": str(http_port),
        "ENVOY_HTTPS_PORT": str(https_port),
        "ENVOY_RECEIVER_URL": f"http://127.0.0.1:{proxy.port}",
        "ENVOY_RECEIVER_SECRET": SECRET,
        "ENVOY_STATE_DIR": str(folder / "scraper"),
        "ENVOY_STATUS_PORT": "0",
        "ENVOY_POST_INTERVAL": "1",
        "ENVOY_INVERTER_INTERVAL": "10",
        **settings,
    })  # fmt: skip
