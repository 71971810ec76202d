"""The store that the settings name."""

import subprocess
import sys
from pathlib import Path

import pytest

from receiver.errors import ReceiverSettingError
from receiver.settings import InfluxDB
from receiver.stores.choose import make_store
from receiver.stores.kinds import HOURS_OF
from shared.units import DAY_MS
from tests.receiver.service import make_settings


@pytest.mark.parametrize(("days", "kept"), [(90, 90 * DAY_MS), (0, None)])
async def test_meter_days_bound_raw_meter_readings_only(tmp_path: Path, days: int, kept: int | None):
    store = make_store(make_settings(tmp_path, meter_days=days, minute_days=0))
    assert store.retention_ms["meter"] == kept
    assert [kind for kind, limit in store.retention_ms.items() if limit is not None and kind != "meter"] == []
    await store.close()


@pytest.mark.parametrize(("days", "kept"), [(60, 60 * DAY_MS), (0, None)])
async def test_minute_days_bound_minutes_only(tmp_path: Path, days: int, kept: int | None):
    store = make_store(make_settings(tmp_path, meter_days=0, minute_days=days))
    assert {kind: store.retention_ms[kind] for kind in HOURS_OF} == dict.fromkeys(HOURS_OF, kept)
    assert [kind for kind, limit in store.retention_ms.items() if limit is not None and kind not in HOURS_OF] == []
    await store.close()


@pytest.mark.parametrize(("live_bucket", "kept"), [("envoy_live", 90 * DAY_MS), ("envoy", None)])
async def test_a_bucket_for_everything_forgets_nothing(tmp_path: Path, live_bucket: str, kept: int | None):
    influxdb = InfluxDB(
        url="http://127.0.0.1:9", org="home", token="t", bucket="envoy", live_bucket=live_bucket,
        tokens_dir=tmp_path, admin_user="admin", admin_password=None, admin_token=None,
    )  # fmt: skip
    store = make_store(make_settings(tmp_path, store=influxdb))
    assert store.retention_ms["meter"] == kept
    await store.close()


def test_a_receiver_on_sqlite_does_not_load_the_client_of_influxdb():
    """It would cost an edge machine memory and start-up time for nothing."""
    code = "import sys, receiver.cli, receiver.service.app; print([name for name in sys.modules if 'influxdb' in name])"
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ended.stdout == "[]\n"


def test_influxdb_without_a_token_says_how_to_get_one(tmp_path: Path):
    influxdb = InfluxDB(
        url="http://db:8086", org="home", token=None, bucket="envoy", live_bucket="envoy_live",
        tokens_dir=tmp_path, admin_user="admin", admin_password=None, admin_token=None,
    )  # fmt: skip
    chosen = make_settings(tmp_path, store=influxdb)
    with pytest.raises(ReceiverSettingError, match=r"envoy-receiver setup.*INFLUXDB_V2_TOKEN_FILE"):
        make_store(chosen)
    assert chosen.store.description == "buckets envoy and envoy_live at http://db:8086"
