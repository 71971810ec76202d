"""A small server on this machine to which the browser is sent back after the approval, for one request that counts."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

PATH = "/approved"
_PAGE = b"<!DOCTYPE html><title>envoy-relay</title><p>Done: this page can be closed.</p>\n"
_LOOK_S = 1.0
_MOST_WAIT_S = 10.0
"""How long one connection may take to send its request."""


class RedirectServer:
    """Listens on 127.0.0.1.

    Args:
        port: 0 for any free one.
        state: The word of this attempt; an answer without it is somebody else's.
    """

    def __init__(self, port: int, state: str) -> None:
        self._state = state
        self._landed: str | None = None
        self._server = HTTPServer(("127.0.0.1", port), _make_handler(self._note))
        self._server.timeout = _LOOK_S

    @property
    def redirect_uri(self) -> str:
        """Where the browser is to be sent back to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{PATH}"

    def close(self) -> None:
        """Stop listening."""
        self._server.server_close()

    def await_redirect(self, seconds: float) -> str | None:
        """The address on which the browser landed; None if it did not within so many seconds."""
        looks = int(seconds / _LOOK_S)
        while self._landed is None and looks > 0:
            self._server.handle_request()
            looks -= 1
        return self._landed

    def _note(self, target: str) -> bool:
        """Take an address if it is an answer; the probe of another program, or page, is none."""
        parts = urlsplit(target)
        said = parse_qs(parts.query)
        if parts.path != PATH or not {"code", "error"} & said.keys() or said.get("state") != [self._state]:
            return False
        self._landed = target
        return True


@contextlib.contextmanager
def open_redirect_server(port: int, state: str) -> Iterator[RedirectServer]:
    """A listening server. Raises OSError if the port is taken."""
    server = RedirectServer(port, state)
    try:
        yield server
    finally:
        server.close()


def _make_handler(note: Callable[[str], bool]) -> type[BaseHTTPRequestHandler]:
    class RedirectHandler(BaseHTTPRequestHandler):
        """Answers the browser; nothing of what it says is printed, for it holds the code."""

        timeout = _MOST_WAIT_S

        def do_GET(self) -> None:
            is_answer = note(self.path)
            self.send_response(200 if is_answer else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Connection", "close")
            self.end_headers()
            with contextlib.suppress(OSError, socket.timeout):
                self.wfile.write(_PAGE if is_answer else b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name in the base class)
            """Say nothing."""

    return RedirectHandler
