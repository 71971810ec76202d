"""The management side of InfluxDB: what `setup` and `check` ask of the server beside its readings.

Errors of the connection become `SetupError` here. What the server answers is never repeated: it could echo what was
sent.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import influxdb_client

from receiver.errors import ReceiverError
from receiver.stores.influxdb.connection import InfluxConnection, InfluxStatusError, InfluxUnreachableError
from shared.units import DAY_S, HOUR_S

_influx: Any = influxdb_client  # it comes without types
_TIMEOUT_S = 20
_MOST_BUCKETS = 100  # of one name: there is one per organisation that the token may see


class SetupError(ReceiverError):
    """InfluxDB cannot be set up or examined like this; the message says what to do.

    Attributes:
        status: What the server answered, or None if it could not be reached.
        may_pass: Whether waiting may help: the server may only be starting.
    """

    def __init__(self, message: str, status: int | None = None, *, may_pass: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.may_pass = may_pass


class Bucket(NamedTuple):
    """A bucket: its id, name, after how many seconds it forgets (0: never), and how many of them a shard holds."""

    id: str
    name: str
    expiry_s: int
    shard_s: int


Right = tuple[str, str]
"""What a token may do: `read` or `write`, and the id of a bucket (of all of them: empty)."""


class Grant(NamedTuple):
    """A token that the server knows: what it may do, and its value if the server shows it."""

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
        self._connection = InfluxConnection(url, token, timeout_s=_TIMEOUT_S)

    def close(self) -> None:
        """Let go of the connections."""
        self._connection.close()

    def read_version(self) -> str:
        """The version of the server, e.g. `v2.7.12`; empty if it does not say. Raises SetupError."""
        with self._convert_errors("does not answer as an InfluxDB"):
            return self._connection.read_version()

    def is_new(self) -> bool:
        """Whether nobody has set it up: no user, no organisation. Raises SetupError."""
        with self._ask("does not say whether it is new") as apis:
            return bool(_influx.SetupService(apis.api_client).get_setup().allowed)

    def onboard(self, *, user: str, password: str, token: str, org: str, bucket: str) -> None:
        """Make the first user, organisation, all-access token and bucket (kept without limit). Raises SetupError."""
        request = _influx.OnboardingRequest(username=user, password=password, token=token, org=org, bucket=bucket)
        with self._ask("refuses the first set-up: INFLUXDB_ADMIN_PASSWORD must have 8 to 72 characters") as apis:
            _influx.SetupService(apis.api_client).post_setup(onboarding_request=request)

    def find_organisation_id(self, name: str) -> str:
        """The id of the organisation with this name. Raises SetupError."""
        with self._ask(f"does not show the organisation {name} of INFLUXDB_V2_ORG to INFLUXDB_ADMIN_TOKEN") as apis:
            found = apis.organizations_api().find_organizations(org=name)
            return str(found[0].id)

    def find_bucket(self, org: str, name: str) -> Bucket | None:
        """The bucket with this name; None without one that the token may read. Raises SetupError."""
        try:
            with self._ask(f"does not show the buckets of the organisation {org}") as apis:
                found = apis.buckets_api().find_buckets(org=org, name=name, limit=_MOST_BUCKETS).buckets
        except SetupError as error:
            if error.status == 404:
                return None
            raise
        return _to_bucket(found[0]) if found else None

    def make_bucket(self, org_id: str, name: str, expiry_s: int) -> Bucket:
        """Make a bucket. Raises SetupError."""
        rule = _make_expiry_rule(expiry_s)
        with self._ask(f"does not let INFLUXDB_ADMIN_TOKEN make the bucket {name}") as apis:
            return _to_bucket(apis.buckets_api().create_bucket(bucket_name=name, retention_rules=rule, org=org_id))

    def set_expiry(self, bucket: Bucket, expiry_s: int) -> None:
        """Change after how many seconds a bucket forgets, and the length of its next shards. Raises SetupError."""
        with self._ask(f"does not let INFLUXDB_ADMIN_TOKEN change the bucket {bucket.name}") as apis:
            known = apis.buckets_api().find_bucket_by_id(bucket.id)
            known.retention_rules = [_make_expiry_rule(expiry_s)]
            apis.buckets_api().update_bucket(known)

    def list_grants(self, org_id: str) -> list[Grant]:
        """Every token of an organisation. Raises SetupError."""
        with self._ask("does not show its tokens to INFLUXDB_ADMIN_TOKEN") as apis:
            return [_to_grant(known) for known in apis.authorizations_api().find_authorizations(org_id=org_id)]

    def make_grant(self, org_id: str, description: str, rights: Sequence[Right]) -> Grant:
        """Make a token. Raises SetupError."""
        permissions = [
            _influx.Permission(
                action=action, resource=_influx.PermissionResource(type="buckets", id=bucket, org_id=org_id)
            )
            for action, bucket in rights
        ]
        wanted = _influx.Authorization(org_id=org_id, description=description, permissions=permissions)
        with self._ask("does not let INFLUXDB_ADMIN_TOKEN make tokens") as apis:
            return _to_grant(apis.authorizations_api().create_authorization(authorization=wanted))

    def withdraw(self, grant: Grant) -> None:
        """Make a token worthless. Raises SetupError."""
        with self._ask("does not let INFLUXDB_ADMIN_TOKEN withdraw tokens") as apis:
            apis.authorizations_api().delete_authorization(grant.id)

    def may_write(self, org: str, bucket: str) -> bool:
        """Whether the token may write to a bucket, by writing nothing at all. Raises SetupError."""
        try:
            with self._convert_errors(f"cannot be asked for the right to write to {bucket}"):
                self._connection.write(org, bucket, b"")
        except SetupError as error:
            if error.status in {403, 404}:  # 404: no such bucket, so it cannot be written to either
                return False
            raise
        return True

    @contextlib.contextmanager
    def _ask(self, refusal: str) -> Iterator[Any]:
        """The management APIs of influxdb-client; `refusal` says what the server does when it refuses."""
        with self._convert_errors(refusal), self._connection.use_management() as apis:
            yield apis

    @contextlib.contextmanager
    def _convert_errors(self, refusal: str) -> Iterator[None]:
        try:
            yield
        except InfluxStatusError as error:
            sentence = f"InfluxDB at {self._connection.url} {refusal} ({error})"
            # An answer below 500 is somebody's decision, and no wait changes it.
            raise SetupError(sentence, error.status, may_pass=error.status >= 500) from None
        except InfluxUnreachableError as error:
            raise SetupError(str(error), may_pass=error.may_pass) from None


def choose_shard_s(expiry_s: int) -> int:
    """How many seconds one shard of a bucket holds, for a bucket that forgets after `expiry_s` (0: never).

    As InfluxDB itself chooses, except for what is kept without limit: shards of a week, which it would choose, are 260
    in five years, and a long query opens them all.
    """
    if not expiry_s:
        return 30 * DAY_S
    if expiry_s > 180 * DAY_S:
        return 7 * DAY_S
    return DAY_S if expiry_s > 2 * DAY_S else HOUR_S


def _make_expiry_rule(expiry_s: int) -> Any:
    return _influx.BucketRetentionRules(
        type="expire", every_seconds=expiry_s, shard_group_duration_seconds=choose_shard_s(expiry_s)
    )


def _to_bucket(known: Any) -> Bucket:
    rule = next(iter(known.retention_rules), None)
    if rule is None:
        return Bucket(known.id, known.name, 0, 0)
    return Bucket(known.id, known.name, rule.every_seconds or 0, rule.shard_group_duration_seconds or 0)


def _to_grant(known: Any) -> Grant:
    """Rights on anything but buckets keep their type, so that they are never taken for a right on a bucket."""
    rights = frozenset(
        (
            right.action,
            (right.resource.id or "") if right.resource.type == "buckets" else f"{right.resource.type}",
        )
        for right in known.permissions
    )
    return Grant(known.id, known.description or "", rights, known.status == "active", known.token or None)
