"""The listening side: uvicorn with bounded connections, and a start and stop without signal handlers."""

import asyncio
import contextlib
import functools
import socket
from collections.abc import Iterator, Sequence

import uvicorn
from starlette.types import ASGIApp

from receiver.errors import ReceiverSettingError
from receiver.http.connections import ConnectionRegister, count_places, report_exhaustion
from receiver.http.protocol import BoundedProtocol
from receiver.http.rates import RateLimit

_GRACE_S = 10
_BACKLOG = 256


class _UvicornServer(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the composition root."""
        yield


class HttpListener:
    """Serves an application on one port.

    Args:
        app: The application.
        host: Address to listen on.
        port: Port; 0 chooses one (see `port` after `start`).
        trusted_proxies: Addresses whose X-Forwarded-For and -Proto are believed; nobody else's are.
        most: Connections altogether; None is as many as the limit of open files allows.
        most_of_one_address: Connections of one address that is no trusted proxy.
        per_address: How often one address may ask; bytes that are no request count here.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str,
        port: int,
        trusted_proxies: Sequence[str] = (),
        most: int | None = None,
        most_of_one_address: int,
        per_address: RateLimit,
    ) -> None:
        self.host = host
        self.port = port
        register = ConnectionRegister(
            most=most or count_places(), most_of_one=most_of_one_address, trusted=trusted_proxies
        )
        self._server = _UvicornServer(
            uvicorn.Config(
                app,
                http=functools.partial(BoundedProtocol, register, per_address),  # type: ignore[arg-type]  # makes one
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",  # it warns of each request that is none, and strangers send as many as they like
                access_log=False,
                server_header=False,
                date_header=True,  # a refused scraper sets its clock by it
                proxy_headers=bool(trusted_proxies),
                forwarded_allow_ips=list(trusted_proxies),
                backlog=_BACKLOG,
                timeout_keep_alive=75,  # longer than a scraper's usual interval, so that connections are reused
                timeout_graceful_shutdown=_GRACE_S,
            )
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen and serve. Raises ReceiverSettingError if the address is in use or not ours."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            listening = socket.create_server((self.host, self.port), family=family, backlog=_BACKLOG)
        except OSError as error:
            raise ReceiverSettingError(
                f"cannot listen on {self.host} port {self.port} ({error.strerror}): stop what uses it, or set "
                "RECEIVER_HOST and RECEIVER_PORT"
            ) from error
        self.port = listening.getsockname()[1]
        report_exhaustion(asyncio.get_running_loop())
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]), name="listener")

    async def wait(self) -> None:
        """Return when serving has ended."""
        if self._task is not None:
            await asyncio.wait([self._task])  # unlike a plain await, it does not end the serving if we are cancelled
            self._task.result()

    async def stop(self) -> None:
        """Let requests under way finish (at most ten seconds), then close every connection."""
        self._server.should_exit = True
        await self.wait()
