"""Receivers of one test, chosen by the environment as people do it, over a real SQLite file or a real InfluxDB."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.influxd.server import ADMIN_TOKEN, ORG
from tests.receiver.service import GATEWAY, SECRET
from tests.receiver.stores.store_factories import make_buckets

STORES = ("sqlite", "influxdb")


@pytest.fixture(params=STORES)
def chosen_state(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The state directory of a receiver over each store, which the environment names."""
    for name in [name for name in os.environ if name.startswith(("RECEIVER_", "INFLUXDB_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    values = {"STATE_DIR": str(tmp_path / "state"), "PORT": "0", "STATUS_PORT": "0", "SECRET": SECRET.decode()}
    for name, value in {**values, "GATEWAYS": GATEWAY}.items():
        monkeypatch.setenv(f"RECEIVER_{name}", value)
    if request.param == "sqlite":
        yield tmp_path / "state"
        return
    server = request.getfixturevalue("shared_influxd")
    with make_buckets(server) as (bucket, live_bucket):
        monkeypatch.setenv("RECEIVER_STORE", "influxdb")
        monkeypatch.setenv("INFLUXDB_V2_URL", server.url)
        monkeypatch.setenv("INFLUXDB_V2_ORG", ORG)
        monkeypatch.setenv("INFLUXDB_V2_TOKEN", ADMIN_TOKEN)
        monkeypatch.setenv("INFLUXDB_V2_BUCKET", bucket)
        monkeypatch.setenv("RECEIVER_LIVE_BUCKET", live_bucket)
        yield tmp_path / "state"
