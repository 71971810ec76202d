"""The management side of InfluxDB: the one boundary to its API for `setup` and `check`.

Foreign errors become `SetupError` here. What the server answers is never repeated: it could echo what was sent.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import influxdb_client
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from receiver.errors import ReceiverError
from shared.units import DAY_S, HOUR_S

_influx: Any = influxdb_client  # it comes without types
_TIMEOUT_MS = 20_000
_MOST = 100  # buckets of one name: there is one per organisation that the token may see


class SetupError(ReceiverError):
    """InfluxDB cannot be set up or examined like this; the message says what to do.

    Attributes:
        status: What the server answered, or None if it could not be reached.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Bucket(NamedTuple):
    """A bucket: its id, name, after how many seconds it forgets (0: never), and how many of them a shard holds."""

    id: str
    name: str
    expiry_s: int
    shard_s: int


Right = tuple[str, str]
"""What a token may do: `read` or `write`, and the id of a bucket (of all of them: empty)."""


class Grant(NamedTuple):
    """A token that the server knows: what it may do, and its value if the server tells that."""

    id: str
    description: str
    rights: frozenset[Right]
    is_active: bool
    token: str | None


class InfluxManagement:
    """One InfluxDB, entered with one token.

    Args:
        url: Its base address.
        token: What to enter with; None sees only whether the server is new.
    """

    def __init__(self, url: str, token: str | None) -> None:
        self._url = url
        self._client = _influx.InfluxDBClient(url, token or "", timeout=_TIMEOUT_MS)
        self._setup = _influx.SetupService(self._client.api_client)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def version(self) -> str:
        """Of the server, e.g. `v2.7.12`; empty if it does not say. Raises SetupError."""
        with self._faults("does not answer as an InfluxDB"):
            return str(self._client.version() or "")

    def is_new(self) -> bool:
        """Whether nobody has set it up: no user, no organisation. Raises SetupError."""
        with self._faults("does not say whether it is new"):
            return bool(self._setup.get_setup().allowed)

    def onboard(self, *, user: str, password: str, token: str, org: str, bucket: str) -> None:
        """Make the first user, organisation, all-access token and bucket (kept for ever). Raises SetupError."""
        request = _influx.OnboardingRequest(username=user, password=password, token=token, org=org, bucket=bucket)
        with self._faults("refuses the first set-up: INFLUXDB_ADMIN_PASSWORD must have 8 to 72 characters"):
            self._setup.post_setup(onboarding_request=request)

    def organisation(self, name: str) -> str:
        """Id of an organisation. Raises SetupError."""
        with self._faults(f"does not show the organisation {name} of INFLUXDB_V2_ORG to INFLUXDB_ADMIN_TOKEN"):
            found = self._client.organizations_api().find_organizations(org=name)
            return str(found[0].id)

    def bucket(self, org: str, name: str) -> Bucket | None:
        """A bucket that may be read, by its name; None for any other. Raises SetupError."""
        try:
            with self._faults(f"does not show the buckets of the organisation {org}"):
                found = self._client.buckets_api().find_buckets(org=org, name=name, limit=_MOST).buckets
        except SetupError as error:
            if error.status == 404:
                return None
            raise
        return _bucket(found[0]) if found else None

    def make_bucket(self, org_id: str, name: str, expiry_s: int) -> Bucket:
        """A new bucket. Raises SetupError."""
        rule = _rule(expiry_s)
        with self._faults(f"does not let INFLUXDB_ADMIN_TOKEN make the bucket {name}"):
            return _bucket(self._client.buckets_api().create_bucket(bucket_name=name, retention_rules=rule, org=org_id))

    def set_expiry(self, bucket: Bucket, expiry_s: int) -> None:
        """Let a bucket forget after another time, in shards of the right length from now on. Raises SetupError."""
        with self._faults(f"does not let INFLUXDB_ADMIN_TOKEN change the bucket {bucket.name}"):
            known = self._client.buckets_api().find_bucket_by_id(bucket.id)
            known.retention_rules = [_rule(expiry_s)]
            self._client.buckets_api().update_bucket(known)

    def grants(self, org_id: str) -> list[Grant]:
        """Every token of an organisation. Raises SetupError."""
        with self._faults("does not show its tokens to INFLUXDB_ADMIN_TOKEN"):
            return [_grant(known) for known in self._client.authorizations_api().find_authorizations(org_id=org_id)]

    def grant(self, org_id: str, description: str, rights: Sequence[Right]) -> Grant:
        """Make a token. Raises SetupError."""
        permissions = [
            _influx.Permission(
                action=action, resource=_influx.PermissionResource(type="buckets", id=bucket, org_id=org_id)
            )
            for action, bucket in rights
        ]
        wanted = _influx.Authorization(org_id=org_id, description=description, permissions=permissions)
        with self._faults("does not let INFLUXDB_ADMIN_TOKEN make tokens"):
            return _grant(self._client.authorizations_api().create_authorization(authorization=wanted))

    def withdraw(self, grant: Grant) -> None:
        """Make a token worthless. Raises SetupError."""
        with self._faults("does not let INFLUXDB_ADMIN_TOKEN withdraw tokens"):
            self._client.authorizations_api().delete_authorization(grant.id)

    def may_write(self, org: str, bucket: str) -> bool:
        """Whether the token may write to a bucket, by writing nothing at all. Raises SetupError."""
        try:
            with self._faults(f"cannot be asked for the right to write to {bucket}"):
                self._client.write_api(SYNCHRONOUS).write(bucket, org, b"")
        except SetupError as error:
            if error.status in {403, 404}:  # 404: no such bucket, so it cannot be written to either
                return False
            raise
        return True

    @contextlib.contextmanager
    def _faults(self, what: str) -> Iterator[None]:
        try:
            yield
        except ApiException as error:
            raise SetupError(f"InfluxDB at {self._url} {what} ({_meaning(error.status)})", error.status) from None
        except (HTTPError, OSError) as error:
            reason = getattr(error, "reason", None) or error
            raise SetupError(f"InfluxDB at {self._url} cannot be reached ({type(reason).__name__})") from None


def _meaning(status: int | None) -> str:
    if status == 401:
        return "401: the token is wrong, or it is not one that may do this"
    return f"{status}: it does not exist, or the token may not see it" if status == 404 else f"status {status}"


def shard_s(expiry_s: int) -> int:
    """How many seconds one shard of a bucket is to hold that forgets after so many (0: never), shard by shard.

    As InfluxDB itself chooses, but for what is kept for ever: its weeks make 260 shards in five years, and a long query
    opens them all.
    """
    if not expiry_s:
        return 30 * DAY_S
    if expiry_s > 180 * DAY_S:
        return 7 * DAY_S
    return DAY_S if expiry_s > 2 * DAY_S else HOUR_S


def _rule(expiry_s: int) -> Any:
    return _influx.BucketRetentionRules(
        type="expire", every_seconds=expiry_s, shard_group_duration_seconds=shard_s(expiry_s)
    )


def _bucket(known: Any) -> Bucket:
    rule = next(iter(known.retention_rules), None)
    if rule is None:
        return Bucket(known.id, known.name, 0, 0)
    return Bucket(known.id, known.name, rule.every_seconds or 0, rule.shard_group_duration_seconds or 0)


def _grant(known: Any) -> Grant:
    """Rights on anything but buckets keep their type, so that they are never taken for a right on a bucket."""
    rights = frozenset(
        (
            right.action,
            (right.resource.id or "") if right.resource.type == "buckets" else f"{right.resource.type}",
        )
        for right in known.permissions
    )
    return Grant(known.id, known.description or "", rights, known.status == "active", known.token or None)
