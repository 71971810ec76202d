"""Asking a logged-in gateway for one path, and judging the reply.

A 401 has two meanings: the session is gone (everything is refused), or this login may not see this path (others are
fine). The inverter list tells which. A path that the login or the firmware does not have is remembered, so that the
gateway is asked for it less and less often.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import NoReturn

import httpx

from scraper.errors import (
    BadReplyError,
    EmptyReplyError,
    EndpointUnavailableError,
    GatewayUnreachableError,
    SessionExpiredError,
)
from scraper.gateway.endpoint_memory import EndpointMemory
from scraper.gateway.login import JUDGE_PATH, REFUSED, Login, describe_server_error, is_server_error, judge_login
from scraper.gateway.parse import json_reply
from scraper.gateway.transport import GatewayReply, Scheme, Transport


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
            GatewayUnreachableError: 5xx, no answer, or for minutes an absence where there used to be data.
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

    async def get_json(self, path: str) -> object:
        """As `get`, decoded.

        Raises:
            BadReplyError: Not JSON.
            EndpointUnavailableError: That has been so for minutes, or as `get`.
        """
        before = self.memory.find_refusal(path)
        reply = await self.get(path)
        try:
            return json_reply.load(reply.body)
        except EmptyReplyError:  # nothing is there now, which is an answer
            raise
        except BadReplyError as error:
            if self.memory.mark_senseless(path, before):
                raise EndpointUnavailableError(path, reply.status) from error
            raise

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
        memory = self.memory
        if is_server_error(status):
            self._judge_server_error(path, status)
        if status != httpx.codes.NOT_FOUND and not 300 <= status < 400:  # a redirect leads to an error page
            raise BadReplyError(f"the gateway answered {path} with status {status}")
        if path in memory.worked and not memory.mark_failing(path, status):
            # Not absent but restarting, or another firmware by now, which the next look at /info will tell.
            raise GatewayUnreachableError(
                f"the gateway answers {path} with status {status}, where it used to give data"
            )
        raise memory.mark_absent(path, status)

    def _judge_server_error(self, path: str, status: int) -> NoReturn:
        """Raise what a 5xx or 429 means: the gateway is starting; after minutes, that it lacks this path for now."""
        memory = self.memory
        if status == httpx.codes.SERVICE_UNAVAILABLE and path in memory.worked and memory.find_refusal(path) is None:
            memory.note_start()
        if memory.mark_failing(path, status):
            raise EndpointUnavailableError(path, status)
        raise GatewayUnreachableError(describe_server_error(status))

    def stream(self, path: str) -> AbstractAsyncContextManager[tuple[int, AsyncIterator[bytes]]]:
        """Open an endless reply: status and body as it arrives; errors as `Transport.stream`."""
        return self.transport.stream(self.scheme, path, auth=self.login.auth)

    async def _ask(self, path: str) -> GatewayReply:
        return await self.transport.get(self.scheme, path, auth=self.login.auth)

    async def _is_login_good(self, path: str) -> bool:
        if path == JUDGE_PATH:
            return False
        return await judge_login(self.transport, self.scheme, self.login.auth) not in REFUSED
