"""The store's requests to one InfluxDB server, their deadlines, and the meaning of every answer.

Nothing is tried again here: the scraper sends again what was not stored. The calls of the connection block, so they run
on threads of their own; those that write do not wait behind those that query.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import msgspec

from receiver.stores.base import StoreUnavailableError
from receiver.stores.influxdb.answers import make_query_error, make_status_error
from receiver.stores.influxdb.connection import (
    AnswerTooLongError,
    InfluxConnection,
    InfluxReply,
    InfluxStatusError,
    InfluxUnreachableError,
)

TIMEOUT_S = 10.0
"""A request that takes longer has failed. A scraper waits 30 s: enough for a write behind another that is slow."""
_WRITERS = 4
"""Two buckets are written at the same time; two more threads are there for when a dead connection holds the first."""
_READERS = 4
_LONGEST_ANSWER = 128 * 1024 * 1024
"""Bytes of one answer that are read: more than a day of every phase of three meters, and no more than memory bears."""


class QueryTable(msgspec.Struct, frozen=True):
    """One series of a query's answer.

    Attributes:
        name: The measurement.
        columns: Names of the columns; the first is `time` in milliseconds since 1970 where the query has it.
        values: Rows, a value for each column; None where a point lacks the field.
        tags: Values of the tags that the query groups by.
    """

    name: str = ""
    columns: list[str] = []
    values: list[list[float | str | None]] = []
    tags: dict[str, str] = {}


class _StatementResult(msgspec.Struct):
    series: list[QueryTable] = []
    error: str = ""


class _QueryReply(msgspec.Struct):
    results: list[_StatementResult] = []
    error: str = ""


_T = TypeVar("_T")
_answer_decoder = msgspec.json.Decoder(_QueryReply)


class InfluxClient:
    """One server, organisation and token. For the tasks of one event loop.

    Args:
        url: Base address, e.g. http://influxdb:8086.
        org: Name of the organisation.
        token: API token; never shown.
        timeout_s: Seconds that any one request may take.
    """

    def __init__(self, url: str, org: str, token: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self.url = url
        self._org = org
        self._timeout_s = timeout_s
        self._connection = InfluxConnection(url, token, timeout_s=timeout_s, connections=_WRITERS + _READERS)
        self._writers = ThreadPoolExecutor(_WRITERS, thread_name_prefix="influxdb-write")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="influxdb-query")

    async def write(self, bucket: str, data: bytes) -> None:
        """Store lines in milliseconds; durable when it returns. A write without lines only asks for the right to write.

        Raises:
            RowsRefusedError: InfluxDB will never store some of them.
            TooLargeError: Write less at once.
            StoreUnavailableError: Try again later.
        """
        call = partial(self._judge, partial(self._connection.write, self._org, bucket, data), bucket)
        if (
            await self._run_within_deadline(self._writers, call)
        ).status != 204:  # InfluxDB never answers a write with 200
            raise make_status_error(404, b"", url=self.url, org=self._org, bucket=bucket)

    async def delete(self, bucket: str, *, start: str, stop: str, predicate: str) -> None:
        """Delete points.

        Args:
            bucket: Where.
            start: First instant that goes, RFC 3339.
            stop: Last instant that goes, RFC 3339.
            predicate: Which points, in InfluxDB's delete predicate syntax.

        Raises:
            StoreUnavailableError: Try again later.
        """
        body = {"start": start, "stop": stop, "predicate": predicate}
        query = [("org", self._org), ("bucket", bucket)]
        call = partial(self._send, "POST", "/api/v2/delete", bucket, query=query, body=body)
        if (await self._run_within_deadline(self._writers, call)).status != 204:
            raise make_status_error(404, b"", url=self.url, org=self._org, bucket=bucket)

    async def query(self, sql: str, params: Mapping[str, str | float | int], database: str) -> list[QueryTable]:
        """Run InfluxQL.

        Args:
            sql: One statement, with $name for parameters.
            params: Values of the parameters.
            database: The bucket.

        Returns:
            Its series, times in milliseconds.

        Raises:
            StoreUnavailableError: Try again later.
        """
        form = [("q", sql), ("db", database), ("epoch", "ms"), ("params", msgspec.json.encode(params).decode())]
        call = partial(
            self._query, database, query=[("org", self._org)], form=form, headers={"Accept": "application/json"}
        )
        answer = await self._run_within_deadline(self._readers, call)
        for said in [answer.error, *(result.error for result in answer.results)]:
            if said:
                raise make_query_error(said, url=self.url, bucket=database)
        return answer.results[0].series

    async def read_version(self) -> str:
        """What the server says it is, e.g. 2.7.12; empty where it does not say. Raises StoreUnavailableError."""
        return await self._run_within_deadline(self._readers, partial(self._judge, self._connection.read_version, ""))

    async def aclose(self) -> None:
        """Let go of connections and threads; a request under way ends by itself."""
        for pool in (self._writers, self._readers):
            pool.shutdown(wait=False, cancel_futures=True)
        self._connection.close()

    async def _run_within_deadline(self, pool: ThreadPoolExecutor, call: Callable[[], _T]) -> _T:
        """The socket's own time-out starts again with every byte that arrives; this one is for the whole request."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.get_running_loop().run_in_executor(pool, call)
        except TimeoutError as error:
            raise StoreUnavailableError(
                f"InfluxDB at {self.url} does not answer within {self._timeout_s:g} s: look at its log and its load"
            ) from error

    def _query(self, database: str, **request: Any) -> _QueryReply:
        """One query. Runs on a thread, with its decoding: a long answer would hold up the event loop."""
        body = self._send("POST", "/query", database, **request).body
        try:
            answer = _answer_decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise make_status_error(404, b"", url=self.url, org=self._org, bucket=database) from error
        if len(answer.results) != 1 and not answer.error:  # this answers something other than one statement
            raise make_status_error(404, b"", url=self.url, org=self._org, bucket=database)
        return answer

    def _send(self, method: str, path: str, bucket: str, **request: Any) -> InfluxReply:
        """One request that succeeds. Runs on a thread."""
        call = partial(self._connection.send, method, path, longest=_LONGEST_ANSWER, **request)
        return self._judge(call, bucket)

    def _judge(self, call: Callable[[], _T], bucket: str) -> _T:
        """The result of a call of the connection; its errors become ours."""
        try:
            return call()
        except InfluxStatusError as error:
            raise make_status_error(
                error.status, error.body, url=self.url, org=self._org, bucket=bucket
            ) from None  # the answer may quote what was written
        except InfluxUnreachableError as error:
            raise StoreUnavailableError(str(error)) from error
        except AnswerTooLongError as error:
            raise StoreUnavailableError(
                f"InfluxDB at {self.url} has too much to answer (over {_LONGEST_ANSWER >> 20} MiB): ask for a "
                "shorter time, or for fewer series or fields"
            ) from error
