"""From nothing to a logged-in link, and the state in between: blocked, or logged in.

Never a login loop: one round of login per call, and after a round that a person must settle none at all until five
minutes have passed or something that could change the outcome has changed.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import structlog

from scraper.errors import CloudError, LoginRejectedError, PersonNeededError, ScraperSettingError
from scraper.gateway.cloud import CloudLogin
from scraper.gateway.endpoint_memory import EndpointMemory
from scraper.gateway.endpoints import Endpoints
from scraper.gateway.identify import IdentifiedGateway, Identifier
from scraper.gateway.info import GatewayInfo
from scraper.gateway.login import JUDGE_PATH, Login, log_in_with_digest, log_in_with_token, try_token
from scraper.gateway.options import GatewayIdentity, GatewayOptions, GatewayState
from scraper.gateway.pinning import Pin, PinStore
from scraper.gateway.queries import METER_READINGS, METERS
from scraper.gateway.stream import PATH as STREAM
from scraper.gateway.token_source import FETCH_INTERVAL_S, TokenSource
from scraper.gateway.tokens import Token, TokenCache
from scraper.gateway.transport import Transport
from shared.clock import Clock
from shared.units import DAY_S

_log = structlog.get_logger(__name__)

BLOCKED_S = 300.0
"""A login that needs a person is tried again after this (seconds)."""


@dataclass(frozen=True, slots=True)
class Link:
    """A gateway that is known and logged in to, as of the last look; another look makes another link."""

    found: IdentifiedGateway
    endpoints: Endpoints

    @property
    def login(self) -> Login:
        """As whom."""
        return self.endpoints.login

    @property
    def identity(self) -> GatewayIdentity:
        """For everybody else."""
        found, login = self.found, self.login
        return GatewayIdentity(
            host=found.address.host,
            serial=found.info.serial,
            firmware=found.info.firmware,
            version=found.info.version,
            role=login.role,
            token_expires_s=login.token.expires_s if login.token else None,
            scheme=found.scheme,
            clock_offset_s=found.clock_offset_s,
        )


@dataclass(frozen=True, slots=True)
class _LoginBlock:
    error: PersonNeededError
    since: float
    circumstances: Any


class Connector:
    """Makes, keeps and drops the link.

    Args:
        options: Where the gateway is and how to log in.
        clock: Dates and intervals.
    """

    def __init__(self, options: GatewayOptions, clock: Clock) -> None:
        self.link: Link | None = None
        self.state = GatewayState()
        self._options = options
        self._clock = clock
        self._lock = asyncio.Lock()
        self._pins = PinStore(options.state_dir)
        self._identifier = Identifier(options, self._pins, clock, self._lock)
        self._source = TokenSource(
            pasted=options.token,
            credentials=options.cloud_credentials,
            cache=TokenCache(options.state_dir),
            cloud=CloudLogin(options.cloud_url, options.token_url),
            clock=clock,
        )
        self._memory = EndpointMemory(clock)
        self._memory_of: tuple[str, ...] = ()
        self._login_holds = False
        self._block: _LoginBlock | None = None
        self._refused: set[str] = set()
        self._fetch_not_before = 0.0

    async def connect(self, *, forget_refused: bool) -> Link:
        """Look who is there; log in unless the present login still holds. Errors as `GatewaySession.connect`.

        Args:
            forget_refused: Whether endpoints that were refused may be there now: the gateway has started again.
        """
        self._refuse_while_blocked()
        if forget_refused:
            self._memory.forget_refused()
        try:
            found = await self._identifier.identify()
            self.state.fingerprint, self.state.serial = found.seen, found.info.serial
            if self.link is not None and self._login_holds and found.is_same_as(self.link.found):
                self.link = replace(self.link, found=found)  # its clock may have moved
            else:
                await self._log_in(found)
        except PersonNeededError as error:
            self.block(error)
            await self._close_link()
            raise
        self._block = self.state.blocked = None
        if self.link is None:  # pragma: no cover (either branch above has set it)
            raise AssertionError
        return self.link

    async def _log_in(self, found: IdentifiedGateway) -> None:
        await self._close_link()
        keep_alive = self._options.keep_alive and found.scheme == "https"
        transport = Transport(
            found.address,
            Pin(found.expected),
            lock=self._lock,
            keep_alive=keep_alive,
            deadlines=self._options.deadlines,
        )
        try:
            login = await self._choose_login(transport, found)
        except BaseException:
            await transport.aclose()
            raise
        memory = self._choose_memory(found, login)
        self.link = Link(found, Endpoints(transport, found.scheme, login, memory))
        self._login_holds = True
        _log.info(
            "gateway login",
            gateway=found.info.serial,
            firmware=found.info.firmware,
            role=login.role,
            host=found.address.host,
        )

    async def _choose_login(self, transport: Transport, found: IdentifiedGateway) -> Login:
        serial = found.info.serial
        try:
            if found.info.token_login:
                return await log_in_with_token(transport, serial, self._source)
            return await log_in_with_digest(transport, found.scheme, serial, self._options.installer_password())
        except ScraperSettingError as error:
            # The file of a secret is gone. At start that is a mistake, later somebody is just replacing it.
            raise LoginRejectedError(str(error)) from error

    def _choose_memory(self, found: IdentifiedGateway, login: Login) -> EndpointMemory:
        """The knowledge about the endpoints holds for one firmware as seen by one role."""
        key = (found.info.serial, found.info.firmware, login.role, login.token.raw if login.token else "")
        must_exist = _list_certain_paths(found.info, login)
        if key == self._memory_of:
            self._memory = replace(self._memory, must_exist=must_exist)
        else:
            self._memory, self._memory_of = EndpointMemory(self._clock, must_exist), key
        if login.lists_inverters:
            self._memory.mark_present(JUDGE_PATH)
        return self._memory

    async def renew_token(self, link: Link) -> None:
        """Replace a token that nears its end, or that somebody has pasted a longer-lived one for.

        Raises:
            GatewayUnreachableError, BadReplyError, CertificateChangedError: The new one could not be tried.
        """
        if link.login.token is None:
            return
        serial, current = link.found.info.serial, link.login.token
        successor = await self._find_successor(serial, current)
        if successor is None or successor.raw in self._refused:
            return
        login = await try_token(link.endpoints.transport, successor)
        if login is None:
            self._refused.add(successor.raw)
            _log.warning("the gateway refused the new token; the old one stays", expires=current.describe_expiry())
            return
        self._source.keep(serial, successor)
        link.endpoints.change_login(login, self._choose_memory(link.found, login))
        _log.info("gateway token renewed", role=login.role, expires=successor.describe_expiry())

    async def _find_successor(self, serial: str, current: Token) -> Token | None:
        """A longer-lived token at hand, else a fetched one if the current one nears its end."""
        longer = self._source.find_successor(serial, current)
        now = self._clock.monotonic()
        if longer is not None and longer.raw not in self._refused:
            return longer
        if (
            now < self._fetch_not_before
            or not self._source.can_fetch
            or not current.needs_renewal(self._source.read_time_s())
        ):
            return None
        # A year's token is renewed with a month in hand, so a failure may wait until tomorrow.
        self._fetch_not_before = now + (FETCH_INTERVAL_S if current.short_lived else DAY_S)
        try:
            token = await self._source.fetch(serial)
        except CloudError as error:
            self.state.cloud_problem = str(error)
            _log.warning("gateway token not renewed", reason=str(error), expires=current.describe_expiry())
            return None
        self.state.cloud_problem = None
        return token

    def note_clock(self, offset_s: float | None) -> None:
        """The clock of the gateway was measured: its time minus ours in seconds; None if it did not say."""
        if self.link is not None:
            self.link = replace(self.link, found=self.link.found._replace(clock_offset_s=offset_s))

    def drop_login(self) -> None:
        """The gateway no longer accepts it: the next connection logs in again."""
        self._login_holds = False

    def block(self, error: PersonNeededError) -> None:
        """Stop logins until something changes."""
        if self._block is None or self._block.error is not error:
            self._block = _LoginBlock(error, self._clock.monotonic(), self._describe_circumstances())
        self.state.blocked = error
        self._login_holds = False

    def _refuse_while_blocked(self) -> None:
        block = self._block
        if block is None or self._clock.monotonic() - block.since >= BLOCKED_S:
            return
        if self._describe_circumstances() == block.circumstances:
            raise type(block.error)(str(block.error))

    def _describe_circumstances(self) -> Any:
        """Everything whose change could let a refused login succeed."""
        options = self._options
        try:
            secrets = options.token(), options.installer_password(), options.cloud_credentials()
        except ScraperSettingError as error:
            return str(error)
        return secrets, self._pins.read_contents()

    async def _close_link(self) -> None:
        link, self.link = self.link, None
        if link is not None:
            await link.endpoints.transport.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._close_link()


def _list_certain_paths(info: GatewayInfo, login: Login) -> frozenset[str]:
    """What a gateway must have that says that it has meters; the stream only for a login that is known to get it."""
    if not info.metered:
        return frozenset()
    return frozenset({METERS, METER_READINGS} | ({STREAM} if login.role == "installer" else set()))
