"""A real Prometheus process of one test, on loopback, and its promtool."""

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx

from tests.end_to_end.processes import PATIENCE_S, find_free_port
from tests.tools import skip_missing

Samples = dict[tuple[tuple[str, str], ...], float]
"""Labels, without those of the scrape, to value."""


class Prometheus:
    """What it has of its one target."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    async def ask(self, expression: str) -> Samples:
        """The values of an expression now."""
        async with httpx.AsyncClient(timeout=30) as client:
            answer = await client.get(f"{self._url}/api/v1/query", params={"query": expression})
        found = answer.json()["data"]["result"]
        return {_remove_target(one["metric"]): float(one["value"][1]) for one in found}

    async def wait_until(self, expression: str, is_so: Callable[[Samples], bool]) -> Samples:
        """Ask until something is so; a scrape that a busy machine delays ends everything until the next one.

        Raises AssertionError.
        """
        found: Samples = {}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    with contextlib.suppress(httpx.HTTPError):  # it starts
                        found = await self.ask(expression)
                        if is_so(found):
                            return found
                    await asyncio.sleep(0.1)
        raise AssertionError(f"{expression} never was so: {found}")


def run_promtool(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """What promtool says to something."""
    tool = shutil.which("promtool") or skip_missing("no promtool: apt install prometheus")
    return subprocess.run([tool, *arguments], input=given, capture_output=True, check=False)


@contextlib.asynccontextmanager
async def run_prometheus(folder: Path, configuration: Path) -> AsyncIterator[Prometheus]:
    """A fresh server, which ends with the context."""
    binary = shutil.which("prometheus") or skip_missing("no Prometheus: apt install prometheus")
    port = find_free_port()
    places = [f"--config.file={configuration}", f"--storage.tsdb.path={folder}"]
    quiet = subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        binary, *places, f"--web.listen-address=127.0.0.1:{port}", stdout=quiet, stderr=quiet
    )
    try:
        yield Prometheus(port)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def _remove_target(labels: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in labels.items() if name not in ("__name__", "instance", "job")))
