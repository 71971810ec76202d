"""Installations of the receiver, each with its own folder, and commands in them."""

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from receiver import settings
from receiver.cli import app
from receiver.stores.base import GatewayReading, SeriesPoints, Store
from receiver.stores.choose import make_store
from shared.readings import Reading
from tests.influxd.server import ADMIN_PASSWORD, ADMIN_TOKEN, ORG, Influxd
from tests.receiver.service import GATEWAY, make_public_key

START_MS = 1_790_000_000_000
SITES = f'"{GATEWAY}":\n  name: Home\n  time_zone: Europe/Berlin\n'


def _make_readings(hours: int) -> list[GatewayReading]:
    """An inverter and a phase over some weeks, so that several shards of both buckets hold something."""
    found = []
    for hour in range(hours):
        stamp = START_MS + hour * 3_600_000
        found.append(Reading("inverter", {"inverter": "i1"}, stamp, {"power": 0.1 + hour, "max_power": 300.0}))
        found.append(Reading("meter", {"meter": "production", "phase": "a"}, stamp + 1, {"voltage": 230.0 + hour / 7}))
    found.append(Reading("event", {"type": "start"}, START_MS, {"reason": 'ä "new" start', "end": float(START_MS)}))
    return [GatewayReading(GATEWAY, reading) for reading in found]


@dataclass
class Installation:
    """A receiver's settings and files. Everything is asked of its commands or of its store."""

    folder: Path
    patch: pytest.MonkeyPatch
    environment: dict[str, str] = field(default_factory=dict)

    def enter(self) -> None:
        """Let the settings of this process be those of this installation."""
        self.folder.mkdir(exist_ok=True)
        for name in [name for name in os.environ if name.startswith(("RECEIVER_", "INFLUXDB_"))]:
            self.patch.delenv(name)
        self.patch.chdir(self.folder)
        self.patch.setenv("RECEIVER_STATE_DIR", str(self.folder / "state"))
        self.patch.setenv("RECEIVER_METER_DAYS", "0")
        for name, value in self.environment.items():
            self.patch.setenv(name, value)

    def call(self, *arguments: str, fails: bool = False) -> Result:
        """Run a command; no secret may be printed."""
        self.enter()
        result = CliRunner().invoke(app, arguments)
        assert "Traceback" not in result.output
        assert bool(result.exit_code) == fails, result.output
        assert ADMIN_TOKEN not in result.output
        assert ADMIN_PASSWORD not in result.output
        return result

    def fill(self, hours: int = 24 * 30) -> None:
        """Readings, a scraper's key, a reader's token and a sites file."""
        (self.folder / "sites.yaml").write_text(SITES)
        self.call("keys", "add", str(make_public_key(Ed25519PrivateKey.generate())))
        self.call("token", "create", "--gateway", GATEWAY)
        self.write(_make_readings(hours))

    def write(self, rows: list[GatewayReading]) -> None:
        """Store readings as the receiver would."""
        self.enter()
        asyncio.run(_write(make_store(settings.load()), rows))

    def read_store(self) -> dict[str, list[SeriesPoints]]:
        """Everything in the store."""
        self.enter()
        return asyncio.run(_read_stored(make_store(settings.load())))

    def read_state(self) -> dict[str, bytes]:
        """The files that matter beside the readings."""
        known = [*(self.folder / "state" / name for name in ("keys", "readers.json", "read-key"))]
        return {path.name: path.read_bytes() for path in [*known, self.folder / "sites.yaml"] if path.exists()}


async def _write(store: Store, rows: list[GatewayReading]) -> None:
    await store.open()
    try:
        assert await store.write(rows) == {}
    finally:
        await store.close()


async def _read_stored(store: Store) -> dict[str, list[SeriesPoints]]:
    await store.open()
    try:
        return {
            kind: await store.read_points(GATEWAY, kind, start=0, stop=START_MS * 2)
            for kind in ("inverter", "meter", "event")
        }
    finally:
        await store.close()


def make_sqlite_installation(folder: Path, patch: pytest.MonkeyPatch) -> Installation:
    """One that stores in SQLite."""
    made = Installation(folder, patch, {"RECEIVER_SITES_FILE": str(folder / "sites.yaml")})
    made.enter()
    return made


def make_influxdb_installation(
    folder: Path, patch: pytest.MonkeyPatch, server: Influxd, **changes: str
) -> Installation:
    """One that stores in InfluxDB; nothing is set up yet."""
    made = Installation(
        folder,
        patch,
        {
            "RECEIVER_SITES_FILE": str(folder / "sites.yaml"),
            "RECEIVER_STORE": "influxdb",
            "INFLUXDB_V2_URL": server.url,
            "INFLUXDB_V2_ORG": ORG,
            "INFLUXDB_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "INFLUXDB_ADMIN_TOKEN": ADMIN_TOKEN,
            **changes,
        },
    )
    made.enter()
    return made
