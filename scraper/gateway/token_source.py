"""Where tokens come from: pasted by the owner, kept from last time, fetched from the owner's account.

The account is asked rarely in every case: once in five minutes, later if it says so, and once an hour with credentials
that were refused (accounts get locked), unless the credentials change.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import structlog

from scraper.errors import CloudRefusedError, CloudUnavailableError
from scraper.gateway.cloud import CloudLogin
from scraper.gateway.tokens import Token, TokenCache, find_best, parse_token
from shared.clock import Clock
from shared.units import HOUR_S

_log = structlog.get_logger(__name__)

FETCH_INTERVAL_S = 300.0
REFUSED_INTERVAL_S = HOUR_S

_NOTHING: Mapping[str, Token] = MappingProxyType({})


class TokenSource:
    """All tokens for one gateway.

    Args:
        pasted: Gives ENVOY_TOKEN as it stands now.
        credentials: Gives the account's user name and password as they stand now.
        cache: Tokens kept over restarts.
        cloud: The account and token service.
        clock: Dates and rate limits.
    """

    def __init__(
        self,
        *,
        pasted: Callable[[], str | None],
        credentials: Callable[[], tuple[str, str] | None],
        cache: TokenCache,
        cloud: CloudLogin,
        clock: Clock,
    ) -> None:
        self.problem: str | None = None
        """Why the pasted token cannot even be read, or None."""
        self._pasted = pasted
        self._credentials = credentials
        self._cache = cache
        self._cloud = cloud
        self._clock = clock
        self._fetched: Mapping[str, Token] = _NOTHING
        self._asked_at: float | None = None
        self._refused: tuple[tuple[str, str], str] | None = None
        self._later: CloudUnavailableError | None = None

    def read_time_s(self) -> float:
        """Epoch seconds, to compare with a token's claims."""
        return self._clock.now_ms() / 1000

    @property
    def can_fetch(self) -> bool:
        """Whether account credentials are set."""
        return self._credentials() is not None

    def list_candidates(self, serial: str) -> list[Token]:
        """The pasted and the kept token, the longer-lived first."""
        found = {token.raw: token for token in (self._cache.load(serial), self._fetched.get(serial)) if token}
        self.problem = None
        if text := self._pasted():
            try:
                token = parse_token(text)
                found[token.raw] = token
            except ValueError as error:
                self.problem = f"ENVOY_TOKEN cannot be used: {error}"
        return sorted(found.values(), key=lambda token: token.expires_s, reverse=True)

    def find_successor(self, serial: str, current: Token) -> Token | None:
        """A token at hand that lives longer than `current` (somebody pasted or fetched one meanwhile)."""
        longest = find_best(token for token in self.list_candidates(serial) if token.is_for(serial))
        return longest if longest and longest.expires_s > current.expires_s else None

    async def fetch(self, serial: str) -> Token:
        """A new token from the account.

        Raises:
            CloudRefusedError: A person is needed.
            CloudUnavailableError: Not now; also when it is too soon to ask again.
        """
        credentials = self._credentials()
        if credentials is None:
            raise CloudRefusedError("no account credentials are set")
        self._refuse_haste(credentials)
        self._asked_at = self._clock.monotonic()
        try:
            token = await self._cloud.fetch_token(*credentials, serial)
        except CloudRefusedError as error:
            self._refused, self._later = (credentials, str(error)), None
            raise
        except CloudUnavailableError as error:
            self._refused, self._later = None, error
            raise
        self._refused = self._later = None
        _log.info("gateway token fetched", role=token.role, expires=token.describe_expiry())
        return token

    def _refuse_haste(self, credentials: tuple[str, str]) -> None:
        if self._asked_at is None:
            return
        waited = self._clock.monotonic() - self._asked_at
        if self._refused is not None:
            # Changed credentials may be tried at once; refused ones could lock the account.
            if self._refused[0] == credentials and waited < REFUSED_INTERVAL_S:
                raise CloudRefusedError(self._refused[1])
        elif self._later is not None:
            if waited < max(FETCH_INTERVAL_S, self._later.retry_after_s):
                raise CloudUnavailableError(str(self._later))  # the same words: it is still the same reason
        elif waited < FETCH_INTERVAL_S:
            raise CloudUnavailableError("the account was asked less than five minutes ago")

    def keep(self, serial: str, token: Token) -> None:
        """Remember a token that the gateway accepted, also over restarts if the disk allows it."""
        self._fetched = {serial: token}
        kept = self._cache.load(serial)
        if kept is not None and kept.raw == token.raw:
            return
        try:
            self._cache.save(serial, token)
        except OSError as error:
            _log.warning("gateway token could not be kept for the next start", reason=type(error).__name__)
