"""The store that the settings name. A composition root, shared by the service and the commands."""

from receiver.errors import ReceiverSettingError
from receiver.settings import ReceiverSettings
from receiver.stores.base import Store
from receiver.stores.sqlite import SqliteStore
from shared.units import DAY_MS


def make_store(settings: ReceiverSettings) -> Store:
    """The store, not opened yet. Raises SettingError."""
    retention_ms: dict[str, int | None] = {"meter": settings.meter_days * DAY_MS or None}
    if settings.sqlite_path is not None:
        return SqliteStore(settings.sqlite_path, retention_ms=retention_ms)
    influxdb = settings.influxdb
    if influxdb is None or influxdb.token is None:
        raise ReceiverSettingError(
            "RECEIVER_STORE=influxdb needs a token: run `envoy-receiver setup`, which writes one into "
            "RECEIVER_TOKENS_DIR, or set INFLUXDB_V2_TOKEN or INFLUXDB_V2_TOKEN_FILE"
        )
    # Imported here: the client of a database that is not used would cost memory and start-up time.
    from receiver.stores.influxdb import InfluxStore  # noqa: PLC0415

    if influxdb.live_bucket == influxdb.bucket:
        retention_ms["meter"] = None  # they share a bucket with what is kept for ever
    return InfluxStore(
        influxdb.url,
        influxdb.org,
        influxdb.token,
        influxdb.bucket,
        influxdb.live_bucket,
        retention_ms=retention_ms,
    )


def place(settings: ReceiverSettings) -> str:
    """Where the readings lie, for people."""
    influxdb = settings.influxdb
    if influxdb is None:
        return str(settings.sqlite_path)
    return f"buckets {influxdb.bucket} and {influxdb.live_bucket} at {influxdb.url}"
