"""The status port of both services: `/metrics`, `/healthz`, `/readyz`, on loopback unless configured otherwise.

Served by the standard library's WSGI server in one daemon thread, the way prometheus_client serves its own
metrics: it answers even while the service's event loop is busy, which is when people look.
"""

import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import CollectorRegistry, make_wsgi_app

_TEXT = ("Content-Type", "text/plain; charset=utf-8")


class _QuietHandler(WSGIRequestHandler):
    timeout = 10  # seconds; a client that says nothing does not keep its thread

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the standard library's name)
        """A probe every few seconds is not worth a log line."""


class _ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that says nothing, or breaks off, is no news: the library writes a traceback of each."""


class StatusServer:
    """A small HTTP server for probes and metrics.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 chooses one (read it from `port` after `start`).
        registry: The metrics to show.
        ready: Called per `/readyz`; None means ready, a sentence says what is wrong (status 503). Liveness
            (`/healthz`) depends on nothing: a service whose gateway, receiver or database is away must not be
            killed for it.
        remark: Called when it is ready; a sentence that `/readyz` says beside that, or None.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        registry: CollectorRegistry,
        ready: Callable[[], str | None] = lambda: None,
        remark: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.host = host
        self.port = port
        self._metrics = make_wsgi_app(registry, disable_compression=True)
        self._ready = ready
        self._remark = remark
        self._server: WSGIServer | None = None

    def start(self) -> None:
        """Listen and serve. Raises OSError if the address is in use or not ours."""
        server = make_server(self.host, self.port, self._answer, _ThreadingServer, _QuietHandler)
        self._server = server
        self.port = server.server_port
        # looking for a stop twice a second, as the library would by itself, is a tenth of an idle scraper's CPU
        threading.Thread(target=server.serve_forever, args=(2.0,), name="status", daemon=True).start()

    def stop(self) -> None:
        """Stop listening; safe to call twice."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            answer: Iterable[bytes] = self._metrics(environ, start_response)
            return answer
        if path == "/healthz":
            start_response("200 OK", [_TEXT])
            return [b"alive\n"]
        if path == "/readyz":
            problem = self._ready()
            start_response("503 Service Unavailable" if problem else "200 OK", [_TEXT])
            remark = None if problem else self._remark()
            return [(problem or (f"ready, but {remark}" if remark else "ready")).encode() + b"\n"]
        start_response("404 Not Found", [_TEXT])
        return [b"here are /metrics, /healthz and /readyz\n"]
