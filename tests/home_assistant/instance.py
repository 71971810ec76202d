"""A real Home Assistant process of one test, connected to a broker on loopback."""

import asyncio
import contextlib
import json
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from tests.tools import skip_missing

_HERE = Path(__file__).parent
_NO_PYTHON = 3
_PATIENCE_S = 60.0


class Shown(NamedTuple):
    """What it shows of what came by MQTT.

    Attributes:
        entities: By unique id.
        devices: By identifier.
        complaints: What it has logged of it since the last look.
        energy: What the energy dashboard finds wrong; None where it was not asked.
    """

    entities: dict[str, dict[str, Any]]
    devices: dict[str, dict[str, Any]]
    complaints: list[str]
    energy: Any

    def list_states(self) -> set[str]:
        """The states of all enabled entities."""
        return {str(one["state"]) for one in self.entities.values() if not one["disabled"]}


class HomeAssistant:
    """One instance with a fresh configuration."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def look(self, question: str = "") -> Shown:
        """What it shows now; entities as JSON ask the energy dashboard what is wrong with them, too."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{question}\n".encode())
        found = await self.read_line()
        devices = {identifier: one for one in found["devices"] for _, identifier in one["identifiers"]}
        entities = {one["unique_id"]: one for one in found["entities"]}
        return Shown(entities, devices, found["complaints"], found.get("energy"))

    async def wait_until(self, is_so: Callable[[Shown], bool], what: str, *, patience_s: float = _PATIENCE_S) -> Shown:
        """Look until something is so. Raises AssertionError."""
        deadline = time.monotonic() + patience_s
        while not is_so(shown := await self.look()):
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} never came: {shown}")
            await asyncio.sleep(0.2)
        return shown

    async def read_line(self) -> Any:
        """Its next answer."""
        assert self._process.stdout is not None
        async with asyncio.timeout(_PATIENCE_S):
            return json.loads(await self._process.stdout.readline())


@contextlib.asynccontextmanager
async def run_home_assistant(folder: Path, port: int) -> AsyncIterator[HomeAssistant]:
    """An instance that listens to the broker at a port, and ends with the context."""
    log = _make_folder(folder)
    process = await asyncio.create_subprocess_exec(
        *(str(_find_python()), str(_HERE / "watch.py"), str(folder), str(port)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=log,
        limit=16 * 1024 * 1024,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )
    try:
        instance = HomeAssistant(process)
        assert (await instance.read_line())["flow"] == "create_entry", (folder / "said").read_text()
        yield instance
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        log.close()


def _make_folder(folder: Path) -> BinaryIO:
    """A fresh configuration, and the file for what is said."""
    folder.mkdir()
    (folder / "configuration.yaml").touch()
    return (folder / "said").open("wb")


def _find_python() -> Path:
    made = subprocess.run([str(_HERE / "build.sh")], check=False, stdout=subprocess.PIPE, text=True)
    if made.returncode == _NO_PYTHON:
        skip_missing("no Python 3.13 for Home Assistant: pyenv install 3.13.0")
    made.check_returncode()
    return Path(made.stdout.strip())


async def show_rest_sensors(folder: Path, configuration: str, secrets: str) -> Any:
    """What RESTful sensors of a fresh instance show after their first look: `sensors` by name, and `complaints`."""
    log = _make_folder(folder)
    (folder / "given.yaml").write_text(configuration)
    (folder / "secrets.yaml").write_text(secrets)
    process = await asyncio.create_subprocess_exec(
        *(str(_find_python()), str(_HERE / "rest.py"), str(folder)),
        stdout=asyncio.subprocess.PIPE,
        stderr=log,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )
    try:
        async with asyncio.timeout(_PATIENCE_S):
            output, _ = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        log.close()
    assert output, (folder / "said").read_text()
    return json.loads(output)
