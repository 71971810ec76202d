"""Stands where the receiver would, and keeps what reaches it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer

from tests.fake_http import FakeHandler, run_in_thread


@dataclass
class Upstream:
    """A server that stands behind the proxy.

    Attributes:
        port: On 127.0.0.1.
        requests: Method, path, headers and body of every request whose head arrived, with as much of the body as arrived.
        go_on: Lets a long answer continue.
    """

    port: int = 0
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)


@contextmanager
def run_upstream() -> Iterator[Upstream]:
    """An upstream that lives as long as the context. `/live` sends one event, and another when `go_on` is set."""
    upstream = Upstream()

    class UpstreamHandler(FakeHandler):
        def answer(self, body: bytes) -> None:
            upstream.requests.append((self.command, self.path, dict(self.headers.items()), body))
            self.send_response(200)
            if self.command == "POST":
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"ok")
            else:
                self._stream()

        def _stream(self) -> None:
            self.close_connection = True
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            self.wfile.write(b"data: 1\n\n")
            self.wfile.flush()
            upstream.go_on.wait(60)
            self.wfile.write(b"data: 2\n\n")

    server = ThreadingHTTPServer(("127.0.0.1", 0), UpstreamHandler)
    server.daemon_threads = True
    with run_in_thread(server) as upstream.port:
        try:
            yield upstream
        finally:
            upstream.go_on.set()
