"""Refusals as `application/problem+json` (RFC 9457): a stable code and a request id, never a value that was sent."""

import secrets
from typing import Any, Final

import msgspec
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from receiver.errors import BusyError, RefusedError
from receiver.http.line_limit import LineLimit
from receiver.metrics import Metrics
from receiver.stores.base import StoreUnavailableError
from shared.clock import Clock
from shared.problems import CONTENT_TYPE, Problem

_log = structlog.get_logger()

STORE_RETRY_S = 5
"""Retry-After when the store cannot take more now (seconds)."""

_STATUS_AND_TITLE = {
    Problem.MALFORMED: (400, "The body is not the JSON that it should be."),
    Problem.UNPROCESSABLE: (422, "The request does not have the agreed shape."),
    Problem.TOO_LARGE: (413, "The batch is too large, or came too slowly: send a smaller one."),
    Problem.UNSUPPORTED_MEDIA: (415, "Send application/json, plain or with gzip."),
    Problem.UNSUPPORTED_VERSION: (422, "This receiver does not speak that wire version: upgrade it."),
    Problem.UNAUTHORISED: (401, "A valid token is needed."),
    Problem.FORBIDDEN: (403, "This token does not give the right to do that."),
    Problem.NOT_FOUND: (404, "Nothing was found at this address."),
    Problem.METHOD_NOT_ALLOWED: (405, "That method cannot be used here."),
    Problem.NOT_WRITABLE: (409, "The receiver cannot write that here."),
    Problem.CHANGED_MEANWHILE: (412, "It has changed since you read it: read it again, then change it."),
    Problem.TOO_MANY_REQUESTS: (429, "Too many requests: wait, then go on."),
    Problem.STORE_UNAVAILABLE: (503, "The store cannot take this now: send the same again later."),
    Problem.INTERNAL: (500, "The receiver failed; its log says more under the request id."),
}
_SCHEMA = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "status": {"type": "integer"},
        "title": {"type": "string"},
        "code": {"type": "string", "enum": sorted(_STATUS_AND_TITLE)},
        "detail": {"type": "string", "description": "What to change."},
        "request_id": {"type": "string", "description": "Stands beside the reason in the receiver's log."},
    },
    "required": ["type", "status", "title", "code", "request_id"],
    "additionalProperties": False,
}


def _describe_problems(*problems: Problem) -> dict[int | str, dict[str, Any]]:
    statuses = (_STATUS_AND_TITLE[problem] for problem in problems)
    return {
        status: {"description": title, "content": {CONTENT_TYPE: {"schema": _SCHEMA}}} for status, title in statuses
    }


PROBE_REFUSALS: Final = _describe_problems(Problem.STORE_UNAVAILABLE)
"""For the published `responses` of probes."""
READER_REFUSALS: Final = _describe_problems(
    Problem.UNAUTHORISED,
    Problem.FORBIDDEN,
    Problem.NOT_FOUND,
    Problem.UNPROCESSABLE,
    Problem.TOO_MANY_REQUESTS,
    Problem.STORE_UNAVAILABLE,
)
"""For the published `responses` of routes that readers ask."""

CHANGE_REFUSALS: Final = _describe_problems(
    Problem.MALFORMED,
    Problem.NOT_WRITABLE,
    Problem.CHANGED_MEANWHILE,
    Problem.TOO_LARGE,
    Problem.UNSUPPORTED_MEDIA,
)
"""For the published `responses` of routes that take a body of a person, beside those that readers hear."""

_BY_STATUS = {404: Problem.NOT_FOUND, 405: Problem.METHOD_NOT_ALLOWED, 413: Problem.TOO_LARGE}

_RULES = {
    "literal_error", "enum", "int_parsing", "bool_parsing", "greater_than_equal", "less_than_equal", "string_too_long",
}  # fmt: skip
"""Problems of parameters whose messages say the rule ("Input should be 'json' or 'csv'") and nothing of the input."""


