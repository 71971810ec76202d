"""The steps of `envoy-receiver setup`: a new or a known InfluxDB becomes one that this project can work with.

Every step looks first and changes only what differs, so it may run before every start.
"""

from collections.abc import AsyncIterator, Iterator

from receiver.settings import InfluxDB
from receiver.settings.stores import GRAFANA_TOKEN, RECEIVER_TOKEN
from receiver.stores.influxdb.setup.management import Bucket, InfluxManagement, SetupError, choose_shard_s
from receiver.stores.influxdb.setup.rights import check_version, prove_given_token
from receiver.stores.influxdb.setup.tokens import ensure_tokens
from shared.clock import Clock
from shared.units import DAY_S

WAIT_S = 120.0
"""How long a database may take to start."""
_ASK_AGAIN_S = 2.0


async def set_up(influxdb: InfluxDB, meter_days: int, clock: Clock) -> AsyncIterator[str]:
    """Set up InfluxDB, with a sentence for everything that was found or done. Raises SetupError.

    Args:
        influxdb: Where it is, and the names and secrets.
        meter_days: Days that raw meter readings are kept; 0 is without limit.
        clock: For waiting.
    """
    server = InfluxManagement(influxdb.url, influxdb.admin_token or influxdb.token)
    try:
        async for sentence in _wait_for_server(server, influxdb.url, clock):
            yield sentence
        for sentence in _run_steps(server, influxdb, meter_days):
            yield sentence
    finally:
        server.close()


async def _wait_for_server(server: InfluxManagement, url: str, clock: Clock) -> AsyncIterator[str]:
    """Wait until the database answers: when everything starts together, it is usually the last."""
    end = clock.monotonic() + WAIT_S
    while True:
        try:
            version = server.read_version()
        except SetupError as error:
            if not error.may_pass or clock.monotonic() >= end:
                raise
            yield f"waiting for InfluxDB at {url} ..."
            await clock.sleep(_ASK_AGAIN_S)
        else:
            if (remark := check_version(version, url)) is not None:
                yield remark
            return


def _run_steps(server: InfluxManagement, influxdb: InfluxDB, meter_days: int) -> Iterator[str]:
    is_new = server.is_new()
    if influxdb.admin_token is None:
        if is_new:
            raise SetupError(
                f"InfluxDB at {influxdb.url} is new: set INFLUXDB_ADMIN_PASSWORD_FILE and INFLUXDB_ADMIN_TOKEN_FILE "
                "(deploy/secrets.sh makes both files), then run this again"
            )
        yield from prove_given_token(server, influxdb, meter_days)
        return
    if is_new:
        yield _onboard(server, influxdb, influxdb.admin_token)
    org_id = server.find_organisation_id(influxdb.org)
    buckets: list[Bucket] = []
    for name, days in _list_wanted_buckets(influxdb, meter_days):
        bucket, sentence = _ensure_bucket(server, influxdb.org, org_id, name, days)
        buckets.append(bucket)
        yield sentence
    if len(buckets) == 1 and meter_days:
        yield (
            "remark: raw meter readings share a bucket with everything else, so the database cannot forget them by "
            "itself; leave RECEIVER_LIVE_BUCKET out to give them a bucket of their own"
        )
    folders = {RECEIVER_TOKEN: influxdb.tokens_dir, GRAFANA_TOKEN: influxdb.grafana_tokens_dir}
    yield from ensure_tokens(server, org_id, buckets, folders, main_bucket=influxdb.bucket)


def _list_wanted_buckets(influxdb: InfluxDB, meter_days: int) -> list[tuple[str, int]]:
    """The name of each bucket, and how many days it keeps readings (0: without limit)."""
    if influxdb.bucket == influxdb.live_bucket:
        return [(influxdb.bucket, 0)]
    return [(influxdb.bucket, 0), (influxdb.live_bucket, meter_days)]


def _onboard(server: InfluxManagement, influxdb: InfluxDB, admin_token: str) -> str:
    if influxdb.admin_password is None:
        raise SetupError(
            f"InfluxDB at {influxdb.url} is new and needs a password for its administrator: set "
            "INFLUXDB_ADMIN_PASSWORD_FILE (deploy/secrets.sh makes the file)"
        )
    server.onboard(
        user=influxdb.admin_user,
        password=influxdb.admin_password,
        token=admin_token,
        org=influxdb.org,
        bucket=influxdb.bucket,
    )
    return f"server: was new; has the organisation {influxdb.org} and the administrator {influxdb.admin_user} now"


def _ensure_bucket(server: InfluxManagement, org: str, org_id: str, name: str, days: int) -> tuple[Bucket, str]:
    bucket = server.find_bucket(org, name)
    if bucket is None:
        return server.make_bucket(org_id, name, days * DAY_S), f"bucket: {name} is made, {_describe_expiry(days)}"
    if bucket.expiry_s == days * DAY_S:
        if bucket.shard_s == choose_shard_s(bucket.expiry_s):
            return bucket, f"bucket: {name} is there, {_describe_expiry(days)}"
        server.set_expiry(bucket, bucket.expiry_s)
        return bucket, f"bucket: {name} is there, {_describe_expiry(days)}, in shards of another length from now on"
    server.set_expiry(bucket, days * DAY_S)
    return (
        bucket,
        f"bucket: {name} is changed, {_describe_expiry(days)} (before: {_describe_expiry(bucket.expiry_s / DAY_S)})",
    )


def _describe_expiry(days: float) -> str:
    return f"kept for {days:g} days" if days else "kept without limit"
