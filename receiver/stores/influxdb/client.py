"""The way to one InfluxDB server: requests, deadlines, and our own reading of every answer.

Requests go through influxdb-client's API layer, its retries and batching off: whatever is answered is for us to judge,
and what was not stored is the scraper's to send again. Its calls block, so they run on threads of their own; those that
write do not wait behind those that query.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import msgspec
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from receiver.stores.base import StoreUnavailableError
from receiver.stores.influxdb.answers import failure, query_failure

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


class _HttpReply(NamedTuple):
    """A success. `version` is what the server says it is; empty where it does not say."""

    status: int
    body: bytes
    version: str


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
        address = urlsplit(url)
        self.server = address.hostname or url
        if address.port is not None:
            self.server += f":{address.port}"
        self._org = org
        self._timeout_s = timeout_s
        client = InfluxDBClient(
            url=url, token=token, org=org, timeout=round(timeout_s * 1000), retries=False,
            connection_pool_maxsize=_WRITERS + _READERS,
        )  # fmt: skip
        self._api = client.api_client
        self._writers = ThreadPoolExecutor(_WRITERS, thread_name_prefix="influxdb-write")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="influxdb-query")

    async def write(self, bucket: str, data: bytes) -> None:
        """Store lines in milliseconds; durable when it returns. No lines only ask whether they would be taken.

        Raises:
            RowsRefusedError: InfluxDB will never store some of them.
            TooLargeError: Write less at once.
            StoreUnavailableError: Try again later.
        """
        query = [("org", self._org), ("bucket", bucket), ("precision", "ms")]
        call = partial(
            self._send, "/api/v2/write", bucket, query_params=query, body=data,
            header_params={"Content-Type": "text/plain; charset=utf-8"},
        )  # fmt: skip
        if (await self._within_deadline(self._writers, call)).status != 204:  # whoever says 200 is not InfluxDB
            raise failure(404, b"", server=self.server, org=self._org, bucket=bucket)

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
        call = partial(
            self._send, "/api/v2/delete", bucket, query_params=[("org", self._org), ("bucket", bucket)],
            body={"start": start, "stop": stop, "predicate": predicate},
            header_params={"Content-Type": "application/json"},
        )  # fmt: skip
        if (await self._within_deadline(self._writers, call)).status != 204:
            raise failure(404, b"", server=self.server, org=self._org, bucket=bucket)

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
            self._answer, database, query_params=[("org", self._org)], post_params=form,
            header_params={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
        )  # fmt: skip
        answer = await self._within_deadline(self._readers, call)
        for said in [answer.error, *(result.error for result in answer.results)]:
            if said:
                raise query_failure(said, server=self.server, bucket=database)
        return answer.results[0].series

    async def version(self) -> str:
        """What the server says it is, e.g. 2.7.12; empty where it does not say. Raises StoreUnavailableError."""
        call = partial(self._send, "/ping", "", method="GET")
        return (await self._within_deadline(self._readers, call)).version

    async def aclose(self) -> None:
        """Let go of connections and threads; a request under way ends by itself."""
        for pool in (self._writers, self._readers):
            pool.shutdown(wait=False, cancel_futures=True)
        self._api.rest_client.pool_manager.clear()

    async def _within_deadline(self, pool: ThreadPoolExecutor, call: Callable[[], _T]) -> _T:
        """The socket's own time-out starts anew with every byte that trickles in; this one is for the whole request."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.get_running_loop().run_in_executor(pool, call)
        except TimeoutError as error:
            raise StoreUnavailableError(
                f"InfluxDB at {self.server} does not answer within {self._timeout_s:g} s: look at its log and its load"
            ) from error

    def _answer(self, database: str, **request: Any) -> _QueryReply:
        """One query. Runs on a thread, with its decoding: a long answer would hold up the event loop."""
        body = self._send("/query", database, **request).body
        try:
            answer = _answer_decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise failure(404, b"", server=self.server, org=self._org, bucket=database) from error
        if len(answer.results) != 1 and not answer.error:  # whoever that is, it is not the answer to one statement
            raise failure(404, b"", server=self.server, org=self._org, bucket=database)
        return answer

    def _send(self, path: str, bucket: str, *, method: str = "POST", **request: Any) -> _HttpReply:
        """One request that succeeds. Runs on a thread."""
        try:
            answer = self._api.call_api(  # type: ignore[no-untyped-call]
                path, method, **request, _preload_content=False, _return_http_data_only=True,
                urlopen_kw={"redirect": False},
            )  # fmt: skip
            body = answer.read(_LONGEST_ANSWER + 1)
            if len(body) > _LONGEST_ANSWER:
                answer.close()
                raise StoreUnavailableError(
                    f"InfluxDB at {self.server} has too much to answer (over {_LONGEST_ANSWER >> 20} MiB): ask for a "
                    "shorter time, or for fewer series or fields"
                )
            answer.release_conn()
            return _HttpReply(answer.status, body, answer.headers.get("X-Influxdb-Version", ""))
        except ApiException as error:
            if not error.status:  # a TLS failure, which the client turns into its own exception
                raise self._unreachable() from error
            raise failure(
                error.status, error.body or b"", server=self.server, org=self._org, bucket=bucket
            ) from None  # its text has the answer in it, which may quote what was written
        except (HTTPError, OSError, ValueError) as error:
            raise self._unreachable() from error

    def _unreachable(self) -> StoreUnavailableError:
        return StoreUnavailableError(f"InfluxDB at {self.server} cannot be reached: start it, or check INFLUXDB_V2_URL")
