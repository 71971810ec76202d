"""The connection to one InfluxDB server, for the store, its set-up and its backup.

Only this module builds a client of influxdb-client, sets its time-outs, and catches what it raises. Requests go through
that library's API layer with its retries off: callers judge every answer. All calls block.

Callers see two errors, which they turn into their own: `InfluxStatusError` for an answer that is no success, and
`InfluxUnreachableError` for no answer at all.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

import influxdb_client
from influxdb_client.rest import ApiException
from urllib3 import BaseHTTPResponse, Timeout
from urllib3.exceptions import HTTPError

from shared.connection_failures import explain_failure

_influx: Any = influxdb_client  # it comes without types
_CHUNK_BYTES = 1 << 16


class InfluxStatusError(Exception):
    """InfluxDB, or what answers in its place, answered with something other than a success.

    Attributes:
        status: The HTTP status.
        body: The answer. It may quote what was sent, so no message may repeat it; it is no part of this text.
    """

    def __init__(self, status: int, body: bytes) -> None:
        meanings = {
            401: "401: the token is wrong, or it is not one that may do this",
            404: "404: it does not exist, or the token may not see it",
        }
        super().__init__(meanings.get(status, f"status {status}"))
        self.status = status
        self.body = body


class InfluxUnreachableError(Exception):
    """No answer came; the text is a sentence for people, with the reason in it.

    Attributes:
        reason: Why not.
        may_pass: Whether the server may only be starting. A certificate that is not trusted stays so.
    """

    def __init__(self, url: str, reason: str, *, may_pass: bool = True) -> None:
        super().__init__(f"InfluxDB at {url} cannot be reached ({reason}): start it, or check INFLUXDB_V2_URL")
        self.reason = reason
        self.may_pass = may_pass


class AnswerTooLongError(Exception):
    """The answer is longer than the caller wants to read. The rest of it is thrown away."""


class InfluxReply(NamedTuple):
    """A success: its status, its headers (their names in any case), and its whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class InfluxConnection:
    """One server, entered with one token. May be used by several threads at once.

    Args:
        url: Base address, e.g. http://influxdb:8086.
        token: API token; never shown. Without one it is possible only to ask whether the server is new.
        timeout_s: Seconds that it may take to connect, and to send each piece of a request.
        read_timeout_s: Seconds to wait for each piece of an answer; None: as `timeout_s`.
        connections: How many are kept open for the next requests.
    """

    def __init__(
        self,
        url: str,
        token: str | None,
        *,
        timeout_s: float,
        read_timeout_s: float | None = None,
        connections: int = 1,
    ) -> None:
        self.url = url.rstrip("/")
        self._timeout = Timeout(connect=timeout_s, read=read_timeout_s or timeout_s)
        milliseconds = (round(timeout_s * 1000), round((read_timeout_s or timeout_s) * 1000))
        self._client = _influx.InfluxDBClient(
            self.url, token or "", timeout=milliseconds, retries=False, connection_pool_maxsize=connections
        )
        self._api = self._client.api_client

    def close(self) -> None:
        """Let go of the connections; a request under way ends by itself."""
        self._api.rest_client.pool_manager.clear()

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        body: bytes | Mapping[str, Any] | None = None,
        form: Sequence[tuple[str, str]] = (),
        longest: int | None = None,
    ) -> InfluxReply:
        """One request that succeeds.

        Args:
            method: Of HTTP.
            path: Below the base address.
            query: Parameters in the address.
            headers: Further ones.
            body: What becomes a JSON object, or bytes, which need a `Content-Type` among the headers.
            form: Instead of a body: the fields of a form.
            longest: Bytes of the answer that are read at most.

        Raises:
            InfluxStatusError: It did not succeed.
            InfluxUnreachableError: No answer came.
            AnswerTooLongError: More than `longest` came.
        """
        with self._convert_errors():
            if form:
                headers = {**(headers or {}), "Content-Type": "application/x-www-form-urlencoded"}
            answer = self._open(
                method, path, query_params=list(query), header_params=dict(headers or {}), body=body,
                post_params=list(form),
            )  # fmt: skip
            content = answer.read(None if longest is None else longest + 1)
            if longest is not None and len(content) > longest:
                answer.close()
                raise AnswerTooLongError
            answer.release_conn()
            return InfluxReply(answer.status, answer.headers, content)

    def write(self, org: str, bucket: str, lines: bytes) -> InfluxReply:
        """Write lines with times in milliseconds. No lines only ask for the right to write. Raises as `send`."""
        query = [("org", org), ("bucket", bucket), ("precision", "ms")]
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        return self.send("POST", "/api/v2/write", query=query, body=lines, headers=headers)

    def read_version(self) -> str:
        """What the server says it is, e.g. `v2.7.12`; empty where it does not say. Raises as `send`."""
        return self.send("GET", "/ping").headers.get("X-Influxdb-Version", "")

    def download(self, path: str) -> Iterator[bytes]:
        """The answer to a GET, piece by piece. Raises as `send`."""
        with self._convert_errors():
            answer = self._open("GET", path)
            try:
                yield from answer.stream(_CHUNK_BYTES)
            finally:
                answer.close()

    def upload(self, path: str, file: BinaryIO) -> None:
        """Post a file. The library's API layer takes bodies in memory only, so this goes to the pool below it.

        Raises:
            InfluxStatusError: It did not succeed.
            InfluxUnreachableError: No answer came.
        """
        length = str(os.fstat(file.fileno()).st_size)
        with self._convert_errors():
            answer = self._api.rest_client.pool_manager.request(
                "POST", self.url + path, body=file, redirect=False,
                headers={**self._api.default_headers, "Content-Length": length},
                timeout=self._timeout,
            )  # fmt: skip
        if not 200 <= answer.status <= 299:
            raise InfluxStatusError(answer.status, answer.data)

    @contextlib.contextmanager
    def use_management(self) -> Iterator[Any]:
        """The library's typed management APIs. What they raise within the block becomes our errors.

        Yields:
            The `InfluxDBClient`.
        """
        with self._convert_errors():
            yield self._client

    @contextlib.contextmanager
    def _convert_errors(self) -> Iterator[None]:
        """Errors of the library, of urllib3 and of sockets become ours."""
        try:
            yield
        except ApiException as error:
            if not error.status:  # a TLS failure, which the library turns into its own exception
                raise InfluxUnreachableError(self.url, explain_failure(error), may_pass=False) from error
            body = error.body.encode() if isinstance(error.body, str) else error.body or b""
            raise InfluxStatusError(error.status, body) from None  # its text has the answer in it
        except (HTTPError, OSError, ValueError) as error:
            raise InfluxUnreachableError(self.url, explain_failure(error)) from error

    def _open(self, method: str, path: str, **arguments: Any) -> BaseHTTPResponse:
        """The answer with its body unread; the arguments are those of the library's `call_api`."""
        answer: BaseHTTPResponse = self._api.call_api(
            path, method, **arguments, _preload_content=False, _return_http_data_only=True,
            urlopen_kw={"redirect": False},
        )  # fmt: skip
        return answer
