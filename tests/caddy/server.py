"""A real Caddy process with our Caddyfile, on loopback, with a certificate of its own authority."""

import contextlib
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.caddy.binary import find_caddy_binary

CADDYFILE = Path(__file__).parents[2] / "deploy" / "Caddyfile"
NAME = "relay.test"
READY_S = 60.0


def make_environment(folder: Path, **settings: str) -> dict[str, str]:
    """The environment of a Caddy that writes only under `folder`."""
    own = {"HOME": str(folder), "XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config")}
    return {"PATH": os.environ["PATH"], **own, **settings}


@dataclass(frozen=True)
class RunningCaddy:
    """A running Caddy.

    Attributes:
        port: Of https, on 127.0.0.1.
        tls: Trusts its authority.
    """

    port: int
    tls: ssl.SSLContext

    def connect(self, source: str = "127.0.0.1") -> ssl.SSLSocket:
        """A TLS connection from a loopback address to it, as to the server NAME."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=30, source_address=(source, 0))
        return self.tls.wrap_socket(plain, server_hostname=NAME)


@contextlib.contextmanager
def run_caddy(folder: Path, **settings: str) -> Iterator[RunningCaddy]:
    """Caddy with the Caddyfile of this project and these variables; it ends with the context."""
    ports = _find_free_ports(3)
    variables = make_environment(
        folder,
        RELAY_DOMAIN=NAME,
        RELAY_TLS="internal",
        PROXY_HTTP_PORT=str(ports[0]),
        PROXY_HTTPS_PORT=str(ports[1]),
        PROXY_ADMIN=f"127.0.0.1:{ports[2]}",
        **settings,
    )
    root = folder / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
    with (folder / "log").open("ab") as log:
        command = [str(find_caddy_binary()), "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
        process = subprocess.Popen(command, stdout=log, stderr=log, env=variables)
    try:
        _wait_until_ready(process, folder / "log", ports[1], root)
        yield RunningCaddy(ports[1], ssl.create_default_context(cafile=str(root)))
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path, port: int, root: Path) -> None:
    """Return once it serves NAME with a certificate of its authority."""
    deadline = time.monotonic() + READY_S
    while True:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"caddy did not start:\n{log.read_text()[-2000:]}")
        with contextlib.suppress(OSError):
            RunningCaddy(port, ssl.create_default_context(cafile=str(root))).connect().close()
            return
        time.sleep(0.05)


def _find_free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
