"""The outermost layer: a limit per address, no body where none is read, no error that is not ours, strict headers.

Every answer that a browser can get tells it and proxies to guess no type, to run nothing and to keep nothing, unless
its route says otherwise: the page has a policy of its own, and the browser that asked may keep answers with an ETag.
"""

from http import HTTPStatus

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from receiver.errors import RefusedError
from receiver.http.headers import STRICT_HEADERS
from receiver.http.problems import Problems, make_request_id, to_refusal
from receiver.http.rates import RateLimit
from shared.problems import Problem

_log = structlog.get_logger()
_PROBES = frozenset({"/healthz", "/readyz"})
_VERDICTS = "/batches"


class OutermostLayer:
    """ASGI middleware around the application.

    An unexpected exception becomes a 500 with a request id; its text goes to the log as a type and a place only,
    because it may quote the request.
    """

    def __init__(self, app: ASGIApp, *, problems: Problems, per_address: RateLimit) -> None:
        self._app = app
        self._problems = problems
        self._per_address = per_address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            if not started:
                started = True
                _add_strict_headers(message, scope["path"])
            await send(message)

        try:
            if scope["path"] not in _PROBES:
                self._per_address.spend((scope.get("client") or ("", 0))[0])
            _refuse_body(scope)
            await self._app(scope, receive, send_and_note)
        except Exception as error:  # noqa: BLE001 (whatever it is, the sender hears a problem and nothing of the error)
            request_id = make_request_id()
            if not isinstance(error, RefusedError):
                _log.error("request failed", request_id=request_id, error=type(error).__name__, at=_find_place(error))
            if not started:
                response = self._problems.reply(to_refusal(error), request_id=request_id)
                await response(scope, receive, send_and_note)


def _add_strict_headers(message: Message, path: str) -> None:
    if path.endswith(_VERDICTS) and message["status"] == HTTPStatus.OK:
        return  # no browser reads a verdict, and a house gets 8,640 of them a day
    headers: list[tuple[bytes, bytes]] = message["headers"]
    given = {name for name, _ in headers}
    headers += [(name, value) for name, value in STRICT_HEADERS.items() if name not in given]


def _refuse_body(scope: Scope) -> None:
    """Raises RefusedError for a body that nobody reads: its connection would wait for it."""
    if scope["method"] in {"GET", "HEAD"}:
        fields = dict(scope["headers"])
        if b"transfer-encoding" in fields or fields.get(b"content-length", b"0") != b"0":
            raise RefusedError(Problem.MALFORMED, "body-of-a-question", close=True)


def _find_place(error: BaseException) -> str:
    """File and line of the innermost frame: enough to find an error, and nothing of the data."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""
