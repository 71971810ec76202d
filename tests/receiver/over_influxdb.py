"""The settings of a receiver over InfluxDB instead of SQLite, for `service.start`."""

from pathlib import Path
from typing import Any

from receiver.settings import InfluxDB
from tests.influxd.server import ADMIN_TOKEN, ORG, Influxd


def make_influxdb_settings(server: Influxd, buckets: tuple[str, str], tokens_dir: Path) -> dict[str, Any]:
    """Changes to the settings of a receiver. The buckets are the main one and the live one.

    For example: `service.start(tmp_path, **over_influxdb.settings(shared_influxd, buckets, tmp_path))`.
    """
    influxdb = InfluxDB(
        url=server.url,
        org=ORG,
        token=ADMIN_TOKEN,
        bucket=buckets[0],
        live_bucket=buckets[1],
        tokens_dir=tokens_dir,
        admin_user="admin",
        admin_password=None,
        admin_token=None,
    )
    return {"store": influxdb}
