"""Real processes as their users start them, with every line they said kept."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

PATIENCE_S = 60.0
"""Longest wait for anything that must happen; far beyond what a busy machine needs."""


class Process:
    """A command that can be started, killed and started again; what it says is kept over all its lives.

    Args:
        module: Python module to run (`scraper`, `receiver`, `simulator`).
        arguments: Of the command.
        directory: Where it runs: a place without `.env`.
        settings: Its environment besides PATH and HOME.

    Attributes:
        output: Lines of stdout and stderr of all lives.
        lives: (started, ended) of each past life, wall time in milliseconds.
        on_line: Called with every line.
    """

    def __init__(self, module: str, *arguments: str, directory: Path, settings: Mapping[str, str]) -> None:
        self.name = module
        self.output: list[str] = []
        self.lives: list[tuple[int, int]] = []
        self.on_line: Callable[[str], None] = lambda _line: None
        self.settings = dict(settings)
        self._command = [sys.executable, "-m", module, *arguments]
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None
        self._ended: asyncio.Task[int] | None = None
        self._started_ms = 0
        self._life_begins = 0
        self._heard = asyncio.Event()

    async def start(self) -> Self:
        """Start a life."""
        assert not self.runs, f"{self.name} runs already"
        self._life_begins, self._started_ms = len(self.output), time.time_ns() // 1_000_000
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            cwd=self._directory,
            env={"PATH": os.environ["PATH"], "HOME": str(self._directory), **self.settings},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._ended = asyncio.create_task(self._follow(self._process))
        return self

    @property
    def runs(self) -> bool:
        """Whether it is alive."""
        return self._ended is not None and not self._ended.done()

    def read_command_line(self) -> bytes:
        """What everybody on the machine sees of it, as the kernel tells (Linux); empty elsewhere."""
        assert self._process is not None
        listed = Path(f"/proc/{self._process.pid}/cmdline")
        return listed.read_bytes() if listed.exists() else b""

    @property
    def this_life(self) -> list[str]:
        """What it has said since it was started last."""
        return self.output[self._life_begins :]

    async def wait_for_line(self, text: str) -> str:
        """The first line of this life that contains `text`. Raises AssertionError if the process ends without it."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self._heard.clear()
                for line in self.this_life:
                    if text in line:
                        return line
                if not self.runs:
                    raise AssertionError(f"{self.name} ended without {text!r}: {self.this_life[-20:]}")
                await self._heard.wait()

    async def wait_for_line_or_end(self, text: str) -> None:
        """Wait for a line or for the end of this life, whichever comes first."""
        with contextlib.suppress(AssertionError):
            await self.wait_for_line(text)

    def kill(self) -> None:
        """SIGKILL; nothing if it is dead already."""
        self._signal(signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM: the orderly stop; nothing if it is dead already."""
        self._signal(signal.SIGTERM)

    async def wait_for_end(self, within_s: float = PATIENCE_S) -> int | None:
        """Its exit status, or None if it still lives after that time."""
        if self._ended is None:
            return None
        await asyncio.wait({self._ended}, timeout=within_s)
        return self._ended.result() if self._ended.done() else None

    async def stop(self) -> int | None:
        """Orderly stop; its exit status."""
        self.terminate()
        return await self.wait_for_end()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        self.kill()
        if self._ended is not None:
            await self._ended

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.runs:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _follow(self, process: asyncio.subprocess.Process) -> int:
        assert process.stdout is not None
        async for line in process.stdout:
            self.output.append(line.decode(errors="replace").rstrip("\n"))
            self.on_line(self.output[-1])
            self._heard.set()
        status = await process.wait()
        self.lives.append((self._started_ms, time.time_ns() // 1_000_000))
        self._heard.set()
        return status


def find_free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now, for settings that must stay the same over a restart."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def wait_until(condition: Callable[[], Any], what: str, *, patience_s: float = PATIENCE_S) -> Any:
    """Look again and again until the condition gives something true; that. Raises AssertionError."""
    deadline = time.monotonic() + patience_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"never happened: {what}"
        await asyncio.sleep(0.05)
    return found


async def read_description(simulator: Process) -> dict[str, Any]:
    """The simulator's first line: ports, serial and tokens."""
    description: dict[str, Any] = json.loads(await simulator.wait_for_line('"https_port"'))
    return description


async def read_status_port(process: Process) -> int:
    """Where a running scraper or receiver shows its metrics."""
    port: int = json.loads(await process.wait_for_line('"status_port"'))["status_port"]
    return port
