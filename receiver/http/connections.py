"""The register of connections: a limit for all, a limit for each address, and room for a newcomer.

When the limit is reached, the connection that has been idle longest is closed for the new one, and where none is idle
the one whose body has been arriving longest: a client that only holds connections keeps no other client out. The limit
leaves file descriptors for the database and for the service's files.
"""

import asyncio
import contextlib
import errno
import itertools
import resource
from collections import Counter
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Any, Protocol

import structlog

MOST = 2_000
"""Connections altogether, at most."""
_OWN_FILES = 200
"""File descriptors that are left for the database, the files and the status port."""
_WANTED_FILES = MOST + _OWN_FILES
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_SAY_AGAIN_S = 60.0

_log = structlog.get_logger()


class Connection(Protocol):
    """What the register knows of a connection."""

    def is_idle(self) -> bool:
        """Whether no request on it is being answered."""
        ...

    def is_arriving(self) -> bool:
        """Whether the body of its request has not ended."""
        ...

    def drop(self) -> None:
        """Close it now."""
        ...


class ConnectionRegister:
    """The open connections of one listener, the one that was used least recently first.

    Args:
        most: Connections altogether.
        most_of_one: Connections of one address; a trusted proxy stands for many and is not counted.
        trusted: Addresses and networks of proxies, which are not counted; `*` is every address.
    """

    def __init__(self, *, most: int, most_of_one: int, trusted: Sequence[str] = ()) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._trusts_all = "*" in trusted
        self._trusted = [ip_network(name, strict=False) for name in trusted if _is_network(name)]
        self._open: dict[Connection, str] = {}
        self._of_address: Counter[str] = Counter()

    def admit(self, connection: Connection, address: str) -> bool:
        """Whether a new connection may stay; another one may be closed for it."""
        if self._of_address[address] >= self._most_of_one and not self._is_proxy(address):
            return False
        if len(self._open) >= self._most and not self._make_room():
            return False
        self._open[connection] = address
        self._of_address[address] += 1
        return True

    def use(self, connection: Connection) -> None:
        """A request begins on a connection: it was used most recently."""
        if (address := self._open.pop(connection, None)) is not None:
            self._open[connection] = address

    def remove(self, connection: Connection) -> None:
        """The connection is closed. Does nothing for one that was not admitted."""
        if (address := self._open.pop(connection, None)) is not None:
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]

    def _make_room(self) -> bool:
        idle = (connection for connection in self._open if connection.is_idle())
        arriving = (connection for connection in self._open if connection.is_arriving())
        leaving = next(itertools.chain(idle, arriving), None)
        if leaving is None:
            return False
        self.remove(leaving)
        leaving.drop()
        return True

    def _is_proxy(self, address: str) -> bool:
        if self._trusts_all:
            return True
        with contextlib.suppress(ValueError):
            return any(ip_address(address) in network for network in self._trusted)
        return False


def count_places() -> int:
    """How many connections the limit of open files allows; raises the soft limit as far as this process may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(_WANTED_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return MOST if soft == resource.RLIM_INFINITY else max(1, min(MOST, soft - _OWN_FILES))


def report_exhaustion(loop: asyncio.AbstractEventLoop) -> None:
    """Let an event loop report accepts that fail for want of files in one line a minute.

    asyncio reports each failed accept with a traceback, up to the length of the backlog every second.
    """
    said_at = -_SAY_AGAIN_S

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal said_at
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in _EXHAUSTED or "socket" not in context:
            loop.default_exception_handler(context)
        elif loop.time() - said_at >= _SAY_AGAIN_S:
            said_at = loop.time()
            _log.error("no new connection can be taken: raise the limit of open files", error=error.strerror)

    loop.set_exception_handler(handle)


def _is_network(name: str) -> bool:
    try:
        ip_network(name, strict=False)
    except ValueError:
        return False
    return True
