"""Who asks, about which gateway, and when: one dependency of every route, before its parameters are looked at.

The order is the security of it: the token, the reader's right to this gateway and the rate come first, then whether
the gateway exists. Only then does FastAPI read what else was sent, so a stranger hears 401 before 422.
"""

import contextlib
import ipaddress
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo

from fastapi import Depends, FastAPI
from starlette.requests import Request

from receiver.api.access import COOKIE, Access
from receiver.api.known_gateways import KnownGateways
from receiver.api.parameters import SerialParameter, SiteParameter
from receiver.auth.gate import Caller
from receiver.errors import RefusedError
from receiver.queries.shares import HeldRows, RowBudget, Shares
from receiver.sites import LocatedSites, Site
from shared.clock import Clock
from shared.problems import Problem

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, kw_only=True, slots=True)
class ReaderQuestion:
    """A question of a reader who was let in and counted.

    Attributes:
        caller: Who asks.
        now_ms: When, in UTC milliseconds; the whole answer is of this instant.
    """

    caller: Caller
    now_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewayQuestion(ReaderQuestion):
    """A question about a gateway that has readings and that this reader may see.

    Attributes:
        serial: The gateway.
        site: What the sites file says about it.
        rows: Holds what the answer needs in memory.
    """

    serial: str
    site: Site
    rows: HeldRows

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return self.site.zone


@dataclass(frozen=True, kw_only=True, slots=True)
class HouseQuestion(ReaderQuestion):
    """A question about a site of several gateways, all of which this reader may see.

    Attributes:
        name: Of the site.
        gateways: What is known of each, by serial.
        time_zone: IANA name; None where the gateways say different zones.
        rows: Holds what the answer needs in memory.
    """

    name: str
    gateways: Mapping[str, Site]
    time_zone: str | None
    rows: HeldRows


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveQuestion:
    """A view of the live events of a gateway that has readings.

    Attributes:
        serial: The gateway.
        caller: Who looks; None for somebody without a token from an open network, who gets the sums alone.
        address: From where; for those without a token.
    """

    serial: str
    caller: Caller | None
    address: str

    @property
    def reader(self) -> str:
        """Whose share of the views this is."""
        return f"address {self.address}" if self.caller is None else f"reader {self.caller.name}"


