"""Writes readings, and finds out what became of each row, whatever InfluxDB says about a write as a whole."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

import structlog

from receiver.stores.base import GatewayReading, StoreUnavailableError
from receiver.stores.gate import MAX_TIMESTAMP_MS, find_refusal
from receiver.stores.influxdb.answers import RowsRefusedError, TooLargeError
from receiver.stores.influxdb.client import InfluxClient
from receiver.stores.influxdb.encode import encode_lines, encode_series
from receiver.stores.influxdb.influxql import LIVE_KIND
from receiver.stores.influxdb.known_series import KnownSeries, StoredSeries
from receiver.stores.influxdb.tags import to_influx
from receiver.stores.kinds import STORED
from shared.problems import Rejection
from shared.readings import Reading, Series

_log = structlog.get_logger(__name__)

_NEVER = -MAX_TIMESTAMP_MS - 1
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
        client: Sends the requests.
        bucket: For every kind but `LIVE_KIND`.
        live_bucket: For `LIVE_KIND`.
        known: Is told which series have readings now.
    """

    def __init__(self, client: InfluxClient, bucket: str, live_bucket: str, known: KnownSeries) -> None:
        self._client = client
        self._bucket = bucket
        self._live_bucket = live_bucket
        self._known = known
        self._prefixes: dict[tuple[str, Series], bytes] = {}
        self._series: dict[bytes, StoredSeries] = {}
        self._trouble: str | None = None
        self._under_way: list[tuple[set[str], asyncio.Event]] = []

    async def write(self, rows: Sequence[GatewayReading]) -> dict[int, Rejection]:
        """As `Store.write`. InfluxDB applies the lines of a write in their order, so rows that repeat need no care."""
        refused: dict[int, Rejection] = {}
        shares = {bucket: share for bucket, share in self._split_by_bucket(rows, refused).items() if share.indexes}
        if not shares:
            return refused
        gateways = {row.gateway for row in rows}
        is_sure = False
        try:
            async with self._wait_for_turn(gateways):
                await self._write_shares(shares, refused)
            is_sure = True
        finally:
            if is_sure:
                self._known.note_written(self._find_newest(shares.values(), refused))
            else:  # nothing, something or all of it may be stored
                self._known.forget(gateways)
        return refused

    async def _write_shares(self, shares: Mapping[str, _Share], refused: dict[int, Rejection]) -> None:
        writes = [
            (bucket, encode_lines(share.prefixes, share.readings), share.indexes) for bucket, share in shares.items()
        ]
        outcomes = await asyncio.gather(
            *(self._write_lines(*write, refused) for write in writes), return_exceptions=True
        )
        for outcome in outcomes:
            if isinstance(outcome, StoreUnavailableError):
                self._note_trouble(str(outcome))
            if isinstance(outcome, BaseException):
                raise outcome
        self._note_trouble(None)

    def _find_newest(self, shares: Iterable[_Share], refused: Mapping[int, Rejection]) -> dict[StoredSeries, int]:
        """The time of the newest reading that was stored of each series."""
        newest: dict[bytes, int] = {}
        for share in shares:
            for index, prefix, reading in zip(share.indexes, share.prefixes, share.readings, strict=True):
                if not (refused and index in refused) and newest.get(prefix, _NEVER) < reading.timestamp:
                    newest[prefix] = reading.timestamp
        return {self._series[prefix]: time for prefix, time in newest.items()}

    @asynccontextmanager
    async def _wait_for_turn(self, gateways: set[str]) -> AsyncIterator[None]:
        """Waits for earlier writes of these gateways, so that a later value wins; others may go on at the same time.

        Two writes at once keep two cores of the database busy: it works on each with one.
        """
        earlier = [done for others, done in self._under_way if others & gateways]
        own = (gateways, asyncio.Event())
        self._under_way.append(own)
        try:
            for done in earlier:
                await done.wait()
            yield
        finally:
            self._under_way.remove(own)
            own[1].set()

    async def remove(self, gateway: str, kind: str, start: int, stop: int) -> None:
        """As `Store.remove`."""
        if kind not in STORED or start >= stop:
            return
        predicate = f"_measurement={_quote(kind)} AND gateway={_quote(to_influx(gateway))}"
        try:
            await self._client.delete(
                self._choose_bucket(kind), start=_to_rfc3339(start), stop=_to_rfc3339(stop - 1), predicate=predicate
            )
        finally:
            self._known.forget({gateway})

    async def remove_of_all(self, kind: str, start: int, stop: int) -> None:
        """Delete what is stored of one kind of every gateway with `start` <= timestamp < `stop` (UTC milliseconds).

        Raises:
            StoreUnavailableError: Nothing, something or all is gone; removing it again is harmless.
        """
        await self._client.delete(
            self._choose_bucket(kind),
            start=_to_rfc3339(start),
            stop=_to_rfc3339(stop - 1),
            predicate=f"_measurement={_quote(kind)}",
        )

    async def check_ready(self) -> str | None:
        """As `Store.check_ready`: an empty write proves the token and the buckets, but does not notice a full disk."""
        try:
            for bucket in dict.fromkeys((self._bucket, self._live_bucket)):
                await self._client.write(bucket, b"")
        except StoreUnavailableError as error:
            return str(error)
        return None

    def _choose_bucket(self, kind: str) -> str:
        return self._live_bucket if kind == LIVE_KIND else self._bucket

    def _split_by_bucket(self, rows: Sequence[GatewayReading], refused: dict[int, Rejection]) -> dict[str, _Share]:
        """The rows of each bucket. Rows that nobody judged before must pass the gate; the others go to `refused`."""
        shares = {self._bucket: _Share(), self._live_bucket: _Share()}
        main, live = shares[self._bucket], shares[self._live_bucket]
        for index, row in enumerate(rows):
            reading, series = row.reading, row.series
            if series is None:
                reason = find_refusal(reading)
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
        tags = dict(series.tags)
        prefix = self._prefixes[gateway, series] = encode_series(gateway, series.kind, tags)
        self._series[prefix] = gateway, series.kind, tuple(tags[name] for name in STORED[series.kind].tags)
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


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _to_rfc3339(ms: int) -> str:
    """The instant for the delete API, which knows the same years as the gate."""
    known = min(max(ms, -MAX_TIMESTAMP_MS), MAX_TIMESTAMP_MS)
    return (_EPOCH + dt.timedelta(milliseconds=known)).isoformat(timespec="milliseconds")
