"""`envoy-scraper` and `envoy-receiver` as their users start them: real processes, against servers of the test."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from receiver.service.app import run_receiver
from receiver.service.build import Receiver, build
from simulator.server import Simulator
from tests.clocks import ShiftedClock
from tests.receiver import service

SECRET = "canary-household-secret-7c1e94b05ad8f362"
PATIENCE_S = 60.0


@dataclass
class CommandOutcome:
    """How a command ended, and what it printed on both outputs."""

    status: int | None
    text: str

    def __post_init__(self) -> None:
        assert "canary" not in self.text
        assert "Traceback" not in self.text, self.text

    def find(self, mark: str) -> str:
        """The one line with this mark, e.g. "FAIL  receiver"."""
        lines = [line for line in self.text.splitlines() if mark in line]
        assert len(lines) == 1, self.text
        return lines[0]


class RunningCommand:
    """A command that goes on until the test stops it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._text = ""

    async def read_to(self, text: str) -> str:
        """Read on until a line contains `text`; that line."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            async for raw in self._process.stdout:
                line = raw.decode()
                self._text += line
                if text in line:
                    return line
        raise AssertionError(f"ended without {text!r}: {self._text}")

    def has_loaded(self, library: str) -> bool:
        """Whether a file with this in its path is part of the process."""
        return library in Path(f"/proc/{self._process.pid}/maps").read_text()

    async def stop(self) -> CommandOutcome:
        """SIGTERM, as a supervisor would."""
        if self._process.returncode is None:
            self._process.terminate()
        rest, _ = await asyncio.wait_for(self._process.communicate(), PATIENCE_S)
        return CommandOutcome(self._process.returncode, self._text + rest.decode())


@dataclass
class CommandLine:
    """Where commands are typed.

    Attributes:
        environment: The settings; a test changes what it is about.
    """

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def state_dir(self) -> Path:
        return Path(self.environment["ENVOY_STATE_DIR"])

    async def run_command(
        self, *arguments: str, module: str = "scraper", typed: str = "", **settings: str
    ) -> CommandOutcome:
        """Run a command to its end."""
        process = await self._start(module, *arguments, **settings)
        text, _ = await asyncio.wait_for(process.communicate(typed.encode()), PATIENCE_S)
        return CommandOutcome(process.returncode, text.decode())

    async def check(self, **settings: str) -> CommandOutcome:
        return await self.run_command("check", **settings)

    @contextlib.asynccontextmanager
    async def run(self, **settings: str) -> AsyncIterator[RunningCommand]:
        """`envoy-scraper run`; stopped at the end if it still runs."""
        process = await self._start("scraper", "run", **settings)
        running_command = RunningCommand(process)
        try:
            yield running_command
        finally:
            await running_command.stop()

    async def _start(self, module: str, *arguments: str, **settings: str) -> asyncio.subprocess.Process:
        own = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *arguments,
            cwd=self.folder,
            env={**own, **self.environment, **{f"ENVOY_{name}": value for name, value in settings.items()}},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )


def make_command_line(sim: Simulator, folder: Path, receiver_port: int) -> CommandLine:
    """A command line whose settings are right."""
    return CommandLine(
        folder,
        {
            "ENVOY_HOST": "127.0.0.1",
            "ENVOY_HTTP_PORT": str(sim.http_port),
            "ENVOY_HTTPS_PORT": str(sim.https_port),
            "ENVOY_TOKEN": sim.make_token("installer"),
            "ENVOY_STATE_DIR": str(folder / "edge"),
            "ENVOY_RECEIVER_URL": f"http://127.0.0.1:{receiver_port}",
            "ENVOY_RECEIVER_SECRET": SECRET,
            "ENVOY_STATUS_PORT": "0",
            "ENVOY_POST_INTERVAL": "1",
            "ENVOY_INVERTER_INTERVAL": "10",
        },
    )


@dataclass
class HostedReceiver:
    """The receiver."""

    port: int
    receiver: Receiver
    clock: ShiftedClock


@contextlib.asynccontextmanager
async def run_hosted_receiver(folder: Path, *serials: str) -> AsyncIterator[HostedReceiver]:
    """A receiver that lets these gateways in with the secret."""
    settings = service.make_settings(folder / "hosted", secret=SECRET.encode(), gateways=serials)
    clock = ShiftedClock()
    receiver = build(settings, clock=clock)
    async with run_receiver(receiver, host="127.0.0.1", port=0) as listener:
        yield HostedReceiver(listener.port, receiver, clock)
