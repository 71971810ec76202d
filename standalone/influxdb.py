"""An InfluxDB 2 on loopback for one run: found on this machine, started, and prepared by `envoy-receiver setup`."""

import secrets
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from shared.clock import Clock
from shared.files import make_private_directory, write_private
from standalone.directories import find_free_port
from standalone.errors import StandaloneError
from standalone.processes import ProcessGroup
from standalone.stack import wait_until_ready

ORG = "home"
BUCKET = "envoy"
LIVE_BUCKET = "envoy_live"
_ADMIN_FILES = {"INFLUXDB_ADMIN_PASSWORD_FILE": "admin_password", "INFLUXDB_ADMIN_TOKEN_FILE": "admin_token"}


class InfluxChoice(NamedTuple):
    """Which InfluxDB to start.

    Attributes:
        program: Its influxd.
        port: Where it listens; 0 is any free port.
    """

    program: Path
    port: int


class InfluxServer(NamedTuple):
    """A database that is ready.

    Attributes:
        url: Its base address.
        tokens: Directory of the tokens: `receiver`, which may write and read, and `grafana`, which may read.
        password_file: Holds the password of its user `admin`.
    """

    url: str
    tokens: Path
    password_file: Path

    @property
    def settings(self) -> dict[str, str]:
        """For a receiver that stores there."""
        return {
            "RECEIVER_STORE": "influxdb",
            "RECEIVER_TOKENS_DIR": str(self.tokens),
            "RECEIVER_LIVE_BUCKET": LIVE_BUCKET,
            "INFLUXDB_V2_URL": self.url,
            "INFLUXDB_V2_ORG": ORG,
            "INFLUXDB_V2_BUCKET": BUCKET,
        }


def find_influxd(environment: Mapping[str, str]) -> Path:
    """The program: INFLUXD, else the one on the PATH. Raises StandaloneError."""
    named = environment.get("INFLUXD") or "influxd"
    found = shutil.which(named, path=environment.get("PATH"))
    if found is None:
        raise StandaloneError(
            f"no InfluxDB here ({named} is no program): set INFLUXD to the path of an influxd 2.7, put one on the "
            "PATH, or install Go and cargo and let `make dashboards` build one"
        )
    return Path(found).absolute()


async def start_influxdb(group: ProcessGroup, directory: Path, database: InfluxChoice, clock: Clock) -> InfluxServer:
    """Start it with everything under `directory`, with buckets and tokens. Raises StandaloneError."""
    port = _choose_port(database.port)
    engine, bolt, sqlite = (directory / name for name in ("engine", "influxd.bolt", "influxd.sqlite"))
    make_private_directory(directory)
    child = await group.start_program(
        "influxdb",
        "/bin/sh", "-c", 'exec "$0" "$@" >&2',  # it logs to its standard output, which we keep for announcements
        str(database.program), "run", "--reporting-disabled", "--log-level=warn",
        f"--http-bind-address=127.0.0.1:{port}",
        f"--bolt-path={bolt}", f"--sqlite-path={sqlite}", f"--engine-path={engine}",
        environment={},
    )  # fmt: skip
    running = InfluxServer(f"http://127.0.0.1:{port}", directory / "tokens", directory / "admin_password")
    await wait_until_ready(child, f"{running.url}/health", clock)
    for name in _ADMIN_FILES.values():
        write_private(directory / name, secrets.token_hex(16).encode())
    administrator = {setting: str(directory / name) for setting, name in _ADMIN_FILES.items()}
    await group.run("command envoy-receiver setup", "receiver", "setup", environment=running.settings | administrator)
    return running


def _choose_port(port: int) -> int:
    """The port, or a free one for 0. Raises StandaloneError for one that is taken."""
    if port == 0:
        return find_free_port()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was just given up is no hindrance
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise StandaloneError(
                f"InfluxDB cannot have port {port} ({error.strerror}): choose another with --influxdb-port, or 0 for "
                "any that is free"
            ) from error
    return port
