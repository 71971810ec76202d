"""What a token that somebody made can do here, in plain sentences. Changes nothing."""

from collections.abc import Iterator

from receiver.database_settings import InfluxSettings
from receiver.setup.server import Bucket, Server, SetupError

_DAY_S = 86_400
TESTED = "2.7"


def supported(version: str) -> str | None:
    """A remark about a server of another version than the tested one; None if all is well. Raises SetupError.

    Args:
        version: As the server says it; a server that was built by hand may say something else, or nothing.
    """
    number = version.removeprefix("v")
    if number.startswith(f"{TESTED}.") or not number[:1].isdigit():
        return None
    if not number.startswith("2."):
        raise SetupError(f"this is InfluxDB {number}, which does not speak the same language: use InfluxDB {TESTED}")
    return f"remark: this is InfluxDB {number}; tested is {TESTED}"


def faults(server: Server, influxdb: InfluxSettings, meter_days: int) -> Iterator[str]:
    """What keeps the token of `server` from doing the receiver's work. Raises SetupError."""
    for name in dict.fromkeys((influxdb.bucket, influxdb.live_bucket)):
        bucket = server.bucket(influxdb.org, name)
        if bucket is None:
            yield _unreadable(influxdb, name)
        elif not server.may_write(influxdb.org, name):
            yield f"the token may not write to the bucket {name}: make one that may read and write it"
        elif (problem := _expiry(influxdb, bucket, meter_days)) is not None:
            yield problem


def what_a_given_token_can_do(server: Server, influxdb: InfluxSettings, meter_days: int) -> Iterator[str]:
    """For a ready-made token: prove its rights, and say what could not be set up. Raises SetupError."""
    if influxdb.token is None:
        raise SetupError(
            "no token: set INFLUXDB_ADMIN_TOKEN_FILE to have everything set up, or INFLUXDB_V2_TOKEN to use a bucket "
            "and a token that you have made"
        )
    names = dict.fromkeys((influxdb.bucket, influxdb.live_bucket))
    for name in names:
        if server.bucket(influxdb.org, name) is None:
            raise SetupError(_unreadable(influxdb, name))
        if not server.may_write(influxdb.org, name):
            raise SetupError(f"the token may not write to the bucket {name}: make one that may read and write it")
        yield f"bucket: {name} can be written and read with INFLUXDB_V2_TOKEN"
    yield "not set up, for lack of INFLUXDB_ADMIN_TOKEN: expiry of the buckets, and a token for Grafana."
    for name in names:
        bucket = server.bucket(influxdb.org, name)
        if bucket is not None and (problem := _expiry(influxdb, bucket, meter_days)) is not None:
            yield f"remark: {problem}"
    yield f"Grafana: give it a token of its own that may only read {' and '.join(names)}."


def _unreadable(influxdb: InfluxSettings, name: str) -> str:
    sentence = f"the token cannot read a bucket {name} in the organisation {influxdb.org}"
    if name == influxdb.live_bucket != influxdb.bucket:
        return (
            f"{sentence}: run `envoy-receiver setup` with INFLUXDB_ADMIN_TOKEN, or keep everything in one bucket with "
            f"RECEIVER_LIVE_BUCKET={influxdb.bucket}"
        )
    return f"{sentence}: correct INFLUXDB_V2_BUCKET and INFLUXDB_V2_ORG, or make a token that may read and write it"


def _expiry(influxdb: InfluxSettings, bucket: Bucket, meter_days: int) -> str | None:
    """Where the database forgets at another time than the settings say."""
    if bucket.name == influxdb.bucket:
        if bucket.expiry_s == 0:
            return None
        return (
            f"the bucket {bucket.name} forgets after {bucket.expiry_s / _DAY_S:g} days, energy and history with it: "
            "let it keep for ever"
        )
    if bucket.expiry_s == meter_days * _DAY_S:
        return None
    kept = f"forgets after {bucket.expiry_s / _DAY_S:g} days" if bucket.expiry_s else "never forgets"
    return (
        f"the bucket {bucket.name} {kept}, but RECEIVER_METER_DAYS is {meter_days}: run `envoy-receiver setup`, or "
        "make the two agree"
    )
