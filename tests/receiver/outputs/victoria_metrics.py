"""A real VictoriaMetrics process of one test, on loopback, with deduplication."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec

from tests.end_to_end.processes import find_free_port
from tests.tools import skip_missing

_READY_S = 30.0


class VictoriaMetrics:
    """One server; `start` and `kill` may follow each other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = find_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it is healthy."""
        binary = shutil.which("victoria-metrics") or skip_missing("no VictoriaMetrics: apt install victoria-metrics")
        options = [f"-storageDataPath={self.folder}", f"-httpListenAddr=127.0.0.1:{self.port}"]
        years = ["-retentionPeriod=100y", "-dedup.minScrapeInterval=1ms", "-search.latencyOffset=0s"]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen([binary, *options, *years], stdout=quiet, stderr=quiet)
        deadline = time.monotonic() + _READY_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("VictoriaMetrics did not start")
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGTERM: it writes what it holds, once in a second or so, and so it is at most once after SIGKILL."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    def wait_for(self, match: str, count: int) -> list[dict[str, Any]]:
        """Every series of a match once they have so many values: what was taken is seen a little later."""
        deadline = time.monotonic() + _READY_S
        while True:
            found = self.export(match)
            if sum(len(one["values"]) for one in found) >= count:
                return found
            assert time.monotonic() < deadline, f"{match} never had {count} values: {found}"
            time.sleep(0.1)

    def export(self, match: str) -> list[dict[str, Any]]:
        """Every series of a match, with `metric`, `values` and `timestamps`."""
        httpx.get(f"{self.url}/internal/force_flush", timeout=30)
        answer = httpx.get(f"{self.url}/api/v1/export", params={"match[]": match, "reduce_mem_usage": "1"}, timeout=30)
        answer.raise_for_status()
        return [msgspec.json.decode(line) for line in answer.text.splitlines()]

    def _answers(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/health", timeout=1).status_code == httpx.codes.OK
        return False


@contextlib.contextmanager
def run_victoria_metrics(folder: Path) -> Iterator[VictoriaMetrics]:
    """A fresh server, which ends with the context."""
    server = VictoriaMetrics(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()
