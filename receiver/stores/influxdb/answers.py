"""What each answer of InfluxDB means to us. Pure.

Something else may answer in its place: a proxy, a captive portal, another server on its port. Only an answer that is
InfluxDB's own beyond doubt may say that a reading is never stored; all else is trouble that passes, and the scraper
keeps the rows.
"""

import re

import msgspec

from receiver.stores.base import StoreUnavailableError
from shared.problems import Rejection

_RETENTION = "outside retention policy"
_VERSION = re.compile(r"v?(\d+)\.[\d.]*\d")
_DROPPED = re.compile(r"dropped[ =](\d+)")


class RowsRefusedError(Exception):
    """InfluxDB itself said that rows of this write will never be stored. The others may or may not be stored now.

    Attributes:
        code: Why.
        dropped: At least so many rows were refused for this reason; if the write has no more, all were.
    """

    def __init__(self, code: Rejection, dropped: int) -> None:
        super().__init__(code)
        self.code = code
        self.dropped = dropped


class TooLargeError(Exception):
    """The write was larger than InfluxDB, or a proxy before it, takes. Nothing was stored."""


class _Explanation(msgspec.Struct):
    """How InfluxDB explains itself."""

    code: str
    message: str


def make_status_error(status: int, body: bytes, *, url: str, org: str, bucket: str) -> Exception:
    """The exception for an answer that is no success.

    Args:
        status: Of the answer.
        body: Of the answer. It may quote what was written, so nothing of it goes into a message.
        url: Address of the server, for people.
        org: The organisation that was named.
        bucket: The bucket that was named.
    """
    explanation = _read_explanation(body)
    if status == 413:
        return TooLargeError()
    if explanation is not None and status in (400, 422):
        refused = _find_refused_rows(status, explanation.message)
        if refused is not None:
            return refused
    return StoreUnavailableError(
        _describe_status(status, known=explanation is not None, url=url, org=org, bucket=bucket)
    )


def _read_explanation(body: bytes) -> _Explanation | None:
    try:
        return msgspec.json.decode(body, type=_Explanation)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _find_refused_rows(status: int, message: str) -> RowsRefusedError | None:
    """422 stores what it can and says how much it could not; 400 stores nothing for one line that it cannot read."""
    if status == 400 and message.startswith("unable to parse"):
        return RowsRefusedError(Rejection.STORE_REFUSED, 1)
    if status == 422 and "partial write" in message:
        code = Rejection.TOO_OLD if _RETENTION in message else Rejection.STORE_REFUSED
        dropped = _DROPPED.search(message)
        return RowsRefusedError(code, int(dropped[1]) if dropped else 1)
    return None


def _describe_status(status: int, *, known: bool, url: str, org: str, bucket: str) -> str:
    if status == 401 and known:
        return f"InfluxDB at {url} does not accept the token: set INFLUXDB_V2_TOKEN to one that is valid there"
    if status == 403 and known:
        return (
            f'the token has no right to the bucket "{bucket}": set INFLUXDB_V2_TOKEN to one that may write and read it'
        )
    if status == 404 and known:
        return (
            f'InfluxDB at {url} shows this token no bucket "{bucket}" in the organisation "{org}": create it, or '
            "correct INFLUXDB_V2_ORG, INFLUXDB_V2_BUCKET or RECEIVER_LIVE_BUCKET"
        )
    if status in (400, 422) and known:
        return f"InfluxDB at {url} does not understand the request ({status}): is it InfluxDB 2.7, as it must be?"
    if status < 500 and status != 429:
        return f"what answers at {url} ({status}) is not InfluxDB 2 or not its API: check INFLUXDB_V2_URL"
    return (
        f"InfluxDB at {url} cannot do its work now ({status}): look at its log and at the space on its disk, and "
        "restart it after that was full"
    )


def make_query_error(explanation: str, *, url: str, bucket: str) -> StoreUnavailableError:
    """The exception for a statement that InfluxDB did not execute, from its own explanation."""
    # The first is what an administrator hears of a missing bucket, the second what everybody else hears.
    if explanation.startswith(("database not found", "not executed")):
        return StoreUnavailableError(
            f'InfluxDB at {url} shows this token no bucket "{bucket}" to read: create it, correct '
            "INFLUXDB_V2_BUCKET or RECEIVER_LIVE_BUCKET, or set INFLUXDB_V2_TOKEN to one that may write and read it"
        )
    return StoreUnavailableError(f"InfluxDB at {url} could not answer a query ({explanation[:200]}): look at its log")


def explain_unsupported_version(version: str, url: str) -> str | None:
    """Why a server of this version is not supported, for people; None for InfluxDB 2 or an unknown version."""
    number = _VERSION.match(version)
    if number is None or number[1] == "2":  # a server that somebody built calls itself "dev"
        return None
    return (
        f"what runs at {url} is InfluxDB {number[0].lstrip('v')}, but only InfluxDB 2.7 is supported: run that (the "
        "image influxdb:2.7), or correct INFLUXDB_V2_URL"
    )
