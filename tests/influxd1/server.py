"""A real influxd 1.8 process of one test, on loopback, with an account that may do everything."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.end_to_end.processes import find_free_port
from tests.tools import find_binary

USERNAME = "relay"
PASSWORD = "canary-influx1-password"
_READY_S = 60.0
_CONFIGURATION = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
[http]
bind-address = "127.0.0.1:{port}"
auth-enabled = true
[logging]
level = "error"
"""


class Influxd1:
    """One server; `start` and `kill` may follow each other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, on the port that it had, and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "influxdb.conf"
        if not self.url:
            port = find_free_port()
            self.url = f"http://127.0.0.1:{port}"
            file.write_text(_CONFIGURATION.format(folder=self.folder, port=port, rpc=find_free_port()))
        remedy = "no InfluxDB 1.8: set INFLUXD1 to one, or install Go to build one"
        binary = find_binary("influxd1", build=Path(__file__).with_name("build.sh"), needs=("go",), remedy=remedy)
        log = (self.folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen([str(binary), "-config", str(file)], stdout=log, stderr=log)
        deadline = time.monotonic() + _READY_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"influxd 1.8 did not start:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def query(self, text: str, database: str = "") -> list[dict[str, Any]]:
        """The series that an InfluxQL statement gives."""
        answer = httpx.post(
            f"{self.url}/query",
            params={"q": text, "db": database, "epoch": "ms"},
            auth=(USERNAME, PASSWORD),
            timeout=30,
        )
        answer.raise_for_status()
        return answer.json()["results"][0].get("series", [])  # type: ignore[no-any-return]

    def read_field(self, measurement: str, field: str, tag: str, database: str = "envoy") -> list[dict[str, Any]]:
        """Every value of a field, a series for each value of the tag."""
        return self.query(f'SELECT "{field}" FROM "{measurement}" GROUP BY "{tag}"', database)  # noqa: S608 (names of ours)

    def write(self, line: str, database: str) -> None:
        """Write a line past us."""
        parameters = {"db": database, "precision": "ms"}
        answer = httpx.post(f"{self.url}/write", params=parameters, content=line, auth=(USERNAME, PASSWORD))
        answer.raise_for_status()

    def _answers(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/ping", timeout=1).status_code == httpx.codes.NO_CONTENT
        return False


@contextlib.contextmanager
def run_influxd1(folder: Path) -> Iterator[Influxd1]:
    """A fresh server with its administrator, which ends with the context."""
    server = Influxd1(folder)
    try:
        server.start()
        server.query(f"CREATE USER {USERNAME} WITH PASSWORD '{PASSWORD}' WITH ALL PRIVILEGES")
        yield server
    finally:
        server.kill()