class Entrance:
    """Makes the questions of an application.

    Args:
        access: Lets readers in.
        gateways: Which gateways there are.
        sites: What the owner says about each.
        clock: What time it is.
        open_live: Networks that get the live sums without a token.
        shares: What each reader, and each gateway, may ask at once.
        rows: What all questions together may hold in memory.
    """

    def __init__(
        self,
        *,
        access: Access,
        gateways: KnownGateways,
        sites: LocatedSites,
        clock: Clock,
        open_live: Sequence[Network] = (),
        shares: Shares,
        rows: RowBudget,
    ) -> None:
        self._access = access
        self._gateways = gateways
        self._sites = sites
        self._clock = clock
        self._open_live = open_live
        self._shares = shares
        self._rows = rows

    def install(self, app: FastAPI) -> None:
        """Let the dependencies of this module find it."""
        app.state.entrance = self

    @contextlib.asynccontextmanager
    async def admit(self, request: Request) -> AsyncIterator[ReaderQuestion]:
        """A reader's question about no gateway in particular, in its share, until the answer is sent.

        Raises:
            RefusedError: As `Access.admit` and `Shares.get_share` do.
        """
        caller = self._access.admit(request)
        async with self._shares.get_share(caller.name, None):
            yield ReaderQuestion(caller=caller, now_ms=self._clock.now_ms())

    @contextlib.asynccontextmanager
    async def admit_to_gateway(self, request: Request, serial: str) -> AsyncIterator[GatewayQuestion]:
        """A question about one gateway, in its share, until the answer is sent.

        Raises:
            RefusedError: As `admit` does, and not-found for a gateway without readings.
        """
        async with self._answer(self._access.admit(request, serial), serial) as question:
            yield question

    @contextlib.asynccontextmanager
    async def admit_owner_to_gateway(self, request: Request, serial: str) -> AsyncIterator[GatewayQuestion]:
        """A request of the owner of a gateway, likewise. Raises RefusedError as `Access.admit_owner` does."""
        async with self._answer(self._access.admit_owner(request, serial), serial) as question:
            yield question

    @contextlib.asynccontextmanager
    async def _answer(self, caller: Caller, serial: str) -> AsyncIterator[GatewayQuestion]:
        async with self._shares.get_share(caller.name, serial), self._rows.open_for_question() as rows:
            await self._gateways.check(serial)
            site = self._sites.get_site(serial)
            yield GatewayQuestion(caller=caller, now_ms=self._clock.now_ms(), serial=serial, site=site, rows=rows)

    @contextlib.asynccontextmanager
    async def admit_to_house(self, request: Request, name: str) -> AsyncIterator[HouseQuestion]:
        """A question about one site of the sites file, in its share, until the answer is sent.

        Raises:
            RefusedError: As `admit` does, and not-found for a site that is not there, or that this reader may not see
                whole.
        """
        caller = self._access.admit(request)
        async with self._shares.get_share(caller.name, None), self._rows.open_for_question() as rows:
            serials = self.list_houses(caller).get(name)
            if serials is None:
                raise RefusedError(Problem.NOT_FOUND, "site-not-visible")
            gateways = {serial: self._sites.get_site(serial) for serial in serials}
            zone = self._sites.find_house_zone(serials)
            now_ms = self._clock.now_ms()
            yield HouseQuestion(caller=caller, now_ms=now_ms, name=name, gateways=gateways, time_zone=zone, rows=rows)

    def list_houses(self, caller: Caller) -> dict[str, list[str]]:
        """The gateways of each site of the sites file that this reader may see whole."""
        seen = caller.gateways
        return {
            name: serials
            for name, serials in self._sites.list_houses().items()
            if seen is None or seen.issuperset(serials)
        }

    async def admit_to_live(self, request: Request, serial: str) -> LiveQuestion:
        """A view of the live events. Raises RefusedError as `admit_to_gateway` does."""
        caller = None if self._is_from_open_network(request) else self._access.admit(request, serial)
        await self._gateways.check(serial)
        address = "" if request.client is None else request.client.host
        return LiveQuestion(serial=serial, caller=caller, address=address)

    def _is_from_open_network(self, request: Request) -> bool:
        """Whether somebody without any token comes from an open network."""
        if "authorization" in request.headers or COOKIE in request.cookies or request.client is None:
            return False
        with contextlib.suppress(ValueError):
            address = ipaddress.ip_address(request.client.host)
            return any(address in network for network in self._open_live)
        return False


def _get_entrance(request: Request) -> Entrance:
    entrance: Entrance = request.app.state.entrance
    return entrance


# Coroutines, though the first awaits nothing: FastAPI would send plain functions to another thread.
async def _ask(request: Request) -> AsyncIterator[ReaderQuestion]:
    async with _get_entrance(request).admit(request) as question:
        yield question


async def _ask_gateway(serial: SerialParameter, request: Request) -> AsyncIterator[GatewayQuestion]:
    async with _get_entrance(request).admit_to_gateway(request, serial) as question:
        yield question


async def _ask_house(site: SiteParameter, request: Request) -> AsyncIterator[HouseQuestion]:
    async with _get_entrance(request).admit_to_house(request, site) as question:
        yield question


async def _ask_as_owner(serial: SerialParameter, request: Request) -> AsyncIterator[GatewayQuestion]:
    async with _get_entrance(request).admit_owner_to_gateway(request, serial) as question:
        yield question


async def _ask_live(serial: SerialParameter, request: Request) -> LiveQuestion:
    return await _get_entrance(request).admit_to_live(request, serial)


AskedByReader = Annotated[ReaderQuestion, Depends(_ask)]
AskedOfGateway = Annotated[GatewayQuestion, Depends(_ask_gateway)]
AskedOfHouse = Annotated[HouseQuestion, Depends(_ask_house)]
AskedByOwner = Annotated[GatewayQuestion, Depends(_ask_as_owner)]
AskedOfLive = Annotated[LiveQuestion, Depends(_ask_live)]
