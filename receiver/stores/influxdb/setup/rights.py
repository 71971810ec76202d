"""What a token that somebody made may do here, as sentences for people. Nothing is changed."""

from collections.abc import Iterator

from receiver.settings import InfluxDB
from receiver.stores.influxdb.answers import explain_unsupported_version
from receiver.stores.influxdb.setup.management import InfluxManagement, SetupError
from shared.units import DAY_S

_TESTED = "2.7"


def check_version(version: str, url: str) -> str | None:
    """A remark about a server of another version than the tested one; None if all is well.

    Args:
        version: As the server says it; a server that was built by hand may say something else, or nothing.
        url: Its address, for people.

    Raises:
        SetupError: The version is not supported.
    """
    if (problem := explain_unsupported_version(version, url)) is not None:
        raise SetupError(problem)
    number = version.removeprefix("v")
    if number.startswith(f"{_TESTED}.") or not number[:1].isdigit():
        return None
    return f"remark: this is InfluxDB {number}; tested is {_TESTED}"


def find_problems(server: InfluxManagement, influxdb: InfluxDB, meter_days: int) -> Iterator[str]:
    """What keeps the token of `server` from doing the receiver's work, a sentence each. Raises SetupError."""
    for name in influxdb.bucket_names:
        problem = _find_missing_right(server, influxdb, name)
        yield from [problem] if problem else _find_wrong_expiry(server, influxdb, name, meter_days)


def prove_given_token(server: InfluxManagement, influxdb: InfluxDB, meter_days: int) -> Iterator[str]:
    """Prove the rights of a token that somebody made, and say what could not be set up. Raises SetupError."""
    if influxdb.token is None:
        raise SetupError(
            "no token: set INFLUXDB_ADMIN_TOKEN_FILE to have everything set up, or INFLUXDB_V2_TOKEN to use a bucket "
            "and a token that you have made"
        )
    names = influxdb.bucket_names
    for name in names:
        if problem := _find_missing_right(server, influxdb, name):
            raise SetupError(problem)
        yield f"bucket: {name} can be written and read with INFLUXDB_V2_TOKEN"
    yield "not set up, for lack of INFLUXDB_ADMIN_TOKEN: expiry of the buckets, and a token for Grafana."
    for name in names:
        yield from (f"remark: {problem}" for problem in _find_wrong_expiry(server, influxdb, name, meter_days))
    yield f"Grafana: give it a token of its own that may only read {' and '.join(names)}."


def _find_missing_right(server: InfluxManagement, influxdb: InfluxDB, name: str) -> str | None:
    """The right that the token lacks, as a sentence."""
    if server.find_bucket(influxdb.org, name) is None:
        return _explain_unreadable(influxdb, name)
    if not server.may_write(influxdb.org, name):
        return f"the token may not write to the bucket {name}: make one that may read and write it"
    return None


def _explain_unreadable(influxdb: InfluxDB, name: str) -> str:
    sentence = f"the token cannot read a bucket {name} in the organisation {influxdb.org}"
    if name == influxdb.live_bucket != influxdb.bucket:
        return (
            f"{sentence}: run `envoy-receiver setup` with INFLUXDB_ADMIN_TOKEN, or keep everything in one bucket with "
            f"RECEIVER_LIVE_BUCKET={influxdb.bucket}"
        )
    return f"{sentence}: correct INFLUXDB_V2_BUCKET and INFLUXDB_V2_ORG, or make a token that may read and write it"


def _find_wrong_expiry(server: InfluxManagement, influxdb: InfluxDB, name: str, meter_days: int) -> Iterator[str]:
    """A sentence where the database forgets after another time than the settings say."""
    bucket = server.find_bucket(influxdb.org, name)
    days = 0.0 if bucket is None else bucket.expiry_s / DAY_S
    if name == influxdb.bucket:
        if days:
            yield (
                f"the bucket {name} forgets after {days:g} days, energy and history with it: let it keep them without "
                "limit"
            )
    elif days != meter_days:
        yield (
            f"the bucket {name} {f'forgets after {days:g} days' if days else 'never forgets'}, but RECEIVER_METER_DAYS "
            f"is {meter_days}: run `envoy-receiver setup`, or make the two agree"
        )
