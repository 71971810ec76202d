"""`InfluxStore`: one server, two buckets, as a `Store`."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from receiver.stores.base import NO_TAGS, GatewayReading, GatewaySummary, Latest, SeriesPoints, StoreUnavailableError
from receiver.stores.influxdb import queries, summaries
from receiver.stores.influxdb.answers import explain_unsupported_version
from receiver.stores.influxdb.client import TIMEOUT_S, InfluxClient
from receiver.stores.influxdb.known_series import KnownSeries
from receiver.stores.influxdb.legacy import LegacyWriter
from receiver.stores.influxdb.minutes import MinuteExpiry
from receiver.stores.influxdb.two_bucket_reader import TwoBucketReader
from receiver.stores.influxdb.writer import InfluxWriter
from receiver.stores.kinds import HOURS_OF, KEPT_WITHOUT_LIMIT
from shared.clock import Clock, SystemClock
from shared.problems import Rejection


class InfluxStore:
    """Readings in InfluxDB 2. Keeps the promises of `Store`.

    Args:
        url: Base address of the server, e.g. http://influxdb:8086.
        org: Name of the organisation.
        token: API token that may write and read both buckets; never shown.
        bucket: For every kind but raw `meter`.
        live_bucket: For raw `meter`; may be the same bucket.
        retention_ms: Per kind, how long readings are kept, in milliseconds; None is without limit, the default.
        timeout_s: Seconds that any one request to the server may take.
        clock: How old what is remembered is.
        legacy: Whether envoy-scrape's measurement is written beside ours.
    """

    def __init__(
        self,
        url: str,
        org: str,
        token: str,
        bucket: str,
        live_bucket: str,
        *,
        retention_ms: Mapping[str, int | None] = KEPT_WITHOUT_LIMIT,
        timeout_s: float = TIMEOUT_S,
        clock: Clock | None = None,
        legacy: bool = False,
    ) -> None:
        self._retention_ms = MappingProxyType({**KEPT_WITHOUT_LIMIT, **retention_ms})
        self._client = InfluxClient(url, org, token, timeout_s=timeout_s)
        self._reader = TwoBucketReader(self._client, bucket, live_bucket)
        self._known = KnownSeries(self._reader, clock or SystemClock())
        self._writer = InfluxWriter(self._client, bucket, live_bucket, self._known)
        self._minutes = [
            MinuteExpiry(self._reader, self._writer, kind, kept)
            for kind in HOURS_OF
            if (kept := self._retention_ms[kind]) is not None
        ]
        self._legacy = LegacyWriter(self._client, bucket) if legacy else None

    @property
    def retention_ms(self) -> Mapping[str, int | None]:
        """As `Store.retention_ms`: as `setup` made the buckets."""
        return self._retention_ms

    async def open(self) -> None:
        """As `Store.open`: nothing to do, connections are made when they are needed."""

    async def close(self) -> None:
        """As `Store.close`."""
        await self._client.aclose()

    async def write(self, rows: Sequence[GatewayReading]) -> dict[int, Rejection]:
        """As `Store.write`."""
        refused = await self._writer.write(rows)
        if self._legacy is not None:
            await self._legacy.write(rows, refused)
        return refused

    async def remove(self, gateway: str, kind: str, *, start: int, stop: int) -> None:
        """As `Store.remove`."""
        await self._writer.remove(gateway, kind, start, stop)

    async def expire(self, now_ms: int) -> None:
        """As `Store.expire`: minutes lie in the bucket of what is kept; raw readings expire by themselves."""
        for expiry in self._minutes:
            await expiry.expire(now_ms)

    async def check_ready(self) -> str | None:
        """As `Store.check_ready`. Reading must work too: ingest reads what a gateway has before it accepts more."""
        try:
            version = await self._client.read_version()
        except StoreUnavailableError as error:
            return str(error)
        refusal = explain_unsupported_version(version, self._client.url)
        return refusal or await self._writer.check_ready() or await self._reader.check_ready()

    async def list_gateways(self) -> list[GatewaySummary]:
        """As `Store.list_gateways`."""
        return await summaries.list_gateways(self._reader, self._known)

    async def read_summary(self, gateway: str) -> GatewaySummary | None:
        """As `Store.read_summary`."""
        found = await summaries.list_gateways(self._reader, self._known, only=gateway)
        return found[0] if found else None

    async def read_latest(self, gateway: str, kind: str) -> list[Latest]:
        """As `Store.read_latest`."""
        return await queries.read_latest(self._reader, self._known, gateway, kind)

    async def read_points(
        self,
        gateway: str,
        kind: str,
        *,
        tags: Mapping[str, str] = NO_TAGS,
        fields: Collection[str] | None = None,
        start: int,
        stop: int,
        neighbours: bool = False,
        most: int | None = None,
    ) -> list[SeriesPoints]:
        """As `Store.read_points`."""
        window = queries.PointsWindow(start, stop, neighbours, most)
        return await queries.read_points(
            self._reader, self._known, gateway, kind, tags=tags, fields=fields, window=window
        )

    async def count(self) -> int:
        """As `Store.count`: reads every reading."""
        return await queries.count(self._reader)