class Problems:
    """Makes the replies, and counts each once. What comes often is a line of the log now and then.

    Args:
        metrics: Counts.
        clock: Measures how often lines come.
    """

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._lines = LineLimit(clock)

    def install(self, app: FastAPI) -> None:
        """Answer every error of every route; what is not expected is left to `receiver.http.outermost`."""
        app.add_exception_handler(RefusedError, self._handle)
        app.add_exception_handler(StoreUnavailableError, self._handle)
        app.add_exception_handler(BusyError, self._handle)
        app.add_exception_handler(RequestValidationError, self._handle)
        app.add_exception_handler(HTTPException, self._handle)

    async def _handle(self, _: Request, error: Exception) -> Response:
        if isinstance(error, StoreUnavailableError) and (left_out := self._lines.take("store")) is not None:
            _log.error("the store is not available", reason=str(error), left_out=left_out)
        headers = error.headers if isinstance(error, HTTPException) else None
        return self.reply(to_refusal(error), request_id=make_request_id(), allow=(headers or {}).get("Allow"))

    def reply(self, refused: RefusedError, *, request_id: str, allow: str | None = None) -> Response:
        """The reply to one refused request; the id is in the log, too, unless lines of its sort come too often."""
        problem = refused.problem
        status, title = _STATUS_AND_TITLE[problem]
        self._metrics.problems.labels(problem).inc()
        if problem in (Problem.UNAUTHORISED, Problem.FORBIDDEN):
            self._metrics.refusals.labels(refused.reason).inc()
        if (left_out := self._lines.take(refused.reason)) is not None:
            _log.warning(
                "request refused",
                problem=problem,
                status=status,
                reason=refused.reason,
                request_id=request_id,
                left_out=left_out,
            )
        body: dict[str, str | int] = {
            "type": f"urn:envoy-relay:problem:{problem}",
            "status": status,
            "title": title,
            "code": problem,
            "request_id": request_id,
        }
        if refused.detail is not None:
            body["detail"] = refused.detail
        response = Response(msgspec.json.encode(body), status, media_type=CONTENT_TYPE)
        for name, value in _make_headers(refused, allow).items():
            response.headers[name] = value
        return response


def make_request_id() -> str:
    """What ties a refusal to its line in the log. Only refusals get one: a batch that is stored needs no look there."""
    return secrets.token_hex(8)


def to_refusal(error: Exception) -> RefusedError:
    """Any error a route may raise on purpose, as a refusal. Anything else is `internal`."""
    if isinstance(error, RefusedError):
        return error
    if isinstance(error, StoreUnavailableError):
        return RefusedError(Problem.STORE_UNAVAILABLE, "store-unavailable", retry_after=STORE_RETRY_S)
    if isinstance(error, BusyError):
        return RefusedError(Problem.STORE_UNAVAILABLE, "busy", retry_after=STORE_RETRY_S)
    if isinstance(error, RequestValidationError):
        return RefusedError(Problem.UNPROCESSABLE, "parameters", detail=_explain_parameters(error))
    if isinstance(error, HTTPException):
        problem = _BY_STATUS.get(error.status_code, Problem.MALFORMED)
        return RefusedError(problem, "no-route" if problem is Problem.NOT_FOUND else problem)
    return RefusedError(Problem.INTERNAL, "unexpected")


def _explain_parameters(error: RequestValidationError) -> str | None:
    """Which declared parameters are wrong, and what they must be. The rules are quoted, never what was sent."""
    rules = {
        problem["loc"][1]: "be given" if problem["type"] == "missing" else problem["msg"].partition(" should ")[2]
        for problem in error.errors()
        if problem["loc"][0] in ("query", "path") and problem["type"] in {*_RULES, "missing"}
    }
    return " ".join(f"{name} must {rule}." for name, rule in rules.items()) or None


def _make_headers(refused: RefusedError, allow: str | None) -> dict[str, Any]:
    headers = {"cache-control": "no-store"}
    if refused.problem is Problem.UNAUTHORISED:
        headers["www-authenticate"] = "Bearer"
    if refused.retry_after is not None:
        headers["retry-after"] = str(refused.retry_after)
    if allow is not None:
        headers["allow"] = allow
    if refused.close:
        headers["connection"] = "close"
    return headers
