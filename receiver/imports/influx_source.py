"""Points of another program's InfluxDB (1.8 or 2), asked for by InfluxQL, a stretch of time after the other."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from receiver.errors import ReceiverSettingError
from receiver.imports.formats.points import InfluxQuestion, SourcePoint
from receiver.stores.influxdb.connection import (
    AnswerTooLongError,
    InfluxConnection,
    InfluxStatusError,
    InfluxUnreachableError,
)

_TIMEOUT_S = 60.0
_LONGEST_ANSWER = 256 * 1024 * 1024
_NS_PER_MS = 1_000_000
_decoder = msgspec.json.Decoder()


class InfluxSource:
    """One database, or bucket.

    Args:
        url: Base address.
        token: API token; USER:PASSWORD for InfluxDB 1.8; None where it wants none.
        org: Organisation (InfluxDB 2).
        bucket: Bucket, or database.
    """

    def __init__(self, url: str, token: str | None, org: str, bucket: str) -> None:
        self._connection = InfluxConnection(url, token, timeout_s=_TIMEOUT_S)
        self._url = url
        self._org = org
        self._bucket = bucket

    def read_points(self, question: InfluxQuestion) -> Iterator[SourcePoint]:
        """All points, ascending by stretches of time. Raises ReceiverSettingError with what to change."""
        try:
            bounds = self._find_bounds(question)
            if bounds is None:
                return
            start, last = bounds
            step = question.stretch_ms * _NS_PER_MS
            start -= start % step
            while start <= last:
                condition = f"{question.condition} AND " if question.condition else ""
                yield from self._read(
                    f"SELECT * FROM {question.measurements} WHERE {condition}time >= {start} AND time < {start + step} "  # noqa: S608 (names of ours, and numbers)
                    "GROUP BY *",
                    question.parameters,
                )
                start += step
        finally:
            self._connection.close()

    def _find_bounds(self, question: InfluxQuestion) -> tuple[int, int] | None:
        """The times (ns) of the first point and of the last one; None: there is none."""
        where = f" WHERE {question.condition}" if question.condition else ""
        times = [
            point.time
            for field in question.fields
            for choice in ("first", "last")
            for point in self._read(
                f'SELECT {choice}("{field}") FROM {question.measurements}{where}',  # noqa: S608 (names of ours)
                question.parameters,
            )
            if point.time is not None
        ]
        return (min(times), max(times)) if times else None

    def _read(self, statement: str, parameters: Mapping[str, str]) -> Iterator[SourcePoint]:
        for series in self._ask(statement, parameters):
            columns = series["columns"]
            for values in series.get("values", ()):
                row = dict(zip(columns, values, strict=True))
                time = row.pop("time")
                fields = {name: value for name, value in row.items() if value is not None}
                yield SourcePoint(series["name"], series.get("tags", {}), fields, time)

    def _ask(self, statement: str, parameters: Mapping[str, str]) -> list[dict[str, Any]]:
        form = [
            ("q", statement),
            ("db", self._bucket),
            ("epoch", "ns"),
            ("params", msgspec.json.encode(parameters).decode()),
        ]
        try:
            reply = self._connection.send(
                "POST", "/query", query=[("org", self._org)], form=form, headers={"Accept": "application/json"},
                longest=_LONGEST_ANSWER,
            )  # fmt: skip
            (result,) = _decoder.decode(reply.body)["results"]
            problem = result.get("error")
        except InfluxUnreachableError as error:
            raise ReceiverSettingError(f"no answer from {self._url} ({error.reason}): correct the address") from None
        except InfluxStatusError as error:
            raise ReceiverSettingError(self._explain_status(error.status)) from None
        except AnswerTooLongError:
            raise ReceiverSettingError(f"{self._url} answers with more than can be read at once") from None
        except (msgspec.DecodeError, ValueError, KeyError, TypeError, AttributeError):
            raise ReceiverSettingError(f"what answers at {self._url} is no InfluxDB: correct the address") from None
        if problem is not None:
            raise ReceiverSettingError(self._explain_status(404))
        series: list[dict[str, Any]] = result.get("series", [])
        return series

    def _explain_status(self, status: int) -> str:
        if status in (401, 403):
            return (
                f"{self._url} refuses the login ({status}): set IMPORT_TOKEN, or IMPORT_TOKEN_FILE, to a token that "
                "may read the bucket (InfluxDB 1.8: USER:PASSWORD)"
            )
        return f"{self._url} does not show {self._bucket} ({status}): correct --bucket, --org or the token"
