"""Asking a logged-in gateway for one path, and judging the reply.

A 401 has two meanings: the session is gone (everything is refused), or this login may not see this path (others are
fine). The inverter list tells which. A path that the login or the firmware does not have is remembered, so that the
gateway is asked for it less and less often.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import NamedTuple

import httpx

from scraper.errors import BadReplyError, EndpointUnavailableError, GatewayUnreachableError, SessionExpiredError
from scraper.gateway.login import JUDGE_PATH, REFUSED, Login, judge_login, raise_for_server_error
from scraper.gateway.transport import GatewayReply, Scheme, Transport
from shared.clock import Clock
from shared.units import HOUR_S, MINUTE_S

AGAIN_S = (MINUTE_S, 5 * MINUTE_S, 15 * MINUTE_S, HOUR_S)
"""Seconds until a path that was refused is asked again: gateways refuse single paths for minutes after a start."""
AGAIN_EAGERLY_S = (*[10.0] * 6, *AGAIN_S)
"""The same of a path that must be there."""
_LONG_PAUSES = 2
"""Of the pauses above: who has come to these has been refused for more than five minutes."""


class Refusal(NamedTuple):
    """A path that was refused: with which status, how often in a row, and when it may be asked again (monotonic)."""

    status: int
    times: int
    again_at: float


@dataclass(frozen=True, slots=True)
class EndpointMemory:
    """What is known about the paths of one firmware seen with one login.

    Attributes:
        clock: Says when refused paths are asked again.
        must_exist: Paths that the gateway has by what it says of itself.
        absent: Path to how it was refused.
        worked: Paths that have given data: a 404 there is an outage, not an absence.
    """

    clock: Clock
    must_exist: frozenset[str] = frozenset()
    absent: dict[str, Refusal] = field(default_factory=dict)
    worked: set[str] = field(default_factory=set)

    def may_ask(self, path: str) -> bool:
        """Whether `path` is not known to be absent, or it is time to see whether it still is."""
        return path not in self.absent or self.clock.monotonic() >= self.absent[path].again_at

    def check(self, path: str) -> None:
        """Raise EndpointUnavailableError if `path` is known to be absent."""
        if not self.may_ask(path):
            raise EndpointUnavailableError(path, self.absent[path].status)

    def mark_absent(self, path: str, status: int) -> EndpointUnavailableError:
        """Remember that this login cannot read `path` for now. Returns the error to raise."""
        known = self.absent.get(path)
        times = known.times if known else 0
        pauses = self._list_pauses(path)
        again_at = self.clock.monotonic() + pauses[min(times, len(pauses) - 1)]
        self.absent[path] = Refusal(status, times + 1, again_at)
        return EndpointUnavailableError(path, status)

    def is_refused_for_good(self, path: str) -> bool:
        """Whether `path` has been refused for longer than a gateway takes to start: for minutes, again and again."""
        pauses = self._list_pauses(path)
        return path in self.absent and self.absent[path].times > len(pauses) - _LONG_PAUSES

    def _list_pauses(self, path: str) -> tuple[float, ...]:
        return AGAIN_EAGERLY_S if path in self.must_exist else AGAIN_S

    def forget_absent(self) -> None:
        """Ask every path again."""
        self.absent.clear()

    def mark_present(self, path: str) -> None:
        """Remember that `path` has given data."""
        self.worked.add(path)
        self.absent.pop(path, None)


class Endpoints:
    """The paths of one gateway as one login sees them."""

    def __init__(self, transport: Transport, scheme: Scheme, login: Login, memory: EndpointMemory) -> None:
        self.transport = transport
        self.scheme = scheme
        self.login = login
        self.memory = memory
        self.renewed = False
        """Whether a session was renewed: the gateway may have restarted, so it is worth a look at who answers."""

    def change_login(self, login: Login, memory: EndpointMemory) -> None:
        """Go on with another login that the gateway has accepted, also for questions that are under way."""
        self.login = login
        self.memory = memory

    async def get(self, path: str) -> GatewayReply:
        """The 200 reply of `path`.

        Raises:
            EndpointUnavailableError: This login or firmware does not have it (remembered).
            SessionExpiredError: The gateway refuses this login altogether: log in again.
            GatewayUnreachableError: 5xx, no answer, or an absence where there used to be data.
            BadReplyError: A status that makes no sense here.
        """
        self.memory.check(path)
        reply = await self._ask(path)
        if reply.status in REFUSED:
            await self.settle_refusal(path, reply.status)
            reply = await self._ask(path)
        if reply.status in REFUSED:
            await self.give_up(path, reply.status)
        self.judge_status(path, reply.status)
        self.memory.mark_present(path)
        return reply

    async def settle_refusal(self, path: str, status: int) -> None:
        """After a 401: return if the session was renewed and `path` may be asked once more, else raise."""
        lapsed = self.login.token is not None and path in self.memory.worked
        if not lapsed and await self._is_login_good(path):
            raise self.memory.mark_absent(path, status)
        if not await self.login.renew(self.transport):
            raise SessionExpiredError("the gateway no longer accepts the login; the scraper logs in again")
        self.renewed = True

    async def give_up(self, path: str, status: int) -> None:
        """After a second 401: raise what it means."""
        if await self._is_login_good(path):
            raise self.memory.mark_absent(path, status)
        raise SessionExpiredError("the gateway no longer accepts the login; the scraper logs in again")

    def judge_status(self, path: str, status: int) -> None:
        """Raise unless `status` is 200."""
        if status == httpx.codes.OK:
            return
        raise_for_server_error(GatewayReply(status, "", b""))
        if path in self.memory.worked:
            # Not absent but restarting, or another firmware by now, which the next look at /info will tell.
            raise GatewayUnreachableError(
                f"the gateway answers {path} with status {status}, where it used to give data"
            )
        if status == httpx.codes.NOT_FOUND or 300 <= status < 400:  # a redirect leads to an error page
            raise self.memory.mark_absent(path, status)
        raise BadReplyError(f"the gateway answered {path} with status {status}")

    def stream(self, path: str) -> AbstractAsyncContextManager[tuple[int, AsyncIterator[bytes]]]:
        """Open an endless reply: status and body as it arrives; errors as `Transport.stream`."""
        return self.transport.stream(self.scheme, path, auth=self.login.auth)

    async def _ask(self, path: str) -> GatewayReply:
        return await self.transport.get(self.scheme, path, auth=self.login.auth)

    async def _is_login_good(self, path: str) -> bool:
        if path == JUDGE_PATH:
            return False
        return await judge_login(self.transport, self.scheme, self.login.auth) not in REFUSED
