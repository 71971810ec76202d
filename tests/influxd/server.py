"""A real influxd process of one test or one session, on loopback, with everything under one folder."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.influxd.binary import find_influxd_binary

ORG = "home"
ADMIN_TOKEN = "canary-influx-admin-0123456789abcdef"
ADMIN_PASSWORD = "canary-influx-password"
READY_S = 60.0
_VERIFY_TLS = False
"""The server speaks plain http; by default each request would read the system's certificates first, for 50 ms."""


@dataclass
class Influxd:
    """One server. `start`, `kill` and `stop` may follow each other; port and data stay.

    Attributes:
        folder: Where its data and its log lie.
        port: Its port on 127.0.0.1.
        options: Further arguments for `influxd run`.
    """

    folder: Path
    port: int
    options: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it is healthy."""
        self.folder.mkdir(parents=True, exist_ok=True)
        log = (self.folder / "log").open("ab")
        home = {**os.environ, "INFLUX_CONFIGS_PATH": str(self.folder / "configs")}
        command = [
            str(find_influxd_binary()), "run", "--reporting-disabled", "--http-bind-address", f"127.0.0.1:{self.port}",
            "--bolt-path", str(self.folder / "bolt"), "--sqlite-path", str(self.folder / "sqlite"),
            "--engine-path", str(self.folder / "engine"), *self.options,
        ]  # fmt: skip
        with log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=home)
        deadline = time.monotonic() + READY_S
        while not self.is_healthy():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"influxd did not start:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def is_healthy(self) -> bool:
        """Whether it answers as a healthy server."""
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/health", timeout=1, verify=_VERIFY_TLS).status_code == httpx.codes.OK
        return False

    def stop(self) -> None:
        """Ask it to end, and wait for that."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: as a power cut, except that the kernel still writes what it holds."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(60)
            self.process = None

    def onboard(self) -> None:
        """First set-up: organisation, administrator and the all-access token `ADMIN_TOKEN`."""
        body = {"username": "admin", "password": ADMIN_PASSWORD, "org": ORG, "bucket": "unused", "token": ADMIN_TOKEN}
        self.call("POST", "/api/v2/setup", body)

    def call(self, method: str, path: str, body: object = None, **parameters: str) -> httpx.Response:
        """One call of its API as the administrator; raises for a failure."""
        headers = {"authorization": f"Token {ADMIN_TOKEN}"}
        answer = httpx.request(
            method, f"{self.url}{path}", json=body, params=parameters, headers=headers, timeout=30, verify=_VERIFY_TLS
        )
        answer.raise_for_status()
        return answer

    def find_organisation(self) -> str:
        """Id of the organisation."""
        return str(self.call("GET", "/api/v2/orgs", org=ORG).json()["orgs"][0]["id"])

    def make_bucket(self, name: str, *, days: int = 0) -> str:
        """Make a bucket that keeps readings for some days (0: without limit); returns its id."""
        rules = [{"type": "expire", "everySeconds": days * 86_400}] if days else []
        body = {"orgID": self.find_organisation(), "name": name, "retentionRules": rules}
        return str(self.call("POST", "/api/v2/buckets", body).json()["id"])


@contextlib.contextmanager
def run_influxd(folder: Path, *options: str, onboarded: bool = True) -> Iterator[Influxd]:
    """A fresh server, which ends with the context."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = Influxd(folder, port, options)
    server.start()
    try:
        if onboarded:
            server.onboard()
        yield server
    finally:
        server.kill()
