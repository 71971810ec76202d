"""The store that the settings name. A composition root, shared by the service and the commands."""

from receiver.errors import ReceiverSettingError
from receiver.settings import InfluxDB, ReceiverSettings, Sqlite
from receiver.stores.base import Store
from receiver.stores.sqlite import SqliteStore
from shared.units import DAY_MS


def make_store(settings: ReceiverSettings) -> Store:
    """The store, not opened yet. Raises ReceiverSettingError."""
    meter_ms = settings.meter_days * DAY_MS or None
    match settings.store:
        case Sqlite(path):
            return SqliteStore(path, retention_ms={"meter": meter_ms})
        case InfluxDB() as influxdb:
            return _make_influx_store(influxdb, meter_ms)


def _make_influx_store(influxdb: InfluxDB, meter_ms: int | None) -> Store:
    if influxdb.token is None:
        raise ReceiverSettingError(
            "RECEIVER_STORE=influxdb needs a token: run `envoy-receiver setup`, which writes one into "
            "RECEIVER_TOKENS_DIR, or set INFLUXDB_V2_TOKEN or INFLUXDB_V2_TOKEN_FILE"
        )
    # Imported here: the client of a database that is not used would cost memory and start-up time.
    from receiver.stores.influxdb import InfluxStore  # noqa: PLC0415

    is_shared = influxdb.live_bucket == influxdb.bucket  # with what is kept without limit
    return InfluxStore(
        influxdb.url,
        influxdb.org,
        influxdb.token,
        influxdb.bucket,
        influxdb.live_bucket,
        retention_ms={"meter": None if is_shared else meter_ms},
    )
