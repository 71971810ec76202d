"""What envoy-scrape's scraper posts: `POST /api/v1/inverters`, for people who move from there step by step.

Nobody hears of this address unless RECEIVER_LEGACY_SECRET is set. What comes is judged, bounded, marked and stored as a
batch of our own scraper is. The old scraper sends each report once and never again: what is refused here is lost there.
"""

import hmac
from collections.abc import Collection, Mapping, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from receiver.auth.compact import make_unauthorised
from receiver.errors import RefusedError
from receiver.http.problems import to_refusal
from receiver.http.query_names import refuse_other_names
from receiver.http.rates import RateLimit
from receiver.ingest import body, validate
from receiver.ingest.limits import PostLimit
from receiver.ingest.route import IngestRoute
from receiver.ingest.validate import CheckedBatch
from receiver.metrics import Metrics
from receiver.strict_json import DuplicateKeyError, refuse_duplicates
from shared import wire
from shared.clock import Clock
from shared.problems import Problem, Rejection
from shared.readings import Reading
from shared.units import SECOND_MS

PATH = "/api/v1/inverters"
HEADER = "x-flameorg-auth"
_SENDER = "legacy"
"""Whose rate and posts it is: of which gateway they are stands in the body, which comes later. No serial is like it."""
_INVERTER = 1
"""Its `devType` of an inverter."""
_ID = "0"


class LegacyReport(msgspec.Struct, rename="camel"):
    """An inverter as the gateway lists it. The old scraper leaves out what is 0 or empty."""

    serial_number: str = ""
    last_report_date: int = 0
    dev_type: int = 0
    last_report_watts: int = 0
    max_report_watts: int = 0


class LegacySubmission(msgspec.Struct, rename="camel"):
    """One post: the reports of one gateway that are new."""

    envoy_serial: str = ""
    inverters: list[msgspec.Raw] | None = None


_decoder = msgspec.json.Decoder(LegacySubmission)
_report_decoder = msgspec.json.Decoder(LegacyReport)


class LegacyRoute:
    """Takes reports of inverters with the shared secret of the old receiver.

    Args:
        secret: What the header must hold.
        gateways: Serials that may be named in a body.
        ingest: Stores batches.
        rate: How often one sender may post.
        posts: How many posts may be under way.
        metrics: Counts.
        clock: Wall time for stamps.
        body_seconds: How long a body may take to arrive.
    """

    def __init__(
        self,
        *,
        secret: bytes,
        gateways: Collection[str],
        ingest: IngestRoute,
        rate: RateLimit,
        posts: PostLimit,
        metrics: Metrics,
        clock: Clock,
        body_seconds: float,
    ) -> None:
        self._secret = secret
        self._gateways = frozenset(gateways)
        self._ingest = ingest
        self._rate = rate
        self._posts = posts
        self._metrics = metrics
        self._clock = clock
        self._body_seconds = body_seconds

    async def post_inverters(self, request: Request) -> Response:
        """Answer once the reports are durable. Raises what `receiver.http.problems` answers."""
        try:
            return await self._answer(request)
        except Exception as error:
            self._metrics.batches.labels(to_refusal(error).problem).inc()
            raise

    async def _answer(self, request: Request) -> Response:
        self._authenticate(request.headers.getlist(HEADER))
        self._rate.spend(_SENDER)
        refuse_other_names(request, (), Problem.NOT_FOUND)
        with self._posts.count_one(_SENDER):
            submission = decode_submission(await body.read(request, seconds=self._body_seconds))
            serial = submission.envoy_serial
            if serial not in self._gateways:
                raise RefusedError(Problem.FORBIDDEN, "legacy-gateway")
            checked = check_submission(
                submission, now_ms=self._clock.now_ms(), retention_ms=self._ingest.store.retention_ms
            )
            verdict = await self._ingest.take(serial, checked)
        counts = {"accepted": verdict.accepted, "rejected": len(verdict.rejected)}
        return Response(msgspec.json.encode(counts), media_type="application/json")

    def _authenticate(self, found: list[str]) -> None:
        """Takes the same time for every secret of that length. Raises RefusedError (unauthorised)."""
        if len(found) != 1 or not hmac.compare_digest(found[0].encode(), self._secret):
            raise make_unauthorised("legacy-secret")


def decode_submission(data: bytes) -> LegacySubmission:
    """What was posted. Raises RefusedError: malformed, unprocessable or too-large."""
    try:
        submission = _decoder.decode(data)
        refuse_duplicates(data)
    except msgspec.ValidationError as error:
        raise RefusedError(Problem.UNPROCESSABLE, "shape") from error
    except (ValueError, RecursionError) as error:
        reason = "duplicate-keys" if isinstance(error, DuplicateKeyError) else "not-json"
        raise RefusedError(Problem.MALFORMED, reason) from error
    if len(submission.inverters or ()) > wire.MAX_ROWS:
        raise RefusedError(Problem.TOO_LARGE, "too-many-rows")
    return submission


def check_submission(
    submission: LegacySubmission, *, now_ms: int, retention_ms: Mapping[str, int | None]
) -> CheckedBatch:
    """Its inverters as a batch, judged as one of a scraper; a report that is none costs no other one.

    Raises:
        RefusedError: None of it can be judged.
    """
    rows: list[tuple[int, bytes]] = []
    refused: list[wire.RejectedRow] = []
    for number, raw in enumerate(submission.inverters or (), start=1):
        try:
            reading = _read_report(raw)
            if reading is not None:
                row = (number, wire.encode_reading(reading))
                _check_rows([row], now_ms, retention_ms)
                rows.append(row)
        except (RefusedError, msgspec.ValidationError, OverflowError):
            refused.append(wire.RejectedRow(number, Rejection.STORE_REFUSED))
    checked = _check_rows(rows, now_ms, retention_ms)
    checked.rejected.extend(refused)
    checked.outbox = ""  # it has none, and beside it our scraper may already send
    return checked


def _read_report(raw: msgspec.Raw) -> Reading | None:
    """One report; None of what is no inverter. Raises msgspec.ValidationError."""
    report = _report_decoder.decode(raw)
    if report.dev_type != _INVERTER:
        return None
    return Reading(
        "inverter",
        {"inverter": report.serial_number},
        report.last_report_date * SECOND_MS,
        {"power": float(report.last_report_watts), "max_power": float(report.max_report_watts)},
    )


def _check_rows(rows: Sequence[tuple[int, bytes]], now_ms: int, retention_ms: Mapping[str, int | None]) -> CheckedBatch:
    encoded = wire.encode_batch(batch=_ID, outbox=_ID, rows=rows)
    return validate.check(encoded, now_ms=now_ms, retention_ms=retention_ms)
