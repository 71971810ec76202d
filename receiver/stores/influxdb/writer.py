"""Writes readings, and finds out the fate of each row whatever InfluxDB says of a write as a whole."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from receiver.stores.base import GatewayReading, StoreUnavailableError
from receiver.stores.gate import MAX_TIMESTAMP_MS, refusal
from receiver.stores.influxdb.answers import RowsRefusedError, TooLargeError
from receiver.stores.influxdb.client import InfluxClient
from receiver.stores.influxdb.encode import lines, series_prefix
from receiver.stores.influxdb.tags import to_influx
from receiver.stores.kinds import STORED
from shared.problems import Rejection
from shared.readings import Reading, Series

_log = structlog.get_logger(__name__)

LIVE_KIND = "meter"
"""The kind of the live bucket: the raw meter stream, most of all data, which is not kept for ever."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class _Share:
    """The rows of one write that go to one bucket: their index in it, and how their lines begin."""

    def __init__(self) -> None:
        self.indexes: list[int] = []
        self.prefixes: list[bytes] = []
        self.readings: list[Reading] = []


class InfluxWriter:
    """Writes to two buckets, which may be the same.

    Args:
        client: The way to the server.
        bucket: For every kind but `LIVE_KIND`.
        live_bucket: For `LIVE_KIND`.
    """

    def __init__(self, client: InfluxClient, bucket: str, live_bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._live_bucket = live_bucket
        self._prefixes: dict[tuple[str, Series], bytes] = {}
        self._trouble: str | None = None
        self._under_way: list[tuple[set[str], asyncio.Event]] = []

    async def write(self, rows: Sequence[GatewayReading]) -> dict[int, Rejection]:
        """As `Store.write`. InfluxDB applies the lines of a write in their order, so rows that repeat need no care."""
        refused: dict[int, Rejection] = {}
        parts = [
            (bucket, lines(share.prefixes, share.readings), share.indexes)
            for bucket, share in self._shares(rows, refused).items()
            if share.indexes
        ]
        if not parts:
            return refused
        async with self._in_order({row.gateway for row in rows}):
            outcomes = await asyncio.gather(
                *(self._write_lines(*part, refused) for part in parts), return_exceptions=True
            )
        for outcome in outcomes:
            if isinstance(outcome, StoreUnavailableError):
                self._note_trouble(str(outcome))
            if isinstance(outcome, BaseException):
                raise outcome
        self._note_trouble(None)
        return refused

    @asynccontextmanager
    async def _in_order(self, gateways: set[str]) -> AsyncIterator[None]:
        """Waits for earlier writes of these gateways, so that a later value wins; others may go on at the same time.

        Two writes at once keep two cores of the database busy: it works on each with one.
        """
        earlier = [done for others, done in self._under_way if others & gateways]
        mine = (gateways, asyncio.Event())
        self._under_way.append(mine)
        try:
            for done in earlier:
                await done.wait()
            yield
        finally:
            self._under_way.remove(mine)
            mine[1].set()

    async def remove(self, gateway: str, kind: str, start: int, stop: int) -> None:
        """As `Store.remove`."""
        if kind not in STORED or start >= stop:
            return
        predicate = f"_measurement={_quoted(kind)} AND gateway={_quoted(to_influx(gateway))}"
        await self._client.delete(
            self._bucket_of(kind), start=_rfc3339(start), stop=_rfc3339(stop - 1), predicate=predicate
        )

    async def ready(self) -> str | None:
        """As `Store.ready`: a write of nothing tells of the token and the buckets, but cannot see a full disk."""
        try:
            for bucket in dict.fromkeys((self._bucket, self._live_bucket)):
                await self._client.write(bucket, b"")
        except StoreUnavailableError as error:
            return str(error)
        return None

    def _bucket_of(self, kind: str) -> str:
        return self._live_bucket if kind == LIVE_KIND else self._bucket

    def _shares(self, rows: Sequence[GatewayReading], refused: dict[int, Rejection]) -> dict[str, _Share]:
        """The rows of each bucket. What nobody has judged passes the gate; `refused` gets what does not."""
        shares = {self._bucket: _Share(), self._live_bucket: _Share()}
        main, live = shares[self._bucket], shares[self._live_bucket]
        for index, row in enumerate(rows):
            reading, series = row.reading, row.series
            if series is None:
                reason = refusal(reading)
                if reason is not None:
                    refused[index] = reason
                    continue
                series = reading.series
            share = live if series.kind == LIVE_KIND else main
            share.indexes.append(index)
            share.prefixes.append(self._prefixes.get((row.gateway, series)) or self._learn_prefix(row.gateway, series))
            share.readings.append(reading)
        return shares

    def _learn_prefix(self, gateway: str, series: Series) -> bytes:
        prefix = self._prefixes[gateway, series] = series_prefix(gateway, series.kind, dict(series.tags))
        return prefix

    async def _write_lines(
        self, bucket: str, encoded: Sequence[bytes], indexes: Sequence[int], refused: dict[int, Rejection]
    ) -> None:
        """Write lines; where some are refused, halve until each good one is stored and each bad one stands alone.

        Of a write that was refused in part we know how many lines are bad, not which. Writing good ones again adds
        nothing, and both halves are written in their order, so that the last one still wins.
        """
        try:
            await self._client.write(bucket, b"\n".join(encoded))
        except RowsRefusedError as error:
            if error.dropped >= len(encoded):
                refused.update(dict.fromkeys(indexes, error.code))
                return
        except TooLargeError as error:
            if len(encoded) == 1:
                raise StoreUnavailableError(
                    f"{self._client.url} takes not even one reading (413): raise the limit of the proxy before it"
                ) from error
        else:
            return
        half = len(encoded) // 2
        for part in (slice(None, half), slice(half, None)):
            await self._write_lines(bucket, encoded[part], indexes[part], refused)

    def _note_trouble(self, trouble: str | None) -> None:
        """One line in the log when writing begins to fail, when the reason changes, and when it works again."""
        if trouble == self._trouble:
            return
        self._trouble = trouble
        if trouble is None:
            _log.info("InfluxDB takes readings again")
        else:
            _log.error("InfluxDB takes no readings; scrapers keep theirs and try again", reason=trouble)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _rfc3339(ms: int) -> str:
    """The instant for the delete API, which knows the same years as the gate."""
    known = min(max(ms, -MAX_TIMESTAMP_MS), MAX_TIMESTAMP_MS)
    return (_EPOCH + dt.timedelta(milliseconds=known)).isoformat(timespec="milliseconds")
