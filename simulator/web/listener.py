"""A listening port that can go away and come back on the same number."""

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)


class PortListener:
    """One TCP port, reserved for the whole life of the simulator, listening only while it is up.

    While it is down a connection is refused, as by a device whose firmware does not open that port or which is
    starting again. A second socket, bound but never listening, keeps the number from being given to anybody else.

    Args:
        host: address to bind.
        port: port, 0 for any free one.
        serve: called with each accepted socket; it owns the socket.
    """

    def __init__(self, host: str, port: int, serve: Callable[[socket.socket], Awaitable[None]]) -> None:
        self._host = host
        self._serve = serve
        self._reserved = _bind(host, port)
        self.port: int = self._reserved.getsockname()[1]
        self._listening: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        """The number of open connections."""
        return len(self._connections)

    def start_listening(self) -> None:
        """Listen; does nothing when it does already."""
        if self._listening is None:
            self._listening = _bind(self._host, self.port)
            self._listening.listen(64)
            self._accepting = asyncio.get_running_loop().create_task(self._accept(self._listening))

    def stop_listening(self, *, drop_connections: bool = False) -> None:
        """Refuse new connections; with `drop_connections` the open ones are cut too."""
        if self._accepting is not None:
            self._accepting.cancel()
            self._accepting = None
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        if drop_connections:
            self.drop()

    def drop(self) -> None:
        """Cut every open connection."""
        for connection in self._connections:
            connection.cancel()

    async def close(self) -> None:
        """Stop for good and give the port back."""
        self.stop_listening(drop_connections=True)
        if self._connections:
            await asyncio.wait(self._connections)
        self._reserved.close()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            sock, _ = await loop.sock_accept(listening)
            sock.setblocking(False)
            # An event must leave when it is written, not when the next one comes.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = loop.create_task(self._serve_one(sock))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

    async def _serve_one(self, sock: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError, TimeoutError):  # the peer left: nothing to say
                await self._serve(sock)
        except asyncio.CancelledError:
            pass  # the port closes, and no caller waits for the result
        except Exception:  # noqa: BLE001 (one connection's bug must not end the others')
            _log.exception("a connection ended by a bug of the simulator")
        finally:
            sock.close()


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sys.platform == "darwin":  # there SO_REUSEADDR alone does not let two sockets share a port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
