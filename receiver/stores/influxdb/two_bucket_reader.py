"""The few queries from which all answers are made: readings, series, and when each gateway last reported."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias, cast

from receiver.stores.base import NO_TAGS, Point, StoreUnavailableError
from receiver.stores.influxdb.client import InfluxClient, QueryTable
from receiver.stores.influxdb.influxql import (
    GATEWAY,
    LIVE_KIND,
    Key,
    Order,
    Statement,
    TimeSpan,
    parse_series,
    select,
    select_last,
    select_newest,
    show_series,
)
from receiver.stores.influxdb.tags import from_influx
from receiver.stores.kinds import STORED
from shared.readings import FieldValue

_Rows: TypeAlias = list[tuple[float, *tuple[FieldValue | None, ...]]]
_PlainRows: TypeAlias = list[tuple[float, FieldValue]]

_MAY_READ = 'SELECT "power" FROM "inverter" WHERE time = 0'
"""Costs nothing and needs the right to read; to a SHOW without that right InfluxDB answers an empty list."""


class TwoBucketReader:
    """Reads from two buckets, which may be the same. Every method raises StoreUnavailableError.

    Args:
        client: Sends the requests.
        bucket: Of every kind but `LIVE_KIND`.
        live_bucket: Of `LIVE_KIND`.
    """

    def __init__(self, client: InfluxClient, bucket: str, live_bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._live_bucket = live_bucket

    async def check_ready(self) -> str | None:
        """Why the buckets cannot be read, as a sentence for people; None if they can."""
        try:
            for bucket in {self._bucket, self._live_bucket}:
                await self._client.query(_MAY_READ, {}, bucket)
        except StoreUnavailableError as error:
            return str(error)
        return None

    async def read_rows(
        self,
        kind: str,
        names: Collection[str],
        span: TimeSpan,
        *,
        gateway: str,
        tags: Mapping[str, str] = NO_TAGS,
        among: Collection[Key] = (),
        order: Order | None = None,
    ) -> dict[Key, list[Point]]:
        """The readings of each series that carry one of the fields `names`; the arguments are those of `select`."""
        of_kind = STORED[kind].tags
        statement = select(
            kind, names, span, gateway=gateway, tags=tags, among=among, group_by=(GATEWAY, *of_kind), order=order
        )
        tables = await self._query_tables(kind, statement)
        points = await asyncio.to_thread(lambda: list(map(_to_points, tables)))  # long answers take their time
        keys = (tuple(from_influx(table.tags[name]) for name in of_kind) for table in tables)
        return dict(zip(keys, points, strict=True))

    async def read_last_known(
        self, kind: str, names: Collection[str], span: TimeSpan, *, gateway: str, key: Key
    ) -> dict[str, FieldValue]:
        """The last value of each of the fields that one series has in a span."""
        tags = dict(zip(STORED[kind].tags, key, strict=True))
        tables = await self._query_tables(kind, select_last(kind, names, span, gateway=gateway, tags=tags))
        values = (zip(names, row[1:], strict=True) for table in tables for row in table.values)
        return {name: value for row in values for name, value in row if value is not None}

    async def list_all_series(self, kinds: Collection[str], gateway: str | None = None) -> list[tuple[str, str, Key]]:
        """Kind, gateway and key of every series of these kinds that the index knows."""
        queries = (self._query_tables(group[0], show_series(group, gateway)) for group in self._group_by_bucket(kinds))
        return [series for tables in await asyncio.gather(*queries) for series in _parse_all_series(tables)]

    async def read_last_timestamps(
        self, kinds: Collection[str], span: TimeSpan, gateway: str | None = None
    ) -> dict[str, int]:
        """The time of the newest reading of these kinds, for each gateway that has one in the span."""
        queries = (
            self._query_tables(group[0], select_newest(group, span, gateway)) for group in self._group_by_bucket(kinds)
        )
        found: dict[str, int] = {}
        for table in (table for tables in await asyncio.gather(*queries) for table in tables):
            name, time = from_influx(table.tags[GATEWAY]), int(cast("_Rows", table.values)[0][0])
            found[name] = max(time, found.get(name, time))
        return found

    def _group_by_bucket(self, kinds: Collection[str]) -> list[list[str]]:
        """The kinds of each bucket: one query can ask for them together."""
        live = [kind for kind in kinds if kind == LIVE_KIND]
        rest = [kind for kind in kinds if kind != LIVE_KIND]
        groups = [rest, live] if self._bucket != self._live_bucket else [rest + live]
        return [group for group in groups if group]

    async def read_page_of_timestamps(self, kind: str, start: int | None, limit: int) -> list[int]:
        """The timestamps of the first `limit` readings of a kind since a time, whatever their series."""
        statement = select(kind, STORED[kind].fields, TimeSpan(start), order=Order(limit))
        return [point.timestamp for table in await self._query_tables(kind, statement) for point in _to_points(table)]

    async def _query_tables(self, kind: str, statement: Statement) -> list[QueryTable]:
        bucket = self._live_bucket if kind == LIVE_KIND else self._bucket
        return await self._client.query(statement.text, statement.params, bucket)


def _parse_all_series(tables: Iterable[QueryTable]) -> list[tuple[str, str, Key]]:
    return [parse_series(str(line)) for table in tables for (line,) in table.values]


def _to_points(table: QueryTable) -> list[Point]:
    names = table.columns[1:]
    rows = cast("_Rows", table.values)  # the first column is the time
    if len(names) == 1:  # the commonest long answer, in half the time
        return [Point(int(time), {names[0]: value}) for time, value in cast("_PlainRows", rows)]
    return [
        Point(int(time), {name: value for name, value in zip(names, values, strict=True) if value is not None})
        for time, *values in rows
    ]
